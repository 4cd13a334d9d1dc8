"""An ICM-45686 at register level: physical truth in, register bytes out, as on the I2C bus.

Source: TDK datasheet DS-000577 and the register map of TDK's motion.mcu.icm45686.driver. The firmware driver has its
own list of registers on purpose. The part's own processor (eDMP) and its self-test program are not modelled.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu.imu_errors import DPS, G_M_S2, ICM45686
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.types import FloatArray

ACCEL_DATA: Final = 0x00  # followed by gyroscope and temperature
PWR_MGMT0: Final = 0x10
FIFO_COUNT: Final = 0x12  # packets
FIFO_DATA: Final = 0x14
INT1_CONFIG1: Final = 0x17
INT1_STATUS0: Final = 0x19  # bit 7 reset done, bit 0 FIFO full
INT1_STATUS1: Final = 0x1A  # bits 3:1 woken by motion
ACCEL_CONFIG0: Final = 0x1B
GYRO_CONFIG0: Final = 0x1C
FIFO_CONFIG0: Final = 0x1D  # bits 7:6: 0 bypass, 1 stream, 2 stop on full; 5:0: depth
FIFO_CONFIG2: Final = 0x20  # bit 7 flushes
FIFO_CONFIG3: Final = 0x21  # bit 0 interface, 1 accelerometer, 2 gyroscope, 3 high resolution
FIFO_CONFIG4: Final = 0x22  # bit 1 time stamps
TMST_WOM_CONFIG: Final = 0x23
WHO_AM_I: Final = 0x72
IREG_ADDR: Final = 0x7C  # two bytes, high first; IREG_DATA follows and counts up
IREG_DATA: Final = 0x7E
REG_MISC2: Final = 0x7F
WOM_THRESHOLD: Final = 0xA27E
_ODR_HZ = {3: 6400, 4: 3200, 5: 1600, 6: 800, 7: 400, 8: 200, 9: 100, 10: 50, 11: 25, 12: 12.5}
_PACKET = 16
_DEFAULTS = {ACCEL_CONFIG0: 0x06, GYRO_CONFIG0: 0x06, INT1_STATUS0: 0x80, FIFO_CONFIG0: 0x07}
_STATUS = (FIFO_COUNT, FIFO_COUNT + 1, INT1_STATUS0, INT1_STATUS1, WHO_AM_I)


class Icm45686(ImuModel):
    """The part; parameters as ImuModel."""

    figures = ICM45686
    who_am_i = 0xE9
    fifo_register = FIFO_DATA
    fifo_filler = b"\x80" + bytes(_PACKET - 1)
    fifo_bytes = 2048
    fifo_unit = _PACKET

    def _reset_registers(self) -> None:
        self._indirect: dict[int, int] = {}
        self._is_reset_done = True
        for register, value in _DEFAULTS.items():
            self._registers[register] = value
        self._registers[WHO_AM_I] = self.who_am_i

    # ---- the bus side ----

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on; a third and further byte at IREG_ADDR go to where it points."""
        if register == IREG_ADDR and len(data) > 2:
            at = int.from_bytes(data[:2], "big")
            self._indirect |= {at + k: value for k, value in enumerate(data[2:])}
            return
        super().write(register, data)

    def _write_one(self, register: int, value: int) -> None:
        if register == REG_MISC2:
            if value & 2:
                self.power_cycle()
            return
        if register in _STATUS:
            return
        super()._write_one(register, value)
        if register == FIFO_CONFIG2:
            self._registers[register] = value & 0x7F
            if value & 0x80:
                self.fifo.clear()
        if register == FIFO_CONFIG0 and not value >> 6:
            self.fifo.clear()

    def _after_read(self, first: int, last: int) -> None:
        if first <= INT1_STATUS0 <= last:
            self._is_reset_done = False
            self.fifo.is_overrun = False
        if first <= INT1_STATUS1 <= last:
            self._has_moved = False

    def _refresh(self) -> None:
        r = self._registers
        counts = np.concatenate((self._latest[4:], self._latest[1:4], self._latest[:1]))
        r[ACCEL_DATA : ACCEL_DATA + 14] = counts.astype("<i2").tobytes()
        r[FIFO_COUNT : FIFO_COUNT + 2] = (self.fifo.level // _PACKET).to_bytes(2, "little")
        r[INT1_STATUS0] = (0x80 if self._is_reset_done else 0) | (0x01 if self.fifo.is_overrun else 0)
        r[INT1_STATUS1] = r[INT1_CONFIG1] & 0x0E if self._has_moved else 0

    def _push(self, data: bytes) -> None:
        self.fifo.push(data, keeps_oldest=self._registers[FIFO_CONFIG0] >> 6 == 2)

    # ---- the physical side ----

    def _sensors_on(self) -> tuple[bool, bool]:
        power = self._registers[PWR_MGMT0]
        return power >> 2 & 2 == 2, power & 2 == 2

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
        return 4000 / 2 ** (self._registers[GYRO_CONFIG0] >> 4) / 32768 * DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that ACCEL_CONFIG0 selects."""
        return 32 / 2 ** (self._registers[ACCEL_CONFIG0] >> 4 & 7) / 32768 * G_M_S2

    def _temperature_counts(self, celsius: float) -> float:
        return (celsius - 25) * 128

    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        return np.zeros(3), np.zeros(3)

    def _wake_m_s2(self) -> float:
        r = self._registers
        if r[TMST_WOM_CONFIG] & 0x1C != 0x18 or not r[INT1_CONFIG1] & 0x0E:
            return 0.0
        return self._indirect.get(WOM_THRESHOLD, 0) / 256 * G_M_S2

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        """Make packets of 16 bytes: header, accelerometer, gyroscope, 8-bit temperature, time stamp."""
        r = self._registers
        if not r[FIFO_CONFIG0] >> 6 or not r[FIFO_CONFIG3] & 1:
            return b"", [0] * len(slots)
        if r[FIFO_CONFIG3] & 0x0E != 0x06 or not r[FIFO_CONFIG4] & 2:
            raise ValueError("this model's FIFO makes packets of both sensors with time stamps only")
        packets = np.zeros((len(slots), _PACKET), dtype=np.uint8)
        packets[:, 0] = 0x68
        packets[:, 1:7] = counts[:, 4:].astype("<i2").view(np.uint8).reshape(-1, 6)
        packets[:, 7:13] = counts[:, 1:4].astype("<i2").view(np.uint8).reshape(-1, 6)
        packets[:, 13] = (counts[:, 0] / 64).astype(np.int8).view(np.uint8)
        stamps = (slots * round(self.slot_period_s * 1e6) & 0xFFFF).astype("<u2")
        packets[:, 14:] = stamps.view(np.uint8).reshape(-1, 2)
        return packets.tobytes(), (_PACKET * (1 + np.arange(len(slots)))).tolist()
