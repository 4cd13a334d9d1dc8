"""tiltwise: an open neck-posture wearable. The public names; each is loaded when it is first asked for.

Example
-------
>>> import tiltwise as tw                                                           # doctest: +SKIP
>>> blocks = list(tw.read_recording("day.tw"))                                      # doctest: +SKIP
>>> tracker = tw.Tracker(tw.Profile(tw.calibrate(blocks[0], blocks[1], mount=tw.Mount.NECK)))  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiltwise.app.follow import follow, open_source
    from tiltwise.detect.coach import Coach
    from tiltwise.detect.exercises import EXERCISES
    from tiltwise.detect.reps import RepCounter
    from tiltwise.link.decoder import Decoder
    from tiltwise.link.imufile import load_imu
    from tiltwise.link.recording import RecordingWriter, read_recording
    from tiltwise.motion.calibration import calibrate
    from tiltwise.motion.mounting import Mounting
    from tiltwise.motion.orientation import estimate_orientation
    from tiltwise.report import plots
    from tiltwise.report.day import summarise_day
    from tiltwise.tracker import Profile, Tracker, track
    from tiltwise.types import AngleBlock, ImuBlock, Mount, OrientationBlock, Update

__version__ = "0.1.0"

_HOMES = {
    "EXERCISES": "detect.exercises", "AngleBlock": "types", "Coach": "detect.coach", "Decoder": "link.decoder",
    "ImuBlock": "types", "Mount": "types", "Mounting": "motion.mounting", "OrientationBlock": "types",
    "Profile": "tracker", "RecordingWriter": "link.recording", "RepCounter": "detect.reps", "Tracker": "tracker",
    "Update": "types", "calibrate": "motion.calibration", "estimate_orientation": "motion.orientation",
    "follow": "app.follow", "load_imu": "link.imufile", "open_source": "app.follow",
    "read_recording": "link.recording", "summarise_day": "report.day", "track": "tracker",
}  # fmt: skip

__all__ = [
    "EXERCISES",
    "AngleBlock",
    "Coach",
    "Decoder",
    "ImuBlock",
    "Mount",
    "Mounting",
    "OrientationBlock",
    "Profile",
    "RecordingWriter",
    "RepCounter",
    "Tracker",
    "Update",
    "calibrate",
    "estimate_orientation",
    "follow",
    "load_imu",
    "open_source",
    "plots",
    "read_recording",
    "summarise_day",
    "track",
]


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("tiltwise.report.plots")
    if name not in _HOMES:
        raise AttributeError(f"module 'tiltwise' has no attribute {name!r}")
    return getattr(import_module(f"tiltwise.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
