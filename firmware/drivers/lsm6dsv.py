"""LSM6DSV16X (and LSM6DSV, LSM6DSV16B, which tell the same identity): six axes at 120 or 240 Hz, as raw counts.

Registers: ST DS13510 and AN5763, and ST's own lsm6dsv16x-pid (BSD-3-Clause). FIFO words are those of lsm6ds.py
without the parity; 256 of them fit. The part fuses both sensors itself (SFLP) when `fuse` asks for it: a game
rotation as three half-precision floats, and gravity in counts of 0.061 mg, once a sample. The firmware does not use
them: its own fusion knows clipping and the motor.
"""

from micropython import const

from tiltwise.common import wire

from .lsm6 import BDU_IF_INC, CTRL3_C
from .lsm6ds import Lsm6ds
from .part import EIO, nearest, within

_FUNC_CFG_ACCESS = const(0x01)
_FIFO_CTRL3 = const(0x09)
_FIFO_CTRL4 = const(0x0A)
_CTRL1 = const(0x10)
_CTRL2 = const(0x11)
_CTRL6 = const(0x15)
_CTRL8 = const(0x17)
_CTRL10 = const(0x19)
_FIFO_STATUS1 = const(0x1B)
_OUTX_L_G = const(0x22)
_OUTX_L_A = const(0x28)
_WAKE_UP_SRC = const(0x45)
_INTERNAL_FREQ = const(0x4F)
_FUNCTIONS_ENABLE = const(0x50)
_INACTIVITY_DUR = const(0x54)
_TAP_CFG0 = const(0x56)
_WAKE_UP_THS = const(0x5B)
_MD1_CFG = const(0x5E)
_FIFO_DATA_OUT_TAG = const(0x78)
_EMB_FUNC_EN_A = const(0x04)  # these three in the embedded functions' bank
_EMB_FUNC_FIFO_EN_A = const(0x44)
_SFLP_ODR = const(0x5E)

_CONTINUOUS = const(6)
_OVERRUN_LATCHED = const(0x08)
_MAX_WORDS = const(256)
_TAG_GYR = const(1)
_TAG_ACC = const(2)
_TAG_GAME = const(0x13)
_TAG_GRAVITY = const(0x17)
_EMBEDDED = const(0x80)
_GAME_ON = const(0x02)
_GAME_AND_GRAVITY = const(0x12)
_LATCHED = const(0x01)
_INTERRUPTS_ENABLE = const(0x80)
_WAKE_TO_INT1 = const(0x20)
_WEIGHT_31_MG = const(0x24)  # of the wake-up threshold, and the reset value of the rest
_WAKE_COUNTS = const(2)  # of 31.25 mg
_LOW_POWER_30 = const(0x44)  # mean of two samples, 30 Hz
_HAS_MOVED = const(0x08)
_RATES = {60: 5, 120: 6, 240: 7}
_SFLP_BITS = {60: 0x53, 120: 0x5B, 240: 0x63}
_GYR_CODES = {125: 0, 250: 1, 500: 2, 1000: 3, 2000: 4}
_ACC_CODES = {2: 0, 4: 1, 8: 2, 16: 3}


