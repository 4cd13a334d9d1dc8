"""ICM-45686: six axes at 100 or 200 Hz through the FIFO, as raw counts.

Registers: TDK DS-000577, and TDK's own motion.mcu.icm45686.driver. FIFO packets are as icm.py says, low byte first
after a reset. Registers beyond the first bank are written through IREG_ADDR and IREG_DATA. The FIFO holds 2 kB as it
is set here: more takes memory of the part's own processor, and 1.2 s are enough. It stops when it is full, as TDK's
AN-000364 advises for this part. The part tests itself only with a program of TDK's that is loaded into it, and that
is not part of tiltwise.
"""

from micropython import const

from tiltwise.common import wire

from .icm import Icm
from .part import EIO, nearest, signed

_TEMP_DATA1 = const(0x0C)
_PWR_MGMT0 = const(0x10)
_FIFO_COUNT_0 = const(0x12)
_FIFO_DATA = const(0x14)
_INT1_CONFIG1 = const(0x17)
_INT1_CONFIG2 = const(0x18)
_INT1_STATUS0 = const(0x19)
_INT1_STATUS1 = const(0x1A)
_ACCEL_CONFIG0 = const(0x1B)
_GYRO_CONFIG0 = const(0x1C)
_FIFO_CONFIG0 = const(0x1D)
_FIFO_CONFIG2 = const(0x20)
_FIFO_CONFIG3 = const(0x21)
_FIFO_CONFIG4 = const(0x22)
_TMST_WOM_CONFIG = const(0x23)
_IREG_ADDR_15_8 = const(0x7C)
_REG_MISC2 = const(0x7F)

_SOFT_RESET = const(0x02)
_BOTH_LOW_NOISE = const(0x0F)
_ACC_LOW_POWER = const(0x02)
_BYPASS = const(0x07)  # 2 kB
_STOP_ON_FULL = const(0x87)
_FLUSH = const(0x80)
_ACC_GYR = const(0x07)  # both, and let the FIFO have them
_STAMPS = const(0x02)
_PACKETS = const(128)
_LATCHED_HIGH = const(0x03)
_WOM_AXES = const(0x0E)
_WOM_PREVIOUS = const(0x18)  # on, each sample against the one before, any axis
_WOM_THRESHOLDS = b"\xa2\x7e\x10\x10\x10"  # ACCEL_WOM_X_THR and the two after it: 16 of 1 g / 256, 62 mg
_GYR_CODES = {125: 5, 250: 4, 500: 3, 1000: 2, 2000: 1}
_ACC_CODES = {2: 4, 4: 3, 8: 2, 16: 1}
_RATES = {50: 10, 100: 9, 200: 8}


class Icm45686(Icm):
    """One part on the bus."""

    name = "ICM-45686"
    kind = wire.IMU_ICM45686
    fifo_data = _FIFO_DATA
    zero_rate_dps = 0.5

    def __init__(self, bus, address, clock, _who, gyr_range_dps=1000, acc_range_g=4, rate_hz=100):
        Icm.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g)
        self.nominal_hz = nearest(_RATES, rate_hz)
        self._rate_bits = _RATES[self.nominal_hz]
        self.rate_hz = float(self.nominal_hz)

    def _reset(self):
        """Yield the wait of a reset."""
        self._write(_REG_MISC2, _SOFT_RESET)
        yield 2
        self._read_one(_INT1_STATUS0)  # says that it is done, until it is read

    def steps(self):
        """Reset the part and let it sample into an empty FIFO; yield milliseconds to wait."""
        yield from self._reset()
        self._write(_GYRO_CONFIG0, _GYR_CODES[self.gyr_range_dps] << 4 | self._rate_bits)
        self._write(_ACCEL_CONFIG0, _ACC_CODES[self.acc_range_g] << 4 | self._rate_bits)
        self._write(_FIFO_CONFIG0, _BYPASS)
        self._write(_FIFO_CONFIG4, _STAMPS)
        self._write(_PWR_MGMT0, _BOTH_LOW_NOISE)
        yield 50  # the gyroscope starts in 35 ms
        self._write(_FIFO_CONFIG0, _STOP_ON_FULL)
        self._write(_FIFO_CONFIG3, _ACC_GYR)
        self._check_configured()
        self.overflowed = False

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return (
            self._read_one(_PWR_MGMT0) == _BOTH_LOW_NOISE
            and self._read_one(_ACCEL_CONFIG0) == _ACC_CODES[self.acc_range_g] << 4 | self._rate_bits
        )

    def waiting(self):
        """Return how many samples wait in the FIFO; a full one is emptied, because what came after it is lost."""
        two = self._read(_FIFO_COUNT_0, self._two)
        count = two[0] | two[1] << 8
        if count > _PACKETS:
            raise OSError(EIO, "the sensor reports an impossible FIFO level: check the wiring")
        if count == _PACKETS:
            self.overflowed = True
            self._write(_FIFO_CONFIG2, _FLUSH)
            return 0
        return count

    def temperature_cdeg(self):
        """Return the temperature of the die in 0.01 degC."""
        two = self._read(_TEMP_DATA1, self._two)
        return 2500 + signed(two[0] | two[1] << 8) * 100 // 128

    def self_test(self):
        """Say that nobody knows; see drivers/__init__.py."""
        return None, None

    def sleep(self):
        """Switch both sensors off."""
        self._write(_PWR_MGMT0, 0)

    def wake_on_motion(self):
        """Watch with the accelerometer alone, and raise INT1 when it is moved."""
        for ms in self._reset():
            self._clock.sleep_ms(ms)
        self._write(_INT1_CONFIG2, _LATCHED_HIGH)
        self._write(_INT1_CONFIG1, _WOM_AXES)
        self._write(_ACCEL_CONFIG0, _ACC_CODES[2] << 4 | 10)  # 50 Hz
        self._bus.writeto_mem(self._address, _IREG_ADDR_15_8, _WOM_THRESHOLDS)
        self._write(_PWR_MGMT0, _ACC_LOW_POWER)
        self._clock.sleep_ms(50)
        self._write(_TMST_WOM_CONFIG, _WOM_PREVIOUS)

    def has_moved(self):
        """Tell whether it was moved since the last call, and release INT1."""
        return bool(self._read_one(_INT1_STATUS1) & _WOM_AXES)
