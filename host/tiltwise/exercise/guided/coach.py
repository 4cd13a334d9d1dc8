"""Angles (deg) of a wearer in, a guided exercise out: what to do next, what was counted, and a record at any time.

A state machine round a course: counted_course.py where the sensor follows the movement, phased_course.py for rounds
and for what goes by the clock. Time is that of the samples. A hole in them, a pause and a sensor that is not worn
take no time of the exercise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from tiltwise.exercise.definition import BREATH_S, Do, Exercise, Phase
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach_events import CoachEvent, CoachView, Comment, Instruction
from tiltwise.exercise.guided.counted_course import CountedCourse
from tiltwise.exercise.guided.moments import MAX_GAP_S, Moment, Moments
from tiltwise.exercise.guided.phased_course import PhasedCourse
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.text import counted
from tiltwise.types import AngleBlock, Mount, RepCompleted, Side

REST_S = 1.5  # sitting quietly for so long, one is ready
LEAST_READY_S = 2.0  # to read the first sentence
READY_AFTER_S = 8.0  # or after this time, for who never sits quietly
_BREATHS = (2.0, 20.0)  # s


class Stage(Enum):
    """What the wearer is asked for."""

    READY = auto()  # get ready and rest
    COURSE = auto()  # a set
    PAUSE = auto()  # between sets
    DONE = auto()


class Cue(Enum):
    """What a moment means."""

    NOTHING = auto()
    RESTED = auto()  # ready to begin
    SET_DONE = auto()
    ALL_DONE = auto()
    TIME_UP = auto()  # the pause is over
    STOPPED = auto()  # by the wearer


# A pair that is not listed stays where it is.
TRANSITIONS = {
    (Stage.READY, Cue.RESTED): Stage.COURSE,
    (Stage.COURSE, Cue.SET_DONE): Stage.PAUSE,
    (Stage.COURSE, Cue.ALL_DONE): Stage.DONE,
    (Stage.PAUSE, Cue.TIME_UP): Stage.COURSE,
    (Stage.READY, Cue.STOPPED): Stage.DONE,
    (Stage.COURSE, Cue.STOPPED): Stage.DONE,
    (Stage.PAUSE, Cue.STOPPED): Stage.DONE,
}


@dataclass(frozen=True, slots=True)
class CoachSettings:
    """The dose; None takes the exercise's own.

    Parameters
    ----------
    reps, sets
        In a set, on each side if there are sides; sets.
    hold_s, pause_s
        How long to hold; the rest between sets.
    breath_s
        The wearer's pace.
    range_deg
        The person's own range, as far as it was measured.
    session
        What the exercise is part of, for the record.
    """

    reps: int | None = None
    sets: int | None = None
    hold_s: float | None = None
    pause_s: float | None = None
    breath_s: float = BREATH_S
    range_deg: Mapping[Direction, float] = field(default_factory=dict)
    session: str = ""


class Coach:
    """Guides one exercise, from blocks cut anywhere.

    Parameters
    ----------
    exercise : a row of the catalogue.
    mount
        Where the sensor is worn; it decides between following the movement and the clock.
    settings
        The dose.
    is_cleared
        The wearer answered every question of `exercise.asks_first` with no.

    Raises
    ------
    ValueError
        The exercise asks first and is not cleared, or a dose makes no sense.
    """

    def __init__(
        self,
        exercise: Exercise,
        mount: Mount,
        settings: CoachSettings | None = None,
        *,
        is_cleared: bool = False,
    ) -> None:
        if exercise.asks_first and not is_cleared:
            raise ValueError(f"{exercise.id} asks first: {' '.join(exercise.asks_first)}")
        s = settings or CoachSettings()
        self.exercise, self.mount, self._s = _dosed(exercise, s), mount, s
        self.is_counting = (
            exercise.is_followed(mount) and not exercise.is_of_rounds and not _has_turns(exercise)
        )
        self._course: CountedCourse | PhasedCourse
        if self.is_counting:
            self._course = CountedCourse(self.exercise, mount, breath_s=s.breath_s, range_deg=s.range_deg)
        else:
            self._course = PhasedCourse(self.exercise, mount, breath_s=s.breath_s, range_deg=s.range_deg)
        self.stage, self.is_paused = Stage.READY, False
        self._moments = Moments()
        self._set = 1
        self._start_s = self._end_s = self._since_s = self._lost_s = 0.0
        self._last_s: float | None = None
        self._is_off = False

    # ---- state ----

    @property
    def is_done(self) -> bool:
        """Whether the exercise is over."""
        return self.stage is Stage.DONE

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for was done."""
        return self._set == self.exercise.sets and self._course.is_over

    @property
    def counts(self) -> dict[Side, int]:
        """Repetitions by side."""
        return dict(self._course.counts)

    def record(self) -> ExerciseRecord:
        """Return what was done so far; the times of its repetitions are relative to its start."""
        course = self._course
        base = ExerciseRecord(
            self.exercise.id, self.mount, self._start_s, self._end_s, self.is_complete, self.is_counting,
            self.exercise.reps * self.exercise.sets, self.counts, undone=course.undone, skipped=course.skipped,
            session=self._s.session or self.exercise.id, lost_s=self._lost_s,
        )  # fmt: skip
        if isinstance(course, CountedCourse):
            reps = tuple(_moved(rep, self._start_s) for rep in course.completed)
            partial, back = len(course.partial), course.taken_back
            return replace(base, reps=reps, partial=partial, taken_back=back, compared=course.compared)
        rounds = tuple(
            replace(
                each,
                t_s=each.t_s - self._start_s,
                press_start_s=each.press_start_s - self._start_s,
                press_end_s=each.press_end_s - self._start_s,
                sink_s=each.sink_s - self._start_s,
                arrived_s=each.arrived_s - self._start_s,
            )
            for each in course.rounds
        )
        return replace(base, rounds=rounds, moved_presses=course.moved_presses, barriers=course.barriers_deg)

    def view(self) -> CoachView | None:
        """Return what can be shown now; None before the first sample."""
        if self._last_s is None:
            return None
        if self.stage is Stage.COURSE and not self._course.is_over:
            return self._course.view(self._last_s, self._set)
        return self._waiting_view(self._last_s)

    def _waiting_view(self, t_s: float) -> CoachView:
        """Getting ready, resting, or done."""
        first = self.exercise.all_phases[0].short.replace(" {side}", "")
        lasted_s = t_s - self._since_s
        is_pause = self.stage is Stage.PAUSE
        short = {Stage.READY: "get ready", Stage.PAUSE: "rest"}.get(self.stage, "done")
        say = {Stage.READY: self.exercise.begin, Stage.PAUSE: "Rest between two sets."}.get(self.stage, "")
        return CoachView(
            short, say, "" if self.is_done else first, Side.NONE, self.counts, self.exercise.reps,
            self._set, self.exercise.sets,
            phase_share=min(lasted_s / max(self.exercise.pause_s, 1e-9), 1.0) if is_pause else None,
            left_s=max(self.exercise.pause_s - lasted_s, 0.0) if is_pause else None,
            since_s=lasted_s,
        )  # fmt: skip

    # ---- what the wearer types ----

    def pause(self) -> list[CoachEvent]:
        """Stop for a while, or go on."""
        if self._last_s is None or self.is_done:
            return []
        self.is_paused = not self.is_paused
        if self.is_paused:
            return [Comment(self._last_s, "Paused.")]
        return [Comment(self._last_s, "Going on."), *self._asked_again(self._last_s)]

    def skip(self) -> list[CoachEvent]:
        """Take the repetition that is asked for as done."""
        if self.stage is not Stage.COURSE or self._last_s is None:
            return []
        events = self._course.skip(self._last_s)
        return events + self._go(self._course_cue(), self._last_s)

    def undo(self) -> list[CoachEvent]:
        """Take the newest repetition back."""
        if self.stage is not Stage.COURSE or self._last_s is None:
            return []
        return self._course.undo(self._last_s)

    def stop(self) -> list[CoachEvent]:
        """End the exercise where it is."""
        if self.is_done:
            return []
        events = self._course.finish() if self.stage is Stage.COURSE else []
        return events + self._go(Cue.STOPPED, self._last_s or 0.0)

    # ---- moment by moment ----

    def process(self, block: AngleBlock, activity: NDArray[np.int8] | None = None) -> list[CoachEvent]:
        """Return what to say about this block; `activity` has the code of each sample. Nothing once it is over."""
        events: list[CoachEvent] = []
        for moment in self._moments.process(block, activity):
            if self.is_done:
                break
            events += self._step(moment)
        return events

    def _step(self, moment: Moment) -> list[CoachEvent]:
        t_s = moment.t_s
        events = self._begin(t_s) if self._last_s is None else []
        gap_s = 0.0 if self._last_s is None else t_s - self._last_s
        self._last_s = self._end_s = t_s
        is_hole = gap_s > MAX_GAP_S
        if is_hole or self.is_paused or not moment.is_worn:
            self._shift(gap_s)
        if is_hole:
            self._lost_s += gap_s
            events.append(Comment(t_s, f"No samples for {gap_s:.0f} s; they are not counted. Go on."))
        events += self._on_wear(moment)
        if self.is_paused or not moment.is_worn:
            self._course.rest(moment)
            return events
        if self.stage is not Stage.COURSE:
            self._course.rest(moment)
            return events + self._go(self._waiting_cue(t_s), t_s)
        events += self._course.step(moment)
        return events + self._go(self._course_cue(), t_s)

    def _begin(self, t_s: float) -> list[CoachEvent]:
        self._start_s = self._since_s = t_s
        return [self._ready(t_s)]

    def _ready(self, t_s: float) -> Instruction:
        text = f"{self.exercise.name}. {self.exercise.begin}"
        return Instruction(t_s, self.exercise.id, Do.REST, Side.NONE, "get ready", text)

    def _shift(self, seconds: float) -> None:
        """Nothing of this time counts."""
        self._since_s += seconds
        self._course.shift(seconds)

    def _on_wear(self, moment: Moment) -> list[CoachEvent]:
        was, self._is_off = self._is_off, not moment.is_worn
        if self._is_off and not was:
            return [Comment(moment.t_s, "The sensor seems to be off: put it back on, or press q to stop.")]
        return self._asked_again(moment.t_s) if was and not self._is_off else []

    def _asked_again(self, t_s: float) -> list[CoachEvent]:
        if self.stage is Stage.COURSE and not self._course.is_over:
            return [self._course.instruction(t_s)]
        return [self._ready(t_s)] if self.stage is Stage.READY else []

    def _waiting_cue(self, t_s: float) -> Cue:
        lasted_s = t_s - self._since_s
        if self.stage is Stage.PAUSE:
            return Cue.TIME_UP if lasted_s >= self.exercise.pause_s else Cue.NOTHING
        is_rested = self._course.rested_s >= REST_S and lasted_s >= LEAST_READY_S
        return Cue.RESTED if is_rested or lasted_s >= READY_AFTER_S else Cue.NOTHING

    def _course_cue(self) -> Cue:
        if not self._course.is_over:
            return Cue.STOPPED if self._course.is_given_up else Cue.NOTHING
        return Cue.SET_DONE if self._set < self.exercise.sets else Cue.ALL_DONE

    def _go(self, cue: Cue, t_s: float) -> list[CoachEvent]:
        """Enter the stage that follows, and say what to do there."""
        following = TRANSITIONS.get((self.stage, cue))
        if following is None:
            return []
        self.stage, self._since_s = following, t_s
        if following is Stage.COURSE:
            if cue is Cue.TIME_UP:
                self._set += 1
                self._course.next_set()
            return self._course.begin(t_s)
        if following is Stage.PAUSE:
            text = f"Rest for {counted(round(self.exercise.pause_s), 'second')}."
            return [
                Instruction(t_s, self.exercise.id, Do.REST, Side.NONE, "rest", text, self.exercise.pause_s)
            ]
        return []


