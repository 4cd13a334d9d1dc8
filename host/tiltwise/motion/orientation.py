"""Gyroscope and accelerometer -> orientation: rad/s and m/s^2 in, q_earth_from_sensor (earth z up) out.

Before it in the flow: link/decoder.py (RAW streams) or a file; after it: motion/angles.py. The causal filter lives
in OrientationStage; everything that looks ahead carries "offline" in its name and never runs in the stage.
"""

from __future__ import annotations

import numpy as np
import vqf

from tiltwise.motion.rotation import from_two_vectors
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock

UP: FloatArray = np.array([0.0, 0.0, 1.0])


class OrientationError(ValueError):
    """Samples that no honest orientation can be computed from; the text says what was expected and what came."""


def _mean_rate(t_s: FloatArray, gyr: FloatArray) -> FloatArray:
    """Mean rotation rate of each step from the third sample on: variable-step three-point formula, coning term."""
    h, p = np.diff(t_s)[1:, None], np.diff(t_s)[:-1, None]
    new, mid, old = gyr[2:], gyr[1:-1], gyr[:-2]
    mean = ((2 * h + 3 * p) * new / (h + p) + (h + 3 * p) * mid / p - h * h * old / (p * (h + p))) / 6
    return np.where(h > 3 * p, (new + mid) / 2, mean) + np.cross(mid, new) * h / 12


class OrientationStage:
    """Causal orientation in blocks; any cut of the data gives the same quaternions."""

    def __init__(self) -> None:
        self._filter: vqf.VQF | None = None
        self._step_s = 0.0
        self._t = np.empty(0)
        self._gyr = np.empty((0, 3))

    def process(self, block: ImuBlock) -> OrientationBlock:
        """Return the orientation at the time of each sample of the block."""
        q = np.empty((len(block.t_s), 4))
        for k in range(len(q)):
            q[k] = self._first(block, k) if len(self._t) < 2 else 0
            if len(self._t) >= 2:
                q[k:] = self._rest(block.t_s[k:], block.gyr_rad_s[k:], block.acc_m_s2[k:])
                break
            self._t = np.append(self._t, block.t_s[k])
            self._gyr = np.vstack((self._gyr, block.gyr_rad_s[k]))
        return OrientationBlock(block.t_s, q, block.acc_m_s2, block.gyr_rad_s, block.sensor)

    def _first(self, block: ImuBlock, k: int) -> FloatArray:
        return from_two_vectors(block.acc_m_s2[k], UP)

    def _rest(self, t_s: FloatArray, gyr: FloatArray, acc: FloatArray) -> FloatArray:
        t = np.concatenate((self._t, t_s))
        g = np.concatenate((self._gyr, gyr))
        if self._filter is None:
            self._step_s = float(t[1] - t[0])
            self._filter = vqf.VQF(self._step_s)
        rate = _mean_rate(t, g) * (np.diff(t)[1:, None] / self._step_s)
        out = self._filter.updateBatch(np.ascontiguousarray(rate), np.ascontiguousarray(acc, dtype=float))
        self._t, self._gyr = t[-2:], g[-2:]
        return np.asarray(out["quat6D"])


def estimate_orientation(
    t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, *, offline: bool = False
) -> FloatArray:
    """Return q_earth_from_sensor (n, 4), w-x-y-z, earth z up, at the time of each sample.

    Parameters
    ----------
    t_s : (n,) times of the samples in s, increasing; gaps and jitter are integrated over.
    gyr_rad_s : (n, 3) angular rate in rad/s, sensor axes.
    acc_m_s2 : (n, 3) specific force in m/s^2, sensor axes; at rest it points up.
    offline : look ahead as well (more accurate, not for live use).
    """
    t = np.asarray(t_s, dtype=float)
    gyr, acc = np.asarray(gyr_rad_s, dtype=float), np.asarray(acc_m_s2, dtype=float)
    if offline and len(t) > 2:
        rate = np.vstack((gyr[:2], _mean_rate(t, gyr)))
        step = np.median(np.diff(t))
        rate[1:] *= np.diff(t)[:, None] / step
        return np.asarray(
            vqf.offlineVQF(np.ascontiguousarray(rate), np.ascontiguousarray(acc), None, step)["quat6D"]
        )
    return OrientationStage().process(ImuBlock(t, gyr, acc)).q_earth_from_sensor
