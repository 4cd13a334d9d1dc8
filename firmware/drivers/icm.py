"""What the ICM parts share: counts of int16, and FIFO packets of 16 bytes.

A packet has a header that tells what is in it, accelerometer and gyroscope (low byte first), temperature, time stamp.
"""

from micropython import const

from .part import DEG, G_M_S2, Part

_PACKET = const(16)  # bytes
_EMPTY = const(0x80)
_HAS_BOTH = const(0x60)
_INVALID = const(-32768)


class Icm(Part):
    """One part on the bus; `fifo_data` is the register that its packets are read from."""

    fifo_data = 0

    def __init__(self, bus, address, clock, gyr_range_dps, acc_range_g):
        Part.__init__(self, bus, address, clock, gyr_range_dps, acc_range_g, _PACKET)
        self.gyr_rad_s_per_count = gyr_range_dps / 32768 * DEG
        self.acc_m_s2_per_count = acc_range_g / 32768 * G_M_S2

    def read_fifo(self, counts, n):
        """Put up to n samples (six counts each) into counts and return how many were whole."""
        self._read(self.fifo_data, self._views[n])
        data = self._bytes
        k = 0
        for o in range(0, _PACKET * n, _PACKET):
            header = data[o]
            if header & _EMPTY:
                break
            if header & _HAS_BOTH != _HAS_BOTH:
                continue
            for i in range(3):
                v = data[o + 1 + 2 * i] | data[o + 2 + 2 * i] << 8
                counts[k + 3 + i] = v - ((v & 0x8000) << 1)
                v = data[o + 7 + 2 * i] | data[o + 8 + 2 * i] << 8
                counts[k + i] = v - ((v & 0x8000) << 1)
            if counts[k] != _INVALID and counts[k + 3] != _INVALID:
                k += 6
        return k // 6
