"""Is this an IMU's data in the units and axes we think? Refuses what would give a plausible but wrong angle.

A block of a stream is checked for what can be known at once; a whole recording also for what needs statistics:
rate, units, dead channels, swapped axes.
"""

from __future__ import annotations

import numpy as np
import vqf

from tiltwise.motion.orientation.preintegration import GAP_S
from tiltwise.motion.rotation import rotate_rows
from tiltwise.types import LEAST_RATE_HZ, FloatArray

LEAST_ACC, MOST_ACC = (
    7.0,
    12.5,
)  # m/s^2, the median of worn sensors: gravity, at most with brisk walking on top
MOST_RATE = 70.0  # rad/s, 4000 deg/s, the widest range on the market
CHECK_S = 2.0  # over which specific force is averaged to compare gyroscope and accelerometer
LEAST_TILT = 2.0  # m/s^2, a change of that mean by 12 deg of tilt; hardly an acceleration that lasts so long
CALM = 0.3  # m/s^2 between the mean length of the specific force and its median: no strong acceleration
MOST_LEFT = 0.6  # share of the change that may be left; measured: right 0.01-0.3, swapped or reversed 0.5-3
LEAST_STEPS = 4  # such changes that a verdict needs


class OrientationError(ValueError):
    """Samples that no honest orientation can be computed from; the text says what was expected and what came."""


def check_block(t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, last_t_s: float) -> None:
    """Raise OrientationError unless t_s (n,) in s, gyr_rad_s (n, 3) and acc_m_s2 (n, 3) can be a block of a stream.

    The times must be later than last_t_s, that of the block before.
    """
    n = len(t_s)
    for name, values in (("gyr_rad_s", gyr_rad_s), ("acc_m_s2", acc_m_s2)):
        if values.shape != (n, 3):
            raise OrientationError(
                f"{name} must have shape ({n}, 3) like its times, got {values.shape}: check the columns"
            )
        if not np.isfinite(values).all():
            where = int(np.argmin(np.isfinite(values).all(axis=1)))
            raise OrientationError(
                f"{name} must be finite, sample {where} is not: drop such samples, gaps are fine"
            )
    if not np.isfinite(t_s).all():
        raise OrientationError("t_s must be finite: drop samples without a time")
    step = np.diff(t_s, prepend=last_t_s)
    if n and not (step > 0).all():
        k = int(np.argmin(step > 0))
        before = last_t_s if k == 0 else float(t_s[k - 1])
        raise OrientationError(
            f"times must increase, sample {k} has {float(t_s[k]):.6g} s after {before:.6g} s: sort them"
        )


def check_recording(t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
    """Raise OrientationError where rate, units, channels or axes cannot be what the names say.

    t_s (n,) in s, gyr_rad_s (n, 3), acc_m_s2 (n, 3): all of a recording.
    """
    if t_s.ndim != 1 or len(t_s) == 0:
        raise OrientationError(
            f"t_s must be one column of at least one time, got shape {t_s.shape}: check the file"
        )
    check_block(t_s, gyr_rad_s, acc_m_s2, -np.inf)
    if len(t_s) < 2:
        return
    rate_hz = 1 / float(np.median(np.diff(t_s)))
    if rate_hz < LEAST_RATE_HZ * 0.99:  # a clock that is a little off
        raise OrientationError(
            f"at least {LEAST_RATE_HZ:g} samples/s are needed, got {rate_hz:.3g}: record faster"
        )
    _check_units(gyr_rad_s, acc_m_s2)
    _check_agreement(t_s, gyr_rad_s, acc_m_s2)


def _check_units(gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
    x, y, z = acc_m_s2.T
    acc = float(np.median(np.sqrt(x * x + y * y + z * z)))
    if not LEAST_ACC <= acc <= MOST_ACC:
        hint = (
            "it looks like g, multiply by 9.80665"
            if 0.7 < acc < 1.3
            else "check unit, scale and dead channels"
        )
        raise OrientationError(f"acceleration must be about 9.81 m/s^2 long, its median is {acc:.3g}: {hint}")
    rate = float(np.abs(gyr_rad_s).max())
    if rate > MOST_RATE:
        raise OrientationError(
            f"angular rate must be in rad/s, got up to {rate:.3g}: it looks like deg/s, convert it"
        )


def _check_agreement(t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
    """Compare how gravity seems to turn with how the gyroscope says that it turns."""
    left = _unexplained(t_s, gyr_rad_s, acc_m_s2)
    if left <= MOST_LEFT:
        return
    if _unexplained(t_s, np.radians(gyr_rad_s), acc_m_s2) <= MOST_LEFT:
        hint = "it looks like deg/s, convert it"
    else:
        hint = "check axis order, signs, units, dead channels"
    raise OrientationError(
        "gyroscope and accelerometer must describe one motion, but the gyroscope explains only "
        f"{max(0.0, 100 * (1 - left)):.0f} % of gravity's turns: {hint}"
    )


def _unexplained(t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> float:
    """Return the share of gravity's turns that the gyroscope leaves, 0 where there are too few to tell.

    In the strapdown frame gravity stands still if axes, signs, units and channels are right. If it moves there like
    in the sensor, the gyroscope describes another motion than the accelerometer.
    """
    cell = np.floor((t_s - t_s[0]) / CHECK_S)
    edges = np.concatenate(([0], np.flatnonzero(cell[1:] != cell[:-1]) + 1))
    count = np.diff(edges, append=len(t_s))
    acc = np.ascontiguousarray(acc_m_s2.T)  # sums of rows are several times faster than sums of columns
    seen = np.diff(np.add.reduceat(acc, edges, axis=1) / count)
    length = np.sqrt(acc[0] * acc[0] + acc[1] * acc[1] + acc[2] * acc[2])
    is_calm = np.abs(np.add.reduceat(length, edges) / count - np.median(length)) < CALM
    step = np.diff(t_s, prepend=t_s[0])
    is_whole = np.maximum.reduceat(step, edges) <= GAP_S  # across a gap nobody knows what turned
    is_usable = is_calm & is_whole
    is_decisive = (np.sum(seen**2, axis=0) > LEAST_TILT**2) & is_usable[1:] & is_usable[:-1]
    is_decisive &= np.diff(cell[edges]) == 1
    if is_decisive.sum() < LEAST_STEPS:
        return 0.0
    # Only neighbours are compared, so that what lies between is not integrated.
    is_used = np.zeros(len(edges), dtype=bool)
    is_used[:-1] |= is_decisive
    is_used[1:] |= is_decisive
    at = np.flatnonzero(np.repeat(is_used, count))
    turn = (gyr_rad_s[at] + gyr_rad_s[at - 1]) * (step[at, None] / 2)
    q = vqf.BasicVQF(1.0).updateBatch(turn, np.zeros_like(turn))["quat6D"]
    starts = np.cumsum(count * is_used) - count
    force = np.zeros((3, len(edges)))
    force[:, is_used] = np.add.reduceat(rotate_rows(q.T, acc[:, at]), starts[is_used], axis=1)
    left = np.diff(force / count)
    return float(np.sqrt(np.sum(left[:, is_decisive] ** 2) / np.sum(seen[:, is_decisive] ** 2)))
