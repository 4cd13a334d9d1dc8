"""What all drivers share: a part on the bus, buffers made once, settings that may take some waiting."""

import math

from micropython import const

_BURST = const(16)
DEG = math.pi / 180
G_M_S2 = 9.80665
EIO = 5


class Part:
    """One part; see drivers/__init__.py for what a driver has."""

    warning = None
    zero_rate_dps = 1.0
    knows_rate = False

    def __init__(self, bus, address, clock, gyr_range_dps, acc_range_g, sample_bytes):
        self._bus = bus
        self._address = address
        self._clock = clock
        self.gyr_range_dps = gyr_range_dps
        self.acc_range_g = acc_range_g
        self.burst = _BURST
        self.overflowed = False
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._six = bytearray(6)
        self._bytes = bytearray(sample_bytes * _BURST)
        view = memoryview(self._bytes)
        self._views = [view[: sample_bytes * n] for n in range(_BURST + 1)]  # made once: slicing allocates

    def _write(self, register, value):
        self._one[0] = value
        self._bus.writeto_mem(self._address, register, self._one)

    def _read(self, register, buffer):
        self._bus.readfrom_mem_into(self._address, register, buffer)
        return buffer

    def _read_one(self, register):
        return self._read(register, self._one)[0]

    def configure(self):
        """Do all steps, waiting in between."""
        for ms in self.steps():
            self._clock.sleep_ms(ms)

    def _check_configured(self):
        if not self.is_configured():
            raise OSError(EIO, "the sensor does not keep its settings: check the wiring")

    def _means(self, register, is_big_endian=False):
        """Average ten samples of three axes from the output registers on."""
        total = [0, 0, 0]
        six = self._six
        low = 1 if is_big_endian else 0
        for _ in range(10):
            self._clock.sleep_ms(10)
            self._read(register, six)
            for i in range(3):
                total[i] += signed(six[2 * i + low] | six[2 * i + 1 - low] << 8)
        return [t / 10 for t in total]


def signed(value):
    """Return the int16 that these 16 bits mean."""
    return value - ((value & 0x8000) << 1)


def nearest(rates, wanted_hz):
    """Return the key of the rate next to the wanted one."""
    best = None
    for rate in rates:
        if best is None or abs(rate - wanted_hz) < abs(best - wanted_hz):
            best = rate
    return best


def within(changes, least, most):
    """Tell whether a self-test moved every axis by an amount in these bounds."""
    return all(least <= abs(change) <= most for change in changes)
