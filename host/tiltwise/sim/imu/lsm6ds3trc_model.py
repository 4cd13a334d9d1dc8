"""An LSM6DS3TR-C at register level: an LSM6DSOX with an older FIFO of bare 16-bit words in a fixed pattern.

Source: ST datasheet DS12232 (DocID030071) and application note AN5130. In normal and low-power mode the noise is the
stated RMS of a sample, whatever the rate.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.imu_errors import DPS, G_M_S2, LSM6DS3TRC
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

FIFO_CTRL3: Final = 0x08  # bits 5:3 gyroscope decimation, bits 2:0 accelerometer decimation; 0 leaves it out
FIFO_CTRL5: Final = 0x0A  # bits 6:3 rate, bits 2:0 mode
FIFO_STATUS1: Final = 0x3A
FIFO_STATUS2: Final = 0x3B  # bit 6 overrun, bit 4 empty, bits 2:0 level bits 10:8
FIFO_STATUS3: Final = 0x3C  # pattern
FIFO_DATA_OUT_L: Final = 0x3E
FIFO_WORDS: Final = 2048  # 4 kB
ACC_NORMAL: Final = 0x10  # in CTRL6_C
GYR_NORMAL: Final = 0x80  # in CTRL7_G
NORMAL_MODE_MDPS: Final = 75.0
NORMAL_MODE_MG: Final = {0: 1.7, 1: 3.0, 2: 2.0, 3: 2.4}  # by the range's code: 2, 16, 4, 8 g
_PATTERN = 6


class Lsm6ds3trc(Lsm6dsox):
    """The part; parameters as ImuModel."""

    figures = LSM6DS3TRC
    who_am_i = 0x6A
    fifo_register = fifo_last_register = FIFO_DATA_OUT_L  # reading on repeats it and FIFO_DATA_OUT_H
    fifo_bytes = 2 * FIFO_WORDS
    fifo_unit = 2

    def _reset_registers(self) -> None:
        super()._reset_registers()
        self._registers[reg.INTERNAL_FREQ_FINE] = 0  # not in this part

    def _write_one(self, register: int, value: int) -> None:
        if register != FIFO_CTRL5:  # at the address of the LSM6DSOX's FIFO_CTRL4, which checks its own modes
            super()._write_one(register, value)
            return
        self._discard_ahead()
        self._registers[register] = value
        if value & 7 == reg.MODE_BYPASS:
            self.fifo.clear()

    def _noise_rms(self, period_s: float) -> tuple[float, float]:
        gyr_rms, acc_rms = super()._noise_rms(period_s)
        r = self._registers
        if gyr_rms and r[reg.CTRL7_G] & GYR_NORMAL:
            gyr_rms = NORMAL_MODE_MDPS / 1000 * DPS
        if acc_rms and r[reg.CTRL6_C] & ACC_NORMAL:
            acc_rms = NORMAL_MODE_MG[r[reg.CTRL1_XL] >> 2 & 3] / 1000 * G_M_S2
        return gyr_rms, acc_rms

    def _refresh_fifo(self) -> None:
        level = self.fifo.level // 2
        pattern = self.fifo.position // 2 % _PATTERN
        overrun = self.fifo.is_overrun or level >= FIFO_WORDS
        flags = (0x40 if overrun else 0) | (0x10 if level == 0 else 0)
        self._registers[FIFO_STATUS1 : FIFO_STATUS3 + 2] = bytes(
            (level & 0xFF, flags | level >> 8 & 7, pattern, 0)
        )

    def _push(self, data: bytes) -> None:
        self.fifo.push(data)

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        r = self._registers
        if r[FIFO_CTRL5] & 7 == reg.MODE_BYPASS or not r[FIFO_CTRL5] >> 3 & 15:
            return b"", [0] * len(slots)
        if r[FIFO_CTRL3] & 0x3F != 0x09 or r[FIFO_CTRL5] >> 3 & 15 != r[reg.CTRL2_G] >> 4:
            raise ValueError("this model's FIFO takes both sensors at the gyroscope's rate only")
        ends = 2 * _PATTERN * (1 + np.arange(len(slots)))
        return counts[:, 1:].astype("<i2").tobytes(), ends.tolist()