def _has_turns(exercise: Exercise) -> bool:
    return any(phase.do is Do.TURN for phase in exercise.phases)


def _dosed(exercise: Exercise, s: CoachSettings) -> Exercise:
    """Return the exercise with the dose asked for; ValueError when it makes no sense."""
    reps, sets = exercise.reps if s.reps is None else s.reps, exercise.sets if s.sets is None else s.sets
    hold_s = 0.0 if s.hold_s is None else s.hold_s
    if not (0 < reps <= 100 and 0 < sets <= 20 and 0 <= hold_s <= 60):
        raise ValueError(f"{reps} repetitions, {sets} sets, {hold_s:g} s hold: expected 1-100, 1-20, 0-60 s")
    if not _BREATHS[0] <= s.breath_s <= _BREATHS[1]:
        raise ValueError(f"a breath of {s.breath_s:g} s: expected {_BREATHS[0]:g} to {_BREATHS[1]:g} s")
    phases = exercise.phases
    if s.hold_s is not None:
        phases = tuple(_held(phase, s.hold_s) for phase in phases if phase.do is not Do.HOLD or s.hold_s > 0)
    pause_s = exercise.pause_s if s.pause_s is None else s.pause_s
    return replace(exercise, reps=reps, sets=sets, phases=phases, pause_s=pause_s)


def _held(phase: Phase, hold_s: float) -> Phase:
    if phase.do is not Do.HOLD:
        return phase
    # Its own words name the time that it usually takes.
    say = f"Hold for {hold_s:g} {'second' if hold_s == 1 else 'seconds'}."
    return replace(phase, seconds=hold_s, breaths=0.0, say=say)


def _moved(rep: RepCompleted, start_s: float) -> RepCompleted:
    return replace(
        rep,
        t_s=rep.t_s - start_s,
        start_s=rep.start_s - start_s,
        peak_s=rep.peak_s - start_s,
        end_s=rep.end_s - start_s,
    )
