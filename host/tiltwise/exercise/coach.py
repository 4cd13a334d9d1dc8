"""Angles (deg) in, a guided exercise out: what to do next, when to hold, what was counted, and how it went.

A state machine on a 25 Hz grid of device time around RepCounter (rep_counter.py), or around the clock where the
sensor cannot count.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import Enum, auto

import numpy as np

from tiltwise.detect.grid import Grid
from tiltwise.exercise.coach_prompts import Words
from tiltwise.exercise.definition import BREATH_S, Do, Exercise, Sides
from tiltwise.exercise.rep_counter import GRID_HZ, RepCounter, RepSettings
from tiltwise.exercise.rep_phases import Phase
from tiltwise.exercise.session_summary import SessionSummary, summarise_session
from tiltwise.types import AngleBlock, Mount, RepCompleted, Side, StepPrompt

REST_S = 1.5  # sitting quietly for so long, one is ready
READY_AFTER_S = 10.0  # or after this time, for who never sits quietly
REMIND_AFTER_S = 20.0
STILL_DEG = 3.0  # pressing without moving leaves the head within this
SETTLE_S = 1.0  # the press itself may shift the head a little before it is held

CoachEvent = StepPrompt | RepCompleted
_COLUMNS = tuple(f.name for f in fields(AngleBlock) if f.name != "sensor")


class Stage(Enum):
    """What the wearer is asked to do."""

    PREPARE = auto()  # get ready and rest
    OUT = auto()  # move out
    HOLD = auto()
    BACK = auto()
    WORK = auto()  # by the clock
    PAUSE = auto()
    DONE = auto()


class Cue(Enum):
    """What a moment means."""

    NOTHING = auto()
    READY = auto()  # resting, and the exercise is counted
    CLOCK_READY = auto()  # time to begin what goes by the clock
    REACHED = auto()  # far out, and a hold is asked for
    HELD = auto()  # for as long as asked
    COUNTED = auto()  # a repetition is over
    SET_DONE = auto()
    ALL_DONE = auto()
    TIME_UP = auto()  # the pause is over
    REMINDER = auto()  # nothing happened for long


# A pair that is not listed stays where it is.
TRANSITIONS = {
    (Stage.PREPARE, Cue.READY): Stage.OUT,
    (Stage.PREPARE, Cue.CLOCK_READY): Stage.WORK,
    (Stage.OUT, Cue.REACHED): Stage.HOLD,
    (Stage.OUT, Cue.COUNTED): Stage.OUT,
    (Stage.OUT, Cue.REMINDER): Stage.OUT,
    (Stage.OUT, Cue.SET_DONE): Stage.PAUSE,
    (Stage.OUT, Cue.ALL_DONE): Stage.DONE,
    (Stage.HOLD, Cue.HELD): Stage.BACK,
    (Stage.HOLD, Cue.COUNTED): Stage.OUT,
    (Stage.HOLD, Cue.SET_DONE): Stage.PAUSE,
    (Stage.HOLD, Cue.ALL_DONE): Stage.DONE,
    (Stage.BACK, Cue.COUNTED): Stage.OUT,
    (Stage.BACK, Cue.REMINDER): Stage.BACK,
    (Stage.BACK, Cue.SET_DONE): Stage.PAUSE,
    (Stage.BACK, Cue.ALL_DONE): Stage.DONE,
    (Stage.WORK, Cue.COUNTED): Stage.PAUSE,
    (Stage.WORK, Cue.SET_DONE): Stage.PAUSE,
    (Stage.WORK, Cue.ALL_DONE): Stage.DONE,
    (Stage.PAUSE, Cue.TIME_UP): Stage.PREPARE,
}


@dataclass(frozen=True, slots=True)
class CoachSettings:
    """The dose; None takes the exercise's own.

    Parameters
    ----------
    reps
        In a set, on each side if there are sides.
    sets, hold_s, work_s, pause_s
        As in Dose.
    breath_s
        The wearer's pace.
    range_deg
        The person's own range for this movement, if measured.
    """

    reps: int | None = None
    sets: int | None = None
    hold_s: float | None = None
    work_s: float | None = None
    pause_s: float | None = None
    breath_s: float = BREATH_S
    range_deg: float | None = None


class Coach:
    """Guides one exercise, from blocks cut anywhere.

    Parameters
    ----------
    exercise
        A row of the catalogue.
    mount
        Where the sensor is worn; it decides between counting and the clock.
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
        self.exercise, self.stage = exercise, Stage.PREPARE
        self.is_counting = exercise.is_counted(mount)
        self._is_still = exercise.signal is None and any(p.do is Do.PRESS for p in exercise.phases)
        self.reps, self.sets = s.reps or exercise.reps, s.sets or exercise.sets
        self.hold_s = exercise.hold_s(s.breath_s) if s.hold_s is None else s.hold_s
        self.work_s = s.work_s or sum(
            p.lasts_s(s.breath_s) for p in exercise.all_phases if p.do is not Do.REST
        )
        rests_s = sum(p.lasts_s(s.breath_s) for p in exercise.all_phases if p.do is Do.REST)
        self.pause_s = (rests_s or exercise.pause_s) if s.pause_s is None else s.pause_s
        if not (0 < self.reps <= 100 and 0 < self.sets <= 20 and 0 <= self.hold_s <= 50):
            raise ValueError(
                f"{self.reps} repetitions, {self.sets} sets, {self.hold_s:g} s hold: expected 1-100, 1-20, 0-50 s"
            )
        self.sides = (Side.NONE,) if exercise.sides is Sides.NONE else (Side.RIGHT, Side.LEFT)
        self.counts = dict.fromkeys(self.sides, 0)
        self.completed: list[RepCompleted] = []
        self.moved_reps = 0  # repetitions by the clock in which the head moved though it should not
        self._words = Words(exercise, self.hold_s, self.work_s, self.pause_s)
        self._counter: RepCounter | None = None
        if self.is_counting and exercise.signal is not None:
            self._counter = RepCounter(exercise.id, exercise.signal, RepSettings(range_deg=s.range_deg))
        self._grid = Grid(GRID_HZ)
        self._since_s: float | None = None
        self._set = 1
        self._pose_deg: tuple[float, ...] | None = None
        self._has_moved = False

    @property
    def is_done(self) -> bool:
        """Whether the session is over."""
        return self.stage is Stage.DONE

    @property
    def asked_side(self) -> Side:
        """The side that is next: the one with fewer repetitions, the right one first."""
        return min(self.sides, key=lambda side: self.counts[side])

    def summary(self) -> SessionSummary:
        """Return how it went so far."""
        return summarise_session(self.exercise, self.completed, self.counts, self.moved_reps)

    def process(self, block: AngleBlock) -> list[CoachEvent]:
        """Return the prompts and repetitions of this block; nothing once the session is over."""
        events: list[CoachEvent] = []
        for k in self._grid.pick(block.t_s).tolist():
            if self.is_done:
                break
            moment = {name: getattr(block, name)[k : k + 1] for name in _COLUMNS}
            events += self._step(replace(block, **moment))
        return events

    def _step(self, moment: AngleBlock) -> list[CoachEvent]:
        """One sample."""
        t_s = float(moment.t_s[0])
        events: list[CoachEvent] = []
        if self._since_s is None:
            self._since_s = t_s
            events.append(self._prompt(t_s))
        reps = self._counter.process(moment) if self._counter is not None else []
        is_moving_on = self.stage in (Stage.OUT, Stage.HOLD, Stage.BACK)
        for rep in reps if is_moving_on else []:
            events += self._take(rep)
        events += self._watch_stillness(moment)
        cue = self._cue(t_s, is_counted=is_moving_on and any(not rep.is_partial for rep in reps))
        following = TRANSITIONS.get((self.stage, cue))
        if following is not None:
            self._enter(following, cue, t_s)
            events.append(self._prompt(t_s, is_reminder=cue is Cue.REMINDER))
        return events

    def _cue(self, t_s: float, *, is_counted: bool) -> Cue:
        """Name the moment in the words of the table."""
        assert self._since_s is not None
        lasted_s = t_s - self._since_s
        if is_counted:
            return self._progress()
        if self.stage is Stage.WORK:
            return self._clocked() if lasted_s >= self.work_s else Cue.NOTHING
        if self.stage is Stage.PAUSE:
            return Cue.TIME_UP if lasted_s >= self.pause_s else Cue.NOTHING
        if self._counter is None:
            return Cue.CLOCK_READY if lasted_s >= 2 * REST_S else Cue.NOTHING
        return self._counting_cue(self._counter, lasted_s)

    def _counting_cue(self, counter: RepCounter, lasted_s: float) -> Cue:
        if self.stage is Stage.PREPARE:
            is_ready = counter.rested_s >= REST_S and lasted_s >= REST_S
            return Cue.READY if is_ready or lasted_s >= READY_AFTER_S else Cue.NOTHING
        if self.stage is Stage.OUT and self.hold_s > 0 and counter.phase is Phase.HOLD:
            return Cue.REACHED
        if self.stage is Stage.HOLD and counter.held_s >= self.hold_s:
            return Cue.HELD
        return Cue.REMINDER if lasted_s >= REMIND_AFTER_S else Cue.NOTHING

    def _take(self, rep: RepCompleted) -> list[CoachEvent]:
        """Count a repetition and comment on it."""
        text = self._words.comment(rep, self.asked_side)
        self.completed.append(rep)
        if not rep.is_partial:
            self.counts[rep.side] += 1
        return [rep, StepPrompt(rep.t_s, self.exercise.id, "comment", text)] if text else [rep]

    def _clocked(self) -> Cue:
        """A repetition by the clock is over."""
        self.counts[self.asked_side] += 1
        self.moved_reps += self._has_moved
        return self._progress()

    def _progress(self) -> Cue:
        if min(self.counts.values()) < self._set * self.reps:
            return Cue.COUNTED
        return Cue.SET_DONE if self._set < self.sets else Cue.ALL_DONE

    def _enter(self, stage: Stage, cue: Cue, t_s: float) -> None:
        self.stage, self._since_s = stage, t_s
        self._set += cue is Cue.SET_DONE
        if stage is Stage.WORK:
            self._pose_deg, self._has_moved = None, False

    def _watch_stillness(self, moment: AngleBlock) -> list[CoachEvent]:
        """Say once in each repetition when the head moves though it should not."""
        t_s = float(moment.t_s[0])
        is_watching = self._is_still and self.stage is Stage.WORK and not self._has_moved
        if not is_watching or self._since_s is None or t_s - self._since_s < SETTLE_S:
            return []
        # Not the rotation: its zero may be set again while the head rests.
        angles = (moment.inclination_deg, moment.flexion_deg, moment.lateral_deg)
        pose = tuple(float(angle[0]) for angle in angles)
        self._pose_deg = self._pose_deg or pose
        moved = np.abs(np.subtract(pose, self._pose_deg)) > STILL_DEG
        if not moved.any():
            return []
        self._has_moved = True
        return [StepPrompt(t_s, self.exercise.id, "comment", self._words.stay_still())]

    def _prompt(self, t_s: float, *, is_reminder: bool = False) -> StepPrompt:
        text = self._words.prompt(self.stage.name, self.asked_side, is_reminder=is_reminder)
        return StepPrompt(t_s, self.exercise.id, self.stage.name.lower(), text)
