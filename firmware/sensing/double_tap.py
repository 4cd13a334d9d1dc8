"""A double tap with a finger on the housing: raw accelerations in, a claim out.

A tap is a jump between two samples; two of them, with stillness before, between and after, are meant. At 100 Hz a
tap is one to three samples long, so some are missed: the button is the sure way.
"""

from micropython import const

# Samples at about 100 Hz.
_QUIET = const(30)  # 0.3 s of stillness before the first and after the second
_BLIND = const(8)  # after a jump: the ringing of the same tap
_LATEST = const(45)  # from the first tap to the second
_JUMP_G10 = const(15)  # tenths of g: walking stays below that between two samples, a finger is 2 to 4 g

IDLE, READY, ONCE, TWICE = range(4)


class DoubleTap:
    """Follows one accelerometer; `has_double` becomes True and stays so until somebody clears it."""

    def __init__(self, acc_m_s2_per_count):
        self._jump = int(_JUMP_G10 * 0.980665 / acc_m_s2_per_count)
        self._x = self._y = self._z = 0
        self._n = 0  # samples in this state
        self.state = IDLE
        self.has_double = False

    def sample(self, ax, ay, az):
        """Take one sample in counts."""
        jump = abs(ax - self._x) + abs(ay - self._y) + abs(az - self._z)
        self._x = ax
        self._y = ay
        self._z = az
        self._n += 1
        if jump > self._jump:
            self._jumped()
        elif self.state == IDLE:
            if self._n >= _QUIET:
                self.state = READY
        elif self.state == TWICE:
            if self._n >= _QUIET:
                self.has_double = True
                self._go(READY)
        elif self.state == ONCE and self._n > _LATEST:
            self._go(READY)

    def forget(self):
        """Begin anew with stillness: what was felt was no finger."""
        self.has_double = False
        self._go(IDLE)

    def _jumped(self):
        if self.state == READY:
            self._go(ONCE)
        elif self.state == IDLE:
            self._n = 0  # not still yet
        elif self._n <= _BLIND:
            return  # still the same tap
        else:
            self._go(TWICE if self.state == ONCE else IDLE)

    def _go(self, state):
        self.state = state
        self._n = 0
