"""What a filter is fed: three ways to turn gyroscope samples into the rate of each step. Rates (n, 3) in rad/s.

Most filters turn by one rate for the whole step from sample k - 1 to k. With the newest sample, as their examples
have it, they run half a step ahead; which rate they get decides more than which filter it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tiltwise.motion.orientation.strapdown import step_turns
from tiltwise.types import FloatArray

Feed = Callable[[FloatArray, float], FloatArray]


def newest(gyr_rad_s: FloatArray, rate_hz: float) -> FloatArray:
    """Return the samples as they are."""
    del rate_hz
    return gyr_rad_s


def mean_of_two(gyr_rad_s: FloatArray, rate_hz: float) -> FloatArray:
    """Return the mean of the samples at both ends of each step: one line that anyone can write, and in time."""
    del rate_hz
    return np.vstack((gyr_rad_s[:1], (gyr_rad_s[1:] + gyr_rad_s[:-1]) / 2))


def our_steps(gyr_rad_s: FloatArray, rate_hz: float) -> FloatArray:
    """Return the mean rate of each step as our filter integrates it, refilled samples repaired."""
    turn_rad, _ = step_turns(np.arange(len(gyr_rad_s)) / rate_hz, gyr_rad_s.T)
    return np.ascontiguousarray(np.vstack((gyr_rad_s[:1], turn_rad.T[1:] * rate_hz)))
