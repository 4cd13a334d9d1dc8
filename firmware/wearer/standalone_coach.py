"""Alerts by the board itself while no host is connected: inclination from neutral, the shared rule, the motor.

The rule is common/rule.py, the same as on the host. An alert that is not answered comes again every REPEAT_MS, a
step stronger each time; a posture that is corrected after an alert gets a short tick. A host that comes back takes
over at once.
"""

import math

from micropython import const

from tiltwise.common import rule, wire

from . import haptics

HOST_PRESENT, GRACE, STANDALONE = range(3)

REPEAT_MS = const(60000)
MOST_REPEATS = const(4)  # after that it is silent until corrected: the wearer knows
HYSTERESIS_DEG = 5
MAX_GAP_MS = const(5000)
_SMOOTH = const(0.1)  # of a new value, ten times a second: one second, so that a nod is no slump
_STALE_MS = const(2000)

# (state, is a host there, is the waiting time over) -> state
TRANSITIONS = {
    (HOST_PRESENT, False, False): GRACE,
    (HOST_PRESENT, False, True): GRACE,
    (GRACE, False, True): STANDALONE,
    (GRACE, True, False): HOST_PRESENT,
    (GRACE, True, True): HOST_PRESENT,
    (STANDALONE, True, False): HOST_PRESENT,
    (STANDALONE, True, True): HOST_PRESENT,
}


def angle_deg(a, b):
    """Return the angle between two directions (three floats each) in degrees."""
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    z = a[0] * b[1] - a[1] * b[0]
    along = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return math.degrees(math.atan2(math.sqrt(x * x + y * y + z * z), along))


class StandaloneCoach:
    """Runs the rule while nobody else does. `log(code, value)` takes ALERT and CORRECTED with the angle, degrees."""

    def __init__(self, clock, settings, motor, log):
        self._clock = clock
        self._settings = settings
        self._motor = motor
        self._log = log
        self.state = GRACE
        self.alerts = 0  # given since boot
        self.inclination_deg = 0.0
        self._t_ms = 0  # adds up, does not wrap
        self._last = clock.ticks_ms()
        self._waited_ms = 0
        self._snooze_ms = 0
        self.restart()

    def restart(self):
        """Begin anew with the rule as it is set now; for a change of rule or neutral."""
        enter = self._settings.get("rule_deg")
        self._rule = rule.SustainedRule(
            enter,
            max(enter - HYSTERESIS_DEG, 1),
            1000 * self._settings.get("rule_s"),
            1000 * self._settings.get("recovery_s"),
            MAX_GAP_MS,
        )
        self._repeats = 0
        self._seen_ms = None  # when the angle was known last

    def snooze(self, ms):
        """Give no alert for `ms`."""
        self._snooze_ms = ms

    def step(self, now, up, neutral, has_host):
        """Take "up" (None: not known, or the motor shakes), neutral "up" or None, and whether a host is there."""
        passed = max(self._clock.ticks_diff(now, self._last), 0)
        self._last = now
        self._t_ms += passed
        self._snooze_ms = max(self._snooze_ms - passed, 0)
        self._waited_ms = 0 if has_host else self._waited_ms + passed
        is_over = self._waited_ms >= 1000 * self._settings.get("alone_after_s")
        before = self.state
        self.state = TRANSITIONS.get((before, has_host, is_over), before)
        if self.state != STANDALONE or not self._settings.get("alone") or neutral is None:
            if self._rule.is_open:
                self.restart()
            return
        if up is not None:
            self._judge(angle_deg(up, neutral))

    def _judge(self, now_deg):
        """Smooth the angle, pass it to the rule, act on the result."""
        if self._seen_ms is None or self._t_ms - self._seen_ms > _STALE_MS:
            self.inclination_deg = now_deg
        self._seen_ms = self._t_ms
        self.inclination_deg += _SMOOTH * (now_deg - self.inclination_deg)
        result = self._rule.step(self._t_ms, self.inclination_deg)
        if result == rule.ALERT:
            self._repeats = 0
            self._alert()
        elif result == rule.ENDED or result == rule.INTERRUPTED:
            if result == rule.ENDED and self._rule.alert_ms is not None:
                self._motor.play(wire.MOTOR_CORRECTED)
                self._log(False, int(self._rule.peak_deg))
            self._repeats = 0
        elif self._rule.state == rule.ALERTED and self._is_repeat_due():
            self._repeats += 1
            self._alert()

    def _is_repeat_due(self):
        return self._repeats < MOST_REPEATS and self._t_ms - self._alerted_ms >= REPEAT_MS

    def _alert(self):
        """Buzz, a step stronger with each repetition."""
        self._alerted_ms = self._t_ms
        self.alerts += 1
        strength = self._settings.get("motor_strength")
        if strength and not self._snooze_ms:
            self._motor.play(wire.MOTOR_ALERT, min(strength + self._repeats, len(haptics.DUTY) - 1))
        self._log(True, int(self.inclination_deg))
