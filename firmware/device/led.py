"""One LED that shows the most important condition as a blink code. Times in milliseconds.

A light on a neck is seen by everybody but the wearer, so in normal use it flashes for 20 ms every ten seconds, or
never (setting `led`); only what needs the wearer's hands blinks more.
"""

# Codes, the most important first; housekeeping.py shows the first that applies.
SAFE_MODE, NO_SENSOR, LOW_BATTERY, NO_KEY, NO_NEUTRAL, CHARGING, CONNECTED, ALONE, DARK = range(9)

# On and off in turn, for ever.
CODES = {
    SAFE_MODE: (100, 100, 100, 100, 100, 1500),  # three short
    NO_SENSOR: (100, 100, 100, 100, 100, 100, 100, 1300),  # four short
    LOW_BATTERY: (20, 180, 20, 4780),  # two flashes every 5 s
    NO_KEY: (500, 500),  # slow, even
    NO_NEUTRAL: (100, 150, 100, 2650),  # two short every 3 s
    CHARGING: (1000, 1000),
    CONNECTED: (20, 9980),
    ALONE: (20, 4980),
    DARK: (0, 10000),
}


class Led:
    """Blinks a code. `pin(1)` switches the light on."""

    def __init__(self, pin, clock):
        self._pin = pin
        self._clock = clock
        self.code = DARK
        self._k = 0
        self._until = clock.ticks_ms()
        pin(0)

    def step(self, now, code):
        """Show this code; a new one begins at its start."""
        parts = CODES[code]
        if code != self.code:
            self.code = code
            self._k = 0
        elif self._clock.ticks_diff(now, self._until) >= 0:
            self._k = (self._k + 1) % len(parts)
        else:
            return
        self._until = self._clock.ticks_add(now, parts[self._k])
        self._pin(1 if self._k % 2 == 0 and parts[self._k] else 0)
