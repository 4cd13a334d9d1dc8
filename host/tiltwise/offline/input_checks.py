"""Is a file's data what it is said to be? Refuses axes that disagree where movement shows it; flags dead channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tiltwise.errors import AppError
from tiltwise.motion.orientation.imu_checks import OrientationError, check_recording
from tiltwise.motion.orientation.saturation import LEAST_RATE, SaturationDetector
from tiltwise.text import counted
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock

LEAST_S = 10.0  # shorter files say nothing about dead channels
STUCK_S = 1.0  # real noise repeats a triple of counts a few times in a row, not for so long
MOST_SAMPLES = 180_000  # an hour at 50 Hz shows whether the axes agree


def check_samples(path: Path, blocks: Sequence[ImuBlock | OrientationBlock]) -> tuple[str, ...]:
    """Return notes about the raw samples of a file.

    Raises
    ------
    AppError
        When gyroscope and accelerometer do not describe one motion, or a unit or rate cannot be meant.
    """
    raw = [block for block in blocks if isinstance(block, ImuBlock)]
    if not raw:
        return ()  # the board has fused them; it reports its own faults
    columns = (np.concatenate([getattr(b, name) for b in raw]) for name in ("t_s", "gyr_rad_s", "acc_m_s2"))
    t_s, gyr, acc = columns
    try:
        check_recording(t_s[:MOST_SAMPLES], gyr[:MOST_SAMPLES], acc[:MOST_SAMPLES])
    except OrientationError as error:
        raise AppError(f"{path}: {error}") from error
    return (*_dead(t_s, gyr, acc), *_stuck(t_s, gyr, acc), *_clipped(gyr))


def _dead(t_s: FloatArray, gyr: FloatArray, acc: FloatArray) -> list[str]:
    """A channel that never changes while its neighbours do is dead, or was made up."""
    if len(t_s) < 2 or t_s[-1] - t_s[0] < LEAST_S:
        return []
    found = []
    for name, values in (("gyr", gyr), ("acc", acc)):
        is_constant = np.ptp(values, axis=0) == 0
        if is_constant.any() and not is_constant.all():
            which = ", ".join(f"{name}_{axis}" for axis, dead in zip("xyz", is_constant, strict=True) if dead)
            found.append(
                f"{which} never changes: a dead channel? Then angles about other axes are wrong too."
            )
        elif is_constant.all():
            found.append(
                f"{name} never changes on any axis: a dead sensor, or it lay still; angles mean little."
            )
    return found


def _stuck(t_s: FloatArray, gyr: FloatArray, acc: FloatArray) -> list[str]:
    """One sensor repeats itself for a second and longer while the other goes on: its samples are not measurements."""
    found = []
    for name, values, other in (("gyr", gyr, acc), ("acc", acc, gyr)):
        repeats = (np.diff(values, axis=0) == 0).all(axis=1) & (np.diff(other, axis=0) != 0).any(axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], repeats, [False]))))
        lengths = t_s[edges[1::2]] - t_s[edges[::2]]
        stuck_s = float(lengths[lengths >= STUCK_S].sum())
        if stuck_s and stuck_s < 0.99 * (t_s[-1] - t_s[0]):
            found.append(
                f"{name} stands still for {stuck_s:.0f} s while the rest goes on: angles are a guess there."
            )
    return found


def _clipped(gyr: FloatArray) -> list[str]:
    """Readings at the end of the range: it turned further than it says."""
    flags = SaturationDetector(LEAST_RATE).process(gyr)
    n = int(np.count_nonzero(flags))
    if not n:
        return []
    limit_deg_s = float(np.degrees(np.abs(gyr[flags]).max()))
    return [
        f"{counted(n, 'sample')} at the end of the gyroscope's range ({limit_deg_s:.0f} deg/s): "
        "fast turns are too small, and the angles for seconds after them less certain; record with a wider range."
    ]
