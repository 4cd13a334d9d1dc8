"""A simulated wearer through the whole system: sensor registers -> firmware -> frames -> decoder -> tracker.

The steps are those of a live session: the guided calibration from the stream, then angles, activities and events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tiltwise.decode.decoder import Decoder
from tiltwise.detect.posture import PostureRule, RuleSettings
from tiltwise.motion.calibration.guided_calibration import GuidedCalibration
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.wearer import Wearer, WearerMotion
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import AngleBlock, Event, FloatArray, ImuBlock, Mount, OrientationBlock, Update

RULE = RuleSettings()
ANGLE_COLUMNS = tuple(f.name for f in fields(AngleBlock) if f.name != "sensor")
_CHUNK = 4096  # samples of truth at a time: what fits into the processor's cache
_FRAME = 10  # samples given to the calibration at a time, as live

AnyBlock = TypeVar("AnyBlock", bound=ImuBlock | OrientationBlock)


@dataclass(frozen=True, slots=True)
class SimRun:
    """One simulated wearer and the host's results; `oriented` begins with the stream, `angles` after calibration."""

    wearer: Wearer
    mounting: Mounting
    refusals: int
    oriented: OrientationBlock
    angles: AngleBlock
    activity: NDArray[np.int8]
    events: tuple[Event, ...]


class NotCalibratedError(RuntimeError):
    """No calibration of the scenario was accepted."""


def run_simulation(simulation: Simulation, rule: PostureRule = RULE) -> SimRun:
    """Let a simulation run to its end and process its frames as a live session does, with a posture rule.

    Raises
    ------
    NotCalibratedError
        When no calibration of the scenario was accepted.
    """
    mount = simulation.mounts[0]
    decoder = Decoder()
    items = decoder.feed_many([frame for _, frame in simulation]) + decoder.flush()
    blocks = [i for i in items if isinstance(i, (ImuBlock, OrientationBlock)) and not i.sensor]
    stage = OrientationStage()
    oriented = [stage.process(b) if isinstance(b, ImuBlock) else b for b in blocks]
    mounting, ready_s, refusals = _calibrate(oriented, mount)
    tracker = Tracker(TrackerSettings(mounting, rule=rule))
    updates = [tracker.process(_part_from(block, ready_s)) for block in blocks]
    events = [event for update in updates for event in update.events] + tracker.finish()
    return SimRun(
        simulation.wearer,
        mounting,
        refusals,
        _joined_orientation(oriented),
        _joined_angles(updates),
        np.concatenate([update.activity for update in updates]),
        tuple(events),
    )


def true_mounting(wearer: Wearer, t_s: float) -> Mounting:
    """Return how the part really sits at a time."""
    w, x, y, z = wearer.q_sensor_from_body(t_s).tolist()
    return Mounting(wearer.mount, (w, x, y, z), "nod", 1.0)


def motion_at(wearer: Wearer, t_s: FloatArray) -> WearerMotion:
    """Return the truth at many times, chunk by chunk."""
    parts = [wearer.motion(part) for part in np.array_split(t_s, len(t_s) // _CHUNK + 1)]
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(WearerMotion)}
    return WearerMotion(**columns)


def within(block: OrientationBlock, start_s: float, end_s: float) -> OrientationBlock:
    """Return the samples of a block in [start_s, end_s)."""
    return _cut(block, slice(*np.searchsorted(block.t_s, (start_s, end_s)).tolist()))


def _calibrate(blocks: Sequence[OrientationBlock], mount: Mount) -> tuple[Mounting, float, int]:
    """Return the mounting of the first accepted calibration, its time in s, and the refusals before it."""
    calibration, refusals = GuidedCalibration(mount), 0
    for block in blocks:
        for start in range(0, len(block.t_s), _FRAME):
            piece = _cut(block, slice(start, start + _FRAME))
            progress = calibration.process(piece)
            if progress.mounting is not None:
                return progress.mounting, float(piece.t_s[-1]), refusals
            if progress.is_over:
                refusals += 1
                calibration.reset()
    raise NotCalibratedError(f"{refusals} calibrations refused, none accepted")


def _part_from(block: AnyBlock, t_s: float) -> AnyBlock:
    """Return the samples of a block after a time."""
    return _cut(block, slice(int(np.searchsorted(block.t_s, t_s, side="right")), None))


def _cut(block: AnyBlock, part: slice) -> AnyBlock:
    present = (f.name for f in fields(block) if f.name != "sensor" and getattr(block, f.name) is not None)
    columns: Any = {name: getattr(block, name)[part] for name in present}
    return replace(block, **columns)


def _joined_orientation(blocks: Sequence[OrientationBlock]) -> OrientationBlock:
    return OrientationBlock(
        np.concatenate([b.t_s for b in blocks]),
        np.concatenate([b.q_earth_from_sensor for b in blocks]),
        np.concatenate([b.acc_m_s2 for b in blocks]),
    )


def _joined_angles(updates: Sequence[Update]) -> AngleBlock:
    columns: Any = (np.concatenate([getattr(u.angles, name) for u in updates]) for name in ANGLE_COLUMNS)
    return AngleBlock(*columns)
