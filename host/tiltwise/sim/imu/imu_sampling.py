"""The physical half of a simulated IMU: true motion in (rad/s, m/s2), counts out; imu_model.py adds the registers.

A part samples the motion at its own sample times (its oscillator is off by some percent), adds the errors of one
individual, saturates and quantises. All samples that the known motion allows are made ahead in one vectorised pass;
`run_to` then only moves a pointer. A write to a control register discards the samples that are not due yet.

Not modelled: filters (the motion is taken as band-limited) and turn-on transients.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiltwise.sim.imu.imu_errors import ImuErrors
from tiltwise.types import FloatArray

_REFERENCE_C = 25.0
_MOST_AHEAD = 600  # samples: a write to the part discards them
_NOISES = 12  # random numbers per sample: noise and walk of six axes


@dataclass(slots=True)
class _Ahead:
    """Samples made ahead: times and, for each, the counts, how far it jumped, and where its FIFO bytes end."""

    t_s: list[float]
    noise: FloatArray
    gyr_walk: FloatArray
    acc_walk: FloatArray
    outputs: NDArray[np.int16]  # (n, 7): temperature, gyroscope, accelerometer
    jumps: FloatArray  # (n,) largest change of one accelerometer axis since the sample before, m/s2
    fresh: list[int]  # status bits that each sample sets
    data: bytes
    data_end: list[int]
    next: int = 0


class ImuSampling(ABC):
    """Samples true motion as one individual part does; the base of `ImuModel`, which documents the parameters."""

    def __init__(self, seed: int, errors: ImuErrors, start_s: float, temperature_c: float) -> None:
        self.errors = errors
        self.temperature_c = temperature_c
        self.self_test_response: FloatArray = np.ones(6)
        self._is_frozen = False
        self._rng = np.random.default_rng(seed)
        self._now_s = start_s
        self._on_s = start_s
        self._slot = 0
        self._truth_t = np.empty(0)
        self._truth = np.empty((0, 6))
        self._noise_left = np.empty((0, _NOISES))
        self._gyr_walk = np.zeros(3)
        self._acc_walk = np.zeros(3)
        self._ahead: _Ahead | None = None
        self._latest = np.zeros(7, dtype=np.int16)  # temperature, gyroscope, accelerometer
        self._fresh = 0
        self._has_moved = False

    # ---- what each part defines ----

    @property
    @abstractmethod
    def slot_period_s(self) -> float:
        """Seconds between samples; 0 while both sensors are off."""

    @property
    @abstractmethod
    def gyr_rad_s_per_count(self) -> float:
        """Scale of the gyroscope as it is set."""

    @property
    @abstractmethod
    def acc_m_s2_per_count(self) -> float:
        """Scale of the accelerometer as it is set."""

    @abstractmethod
    def _sensors_on(self) -> tuple[bool, bool]:
        """Return whether gyroscope and accelerometer are on."""

    @abstractmethod
    def _temperature_counts(self, celsius: float) -> float:
        """Return the counts of the thermometer."""

    @abstractmethod
    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        """Return the deflection of gyroscope (3,) rad/s and accelerometer (3,) m/s2 while a self-test is on."""

    @abstractmethod
    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        """Return the FIFO bytes of n samples, and for each sample where its bytes end.

        Parameters
        ----------
        slots : (n,) number of each sample on the part's grid
        counts : (n, 7) temperature, gyroscope, accelerometer
        """

    @abstractmethod
    def _push(self, data: bytes) -> None:
        """Put bytes into the FIFO."""

    def _wake_m_s2(self) -> float:
        """Return the change of acceleration that raises the motion interrupt, m/s2; 0 while it is off."""
        return 0.0

    def _fresh_bits(self, slots: NDArray[np.int64]) -> list[int]:
        """Return the status bits that each sample sets."""
        return [1] * len(slots)

    # ---- the physical side ----

    @property
    def is_frozen(self) -> bool:
        """Whether the outputs are stuck at their last values."""
        return self._is_frozen

    @is_frozen.setter
    def is_frozen(self, value: bool) -> None:
        self._discard_ahead()
        self._is_frozen = value

    @property
    def int1(self) -> bool:
        """Level of the interrupt pin."""
        return self._has_moved

    def advance(self, t_s: ArrayLike, gyr_rad_s: ArrayLike, acc_m_s2: ArrayLike) -> None:
        """Append true motion; it is interpolated linearly, so give it at 200 Hz or more.

        Parameters
        ----------
        t_s : (n,) times in s, later than all before
        gyr_rad_s, acc_m_s2 : (n, 3) angular rate and specific force in sensor axes

        Raises
        ------
        ValueError
            Without times, or when they do not rise.
        """
        t = np.asarray(t_s, dtype=np.float64)
        truth = np.concatenate((np.asarray(gyr_rad_s), np.asarray(acc_m_s2)), axis=1, dtype=np.float64)
        before = self._truth_t[-1:]
        if len(t) == 0 or not np.all(np.diff(np.concatenate((before, t))) > 0):
            raise ValueError(f"truth from {t[:1]} to {t[-1:]} s, expected rising times after {before} s")
        self._discard_ahead()
        keep = max(int(np.searchsorted(self._truth_t, self._now_s, "right")) - 1, 0)
        self._truth_t = np.concatenate((self._truth_t[keep:], t))
        self._truth = np.concatenate((self._truth[keep:], truth))

    def run_to(self, t_s: float) -> None:
        """Let the part sample until t_s; ValueError when a switched-on part has no true motion that far."""
        if t_s <= self._now_s:
            return
        self._now_s = t_s
        if not self.slot_period_s:
            return
        if len(self._truth_t) == 0 or t_s > self._truth_t[-1] + 1e-9:
            raise ValueError(
                f"truth is known to {self._truth_t[-1:]} s, asked for {t_s} s: call advance first"
            )
        while True:
            ahead = self._ahead
            if ahead is None:
                ahead = self._ahead = self._make_ahead()
            end = bisect_right(ahead.t_s, t_s, ahead.next)
            if end > ahead.next:
                self._take(ahead, end)
            if end < _MOST_AHEAD:
                return
            self._discard_ahead()

    def _take(self, ahead: _Ahead, end: int) -> None:
        """Let the samples before `end` become due."""
        first = ahead.next
        self._push(ahead.data[ahead.data_end[first - 1] if first else 0 : ahead.data_end[end - 1]])
        for fresh in ahead.fresh[first:end]:
            self._fresh |= fresh
        wake = self._wake_m_s2()
        if wake and bool(np.any(ahead.jumps[first:end] > wake)):
            self._has_moved = True
        self._latest = ahead.outputs[end - 1]
        ahead.next = end

    # ---- making samples ----

    def _restart(self) -> None:
        """Begin the sample grid now, as after a change of rate."""
        self._on_s, self._slot = self._now_s, 0

    def _discard_ahead(self) -> None:
        """Forget the samples that are not due yet, but keep their random numbers for their successors."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return
        self._noise_left = ahead.noise[ahead.next :]
        self._slot += ahead.next
        if ahead.next:
            self._gyr_walk = ahead.gyr_walk[ahead.next - 1]
            self._acc_walk = ahead.acc_walk[ahead.next - 1]

    def _make_ahead(self) -> _Ahead:
        period_s = self.slot_period_s
        n = max(int((self._truth_t[-1] - self._on_s) / period_s) - self._slot, 0)
        n = min(n, _MOST_AHEAD)
        slots = self._slot + 1 + np.arange(n)
        t_s = np.asarray(self._on_s + period_s * slots, dtype=np.float64)
        more = max(n - len(self._noise_left), 0)
        noise = np.concatenate((self._noise_left, self._rng.standard_normal((more, _NOISES))))
        walk = noise[:n, 6:] * math.sqrt(period_s)
        gyr_walk = _running_sum(self._gyr_walk, walk[:, :3] * self.errors.gyr_walk)
        acc_walk = _running_sum(self._acc_walk, walk[:, 3:] * self.errors.acc_walk)
        counts = self._measure(t_s, noise[:n], gyr_walk, acc_walk, period_s)
        if self._is_frozen:
            counts[:] = self._latest
        data, data_end = self._pack(slots, counts)
        acc = np.concatenate((self._latest[None, 4:], counts[:, 4:])).astype(float)
        jumps = np.abs(np.diff(acc, axis=0)).max(axis=1, initial=0.0) * self.acc_m_s2_per_count
        fresh = self._fresh_bits(slots)
        return _Ahead(t_s.tolist(), noise, gyr_walk, acc_walk, counts, jumps, fresh, data, data_end)

    def _truth_at(self, t_s: FloatArray) -> FloatArray:
        left = np.clip(np.searchsorted(self._truth_t, t_s, "right") - 1, 0, max(len(self._truth_t) - 2, 0))
        right = np.minimum(left + 1, len(self._truth_t) - 1)
        span = np.maximum(self._truth_t[right] - self._truth_t[left], 1e-12)
        part = np.clip((t_s - self._truth_t[left]) / span, 0, 1)[:, None]
        truth: FloatArray = self._truth[left] * (1 - part) + self._truth[right] * part
        return truth

    def _noise_rms(self, period_s: float) -> tuple[float, float]:
        """Return the noise of one sample in rad/s and m/s2: that of the whole band up to half the rate."""
        bandwidth = math.sqrt(0.5 / period_s)
        return self.errors.gyr_noise_density * bandwidth, self.errors.acc_noise_density * bandwidth

    def _measure(
        self, t_s: FloatArray, noise: FloatArray, gyr_walk: FloatArray, acc_walk: FloatArray, period_s: float
    ) -> NDArray[np.int16]:
        """Return the counts (n, 7): temperature, gyroscope, accelerometer."""
        e = self.errors
        truth = self._truth_at(t_s)
        warmer_k = self.temperature_c - _REFERENCE_C
        gyr_rms, acc_rms = self._noise_rms(period_s)
        test_gyr, test_acc = self._self_test()
        gyr = truth[:, :3] * e.gyr_scale + (e.gyr_bias_rad_s + e.gyr_bias_rad_s_per_k * warmer_k) + gyr_walk
        gyr += noise[:, :3] * gyr_rms + test_gyr * self.self_test_response[:3]
        acc = truth[:, 3:] * e.acc_scale + (e.acc_bias_m_s2 + e.acc_bias_m_s2_per_k * warmer_k) + acc_walk
        acc += noise[:, 3:6] * acc_rms + test_acc * self.self_test_response[3:]
        counts = np.empty((len(t_s), 7))
        counts[:, 0] = self._temperature_counts(self.temperature_c + e.temperature_offset_k)
        counts[:, 1:4] = gyr / self.gyr_rad_s_per_count
        counts[:, 4:7] = acc / self.acc_m_s2_per_count
        gyr_is_on, acc_is_on = self._sensors_on()
        if not gyr_is_on:
            counts[:, 1:4] = 0
        if not acc_is_on:
            counts[:, 4:7] = 0
        return np.clip(np.rint(counts), -32768, 32767).astype(np.int16)


def _running_sum(start: FloatArray, steps: FloatArray) -> FloatArray:
    """Return start plus the running sum of the steps; adding in order makes any cut give the same numbers."""
    path: FloatArray = np.cumsum(np.concatenate((start[None, :], steps)), axis=0)
    return path[1:]
