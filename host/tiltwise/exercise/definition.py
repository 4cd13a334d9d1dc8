"""What an exercise is, as data: dose, course in words, how it looks to a sensor in each place, what to beware of.

catalogue.py fills it in, coach.py guides by it, rep_counter.py counts by its signal, docs/exercises.md is written
from it. Seconds and degrees; a breath is a full breathing cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tiltwise.exercise.signals import Signal
from tiltwise.types import Mount

BREATH_S = 5.0  # default; the wearer sets their own pace

SAFETY_TEXT = (
    "Move slowly, only as far as it is comfortable, and never force the end of a movement. Stop if it hurts or "
    "if you feel dizzy or numb. With severe or lasting pain, numbness, dizziness or a recent injury, ask a doctor "
    "before you exercise. tiltwise is a movement coach, not a medical device."
)


class Plane(StrEnum):
    """The plane that the movement lies in."""

    SIDEWAYS = "sideways"
    FORWARD = "forward and back"
    TURNING = "turning"
    SHOULDERS = "shoulders"
    MIXED = "mixed"
    NONE = "no movement"


class Sides(StrEnum):
    """How the sides are dealt with."""

    NONE = "no sides"
    ALTERNATE = "right and left in turn"


class Visibility(StrEnum):
    """What a sensor in some place does for an exercise."""

    MEASURED = "measured"  # repetitions are counted
    APPROXIMATE = "approximate"  # counted, and one in ten may be missed
    TIMED = "timed"  # guided by the clock; repetitions are not counted
    NOT_OBSERVABLE = "not observable"  # guided by the clock, and the sensor sees nothing of it


@dataclass(frozen=True, slots=True)
class Dose:
    """How much by default; all of it can be set.

    Parameters
    ----------
    reps
        Repetitions in a set; on each side, if the exercise has sides.
    hold_s, hold_breaths
        How long to hold at the end; breaths are turned into seconds at the wearer's pace.
    sets, pause_s
        Sets, and the rest between them.
    work_s
        Length of a repetition that is guided by the clock.
    """

    reps: int
    hold_s: float = 0.0
    hold_breaths: float = 0.0
    sets: int = 1
    pause_s: float = 12.0
    work_s: float = 10.0

    def hold_for_s(self, breath_s: float = BREATH_S) -> float:
        """Return how long to hold, in s."""
        return max(self.hold_s, self.hold_breaths * breath_s)


@dataclass(frozen=True, slots=True)
class Exercise:
    """One row of the catalogue.

    Parameters
    ----------
    id, name
        For the command line and for people.
    plane, sides, dose
        See their classes.
    target_deg
        A usual range at the head, for orientation: what counts as a repetition follows the person's own peaks.
    signal
        How a repetition looks; None: not counted.
    seen
        What a sensor in each place does.
    steps
        The course, one sentence each, spoken by the coach.
    sensor_note
        What the sensor does and cannot see.
    caution
        Beyond SAFETY_TEXT.
    asks_first
        Questions; with a yes to any the exercise is left out.
    is_still
        It is done without moving; the coach checks that.
    """

    id: str
    name: str
    plane: Plane
    dose: Dose
    seen: dict[Mount, Visibility]
    steps: tuple[str, ...]
    sensor_note: str
    sides: Sides = Sides.NONE
    target_deg: tuple[float, float] | None = None
    signal: Signal | None = None
    caution: str = ""
    asks_first: tuple[str, ...] = ()
    is_still: bool = False

    def is_counted(self, mount: Mount) -> bool:
        """Whether a sensor in this place can count the repetitions."""
        return self.signal is not None and self.seen[mount] in (Visibility.MEASURED, Visibility.APPROXIMATE)
