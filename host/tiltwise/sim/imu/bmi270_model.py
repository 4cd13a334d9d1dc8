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

from tiltwise.sim.imu.byte_fifo import ByteFifo
from tiltwise.sim.imu.imu_errors import BMI270, G_M_S2, ImuErrors
from tiltwise.sim.imu.imu_model import DPS, FrontEnd
from tiltwise.types import FloatArray

STAND_IN_CONFIG: Final = np.random.default_rng(0xB270).bytes(8192)
CHIP_ID_VALUE: Final = 0x24
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
_FIFO_BYTES = 2048
_CONFIG_BYTES = 8192
_INIT_S = 0.02
_AWAKE_S = 450e-6  # after leaving power save
_CROSS = (
    6  # the part's own leak of the gyroscope's z into x, in 1/512: it is told, and the driver takes it out
)
_ACC_TEST_G = np.array([9.0, -8.5, 6.0])
_DEFAULTS = {ACC_CONF: 0xA8, ACC_RANGE: 0x02, GYR_CONF: 0xA9, FIFO_CONFIG_1: 0x10, 0x48: 0x02, PWR_CONF: 0x03}


class Bmi270(FrontEnd):
    """The part; parameters as FrontEnd, errors from the seed when absent."""

    def __init__(
        self,
        seed: int = 0,
        errors: ImuErrors | None = None,
        start_s: float = 0.0,
        temperature_c: float = 25.0,
    ) -> None:
        self.who_am_i = CHIP_ID_VALUE
        self.fifo = ByteFifo(_FIFO_BYTES, _FRAME)
        own = ImuErrors.individual(seed, BMI270) if errors is None else errors
        super().__init__(seed, own, start_s, temperature_c)

    def power_cycle(self) -> None:
        """Lose everything that needs power, the configuration too."""
        self._discard_ahead()
        self._registers = bytearray(128)
        for register, value in _DEFAULTS.items():
            self._registers[register] = value
        self._registers[0x00] = self.who_am_i
        self._pages = [bytearray(16) for _ in range(8)]
        self._pages[0][0x0C] = _CROSS
        self._config = bytearray(_CONFIG_BYTES)
        self._taken: int | None = None  # bytes of it that came in order; None: it does not take any now
        self._awake_s = math.inf
        self._loaded_s: float | None = None  # when the configuration takes effect
        self.fifo.clear()
        self._has_moved = False
        self._latest = np.zeros(7, dtype=np.int16)
        self._restart()

    @property
    def _is_running(self) -> bool:
        return self._loaded_s is not None and self._config == STAND_IN_CONFIG

    # ---- the bus side ----

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes from a register on; the FIFO does not go on to the next register."""
        if register == FIFO_DATA:
            return self.fifo.read(n, b"\x00\x80")
        r = self._registers
        r[ACC_DATA : ACC_DATA + 12] = (
            np.concatenate((self._latest[4:], self._latest[1:4])).astype("<i2").tobytes()
        )
        r[TEMPERATURE : TEMPERATURE + 2] = self._latest[:1].astype("<i2").tobytes()
        r[FIFO_LENGTH : FIFO_LENGTH + 2] = self.fifo.level.to_bytes(2, "little")
        r[FEATURES : FEATURES + 16] = self._pages[r[FEAT_PAGE] & 7]
        r[INT_STATUS_0] = 0x40 if self._has_moved else 0
        r[INTERNAL_STATUS] = self._status()
        data = bytes(r[register : register + n])
        if register <= INT_STATUS_0 < register + n:
            self._has_moved = False
        return data + bytes(n - len(data))

    def _status(self) -> int:
        if self._loaded_s is None or self._now_s < self._loaded_s:
            return 0
        return 1 if self._is_running else 2

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on; INIT_DATA takes any number."""
        if register == INIT_DATA:
            self._load(data)
            return
        for k, value in enumerate(data):
            self._write_one(register + k, value)

    def _load(self, data: bytes) -> None:
        """Take a piece of the configuration; one that does not begin where the last ended spoils all of it."""
        if self._taken is None:
            return
        r = self._registers
        at = 2 * ((r[INIT_ADDR_0] & 15) | r[INIT_ADDR_0 + 1] << 4)
        if at != self._taken or at + len(data) > _CONFIG_BYTES:
            self._config = bytearray(_CONFIG_BYTES)
            self._taken = None
            return
        self._config[at : at + len(data)] = data
        self._taken += len(data)

    def _begin_or_end_load(self, starts: bool) -> None:
        """INIT_CTRL: 0 opens the memory for the configuration, once the part is awake; 1 starts it."""
        if starts:
            self._taken = None
            self._loaded_s = self._now_s + _INIT_S
        elif self._loaded_s is None and self._now_s >= self._awake_s:
            self._taken = 0

    def _write_one(self, register: int, value: int) -> None:
        if register == CMD:
            self._command(value)
            return
        self._discard_ahead()
        period_s = self.slot_period_s
        if FEATURES <= register < FEATURES + 16:
            self._pages[self._registers[FEAT_PAGE] & 7][register - FEATURES] = value
        elif register not in (0x00, INTERNAL_STATUS, GYR_SELF_TEST):
            self._registers[register] = value
        if register == PWR_CONF:
            self._awake_s = math.inf if value & 1 else min(self._awake_s, self._now_s + _AWAKE_S)
        elif register == INIT_CTRL:
            self._begin_or_end_load(bool(value & 1))
        if self.slot_period_s != period_s:
            self._restart()

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

    def _push(self, data: bytes) -> None:
        self.fifo.push(data)

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        config = self._registers[FIFO_CONFIG_1]
        if not config & 0xE0:
            return b"", [0] * len(slots)
        same_rate = self._registers[ACC_CONF] & 15 == self._registers[GYR_CONF] & 15
        if config & 0xF0 != 0xC0 or not same_rate:
            raise ValueError("this model's FIFO takes both sensors at one rate, without headers, only")
        return counts[:, 1:].astype("<i2").tobytes(), (_FRAME * (1 + np.arange(len(slots)))).tolist()
