"""Some seconds of orientation -> was the wearer still, and where is "up" then; the gyroscope's bias with it.

Before alignment.py. Thresholds in degrees, deg/s and m/s^2, each with its reason beside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tiltwise.motion.rotation import (
    angle_between_deg,
    conjugate,
    multiply,
    normalise,
    to_rotation_vector,
    up_in_sensor,
)
from tiltwise.types import FloatArray, Mount, OrientationBlock

STILL_S = 3.0  # quiet sitting sways slower than this
SPREAD_DEG = 3.4  # a steady head stays within this around its mean; breathing alone is 0.5 to 2 deg
STILL_RATE_DEG_S = 8.0  # RMS: quiet heads have 1 to 3 deg/s, talking and typing more, walking 20 and more
BACK_SPREAD_DEG = 2.5  # the upper back has no head to turn: what it does while still is breathing
BACK_RATE_DEG_S = 4.5  # RMS: deep breaths of 2 deg at 0.3 Hz have 2.7
STILL_ACC_M_S2 = 0.5  # standard deviation of |acc|: walking has 1.5 and more, breathing under 0.05
_RATE_SPAN_S = 0.1


class CalibrationError(ValueError):
    """The guided calibration was not done as expected; the text says what was seen and what to do."""


def neutral_up(neutral: OrientationBlock, mount: Mount | None = None) -> tuple[FloatArray, float]:
    """Return the mean up in sensor axes (3,) and the spread around it in degrees (95th percentile).

    With the collar mount less movement is allowed than with the others: the upper back is held stiller than a head.

    Raises
    ------
    CalibrationError
        If it is shorter than 3 s or not still.
    """
    neutral = finite(neutral)
    t_s = neutral.t_s
    seconds = float(t_s[-1] - t_s[0]) if len(t_s) else 0.0
    if seconds < 0.95 * STILL_S or len(t_s) < 20:
        raise CalibrationError(
            f"{seconds:.1f} s of sitting still, expected {STILL_S:.0f} s: sit tall and wait"
        )
    up = up_in_sensor(neutral.q_earth_from_sensor)
    mean = normalise(np.mean(up, axis=0))
    spread_deg = float(np.percentile(angle_between_deg(up, mean), 95))
    rate_deg_s = _steady_rate_deg_s(neutral)
    shake = float(np.std(np.sqrt(np.sum(neutral.acc_m_s2**2, axis=-1))))
    is_back = mount is Mount.COLLAR
    most_deg, most_deg_s = (BACK_SPREAD_DEG, BACK_RATE_DEG_S) if is_back else (SPREAD_DEG, STILL_RATE_DEG_S)
    if not (spread_deg < most_deg and rate_deg_s < most_deg_s and shake < STILL_ACC_M_S2):
        raise CalibrationError(
            f"moved while sitting still ({spread_deg:.1f} deg, {rate_deg_s:.0f} deg/s, expected under "
            f"{most_deg:g} deg and {most_deg_s:g} deg/s): sit tall, hold still for {STILL_S:.0f} s"
        )
    return mean, spread_deg


def finite(block: OrientationBlock) -> OrientationBlock:
    """Return the samples that have an orientation, an acceleration and, in RAW streams, an angular velocity."""
    columns = [block.q_earth_from_sensor, block.acc_m_s2]
    columns += [] if block.gyr_rad_s is None else [block.gyr_rad_s]
    is_good = np.all([np.isfinite(column).all(axis=-1) for column in columns], axis=0)
    gyr = None if block.gyr_rad_s is None else block.gyr_rad_s[is_good]
    return OrientationBlock(
        block.t_s[is_good], block.q_earth_from_sensor[is_good], block.acc_m_s2[is_good], gyr, block.sensor
    )


def angular_velocity(block: OrientationBlock) -> FloatArray:
    """Return rad/s (n - 1, 3) in sensor axes between samples: the gyroscope's, or from the orientation without one.

    The causal filter of RAW streams levels in steps of up to a degree, which the orientation's own rate shows
    as 100 deg/s about any axis.
    """
    if block.gyr_rad_s is not None:
        return (block.gyr_rad_s[:-1] + block.gyr_rad_s[1:]) / 2
    q = block.q_earth_from_sensor
    turn = to_rotation_vector(multiply(conjugate(q[:-1]), q[1:]))
    return turn / np.maximum(np.diff(block.t_s), 1e-6)[:, None]


def _steady_rate_deg_s(still: OrientationBlock) -> float:
    """RMS of the angular velocity in deg/s, a tenth of a second at a time, without the gyroscope's bias.

    From one sample to the next int16 quaternions at 52 Hz jitter by 4 deg/s, as much as a back that moves.
    """
    omega = angular_velocity(without_bias(still, still))
    n = max(1, round(_RATE_SPAN_S * len(omega) / float(still.t_s[-1] - still.t_s[0])))
    sums = np.cumsum(np.concatenate((np.zeros((1, 3)), omega)), axis=0)
    mean = (sums[n:] - sums[:-n]) / n
    return float(np.degrees(np.sqrt(np.mean(np.sum(mean**2, axis=-1)))))


def without_bias(block: OrientationBlock, still: OrientationBlock) -> OrientationBlock:
    """Return the block without the gyroscope's mean (rad/s) over the still seconds."""
    rest_rad_s = finite(still).gyr_rad_s
    if block.gyr_rad_s is None or rest_rad_s is None:
        return block
    return replace(block, gyr_rad_s=block.gyr_rad_s - np.mean(rest_rad_s, axis=0))
