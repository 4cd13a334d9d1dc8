"""An MPU-6050, or a relative sold under its name, at register level: physical truth in, register bytes out.

Source: InvenSense RM-MPU-6000A and PS-MPU-6000A, RM-MPU-6500A for the relatives. The firmware driver has its own
list of registers on purpose.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu.imu_errors import DPS, G_M_S2, MPU6050, ImuErrors
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import FloatArray

SELF_TEST_GYR_6500: Final = 0x00
SELF_TEST_X: Final = 0x0D
SMPLRT_DIV: Final = 0x19
CONFIG: Final = 0x1A
GYRO_CONFIG: Final = 0x1B  # bits 7:5 self-test, bits 4:3 range
ACCEL_CONFIG: Final = 0x1C
MOT_THR: Final = 0x1F
FIFO_EN: Final = 0x23
INT_ENABLE: Final = 0x38
INT_STATUS: Final = 0x3A  # bit 6 motion, bit 4 FIFO overflow
ACCEL_XOUT_H: Final = 0x3B  # accelerometer, temperature, gyroscope
USER_CTRL: Final = 0x6A
PWR_MGMT_1: Final = 0x6B
PWR_MGMT_2: Final = 0x6C
FIFO_COUNTH: Final = 0x72
FIFO_R_W: Final = 0x74
WHO_AM_I: Final = 0x75
_FAMILY_6500 = (0x70, 0x71, 0x73)
_LP_WAKE_HZ = (1.25, 5.0, 20.0, 40.0)
_CODE_6050, _CODE_6500 = 16, 150  # factory trim of the self-test


class Mpu6050(ImuModel):
    """The part; parameters as ImuModel.

    Parameters
    ----------
    who_am_i : 0x68 is genuine; 0x70, 0x71 and 0x73 are relatives with half the FIFO, other values imitations
    """

    figures = MPU6050
    fifo_register = FIFO_R_W
    fifo_unit = 1

    def __init__(
        self,
        seed: int = 0,
        errors: ImuErrors | None = None,
        start_s: float = 0.0,
        temperature_c: float = 25.0,
        who_am_i: int = 0x68,
    ) -> None:
        self.who_am_i = who_am_i
        self._is_6500 = who_am_i in _FAMILY_6500
        self.fifo_bytes = 512 if self._is_6500 else 1024
        super().__init__(seed, errors, start_s, temperature_c)

    def _reset_registers(self) -> None:
        self._registers[PWR_MGMT_1] = 0x40
        self._registers[WHO_AM_I] = self.who_am_i
        self._set_codes()

    def _set_codes(self) -> None:
        """Fill in the factory trim of the self-test."""
        r = self._registers
        if self._is_6500:
            r[SELF_TEST_GYR_6500 : SELF_TEST_GYR_6500 + 3] = bytes([_CODE_6500] * 3)
            r[SELF_TEST_X : SELF_TEST_X + 3] = bytes([_CODE_6500] * 3)
        else:  # gyroscope in bits 4:0, accelerometer bits 4:2 above them and bits 1:0 in the fourth register
            high = _CODE_6050 >> 2 << 5 | _CODE_6050
            low = _CODE_6050 & 3
            r[SELF_TEST_X : SELF_TEST_X + 4] = bytes((high, high, high, low << 4 | low << 2 | low))

    # ---- the bus side ----

    def _refresh(self) -> None:
        r = self._registers
        counts = np.concatenate((self._latest[4:], self._latest[:4]))
        r[ACCEL_XOUT_H : ACCEL_XOUT_H + 14] = counts.astype(">i2").tobytes()
        r[FIFO_COUNTH : FIFO_COUNTH + 2] = self.fifo.level.to_bytes(2, "big")
        r[INT_STATUS] = (0x10 if self.fifo.is_overrun else 0) | (0x40 if self._has_moved else 0)

    def _after_read(self, first: int, last: int) -> None:
        if first <= INT_STATUS <= last:
            self.fifo.is_overrun = False
            self._has_moved = False

    def _write_one(self, register: int, value: int) -> None:
        if register == PWR_MGMT_1 and value & 0x80:
            self.power_cycle()
            return
        asleep = self._registers[PWR_MGMT_1] & 0x40
        if register == WHO_AM_I or (asleep and register not in (PWR_MGMT_1, PWR_MGMT_2)):
            return
        super()._write_one(register, value)
        if register == USER_CTRL and value & 0x04:
            self._registers[register] = value & ~0x04
            if not value & 0x40:  # the FIFO has to be off for the reset to work
                self.fifo.clear()

    # ---- the physical side ----

    def _sensors_on(self) -> tuple[bool, bool]:
        r = self._registers
        if r[PWR_MGMT_1] & 0x40:
            return False, False
        return not (r[PWR_MGMT_1] & 0x20 or r[PWR_MGMT_2] & 7 == 7), r[PWR_MGMT_2] & 0x38 != 0x38

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples; 0 while asleep."""
        r = self._registers
        if r[PWR_MGMT_1] & 0x40:
            return 0.0
        if r[PWR_MGMT_1] & 0x20:
            return 1 / _LP_WAKE_HZ[r[PWR_MGMT_2] >> 6]
        base_hz = 1000.0 if 1 <= r[CONFIG] & 7 <= 6 else 8000.0
        return (1 + r[SMPLRT_DIV]) / (base_hz * (1 + self.errors.rate_error))

    @property
    def gyr_rad_s_per_count(self) -> float:
        """Scale that GYRO_CONFIG selects."""
        return 250 * 2 ** (self._registers[GYRO_CONFIG] >> 3 & 3) / 32768 * DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that ACCEL_CONFIG selects."""
        return 2 * 2 ** (self._registers[ACCEL_CONFIG] >> 3 & 3) / 32768 * G_M_S2

    def _temperature_counts(self, celsius: float) -> float:
        return (celsius - 21) * 333.87 if self._is_6500 else (celsius - 36.53) * 340

    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        r = self._registers
        gyr = np.array([r[GYRO_CONFIG] >> (7 - k) & 1 for k in range(3)], dtype=float)
        acc = np.array([r[ACCEL_CONFIG] >> (7 - k) & 1 for k in range(3)], dtype=float)
        if self._is_6500:
            counts = 2620 * 1.01 ** (_CODE_6500 - 1)
            return gyr * (counts / 131.072 * DPS), acc * (counts / 16384 * G_M_S2)
        gyr_dps = 25 * 1.046 ** (_CODE_6050 - 1) * np.array([1, -1, 1])
        acc_g = 0.34 * (0.92 / 0.34) ** ((_CODE_6050 - 1) / 30)
        return gyr * gyr_dps * DPS, acc * (acc_g * G_M_S2)

    def _wake_m_s2(self) -> float:
        if not self._registers[INT_ENABLE] & 0x40:
            return 0.0
        return self._registers[MOT_THR] * (4e-3 if self._is_6500 else 2e-3) * G_M_S2

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        r = self._registers
        if not (r[USER_CTRL] & 0x40 and r[FIFO_EN]):
            return b"", [0] * len(slots)
        if r[FIFO_EN] != 0x78:
            raise ValueError("this model's FIFO takes accelerometer and gyroscope only")
        rows = np.concatenate((counts[:, 4:], counts[:, 1:4]), axis=1)
        return rows.astype(">i2").tobytes(), (12 * (1 + np.arange(len(slots)))).tolist()
