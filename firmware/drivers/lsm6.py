"""What LSM6DSO, LSM6DSOX, LSM6DSR and LSM6DS3TR-C share: ranges, output registers, self-test, wake on motion.

Registers: ST DS12140, DS12814, DS11610 (LSM6DS3TR-C: DS12232).
"""

from micropython import const

from .part import DEG, EIO, G_M_S2, Part, nearest, signed, within

CTRL1_XL = const(0x10)
CTRL2_G = const(0x11)
CTRL3_C = const(0x12)
_CTRL5_C = const(0x14)
_CTRL6_C = const(0x15)
_WAKE_UP_SRC = const(0x1B)
_OUT_TEMP_L = const(0x20)
_OUTX_L_G = const(0x22)
_OUTX_L_A = const(0x28)
TAP_CFG = const(0x58)  # TAP_CFG2 in the newer parts
_WAKE_UP_THS = const(0x5B)
_MD1_CFG = const(0x5E)

BDU_IF_INC = const(0x44)
_SW_RESET = const(0x01)
_RATE_26 = const(0x20)
_LOW_POWER = const(0x10)
_WAKE_TO_INT1 = const(0x20)
_HAS_MOVED = const(0x08)
_WAKE_COUNTS = const(2)  # of 2 g / 64: 62 mg, more than breathing and less than taking it up

_ACC_BITS = {
    2: (0x00, 0.061),
    4: (0x08, 0.122),
    8: (0x0C, 0.244),
    16: (0x04, 0.488),
}  # g: (FS bits, mg per count)
_GYR_BITS = {125: (0x02, 4.375), 250: (0x00, 8.75), 500: (0x04, 17.5), 1000: (0x08, 35.0), 2000: (0x0C, 70.0)}
_RATE_CODES = {52: 0x30, 104: 0x40, 208: 0x50}
RATE_DIVIDERS = {52: 128, 104: 64, 208: 32}


class Lsm6(Part):
    """Base of the two families."""

    _BASE_HZ = 6667
    _ACC_LEAST_MG = 50

    def __init__(self, bus, address, clock, gyr_range_dps, acc_range_g, rate_hz, sample_bytes):
        Part.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g, sample_bytes)
        self._gyr_bits, mdps = _GYR_BITS[gyr_range_dps]
        self._acc_bits, mg = _ACC_BITS[acc_range_g]
        self.gyr_rad_s_per_count = mdps * 1e-3 * DEG
        self.acc_m_s2_per_count = mg * 1e-3 * G_M_S2
        self.nominal_hz = nearest(_RATE_CODES, rate_hz)
        self._rate_bits = _RATE_CODES[self.nominal_hz]
        self.rate_hz = self._BASE_HZ / RATE_DIVIDERS[self.nominal_hz]

    def _reset(self):
        self._write(CTRL3_C, _SW_RESET)
        for _ in range(20):  # takes 50 us, less than one of these reads
            if not self._read_one(CTRL3_C) & _SW_RESET:
                self._write(CTRL3_C, BDU_IF_INC)
                return
        raise OSError(EIO, "the sensor does not finish its reset: check the wiring")

    def is_configured(self):
        """Tell whether the part still has our settings; after a loss of power it has not."""
        return self._read_one(CTRL1_XL) == self._rate_bits | self._acc_bits

    def temperature_cdeg(self):
        """Return the temperature of the die in 0.01 degC."""
        two = self._read(_OUT_TEMP_L, self._two)
        return 2500 + signed(two[0] | two[1] << 8) * 100 // 256

    def self_test(self):
        """Move the proof masses electrically and look whether they follow; see drivers/__init__.py."""
        self._reset()
        self._write(CTRL1_XL, 0x38)  # 52 Hz, 4 g
        self._write(CTRL2_G, 0x5C)  # 208 Hz, 2000 deg/s
        acc, gyr = self._settled_means()
        self._write(_CTRL5_C, 0x05)  # positive self-test of both
        acc_on, gyr_on = self._settled_means()
        self._write(_CTRL5_C, 0)
        self.configure()
        acc_mg = [(acc_on[i] - acc[i]) * 0.122 for i in range(3)]
        gyr_dps = [(gyr_on[i] - gyr[i]) * 0.070 for i in range(3)]
        return within(acc_mg, self._ACC_LEAST_MG, 1700), within(gyr_dps, 150, 700)

    def _settled_means(self):
        self._clock.sleep_ms(100)
        return self._means(_OUTX_L_A), self._means(_OUTX_L_G)

    def sleep(self):
        """Switch both sensors off."""
        self._write(CTRL1_XL, 0)
        self._write(CTRL2_G, 0)

    def wake_on_motion(self):
        """Watch with the accelerometer alone, and raise INT1 when it is moved."""
        self._reset()
        self._write(_CTRL6_C, _LOW_POWER)
        self._write(_WAKE_UP_THS, _WAKE_COUNTS)
        self._write(_MD1_CFG, _WAKE_TO_INT1)
        self._latch_interrupts()
        self._write(CTRL1_XL, _RATE_26)  # 2 g

    def has_moved(self):
        """Tell whether it was moved since the last call, and release INT1."""
        return bool(self._read_one(_WAKE_UP_SRC) & _HAS_MOVED)
