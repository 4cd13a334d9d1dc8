"""A BMI270 at register level: physical truth in, register bytes out, as on the I2C bus.

Source: Bosch datasheet BST-BMI270-DS000. The real part runs only with Bosch's configuration; this one wants
`STAND_IN_CONFIG` instead, 8 kB of random bytes, and refuses to work unless all of it arrived as the data sheet
asks: awake for 450 us, INIT_CTRL 0, every piece at the address where the one before ended, INIT_CTRL 1. The
firmware driver has its own list of registers on purpose.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu.imu_errors import BMI270, DPS, G_M_S2
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import FloatArray

STAND_IN_CONFIG: Final = np.random.default_rng(0xB270).bytes(8192)
CHIP_ID: Final = 0x00
ACC_DATA: Final = 0x0C  # accelerometer, gyroscope
INT_STATUS_0: Final = 0x1C  # bit 6 any motion
INTERNAL_STATUS: Final = 0x21
TEMPERATURE: Final = 0x22
FIFO_LENGTH: Final = 0x24
FIFO_DATA: Final = 0x26
FEAT_PAGE: Final = 0x2F
FEATURES: Final = 0x30
ACC_CONF: Final = 0x40
ACC_RANGE: Final = 0x41
GYR_CONF: Final = 0x42
GYR_RANGE: Final = 0x43
FIFO_CONFIG_1: Final = 0x49
INT1_MAP_FEAT: Final = 0x56
INIT_CTRL: Final = 0x59
INIT_ADDR_0: Final = 0x5B
INIT_DATA: Final = 0x5E
ACC_SELF_TEST: Final = 0x6D
GYR_SELF_TEST: Final = 0x6E
PWR_CONF: Final = 0x7C
PWR_CTRL: Final = 0x7D
CMD: Final = 0x7E
_FRAME = 12
_CONFIG_BYTES = 8192
_INIT_S = 0.02
_AWAKE_S = 450e-6  # after leaving power save
# The part's own leak of the gyroscope's z into x, in 1/512: a register says it, and the driver takes it out.
_CROSS = 6
_ACC_TEST_G = np.array([9.0, -8.5, 6.0])
_DEFAULTS = {ACC_CONF: 0xA8, ACC_RANGE: 0x02, GYR_CONF: 0xA9, FIFO_CONFIG_1: 0x10, 0x48: 0x02, PWR_CONF: 0x03}


class Bmi270(ImuModel):
    """The part; parameters as ImuModel."""

    figures = BMI270
    who_am_i = 0x24
    fifo_register = FIFO_DATA
    fifo_filler = b"\x00\x80"
    fifo_bytes = 2048
    fifo_unit = _FRAME

    def _reset_registers(self) -> None:
        for register, value in _DEFAULTS.items():
            self._registers[register] = value
        self._registers[CHIP_ID] = self.who_am_i
        self._pages = [bytearray(16) for _ in range(8)]
        self._pages[0][0x0C] = _CROSS
        self._config = bytearray(_CONFIG_BYTES)
        self._loaded_bytes: int | None = None  # of the configuration, in order; None: closed
        self._awake_s = math.inf
        self._loaded_s: float | None = None  # when the configuration takes effect

    @property
    def _is_running(self) -> bool:
        return self._loaded_s is not None and self._config == STAND_IN_CONFIG

    # ---- the bus side ----

    def _refresh(self) -> None:
        r = self._registers
        outputs = np.concatenate((self._latest[4:], self._latest[1:4]))
        r[ACC_DATA : ACC_DATA + 12] = outputs.astype("<i2").tobytes()
        r[TEMPERATURE : TEMPERATURE + 2] = self._latest[:1].astype("<i2").tobytes()
        r[FIFO_LENGTH : FIFO_LENGTH + 2] = self.fifo.level.to_bytes(2, "little")
        r[FEATURES : FEATURES + 16] = self._pages[r[FEAT_PAGE] & 7]
        r[INT_STATUS_0] = 0x40 if self._has_moved else 0
        r[INTERNAL_STATUS] = self._status()

    def _after_read(self, first: int, last: int) -> None:
        if first <= INT_STATUS_0 <= last:
            self._has_moved = False

    def _status(self) -> int:
        if self._loaded_s is None or self._now_s < self._loaded_s:
            return 0
        return 1 if self._is_running else 2

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on; INIT_DATA takes any number."""
        if register == INIT_DATA:
            self._load(data)
        else:
            super().write(register, data)

    def _load(self, data: bytes) -> None:
        """Take a piece of the configuration; one that does not begin where the last ended spoils all of it."""
        if self._loaded_bytes is None:
            return
        r = self._registers
        at = 2 * ((r[INIT_ADDR_0] & 15) | r[INIT_ADDR_0 + 1] << 4)
        if at != self._loaded_bytes or at + len(data) > _CONFIG_BYTES:
            self._config = bytearray(_CONFIG_BYTES)
            self._loaded_bytes = None
            return
        self._config[at : at + len(data)] = data
        self._loaded_bytes += len(data)

    def _begin_or_end_load(self, starts: bool) -> None:
        """INIT_CTRL: 0 opens the memory for the configuration, once the part is awake; 1 starts it."""
        if starts:
            self._loaded_bytes = None
            self._loaded_s = self._now_s + _INIT_S
        elif self._loaded_s is None and self._now_s >= self._awake_s:
            self._loaded_bytes = 0

    def _write_one(self, register: int, value: int) -> None:
        if register == CMD:
            self._command(value)
        else:
            super()._write_one(register, value)

    def _set(self, register: int, value: int) -> None:
        if FEATURES <= register < FEATURES + 16:
            self._pages[self._registers[FEAT_PAGE] & 7][register - FEATURES] = value
        elif register not in (CHIP_ID, INTERNAL_STATUS, GYR_SELF_TEST):
            super()._set(register, value)
        if register == PWR_CONF:
            self._awake_s = math.inf if value & 1 else min(self._awake_s, self._now_s + _AWAKE_S)
        elif register == INIT_CTRL:
            self._begin_or_end_load(bool(value & 1))

    def _command(self, value: int) -> None:
        if value == 0xB6:
            self.power_cycle()
        elif value == 0xB0:
            self.fifo.clear()
        elif value == 0x02 and self._is_running:
            passed = [1 << (k + 1) for k in range(3) if self.self_test_response[k] > 0.5]
            self._registers[GYR_SELF_TEST] = 1 | sum(passed)

    # ---- the physical side ----

    def _sensors_on(self) -> tuple[bool, bool]:
        power = self._registers[PWR_CTRL]
        return bool(power & 2) and self._is_running, bool(power & 4) and self._is_running

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples of the faster of the two sensors; 0 while both are off."""
        gyr_is_on, acc_is_on = self._sensors_on()
        codes = [
            self._registers[register] & 15
            for register, is_on in ((GYR_CONF, gyr_is_on), (ACC_CONF, acc_is_on))
            if is_on
        ]
        return 1 / (100 * 2.0 ** (max(codes) - 8) * (1 + self.errors.rate_error)) if codes else 0.0

    @property
    def gyr_rad_s_per_count(self) -> float:
        """Scale that GYR_RANGE selects."""
        return 2000 / 2 ** (self._registers[GYR_RANGE] & 7) / 32768 * DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that ACC_RANGE selects."""
        return 2 * 2 ** (self._registers[ACC_RANGE] & 3) / 32768 * G_M_S2

    def _temperature_counts(self, celsius: float) -> float:
        return (celsius - 23) * 512

    def _measure(
        self, t_s: FloatArray, noise: FloatArray, gyr_walk: FloatArray, acc_walk: FloatArray, period_s: float
    ) -> NDArray[np.int16]:
        counts = super()._measure(t_s, noise, gyr_walk, acc_walk, period_s)
        leaky = counts[:, 1].astype(np.int32) + (_CROSS * counts[:, 3].astype(np.int32) >> 9)
        counts[:, 1] = np.clip(leaky, -32768, 32767)
        return counts

    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        control = self._registers[ACC_SELF_TEST]
        size = (control & 1) * (1.0 if control & 8 else 0.25) * (1.0 if control & 4 else -1.0)
        return np.zeros(3), size * _ACC_TEST_G * G_M_S2

    def _wake_m_s2(self) -> float:
        settings = int.from_bytes(self._pages[1][0x0E:0x10], "little")
        if not (settings & 0x8000 and self._registers[INT1_MAP_FEAT] & 0x40):
            return 0.0
        return (settings & 0x7FF) / 2048 * G_M_S2

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        config = self._registers[FIFO_CONFIG_1]
        if not config & 0xE0:
            return b"", [0] * len(slots)
        same_rate = self._registers[ACC_CONF] & 15 == self._registers[GYR_CONF] & 15
        if config & 0xF0 != 0xC0 or not same_rate:
            raise ValueError("this model's FIFO takes both sensors at one rate, without headers, only")
        return counts[:, 1:].astype("<i2").tobytes(), (_FRAME * (1 + np.arange(len(slots)))).tolist()
