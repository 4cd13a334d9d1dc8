"""BMI270: six axes at 100 or 200 Hz through the FIFO, as raw counts.

Registers: Bosch BST-BMI270-DS000. The part works only after 8 kB of configuration were written into it at every
start. They are Bosch's (BSD-3-Clause, in the BMI270_SensorAPI) and not part of tiltwise: setup puts them onto the
board as bmi270_config.bin. They go in one kilobyte at a time, so that the rest of the firmware keeps running. The
FIFO is used without headers: 12 bytes a sample, gyroscope first.
"""

from micropython import const

from tiltwise.common import wire

from .part import DEG, EIO, G_M_S2, Part, nearest, signed, within

CONFIG_FILE = "bmi270_config.bin"
_CONFIG_BYTES = const(8192)
_CHUNK = const(128)
_CHUNKS_A_STEP = const(8)

_ACC_DATA = const(0x0C)
_INT_STATUS_0 = const(0x1C)
_INTERNAL_STATUS = const(0x21)
_TEMPERATURE_0 = const(0x22)
_FIFO_LENGTH_0 = const(0x24)
_FIFO_DATA = const(0x26)
_FEAT_PAGE = const(0x2F)
_GYR_CAS = const(0x3C)  # page 0
_ANY_MOTION = const(0x3C)  # page 1
_ACC_CONF = const(0x40)
_ACC_RANGE = const(0x41)
_GYR_CONF = const(0x42)
_GYR_RANGE = const(0x43)
_FIFO_CONFIG_0 = const(0x48)
_FIFO_CONFIG_1 = const(0x49)
_INT1_IO_CTRL = const(0x53)
_INT_LATCH = const(0x55)
_INT1_MAP_FEAT = const(0x56)
_INIT_CTRL = const(0x59)
_INIT_ADDR_0 = const(0x5B)
_INIT_DATA = const(0x5E)
_ACC_SELF_TEST = const(0x6D)
_GYR_SELF_TEST = const(0x6E)
_PWR_CONF = const(0x7C)
_PWR_CTRL = const(0x7D)
_CMD = const(0x7E)

_SOFT_RESET = const(0xB6)
_FIFO_FLUSH = const(0xB0)
_G_TRIGGER = const(0x02)
_INIT_OK = const(1)
_ACC_GYR_TEMP_ON = const(0x0E)
_ACC_ON = const(0x04)
_ACC_GYR_WITHOUT_HEADERS = const(0xC0)
_FIFO_BYTES = const(2048)
_SAMPLE = const(12)
_POWER_SAVE = const(0x03)
_HAS_MOVED = const(0x40)
_ACTIVE_HIGH = const(0x0A)
_GYR_RANGES = {125: 4, 250: 3, 500: 2, 1000: 1, 2000: 0}
_ACC_RANGES = {2: 0, 4: 1, 8: 2, 16: 3}
_RATES = {100: 8, 200: 9}
_ACC_NORMAL = const(0xA0)  # performance, filter as wide as the rate allows
_GYR_NORMAL = const(0xE0)
# Any-motion: all axes, 2 samples at 50 Hz; on, 62 mg (1 g / 2048 a count), told by interrupt 6.
_ANY_MOTION_WORDS = b"\x02\xe0\x80\xb8"


