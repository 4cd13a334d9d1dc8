"""An LSM6DSOX at register level: physical truth in (rad/s, m/s2), register bytes out, as on the I2C bus.

LSM6DSO and LSM6DSR differ in the identity only, as far as they are modelled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.imu_errors import DPS, G_M_S2, LSM6DSOX
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import FloatArray

_ODD_BITS = np.array([value.bit_count() & 1 for value in range(256)], dtype=np.uint8)


class Lsm6dsox(ImuModel):
    """The part; parameters as ImuModel."""

    figures = LSM6DSOX
    who_am_i = reg.WHO_AM_I_VALUE
    fifo_register = reg.FIFO_DATA_OUT_TAG
    fifo_last_register = reg.FIFO_DATA_OUT_Z_H
    fifo_bytes = reg.FIFO_WORDS * reg.WORD_BYTES
    fifo_unit = reg.WORD_BYTES

    # ---- the physical side ----

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples of the faster of the two sensors; 0 while both are off."""
        dividers = [d for d in (self._divider(reg.CTRL1_XL), self._divider(reg.CTRL2_G)) if d]
        return min(dividers) / (reg.BASE_RATE_HZ * (1 + self.errors.rate_error)) if dividers else 0.0

    # ---- the bus side ----

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes from a register on, with the part's address increment and FIFO rounding."""
        if self.fifo_register < register <= self.fifo_last_register:
            skipped = register - self.fifo_register
            return self.fifo.read(skipped + n)[skipped:]
        if register == self.fifo_register or self._registers[reg.CTRL3_C] & reg.CTRL3_IF_INC:
            return super().read(register, n)
        return super().read(register, 1) * n

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
        super()._write_one(register, value)
        if register == reg.FIFO_CTRL4 and mode == reg.MODE_BYPASS:
            self.fifo.clear()

    def _reset_registers(self) -> None:
        for register, value in reg.DEFAULTS.items():
            self._registers[register] = value
        self._registers[reg.WHO_AM_I] = self.who_am_i
        self._registers[reg.INTERNAL_FREQ_FINE] = round(self.errors.rate_error / reg.FREQ_FINE_STEP) & 0xFF

    def _refresh(self) -> None:
        r = self._registers
        r[reg.STATUS_REG] = self._fresh
        r[reg.OUT_TEMP_L : reg.OUTZ_H_A + 1] = self._latest.tobytes()
        r[reg.WAKE_UP_SRC] = 0x08 if self._has_moved else 0
        self._refresh_fifo()

    def _refresh_fifo(self) -> None:
        r = self._registers
        level = self.fifo.level // reg.WORD_BYTES
        depth = self._fifo_depth
        watermark = self._watermark
        flags = (
            (reg.FIFO2_WTM if watermark and level >= watermark else 0)
            | (reg.FIFO2_OVR if level >= depth else 0)
            | (reg.FIFO2_FULL if level + self._words_per_slot >= depth else 0)
            | (reg.FIFO2_OVR_LATCHED if self.fifo.is_overrun else 0)
        )
        r[reg.FIFO_STATUS1] = level & 0xFF
        r[reg.FIFO_STATUS2] = flags | level >> 8

    def _after_read(self, first: int, last: int) -> None:
        """Clear what reading clears: new-data bits by the high bytes, the latched overrun by its register."""
        if first <= reg.FIFO_STATUS2 <= last:
            self.fifo.is_overrun = False
        if first <= reg.WAKE_UP_SRC <= last:
            self._has_moved = False
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

    def _push(self, data: bytes) -> None:
        keeps_oldest = self._registers[reg.FIFO_CTRL4] & 7 == reg.MODE_FIFO
        self.fifo.capacity = self._fifo_depth * reg.WORD_BYTES
        self.fifo.push(data, keeps_oldest)

    # ---- making samples ----

    def _divider(self, register: int) -> int:
        """Return what divides the oscillator for CTRL1_XL or CTRL2_G; 0 is off."""
        if register == reg.CTRL2_G and self._registers[reg.CTRL4_C] & reg.CTRL4_SLEEP_G:
            return 0
        return reg.RATE_DIVIDERS.get(self._registers[register] >> 4, 0)

    def _sensors_on(self) -> tuple[bool, bool]:
        return bool(self._divider(reg.CTRL2_G)), bool(self._divider(reg.CTRL1_XL))

    def _temperature_counts(self, celsius: float) -> float:
        return (celsius - 25) * reg.TEMPERATURE_COUNTS_PER_K

    def _wake_m_s2(self) -> float:
        r = self._registers
        if not (r[reg.TAP_CFG2] & 0x80 and r[reg.MD1_CFG] & 0x20):
            return 0.0
        return (r[reg.WAKE_UP_THS] & 63) * 32768 / 64 * self.acc_m_s2_per_count

    @property
    def gyr_rad_s_per_count(self) -> float:
        """Scale that CTRL2_G selects."""
        control = self._registers[reg.CTRL2_G]
        if control & 0x02:
            return reg.GYR_125_MDPS_PER_COUNT * 1e-3 * DPS
        return reg.GYR_MDPS_PER_COUNT[control >> 2 & 3] * 1e-3 * DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that CTRL1_XL selects."""
        return reg.ACC_MG_PER_COUNT[self._registers[reg.CTRL1_XL] >> 2 & 3] * 1e-3 * G_M_S2

    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        control = self._registers[reg.CTRL5_C]
        gyr = {1: 1.0, 3: -1.0}.get(control >> 2 & 3, 0.0) * reg.SELF_TEST_GYR_DPS * DPS
        acc = {1: 1.0, 2: -1.0}.get(control & 3, 0.0) * reg.SELF_TEST_ACC_MG * 1e-3 * G_M_S2
        return np.full(3, gyr), np.full(3, acc)

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

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
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


def pack_words(
    slots: NDArray[np.int64], counts: NDArray[np.int16], is_batched: NDArray[np.bool_]
) -> tuple[bytes, list[int]]:
    """Make the words of n samples.

    Parameters
    ----------
    slots : (n,) time slot of each sample; its last two bits are the tag counter
    counts : (n, 7) temperature, gyroscope, accelerometer
    is_batched : (n, 3) whether gyroscope, accelerometer and temperature go into the FIFO

    Returns
    -------
    All words in order, and for each sample the byte where its words end.
    """
    n = len(slots)
    words = np.zeros((n, 3, reg.WORD_BYTES), dtype=np.uint8)
    for k, tag in enumerate((reg.TAG_GYR, reg.TAG_ACC, reg.TAG_TEMPERATURE)):
        words[:, k, 0] = tag << 3 | (slots & 3) << 1
    words[:, :, 0] |= _ODD_BITS[words[:, :, 0]]  # the lowest bit makes the parity of the tag even
    data = counts.astype("<i2").view(np.uint8).reshape(n, 14)
    words[:, 0, 1:] = data[:, 2:8]
    words[:, 1, 1:] = data[:, 8:14]
    words[:, 2, 1:3] = data[:, 0:2]
    word_end = np.cumsum(is_batched.sum(axis=1)) * reg.WORD_BYTES
    return words[is_batched].tobytes(), word_end.tolist()
