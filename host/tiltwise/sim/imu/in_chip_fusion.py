"""What stands in for a fusion that a maker built into a part and does not publish: Mahony's filter, sample by sample.

Mahony, Hamel and Pflimlin 2008, doi:10.1109/TAC.2008.923738, explicit complementary filter, with the gains below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray

_TILT_GAIN = 0.5  # rad/s of correction for each rad of tilt
_BIAS_GAIN = 0.02

_State = tuple[FloatArray, FloatArray]  # q_earth_from_sensor (4,), bias (3,) rad/s


class InChipFusion:
    """Filter state by the part's sample number, so that samples made ahead and discarded change nothing."""

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def run(
        self, slots: NDArray[np.int64], gyr_rad_s: FloatArray, acc_m_s2: FloatArray, period_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """Fuse samples that follow each other.

        Parameters
        ----------
        slots : (n,) number of each sample
        gyr_rad_s, acc_m_s2 : (n, 3) in sensor axes

        Returns
        -------
        q_earth_from_sensor (n, 4) and "up" in sensor axes (n, 3).
        """
        q, up = np.empty((len(slots), 4)), np.empty((len(slots), 3))
        state = self._states.get(int(slots[0]) - 1) if len(slots) else None
        kept = {}
        for k, slot in enumerate(slots.tolist()):
            state = _step(state, gyr_rad_s[k], acc_m_s2[k], period_s)
            kept[slot] = state
            q[k] = state[0]
            up[k] = _up(state[0])
        if kept:
            before = int(slots[0]) - 1
            self._states = ({before: self._states[before]} if before in self._states else {}) | kept
        return q, up


def _up(q: FloatArray) -> FloatArray:
    w, x, y, z = q
    return np.array([2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z])


def _step(state: _State | None, gyr: FloatArray, acc: FloatArray, period_s: float) -> _State:
    up = acc / max(float(np.linalg.norm(acc)), 1e-9)
    if state is None:
        q = np.array([1 + up[2], up[1], -up[0], 0.0])
        return (
            q / np.linalg.norm(q) if np.linalg.norm(q) > 1e-6 else np.array([0.0, 1.0, 0.0, 0.0])
        ), np.zeros(3)
    q, bias = state
    error = np.cross(up, _up(q))
    bias = bias - _BIAS_GAIN * error * period_s
    half = (gyr - bias + _TILT_GAIN * error) * period_s / 2
    w, (x, y, z) = q[0], q[1:]
    a, b, c = half
    turned = q + np.array(
        [-x * a - y * b - z * c, w * a + y * c - z * b, w * b + z * a - x * c, w * c + x * b - y * a]
    )
    return turned / np.linalg.norm(turned), bias
