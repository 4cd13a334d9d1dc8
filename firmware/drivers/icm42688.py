"""ICM-42688-P: six axes at 100 or 200 Hz through the FIFO, as raw counts.

Registers: TDK DS-000347. FIFO packets (structure 3) are as icm.py says. Registers lie in banks; everything outside
bank 0 is reached in `_in_bank`, which always comes back.
"""

from micropython import const

from tiltwise.common import wire

from .icm import Icm
from .part import EIO, nearest, signed

_DEVICE_CONFIG = const(0x11)
_INT_CONFIG = const(0x14)
_FIFO_CONFIG = const(0x16)
_TEMP_DATA1 = const(0x1D)
_ACCEL_DATA = const(0x1F)
_GYRO_DATA = const(0x25)
_INT_STATUS = const(0x2D)  # followed by the FIFO count
_FIFO_DATA = const(0x30)
_INT_STATUS2 = const(0x37)
_SIGNAL_PATH_RESET = const(0x4B)
_INTF_CONFIG0 = const(0x4C)
_PWR_MGMT0 = const(0x4E)
_GYRO_CONFIG0 = const(0x4F)
_ACCEL_CONFIG0 = const(0x50)
_GYRO_ACCEL_CONFIG0 = const(0x52)
_SMD_CONFIG = const(0x57)
_FIFO_CONFIG1 = const(0x5F)
_INT_CONFIG1 = const(0x64)
_INT_SOURCE1 = const(0x66)
_SELF_TEST_CONFIG = const(0x70)
_REG_BANK_SEL = const(0x76)
_GYR_ST_DATA_B1 = const(0x5F)
_ACC_ST_DATA_B2 = const(0x3B)
_ACC_WOM_THR_B4 = const(0x4A)

_RECORDS_LITTLE_ENDIAN = const(0x40)  # counts packets instead of bytes; all data low byte first
_STREAM = const(0x40)
_ACC_GYR_TEMP = const(0x07)
_FULL = const(0x02)
_MAX_PACKETS = const(130)  # 2080 bytes; 128 are promised
_PACKETS = const(128)
_FLUSH = const(0x02)
_BOTH_LOW_NOISE = const(0x0F)
_LATCHED_PUSH_PULL_HIGH = const(0x07)
_WAKE_COUNTS = const(16)  # of 1 g / 256: 62 mg
_GYR_BITS = {125: 4, 250: 3, 500: 2, 1000: 1, 2000: 0}
_ACC_BITS = {2: 3, 4: 2, 8: 1, 16: 0}
_RATES = {100: (8, 0x44), 200: (7, 0x33)}  # Hz: (code, filters of 400/10 and 400/8 Hz)


