"""What one chunk from the board meant for the wearer."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiltwise.decode.messages import BoardEvent, Status
from tiltwise.live.wearer.alerts import Notice
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import (
    Activity,
    AngleBlock,
    Event,
)


@dataclass(slots=True)
class LiveUpdate:
    """What one chunk brought. Times are device s; `commands` go back to the board."""

    t_s: float = 0.0
    angles: AngleBlock | None = None
    posture_deg: float | None = None  # the newest angle that the rule goes by
    upper_back_deg: float | None = None  # with a second sensor on the collar: its newest forward tilt
    activity: Activity | None = None
    events: list[Event] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    ritual: CalibrationProgress | None = None
    mounting: Mounting | None = None  # the one just calibrated
    status: Status | None = None
    board_events: list[BoardEvent] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
