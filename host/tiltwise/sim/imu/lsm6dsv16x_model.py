"""An LSM6DSV16X at register level, with its in-chip fusion (SFLP): physical truth in, register bytes out.

Source: ST datasheet DS13510, application note AN5763, ST's lsm6dsv16x-pid. The firmware driver has its own list of
registers on purpose. ST does not publish how SFLP works: a filter of Mahony's stands in for it (in_chip_fusion.py),
so what the model's game rotation is good for is its format and its rate, not its accuracy.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu.imu_errors import DPS, G_M_S2, LSM6DSV16X
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.sim.imu.in_chip_fusion import InChipFusion
from tiltwise.types import FloatArray

FUNC_CFG_ACCESS: Final = 0x01  # bit 7: the bank of the embedded functions
FIFO_CTRL3: Final = 0x09  # batch rate: gyroscope << 4 | accelerometer
FIFO_CTRL4: Final = 0x0A
WHO_AM_I: Final = 0x0F
CTRL1: Final = 0x10  # accelerometer: mode << 4 | rate
CTRL2: Final = 0x11  # gyroscope
CTRL3: Final = 0x12
CTRL6: Final = 0x15  # gyroscope range
CTRL8: Final = 0x17  # accelerometer range
CTRL10: Final = 0x19  # bits 3:2 gyroscope self-test, 1:0 accelerometer self-test
FIFO_STATUS1: Final = 0x1B
FIFO_STATUS2: Final = 0x1C
OUT_TEMP_L: Final = 0x20
WAKE_UP_SRC: Final = 0x45
INTERNAL_FREQ: Final = 0x4F
FUNCTIONS_ENABLE: Final = 0x50
INACTIVITY_DUR: Final = 0x54
WAKE_UP_THS: Final = 0x5B
MD1_CFG: Final = 0x5E
FIFO_DATA_OUT_TAG: Final = 0x78
EMB_FUNC_EN_A: Final = 0x04
EMB_FUNC_FIFO_EN_A: Final = 0x44
SFLP_ODR: Final = 0x5E
TAG_GYR, TAG_ACC, TAG_GAME, TAG_GRAVITY = 0x01, 0x02, 0x13, 0x17
GRAVITY_MG_PER_COUNT: Final = 0.061
_RATES_HZ = {2: 7.5, 3: 15.0, 4: 30.0, 5: 60.0, 6: 120.0, 7: 240.0, 8: 480.0, 9: 960.0, 10: 1920.0}
_SFLP_HZ = {0: 15.0, 1: 30.0, 2: 60.0, 3: 120.0, 4: 240.0, 5: 480.0}
_GYR_DPS = {0: 4.375, 1: 8.75, 2: 17.5, 3: 35.0, 4: 70.0, 12: 140.0}  # mdps a count
_ACC_MG = (0.061, 0.122, 0.244, 0.488)
_WAKE_MG = (7.8125, 15.625, 31.25, 62.5, 125.0, 250.0)
_FREQ_STEP = 0.0013
_WORD, _WORDS = 7, 256
_READ_ONLY = (WHO_AM_I, FIFO_STATUS1, FIFO_STATUS2, WAKE_UP_SRC, INTERNAL_FREQ, *range(0x1D, 0x2E))


class Lsm6dsv16x(ImuModel):
    """The part; parameters as ImuModel."""

    figures = LSM6DSV16X
    who_am_i = 0x70
    fifo_register = FIFO_DATA_OUT_TAG
    fifo_bytes = _WORDS * _WORD
    fifo_unit = _WORD

    def _reset_registers(self) -> None:
        self._embedded = bytearray(128)
        self._embedded[SFLP_ODR] = 0x5B
        self._fusion = InChipFusion()
        r = self._registers
        r[CTRL3], r[INACTIVITY_DUR], r[WHO_AM_I] = 0x44, 0x04, self.who_am_i
        r[INTERNAL_FREQ] = round(self.errors.rate_error / _FREQ_STEP) & 0xFF

    # ---- the bus side ----

    @property
    def _is_embedded(self) -> bool:
        return bool(self._registers[FUNC_CFG_ACCESS] & 0x80)

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes from a register on, of the bank that is open."""
        if self._is_embedded and register != FUNC_CFG_ACCESS:
            return bytes(self._embedded[register : register + n]).ljust(n, b"\x00")
        return super().read(register, n)

    def _write_one(self, register: int, value: int) -> None:
        if self._is_embedded and register != FUNC_CFG_ACCESS:
            self._discard_ahead()
            self._embedded[register] = value
            return
        if register == CTRL3 and value & 1:
            self.power_cycle()
            return
        if register in _READ_ONLY:
            return
        super()._write_one(register, value)
        if register == FIFO_CTRL4 and not value & 7:
            self.fifo.clear()

    def _refresh(self) -> None:
        r = self._registers
        r[OUT_TEMP_L : OUT_TEMP_L + 14] = self._latest.tobytes()
        r[WAKE_UP_SRC] = 0x08 if self._has_moved else 0
        level = self.fifo.level // _WORD
        r[FIFO_STATUS1] = level & 0xFF
        r[FIFO_STATUS2] = level >> 8 | (0x48 if self.fifo.is_overrun else 0)

    def _after_read(self, first: int, last: int) -> None:
        if first <= FIFO_STATUS2 <= last:
            self.fifo.is_overrun = False
        if first <= WAKE_UP_SRC <= last:
            self._has_moved = False

    # ---- the physical side ----

    def _sensors_on(self) -> tuple[bool, bool]:
        return bool(self._registers[CTRL2] & 15), bool(self._registers[CTRL1] & 15)

    @property
    def slot_period_s(self) -> float:
        """Seconds between samples of the faster of the two sensors; 0 while both are off."""
        rates = [_RATES_HZ[self._registers[c] & 15] for c in (CTRL1, CTRL2) if self._registers[c] & 15]
        return 1 / (max(rates) * (1 + self.errors.rate_error)) if rates else 0.0

    @property
    def gyr_rad_s_per_count(self) -> float:
        """Scale that CTRL6 selects."""
        return _GYR_DPS[self._registers[CTRL6] & 15] * 1e-3 * DPS

    @property
    def acc_m_s2_per_count(self) -> float:
        """Scale that CTRL8 selects."""
        return _ACC_MG[self._registers[CTRL8] & 3] * 1e-3 * G_M_S2

    def _temperature_counts(self, celsius: float) -> float:
        return (celsius - 25) * 256

    def _self_test(self) -> tuple[FloatArray, FloatArray]:
        control = self._registers[CTRL10]
        gyr = {1: 300.0, 2: -300.0}.get(control >> 2 & 3, 0.0) * DPS  # inside 150 to 700 deg/s
        acc = {1: 0.4, 2: -0.4}.get(control & 3, 0.0) * G_M_S2  # inside 50 to 1700 mg
        return np.full(3, gyr), np.full(3, acc)

    def _wake_m_s2(self) -> float:
        r = self._registers
        if not (r[FUNCTIONS_ENABLE] & 0x80 and r[MD1_CFG] & 0x20):
            return 0.0
        return (r[WAKE_UP_THS] & 63) * _WAKE_MG[r[INACTIVITY_DUR] >> 4 & 7] * 1e-3 * G_M_S2

    def _pack(self, slots: NDArray[np.int64], counts: NDArray[np.int16]) -> tuple[bytes, list[int]]:
        """Return the FIFO words of the samples, and for each sample the byte where its words end."""
        r = self._registers
        if not r[FIFO_CTRL4] & 7:
            return b"", [0] * len(slots)
        rates = r[CTRL2] & 15, r[CTRL1] & 15
        batched = r[FIFO_CTRL3] >> 4, r[FIFO_CTRL3] & 15
        if any(rate not in (0, batch) for rate, batch in zip(rates, batched, strict=True)):
            raise ValueError("this model's FIFO batches each sensor at its own rate only")
        rows = [(TAG_GYR, _bytes(counts[:, 1:4]))] if rates[0] else []
        rows += [(TAG_ACC, _bytes(counts[:, 4:]))] if rates[1] else []
        if self._embedded[EMB_FUNC_EN_A] & 2 and all(rates):
            rows += self._fused(slots, counts)
        words = np.zeros((len(slots), len(rows), _WORD), dtype=np.uint8)
        for k, (tag, values) in enumerate(rows):
            words[:, k, 0] = tag << 3 | (slots & 3) << 1
            words[:, k, 1:] = values
        return words.tobytes(), (len(rows) * _WORD * (1 + np.arange(len(slots)))).tolist()

    def _fused(
        self, slots: NDArray[np.int64], counts: NDArray[np.int16]
    ) -> list[tuple[int, NDArray[np.uint8]]]:
        """Return the rows of game rotation and gravity that are batched."""
        if _SFLP_HZ[self._embedded[SFLP_ODR] >> 3 & 7] != _RATES_HZ[self._registers[CTRL1] & 15]:
            raise ValueError("this model fuses at the rate of its sensors only")
        q, up = self._fusion.run(
            slots,
            counts[:, 1:4].astype(np.float64) * self.gyr_rad_s_per_count,
            counts[:, 4:].astype(np.float64) * self.acc_m_s2_per_count,
            self.slot_period_s,
        )
        xyz = (q[:, 1:] * np.where(q[:, :1] < 0, -1, 1)).astype(
            "<f2"
        )  # w is left out: it is the positive root
        gravity = np.rint(up * 1000 / GRAVITY_MG_PER_COUNT).astype("<i2")
        batched = self._embedded[EMB_FUNC_FIFO_EN_A]
        return ([(TAG_GAME, _bytes(xyz))] if batched & 2 else []) + (
            [(TAG_GRAVITY, _bytes(gravity))] if batched & 16 else []
        )


def _bytes(values: NDArray[np.int16] | NDArray[np.float16]) -> NDArray[np.uint8]:
    """Return the six bytes of each row."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(-1, 6)
