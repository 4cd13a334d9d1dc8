"""Gyroscope and accelerometer -> orientation: rad/s and m/s^2 in, q_earth_from_sensor (earth z up) out.

The causal filter lives in OrientationStage; what looks ahead carries "offline" in its name and never runs in the
stage. The parts, in order: strapdown.py (integrate), preintegration.py (sum up), gravity_filter.py (where is up),
levelling.py (turn it upright).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion.orientation.gravity_filter import BIAS, ERROR, GRAVITY, GravityFilter, GravitySettings
from tiltwise.motion.orientation.imu_checks import OrientationError, check_block, check_recording
from tiltwise.motion.orientation.levelling import Knots, Leveller
from tiltwise.motion.orientation.preintegration import (
    OFFLINE_WINDOWS,
    WindowCutter,
    WindowSettings,
    integrate,
)
from tiltwise.motion.orientation.rts_smoother import smooth_offline
from tiltwise.motion.orientation.saturation import LEAST_FORCE, LEAST_RATE, SaturationDetector
from tiltwise.motion.orientation.strapdown import N_ROWS, Strapdown
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock

CHUNK = 8192  # samples at a time: what fits into the processor's cache; the result does not depend on it


@dataclass(frozen=True, slots=True)
class Estimate:
    """Orientation at each sample, and how far to trust it.

    q_earth_from_sensor (n, 4) w-x-y-z, earth z up. uncertainty_deg (n,): standard deviation of the inclination, as
    the filter sees it. is_saturated (n,): the gyroscope stood at the end of its range. bias_rad_s (n, 3): the
    gyroscope's.
    """

    q_earth_from_sensor: FloatArray
    uncertainty_deg: FloatArray
    is_saturated: NDArray[np.bool_]
    bias_rad_s: FloatArray


class OrientationStage:
    """Causal orientation in blocks of any length: any cut of the data gives the same quaternions."""

    def __init__(self, settings: GravitySettings | None = None) -> None:
        self._settings = settings or GravitySettings()
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first sample."""
        self._core: _Core | None = None
        self._last_t_s = -np.inf

    def process(self, block: ImuBlock) -> OrientationBlock:
        """Return the orientation at the time of each sample of the block.

        Raises
        ------
        OrientationError : values that are not finite, or times that do not increase.
        """
        parts = [stretch.orientation() for stretch in self._stretches(block)]
        q = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty((0, 4))
        return OrientationBlock(block.t_s, q, block.acc_m_s2, block.gyr_rad_s, block.sensor)

    def estimate(self, block: ImuBlock) -> Estimate:
        """Return the same with uncertainty, saturation and bias."""
        return _join([stretch.estimate() for stretch in self._stretches(block)])

    def _stretches(self, block: ImuBlock) -> Iterator[_Stretch]:
        check_block(block.t_s, block.gyr_rad_s, block.acc_m_s2, self._last_t_s)
        for start in range(0, len(block.t_s), CHUNK):
            part = slice(start, start + CHUNK)
            t_s, gyr, acc = block.t_s[part], block.gyr_rad_s[part], block.acc_m_s2[part]
            if self._core is None:
                self._core = _Core(float(t_s[0]), acc[0], self._settings, WindowSettings())
            self._last_t_s = float(t_s[-1])
            yield self._core.advance(t_s, gyr, acc)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What one chunk brought: the table from the open window's start, borders of finished windows, answers there."""

    table: FloatArray
    stops: NDArray[np.intp]
    states: FloatArray
    uncertainty_deg: FloatArray
    is_saturated: NDArray[np.bool_]
    leveller: Leveller

    @property
    def _skip(self) -> int:
        return self.table.shape[1] - len(self.is_saturated)

    def orientation(self) -> FloatArray:
        """Return q_earth_from_sensor of the new samples, each from what was known at its window's start."""
        knots = Knots(self.states[:, :3], self.states[:, ERROR])
        return self.leveller.process(self.table, self.stops, knots, skip=self._skip)

    def estimate(self) -> Estimate:
        """Return all of the new samples."""
        which = self.which()[self._skip :]
        uncertainty, bias = self.uncertainty_deg[which], self.states[:, BIAS][which]
        return Estimate(self.orientation(), uncertainty, self.is_saturated, bias)

    def which(self) -> NDArray[np.intp]:
        """Return the window (n,) of each column of the table, counted from its start."""
        lengths = np.diff(self.stops, prepend=0, append=self.table.shape[1])
        return np.repeat(np.arange(len(self.stops) + 1), lengths)


