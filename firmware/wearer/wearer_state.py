"""The wearer as the board sees it, ten times a second: "up", worn or not, neutral posture, the standalone coach."""

from tiltwise.common import wire

from . import neutral, wear_detection
from .standalone_coach import StandaloneCoach


class WearerState:
    """Looks at one sampler. `log(code, value)` takes events."""

    def __init__(self, clock, settings, motor, samplers, log):
        self._settings = settings
        self._motor = motor
        self._samplers = samplers
        self._log = log
        self.worn = wear_detection.WearDetector(clock)
        self.neutral = neutral.Neutral(settings)
        self.coach = StandaloneCoach(clock, settings, motor, self._log_posture, self._note_doubt)
        self.is_charging = False
        self._up = [0.0, 0.0, 1.0]
        self._changes = 0

    @property
    def is_worn(self):
        """True, False, or None while it is not known."""
        return self.worn.is_worn

    @property
    def has_neutral(self):
        """Tell whether neutral was taken."""
        return self.neutral.up is not None

    def snooze(self, ms):
        """Give no alert for so long; felt as one medium buzz."""
        self.coach.snooze(ms)
        self._motor.play(wire.MOTOR_STEP)

    def silence(self, snooze_s, quiet_in_s, quiet_for_s):
        """Take over a host's snooze and quiet hours, and return how long a snooze lasts now; times in s."""
        if snooze_s != wire.SNOOZE_STAYS:
            self.coach.snooze(1000 * snooze_s)
        self.coach.set_quiet(1000 * quiet_in_s, 1000 * quiet_for_s)
        return self.coach.snooze_ms // 1000

    def stop_motor(self):
        """Stop the motor at once."""
        self._motor.stop()

    def tare(self):
        """Begin to take neutral; the result comes as an event and is felt. False when there is no sensor to ask."""
        if not self._samplers or self._samplers[0].is_lost:
            return False
        self.neutral.start()
        return True

    def step(self, now, has_host, is_awake):
        """Look once."""
        if self._settings.changes != self._changes:
            self._apply()
        if self._motor.is_shaking:
            self._forget_taps()
        up = self._look() if is_awake and not self._motor.is_shaking else None
        was_off = self.worn.is_worn is False
        if up is not None and self.worn.step(now, up, self.neutral.up):
            self._log(wire.EVENT_WORN, 0 if self.worn.is_worn is False else 1)
            if was_off:  # at the start it may lie on a table, which reads upright never
                self.coach.put_on()
        is_worn = self.worn.is_worn
        self._motor.is_allowed = not self.is_charging and is_worn is not False
        for sampler in self._samplers:
            sampler.set_worn(is_worn)
        self._take_neutral(up)
        may_coach = is_worn is not False and not self.is_charging and self.neutral.state == neutral.IDLE
        swing = self._samplers[0].swing() if up is not None else 0.0
        taken = self.neutral
        self.coach.is_held = self.worn.is_doubted
        self.coach.step(now, up if may_coach else None, taken.up, has_host, taken.forward, swing)

    def woke(self):
        """Start anew after sleep: whether the board is worn is not known."""
        self.worn.forget()

    def _apply(self):
        """Take over settings that changed."""
        self._changes = self._settings.changes
        self._motor.strength = self._settings.get("motor_strength")
        self.neutral.reload()
        self.coach.restart()

    def _look(self):
        """Return "up" in the axes of the first sensor, None when it is not known."""
        if not self._samplers or self._samplers[0].is_lost:
            return None
        sampler = self._samplers[0]
        if sampler.watch_taps(self._settings.get("double_tap")) and self.worn.is_worn is not False:
            self.tare()
        sampler.up_into(self._up)
        return self._up

    def _forget_taps(self):
        """The board's own motor taps harder than a finger: without this an alert would take neutral in the slump."""
        if self._samplers:
            self._samplers[0].forget_taps()

    def _take_neutral(self, up):
        result = self.neutral.step(up)
        if result == neutral.NOTHING:
            return
        is_taken = result == neutral.TAKEN
        self._motor.play(wire.MOTOR_DONE if is_taken else wire.MOTOR_ERROR)
        self._log(wire.EVENT_NEUTRAL, 1 if is_taken else 0)

    def _note_doubt(self, is_doubted):
        """Keep what is found about neutral, for the next boot too."""
        try:
            self._settings.set("neutral_doubted", 1 if is_doubted else 0)
        except OSError:
            self._log(wire.EVENT_FLASH_FAULT, 0)
            return
        self._log(wire.EVENT_NEUTRAL, 2 if is_doubted else 3)

    def _log_posture(self, is_alert, angle_deg):
        """Report a posture that the board alone found held too long, or corrected."""
        if is_alert:
            self._samplers[0].count_alert()
        self._log(wire.EVENT_ALERT if is_alert else wire.EVENT_CORRECTED, angle_deg)
