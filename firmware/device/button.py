"""One push-button: levels in, SHORT, DOUBLE or LONG out. Milliseconds.

Contacts bounce for some milliseconds: a level counts when it has stayed for DEBOUNCE_MS.
"""

from micropython import const

NOTHING, SHORT, DOUBLE, LONG = range(4)

DEBOUNCE_MS = const(20)
LONG_MS = const(2000)
DOUBLE_MS = const(350)  # from letting go to pressing again

# States
UP, DOWN, WAITING, DOWN_AGAIN, HELD = range(5)

# (state, what happened) -> (state, result); "late" means that the time of the state is over.
PRESS, RELEASE, LATE = range(3)
TRANSITIONS = {
    (UP, PRESS): (DOWN, NOTHING),
    (DOWN, RELEASE): (WAITING, NOTHING),
    (DOWN, LATE): (HELD, LONG),
    (WAITING, PRESS): (DOWN_AGAIN, NOTHING),
    (WAITING, LATE): (UP, SHORT),
    (DOWN_AGAIN, RELEASE): (UP, DOUBLE),
    (DOWN_AGAIN, LATE): (HELD, LONG),
    (HELD, RELEASE): (UP, NOTHING),
}
_TIMES = {DOWN: LONG_MS, WAITING: DOUBLE_MS, DOWN_AGAIN: LONG_MS}


class Button:
    """Follows one button; a button pressed at boot counts from its release on."""

    def __init__(self, clock, is_pressed=False):
        self._clock = clock
        now = clock.ticks_ms()
        self.state = HELD if is_pressed else UP
        self._is_down = is_pressed
        self._level = is_pressed
        self._level_at = now
        self._since = now

    def step(self, now, is_pressed):
        """Take the level of the pin and return what the button means, mostly NOTHING."""
        if is_pressed != self._level:
            self._level = is_pressed
            self._level_at = now
        if self._level != self._is_down and self._clock.ticks_diff(now, self._level_at) >= DEBOUNCE_MS:
            self._is_down = self._level
            return self._go(now, PRESS if self._is_down else RELEASE)
        time = _TIMES.get(self.state)
        if time is not None and self._clock.ticks_diff(now, self._since) >= time:
            return self._go(now, LATE)
        return NOTHING

    def _go(self, now, what):
        state, result = TRANSITIONS.get((self.state, what), (self.state, NOTHING))
        if state != self.state:
            self.state = state
            self._since = now
        return result
