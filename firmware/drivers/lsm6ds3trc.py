"""LSM6DS3TR-C: like the LSM6DSO, but its FIFO holds bare 16-bit words in a fixed pattern.

Registers: ST DS12232 and AN5130. With both sensors at the rate of the FIFO the pattern is six words long:
gyroscope x y z, accelerometer x y z. FIFO_STATUS3/4 tell which word comes next; that is believed only when the
level is odd too, because it is seen to be wrong while a sample is being written. The part has no trim register:
its true rate has to be learnt from the samples.
Both sensors run in normal mode, below 104 Hz in low-power mode: at most 0.45 and 0.29 mA where high performance takes
0.9 (ST DocID030071 rev. 3, table 4), for two to three times the noise, which a tilt does not show.
"""

from micropython import const

from tiltwise.common import wire

from .lsm6 import CTRL1_XL, CTRL2_G, TAP_CFG, Lsm6
from .part import EIO

_FIFO_CTRL3 = const(0x08)
_FIFO_CTRL5 = const(0x0A)
_CTRL6_C = const(0x15)
_CTRL7_G = const(0x16)
_FIFO_STATUS1 = const(0x3A)
_FIFO_DATA_OUT_L = const(0x3E)

_ACC_NORMAL = const(0x10)  # XL_HM_MODE
_GYR_NORMAL = const(0x80)  # G_HM_MODE
_NO_DECIMATION = const(0x09)
_CONTINUOUS = const(6)
_OVERRUN = const(0x40)
_WORDS = const(6)  # a sample
_INTERRUPTS_LATCHED = const(0x81)


class Lsm6ds3trc(Lsm6):
    """One part on the bus."""

    name = "LSM6DS3TR-C"
    kind = wire.IMU_LSM6DS3TRC
    zero_rate_dps = 3.0
    _ACC_LEAST_MG = 90

    def __init__(self, bus, address, clock, _who, gyr_range_dps=1000, acc_range_g=4, rate_hz=104):
        Lsm6.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g, rate_hz, 2 * _WORDS)
        self._four = bytearray(4)

    def steps(self):
        """Reset the part and let it sample into an empty FIFO; nothing to wait for."""
        self._reset()
        self._write(_CTRL6_C, _ACC_NORMAL)
        self._write(_CTRL7_G, _GYR_NORMAL)
        self._write(_FIFO_CTRL3, _NO_DECIMATION)
        self._write(CTRL1_XL, self._rate_bits | self._acc_bits)
        self._write(CTRL2_G, self._rate_bits | self._gyr_bits)
        self._write(_FIFO_CTRL5, self._rate_bits >> 1 | _CONTINUOUS)
        self._check_configured()
        self.overflowed = False
        return ()

    def waiting(self):
        """Return how many samples wait in the FIFO; after an overflow it is emptied, because its order is lost."""
        status = self._read(_FIFO_STATUS1, self._four)
        level = status[0] | (status[1] & 7) << 8
        pattern = status[2] | (status[3] & 3) << 8
        if pattern >= _WORDS:
            raise OSError(EIO, "the sensor reports an impossible FIFO pattern: check the wiring")
        if status[1] & _OVERRUN:
            self.overflowed = True
            self._write(_FIFO_CTRL5, 0)
            self._write(_FIFO_CTRL5, self._rate_bits >> 1 | _CONTINUOUS)
            return 0
        if pattern and level % _WORDS:  # a burst was torn: drop the rest of that sample
            self.overflowed = True
            for _ in range(min(_WORDS - pattern, level)):
                self._read(_FIFO_DATA_OUT_L, self._two)
                level -= 1
        return level // _WORDS

    def read_fifo(self, counts, n):
        """Put n samples (six counts each) into counts and return n."""
        self._read(_FIFO_DATA_OUT_L, self._views[n])
        words = self._bytes
        o = 0
        for k in range(_WORDS * n):
            v = words[o] | words[o + 1] << 8
            counts[k] = v - ((v & 0x8000) << 1)
            o += 2
        return n

    def _latch_interrupts(self):
        self._write(TAP_CFG, _INTERRUPTS_LATCHED)
