"""One driver a family, all with the same interface; `find` picks the one that fits what answers on the bus.

Before it: an I2C bus (`readfrom_mem_into`, `writeto_mem`) and the board's clock. After it: sampler.py.

Every driver class has
    matches(who)          static: tells by the identity register whether it knows the part
    WHO_AM_I, KNOWN       address of the identity register, and what it may say, for people
and every driver object
    kind, name            wire.IMU_*, text
    warning               None, or why this part is a poor choice or not what it says
    nominal_hz, rate_hz   output rate in the data sheet, and the true one as far as the part knows it
    knows_rate            whether rate_hz was measured at the factory, or is what the data sheet says
    gyr_rad_s_per_count, acc_m_s2_per_count, gyr_range_dps, acc_range_g
    zero_rate_dps         one standard deviation of the gyroscope's bias, from the data sheet
    burst                 most samples one read_fifo may be asked for
    overflowed            set by waiting() when the FIFO lost samples; the caller clears it
    steps()               iterable that resets and starts sampling into an empty FIFO, piece by piece: wait the
                          milliseconds it yields before asking for the next piece
    configure()           all steps at once, with the waits
    is_configured()       False after the part lost its power
    waiting()             samples in the FIFO
    read_fifo(counts, n)  put up to n samples of six int16 (gyroscope, accelerometer) into array('h') with room for
                          one more, return how many
    temperature_cdeg()    0.01 degC
    self_test()           (accelerometer is fine, gyroscope is fine); needs a still sensor and half a second to two,
                          leaves it configured
    sleep()               lowest power, no samples until configured again
    wake_on_motion()      low power; the part raises its INT1 (active high, latched) when it is moved
    has_moved()           whether that happened since the last call; releases INT1
A bus that fails raises OSError from any of them.
"""

from . import bmi270, icm42688, lsm6ds, lsm6ds3trc, mpu6050

# Only what can be at an address is asked for: elsewhere the same register may hold anything. BMI270 comes last,
# because its identity is where an MPU-6500 keeps a factory value; its own 0x75 is 0.
_AT_6A = (lsm6ds.Lsm6ds, lsm6ds3trc.Lsm6ds3trc)
_AT_68 = (icm42688.Icm42688p, mpu6050.Mpu6050, bmi270.Bmi270)
DRIVERS = {0x6A: _AT_6A, 0x6B: _AT_6A, 0x68: _AT_68, 0x69: _AT_68}
ADDRESSES = (0x6A, 0x6B, 0x68, 0x69)


class UnknownPartError(OSError):
    """Something answers at this address, and no driver knows it."""


def find(bus, address, clock, gyr_range_dps, acc_range_g, rate_hz):
    """Return a driver for the IMU at this address; OSError when nothing answers or no driver knows it."""
    one = bytearray(1)
    register = None
    for driver in DRIVERS[address]:
        if register != driver.WHO_AM_I:
            register = driver.WHO_AM_I
            bus.readfrom_mem_into(address, register, one)
        if driver.matches(one[0]):
            return driver(bus, address, clock, one[0], gyr_range_dps, acc_range_g, rate_hz)
    raise UnknownPartError(
        "part at 0x%02x says WHO_AM_I 0x%02x (register 0x%02x), expected %s: check the sensor and its address"
        % (address, one[0], register, ", ".join(d.KNOWN for d in DRIVERS[address]))
    )
