"""What the stages hand to each other: blocks of samples, angles, events. Frozen, and without behaviour but for
ways to make them.

Samples lie along axis 0. Times `t_s` are device time (s, monotonic), never wall time. Units are in the names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LEAST_RATE_HZ = (
    12.0  # nods reach 2 Hz and their third harmonic matters to the angle: slower nothing can follow them
)


class Mount(StrEnum):
    """Where the sensor is worn; docs/sensing.md says what each place can see."""

    COLLAR = "collar"  # clip at C7
    NECK = "neck"  # band or patch at C2-C5
    HEAD = "head"  # band, cap or glasses, at the occiput


class Activity(StrEnum):
    """What the wearer is doing, as far as one sensor can tell."""

    STILL = "still"
    MOVING = "moving"
    WALKING = "walking"
    LYING = "lying"
    NOT_WORN = "not_worn"


class PostureKind(StrEnum):
    """Which sustained posture an episode is about."""

    FORWARD_FLEXION = "forward_flexion"  # head and neck mounts
    UPPER_BACK_FORWARD_TILT = "upper_back_forward_tilt"  # collar mount
    TELEPHONE_TILT = "telephone_tilt"
    HEAD_THROWN_BACK = "head_thrown_back"
    HEAD_PROPPED = "head_propped"  # while lying
    SHOULDERS_RAISED = "shoulders_raised"  # collar mount: an event and no episode


class Side(StrEnum):
    """Side or direction of a repetition."""

    LEFT = "left"
    RIGHT = "right"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ImuBlock:
    """Samples of one IMU in sensor axes: t_s (n,), gyr_rad_s (n, 3), acc_m_s2 (n, 3, specific force)."""

    t_s: FloatArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    sensor: int = 0


@dataclass(frozen=True, slots=True)
class OrientationBlock:
    """Orientation at each sample: t_s (n,), q_earth_from_sensor (n, 4) w-x-y-z with earth z up, acc_m_s2 (n, 3).

    gyr_rad_s (n, 3) is there for RAW streams; ORIENT streams carry none and the rate comes from the quaternions.
    acc_m_s2 is NaN where the board's own motor shook the sensor: such samples tell orientation, not movement.
    """

    t_s: FloatArray
    q_earth_from_sensor: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray | None = None
    sensor: int = 0

    def part(self, of: slice) -> OrientationBlock:
        """Return some of the samples."""
        gyr = None if self.gyr_rad_s is None else self.gyr_rad_s[of]
        return OrientationBlock(
            self.t_s[of], self.q_earth_from_sensor[of], self.acc_m_s2[of], gyr, self.sensor
        )


@dataclass(frozen=True, slots=True)
class AngleBlock:
    """Neck angles as a person reads them, each (n,): flexion +, right tilt +, right rotation +.

    inclination_deg is the unsigned angle between the current and the neutral up. rate_deg_s is the angular speed
    (magnitude). up_acc_m_s2 is the vertical acceleration without gravity, acc_norm_m_s2 the length of the specific
    force; both are NaN while the board's own motor shakes the sensor, and the rate then is no movement. rotation_deg
    is relative (six axes have no heading): measure it per movement.
    """

    t_s: FloatArray
    inclination_deg: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rotation_deg: FloatArray
    rate_deg_s: FloatArray
    up_acc_m_s2: FloatArray
    acc_norm_m_s2: FloatArray
    sensor: int = 0

    @classmethod
    def from_columns(cls, columns: Iterable[FloatArray], sensor: int = 0) -> Self:
        """Return a block of arrays (n,), or of the rows of (8, n), in the order and units of ANGLE_COLUMNS."""
        named: dict[str, Any] = dict(zip(ANGLE_COLUMNS, columns, strict=True))
        return cls(**named, sensor=sensor)

    @classmethod
    def empty(cls) -> Self:
        """Return a block without samples."""
        return cls.from_columns(np.empty((len(ANGLE_COLUMNS), 0)))


ANGLE_COLUMNS: tuple[str, ...] = tuple(f.name for f in fields(AngleBlock) if f.name != "sensor")


@dataclass(frozen=True, slots=True)
class EpisodeStarted:
    """A posture beyond the limit began at start_s (and may turn out too short to matter)."""

    t_s: float
    kind: PostureKind
    start_s: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class EpisodeAlert:
    """The posture has lasted too long. loaded_s: for how long in all, with earlier episodes not recovered from."""

    t_s: float
    kind: PostureKind
    start_s: float
    angle_deg: float
    loaded_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """The posture was left (is_corrected), or the data ended or had a gap. alert_s is None if it never alerted."""

    t_s: float
    kind: PostureKind
    start_s: float
    end_s: float
    peak_deg: float
    alert_s: float | None
    is_corrected: bool = True


@dataclass(frozen=True, slots=True)
class ActivityChanged:
    """From t_s on it is known that the wearer is doing this; walking, lying and not worn began at since_s."""

    t_s: float
    activity: Activity
    since_s: float | None = None


@dataclass(frozen=True, slots=True)
class RepCompleted:
    """One repetition of an exercise; is_partial when it did not reach its target."""

    t_s: float
    exercise: str
    side: Side
    start_s: float
    peak_s: float
    end_s: float
    peak_deg: float
    hold_s: float
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class StepPrompt:
    """The coach asks for something now."""

    t_s: float
    exercise: str
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class SignalGap:
    """No samples in [start_s, end_s); shown as a gap, never as good posture."""

    t_s: float
    start_s: float
    end_s: float
    reason: str
    sensor: int = 0


@dataclass(frozen=True, slots=True)
class AlertHeldBack:
    """An EpisodeAlert at t_s of which the wearer was not told, and why; "" where an earlier version stored it."""

    t_s: float
    start_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoticeGiven:
    """The wearer was told something at t_s: the level of the notice, and what it said."""

    t_s: float
    level: str
    text: str


class MovementKind(StrEnum):
    """What sitting still asks for."""

    SHIFT = "shift"  # another posture
    BREAK = "break"  # some steps


@dataclass(frozen=True, slots=True)
class MovementDue:
    """At t_s it is time for a movement: since since_s there has been none. Comes again while nothing happens."""

    t_s: float
    kind: MovementKind
    since_s: float


@dataclass(frozen=True, slots=True)
class MovementDone:
    """The sensor saw the movement that had been due since due_s."""

    t_s: float
    kind: MovementKind
    due_s: float


@dataclass(frozen=True, slots=True)
class ShouldersRaised:
    """An estimate: a stroke that began at start_s raised the shoulders by rise_m, and they had not dropped by t_s."""

    t_s: float
    start_s: float
    rise_m: float


@dataclass(frozen=True, slots=True)
class AlertsAlone:
    """The sensor alone gave `count` alerts in the minute from t_s; what its one-minute summary says."""

    t_s: float
    count: int


Event = (
    EpisodeStarted
    | EpisodeAlert
    | EpisodeEnded
    | ActivityChanged
    | RepCompleted
    | StepPrompt
    | SignalGap
    | MovementDue
    | MovementDone
    | ShouldersRaised
)


ACTIVITIES: tuple[Activity, ...] = tuple(Activity)  # an activity code is an index into this


@dataclass(frozen=True, slots=True)
class Update:
    """What the tracker says about one block: angles, activity code of each sample (n,) int8, events in order."""

    angles: AngleBlock
    activity: NDArray[np.int8]
    events: tuple[Event, ...] = ()

    @classmethod
    def without_samples(cls, events: Iterable[Event] = ()) -> Self:
        """Return an update that brings events only."""
        return cls(AngleBlock.empty(), np.empty(0, np.int8), tuple(events))
