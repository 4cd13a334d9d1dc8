"""When to sleep: not worn and no host -> the IMU dozes and motion wakes it; later the whole board sleeps deeply.

While the board dozes it still talks, so that a host that comes back finds the frames in the ring; deep sleep loses
the ring but not the one-minute summaries, which are in flash by then. A connected host or a charger keeps it from
deep sleep.
"""

from micropython import const

AWAKE, DOZING, ASLEEP = range(3)

DEEP_AFTER_MS = const(3600000)  # of dozing

# What a step sees.
BUSY, IDLE, LONG_IDLE, MOTION, EMPTY = range(5)
TRANSITIONS = {
    (AWAKE, LONG_IDLE): DOZING,
    (AWAKE, EMPTY): ASLEEP,
    (DOZING, MOTION): AWAKE,
    (DOZING, BUSY): AWAKE,
    (DOZING, LONG_IDLE): ASLEEP,
    (DOZING, EMPTY): ASLEEP,
}


class Power:
    """Decides on the state of power; housekeeping.py acts on it."""

    def __init__(self, clock, can_sleep=True, sleep_after_s=600):
        self._clock = clock
        self._can_sleep = can_sleep  # deeply: motion pin or button bring it back
        self.state = AWAKE
        self.sleep_after_s = sleep_after_s
        self._idle_ms = 0  # in this state
        self._last = clock.ticks_ms()

    def step(self, now, is_worn, is_streaming, is_connected, is_charging, is_empty, has_moved):
        """Take what is known and return the state; call it about once a second (idle time is added up)."""
        passed = self._clock.ticks_diff(now, self._last)
        self._last = now
        what = self._look(passed, is_worn, is_streaming, is_connected, is_charging, is_empty, has_moved)
        state = TRANSITIONS.get((self.state, what), self.state)
        if state != self.state:
            self.state = state
            self._idle_ms = 0
        return state

    def wake(self):
        """Be awake at once: the button was pressed."""
        self.state = AWAKE
        self._idle_ms = 0

    def _look(self, passed, is_worn, is_streaming, is_connected, is_charging, is_empty, has_moved):
        """Name what is seen in the words of the table."""
        if is_empty and not is_charging:
            return EMPTY
        if self.state == DOZING:
            if has_moved:
                return MOTION
            if is_streaming:
                return BUSY
            is_idle = self._can_sleep and not (is_connected or is_charging)
            limit = DEEP_AFTER_MS
        else:
            is_idle = is_worn is False and not is_streaming
            limit = 1000 * self.sleep_after_s
        if not is_idle:
            self._idle_ms = 0
            return BUSY if self.state == AWAKE else IDLE
        self._idle_ms += passed
        return LONG_IDLE if self._idle_ms >= limit else IDLE
