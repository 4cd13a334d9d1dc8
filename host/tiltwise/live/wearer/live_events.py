"""What one chunk from the board meant: a tuple of events, returned upward to whoever shows, stores and sends.

The family is closed. What detection found (`Event`) comes as it is; `Update` is the tracker's block behind it, for
the store and the display. Times are device s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tiltwise.decode.messages import BoardEvent, Status
from tiltwise.live.wearer.alerts import Notice
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import AlertHeldBack, Event, Update


@dataclass(frozen=True, slots=True)
class PostureMeasured:
    """The newest angle that the rule goes by; with two sensors the neck's own. filled: of the rule, 1 is an alert."""

    t_s: float
    angle_deg: float
    filled: float = math.nan


@dataclass(frozen=True, slots=True)
class UpperBackMeasured:
    """The newest forward tilt of the upper back, with a second sensor on the collar."""

    t_s: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The guided calibration is done; `collar` is the second sensor's. is_put_on: it is from an earlier day."""

    mounting: Mounting
    collar: Mounting | None = None
    is_put_on: bool = False


@dataclass(frozen=True, slots=True)
class LiveNote:
    """Something worth knowing, in a line; nothing is wrong."""

    text: str


@dataclass(frozen=True, slots=True)
class LiveWarning:
    """Something is wrong with board, disk or sensors: one line, what and what to do."""

    text: str


@dataclass(frozen=True, slots=True)
class SensorBuzzed:
    """The sensor's motor ran for the alert of t_s: the frames that it shook say so."""

    t_s: float


@dataclass(frozen=True, slots=True)
class DesktopMessage:
    """A notice that goes to the desktop."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A packed command to send to the board."""

    data: bytes


LiveEvent = (
    Event
    | Update
    | PostureMeasured
    | UpperBackMeasured
    | Notice
    | AlertHeldBack
    | SensorBuzzed
    | DesktopMessage
    | PlacementChange
    | CalibrationProgress
    | Calibrated
    | Status
    | BoardEvent
    | LiveNote
    | LiveWarning
    | Command
)
LiveEvents = tuple[LiveEvent, ...]
