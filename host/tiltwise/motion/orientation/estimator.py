"""Gyroscope and accelerometer -> orientation: rad/s and m/s^2 in, q_earth_from_sensor (earth z up) out.

The causal filter lives in OrientationStage; what looks ahead carries "offline" in its name and never runs in the
stage. The parts, in order: strapdown.py (integrate), preintegration.py (sum up), gravity_filter.py (where is up),
levelling.py (turn it upright).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion.orientation.gravity_filter import BIAS, GRAVITY, GravityFilter, GravitySettings
from tiltwise.motion.orientation.imu_checks import OrientationError, check_block, check_recording
from tiltwise.motion.orientation.levelling import Knots, Leveller
from tiltwise.motion.orientation.preintegration import (
    OFFLINE_WINDOWS,
    SumRows,
    WindowCutter,
    WindowSettings,
    integrate,
    sum_rows,
)
from tiltwise.motion.orientation.rts_smoother import smooth_offline
from tiltwise.motion.orientation.saturation import LEAST_FORCE, LEAST_RATE, SaturationDetector
from tiltwise.motion.orientation.strapdown import Strapdown, StrapdownRows
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock

CHUNK = 4096  # samples at a time: what fits into the processor's cache; the result does not depend on it
SATURATED_TURN = 0.3  # share of a saturated step's turn that may be missing
CLIPPED_FORCE = (
    20.0  # m/s^2 that a clipped force may lack: landing from a jump has 6 g where 4 g are measured
)


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
        q = self.estimate(block).q_earth_from_sensor
        return OrientationBlock(block.t_s, q, block.acc_m_s2, block.gyr_rad_s, block.sensor)

    def estimate(self, block: ImuBlock) -> Estimate:
        """Return the same with uncertainty, saturation and bias."""
        check_block(block.t_s, block.gyr_rad_s, block.acc_m_s2, self._last_t_s)
        parts = []
        for start in range(0, len(block.t_s), CHUNK):
            part = slice(start, start + CHUNK)
            t_s, gyr, acc = block.t_s[part], block.gyr_rad_s[part], block.acc_m_s2[part]
            if self._core is None:
                self._core = _Core(float(t_s[0]), acc[0], self._settings, WindowSettings())
            parts.append(self._core.advance(t_s, gyr, acc).render_online())
            self._last_t_s = float(t_s[-1])
        return _join(parts)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What one chunk brought: rows from the open window's start, borders of finished windows, answers at them."""

    rows: StrapdownRows
    stops: NDArray[np.intp]
    states: FloatArray
    uncertainty_deg: FloatArray
    is_saturated: NDArray[np.bool_]
    n_new: int
    leveller: Leveller

    def render_online(self) -> Estimate:
        """Return the estimate of the new samples, each from what was known at its window's start."""
        knots = Knots(self.states[:, :3], self.states[:, 6:])
        n = len(self.rows.t_s)
        which = np.repeat(np.arange(len(self.stops) + 1), np.diff(self.stops, prepend=0, append=n))
        new = which[n - self.n_new :]
        q = self.leveller.process(self.rows, self.stops, knots)[n - self.n_new :]
        return Estimate(q, self.uncertainty_deg[new], self.is_saturated, self.states[:, BIAS][new])


