"""LSM6DSO, LSM6DSOX and LSM6DSR: six axes at 104 Hz through the FIFO, as raw counts.

Before it: the I2C bus. After it: sampler.py. The three parts share the registers used here (ST DS12140, DS12814,
DS12900). A FIFO word is a tag byte (sensor << 3 | slot counter << 1 | parity) and three int16; the two words of one
sampling slot carry the same counter, in any order.
"""

import math
from array import array

from micropython import const

from tiltwise.common import wire

_FIFO_CTRL1 = const(0x07)
_FIFO_CTRL3 = const(0x09)
_FIFO_CTRL4 = const(0x0A)
_CTRL1_XL = const(0x10)
_CTRL2_G = const(0x11)
_CTRL3_C = const(0x12)
_CTRL5_C = const(0x14)
_CTRL9_XL = const(0x18)
_OUT_TEMP_L = const(0x20)
_OUTX_L_G = const(0x22)
_OUTX_L_A = const(0x28)
_FIFO_STATUS1 = const(0x3A)
_INTERNAL_FREQ_FINE = const(0x63)
_FIFO_DATA_OUT_TAG = const(0x78)

_SW_RESET = const(0x01)
_BDU_IF_INC = const(0x44)
_I3C_DISABLE = const(0xE2)  # without it a noisy start of the bus can switch the part to I3C
_BATCH_104 = const(0x44)
_RATE_104 = const(0x40)
_CONTINUOUS = const(6)
_OVERRUN_LATCHED = const(0x08)
_MAX_WORDS = const(512)
_TAG_GYR = const(1)
_TAG_ACC = const(2)
_BURST = const(16)
_EIO = const(5)

_ACC_BITS = {
    2: (0x00, 0.061),
    4: (0x08, 0.122),
    8: (0x0C, 0.244),
    16: (0x04, 0.488),
}  # g: (FS bits, mg per count)
_GYR_BITS = {125: (0x02, 4.375), 250: (0x00, 8.75), 500: (0x04, 17.5), 1000: (0x08, 35.0), 2000: (0x0C, 70.0)}
_NAMES = {0x6C: ("LSM6DSOX", wire.IMU_LSM6DSOX), 0x6B: ("LSM6DSR", wire.IMU_UNKNOWN)}


