"""One-minute summary of one sensor: how much it moved and where "up" was, small enough to keep for hours.

Times in units of 100 us.
"""

from micropython import const

from tiltwise.common import wire

_TENTHS = const(6)  # up vectors in a frame, ten seconds each
_UNKNOWN_WORN = const(255)


class Minute:
    """Sums over the minute that is under way."""

    def __init__(self, frames, sensor):
        self._frames = frames
        self._sensor = sensor
        self._buffer = frames.minutes.lend_buffer()
        self._up = [0] * (3 * _TENTHS)
        self._body = [0] * (3 * _TENTHS)
        self.is_worn = None  # True, False, None: not known
        self.alerts = 0  # given by the board alone in this minute
        self.begin(0, 0)

    def begin(self, t, index):
        """Start a minute here."""
        self.started_at = t
        self._i0 = index
        self._samples = 0
        self._moving = 0  # samples while it moved, was worn, was known to be worn or not
        self._worn = 0
        self._known = 0
        self.alerts = 0
        for k in range(3 * _TENTHS):
            self._up[k] = 0

    def add_up(self, t, direction):
        """Add the direction of "up" at a time: three integers in sensor axes, of any size."""
        k = 3 * min(max((t - self.started_at) // 100000, 0), _TENTHS - 1)
        up = self._up
        up[k] += direction[0]
        up[k + 1] += direction[1]
        up[k + 2] += direction[2]

    def add_second(self, samples, is_moving):
        """Add about a second: how many samples came, and whether the sensor moved."""
        self._samples += samples
        if is_moving:
            self._moving += samples
        if self.is_worn is not None:
            self._known += samples
            if self.is_worn:
                self._worn += samples

    def end(self, t, index, rate_code):
        """Hand over the summary and start the next minute; a minute without samples makes none."""
        if self._samples:
            for k in range(0, 3 * _TENTHS, 3):
                self._round_up(k)
            wire.pack_body_into(
                self._buffer,
                wire.MINUTE,
                min(self._samples, 65535),
                _seconds(self._moving, rate_code),
                _seconds(self._worn, rate_code) if self._known else _UNKNOWN_WORN,
                min(self.alerts, 255),
                *self._body,
            )
            self._buffer = self._frames.put(
                self._buffer, wire.MINUTE, 0, self._i0, self.started_at, 0, self._sensor, rate_code
            )
        self.begin(t, index)

    def _round_up(self, k):
        """Make a unit vector in int8 of a sum; ten seconds without samples stay zero."""
        x, y, z = self._up[k], self._up[k + 1], self._up[k + 2]
        norm = (x * x + y * y + z * z) ** 0.5
        scale = 127 / norm if norm else 0.0
        self._body[k] = round(x * scale)
        self._body[k + 1] = round(y * scale)
        self._body[k + 2] = round(z * scale)


def _seconds(samples, rate_code):
    """Return how many seconds so many samples of the IMU are, of the minute; ORIENT has half of their rate."""
    return min(round(samples / (2 * wire.RATES_HZ[rate_code])), 60)
