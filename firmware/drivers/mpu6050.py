"""MPU-6050 and what is sold under its name: six axes at 100 or 200 Hz through the FIFO, as raw counts.

Registers: InvenSense RM-MPU-6000A, RM-MPU-6500A. The FIFO (1024 bytes, 512 in the MPU-6500 family) is a bare
stream of 12 bytes a sample, high byte first, accelerometer first: once it has overflowed or a burst was torn
nothing tells where a sample begins, so it is emptied.
"""

from micropython import const

from tiltwise.common import wire

from .part import DEG, EIO, G_M_S2, Part, nearest, signed

_SELF_TEST_GYR_6500 = const(0x00)
_SELF_TEST = const(0x0D)
_SMPLRT_DIV = const(0x19)
_CONFIG = const(0x1A)
_GYRO_CONFIG = const(0x1B)
_ACCEL_CONFIG = const(0x1C)
_ACCEL_CONFIG2_6500 = const(0x1D)
_MOT_THR = const(0x1F)
_MOT_DUR = const(0x20)
_FIFO_EN = const(0x23)
_INT_PIN_CFG = const(0x37)
_INT_ENABLE = const(0x38)
_INT_STATUS = const(0x3A)
_ACCEL_OUT = const(0x3B)
_TEMP_OUT = const(0x41)
_GYRO_OUT = const(0x43)
_MOT_DETECT_CTRL = const(0x69)
_USER_CTRL = const(0x6A)
_PWR_MGMT_1 = const(0x6B)
_PWR_MGMT_2 = const(0x6C)
_FIFO_COUNT = const(0x72)
_FIFO_R_W = const(0x74)

_RESET = const(0x80)
_PLL = const(0x01)
_CYCLE = const(0x28)  # between samples asleep, thermometer off
_ACC_GYR = const(0x78)
_FIFO_RESET = const(0x04)
_FIFO_ON = const(0x40)
_FILTER_44_HZ = const(3)
_MOTION = const(0x40)
_SAMPLE = const(12)
_GYR_BITS = {250: 0x00, 500: 0x08, 1000: 0x10, 2000: 0x18}
_ACC_BITS = {2: 0x00, 4: 0x08, 8: 0x10, 16: 0x18}
_DIVIDERS = {100: 9, 200: 4}  # of 1 kHz
_GENUINE = const(0x68)
_6500_FAMILY = {0x70: "MPU-6500", 0x71: "MPU-9250", 0x73: "MPU-9255"}
_WHY = const("noisier, drifts with temperature, zero rate up to 20 deg/s: an LSM6DSOX costs about the same")


