"""What is watched in a day, as one table: which angle, how long, where a sensor can see it, and whose limit it is.

Rows of the first kind are the main posture of a mount and go by the wearer's rule (dose or simple); the others are
habits with a rule of their own. A row with a detector is an event that is shown and counted, and that nobody is
alerted of. The board knows rows of the first kind only. docs/sensing.md says the same in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import CODE, HAS_LEFT, ActivitySettings
from tiltwise.detect.posture import PostureRule, RuleSettings, Signal
from tiltwise.detect.shoulder_raise import ShoulderRaise
from tiltwise.detect.tilt_creep import TiltCreep
from tiltwise.types import Activity, AngleBlock, FloatArray, Mount, PostureKind

_NOTHING_DEG = -90.0  # a signal's value where its habit cannot be


class Seen(StrEnum):
    """How far a sensor in a place sees a habit."""

    MEASURED = "measured"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Habit:
    """A row. signal is the angle (n,) that the rule goes by; at says where it is seen, and how far."""

    kind: PostureKind
    words: str  # of what lasts too long, to go before "for 20 s"
    advice: str
    source: str
    at: dict[Mount, Seen]
    rule: PostureRule | None = None  # None: the wearer's rule for the main posture
    signal: Signal | None = None  # None: the forward bend, or any inclination while forward is not known
    detector: Callable[[], ShoulderRaise | TiltCreep] | None = None  # in the place of rule and signal


def _telephone(angles: AngleBlock, activity: NDArray[np.int8]) -> FloatArray:
    return _upright(np.abs(angles.lateral_deg), _LIES.lie_side_deg, activity)


def _thrown_back(angles: AngleBlock, activity: NDArray[np.int8]) -> FloatArray:
    return _upright(-angles.flexion_deg, _LIES.lie_back_deg, activity)


def _upright(angle_deg: FloatArray, lies_deg: float, activity: NDArray[np.int8]) -> FloatArray:
    """Return the angle of who has not left the posture; not known beyond the one from which on somebody may be lying.

    That a wearer lies is known ten seconds late (activity.py), and until then it is no habit.
    """
    return _where(~HAS_LEFT[activity], np.where(angle_deg > lies_deg, np.nan, angle_deg), activity)


def _propped(angles: AngleBlock, activity: NDArray[np.int8]) -> FloatArray:
    """How far the head is up from flat, of who lies on the back."""
    on_back = (
        (activity == CODE[Activity.LYING]) & (np.abs(angles.lateral_deg) < 45) & (angles.flexion_deg < 0)
    )
    return _where(on_back, 90.0 + angles.flexion_deg, activity)


def _where(mask: NDArray[np.bool_], angle_deg: FloatArray, activity: NDArray[np.int8]) -> FloatArray:
    """Return the angle where the mask holds; NaN, which is not known, where the sensor is off."""
    angle_deg = np.where(mask, angle_deg, _NOTHING_DEG)
    return np.where(activity == CODE[Activity.NOT_WORN], np.nan, angle_deg)


_LIES = ActivitySettings()
_OUR_CHOICE = "our choice"
HABITS: tuple[Habit, ...] = (
    Habit(
        PostureKind.FORWARD_FLEXION,
        "looking down",
        "Sit tall, or change position.",
        "ISO 11226:2000, head inclination; simple: 20 deg of RULA and Ariens 2001",
        {Mount.HEAD: Seen.MEASURED, Mount.NECK: Seen.MEASURED},
    ),
    Habit(
        PostureKind.UPPER_BACK_FORWARD_TILT,
        "upper back tilted forward",
        "Lean back, or change position.",
        "ISO 11226:2000, trunk inclination; simple: as for the head",
        {Mount.COLLAR: Seen.MEASURED},
    ),
    Habit(
        PostureKind.TELEPHONE_TILT,
        "head tilted to the side, as for a telephone",
        "Take the telephone in your hand, or use a headset.",
        f"20 deg for 30 s, by when a sensor laid down is known: {_OUR_CHOICE}",
        {Mount.HEAD: Seen.MEASURED, Mount.NECK: Seen.ESTIMATED},
        RuleSettings(20.0, seconds=30.0),
        _telephone,
    ),
    Habit(
        PostureKind.HEAD_THROWN_BACK,
        "head thrown back",
        "Bring what you look at down to your eyes.",
        f"ISO 11226 accepts none without support; 20 deg for 30 s, by when lying is known: {_OUR_CHOICE}",
        {Mount.HEAD: Seen.ESTIMATED, Mount.NECK: Seen.ESTIMATED},  # a chair that leans back looks the same
        RuleSettings(20.0, seconds=30.0),
        _thrown_back,
    ),
    Habit(
        PostureKind.HEAD_PROPPED,
        "lying with the head propped up",
        "Lie flat for a while, or sit up.",
        f"30 deg above flat for 5 min: {_OUR_CHOICE}; assumes that the back lies flat",
        {Mount.HEAD: Seen.ESTIMATED, Mount.NECK: Seen.ESTIMATED},
        RuleSettings(30.0, seconds=300.0),
        _propped,
    ),
    Habit(
        PostureKind.SHOULDERS_RAISED,
        "shoulders raised and not dropped",
        "Raise them once more, and let them drop.",
        f"a brisk rise of 1.5 to 6 cm without a matching drop for 30 s: {_OUR_CHOICE}",
        {Mount.COLLAR: Seen.ESTIMATED},
        detector=ShoulderRaise,
    ),
    Habit(
        PostureKind.BASE_TILT_CREPT,
        "upper back crept forward",
        "Sit or stand tall once, and begin anew from there.",
        f"8 deg between lower quartiles of ten minutes since the wearer last got up: {_OUR_CHOICE}",
        {Mount.COLLAR: Seen.ESTIMATED},
        detector=TiltCreep,
    ),
)
BY_KIND = {habit.kind: habit for habit in HABITS}


def main_posture(mount: Mount) -> PostureKind:
    """Return the sustained posture that goes by the wearer's rule at this place."""
    return next(habit.kind for habit in HABITS if _is_main(habit) and mount in habit.at)


def habits_at(mount: Mount) -> tuple[Habit, ...]:
    """Return the habits with a rule of their own that a sensor in this place sees."""
    return tuple(habit for habit in HABITS if not _is_main(habit) and mount in habit.at)


def _is_main(habit: Habit) -> bool:
    return habit.signal is None and habit.detector is None