class Lsm6ds:
    """One part on the bus."""

    WHO_AM_I = 0x0F
    KNOWN = "0x6c (LSM6DSO, LSM6DSOX) or 0x6b (LSM6DSR)"

    @staticmethod
    def matches(who):
        """Tell whether this is a part of the family."""
        return who in _NAMES

    def __init__(self, bus, address, who, gyr_range_dps=1000, acc_range_g=4):
        self._bus = bus
        self._address = address
        self.name, self.kind = _NAMES[who]
        self.gyr_range_dps = gyr_range_dps
        self.acc_range_g = acc_range_g
        self._gyr_bits, mdps = _GYR_BITS[gyr_range_dps]
        self._acc_bits, mg = _ACC_BITS[acc_range_g]
        self.gyr_rad_s_per_count = mdps * 1e-3 * math.pi / 180
        self.acc_m_s2_per_count = mg * 1e-3 * 9.80665
        self.rate_hz = 6667 / 64
        self.burst = _BURST
        self.overflowed = False
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._six = bytearray(6)
        self._words = bytearray(14 * _BURST)
        words = memoryview(self._words)
        self._views = [words[: 14 * n] for n in range(_BURST + 1)]  # made once: slicing allocates
        self._half = array("h", (0, 0, 0, 0, 0, 0))
        self._slot = -1
        self._seen = 0

    def _write(self, register, value):
        self._one[0] = value
        self._bus.writeto_mem(self._address, register, self._one)

    def _read(self, register, buffer):
        self._bus.readfrom_mem_into(self._address, register, buffer)
        return buffer

    def configure(self):
        """Reset the part and let it sample at 104 Hz into an empty FIFO."""
        self._reset()
        self._write(_CTRL3_C, _BDU_IF_INC)
        self._write(_CTRL9_XL, _I3C_DISABLE)
        self._write(_FIFO_CTRL1, 2 * _BURST)
        self._write(_FIFO_CTRL3, _BATCH_104)
        self._write(_CTRL1_XL, _RATE_104 | self._acc_bits)
        self._write(_CTRL2_G, _RATE_104 | self._gyr_bits)
        self._write(_FIFO_CTRL4, _CONTINUOUS)
        if not self.is_configured():
            raise OSError(_EIO, "the sensor does not keep its settings: check the wiring")
        trim = self._read(_INTERNAL_FREQ_FINE, self._one)[0]
        # AN5192: output rate = (6667 + 0.0015 * trim * 6667) / 64 at 104 Hz, trim in two's complement.
        self.rate_hz = 6667 / 64 * (1 + 0.0015 * (trim - ((trim & 0x80) << 1)))
        self.overflowed = False
        self._slot = -1
        self._seen = 0

    def _reset(self):
        self._write(_CTRL3_C, _SW_RESET)
        for _ in range(20):  # takes 50 us, less than one of these reads
            if not self._read(_CTRL3_C, self._one)[0] & _SW_RESET:
                return
        raise OSError(_EIO, "the sensor does not finish its reset: check the wiring")

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return self._read(_CTRL1_XL, self._one)[0] == _RATE_104 | self._acc_bits

    def waiting(self):
        """Return how many samples wait in the FIFO."""
        status = self._read(_FIFO_STATUS1, self._two)
        level = status[0] | (status[1] & 3) << 8
        if level > _MAX_WORDS:
            raise OSError(_EIO, "the sensor reports an impossible FIFO level: check the wiring")
        if status[1] & _OVERRUN_LATCHED:
            self.overflowed = True
        return level >> 1

    def read_fifo(self, counts, n):
        """Put up to n samples (six counts each) into counts and return how many were complete."""
        self._read(_FIFO_DATA_OUT_TAG, self._views[n])
        words = self._words
        if self._seen:
            for k in range(6):
                counts[k] = self._half[k]  # the other half comes now
        done = 0
        for o in range(0, 14 * n, 7):
            tag = words[o]
            if tag & 6 != self._slot:
                self._slot = tag & 6
                self._seen = 0
            tag >>= 3
            if tag != _TAG_GYR and tag != _TAG_ACC:
                continue
            k = 6 * done + 3 * (tag - 1)
            v = words[o + 1] | words[o + 2] << 8
            counts[k] = v - ((v & 0x8000) << 1)
            v = words[o + 3] | words[o + 4] << 8
            counts[k + 1] = v - ((v & 0x8000) << 1)
            v = words[o + 5] | words[o + 6] << 8
            counts[k + 2] = v - ((v & 0x8000) << 1)
            self._seen |= tag
            if self._seen == 3:
                self._seen = 0
                done += 1
        if self._seen:
            for k in range(6):
                self._half[k] = counts[6 * done + k]
        return done

    def temperature_cdeg(self):
        """Return the temperature of the die in 0.01 degC."""
        two = self._read(_OUT_TEMP_L, self._two)
        t = two[0] | two[1] << 8
        return 2500 + (t - ((t & 0x8000) << 1)) * 100 // 256

    def self_test(self, clock):
        """Move the proof masses electrically and look whether they follow; see drivers/__init__.py."""
        self._reset()
        self._write(_CTRL3_C, _BDU_IF_INC)
        self._write(_CTRL1_XL, 0x38)  # 52 Hz, 4 g
        self._write(_CTRL2_G, 0x5C)  # 208 Hz, 2000 deg/s
        acc, gyr = self._means(clock, _OUTX_L_A), self._means(clock, _OUTX_L_G)
        self._write(_CTRL5_C, 0x05)  # positive self-test of both
        acc_on, gyr_on = self._means(clock, _OUTX_L_A), self._means(clock, _OUTX_L_G)
        self._write(_CTRL5_C, 0)
        self.configure()
        acc_ok = all(50 <= abs(acc_on[i] - acc[i]) * 0.122 <= 1700 for i in range(3))  # mg
        gyr_ok = all(150 <= abs(gyr_on[i] - gyr[i]) * 0.070 <= 700 for i in range(3))  # deg/s
        return acc_ok, gyr_ok

    def _means(self, clock, register):
        """Wait for the output to settle, then average five samples of three axes."""
        clock.sleep_ms(100)
        total = [0, 0, 0]
        for _ in range(5):
            clock.sleep_ms(20)
            six = self._read(register, self._six)
            for i in range(3):
                v = six[2 * i] | six[2 * i + 1] << 8
                total[i] += v - ((v & 0x8000) << 1)
        return [t / 5 for t in total]

    def sleep(self):
        """Switch both sensors off."""
        self._write(_CTRL1_XL, 0)
        self._write(_CTRL2_G, 0)
