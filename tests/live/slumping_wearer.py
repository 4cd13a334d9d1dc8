"""A wearer who bends the neck to an angle again and again, on the simulated board behind a cable or the air."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tiltwise.common import wire
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.imu.imu_errors import G_M_S2
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import Mount

_STEP_S = 0.005
_BEND_S = 1.0  # from one angle to the next
_TURN_DEG = 40 * _STEP_S  # in a step
Story = Callable[[float], float]  # time in s -> degrees forward


def slumps(bent_s: float, upright_s: float, deg: float = 40.0, *, first_s: float = 10.0) -> Story:
    """Return upright for first_s, then bent and upright in turn."""

    def story(t_s: float) -> float:
        return deg if t_s > first_s and (t_s - first_s) % (bent_s + upright_s) < bent_s else 0.0

    return story


def mounting() -> Mounting:
    """How the sensor of this wearer sits: x forward, y left, z up."""
    return mounting_from_axes(
        np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]), mount=Mount.NECK, axes="nod"
    )


class Neck:
    """Tells a sensor the motion of a story: smooth between angles, with half a degree of breathing.

    azimuth_deg is where the neck bends to: 0 forward, 90 left, 180 back.
    """

    def __init__(self, part: ImuModel, story: Story, azimuth_deg: float = 0.0) -> None:
        self._part, self._story, self._azimuth = part, story, math.radians(azimuth_deg)
        self._steps = 0
        self._deg = 0.0

    def __call__(self, to_s: float) -> None:
        """Tell the truth up to this time."""
        last = math.ceil(to_s / _STEP_S)
        if last <= self._steps:
            return
        t_s = np.arange(self._steps, last + 1) * _STEP_S
        self._steps = last + 1
        deg = np.empty(len(t_s))
        for k, t in enumerate(t_s.tolist()):
            self._deg += max(-_TURN_DEG, min(_TURN_DEG, self._story(t) - self._deg)) / _BEND_S
            deg[k] = self._deg
        angle = np.radians(deg + 0.5 * np.sin(2 * np.pi * 0.25 * t_s))
        rate, zero = np.gradient(angle, t_s), np.zeros(len(t_s))
        c, s = math.cos(self._azimuth), math.sin(self._azimuth)
        acc = G_M_S2 * np.stack((-c * np.sin(angle), -s * np.sin(angle), np.cos(angle)), axis=1)
        self._part.advance(t_s, np.stack((-s * rate, c * rate, zero), axis=1), acc)


class SlumpingSimulation(Simulation):
    """A Simulation whose wearer follows a story of angles."""

    def __init__(self, story: Story, azimuth_deg: float = 0.0, *, is_streaming: bool = False) -> None:
        stream = wire.ORIENT if is_streaming else None
        super().__init__("upright", minutes=1, auto_ack=is_streaming, stream=stream)
        self._neck = Neck(self._sensors[0], story, azimuth_deg)

    def _feed_sensors(self, to_s: float) -> None:
        self._neck(to_s + 1.0)
