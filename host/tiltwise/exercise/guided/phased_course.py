"""One set of an exercise that goes phase by phase: rounds of tensing and letting go, presses, turns, timers.

Where the sensor sees the head, it finds the end of each slow movement ("barrier"), checks that a press is still, and
counts turns; elsewhere the clock leads. A press in which the head moved is no press. Seconds and degrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tiltwise.exercise.definition import Do, Exercise, Phase, Pose, Sides, Visibility
from tiltwise.exercise.directions import Direction, range_by_side
from tiltwise.exercise.guided.coach_events import CoachEvent, CoachView, Comment, Instruction, Round
from tiltwise.exercise.guided.counter_events import RepTold
from tiltwise.exercise.guided.moments import Moment
from tiltwise.exercise.guided.phase_edges import MOVED_DEG, edges
from tiltwise.exercise.guided.turn_counter import TurnCounter
from tiltwise.exercise.signals import Signal, Way
from tiltwise.types import Mount, Side

STILL_DEG = 3.0  # pressing without moving leaves the head within this
SETTLE_S = 1.0  # the press itself may shift the head a little before it is held
QUIET_DEG_S = 4.0
WINDOW_S = 3.0  # so long at one place is the end of a slow movement
CREEP_DEG = 0.7  # less than this from one half of the window to the other: it has ended
TROUBLED_DEG = 5.0  # more within the window than this: the head is about something else
LEAST_SINK_S = 3.5  # after the word, before which nobody has arrived
UNMOVED_SINK_S = 6.0  # who has not moved by then is at the end already
LEAST_TURN_DEG = 8.0
LONGEST_SINK_S = 25.0
LONGEST_RETURN_S = 8.0
_FAR_DEG = 10.0  # a head bowed or bent back differs from upright by at least this


@dataclass(frozen=True, slots=True)
class Task:
    """One phase on one side, of which repetition."""

    side: Side
    rep: int
    phase: Phase
    is_last_of_rep: bool


class PhasedCourse:
    """Guides the sets of one exercise.

    Parameters
    ----------
    exercise, mount
        What is asked for, and where the sensor is worn.
    breath_s, range_deg
        The wearer's pace; their own range, as far as it was measured.
    """

    def __init__(
        self,
        exercise: Exercise,
        mount: Mount,
        *,
        breath_s: float,
        range_deg: Mapping[Direction, float] | None = None,
    ) -> None:
        self.exercise, self._breath_s = exercise, breath_s
        self._sees_head = (
            exercise.seen[mount] not in (Visibility.NOT_OBSERVABLE,) and mount is not Mount.COLLAR
        )
        self._signal: Signal | None = exercise.signal if exercise.is_followed(mount) else None
        self._own_deg = range_by_side(exercise.signal, dict(range_deg or {})) if exercise.signal else {}
        self.sides = (Side.NONE,) if exercise.sides is Sides.NONE else (Side.RIGHT, Side.LEFT)
        self.counts = dict.fromkeys(self.sides, 0)
        self.rounds: list[Round] = []
        self.skipped = self.undone = 0
        self.moved_presses = 0
        self._tasks = _tasks(exercise, self.sides)
        self._k, self._since_s, self.is_given_up = 0, 0.0, False  # the clock goes on for whoever stops
        self._middle: Moment | None = None
        self._last: Moment | None = None
        self._rest_s = 0.0
        self._trace: list[tuple[float, float]] = []  # t_s and way along the signal, of this phase
        self._pose: Moment | None = None
        self._moved_deg = 0.0
        self._press = (0.0, 0.0, 0.0)  # start, end, moved
        self._barriers: dict[Side, list[float]] = {side: [] for side in Side}
        self._turns: TurnCounter | None = None
        self._n_turns = dict.fromkeys(Side, 0)
        self._flexions: list[float] = []

    # ---- sets ----

    @property
    def is_over(self) -> bool:
        """Whether the set is done."""
        return self._k >= len(self._tasks)

    @property
    def rested_s(self) -> float:
        """How long the wearer has been resting."""
        return self._rest_s

    @property
    def barriers_deg(self) -> dict[Side, list[float]]:
        """Where the slow movements of each side ended, in order."""
        return {side: list(found) for side, found in self._barriers.items() if found}

    def next_set(self) -> None:
        """Go on with another set."""
        self._k = 0

    def begin(self, t_s: float) -> list[CoachEvent]:
        """Ask for the first phase."""
        self._middle = self._last
        return self._enter(t_s)

    def shift(self, seconds: float) -> None:
        """Leave out a time in which nothing was seen or wanted."""
        self._since_s += seconds

    def finish(self) -> list[CoachEvent]:
        """Nothing is open that could be closed: an unfinished round is none."""
        return []

    def rest(self, moment: Moment) -> None:
        """Follow the wearer while nothing is asked for."""
        if self._last is not None:
            dt_s = moment.t_s - self._last.t_s
            speed = _distance_deg(moment, self._last) / max(dt_s, 1e-3)
            self._rest_s = self._rest_s + dt_s if speed < QUIET_DEG_S and moment.is_worn else 0.0
        self._last = moment

    # ---- what the wearer types ----

    def skip(self, t_s: float) -> list[CoachEvent]:
        """Go on behind this repetition, and take it as done."""
        rep, side = self._tasks[self._k].rep, self._tasks[self._k].side
        while not self.is_over and (self._tasks[self._k].rep, self._tasks[self._k].side) == (rep, side):
            self._k += 1
        self.skipped += 1
        self.counts[side] += 1
        return [] if self.is_over else self._enter(t_s)

    def undo(self, t_s: float) -> list[CoachEvent]:
        """Do this repetition, or the one before when it has just begun, again."""
        side = self._tasks[min(self._k, len(self._tasks) - 1)].side
        done = [k for k in range(self._k) if self._tasks[k].is_last_of_rep and self._tasks[k].side is side]
        if not done:
            return [Comment(t_s, "Nothing to take back.")]
        rep = self._tasks[done[-1]].rep
        self._k = next(k for k, task in enumerate(self._tasks) if (task.rep, task.side) == (rep, side))
        self.counts[side] -= 1
        self.undone += 1
        if self.rounds and self.rounds[-1].side is side:
            self.rounds.pop()
            self._barriers[side] = self._barriers[side][:-1]
        return [Comment(t_s, "Once more."), *self._enter(t_s)]

    # ---- moment by moment ----

    def step(self, moment: Moment) -> list[CoachEvent]:
        """Take a moment; return what was found and what to do next."""
        self.rest(moment)
        task = self._tasks[self._k]
        self._trace.append((moment.t_s, self._way_deg(task, moment)))
        lasted_s = moment.t_s - self._since_s
        events = self._watch(task, moment, lasted_s)
        if not self._has_ended(task, lasted_s):
            return events
        events += self._leave(task, moment.t_s)
        self._k += 1
        if task.is_last_of_rep:
            self.counts[task.side] += 1
        return events if self.is_over else events + self._enter(moment.t_s)

    def _way_deg(self, task: Task, moment: Moment) -> float:
        """How far the head is from its middle, to the side asked for; nan where it is not seen."""
        if self._signal is None:
            return float("nan")
        column = self._signal.angle.value
        middle = 0.0 if self._middle is None else self._middle.angle_deg(column)
        is_minus = task.side is Side.LEFT or self._signal.way is Way.MINUS or task.phase.way == "minus"
        return (-1.0 if is_minus else 1.0) * (moment.angle_deg(column) - middle)

    def _watch(self, task: Task, moment: Moment, lasted_s: float) -> list[CoachEvent]:
        """Look after a press and turns while they last."""
        events: list[CoachEvent] = []
        if task.phase.do is Do.PRESS and self._sees_head and lasted_s >= SETTLE_S:
            self._pose = self._pose or moment
            before, self._moved_deg = self._moved_deg, max(self._moved_deg, _distance_deg(moment, self._pose))
            if before <= STILL_DEG < self._moved_deg:
                events.append(Comment(moment.t_s, "The head moved: press lighter, without moving."))
        if task.phase.do is Do.TURN and self._turns is not None:
            self._flexions.append(moment.flexion_deg)
            for event in self._turns.step(moment):
                if isinstance(event, RepTold):
                    self._n_turns[event.side] += 1
                    events.append(event)
        return events

    def _has_ended(self, task: Task, lasted_s: float) -> bool:
        phase, is_seen = task.phase, self._signal is not None
        if phase.do is Do.SINK and is_seen:
            return lasted_s >= LONGEST_SINK_S or (
                lasted_s >= LEAST_SINK_S and self._has_come_to_rest(lasted_s)
            )
        if phase.do is Do.RETURN and is_seen:
            out = self._trace[-1][1]
            far = max((way for _, way in self._trace), default=0.0)
            return lasted_s >= LONGEST_RETURN_S or out <= max(0.3 * far, 4.0)
        return lasted_s >= phase.lasts_s(self._breath_s)

    def _has_come_to_rest(self, lasted_s: float) -> bool:
        """Whether the slow movement has ended: the head moved, or had time to, and has stayed since."""
        assert self._signal is not None
        newest_s, first = self._trace[-1][0], self._trace[0][1]
        moved_s = next((t_s for t_s, way in self._trace if way - first >= MOVED_DEG), newest_s)
        if newest_s - moved_s < WINDOW_S / 2 and lasted_s < UNMOVED_SINK_S:
            return False
        window = np.array([row for row in self._trace if row[0] > newest_s - WINDOW_S])
        half = window[:, 0] > newest_s - WINDOW_S / 2
        creep = abs(float(np.mean(window[half, 1]) - np.mean(window[~half, 1]))) if half.any() else 0.0
        is_out = float(window[-1, 1]) >= self._signal.guided_least_deg
        return creep < CREEP_DEG and float(np.ptp(window[:, 1])) < TROUBLED_DEG and is_out

    def _enter(self, t_s: float) -> list[CoachEvent]:
        """Begin with the phase at hand."""
        task = self._tasks[self._k]
        self._since_s, self._trace = t_s, []
        if task.phase.do is Do.PRESS:
            self._pose, self._moved_deg = None, 0.0
        if task.phase.do is Do.TURN and self._signal is not None:
            large = replace(self._signal, guided_least_deg=LEAST_TURN_DEG)
            self._turns = self._turns or TurnCounter(self.exercise.id, large)
            self._n_turns, self._flexions = dict.fromkeys(Side, 0), []
        return [self.instruction(t_s)]

    def _leave(self, task: Task, t_s: float) -> list[CoachEvent]:
        """Say what the phase came to."""
        do = task.phase.do
        if do is Do.PRESS:
            self._press = (self._since_s, t_s, self._moved_deg)
            if self._sees_head and self._moved_deg > STILL_DEG:
                self.moved_presses += 1
                return [
                    Comment(t_s, f"That press does not count: the head moved by {self._moved_deg:.0f} deg.")
                ]
        elif do is Do.SINK and self._signal is not None and task.phase.to == 1.0:
            return self._note_barrier(task, t_s)
        elif do is Do.TURN and self._turns is not None:
            return self._on_turns(task.phase.pose, t_s)
        return []

    def _note_barrier(self, task: Task, t_s: float) -> list[CoachEvent]:
        """Keep the end of this movement; behind a press it closes a round."""
        times, way = np.array(self._trace).T
        barrier = float(np.mean(way[times > t_s - WINDOW_S / 2]))
        known = self._barriers[task.side]
        before = known[-1] if known else None
        known.append(barrier)
        start_s, end_s, moved = self._press
        if end_s == 0.0:  # the approach: nobody has pressed yet
            return []
        self._press = (0.0, 0.0, 0.0)
        sink_s, arrived_s = edges(times, way, barrier)
        number = sum(each.side is task.side for each in self.rounds) + 1
        is_still = moved <= STILL_DEG
        made = Round(
            t_s, task.side, number, before, barrier, start_s, end_s, moved, is_still, sink_s, arrived_s
        )  # fmt: skip
        self.rounds.append(made)
        return [made]

    def _on_turns(self, pose: Pose, t_s: float) -> list[CoachEvent]:
        """Say how many turns there were, and whether the head was where it should be."""
        right, left = self._n_turns[Side.RIGHT], self._n_turns[Side.LEFT]
        middle = 0.0 if self._middle is None else self._middle.flexion_deg
        away = float(np.median(self._flexions)) - middle if self._flexions else 0.0
        was = Pose.BOWED if away > _FAR_DEG else Pose.BACK if away < -_FAR_DEG else Pose.UPRIGHT
        text = f"{right} turns to the right, {left} to the left."
        return [Comment(t_s, text if was is pose else f"{text} The head was {was}, not {pose}.")]

    # ---- what can be shown ----

    def instruction(self, t_s: float) -> Instruction:
        """Return what is asked for now."""
        task = self._tasks[min(self._k, len(self._tasks) - 1)]
        phase, side = task.phase, task.side
        ends_itself = self._signal is not None and phase.do in (Do.SINK, Do.RETURN)
        lasts_s = 0.0 if ends_itself else phase.lasts_s(self._breath_s)
        short, say = (text.replace("{side}", side.value) for text in (phase.short, phase.say))
        own = self._own_deg.get(side)
        is_out = phase.do in (Do.SINK, Do.MOVE)
        to_deg = phase.to * own if is_out and own is not None else None
        return Instruction(t_s, self.exercise.id, phase.do, side, short, say, lasts_s, to_deg, phase)

    def view(self, t_s: float, set_number: int) -> CoachView:
        """Return what can be shown at this time."""
        asked = self.instruction(t_s)
        after = self._tasks[self._k + 1 : self._k + 2]
        following = after[0].phase.short.replace("{side}", after[0].side.value) if after else "done"
        out = self._trace[-1][1] if self._trace else float("nan")
        known = self._barriers[asked.side]
        target = asked.to_deg or (known[-1] if known else 0.0)
        lasted_s = t_s - self._since_s
        is_timed = asked.lasts_s > 0
        return CoachView(
            asked.short,
            asked.say,
            following,
            asked.side,
            dict(self.counts),
            self.exercise.reps,
            set_number,
            self.exercise.sets,
            angle_deg=out if out == out else None,
            angle_share=out / target if out == out and target > 0 else None,
            phase_share=min(lasted_s / asked.lasts_s, 1.0) if is_timed else None,
            left_s=max(asked.lasts_s - lasted_s, 0.0) if is_timed else None,
            is_breathing=asked.phase is not None and asked.phase.breaths > 0,
            since_s=lasted_s,
        )


def _tasks(exercise: Exercise, sides: tuple[Side, ...]) -> list[Task]:
    """Unroll a set: rounds of one side after the other, or each repetition on both."""
    is_in_turn = exercise.sides is Sides.ALTERNATE
    order = (
        [(side, rep) for rep in range(exercise.reps) for side in sides]
        if is_in_turn
        else [(side, rep) for side in sides for rep in range(exercise.reps)]
    )
    found: list[Task] = []
    for side, rep in order:
        before = exercise.approach if rep == 0 else ()
        after = exercise.leave if rep == exercise.reps - 1 else ()
        phases = (*before, *exercise.phases, *after)
        tasks = [Task(side, rep, phase, is_last_of_rep=False) for phase in phases]
        found += [*tasks[:-1], replace(tasks[-1], is_last_of_rep=True)]
    return found


def _distance_deg(a: Moment, b: Moment) -> float:
    """How far two poses are apart, without the rotation: its zero may be set again while the head rests."""
    return max(abs(a.flexion_deg - b.flexion_deg), abs(a.lateral_deg - b.lateral_deg))
