"""An LSM6DSOX at register level: physical truth in (rad/s, m/s2), register bytes out, as on the I2C bus.

LSM6DSO and LSM6DSR differ in the identity only, as far as they are modelled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.imu_errors import G_M_S2, LSM6DSOX, ImuErrors
from tiltwise.sim.imu.imu_model import DPS, FrontEnd
from tiltwise.sim.imu.lsm6dsox_fifo import Fifo, pack_words
from tiltwise.types import FloatArray


class Lsm6dsox(FrontEnd):
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
        self.who_am_i = reg.WHO_AM_I_VALUE
        self.fifo = Fifo()
        own = ImuErrors.individual(seed, LSM6DSOX) if errors is None else errors
        super().__init__(seed, own, start_s, temperature_c)

    def power_cycle(self) -> None:
        """Lose everything that needs power: registers, FIFO, sample count."""
        self._discard_ahead()
        self._registers = bytearray(128)
        self._restart()
        self.fifo.clear()
        self._fresh = 0
        self._has_moved = False
        self._latest = np.zeros(7, dtype=np.int16)
        self._reset_registers()

    # ---- the physical side ----

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples of the faster of the two sensors; 0 while both are off."""
        dividers = [d for d in (self._divider(reg.CTRL1_XL), self._divider(reg.CTRL2_G)) if d]
        return min(dividers) / (reg.BASE_RATE_HZ * (1 + self.errors.rate_error)) if dividers else 0.0

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
            self._restart()
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
        r[reg.OUT_TEMP_L : reg.OUTZ_H_A + 1] = self._latest.tobytes()
        r[reg.WAKE_UP_SRC] = 0x08 if self._has_moved else 0
        self._refresh_fifo()

    def _refresh_fifo(self) -> None:
        r = self._registers
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
        self.fifo.push(data, self._fifo_depth, keeps_oldest)

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