class Lsm6dsv(Lsm6ds):
    """One part on the bus.

    `game` holds x, y, z of the last game rotation as the part's half-precision bits, `gravity` its last three counts.
    """

    def __init__(self, bus, address, clock, _who, gyr_range_dps=1000, acc_range_g=4, rate_hz=104):
        Lsm6ds.__init__(self, bus, address, clock, 0x6C, gyr_range_dps, acc_range_g, rate_hz)
        self.name = "LSM6DSV16X"
        self.kind = wire.IMU_LSM6DSV16X
        self.nominal_hz = nearest(_RATES, rate_hz)
        self.rate_hz = float(self.nominal_hz)
        self._code = _RATES[self.nominal_hz]
        self._words = 2  # a sample
        self.game = [0, 0, 0]
        self.gravity = [0, 0, 0]

    def fuse(self):
        """Let the part fuse too: call steps after this; half as many samples fit into FIFO and burst."""
        self._words = 4
        self.burst = 8

    def steps(self):
        """Reset the part and let it sample into an empty FIFO; nothing to wait for."""
        self._reset()
        self._write(_CTRL6, _GYR_CODES[self.gyr_range_dps])
        self._write(_CTRL8, _ACC_CODES[self.acc_range_g])
        if self._words == 4:
            self._start_fusing()
        self._write(_FIFO_CTRL3, self._code << 4 | self._code)
        self._write(_CTRL1, self._code)
        self._write(_CTRL2, self._code)
        self._write(_FIFO_CTRL4, _CONTINUOUS)
        self._check_configured()
        trim = self._read_one(_INTERNAL_FREQ)
        self.rate_hz = self.nominal_hz * (1 + 0.0013 * (trim - ((trim & 0x80) << 1)))
        self.overflowed = False
        self._slot = -1
        self._seen = 0
        return ()

    def _start_fusing(self):
        self._write(_FUNC_CFG_ACCESS, _EMBEDDED)
        try:
            self._write(_SFLP_ODR, _SFLP_BITS[self.nominal_hz])
            self._write(_EMB_FUNC_FIFO_EN_A, _GAME_AND_GRAVITY)
            self._write(_EMB_FUNC_EN_A, _GAME_ON)
        finally:
            self._write(_FUNC_CFG_ACCESS, 0)

    def _reset(self):
        self._write(_FUNC_CFG_ACCESS, 0)  # a transfer that failed may have left the other bank open
        Lsm6ds._reset(self)

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return self._read_one(_CTRL1) == self._code and self._read_one(_CTRL8) == _ACC_CODES[self.acc_range_g]

    def waiting(self):
        """Return how many samples wait in the FIFO."""
        status = self._read(_FIFO_STATUS1, self._two)
        level = status[0] | (status[1] & 1) << 8
        if level > _MAX_WORDS:
            raise OSError(EIO, "the sensor reports an impossible FIFO level: check the wiring")
        if status[1] & _OVERRUN_LATCHED:
            self.overflowed = True
        return level // self._words

    def read_fifo(self, counts, n):
        """Put up to n samples (six counts each) into counts and return how many were complete."""
        if self._words == 2:
            return Lsm6ds.read_fifo(self, counts, n)
        self._read(_FIFO_DATA_OUT_TAG, self._views[2 * n])
        words = self._bytes
        done = 0
        for o in range(0, 28 * n, 7):
            if words[o] & 6 != self._slot:
                self._slot = words[o] & 6
                self._seen = 0
            tag = words[o] >> 3
            if tag in (_TAG_GYR, _TAG_ACC):
                self._take(counts, 6 * done + 3 * (tag - 1), o)
                self._seen |= tag
            elif tag == _TAG_GRAVITY:
                self._take(self.gravity, 0, o)
            elif tag == _TAG_GAME:
                for i in range(3):
                    self.game[i] = words[o + 1 + 2 * i] | words[o + 2 + 2 * i] << 8
            if self._seen == 3:
                self._seen = 0
                done += 1
        return done

    def _take(self, counts, k, o):
        """Put the three int16 of the word at o into counts."""
        words = self._bytes
        for i in range(3):
            v = words[o + 1 + 2 * i] | words[o + 2 + 2 * i] << 8
            counts[k + i] = v - ((v & 0x8000) << 1)

    def self_test(self):
        """Move the proof masses electrically and look whether they follow; see drivers/__init__.py."""
        self._reset()
        self._write(_CTRL6, _GYR_CODES[2000])
        self._write(_CTRL8, _ACC_CODES[4])
        self._write(_CTRL1, 5)  # 60 Hz
        self._write(_CTRL2, 7)  # 240 Hz
        acc, gyr = self._settled()
        self._write(_CTRL10, 0x05)  # positive self-test of both
        acc_on, gyr_on = self._settled()
        self._write(_CTRL10, 0)
        self.configure()
        acc_mg = [(acc_on[i] - acc[i]) * 0.122 for i in range(3)]
        gyr_dps = [(gyr_on[i] - gyr[i]) * 0.070 for i in range(3)]
        return within(acc_mg, 50, 1700), within(gyr_dps, 150, 700)

    def _settled(self):
        self._clock.sleep_ms(100)
        return self._means(_OUTX_L_A), self._means(_OUTX_L_G)

    def sleep(self):
        """Switch both sensors off."""
        self._write(_CTRL1, 0)
        self._write(_CTRL2, 0)

    def wake_on_motion(self):
        """Watch with the accelerometer alone, and raise INT1 when it is moved."""
        self._reset()
        self._write(CTRL3_C, BDU_IF_INC)
        self._write(_INACTIVITY_DUR, _WEIGHT_31_MG)
        self._write(_WAKE_UP_THS, _WAKE_COUNTS)
        self._write(_MD1_CFG, _WAKE_TO_INT1)
        self._write(_TAP_CFG0, _LATCHED)
        self._write(_FUNCTIONS_ENABLE, _INTERRUPTS_ENABLE)
        self._write(_CTRL1, _LOW_POWER_30)

    def has_moved(self):
        """Tell whether it was moved since the last call, and release INT1."""
        return bool(self._read_one(_WAKE_UP_SRC) & _HAS_MOVED)


def half(bits):
    """Return the number that these 16 bits mean in half precision; MicroPython's struct does not know it."""
    exponent = bits >> 10 & 31
    mantissa = bits & 1023
    value = mantissa / 16777216 if exponent == 0 else (1 + mantissa / 1024) * 2.0 ** (exponent - 15)
    return -value if bits & 0x8000 else value
