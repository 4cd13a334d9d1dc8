"""Simple true motion for the register models, at rest or nodding slowly, for benches that are not about people."""

from __future__ import annotations

import math

import numpy as np

from tiltwise.sim.imu.imu_errors import G_M_S2
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import FloatArray

_STEP_S = 0.005
_NOD_RAD, _NOD_S = math.radians(30), 8.0


def nod_rad(t_s: FloatArray) -> FloatArray:
    """Return the true angle at these times (n,)."""
    angle: FloatArray = _NOD_RAD * np.sin(2 * math.pi * t_s / _NOD_S)
    return angle


class NoddingMotion:
    """Tells a sensor the truth of a slow nod of 30 deg about y, as far ahead as it is asked for.

    Parameters
    ----------
    part : the sensor
    is_still : no nod at all
    """

    def __init__(self, part: ImuModel, *, is_still: bool = False) -> None:
        self._part = part
        self._scale = 0.0 if is_still else 1.0
        self._steps = -1  # told so far

    def __call__(self, to_s: float) -> None:
        """Tell the truth up to this time."""
        last = math.ceil(to_s / _STEP_S)
        if last <= self._steps:
            return
        t = np.arange(self._steps + 1, last + 1, dtype=float) * _STEP_S
        self._steps = last
        phase = 2 * math.pi * t / _NOD_S
        angle = self._scale * nod_rad(t)
        rate = self._scale * _NOD_RAD * 2 * math.pi / _NOD_S * np.cos(phase)
        zero = np.zeros(len(t))
        acc = G_M_S2 * np.stack((-np.sin(angle), zero, np.cos(angle)), axis=1)
        self._part.advance(t, np.stack((zero, rate, zero), axis=1), acc)
