"""One set of an exercise whose movements the sensor follows: what to ask next comes from what the wearer does.

A repetition counts at its turn. Whoever does another side, or goes back early, is told so and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tiltwise.exercise.definition import Do, Exercise, Phase, Sides
from tiltwise.exercise.directions import Direction, direction_of, range_by_side
from tiltwise.exercise.guided.coach_events import CoachEvent, CoachView, Comment, Instruction
from tiltwise.exercise.guided.counter_events import Counter, CounterEvent, RepTakenBack, RepTold
from tiltwise.exercise.guided.moments import Moment
from tiltwise.exercise.guided.shrug_counter import ShrugCounter
from tiltwise.exercise.guided.turn_counter import TurnCounter
from tiltwise.exercise.rest_tilt import RestComparison, RestTilt
from tiltwise.exercise.signals import Way
from tiltwise.types import Mount, RepCompleted, Side

REMIND_AFTER_S = (20.0, 40.0, 80.0)  # more and more rarely
GIVE_UP_AFTER_S = 120.0  # after the last reminder: they have stopped
SKIN_SHARE = {Mount.NECK: 0.6}  # of the head's movement; angles at the neck are not scaled (motion/angles/)
_ENOUGH_HOLD = 0.7  # of the hold asked for
_REST_TIMES = 3.0  # as long as a rest is asked for: who is not at rest by then does not come to it
_OTHER_DEG = 15.0  # so much in another plane, and nothing in this one: another exercise


class CountedCourse:
    """Guides the sets of one exercise.

    Parameters
    ----------
    exercise, mount
        What is asked for, and where the sensor is worn; its `reps` are those of a set, on each side.
    breath_s
        The wearer's pace.
    range_deg
        The person's own range, as far as it was measured.
    """

    def __init__(
        self,
        exercise: Exercise,
        mount: Mount,
        *,
        breath_s: float,
        range_deg: Mapping[Direction, float] | None = None,
    ) -> None:
        assert exercise.signal is not None
        self.exercise, self.signal = exercise, exercise.signal
        self._breath_s, self._range_deg = breath_s, dict(range_deg or {})
        own = range_by_side(self.signal, self._range_deg)
        self.counter: Counter = (
            ShrugCounter(exercise.id)
            if exercise.is_shrug
            else TurnCounter(exercise.id, self.signal, own, share=SKIN_SHARE.get(mount, 1.0))
        )
        self.sides = (Side.NONE,) if exercise.sides is Sides.NONE else (Side.RIGHT, Side.LEFT)
        self.counts = dict.fromkeys(self.sides, 0)
        self.completed: list[RepCompleted] = []
        self.partial: list[RepCompleted] = []
        self.taken_back = self.undone = self.skipped = 0
        self._target = exercise.reps
        self._k, self._since_s, self._reminded_s = 0, 0.0, 0.0
        self._reminders = 0  # since they last did anything that was asked for
        self.is_given_up = False
        self._told: list[RepTold] = []  # whole repetitions that are not over
        self._first_half: RepTold | None = None  # of a pair
        self._discarded = 0  # told ones that the wearer took back before they were over
        self._spans: list[tuple[float, float]] | None = None
        self.compared: RestComparison | None = None  # where the upper back rested before and after
        self._rest = RestTilt()
        self._before_deg: float | None = None
        self._after_rep = len(exercise.phases) - 1 if exercise.is_comparison else 0

    # ---- sets ----

    @property
    def is_over(self) -> bool:
        """Whether the set is done, the last repetition with its way back, and a rest after it that is compared."""
        is_compared = self._k == 0 or not self.exercise.is_comparison
        return min(self.counts.values()) >= self._target and not self._told and is_compared

    @property
    def rested_s(self) -> float:
        """How long the wearer has been resting."""
        return self.counter.rested_s

    def next_set(self) -> None:
        """Go on with another set."""
        self._target += self.exercise.reps

    @property
    def asked_side(self) -> Side:
        """The side that is next: in turn, or one after the other."""
        if self.exercise.sides is Sides.ONE_AFTER_OTHER:
            return next((side for side in self.sides if self.counts[side] < self._target), self.sides[-1])
        return min(self.sides, key=lambda side: self.counts[side])

    def begin(self, t_s: float) -> list[CoachEvent]:
        """Ask for the first repetition."""
        if not self.completed:
            self.counter.forget()
        return self._ask(0, t_s)

    def shift(self, seconds: float) -> None:
        """Leave out a time in which nothing was seen or wanted."""
        self._since_s += seconds
        self._reminded_s += seconds

    def finish(self) -> list[CoachEvent]:
        """Close the repetition under way."""
        return self._take(self.counter.finish())

    def rest(self, moment: Moment) -> None:
        """Let the counter follow the wearer while nothing is asked for; a sensor that was off sits otherwise."""
        if not moment.is_worn:
            self._before_deg = None
        self.counter.step(moment)
        self.counter.settle()

    # ---- what the wearer types ----

    def skip(self, t_s: float) -> list[CoachEvent]:
        """Take the repetition that is asked for as done."""
        if 0 < self._k == self._after_rep:  # it is, and the rest behind it is left out
            return self._end_rest(t_s)
        self.counts[self.asked_side] += 1
        self.skipped += 1
        return [] if self.is_over else self._ask(self._after_rep, t_s)

    def undo(self, t_s: float) -> list[CoachEvent]:
        """Take the newest repetition back."""
        if self._told:
            side = self._told.pop().side
            self._discarded += 1
        elif self.completed:
            side = self.completed.pop().side
        else:
            return [Comment(t_s, "Nothing to take back.")]
        self.counts[self._counted(side)] -= 1
        self.undone += 1
        return [Comment(t_s, "Taken back."), *self._ask(0, t_s)]

    # ---- moment by moment ----

    def step(self, moment: Moment) -> list[CoachEvent]:
        """Take a moment; return what was counted and what to do next."""
        events = self._take(self.counter.step(moment))
        self._span(moment)
        if self.is_over:
            return events
        phase, t_s = self.exercise.phases[self._k], moment.t_s
        if self.exercise.is_comparison and phase.do is Do.REST:
            return events + self._compare(moment, self._lasts_s(phase))
        if (phase.do is Do.HOLD and self._told and self.counter.held_s >= phase.lasts_s(self._breath_s)) or (
            phase.do not in (Do.MOVE, Do.HOLD, Do.RETURN) and t_s - self._since_s >= self._lasts_s(phase)
        ):
            events += self._ask(self._k + 1, t_s)
        elif t_s - self._reminded_s >= self._patience_s(phase):
            events += self._remind(t_s) if self._reminders < len(REMIND_AFTER_S) else self._give_up(t_s)
        return events

    def _compare(self, moment: Moment, lasts_s: float) -> list[CoachEvent]:
        """Follow a rest before or after the shrug until it is one, or plainly comes to none."""
        self._rest.add(moment.t_s, moment.flexion_deg)
        times = (moment.t_s - self._since_s) / lasts_s
        is_over = times >= _REST_TIMES or (times >= 1.0 and self._rest.deg is not None)
        return self._end_rest(moment.t_s) if is_over else []

    def _end_rest(self, t_s: float) -> list[CoachEvent]:
        if self._k == 0:
            self._before_deg = self._rest.deg
            return self._ask(1, t_s)
        self.compared = RestComparison(self._before_deg, self._rest.deg)
        self._k = 0
        return [Comment(t_s, self.compared.words), *([] if self.is_over else self._ask(0, t_s))]

    def _patience_s(self, phase: Phase) -> float:
        waits_s = (*REMIND_AFTER_S, GIVE_UP_AFTER_S)[self._reminders]
        return waits_s + (self._lasts_s(phase) if phase.do is Do.HOLD else 0.0)

    def _give_up(self, t_s: float) -> list[CoachEvent]:
        """Who stopped in the middle is left in peace."""
        self.is_given_up = True
        text = "It seems that you have stopped, and that is fine: this exercise ends here, and what you did is kept."
        return [*self.finish(), Comment(t_s, text)]

    def _lasts_s(self, phase: Phase) -> float:
        return phase.lasts_s(self._breath_s)

    def _take(self, seen: list[CounterEvent]) -> list[CoachEvent]:
        events: list[CoachEvent] = []
        for event in seen:
            match event:
                case RepTold():
                    events += self._tell(event)
                case RepTakenBack():
                    events += self._take_back(event)
                case RepCompleted():
                    events += self._finish_rep(event)
        return events

    def _counted(self, side: Side) -> Side:
        """The key of `counts`: an exercise without sides may have a signal with two ways."""
        return side if side in self.counts else self.sides[0]

    def _tell(self, told: RepTold) -> list[CoachEvent]:
        self._spans = None
        if self.signal.way is Way.PAIR:
            return self._tell_half(told)
        return self._count(told)

    def _tell_half(self, told: RepTold) -> list[CoachEvent]:
        """Back and then down make one."""
        if told.side is Side.LEFT:
            self._first_half = told
            return self._ask(self._after_move("minus"), told.t_s)
        first, self._first_half = self._first_half, None
        if first is None:
            return [Comment(told.t_s, "First back, then down: they count together.")]
        return self._count(told)

    def _count(self, told: RepTold) -> list[CoachEvent]:
        asked = self.asked_side
        side = self._counted(told.side)
        told = replace(told, side=side)
        self._told.append(told)
        self.counts[side] += 1
        events: list[CoachEvent] = [told]
        if self.exercise.sides is not Sides.NONE and side is not asked:
            events.append(Comment(told.t_s, f"That was the {side} side; it counts. Now the {asked} one."))
        return events + self._ask(self._after_move("plus"), told.t_s)

    def _after_move(self, way: str) -> int:
        """The phase behind the movement out."""
        phases = self.exercise.phases
        moves = [k for k, phase in enumerate(phases) if phase.do is Do.MOVE and phase.way == way]
        return moves[0] + 1 if moves else len(phases)

    def _take_back(self, back: RepTakenBack) -> list[CoachEvent]:
        known = [told for told in self._told if told.t_s == back.told_s]
        if known:
            self._told.remove(known[0])
        elif self._first_half is not None and self._first_half.t_s == back.told_s:
            self._first_half = None
            return self._ask(0, back.t_s)
        elif not self._discarded and (
            done := [r for r in self.completed if r.start_s <= back.told_s <= r.t_s]
        ):
            self.completed.remove(done[-1])
        else:
            return []
        self.counts[self._counted(back.side)] -= 1
        self.taken_back += 1
        text = f"Not counted after all: {back.why}."
        return [back, Comment(back.t_s, text), *self._ask(0, back.t_s)]

    def _finish_rep(self, rep: RepCompleted) -> list[CoachEvent]:
        if rep.is_partial:
            self.partial.append(rep)
            return [rep, Comment(rep.t_s, "That was part of it: a little further, if it is comfortable.")]
        if self.signal.way is Way.PAIR and rep.side is Side.LEFT:
            return self._ask(self._k + 1, rep.t_s) if self.exercise.phases[self._k].do is Do.RETURN else []
        if not self._told:
            self._discarded = max(self._discarded - 1, 0)
            return []
        rep = replace(rep, side=self._told.pop(0).side)
        self.completed.append(rep)
        events: list[CoachEvent] = [rep, *self._on_hold(rep)]
        return events if self.is_over or self.is_given_up else events + self._ask(self._after_rep, rep.t_s)

    def _on_hold(self, rep: RepCompleted) -> list[CoachEvent]:
        asked_s = self.exercise.hold_s(self._breath_s)
        if rep.hold_s >= _ENOUGH_HOLD * asked_s:
            return []
        return [Comment(rep.t_s, f"Held for {rep.hold_s:.0f} of {asked_s:g} seconds.")]

    def _ask(self, k: int, t_s: float) -> list[CoachEvent]:
        """Ask for phase k, for the next repetition behind the last one."""
        self._k = k if k < len(self.exercise.phases) else 0
        self._since_s = self._reminded_s = t_s
        self._reminders = 0
        self._spans, self._rest = None, RestTilt()
        return [self.instruction(t_s)]

    def instruction(self, t_s: float) -> Instruction:
        """Return what is asked for now."""
        phase = self.exercise.phases[self._k]
        side = self._told[-1].side if self._told and self.sides != (Side.NONE,) else self.asked_side
        lasts_s = 0.0 if phase.do in (Do.MOVE, Do.RETURN) else self._lasts_s(phase)
        short, say = (text.replace("{side}", side.value) for text in (phase.short, phase.say))
        return Instruction(
            t_s, self.exercise.id, phase.do, side, short, say, lasts_s, self._to_deg(phase, side), phase
        )

    def _to_deg(self, phase: Phase, side: Side) -> float | None:
        if phase.do is not Do.MOVE:
            return None
        if phase.way == "minus":
            side = Side.LEFT
        direction = direction_of(self.signal, side)
        own = None if direction is None else self._range_deg.get(direction)
        return None if own is None else phase.to * own

    def _span(self, moment: Moment) -> None:
        angles = (moment.flexion_deg, moment.lateral_deg, moment.rotation_deg)
        spans = self._spans or [(a, a) for a in angles]
        self._spans = [(min(low, a), max(high, a)) for (low, high), a in zip(spans, angles, strict=True)]

    def _remind(self, t_s: float) -> list[CoachEvent]:
        """Ask again; who does something else is told so."""
        self._reminded_s, self._reminders = t_s, self._reminders + 1
        again = self.instruction(t_s)
        if not self._told and any(high - low > _OTHER_DEG for low, high in self._spans or []):
            self._spans = None
            return [Comment(t_s, f"That looks like another movement. {again.say}"), again]
        return [Comment(t_s, f"Whenever you are ready: {again.say[0].lower()}{again.say[1:]}"), again]

    # ---- what can be shown ----

    def view(self, t_s: float, set_number: int) -> CoachView:
        """Return what can be shown at this time."""
        asked = self.instruction(t_s)
        phase = self.exercise.phases[self._k]
        is_last = self._k + 1 == len(self.exercise.phases)
        following = self.exercise.phases[0 if is_last else self._k + 1].short
        if is_last and min(self.counts.values()) >= self._target:
            following = "done"
        deviation = self.counter.deviation_deg
        out = max(deviation, 0.0) if deviation == deviation else None
        target = asked.to_deg or max((abs(rep.peak_deg) for rep in self.completed[-4:]), default=0.0)
        held_s = self.counter.held_s if phase.do is Do.HOLD else t_s - self._since_s
        return CoachView(
            asked.short,
            asked.say,
            following.replace("{side}", (self.asked_side if is_last else asked.side).value),
            asked.side,
            dict(self.counts),
            self._target,
            set_number,
            self.exercise.sets,
            angle_deg=out,
            angle_share=out / target if out is not None and target == target and target > 0 else None,
            phase_share=min(held_s / asked.lasts_s, 1.0) if asked.lasts_s else None,
            left_s=max(asked.lasts_s - held_s, 0.0) if asked.lasts_s else None,
            is_breathing=phase.breaths > 0,
            since_s=t_s - self._since_s,
        )
