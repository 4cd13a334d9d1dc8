"""Estimates whether the board is worn, from stillness and gravity; None while it is not known.

A living neck is never still: breathing alone turns it by some tenths of a degree. What stays within STILL_DEG for
minutes lies on a table; sooner so when gravity shows a posture that nobody has (upside down, or lying, against
neutral). It cannot tell a wearer from a bag that is carried about: what moves counts as worn.
"""

from micropython import const

UNKNOWN, WORN, MAYBE, OFF = range(4)

WINDOW_MS = const(10000)
STILL_DEG = 0.2  # spread within a window; a part on a table drifts by a few hundredths
OFF_WINDOWS = const(18)  # still for three minutes
OFF_WINDOWS_ODD = const(6)  # still for one minute in a posture that nobody keeps
ODD_COS = 0.17  # up is more than 80 deg from neutral

# (state, what a window shows) -> state
NOTHING, STILL, LONG_STILL, MOVES = range(4)
TRANSITIONS = {
    (UNKNOWN, MOVES): WORN,
    (UNKNOWN, LONG_STILL): OFF,
    (WORN, STILL): MAYBE,
    (WORN, LONG_STILL): OFF,
    (MAYBE, MOVES): WORN,
    (MAYBE, LONG_STILL): OFF,
    (OFF, MOVES): WORN,
}
_STILL_SPREAD = STILL_DEG * 3.14159265 / 180


class WearDetector:
    """Follows one sensor. `state` is UNKNOWN until the first windows are full; MAYBE still counts as worn."""

    def __init__(self, clock):
        self._clock = clock
        self.state = UNKNOWN
        self._windows_still = 0
        self._is_first = True
        self._low = [1.0, 1.0, 1.0]
        self._high = [-1.0, -1.0, -1.0]
        self._begin(clock.ticks_ms())

    @property
    def is_worn(self):
        """True, False, or None while it is not known."""
        return None if self.state == UNKNOWN else self.state != OFF

    @property
    def is_doubted(self):
        """Tell whether the last window was stiller than breathing lets a wearer be."""
        return self.state == MAYBE

    def forget(self):
        """Start anew: the sensor was away, or the board slept."""
        self.state = UNKNOWN
        self._windows_still = 0
        self._is_first = True
        self._begin(self._clock.ticks_ms())

    def step(self, now, up, neutral):
        """Take "up" (three floats) and neutral "up" or None; return True when `is_worn` changed."""
        low, high = self._low, self._high
        for k in range(3):
            low[k] = min(low[k], up[k])
            high[k] = max(high[k], up[k])
        if self._clock.ticks_diff(now, self._began) < WINDOW_MS:
            return False
        before = self.is_worn
        spread = max(high[0] - low[0], high[1] - low[1], high[2] - low[2])
        self.state = TRANSITIONS.get((self.state, self._judge(spread, up, neutral)), self.state)
        self._begin(now)
        return self.is_worn != before

    def _judge(self, spread, up, neutral):
        """Name the window that ended in the words of the table."""
        if self._is_first:  # the filter was still finding "up"
            self._is_first = False
            return NOTHING
        if spread > _STILL_SPREAD:
            self._windows_still = 0
            return MOVES
        self._windows_still += 1
        is_odd = neutral is not None and sum(up[k] * neutral[k] for k in range(3)) < ODD_COS
        return LONG_STILL if self._windows_still >= (OFF_WINDOWS_ODD if is_odd else OFF_WINDOWS) else STILL

    def _begin(self, now):
        self._began = now
        for k in range(3):
            self._low[k] = 1.0
            self._high[k] = -1.0
