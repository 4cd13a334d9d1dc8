"""Orientation of the sensor in, neck angles in degrees out: the border between SI and degrees.

The body's up vector is low-passed, not the angles, because a vector does not wrap. Signs are those of
docs/conventions.md. Any cut of the samples gives the same angles. Angles lag by `AnglesSettings.delay_s`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion.angles.lowpass import LowPass, delay_s
from tiltwise.motion.angles.rotation_zero import RotationZero
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.rotation import (
    conjugate,
    rotate,
    up_in_sensor,
)
from tiltwise.types import ANGLE_COLUMNS, AngleBlock, FloatArray, OrientationBlock

STANDARD_GRAVITY_M_S2 = 9.80665
STEEP_DEG = 80.0  # beyond this inclination a side tilt and a turn can no longer be told apart
_LEAST_PLANE = float(1 / np.tan(np.radians(STEEP_DEG)))


@dataclass(frozen=True, slots=True)
class AnglesSettings:
    """How AnglesStage smooths and scales.

    Parameters
    ----------
    cutoff_hz
        Low-pass of the angles. Voluntary neck movement ends near 3 Hz; 5 Hz passes it unharmed, 45 ms late.
    rate_hz
        Sampling rate; None measures it from the first samples after the start and after each gap.
    max_gap_s
        Longer holes restart the filter: an angle is never smoothed across them.
    """

    cutoff_hz: float = 5.0
    rate_hz: float | None = None
    max_gap_s: float = 0.5

    @property
    def delay_s(self) -> float:
        """By how much a slow movement is seen late."""
        return delay_s(self.cutoff_hz)


class AnglesStage:
    """Streaming stage from OrientationBlock to AngleBlock.

    Flexion, lateral tilt and inclination come from the neutral-relative up vector u in body axes (atan2(-u_x, u_z),
    asin(u_y), atan2(|u_xy|, u_z)). Lateral tilt is NaN beyond 80 deg inclination, flexion is NaN within 10 deg of
    lying exactly on one side: there they are not defined. Rotation is the twist about the vertical, see
    rotation_zero.py.

    Samples with a quaternion that is not finite give NaN angles and count as lost.
    """

    def __init__(self, mounting: Mounting, settings: AnglesSettings | None = None) -> None:
        self.mounting = mounting
        self.settings = settings or AnglesSettings()
        self._body_from_sensor = rotate(conjugate(mounting.q), np.eye(3)).T
        self._lowpass = LowPass(self.settings.cutoff_hz, self.settings.rate_hz)
        self._rotation = RotationZero()
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next sample is a first one."""
        self._lowpass.reset()
        self._rotation.reset()
        self._last_t_s: float | None = None
        self._last_q = np.zeros(4)
        self._last_twist_rad: float | None = None
        self._turns = 0.0

    def process(self, block: OrientationBlock) -> AngleBlock:
        """Return the angles at the block's sample times."""
        is_good: NDArray[np.bool_] = np.asarray(np.isfinite(block.q_earth_from_sensor).all(axis=-1))
        if is_good.all():
            return self._process(block.t_s, block.q_earth_from_sensor, block.acc_m_s2, block.sensor)
        part = self._process(
            block.t_s[is_good], block.q_earth_from_sensor[is_good], block.acc_m_s2[is_good], block.sensor
        )
        return _with_holes(part, block.t_s, is_good)

    def _process(self, t_s: FloatArray, q: FloatArray, acc_m_s2: FloatArray, sensor: int) -> AngleBlock:
        """All samples have an orientation."""
        if not len(t_s):
            return replace(AngleBlock.empty(), sensor=sensor)
        acc = acc_m_s2.T
        up = up_in_sensor(q).T
        starts, rate_deg_s = self._starts_and_rate(t_s, q)
        signals = np.stack((*_turned(self._body_from_sensor, up), self._heading_rad(q), rate_deg_s))
        smooth, rotation_deg = self._smooth(t_s, signals, starts)
        inclination, flexion, lateral = _angles_deg(*smooth[:3])
        return AngleBlock(
            t_s=t_s,
            inclination_deg=inclination,
            flexion_deg=flexion,
            lateral_deg=lateral,
            rotation_deg=rotation_deg,
            rate_deg_s=rate_deg_s,
            up_acc_m_s2=up[0] * acc[0] + up[1] * acc[1] + up[2] * acc[2] - STANDARD_GRAVITY_M_S2,
            acc_norm_m_s2=np.sqrt(acc[0] * acc[0] + acc[1] * acc[1] + acc[2] * acc[2]),
            sensor=sensor,
        )

    def _smooth(
        self, t_s: FloatArray, signals: FloatArray, starts: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """Low-passed signals (5, n) and the rotation (n,), stretch by stretch."""
        smooth, rotation_deg = np.empty_like(signals), np.empty(len(t_s))
        edges = sorted({0, *np.flatnonzero(starts).tolist(), len(t_s)})
        for first, last in pairwise(edges):
            if starts[first]:
                self._lowpass.reset()
                self._rotation.reset()
            piece = self._lowpass.process(t_s[first:last], signals[:, first:last])
            smooth[:, first:last] = piece
            # Minus: a turn to the right is + for a person and - about the body's z (docs/conventions.md).
            rotation_deg[first:last] = self._rotation.process(
                t_s[first:last], -np.degrees(piece[3]), piece[4]
            )
        return smooth, rotation_deg

    def _starts_and_rate(self, t_s: FloatArray, q: FloatArray) -> tuple[NDArray[np.bool_], FloatArray]:
        """Which samples begin a stretch, and the angular speed since the sample before (0 at a beginning).

        The speed comes from the orientation and not from the gyroscope: it is then free of bias, and the same
        whether the board sent orientation or raw samples.
        """
        dt_s = np.diff(t_s, prepend=np.nan if self._last_t_s is None else self._last_t_s)
        starts = ~((dt_s > 0) & (dt_s <= self.settings.max_gap_s))
        now = q.T
        before = np.concatenate((self._last_q[:, None], now[:, :-1]), axis=1)
        self._last_t_s, self._last_q = float(t_s[-1]), q[-1].copy()
        dot = now[0] * before[0] + now[1] * before[1] + now[2] * before[2] + now[3] * before[3]
        step = now - np.where(dot < 0, -1.0, 1.0) * before
        chord = np.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2 + step[3] ** 2)
        angle_deg = np.degrees(4 * np.arcsin(np.minimum(chord / 2, 1.0)))
        rate_deg_s = np.zeros(len(t_s))
        np.divide(angle_deg, dt_s, out=rate_deg_s, where=~starts)
        return starts, rate_deg_s

    def _heading_rad(self, q: FloatArray) -> FloatArray:
        """Unwrapped twist of the body about the earth's vertical; undefined only upside down."""
        w, x, y, z = q.T
        mw, mx, my, mz = self.mounting.q.tolist()
        twist = 2 * np.arctan2(w * mz + x * my - y * mx + z * mw, w * mw - x * mx - y * my - z * mz)
        steps = np.diff(twist, prepend=twist[0] if self._last_twist_rad is None else self._last_twist_rad)
        turns = self._turns - np.cumsum(np.round(steps / (2 * np.pi)))
        self._last_twist_rad, self._turns = float(twist[-1]), float(turns[-1])
        return twist + 2 * np.pi * turns


