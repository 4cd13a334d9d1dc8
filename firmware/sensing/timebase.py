"""When each sample was taken: the sensor's own sample count, held to the board's clock. Unit: 100 us.

The FIFO says how many samples there are, never when they came: the newest is between zero and one period old when
it is seen. A second-order loop follows the middle of that; its gains are those of a straight line fitted to the
last observations, few at first, `_MEMORY` later. Whatever it believes, a sample is not older than a period; nor newer
than now, unless the program stood still between the clock and the FIFO level, which then holds more than the clock
says: that is no fault of the samples, and the next observation finds them in their place. Ticks are only ever
subtracted, and all stays in integers, of which a board makes no objects.
"""

from micropython import const

_MEMORY = const(64)  # observations: 3 s at 50 ms, so the phase noise of 2.8 ms averages to 0.7 ms
_TRUSTED = const(12)  # observations that the part's own idea of its rate is worth
_TRUSTED_LITTLE = const(3)  # the same of a data sheet's
_ONE = const(16384)  # a unit in the integers inside
_SLACK = const(81920)  # 0.5 ms: the FIFO level is read a little after the clock
_LEAST = const(-81920)
# Observations in a row with more samples than time for them: then the period is wrong. A program that stood still
# between clock and level makes one.
_MOST_EARLY = const(2)


class DeviceTime:
    """Time since boot in units of 100 us, from ticks that wrap; ask at least every few minutes."""

    def __init__(self, clock):
        self.clock = clock
        self._last = clock.ticks_us()
        self._rest_us = 0
        self._units = 0

    def now(self):
        """Return the units since boot."""
        ticks = self.clock.ticks_us()
        us = self.clock.ticks_diff(ticks, self._last) + self._rest_us
        self._last = ticks
        self._rest_us = us % 100
        self._units += us // 100
        return self._units


class Timebase:
    """Sample times of one sensor. Inside, times are integers of 1/16384 unit, which need no memory."""

    def __init__(self):
        self.start(0, 100.0)

    def start(self, now, rate_hz, knows_rate=True):
        """Begin anew: the first sample is yet to come, at about this rate."""
        self._trusted = _TRUSTED if knows_rate else _TRUSTED_LITTLE
        self._period = round(1e4 * _ONE / rate_hz)
        self._now = now
        self._age = 0  # of the newest sample at `_now`
        # Time handed out last, and its fraction in 1/256.
        self._last = now
        self._fraction = 0
        self._step = self._period >> 6
        self._seen = 0  # observations
        self._early = 0  # in a row

    @property
    def period(self):
        """Return the measured period in units of 100 us."""
        return self._period / _ONE

    def observe(self, now, n, is_overflow=False):
        """Take note that n >= 1 new samples were there; return how many others were lost before them."""
        period = self._period
        age = self._age + (now - self._now << 14) - n * period
        self._now = now
        late = age - (period >> 1)
        lost = 0
        if self._seen and (is_overflow or late > period + (period >> 1)):  # without an overflow flag, too
            lost = max((late + (period >> 1)) // period, 0)
            late -= lost * period
            age -= lost * period
        least = _LEAST
        if lost or self._seen == 0:
            self._seen = 1
            age -= late
        elif late < -period and self._early < _MOST_EARLY:
            self._early += 1
            least = age
        else:
            self._early = 0
            age -= self._correct(late, n)
        self._age = min(max(age, least), self._period + _SLACK)
        self._spread(n, lost)
        return lost

    def _correct(self, late, n):
        """Return the correction of the age; correct the period by the way."""
        k = self._seen = min(self._seen + 1, _MEMORY)
        slope_k = min(k + self._trusted, _MEMORY)
        part = slope_k * (slope_k + 1) * n
        self._period += (6 * late + (part >> 1)) // part
        part = k * (k + 1)
        return (2 * (2 * k - 1) * late + (part >> 1)) // part

    def _spread(self, n, lost):
        """Divide the time since the last sample handed out among the n new ones; never backwards."""
        period = self._period
        if lost:
            self._last = self._now
            self._fraction = -self._age - n * period >> 6
        span = (self._now - self._last << 14) - self._age - (self._fraction << 6)
        self._step = min(max(span // n, period >> 1), 2 * period) >> 6

    def next(self):
        """Return the time of the next of the samples observed, whole units."""
        fraction = self._fraction + self._step
        self._last += fraction >> 8
        self._fraction = fraction & 255
        return self._last
