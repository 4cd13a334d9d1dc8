"""The motor: five patterns, five strengths, and limits that hold whatever is asked.

A pattern has at most 2 s of vibration; beyond that a budget of on-time fills by a tenth of the time that passes,
so that no sequence of commands shakes anybody for long or warms the motor. While it shakes, and some time after,
the samples are not to be trusted: `is_shaking`.
"""

from micropython import const

from tiltwise.common import wire

# Milliseconds on, off, on, ...
PATTERNS = {
    wire.MOTOR_ALERT: (300, 150, 300),
    wire.MOTOR_CORRECTED: (60,),
    wire.MOTOR_STEP: (120,),
    wire.MOTOR_DONE: (120, 100, 120, 100, 350),
    wire.MOTOR_ERROR: (70, 70, 70, 70, 70, 70, 70),
}
DUTY = (0, 22000, 31000, 41000, 52000, 65535)  # by strength; a coin motor does not start much below a third
MOST_ON_MS = const(2000)
_FILLS_ONE_IN = const(10)  # of the time that passes
BLANKING_MS = const(250)  # a coin motor coasts for 100 to 150 ms, then the band swings


class Haptics:
    """Plays one pattern at a time."""

    def __init__(self, motor, clock, strength=3):
        self._motor = motor
        self._clock = clock
        self._pattern = ()
        self._k = 0
        self._next_at = 0
        self._quiet_at = clock.ticks_ms()
        self._filled_at = self._quiet_at
        self._budget_ms = MOST_ON_MS
        self._is_after = False
        self.strength = strength
        self.alerts = 0  # given since boot, by this motor or, as a host said, in another way
        self.is_allowed = True  # False while charging or not worn
        self.is_on = False
        if motor is not None:
            motor.set(0)

    def play(self, pattern_id, strength=0):
        """Start a pattern (strength 1 to 5, 0: as set) and return True; False when it may not or cannot now."""
        if pattern_id == wire.MOTOR_STOP:
            self.stop()
            return True
        if pattern_id == wire.MOTOR_NOTED:
            self.alerts += 1
            return True
        strength = strength or self.strength
        pattern = PATTERNS.get(pattern_id)
        if (
            self._motor is None
            or pattern is None
            or not 1 <= strength < len(DUTY)
            or not self.is_allowed
            or self._pattern
        ):
            return False
        now = self._clock.ticks_ms()
        self._fill(now)
        on_ms = sum(pattern[k] for k in range(0, len(pattern), 2))
        if on_ms > self._budget_ms:
            return False
        self._budget_ms -= on_ms
        self._duty = DUTY[strength]
        self._pattern = pattern
        self._k = 0
        self._switch(now)
        if pattern_id == wire.MOTOR_ALERT:
            self.alerts += 1
        return True

    def stop(self):
        """Stop at once."""
        self._pattern = ()
        self._set(0, self._clock.ticks_ms())

    def step(self, now):
        """Go on with the pattern; call every few milliseconds. Returns the milliseconds until the next change."""
        if not self.is_allowed and self._pattern:
            self.stop()
        if not self._pattern:
            self._fill(now)
            self._is_after = self._is_after and self._clock.ticks_diff(now, self._quiet_at) < BLANKING_MS
            return 1000
        if self._clock.ticks_diff(now, self._next_at) >= 0:
            self._k += 1
            if self._k >= len(self._pattern):
                self.stop()
                return 1000
            self._switch(now)
        return max(self._clock.ticks_diff(self._next_at, now), 1)

    @property
    def is_shaking(self):
        """Tell whether the motor runs or has just run."""
        return self.is_on or self._is_after or bool(self._pattern)

    def _switch(self, now):
        """Begin part k of the pattern."""
        self._next_at = self._clock.ticks_add(now, self._pattern[self._k])
        self._set(0 if self._k & 1 else self._duty, now)

    def _set(self, duty, now):
        if self._motor is not None:
            self._motor.set(duty)
        if self.is_on and not duty:
            self._quiet_at = now
            self._is_after = True
        self.is_on = duty > 0

    def _fill(self, now):
        """Let the budget grow; a long pause fills it, and ticks are looked at often enough not to wrap."""
        past = self._clock.ticks_diff(now, self._filled_at)
        if past >= _FILLS_ONE_IN:
            self._budget_ms = min(self._budget_ms + past // _FILLS_ONE_IN, MOST_ON_MS)
            self._filled_at = now
