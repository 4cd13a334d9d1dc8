"""tiltwise: an open neck-posture wearable. The public names; each is loaded when it is first asked for.

Example
-------
>>> import tiltwise as tw                                                           # doctest: +SKIP
>>> blocks = list(tw.read_recording("day.tw"))                                      # doctest: +SKIP
>>> mounting = tw.calibrate(blocks[0], blocks[1], mount=tw.Mount.NECK)                # doctest: +SKIP
>>> tracker = tw.Tracker(tw.TrackerSettings(mounting))                               # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tiltwise.version import __version__ as __version__

if TYPE_CHECKING:
    from tiltwise.decode.decoder import Decoder
    from tiltwise.exercise.catalogue import EXERCISES
    from tiltwise.exercise.guided.coach import Coach
    from tiltwise.exercise.rep_counter import RepCounter
    from tiltwise.live.follow import follow, open_source
    from tiltwise.motion.calibration.alignment import calibrate
    from tiltwise.motion.calibration.mounting import Mounting
    from tiltwise.motion.orientation.estimator import estimate_orientation
    from tiltwise.recording.imu_file import load_imu
    from tiltwise.recording.tw_file import RecordingWriter, read_recording
    from tiltwise.report import plots
    from tiltwise.report.day_summary import summarise_day
    from tiltwise.tracker import Tracker, TrackerSettings, track
    from tiltwise.types import AngleBlock, ImuBlock, Mount, OrientationBlock, Update

_HOMES = {
    "AngleBlock": "types",
    "Coach": "exercise.guided.coach",
    "Decoder": "decode.decoder",
    "EXERCISES": "exercise.catalogue",
    "ImuBlock": "types",
    "Mount": "types",
    "Mounting": "motion.calibration.mounting",
    "OrientationBlock": "types",
    "RecordingWriter": "recording.tw_file",
    "RepCounter": "exercise.rep_counter",
    "Tracker": "tracker",
    "TrackerSettings": "tracker",
    "Update": "types",
    "calibrate": "motion.calibration.alignment",
    "estimate_orientation": "motion.orientation.estimator",
    "follow": "live.follow",
    "load_imu": "recording.imu_file",
    "open_source": "live.follow",
    "read_recording": "recording.tw_file",
    "summarise_day": "report.day_summary",
    "track": "tracker",
}

__all__ = [
    "EXERCISES",
    "AngleBlock",
    "Coach",
    "Decoder",
    "ImuBlock",
    "Mount",
    "Mounting",
    "OrientationBlock",
    "RecordingWriter",
    "RepCounter",
    "Tracker",
    "TrackerSettings",
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