class Mpu6050(Part):
    """One part on the bus."""

    kind = wire.IMU_MPU6050
    zero_rate_dps = 7.0  # a third of the 20 deg/s that the data sheet allows

    def __init__(self, bus, address, clock, who, gyr_range_dps=1000, acc_range_g=4, rate_hz=100):
        Part.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g, _SAMPLE)
        self.who = who
        self._is_6500 = who in _6500_FAMILY
        self._fifo_bytes = 512 if self._is_6500 else 1024
        self.name = _6500_FAMILY.get(who, "MPU-6050")
        self.warning = "%s at 0x%02x: works, and is a poor choice (%s)" % (self.name, address, _WHY)
        if who != _GENUINE:
            self.warning += "; identity 0x%02x instead of 0x68: not a genuine MPU-6050" % who
        self.gyr_rad_s_per_count = gyr_range_dps / 32768 * DEG
        self.acc_m_s2_per_count = acc_range_g / 32768 * G_M_S2
        self.nominal_hz = nearest(_DIVIDERS, rate_hz)
        self.rate_hz = float(self.nominal_hz)
        self._is_torn = False

    def _reset(self):
        """Yield the waits of a reset; leaves the clock on the gyroscope's oscillator."""
        self._write(_PWR_MGMT_1, _RESET)
        yield 100
        self._write(_PWR_MGMT_1, _PLL)
        yield 30  # the gyroscope starts

    def steps(self):
        """Reset the part and let it sample into an empty FIFO; yield milliseconds to wait."""
        yield from self._reset()
        self._write(_CONFIG, _FILTER_44_HZ)
        if self._is_6500:
            self._write(_ACCEL_CONFIG2_6500, _FILTER_44_HZ)
        self._write(_SMPLRT_DIV, _DIVIDERS[self.nominal_hz])
        self._write(_GYRO_CONFIG, _GYR_BITS[self.gyr_range_dps])
        self._write(_ACCEL_CONFIG, _ACC_BITS[self.acc_range_g])
        self._write(_FIFO_EN, _ACC_GYR)
        self._empty()
        self._check_configured()
        self.overflowed = False

    def _empty(self):
        """Throw away what is in the FIFO."""
        self._write(_USER_CTRL, _FIFO_RESET)
        self._write(_USER_CTRL, _FIFO_ON)
        self._is_torn = False

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return (
            self._read_one(_PWR_MGMT_1) == _PLL
            and self._read_one(_ACCEL_CONFIG) == _ACC_BITS[self.acc_range_g]
            and self._read_one(_FIFO_EN) == _ACC_GYR
        )

    def waiting(self):
        """Return how many samples wait in the FIFO; one that overflowed or was torn is emptied."""
        two = self._read(_FIFO_COUNT, self._two)
        count = two[0] << 8 | two[1]
        if count > self._fifo_bytes:
            raise OSError(EIO, "the sensor reports an impossible FIFO level: check the wiring")
        is_full = count > self._fifo_bytes // _SAMPLE * _SAMPLE
        # After a failed burst a whole number of samples says that nothing was taken.
        if is_full or (self._is_torn and count % _SAMPLE):
            self.overflowed = True
            self._empty()
            return 0
        self._is_torn = False
        return count // _SAMPLE

    def read_fifo(self, counts, n):
        """Put n samples (six counts each) into counts and return n."""
        self._is_torn = True
        self._read(_FIFO_R_W, self._views[n])
        self._is_torn = False
        data = self._bytes
        o = 0
        for k in range(0, 6 * n, 6):
            for i in (3, 4, 5, 0, 1, 2):
                v = data[o] << 8 | data[o + 1]
                counts[k + i] = v - ((v & 0x8000) << 1)
                o += 2
        return n

    def temperature_cdeg(self):
        """Return the temperature of the die in 0.01 degC."""
        two = self._read(_TEMP_OUT, self._two)
        t = signed(two[0] << 8 | two[1])
        return 2100 + t * 10000 // 33387 if self._is_6500 else 3653 + t * 100 // 340

    def self_test(self):
        """Compare what the self-test moves with what it moved at the factory; see drivers/__init__.py."""
        for ms in self._reset():
            self._clock.sleep_ms(ms)
        self._write(_CONFIG, _FILTER_44_HZ)
        acc_bits = _ACC_BITS[2 if self._is_6500 else 8]
        acc, gyr = self._settled_means(acc_bits, 0)
        acc_on, gyr_on = self._settled_means(acc_bits | 0xE0, 0xE0)
        if self._is_6500:
            acc_factory, gyr_factory = self._factory_6500()
        else:
            acc_factory, gyr_factory = self._factory_6050()
        self.configure()
        acc_ok = all(_passes(acc_on[i] - acc[i], acc_factory[i], self._is_6500) for i in range(3))
        gyr_ok = all(_passes(gyr_on[i] - gyr[i], gyr_factory[i], self._is_6500) for i in range(3))
        return acc_ok, gyr_ok

    def _settled_means(self, acc_config, gyr_config):
        self._write(_ACCEL_CONFIG, acc_config)
        self._write(_GYRO_CONFIG, gyr_config)  # 250 deg/s
        self._clock.sleep_ms(200)
        return self._means(_ACCEL_OUT, True), self._means(_GYRO_OUT, True)

    def _factory_6050(self):
        """Return the factory's responses in counts at 8 g and 250 deg/s; 0 where none is stored."""
        x, y, z, low = bytes(self._read(_SELF_TEST, bytearray(4)))
        acc_codes = (x >> 3 & 0x1C | low >> 4 & 3, y >> 3 & 0x1C | low >> 2 & 3, z >> 3 & 0x1C | low & 3)
        gyr_codes = (x & 31, y & 31, z & 31)
        acc = [4096 * 0.34 * (0.92 / 0.34) ** ((code - 1) / 30) if code else 0 for code in acc_codes]
        gyr = [25 * 131 * 1.046 ** (code - 1) if code else 0 for code in gyr_codes]
        gyr[1] = -gyr[1]
        return acc, gyr

    def _factory_6500(self):
        """Return the factory's responses in counts at 2 g and 250 deg/s; 0 where none is stored."""
        codes = (
            bytes(self._read(_SELF_TEST, self._six)[:3]),
            bytes(self._read(_SELF_TEST_GYR_6500, self._six)[:3]),
        )
        return [[2620 * 1.01 ** (code - 1) if code else 0 for code in three] for three in codes]

    def sleep(self):
        """Switch everything off."""
        self._write(_PWR_MGMT_1, 0x40)

    def wake_on_motion(self):
        """Watch with the accelerometer alone, five times a second, and raise INT when it is moved."""
        for ms in self._reset():
            self._clock.sleep_ms(ms)
        self._write(_ACCEL_CONFIG, 0x01)  # 2 g, high-pass 5 Hz
        self._write(_MOT_THR, 16 if self._is_6500 else 31)  # 62 mg in steps of 4 and 2 mg
        self._write(_MOT_DUR, 1)
        self._write(_MOT_DETECT_CTRL, 0xC0 if self._is_6500 else 0x15)
        self._write(_INT_PIN_CFG, 0x20)  # latched until the status is read
        self._write(_INT_ENABLE, _MOTION)
        self._write(_PWR_MGMT_2, 0x47)  # wakes at 5 Hz, gyroscope off
        self._write(_PWR_MGMT_1, _CYCLE)

    def has_moved(self):
        """Tell whether it was moved since the last call, and release INT."""
        return bool(self._read_one(_INT_STATUS) & _MOTION)


def _passes(counts, factory, is_6500):
    """Judge one axis against the factory's response; without one, whether anything moved at all."""
    if not factory:
        return abs(counts) > 500
    ratio = counts / factory
    return ratio > 0.5 if is_6500 else 0.86 <= ratio <= 1.14
