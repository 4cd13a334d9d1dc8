"""One driver a family, all with the same interface; `find` loads the one that fits what answers on the bus.

Every driver object has
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
                          leaves it configured; (None, None) of a part that only its maker's program can test
    sleep()               lowest power, no samples until configured again
    wake_on_motion()      low power; the part raises its INT1 (active high, latched) when it is moved
    has_moved()           whether that happened since the last call; releases INT1
A bus that fails raises OSError from any of them. Only the driver that fits takes memory: it is loaded by name.
"""

import sys

# Identity register, what it says, module, class, the same for people. Only what can be at an address is asked for:
# elsewhere the same register may hold anything. BMI270 comes last, because its identity is where an MPU-6500 keeps a
# factory value; its own 0x75 is 0. MPU-6500, 9250, 9255 (0x70, 0x71, 0x73) and imitations are taken for an MPU-6050.
_AT_6A = (
    (0x0F, (0x6C, 0x6B), "lsm6ds", "Lsm6ds", "0x6c (LSM6DSO, LSM6DSOX) or 0x6b (LSM6DSR)"),
    (0x0F, (0x6A,), "lsm6ds3trc", "Lsm6ds3trc", "0x6a (LSM6DS3TR-C)"),
    (0x0F, (0x70,), "lsm6dsv", "Lsm6dsv", "0x70 (LSM6DSV16X)"),
)
_AT_68 = (
    (0x75, (0x47,), "icm42688", "Icm42688p", "0x47 (ICM-42688-P)"),
    (0x75, (0x68, 0x70, 0x71, 0x73, 0x72, 0x98), "mpu6050", "Mpu6050", "0x68 (MPU-6050)"),
    (0x72, (0xE9,), "icm45686", "Icm45686", "0xe9 (ICM-45686)"),
    (0x00, (0x24,), "bmi270", "Bmi270", "0x24 (BMI270)"),
)
DRIVERS = {0x6A: _AT_6A, 0x6B: _AT_6A, 0x68: _AT_68, 0x69: _AT_68}


class UnknownPartError(OSError):
    """Something answers at this address, and no driver knows it."""


def find(bus, address, clock, gyr_range_dps, acc_range_g, rate_hz):
    """Return a driver for the IMU at this address; OSError when nothing answers or no driver knows it."""
    module, name, who = identify(bus, address)
    return _load(module, name)(bus, address, clock, who, gyr_range_dps, acc_range_g, rate_hz)


def identify(bus, address):
    """Return (module, class, identity) for what is at this address; OSError as from find."""
    one = bytearray(1)
    register = None
    for asked, identities, module, name, _ in DRIVERS[address]:
        if register != asked:
            register = asked
            bus.readfrom_mem_into(address, register, one)
        if one[0] in identities:
            return module, name, one[0]
    raise UnknownPartError(
        "part at 0x%02x says WHO_AM_I 0x%02x (register 0x%02x), expected %s: check the sensor and its address"
        % (address, one[0], register, ", ".join([row[4] for row in DRIVERS[address]]))
    )


def _load(module, name):
    """Return the class of a driver."""
    path = __name__ + "." + module
    __import__(path)
    return getattr(sys.modules[path], name)