class Bmi270(Part):
    """One part on the bus."""

    name = "BMI270"
    kind = wire.IMU_BMI270

    def __init__(self, bus, address, clock, _who, gyr_range_dps=1000, acc_range_g=4, rate_hz=100):
        Part.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g, _SAMPLE)
        self.gyr_rad_s_per_count = gyr_range_dps / 32768 * DEG
        self.acc_m_s2_per_count = acc_range_g / 32768 * G_M_S2
        self.nominal_hz = nearest(_RATES, rate_hz)
        self._acc_conf = _ACC_NORMAL | _RATES[self.nominal_hz]
        self.rate_hz = float(self.nominal_hz)
        self._cross = 0  # 1/512 of z that leak into x of the gyroscope

    def steps(self):
        """Reset the part, load its configuration, let it sample; yield milliseconds to wait."""
        yield from self._load()
        self._write(_FEAT_PAGE, 0)
        cross = self._read_one(_GYR_CAS) & 0x7F
        self._cross = cross - ((cross & 0x40) << 1)
        self._write(_ACC_CONF, self._acc_conf)
        self._write(_ACC_RANGE, _ACC_RANGES[self.acc_range_g])
        self._write(_GYR_CONF, _GYR_NORMAL | _RATES[self.nominal_hz])
        self._write(_GYR_RANGE, _GYR_RANGES[self.gyr_range_dps])
        self._write(_PWR_CTRL, _ACC_GYR_TEMP_ON)
        yield 50  # the gyroscope starts in 45 ms
        self._write(_FIFO_CONFIG_0, 0)  # no time stamps, newest win
        self._write(_FIFO_CONFIG_1, _ACC_GYR_WITHOUT_HEADERS)
        self._write(_CMD, _FIFO_FLUSH)
        self._check_configured()
        self.overflowed = False

    def _load(self):
        """Reset, and write the configuration file; yield the waits."""
        self._write(_CMD, _SOFT_RESET)
        yield 2
        self._write(_PWR_CONF, 0)
        yield 1
        self._write(_INIT_CTRL, 0)
        yield from self._upload()
        self._write(_INIT_CTRL, 1)
        for _ in range(15):
            yield 20
            if self._read_one(_INTERNAL_STATUS) & 15 == _INIT_OK:
                return
        raise OSError(EIO, "BMI270 does not accept %s: run tiltwise setup again" % CONFIG_FILE)

    def _upload(self):
        """Write the file chunk by chunk, each to its own address, with a pause every kilobyte."""
        chunk = bytearray(_CHUNK)
        address = bytearray(2)
        with _open_config() as file:
            for at in range(0, _CONFIG_BYTES, _CHUNK):
                n = file.readinto(chunk)
                if n != _CHUNK:
                    raise _wrong_size("%d bytes" % (at + n))
                address[0] = at >> 1 & 15  # in words of two bytes; the low register holds four bits
                address[1] = at >> 5
                self._bus.writeto_mem(self._address, _INIT_ADDR_0, address)
                self._bus.writeto_mem(self._address, _INIT_DATA, chunk)
                if at // _CHUNK % _CHUNKS_A_STEP == _CHUNKS_A_STEP - 1:
                    yield 1
            if file.read(1):
                raise _wrong_size("more bytes")

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return self._read_one(_PWR_CTRL) == _ACC_GYR_TEMP_ON and self._read_one(_ACC_CONF) == self._acc_conf

    def waiting(self):
        """Return how many samples wait in the FIFO."""
        two = self._read(_FIFO_LENGTH_0, self._two)
        length = two[0] | two[1] << 8
        if length > _FIFO_BYTES:
            raise OSError(EIO, "the sensor reports an impossible FIFO level: check the wiring")
        if length > _FIFO_BYTES - 2 * _SAMPLE:
            self.overflowed = True  # at the brim; the sample times tell how many were lost
        return length // _SAMPLE

    def read_fifo(self, counts, n):
        """Put up to n samples (six counts each) into counts and return how many were whole."""
        self._read(_FIFO_DATA, self._views[n])
        data = self._bytes
        cross = self._cross
        k = 0
        for o in range(0, _SAMPLE * n, _SAMPLE):
            for i in range(6):
                v = data[o + 2 * i] | data[o + 2 * i + 1] << 8
                counts[k + i] = v - ((v & 0x8000) << 1)
            if counts[k] == -32768 and counts[k + 1] == -32768:  # nothing was there
                continue
            if cross:
                counts[k] = min(max(counts[k] - (cross * counts[k + 2] >> 9), -32768), 32767)
            k += 6
        return k // 6

    def temperature_cdeg(self):
        """Return the temperature of the die in 0.01 degC."""
        two = self._read(_TEMPERATURE_0, self._two)
        return 2300 + signed(two[0] | two[1] << 8) * 100 // 512

    def self_test(self):
        """Deflect the accelerometer both ways, let the gyroscope test itself; see drivers/__init__.py."""
        for ms in self._load():
            self._clock.sleep_ms(ms)
        gyr_ok = self._test_gyr()
        self._write(_ACC_RANGE, _ACC_RANGES[16])
        self._write(_ACC_CONF, _ACC_NORMAL | 12)  # 1600 Hz
        self._write(_PWR_CTRL, _ACC_ON)
        up = self._deflected(0x0D)
        down = self._deflected(0x09)
        self._write(_ACC_SELF_TEST, 0)
        self.configure()
        moved_g = [(up[i] - down[i]) / 2048 for i in range(3)]
        # Data sheet: x at least 16 g, y 15 g, z 10 g apart.
        return all(within(moved_g[i : i + 1], (16, 15, 10)[i], 32) for i in range(3)), gyr_ok

    def _deflected(self, how):
        self._write(_ACC_SELF_TEST, how)
        self._clock.sleep_ms(60)
        return self._means(_ACC_DATA)

    def _test_gyr(self):
        self._write(_PWR_CTRL, _ACC_ON)
        self._write(_FEAT_PAGE, 1)
        self._bus.writeto_mem(self._address, 0x32, b"\x00\x00")  # G_TRIG_1: self-test
        self._write(_CMD, _G_TRIGGER)
        for _ in range(30):
            self._clock.sleep_ms(20)
            axes = self._read_one(_GYR_SELF_TEST)
            if axes & 1:
                return axes & 0x0E == 0x0E
        return False

    def sleep(self):
        """Switch both sensors off."""
        self._write(_PWR_CTRL, 0)
        self._write(_PWR_CONF, _POWER_SAVE)

    def wake_on_motion(self):
        """Watch with the accelerometer alone, and raise INT1 when it is moved."""
        for ms in self._load():
            self._clock.sleep_ms(ms)
        self._write(_FEAT_PAGE, 1)
        self._bus.writeto_mem(self._address, _ANY_MOTION, _ANY_MOTION_WORDS)
        self._write(_INT1_IO_CTRL, _ACTIVE_HIGH)
        self._write(_INT_LATCH, 1)
        self._write(_INT1_MAP_FEAT, _HAS_MOVED)
        self._write(_ACC_CONF, 0x17)  # 50 Hz, low power
        self._write(_PWR_CTRL, _ACC_ON)
        self._write(_PWR_CONF, _POWER_SAVE)

    def has_moved(self):
        """Tell whether it was moved since the last call, and release INT1."""
        return bool(self._read_one(_INT_STATUS_0) & _HAS_MOVED)


def _open_config():
    try:
        return open(CONFIG_FILE, "rb")
    except OSError as problem:
        raise OSError(
            EIO, "BMI270 needs Bosch's configuration and %s is not here: run tiltwise setup" % CONFIG_FILE
        ) from problem


def _wrong_size(size):
    return OSError(EIO, "%s has %s, expected 8192: run tiltwise setup again" % (CONFIG_FILE, size))