class _Core:
    """Strapdown, windows and filter of one uninterrupted stream of samples."""

    def __init__(
        self, t_start_s: float, first_acc: FloatArray, settings: GravitySettings, windows: WindowSettings
    ) -> None:
        self._t_start_s = t_start_s
        self._strapdown = Strapdown(t_start_s)
        self._saturation, self._clipping = SaturationDetector(LEAST_RATE), SaturationDetector(LEAST_FORCE)
        self._cutter = WindowCutter(t_start_s, windows)
        self.filter = GravityFilter(np.asarray(first_acc, dtype=float), settings)
        self._leveller = Leveller(self.filter.x[:3])
        self._open = np.empty((N_ROWS, 0))

    def advance(self, t_s: FloatArray, gyr: FloatArray, acc: FloatArray) -> _Stretch:
        """Take in samples and run the filter over the windows that they finish."""
        is_saturated = self._saturation.process(gyr)
        is_clipped = self._clipping.process(acc)
        table = self._strapdown.process(t_s, gyr, acc, is_saturated, is_clipped, self._open)
        cuts = self._cutter.cut(table)
        states, variances = self.filter.run(integrate(table, cuts, self._t_start_s))
        stops = np.array([stop for _, stop, _ in cuts], dtype=np.intp)
        self._open = table[:, cuts[-1][1] if cuts else 0 :]
        uncertainty = _uncertainty_deg(variances)
        return _Stretch(table, stops, states, uncertainty, is_saturated, self._leveller)


def _uncertainty_deg(variance: FloatArray) -> FloatArray:
    """Two of gravity's three directions tilt it: RMS angle (n,) in deg from its variances (n, 3) in m^2/s^4."""
    return np.degrees(np.sqrt(np.maximum(variance.sum(axis=1), 0.0) * (2 / 3)) / GRAVITY)


def _join(parts: list[Estimate]) -> Estimate:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Estimate(np.empty((0, 4)), np.empty(0), np.empty(0, dtype=bool), np.empty((0, 3)))
    return Estimate(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Estimate)))


def estimate_orientation(
    t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, *, offline: bool = False
) -> FloatArray:
    """Return q_earth_from_sensor (n, 4), w-x-y-z, earth z up, at the time of each sample.

    Parameters
    ----------
    t_s : (n,) times of the samples in s, increasing; gaps, jitter and lost samples are integrated over.
    gyr_rad_s : (n, 3) angular rate in rad/s, sensor axes.
    acc_m_s2 : (n, 3) specific force in m/s^2, sensor axes; at rest it points up.
    offline : use later samples as well (more accurate, not for live use).

    Raises
    ------
    OrientationError : what was expected, what came, what to do; see imu_checks.py.

    Examples
    --------
    >>> t_s = np.arange(100) / 50
    >>> q = estimate_orientation(t_s, np.zeros((100, 3)), np.tile([0.0, 0.0, 9.81], (100, 1)))
    >>> q[-1].round(3).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return estimate_motion(t_s, gyr_rad_s, acc_m_s2, offline=offline).q_earth_from_sensor


def estimate_motion(
    t_s: FloatArray,
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    *,
    offline: bool = False,
    settings: GravitySettings | None = None,
) -> Estimate:
    """Return what `estimate_orientation` returns, with uncertainty, saturation and bias.

    t_s (n,) in s, gyr_rad_s (n, 3) and acc_m_s2 (n, 3), as there.
    """
    t_s, gyr, acc = (np.asarray(v, dtype=float) for v in (t_s, gyr_rad_s, acc_m_s2))
    check_recording(t_s, gyr, acc)
    if offline:
        return _estimate_offline(t_s, gyr, acc, settings or GravitySettings())
    return OrientationStage(settings).estimate(ImuBlock(t_s, gyr, acc))


def _estimate_offline(
    t_s: FloatArray, gyr: FloatArray, acc: FloatArray, settings: GravitySettings
) -> Estimate:
    """Filter forwards over everything, smooth backwards, then render each chunk from the smoothed answers."""
    core = _Core(float(t_s[0]), acc[0], settings, OFFLINE_WINDOWS)
    history = core.filter.history = []
    chunks = [slice(start, start + CHUNK) for start in range(0, len(t_s), CHUNK)]
    stretches = [core.advance(t_s[c], gyr[c], acc[c]) for c in chunks]
    states, variances = smooth_offline(history, core.filter.x, core.filter.p)
    leveller = Leveller(states[0, :3])
    uncertainty = _uncertainty_deg(variances[:, :3])
    parts, k = [], 0
    for number, stretch in enumerate(stretches):
        m = len(stretch.stops)
        is_last = number == len(stretches) - 1
        end = stretch.table.shape[1] if is_last else int(stretch.stops[-1]) if m else 0
        here = states[k : k + m + 1]
        q = leveller.process(
            stretch.table[:, :end], stretch.stops, Knots(here[:, :3], here[:, ERROR]), spread=True
        )
        which = k + stretch.which()[:end]
        parts.append(Estimate(q, uncertainty[which], np.empty(0, dtype=bool), states[:, BIAS][which]))
        k += m
    whole = _join(parts)
    is_saturated = np.concatenate([s.is_saturated for s in stretches])
    return Estimate(whole.q_earth_from_sensor, whole.uncertainty_deg, is_saturated, whole.bias_rad_s)


__all__ = ["Estimate", "OrientationError", "OrientationStage", "estimate_motion", "estimate_orientation"]