def angles_of_up(up_sensor: FloatArray, mounting: Mounting) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (inclination, flexion, lateral) in deg, each (n,), of directions of "up" (n, 3) in sensor axes.

    The same angles as those of AnglesStage, without its low-pass and for any times; (0, 0, 0) gives NaN.
    """
    norm = np.linalg.norm(up_sensor, axis=1)
    up = (up_sensor / np.where(norm > 0, norm, np.nan)[:, None]).T
    body_from_sensor = rotate(conjugate(mounting.q), np.eye(3)).T
    return _angles_deg(*_turned(body_from_sensor, up))


def _turned(rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Vectors as columns (3, n), turned by a matrix, in explicit arithmetic so that a cut changes no bit."""
    x, y, z = columns
    a, b, c = (row[0] * x + row[1] * y + row[2] * z for row in rows)
    return a, b, c


def _angles_deg(x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Inclination, flexion and lateral tilt of an up vector of any length."""
    plane = np.sqrt(x * x + z * z)
    inclination = np.degrees(np.arctan2(np.sqrt(x * x + y * y), z))
    flexion = np.degrees(np.arctan2(-x, z))
    lateral = np.degrees(np.arctan2(y, plane))
    flexion[plane < _LEAST_PLANE * np.abs(y)] = np.nan
    lateral[inclination > STEEP_DEG] = np.nan
    return inclination, flexion, lateral


def _with_holes(part: AngleBlock, t_s: FloatArray, is_good: NDArray[np.bool_]) -> AngleBlock:
    """The angles of the good samples at their places, NaN elsewhere."""
    rows = np.full((len(ANGLE_COLUMNS), len(t_s)), np.nan)
    for row, name in zip(rows, ANGLE_COLUMNS, strict=True):
        row[is_good] = getattr(part, name)
    return replace(AngleBlock.from_columns(rows, part.sensor), t_s=t_s)
