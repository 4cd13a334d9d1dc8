"""An LSM6DS3TR-C at register level: an LSM6DSOX with an older FIFO of bare 16-bit words in a fixed pattern.

Source: ST datasheet DS12232 and application note AN5130.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.byte_fifo import ByteFifo
from tiltwise.sim.imu.imu_errors import LSM6DS3TRC, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

WHO_AM_I_VALUE: Final = 0x6A
FIFO_CTRL3: Final = 0x08  # bits 5:3 gyroscope decimation, bits 2:0 accelerometer decimation; 0 leaves it out
FIFO_CTRL5: Final = 0x0A  # bits 6:3 rate, bits 2:0 mode
FIFO_STATUS1: Final = 0x3A
FIFO_STATUS2: Final = 0x3B  # bit 6 overrun, bit 4 empty, bits 2:0 level bits 10:8
FIFO_STATUS3: Final = 0x3C  # pattern
FIFO_DATA_OUT_L: Final = 0x3E
FIFO_WORDS: Final = 2048  # 4 kB
_PATTERN = 6


class Lsm6ds3trc(Lsm6dsox):
    """The part; parameters as Lsm6dsox."""

    def __init__(
        self,
        seed: int = 0,
        errors: ImuErrors | None = None,
        start_s: float = 0.0,
        temperature_c: float = 25.0,
    ) -> None:
        self.words = ByteFifo(2 * FIFO_WORDS, 2)
        own = ImuErrors.individual(seed, LSM6DS3TRC) if errors is None else errors
        super().__init__(seed, own, start_s, temperature_c)
        self.who_am_i = WHO_AM_I_VALUE
        self.power_cycle()

    def power_cycle(self) -> None:
        """Lose everything that needs power."""
        super().power_cycle()
        self.words.clear()
        self._registers[reg.INTERNAL_FREQ_FINE] = 0  # not in this part

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes; FIFO_DATA_OUT_L and _H repeat."""
        if register == FIFO_DATA_OUT_L:
            return self.words.read(n)
        data = super().read(register, n)
        if register <= FIFO_STATUS2 < register + n:
            self.words.is_overrun = False
        return data

    def _write_one(self, register: int, value: int) -> None:
        if register == reg.CTRL3_C or register not in (FIFO_CTRL5, reg.FIFO_CTRL4):
            super()._write_one(register, value)
            return
        self._discard_ahead()
        self._registers[register] = value
        if register == FIFO_CTRL5 and value & 7 == reg.MODE_BYPASS:
            self.words.clear()

    def _refresh_fifo(self) -> None:
        level = self.words.level // 2
        pattern = self.words.position // 2 % _PATTERN
        overrun = self.words.is_overrun or level >= FIFO_WORDS
        flags = (0x40 if overrun else 0) | (0x10 if level == 0 else 0)
        self._registers[FIFO_STATUS1 : FIFO_STATUS3 + 2] = bytes(
            (level & 0xFF, flags | level >> 8 & 7, pattern, 0)
        )

    def _push(self, data: bytes) -> None:
        self.words.push(data)

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        r = self._registers
        if r[FIFO_CTRL5] & 7 == reg.MODE_BYPASS or not r[FIFO_CTRL5] >> 3 & 15:
            return b"", [0] * len(slots)
        if r[FIFO_CTRL3] & 0x3F != 0x09 or r[FIFO_CTRL5] >> 3 & 15 != r[reg.CTRL2_G] >> 4:
            raise ValueError("this model's FIFO takes both sensors at the gyroscope's rate only")
        ends = 2 * _PATTERN * (1 + np.arange(len(slots)))
        return counts[:, 1:].astype("<i2").tobytes(), ends.tolist()