class _Core:
    """Strapdown, windows and filter of one uninterrupted stream of samples."""

    def __init__(
        self, t_start_s: float, first_acc: FloatArray, settings: GravitySettings, windows: WindowSettings
    ) -> None:
        self._t_start_s = t_start_s
        self._strapdown = Strapdown()
        self._saturation, self._clipping = SaturationDetector(LEAST_RATE), SaturationDetector(LEAST_FORCE)
        self._cutter = WindowCutter(t_start_s, windows)
        self.filter = GravityFilter(np.asarray(first_acc, dtype=float), settings)
        self._leveller = Leveller(self.filter.state.x[:3])
        self._open: StrapdownRows | None = None

    def advance(self, t_s: FloatArray, gyr: FloatArray, acc: FloatArray) -> _Stretch:
        """Take in samples and run the filter over the windows that they finish."""
        is_saturated = self._saturation.process(gyr)
        rows = self._strapdown.process(t_s, gyr, acc)
        np.copyto(rows.force_lacks_m_s2, CLIPPED_FORCE, where=self._clipping.process(acc))
        if is_saturated.any():
            missing = SATURATED_TURN * np.sqrt(np.sum(rows.turn_rad**2, axis=1))
            np.copyto(rows.turn_error_rad, missing, where=is_saturated)
        if self._open is not None:
            rows = _append(self._open, rows)
        sums = sum_rows(rows, self._t_start_s)
        cuts = self._cutter.cut(rows)
        states, uncertainty = self._filter_windows(rows, sums, cuts)
        stops = np.array([stop for _, stop, _ in cuts], dtype=np.intp)
        rest = slice(cuts[-1][1] if cuts else 0, None)
        self._open = _part(rows, rest)
        return _Stretch(rows, stops, states, uncertainty, is_saturated, len(t_s), self._leveller)

    def _filter_windows(
        self, rows: StrapdownRows, sums: SumRows, cuts: list[tuple[int, int, bool]]
    ) -> tuple[FloatArray, FloatArray]:
        states = np.empty((len(cuts) + 1, 18))
        variance = np.empty(len(cuts) + 1)
        for k in range(len(cuts) + 1):
            state = self.filter.state
            states[k], variance[k] = state.x, state.p[0, 0] + state.p[1, 1] + state.p[2, 2]
            if k < len(cuts):
                start, stop, is_gap = cuts[k]
                self.filter.step(integrate(rows, sums, start, stop, self._t_start_s, is_gap))
        return states, _uncertainty_deg(variance)


def _uncertainty_deg(variance: FloatArray) -> FloatArray:
    """Two of gravity's three directions tilt it: RMS angle in degrees from the trace of its covariance, m^2/s^4."""
    return np.degrees(np.sqrt(np.maximum(variance, 0.0) * (2 / 3)) / GRAVITY)


def _append(first: StrapdownRows, second: StrapdownRows) -> StrapdownRows:
    """Join rows along the samples."""
    joined = (np.concatenate((getattr(first, f.name), getattr(second, f.name))) for f in fields(first))
    return StrapdownRows(*joined)


def _part(rows: StrapdownRows, part: slice) -> StrapdownRows:
    return StrapdownRows(*(getattr(rows, f.name)[part] for f in fields(rows)))


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
    is_saturated = np.concatenate([s.is_saturated for s in stretches])
    if history:
        states, variances = smooth_offline(history)
    else:
        states = core.filter.state.x[None]
        variances = np.diag(core.filter.state.p)[None]
    leveller = Leveller(states[0, :3])
    uncertainty = _uncertainty_deg(variances[:, 0] + variances[:, 1] + variances[:, 2])
    parts, k = [], 0
    for number, stretch in enumerate(stretches):
        m = len(stretch.stops)
        is_last = number == len(stretches) - 1
        rows = stretch.rows if is_last else _part(stretch.rows, slice(0, stretch.stops[-1] if m else 0))
        here = states[k : k + m + 1]
        q = leveller.process(rows, stretch.stops, Knots(here[:, :3], here[:, 6:]), spread=True)
        which = k + np.repeat(np.arange(m + 1), np.diff(stretch.stops, prepend=0, append=len(rows.t_s)))
        parts.append(Estimate(q, uncertainty[which], np.empty(0, dtype=bool), states[:, BIAS][which]))
        k += m
    whole = _join(parts)
    return Estimate(whole.q_earth_from_sensor, whole.uncertainty_deg, is_saturated, whole.bias_rad_s)


__all__ = ["Estimate", "OrientationError", "OrientationStage", "estimate_motion", "estimate_orientation"]
