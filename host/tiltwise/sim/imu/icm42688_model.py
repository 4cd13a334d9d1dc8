"""An ICM-42688-P at register level: physical truth in, register bytes out, as on the I2C bus.

Source: TDK datasheet DS-000347; self-test codes as in TDK's own self-test source. The firmware driver has its own
list of registers on purpose.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu.imu_errors import DPS, G_M_S2, ICM42688P
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import FloatArray

DEVICE_CONFIG: Final = 0x11
FIFO_CONFIG: Final = 0x16  # bits 7:6: 0 bypass, 1 stream
TEMP_DATA1: Final = 0x1D  # followed by accelerometer and gyroscope
INT_STATUS: Final = 0x2D  # bit 1 FIFO full, bit 4 reset done
FIFO_COUNTH: Final = 0x2E
FIFO_DATA: Final = 0x30
INT_STATUS2: Final = 0x37  # bits 2:0 woken by motion
SIGNAL_PATH_RESET: Final = 0x4B  # bit 1 flushes the FIFO
INTF_CONFIG0: Final = 0x4C  # bit 6 counts records, bit 5 count big endian, bit 4 data big endian
PWR_MGMT0: Final = 0x4E
GYRO_CONFIG0: Final = 0x4F
ACCEL_CONFIG0: Final = 0x50
SMD_CONFIG: Final = 0x57
FIFO_CONFIG1: Final = 0x5F
INT_SOURCE1: Final = 0x66
SELF_TEST_CONFIG: Final = 0x70
WHO_AM_I: Final = 0x75
REG_BANK_SEL: Final = 0x76
_ODR_HZ = {4: 4000, 5: 2000, 6: 1000, 7: 200, 8: 100, 9: 50, 10: 25, 15: 500}
_PACKET = 16
_GYR_CODE, _ACC_CODE = 150, 150  # 88 deg/s and 0.7 g of self-test
_DEFAULTS = {INTF_CONFIG0: 0x30, 0x4D: 0x91, GYRO_CONFIG0: 0x06, ACCEL_CONFIG0: 0x06, 0x64: 0x10}


class Icm42688p(ImuModel):
    """The part; parameters as ImuModel."""

    figures = ICM42688P
    who_am_i = 0x47
    fifo_register = FIFO_DATA
    fifo_filler = b"\x80" + bytes(_PACKET - 1)  # an empty packet says so in its header
    fifo_bytes = 2048
    fifo_unit = _PACKET

    def _reset_registers(self) -> None:
        self._banks = {0: self._registers, **{bank: bytearray(128) for bank in range(1, 5)}}
        self._bank = 0
        for register, value in _DEFAULTS.items():
            self._registers[register] = value
        self._registers[WHO_AM_I] = self.who_am_i
        self._banks[1][0x5F:0x62] = bytes([_GYR_CODE] * 3)
        self._banks[2][0x3B:0x3E] = bytes([_ACC_CODE] * 3)

    # ---- the bus side ----

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes from a register on in the selected bank; only bank 0 has outputs and the FIFO."""
        if register == REG_BANK_SEL:
            return bytes([self._bank]) * n
        if self._bank:
            return bytes(self._banks[self._bank][register : register + n]).ljust(n, b"\x00")
        return super().read(register, n)

    def _after_read(self, first: int, last: int) -> None:
        if first <= INT_STATUS <= last:
            self.fifo.is_overrun = False
        if first <= INT_STATUS2 <= last:
            self._has_moved = False

    def _write_one(self, register: int, value: int) -> None:
        if register == REG_BANK_SEL:
            self._bank = value & 7
            return
        if self._bank == 0 and register == DEVICE_CONFIG and value & 1:
            self.power_cycle()
            return
        super()._write_one(register, value)
        if self._bank == 0 and register == SIGNAL_PATH_RESET:
            self._registers[register] = 0
            if value & 2:
                self.fifo.clear()
        if self._bank == 0 and register == FIFO_CONFIG and not value >> 6:
            self.fifo.clear()

    def _set(self, register: int, value: int) -> None:
        if register != WHO_AM_I:
            self._banks[self._bank][register] = value

    def _refresh(self) -> None:
        r = self._registers
        order = ">" if r[INTF_CONFIG0] & 0x10 else "<"
        counts = np.concatenate((self._latest[:1], self._latest[4:], self._latest[1:4]))
        r[TEMP_DATA1 : TEMP_DATA1 + 14] = counts.astype(order + "i2").tobytes()
        r[INT_STATUS] = 0x02 if self.fifo.is_overrun else 0
        level = self.fifo.level // (_PACKET if r[INTF_CONFIG0] & 0x40 else 1)
        r[FIFO_COUNTH : FIFO_COUNTH + 2] = level.to_bytes(2, "big" if r[INTF_CONFIG0] & 0x20 else "little")
        r[INT_STATUS2] = 0x07 if self._has_moved else 0

    # ---- the physical side ----

    def _sensors_on(self) -> tuple[bool, bool]:
        power = self._registers[PWR_MGMT0]
        return power >> 2 & 3 == 3, bool(power & 2)

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples of the faster of the two sensors; 0 while both are off."""
        gyr_is_on, acc_is_on = self._sensors_on()
        rates = [
            _ODR_HZ[self._registers[register] & 15]
            for register, is_on in ((GYRO_CONFIG0, gyr_is_on), (ACCEL_CONFIG0, acc_is_on))
            if is_on
        ]
        return 1 / (max(rates) * (1 + self.errors.rate_error)) if rates else 0.0

    @property
    def gyr_rad_s_per_count(self) -> float:
        """Scale that GYRO_CONFIG0 selects."""
        return 2000 / 2 ** (self._registers[GYRO_CONFIG0] >> 5) / 32768 * DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that ACCEL_CONFIG0 selects."""
        return 16 / 2 ** (self._registers[ACCEL_CONFIG0] >> 5) / 32768 * G_M_S2

    def _temperature_counts(self, celsius: float) -> float:
        return (celsius - 25) * 132.48

    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        control = self._registers[SELF_TEST_CONFIG]
        gyr = np.array([control >> k & 1 for k in range(3)]) * (
            2620 * 1.01 ** (_GYR_CODE - 1) / 131.072 * DPS
        )
        acc = np.array([control >> k & 1 for k in range(3, 6)]) * (
            2620 * 1.01 ** (_ACC_CODE - 1) / 16384 * G_M_S2
        )
        return gyr, acc if control & 0x40 else np.zeros(3)

    def _wake_m_s2(self) -> float:
        if self._registers[SMD_CONFIG] & 3 != 1 or not self._registers[INT_SOURCE1] & 7:
            return 0.0
        return self._banks[4][0x4A] / 256 * G_M_S2

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        """Make packets of structure 3: header, accelerometer, gyroscope, 8-bit temperature, time stamp."""
        r = self._registers
        if r[FIFO_CONFIG] >> 6 != 1:
            return b"", [0] * len(slots)
        if r[FIFO_CONFIG1] & 0x17 != 0x07:
            raise ValueError("this model's FIFO makes packets of structure 3 only")
        order = ">" if r[INTF_CONFIG0] & 0x10 else "<"
        packets = np.zeros((len(slots), _PACKET), dtype=np.uint8)
        packets[:, 0] = 0x68  # accelerometer, gyroscope, time stamp
        packets[:, 1:7] = counts[:, 4:].astype(order + "i2").view(np.uint8).reshape(-1, 6)
        packets[:, 7:13] = counts[:, 1:4].astype(order + "i2").view(np.uint8).reshape(-1, 6)
        packets[:, 13] = (counts[:, 0] / 64).astype(np.int8).view(np.uint8)
        stamps = (slots * round(self.slot_period_s * 1e6) & 0xFFFF).astype(order + "u2")
        packets[:, 14:] = stamps.view(np.uint8).reshape(-1, 2)
        return packets.tobytes(), (_PACKET * (1 + np.arange(len(slots)))).tolist()
