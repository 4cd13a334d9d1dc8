"""LSM6DSO, LSM6DSOX and LSM6DSR: six axes at 104 or 208 Hz through the FIFO, as raw counts.

The three parts share the registers used here (ST DS12140, DS12814, DS12900); LSM6DSO and LSM6DSOX have the same
identity. A FIFO word is a tag byte (sensor << 3 | slot counter << 1 | parity) and three int16; the two words of
one sampling slot carry the same counter, in any order.
"""

from array import array

from micropython import const

from tiltwise.common import wire

from .lsm6 import CTRL1_XL, CTRL2_G, RATE_DIVIDERS, TAP_CFG, Lsm6
from .part import EIO

_FIFO_CTRL1 = const(0x07)
_FIFO_CTRL3 = const(0x09)
_FIFO_CTRL4 = const(0x0A)
_CTRL9_XL = const(0x18)
_FIFO_STATUS1 = const(0x3A)
_TAP_CFG0 = const(0x56)
_INTERNAL_FREQ_FINE = const(0x63)
_FIFO_DATA_OUT_TAG = const(0x78)

_I3C_DISABLE = const(0xE2)  # without it a noisy start of the bus can switch the part to I3C
_CONTINUOUS = const(6)
_OVERRUN_LATCHED = const(0x08)
_MAX_WORDS = const(512)
_TAG_GYR = const(1)
_TAG_ACC = const(2)
_LATCH_CLEAR_ON_READ = const(0x41)
_INTERRUPTS_ENABLE = const(0x80)
_NAMES = {0x6C: ("LSM6DSOX", wire.IMU_LSM6DSOX), 0x6B: ("LSM6DSR", wire.IMU_LSM6DSR)}


class Lsm6ds(Lsm6):
    """One part on the bus."""

    knows_rate = True

    def __init__(self, bus, address, clock, who, gyr_range_dps=1000, acc_range_g=4, rate_hz=104):
        Lsm6.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g, rate_hz, 14)
        self.name, self.kind = _NAMES[who]
        self._half = array("h", (0, 0, 0, 0, 0, 0))
        self._slot = -1
        self._seen = 0

    def steps(self):
        """Reset the part and let it sample into an empty FIFO; nothing to wait for."""
        self._reset()
        self._write(_CTRL9_XL, _I3C_DISABLE)
        self._write(_FIFO_CTRL1, 2 * self.burst)
        self._write(_FIFO_CTRL3, self._rate_bits | self._rate_bits >> 4)
        self._write(CTRL1_XL, self._rate_bits | self._acc_bits)
        self._write(CTRL2_G, self._rate_bits | self._gyr_bits)
        self._write(_FIFO_CTRL4, _CONTINUOUS)
        self._check_configured()
        trim = self._read_one(_INTERNAL_FREQ_FINE)
        # AN5192: output rate = (6667 + 0.0015 * trim * 6667) / 64 at 104 Hz, trim in two's complement.
        nominal_hz = self._BASE_HZ / RATE_DIVIDERS[self.nominal_hz]
        self.rate_hz = nominal_hz * (1 + 0.0015 * (trim - ((trim & 0x80) << 1)))
        self.overflowed = False
        self._slot = -1
        self._seen = 0
        return ()

    def waiting(self):
        """Return how many samples wait in the FIFO."""
        status = self._read(_FIFO_STATUS1, self._two)
        level = status[0] | (status[1] & 3) << 8
        if level > _MAX_WORDS:
            raise OSError(EIO, "the sensor reports an impossible FIFO level: check the wiring")
        if status[1] & _OVERRUN_LATCHED:
            self.overflowed = True
        return level >> 1

    def read_fifo(self, counts, n):
        """Put up to n samples (six counts each) into counts and return how many were complete."""
        self._read(_FIFO_DATA_OUT_TAG, self._views[n])
        words = self._bytes
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

    def _latch_interrupts(self):
        self._write(_TAP_CFG0, _LATCH_CLEAR_ON_READ)
        self._write(TAP_CFG, _INTERRUPTS_ENABLE)
