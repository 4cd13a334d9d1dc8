"""Alerts by the board itself while no host is connected: posture (neck_posture.py), the shared rule, the motor.

The rule is that of the host (common/dose.py, or the simple one), and it runs beside a host too: a board whose host
falls silent in the middle of an episode goes on where the host stopped, without a second alert. An alert of its own
that is not answered is repeated every REPEAT_MS, a step stronger each time; a repetition is no new alert and is not
counted. A posture that is corrected after an alert gets a short tick. A host that comes back takes over at once.

Neutral is checked against walks, and after putting on (common/placement_check.py, as on the host). While it is in
doubt there are no alerts.
"""

from micropython import const

from tiltwise.common import cues, dose, placement_check, rule, wire

from . import haptics
from .neck_posture import Posture

HOST_PRESENT, GRACE, STANDALONE = range(3)

REPEAT_MS = const(60000)
MOST_REPEATS = const(4)  # after that it is silent until corrected: the wearer knows
MAX_GAP_MS = const(3000)
_STALE_MS = const(2000)
_DAY_MS = const(86400000)
_BUDGET_KEYS = ("first_quiet_s", "min_gap_s", "most_a_day", "percent")
# What the rule is made of; a change of any begins it anew.
_RULE_KEYS = (
    "rule_deg", "hysteresis_deg", "rule_s", "recovery_s", "by_dose", "mount", "neutral_x", "neutral_y", "neutral_z",
)  # fmt: skip

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


