"""Vertical acceleration (m/s2) of a body that rests now and then -> its vertical speed (m/s).

At rest the speed is zero, and the offset of the accelerometer and its noise are learned; so a speed lasts a stroke or
two, and no longer.
"""

from __future__ import annotations

from math import sqrt
from statistics import median

_FIRST = 12  # values that give the first offset
_NOISE_TIMES = 4.0  # of the noise at rest: more acceleration is a movement
_LEAST_ACC_M_S2, _MOST_ACC_M_S2 = 0.04, 0.15
QUIET_S = 0.24
_OFFSET_S = 1.0  # time constant with which offset and noise are learned at rest
_MOVING_S = 8.0  # the same while something moves: a wrong beginning is forgotten
_FIRST_NOISE_M_S2 = 0.03


class VerticalSpeed:
    """Follows one sensor, value by value.

    Attributes
    ----------
    m_s
        The speed, upward positive.
    quiet_s, rested_s
        How long there has been no acceleration beyond the noise, and how long that has been a rest.
    """

    def __init__(self) -> None:
        self.m_s = self.quiet_s = self.rested_s = 0.0
        self._offset_m_s2: float | None = None
        self._square = _FIRST_NOISE_M_S2**2  # of the noise at rest
        self._first: list[float] = []

    @property
    def is_quiet(self) -> bool:
        """Whether there has been no acceleration for a while."""
        return self.quiet_s >= QUIET_S

    def step(self, acc_m_s2: float, dt_s: float) -> None:
        """Take the acceleration of the last dt_s; NaN, while the motor shakes the sensor, changes nothing."""
        if acc_m_s2 != acc_m_s2:
            return
        if self._offset_m_s2 is None:
            self._first.append(acc_m_s2)
            if len(self._first) >= _FIRST:
                self._offset_m_s2 = median(self._first)
            return
        beyond = acc_m_s2 - self._offset_m_s2
        limit = min(max(_NOISE_TIMES * sqrt(self._square), _LEAST_ACC_M_S2), _MOST_ACC_M_S2)
        self.quiet_s = self.quiet_s + dt_s if abs(beyond) < limit else 0.0
        is_quiet = self.is_quiet
        weight = dt_s / (_OFFSET_S if is_quiet else _MOVING_S)
        kept = min(max(beyond, -_MOST_ACC_M_S2), _MOST_ACC_M_S2)
        self._offset_m_s2 += weight * kept
        self._square += weight * (kept * kept - self._square) if is_quiet else 0.0
        self.m_s = 0.5 * self.m_s if is_quiet else self.m_s + beyond * dt_s
        self.rested_s = self.rested_s + dt_s if is_quiet else 0.0