class Icm42688p(Icm):
    """One part on the bus."""

    name = "ICM-42688-P"
    kind = wire.IMU_ICM42688P
    fifo_data = _FIFO_DATA

    def __init__(self, bus, address, clock, _who, gyr_range_dps=1000, acc_range_g=4, rate_hz=100):
        Icm.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g)
        self.nominal_hz = nearest(_RATES, rate_hz)
        self._rate_bits, self._filters = _RATES[self.nominal_hz]
        self.rate_hz = float(self.nominal_hz)
        self._three = bytearray(3)

    def _reset(self):
        """Yield the waits of a reset."""
        self._write(_REG_BANK_SEL, 0)
        self._write(_DEVICE_CONFIG, 1)
        yield 2
        self._write(_INTF_CONFIG0, _RECORDS_LITTLE_ENDIAN)

    def steps(self):
        """Reset the part and let it sample into an empty FIFO; yield milliseconds to wait."""
        yield from self._reset()
        self._write(_GYRO_CONFIG0, _GYR_BITS[self.gyr_range_dps] << 5 | self._rate_bits)
        self._write(_ACCEL_CONFIG0, _ACC_BITS[self.acc_range_g] << 5 | self._rate_bits)
        self._write(_GYRO_ACCEL_CONFIG0, self._filters)
        self._write(_FIFO_CONFIG1, _ACC_GYR_TEMP)
        self._write(_PWR_MGMT0, _BOTH_LOW_NOISE)
        yield 50  # the gyroscope starts in 30 ms and must stay on for 45
        self._write(_FIFO_CONFIG, _STREAM)
        self._write(_SIGNAL_PATH_RESET, _FLUSH)
        self._check_configured()
        self.overflowed = False

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return (
            self._read_one(_PWR_MGMT0) == _BOTH_LOW_NOISE
            and self._read_one(_ACCEL_CONFIG0) == _ACC_BITS[self.acc_range_g] << 5 | self._rate_bits
        )

    def waiting(self):
        """Return how many samples wait in the FIFO."""
        three = self._read(_INT_STATUS, self._three)
        count = three[1] | three[2] << 8
        if count > _MAX_PACKETS:
            raise OSError(EIO, "the sensor reports an impossible FIFO level: check the wiring")
        if three[0] & _FULL or count >= _PACKETS:
            self.overflowed = True
        return count

    def temperature_cdeg(self):
        """Return the temperature of the die in 0.01 degC."""
        two = self._read(_TEMP_DATA1, self._two)
        return 2500 + signed(two[0] | two[1] << 8) * 10000 // 13248

    def _in_bank(self, bank, register, buffer, is_write=False):
        """Read or write registers of another bank."""
        self._write(_REG_BANK_SEL, bank)
        try:
            if is_write:
                self._bus.writeto_mem(self._address, register, buffer)
            else:
                self._read(register, buffer)
        finally:
            self._write(_REG_BANK_SEL, 0)
        return buffer

    def self_test(self):
        """Compare what the self-test moves with what it moved at the factory; see drivers/__init__.py."""
        for ms in self._reset():
            self._clock.sleep_ms(ms)
        self._write(_GYRO_CONFIG0, _GYR_BITS[250] << 5 | 6)  # 1 kHz
        self._write(_ACCEL_CONFIG0, _ACC_BITS[2] << 5 | 6)
        self._write(_PWR_MGMT0, _BOTH_LOW_NOISE)
        acc, gyr = self._settled_means()
        self._write(_SELF_TEST_CONFIG, 0x7F)
        acc_on, gyr_on = self._settled_means()
        self._write(_SELF_TEST_CONFIG, 0)
        acc_codes = bytes(self._in_bank(2, _ACC_ST_DATA_B2, self._three))
        gyr_codes = bytes(self._in_bank(1, _GYR_ST_DATA_B1, self._three))
        self.configure()
        acc_ok = all(_passes(acc_on[i] - acc[i], acc_codes[i], 16.384, 50, 1200, 1.5) for i in range(3))
        gyr_ok = all(_passes(gyr_on[i] - gyr[i], gyr_codes[i], 131.072, 60, 250, 10.0) for i in range(3))
        return acc_ok, gyr_ok

    def _settled_means(self):
        self._clock.sleep_ms(200)
        return self._means(_ACCEL_DATA), self._means(_GYRO_DATA)

    def sleep(self):
        """Switch both sensors off."""
        self._write(_PWR_MGMT0, 0)

    def wake_on_motion(self):
        """Watch with the accelerometer alone, and raise INT1 when it is moved."""
        for ms in self._reset():
            self._clock.sleep_ms(ms)
        self._write(_INT_CONFIG, _LATCHED_PUSH_PULL_HIGH)
        self._write(_INT_CONFIG1, 0)  # INT_ASYNC_RESET has to be cleared for the pins to work
        self._write(_ACCEL_CONFIG0, _ACC_BITS[2] << 5 | 9)  # 50 Hz
        self._three[0] = self._three[1] = self._three[2] = _WAKE_COUNTS
        self._in_bank(4, _ACC_WOM_THR_B4, self._three, True)
        self._write(_INT_SOURCE1, 0x07)
        self._write(_PWR_MGMT0, 0x02)  # accelerometer in low power
        self._clock.sleep_ms(50)
        self._write(_SMD_CONFIG, 0x05)  # compare with the previous sample

    def has_moved(self):
        """Tell whether it was moved since the last call, and release INT1."""
        return bool(self._read_one(_INT_STATUS2) & 0x07)


def _passes(counts, code, counts_per_unit, least, most, most_of_factory):
    """Judge one axis by the factory's response; by absolute bounds (mg, deg/s) where none is stored."""
    if code:
        factory = 2620 * 1.01 ** (code - 1)  # counts at 2 g and 250 deg/s (TDK's own self-test code)
        return 0.5 * factory <= abs(counts) <= most_of_factory * factory
    return least <= abs(counts) / counts_per_unit <= most