class StandaloneCoach:
    """Runs the rule, and acts on it while nobody else does.

    `log(is_alert, deg)` takes alerts given and postures corrected, with the angle in whole degrees;
    `on_doubt(is_doubted)` hears what is found about neutral, and keeps it in the settings.
    """

    def __init__(self, clock, settings, motor, log, on_doubt):
        self._clock = clock
        self._settings = settings
        self._motor = motor
        self._log = log
        self._on_doubt = on_doubt
        self._posture = Posture()
        self.state = GRACE
        self.alerts = 0  # given since boot
        self._t_ms = 0  # adds up, does not wrap
        self._last = clock.ticks_ms()
        self._waited_ms = 0
        self.is_held = False  # True while the board may lie on a table: what is due waits until it moves
        self.snooze_ms = 0  # what is left of a snooze
        self._quiet_ms = (0, 0)  # when quiet hours begin, and how long they are
        self._alerted_ms = None  # when the wearer was last alerted, by whomever
        self._budget = cues.CueBudget(0, 0, 0)
        self._budget.begin(0)
        self._day_ms = 0  # when the day of the budget began
        self._heard = motor.alerts
        self._values = None
        self._seen_ms = None  # when "up" was known last
        self.restart()

    def restart(self):
        """Take over the settings; begin anew if the rule or neutral is another than before."""
        get, budget = self._settings.get, self._budget
        first_s, gap_s, budget.most_a_day, budget.percent = [get(key) for key in _BUDGET_KEYS]
        budget.first_quiet_ms, budget.min_gap_ms = 1000 * first_s, 1000 * gap_s
        values = [self._settings.get(key) for key in _RULE_KEYS]
        if values == self._values:
            return
        self._values = values
        enter, hysteresis, rule_s, recovery_s, is_by_dose, mount = values[:6]
        if is_by_dose:
            self._rule = dose.DoseRule(dose.limits_of(mount), 1000 * recovery_s, MAX_GAP_MS)
        else:
            self._rule = rule.SustainedRule(
                enter, max(enter - hysteresis, 0), 1000 * rule_s, 1000 * recovery_s, MAX_GAP_MS
            )
        self._placement = placement_check.PlacementCheck(self._settings.get("neutral_doubted"))
        self._end_episode()

    def snooze(self, ms):
        """Give no alert for `ms`."""
        self.snooze_ms = ms

    def set_quiet(self, in_ms, for_ms):
        """Give no alert for `for_ms` of each day, beginning in `in_ms` (negative: begun so long ago)."""
        self._quiet_ms = (self._t_ms + in_ms, for_ms)

    @property
    def is_silent(self):
        """Tell whether alerts are off now: snoozed, or quiet hours."""
        start_ms, for_ms = self._quiet_ms
        return self.snooze_ms > 0 or (for_ms > 0 and (self._t_ms - start_ms) % _DAY_MS < for_ms)

    def step(self, now, up, neutral, has_host, forward=None, swing=0.0):
        """Take "up" (None: not known, or the motor shakes), neutral "up" or None, and whether a host is there.

        forward is the wearer's, in sensor axes, None while it is not known; swing as in Posture.step.
        """
        passed = max(self._clock.ticks_diff(now, self._last), 0)
        self._last = now
        self._t_ms += passed
        self.snooze_ms = max(self.snooze_ms - passed, 0)
        self._waited_ms = 0 if has_host else self._waited_ms + passed
        is_over = self._waited_ms >= 1000 * self._settings.get("alone_after_s")
        before = self.state
        self.state = TRANSITIONS.get((before, has_host, is_over), before)
        if self._motor.alerts != self._heard:  # a host alerted
            self._heard = self._motor.alerts
            self._alerted_ms = self._t_ms
            if not self._is_told:  # again and stronger is the same alert
                self._budget.note(self._t_ms)
            self._is_told = True
            self._is_due = False
        if up is not None and neutral is not None:
            self._judge(up, neutral, forward, swing)

    def _judge(self, up, neutral, forward, swing):
        """Pass the posture to the rule, act on the result."""
        t_ms = self._t_ms
        if self._seen_ms is None or t_ms - self._seen_ms > _STALE_MS:
            self._posture.forget()
            self._seen_ms = t_ms
        deg = self._posture.step(t_ms - self._seen_ms, up, neutral, forward, swing)
        self._seen_ms = t_ms
        self._check_placement(t_ms, forward)
        result = self._rule.step(t_ms, deg)
        acts = self.state == STANDALONE and self._settings.get("alone")
        if result == rule.ENDED or result == rule.INTERRUPTED:
            if result == rule.ENDED and self._is_told and acts and not self.is_silent:
                self._motor.play(wire.MOTOR_CORRECTED)
                self._log(False, int(self._rule.peak_deg))
            self._end_episode()
        elif result == rule.STARTED:  # what the wearer was told before was about something else
            self._end_episode()
        elif result == rule.ALERT:
            self._is_due = not self._is_told
        if not acts or self.is_held or not deg >= self._rule.exit_deg:
            return
        if self._is_due:
            self._alert()
        elif self._is_repeat_due():
            self._repeats += 1
            self._buzz()

    def put_on(self):
        """Look from now on whether the board reads upright as before."""
        self._placement.put_on()

    def _check_placement(self, t_ms, forward):
        """Say what is found about neutral; before a calibration told where forward is, nothing is."""
        if forward is None:
            return
        found = self._placement.step(t_ms, self._posture.up, self._posture.is_walking)
        if found == placement_check.NOTHING:
            return
        self._on_doubt(found != placement_check.RIGHT)
        if found != placement_check.RIGHT and self.state == STANDALONE and not self.is_silent:
            self._motor.play(wire.MOTOR_ERROR)

    def _end_episode(self):
        self._is_due = False  # an alert is due and was not given yet
        self._is_told = False  # the wearer knows of this episode
        self._repeats = MOST_REPEATS

    def _is_repeat_due(self):
        return (
            self._repeats < MOST_REPEATS
            and self._rule.state == rule.ALERTED
            and self._t_ms - self._alerted_ms >= REPEAT_MS * (self._repeats + 1)
        )

    def _alert(self):
        """Alert as soon as nothing stands against it: no silence, no doubt about neutral, and the budget.

        What the schedule leaves out is not given later either.
        """
        if self._t_ms - self._day_ms >= _DAY_MS:
            self._day_ms = self._t_ms
            self._budget.new_day()
        if (
            self.is_silent
            or not self._settings.get("motor_strength")
            or self._settings.get("neutral_doubted")
        ):
            return
        code = self._budget.ask(self._t_ms)
        self._is_due = code != cues.GIVE and code != cues.FADED
        if code != cues.GIVE:
            return
        self._repeats = 0
        self._is_told = True
        self._alerted_ms = self._t_ms
        self.alerts += 1
        self._buzz()
        self._log(True, int(self._posture.deg))

    def _buzz(self):
        """Buzz, a step stronger with each repetition."""
        strength = self._settings.get("motor_strength")
        if strength and not self.is_silent:
            self._motor.play(wire.MOTOR_ALERT, min(strength + self._repeats, len(haptics.DUTY) - 1))
            self._heard = self._motor.alerts
