"""An LSM6DSOX at register level: physical truth in (rad/s, m/s2), register bytes out, as on the I2C bus.

Before it: sim/wearer.py with the truth. After it: sim/board.py, whose bus carries the bytes to the firmware's driver.
The part samples the truth at its own sample times (its oscillator is off by some percent), adds the errors of one
individual, saturates, quantises, and fills the FIFO. All samples that the known truth allows are made ahead in one
vectorised pass; `run_to` then only moves a pointer, and any write to a control register makes them anew.

Not modelled: filters (the truth is taken as band-limited), turn-on transients, interrupts, the embedded functions.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiltwise.sim import lsm6dsox_registers as reg
from tiltwise.sim.fifo import Fifo, pack_words
from tiltwise.sim.imu_errors import G_M_S2, ImuErrors
from tiltwise.types import FloatArray

_DPS = math.pi / 180
_REFERENCE_C = 25.0
_NOISES = 12  # random numbers per sample: noise and walk of six axes


@dataclass(slots=True)
class _Ahead:
    """Samples made ahead: times and, for each, the counts and where its FIFO words end."""

    t_s: list[float]
    noise: FloatArray
    gyr_walk: FloatArray
    acc_walk: FloatArray
    outputs: NDArray[np.int16]  # (n, 7): temperature, gyroscope, accelerometer, as from OUT_TEMP_L on
    fresh: list[int]  # STATUS_REG bits that each sample sets
    words: bytes
    word_end: list[int]
    next: int = 0


class Lsm6dsox:
    """The part. `read` and `write` are the bus side, `advance` and `run_to` the physical side.

    Parameters
    ----------
    seed : which individual, and its noise
    errors : the individual's errors; from the seed when absent
    start_s : time at which the power came on
    temperature_c : temperature of the die; may be changed at any time
    """

    def __init__(
        self,
        seed: int = 0,
        errors: ImuErrors | None = None,
        start_s: float = 0.0,
        temperature_c: float = 25.0,
    ) -> None:
        self.errors = ImuErrors.individual(seed) if errors is None else errors
        self.temperature_c = temperature_c
        self.who_am_i = reg.WHO_AM_I_VALUE
        self._rng = np.random.default_rng(seed)
        self._now_s = start_s
        self._truth_t = np.empty(0)
        self._truth = np.empty((0, 6))
        self._noise_left = np.empty((0, _NOISES))
        self._gyr_walk = np.zeros(3)
        self._acc_walk = np.zeros(3)
        self._ahead: _Ahead | None = None
        self.fifo = Fifo()
        self._slot = 0
        self.power_cycle()

    def power_cycle(self) -> None:
        """Lose everything that needs power: registers, FIFO, sample count."""
        self._discard_ahead()
        self._registers = bytearray(128)
        self._on_s, self._slot = self._now_s, 0
        self.fifo.clear()
        self._fresh = 0
        self._outputs = bytes(14)
        self._reset_registers()

    # ---- the physical side ----

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples of the faster of the two sensors; 0 while both are off."""
        dividers = [d for d in (self._divider(reg.CTRL1_XL), self._divider(reg.CTRL2_G)) if d]
        return min(dividers) / (reg.BASE_RATE_HZ * (1 + self.errors.rate_error)) if dividers else 0.0

    def advance(self, t_s: ArrayLike, gyr_rad_s: ArrayLike, acc_m_s2: ArrayLike) -> None:
        """Tell the truth for some more time; it is interpolated linearly, so give it at 200 Hz or more.

        Parameters
        ----------
        t_s : (n,) times, later than everything told before
        gyr_rad_s, acc_m_s2 : (n, 3) angular rate and specific force in sensor axes
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
        """Let the part sample until now; the truth must reach that far while it is switched on."""
        if t_s <= self._now_s:
            return
        self._now_s = t_s
        if not self.slot_period_s:
            return
        if len(self._truth_t) == 0 or t_s > self._truth_t[-1] + 1e-9:
            raise ValueError(
                f"truth is known to {self._truth_t[-1:]} s, asked for {t_s} s: call advance first"
            )
        if self._ahead is None:
            self._ahead = self._make_ahead()
        ahead = self._ahead
        end = bisect_right(ahead.t_s, t_s, ahead.next)
        if end > ahead.next:
            self._push_words(ahead, ahead.next, end)
            for fresh in ahead.fresh[ahead.next : end]:
                self._fresh |= fresh
            self._outputs = ahead.outputs[end - 1].tobytes()
            ahead.next = end

    # ---- the bus side ----

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes from a register on, with the part's address increment and FIFO rounding."""
        if reg.FIFO_DATA_OUT_TAG <= register <= reg.FIFO_DATA_OUT_Z_H:
            return self.fifo.read(register - reg.FIFO_DATA_OUT_TAG, n)
        self._refresh()
        if not self._registers[reg.CTRL3_C] & reg.CTRL3_IF_INC:
            data = bytes(self._registers[register : register + 1]) * n
            self._after_read(register, register)
            return data
        data = bytes(self._registers[register : register + n])
        self._after_read(register, register + n - 1)
        return data + bytes(n - len(data))

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on; read-only registers ignore them."""
        for k, value in enumerate(data):
            if register + k in reg.WRITABLE:
                self._write_one(register + k, value)

    def _write_one(self, register: int, value: int) -> None:
        if register == reg.CTRL3_C and value & reg.CTRL3_SW_RESET:
            self.power_cycle()
            return
        mode = value & 7
        if register == reg.FIFO_CTRL4 and mode not in (reg.MODE_BYPASS, reg.MODE_FIFO, reg.MODE_CONTINUOUS):
            raise ValueError(f"FIFO mode {mode} needs interrupts, which this model of the part has not")
        self._discard_ahead()
        period_s = self.slot_period_s
        self._registers[register] = value
        if self.slot_period_s != period_s:
            self._on_s, self._slot = self._now_s, 0
        if register == reg.FIFO_CTRL4 and mode == reg.MODE_BYPASS:
            self.fifo.clear()

    def _reset_registers(self) -> None:
        for register, value in reg.DEFAULTS.items():
            self._registers[register] = value
        self._registers[reg.WHO_AM_I] = self.who_am_i
        self._registers[reg.INTERNAL_FREQ_FINE] = round(self.errors.rate_error / reg.FREQ_FINE_STEP) & 0xFF

    def _refresh(self) -> None:
        """Bring the registers that the part writes itself up to date."""
        r = self._registers
        r[reg.STATUS_REG] = self._fresh
        r[reg.OUT_TEMP_L : reg.OUTZ_H_A + 1] = self._outputs
        level = self.fifo.level
        depth = self._fifo_depth
        watermark = self._watermark
        flags = (
            (reg.FIFO2_WTM if watermark and level >= watermark else 0)
            | (reg.FIFO2_OVR if level >= depth else 0)
            | (reg.FIFO2_FULL if level + self._words_per_slot >= depth else 0)
            | (reg.FIFO2_OVR_LATCHED if self.fifo.is_overrun_latched else 0)
        )
        r[reg.FIFO_STATUS1] = level & 0xFF
        r[reg.FIFO_STATUS2] = flags | level >> 8

    def _after_read(self, first: int, last: int) -> None:
        """Clear what reading clears: new-data bits by the high bytes, the latched overrun by its register."""
        if first <= reg.FIFO_STATUS2 <= last:
            self.fifo.is_overrun_latched = False
        for high_byte, bit in (
            (reg.OUT_TEMP_L + 1, reg.STATUS_TDA),
            (reg.OUTX_L_A - 1, reg.STATUS_GDA),
            (reg.OUTZ_H_A, reg.STATUS_XLDA),
        ):
            if first <= high_byte <= last:
                self._fresh &= ~bit

    @property
    def _watermark(self) -> int:
        return self._registers[reg.FIFO_CTRL1] | (self._registers[reg.FIFO_CTRL2] & 1) << 8

    @property
    def _fifo_depth(self) -> int:
        stops_early = self._registers[reg.FIFO_CTRL2] & 0x80 and self._watermark
        return self._watermark if stops_early else reg.FIFO_WORDS

    @property
    def _words_per_slot(self) -> int:
        batch = self._registers[reg.FIFO_CTRL3]
        return bool(batch & 0x0F) + bool(batch & 0xF0)

    def _push_words(self, ahead: _Ahead, first: int, end: int) -> None:
        start = ahead.word_end[first - 1] if first else 0
        keeps_oldest = self._registers[reg.FIFO_CTRL4] & 7 == reg.MODE_FIFO
        self.fifo.push(ahead.words[start : ahead.word_end[end - 1]], self._fifo_depth, keeps_oldest)

    # ---- making samples ----

    def _divider(self, register: int) -> int:
        """Return what divides the oscillator for CTRL1_XL or CTRL2_G; 0 is off."""
        if register == reg.CTRL2_G and self._registers[reg.CTRL4_C] & reg.CTRL4_SLEEP_G:
            return 0
        return reg.RATE_DIVIDERS.get(self._registers[register] >> 4, 0)

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
        slots = self._slot + 1 + np.arange(n)
        t_s = np.asarray(self._on_s + period_s * slots, dtype=np.float64)
        more = max(n - len(self._noise_left), 0)
        noise = np.concatenate((self._noise_left, self._rng.standard_normal((more, _NOISES))))
        walk = noise[:n, 6:] * math.sqrt(period_s)
        gyr_walk = _running_sum(self._gyr_walk, walk[:, :3] * self.errors.gyr_walk)
        acc_walk = _running_sum(self._acc_walk, walk[:, 3:] * self.errors.acc_walk)
        counts = self._measure(t_s, noise[:n], gyr_walk, acc_walk, period_s)
        words, word_end = self._pack_words(slots, counts)
        fresh = self._fresh_bits(slots)
        return _Ahead(t_s.tolist(), noise, gyr_walk, acc_walk, counts, fresh, words, word_end)

    def _measure(
        self, t_s: FloatArray, noise: FloatArray, gyr_walk: FloatArray, acc_walk: FloatArray, period_s: float
    ) -> NDArray[np.int16]:
        """Return the counts (n, 7): temperature, gyroscope, accelerometer."""
        e = self.errors
        left = np.clip(np.searchsorted(self._truth_t, t_s, "right") - 1, 0, max(len(self._truth_t) - 2, 0))
        right = np.minimum(left + 1, len(self._truth_t) - 1)
        span = np.maximum(self._truth_t[right] - self._truth_t[left], 1e-12)
        part = np.clip((t_s - self._truth_t[left]) / span, 0, 1)[:, None]
        truth = self._truth[left] * (1 - part) + self._truth[right] * part
        warmer_k = self.temperature_c - _REFERENCE_C
        bandwidth = math.sqrt(0.5 / period_s)
        gyr = truth[:, :3] * e.gyr_scale + (e.gyr_bias_rad_s + e.gyr_bias_rad_s_per_k * warmer_k) + gyr_walk
        gyr += noise[:, :3] * (e.gyr_noise_density * bandwidth) + self._self_test_gyr_rad_s()
        acc = truth[:, 3:] * e.acc_scale + (e.acc_bias_m_s2 + e.acc_bias_m_s2_per_k * warmer_k) + acc_walk
        acc += noise[:, 3:6] * (e.acc_noise_density * bandwidth) + self._self_test_acc_m_s2()
        counts = np.empty((len(t_s), 7))
        counts[:, 0] = (warmer_k + e.temperature_offset_k) * reg.TEMPERATURE_COUNTS_PER_K
        counts[:, 1:4] = gyr / self.gyr_rad_s_per_count
        counts[:, 4:7] = acc / self.acc_m_s2_per_count
        if not self._divider(reg.CTRL2_G):
            counts[:, 1:4] = 0
        if not self._divider(reg.CTRL1_XL):
            counts[:, 4:7] = 0
        return np.clip(np.rint(counts), -32768, 32767).astype(np.int16)

    @property
    def gyr_rad_s_per_count(self) -> float:
        """Scale that CTRL2_G selects."""
        control = self._registers[reg.CTRL2_G]
        if control & 0x02:
            return reg.GYR_125_MDPS_PER_COUNT * 1e-3 * _DPS
        return reg.GYR_MDPS_PER_COUNT[control >> 2 & 3] * 1e-3 * _DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that CTRL1_XL selects."""
        return reg.ACC_MG_PER_COUNT[self._registers[reg.CTRL1_XL] >> 2 & 3] * 1e-3 * G_M_S2

    def _self_test_gyr_rad_s(self) -> float:
        sign = {1: 1.0, 3: -1.0}.get(self._registers[reg.CTRL5_C] >> 2 & 3, 0.0)
        return sign * reg.SELF_TEST_GYR_DPS * _DPS

    def _self_test_acc_m_s2(self) -> float:
        sign = {1: 1.0, 2: -1.0}.get(self._registers[reg.CTRL5_C] & 3, 0.0)
        return sign * reg.SELF_TEST_ACC_MG * 1e-3 * G_M_S2

    def _fresh_bits(self, slots: NDArray[np.int64]) -> list[int]:
        bits = np.full(len(slots), reg.STATUS_TDA)
        for register, bit in ((reg.CTRL2_G, reg.STATUS_GDA), (reg.CTRL1_XL, reg.STATUS_XLDA)):
            divider = self._divider(register)
            if divider:
                bits |= np.where(slots % (divider // self._slot_divider) == 0, bit, 0)
        return bits.tolist()

    @property
    def _slot_divider(self) -> int:
        return min(d for d in (self._divider(reg.CTRL1_XL), self._divider(reg.CTRL2_G)) if d)

    def _pack_words(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        """Return the FIFO words of the samples, and for each sample the byte where its words end."""
        r = self._registers
        if r[reg.FIFO_CTRL4] & 7 == reg.MODE_BYPASS:
            return b"", [0] * len(slots)
        batch = (
            (reg.RATE_DIVIDERS.get(r[reg.FIFO_CTRL3] >> 4, 0), self._divider(reg.CTRL2_G)),
            (reg.RATE_DIVIDERS.get(r[reg.FIFO_CTRL3] & 15, 0), self._divider(reg.CTRL1_XL)),
            (reg.TEMPERATURE_DIVIDERS.get(r[reg.FIFO_CTRL4] >> 4 & 3, 0), self._slot_divider),
        )
        is_batched = np.zeros((len(slots), 3), dtype=bool)
        for k, (batch_divider, own_divider) in enumerate(batch):
            if batch_divider and own_divider:
                every = max(batch_divider, own_divider) // self._slot_divider
                is_batched[:, k] = slots % every == 0
        return pack_words(slots, counts, is_batched)


def _running_sum(start: FloatArray, steps: FloatArray) -> FloatArray:
    """Return start plus the running sum of the steps; adding in order makes any cut give the same numbers."""
    path: FloatArray = np.cumsum(np.concatenate((start[None, :], steps)), axis=0)
    return path[1:]
