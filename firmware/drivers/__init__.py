"""One driver a file, all with the same interface; `find` picks the one that fits what answers on the bus.

Before it: an I2C bus (`readfrom_mem_into`, `writeto_mem`). After it: sampler.py.

Every driver class has
    matches(who)          static: tells by the identity register whether it knows the part
    WHO_AM_I              address of the identity register
and every driver object, made from (bus, address, who),
    kind, name            wire.IMU_*, text
    rate_hz               the part's own true output rate as far as the part knows it
    gyr_rad_s_per_count, acc_m_s2_per_count, gyr_range_dps, acc_range_g
    burst                 most samples one read_fifo may be asked for
    overflowed            set by waiting() when the FIFO lost samples; the caller clears it
    configure()           reset and start sampling into an empty FIFO
    waiting()             samples in the FIFO
    read_fifo(counts, n)  put up to n samples of six int16 (gyroscope, accelerometer) into array('h') with room for
                          one more, return how many
    is_configured()       False after the part lost its power
    temperature_cdeg()    0.01 degC
    self_test(clock)      (accelerometer is fine, gyroscope is fine); needs a still sensor, leaves it configured
    sleep()               lowest power, no samples until configure()
A bus that fails raises OSError from any of them.
"""

from . import lsm6ds

DRIVERS = (lsm6ds.Lsm6ds,)


class UnknownPartError(OSError):
    """Something answers at this address, and no driver knows it."""


def find(bus, address, gyr_range_dps, acc_range_g):
    """Return a driver for the IMU at this address; OSError when nothing answers or no driver knows it."""
    one = bytearray(1)
    for driver in DRIVERS:
        bus.readfrom_mem_into(address, driver.WHO_AM_I, one)
        if driver.matches(one[0]):
            return driver(bus, address, one[0], gyr_range_dps, acc_range_g)
    raise UnknownPartError(
        "part at 0x%02x says WHO_AM_I 0x%02x, expected %s: check the sensor and its address"
        % (address, one[0], ", ".join(d.KNOWN for d in DRIVERS))
    )
