"""Angular rates or forces -> was the part at the end of its range: then the truth is more than it says."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray

# No part has a smaller range; below it equal readings are only coarse steps.
LEAST_RATE = math.radians(100.0)  # rad/s
LEAST_FORCE = 19.0  # m/s^2, just below 2 g
TIMES = 3  # a largest reading that comes back exactly for the third time is the end of the range


class SaturationDetector:
    """Remembers each axis's largest reading and how often it came; looks at nothing later."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._largest = [0.0, 0.0, 0.0]
        self._count = [0, 0, 0]

    def process(self, readings: FloatArray) -> NDArray[np.bool_]:
        """Return which samples (n,) of readings (n, 3), rad/s or m/s^2, are at the end of the range on any axis."""
        flags = np.zeros(len(readings), dtype=bool)
        for axis in range(3):
            size = np.abs(readings[:, axis])
            if size.max(initial=0.0) >= max(self._least, self._largest[axis]):
                flags |= self._follow(axis, size)
        return flags

    def _follow(self, axis: int, size: FloatArray) -> NDArray[np.bool_]:
        """Flag the readings of one axis that equal its largest so far for the third time or later."""
        largest = np.maximum.accumulate(np.concatenate(([self._largest[axis]], size)))
        is_largest = (size == largest[1:]) & (size >= self._least)
        is_new = is_largest & (size > largest[:-1])
        count = np.cumsum(is_largest)
        since = np.maximum.accumulate(np.where(is_new, count - 1, -self._count[axis]))
        seen = count - since
        self._largest[axis] = float(largest[-1])
        if is_largest.any():
            self._count[axis] = int(seen[-1])
        return is_largest & (seen >= TIMES)
