"""An angle held for a time: angles in degrees and integer milliseconds in, what happened out.

The simple rule; dose.py has the one by dose, on the same machine. The board and the host run this same code, so that
both buzz for the same thing. Times are integers of any origin that do not wrap: a board adds up `ticks_diff` instead
of passing ticks. A time that goes back counts as a gap.
"""

# Results of a step.
NOTHING = 0
STARTED = 1  # the angle came to `enter_deg`: `start_ms` is that sample
ALERT = 2  # it has been held for `dwell_ms`: `alert_ms` is this sample
ENDED = 3  # left for `dip_ms`, once alerted for `recovery_ms`: `end_ms` is the first sample of that
# No angle for longer than `max_gap_ms` while an episode was open: `end_ms` is the last angle before.
INTERRUPTED = 4

# States.
UPRIGHT = 0
HELD = 1  # an episode is open and the alert has not come
ALERTED = 2
EASING = 3  # as HELD, but the angle is below `enter_deg`, not yet for `dip_ms`
EASING_ALERTED = 4  # as ALERTED, but below `exit_deg`

# Flexion of the neck ends at 80 deg (docs/conventions.md); with a bent back a head inclines more, but nobody holds
# that. Longer than for a moment it is a sensor on its way to a table, which is known to be off only later.
BEYOND_ANATOMY_DEG = 90.0

DIP_MS = 500  # a swallow or a small nod; the low-pass before the rule is shorter than that

# What a sample is to the rule. The first that fits, and only what its state can tell apart (see `_classify`).
UNKNOWN = 0  # not a number, and not yet for too long
LOST = 1  # an episode is open and there was no angle for too long
RECOVERED = 2  # an episode is open, and the angle has been low for too long: dip_ms, once alerted recovery_ms
LOW = 3  # below enter; once alerted, below exit
DUE = 4  # at or above enter, and the open episode is dwell_ms old without an alert
HIGH = 5  # at or above enter
MIDDLE = 6  # alerted, and between exit and enter

# (state, sample) -> (state, result). A pair that is not listed stays in its state and does nothing.
TRANSITIONS = {
    (UPRIGHT, HIGH): (HELD, STARTED),
    (HELD, DUE): (ALERTED, ALERT),
    (HELD, LOW): (EASING, NOTHING),
    (HELD, RECOVERED): (UPRIGHT, ENDED),
    (HELD, LOST): (UPRIGHT, INTERRUPTED),
    (ALERTED, LOW): (EASING_ALERTED, NOTHING),
    (ALERTED, RECOVERED): (UPRIGHT, ENDED),
    (ALERTED, LOST): (UPRIGHT, INTERRUPTED),
    (EASING, DUE): (ALERTED, ALERT),
    (EASING, HIGH): (HELD, NOTHING),
    (EASING, RECOVERED): (UPRIGHT, ENDED),
    (EASING, LOST): (UPRIGHT, INTERRUPTED),
    (EASING_ALERTED, HIGH): (ALERTED, NOTHING),
    (EASING_ALERTED, MIDDLE): (ALERTED, NOTHING),
    (EASING_ALERTED, RECOVERED): (UPRIGHT, ENDED),
    (EASING_ALERTED, LOST): (UPRIGHT, INTERRUPTED),
}


class SustainedRule:
    """Tells when an angle is held at or above a limit for too long, sample by sample.

    An episode starts at `enter_deg`. Until the alert it has to be held there: only dips of less than `dip_ms` (a
    swallow, a nod) are forgiven, so that an alert can say "for so long" and mean it. The alert is due `dwell_ms`
    after the start, never on a dip. After it there is hysteresis: the episode lives on until the angle stays below
    `exit_deg` for `recovery_ms`. A sample has one result: the one that shows a gap only ends the episode, and the
    next one may start another.

    Parameters
    ----------
    enter_deg, exit_deg
        Limits in degrees, `exit_deg` at most `enter_deg`.
    dwell_ms, recovery_ms
        How long to hold before the alert, and how long to be corrected before the episode ends. Integers.
    max_gap_ms
        The longest time without an angle that an open episode survives.
    dip_ms
        How long the angle may be below `enter_deg` before the alert.

    Attributes
    ----------
    start_ms, alert_ms, end_ms
        Times of the open or last episode, None for what has not happened.
    peak_deg
        Largest angle of the open or last episode.
    """

    def __init__(self, enter_deg, exit_deg, dwell_ms, recovery_ms, max_gap_ms, dip_ms=DIP_MS):
        if not exit_deg <= enter_deg:
            raise ValueError("exit angle %s deg is above the enter angle %s deg" % (exit_deg, enter_deg))
        if not (dwell_ms >= 0 and recovery_ms >= 0 and dip_ms >= 0 and max_gap_ms > 0):
            raise ValueError(
                "times of %s, %s, %s and %s ms: expected dwell, recovery and dip of 0 or more, a gap of more than 0"
                % (dwell_ms, recovery_ms, dip_ms, max_gap_ms)
            )
        self.enter_deg = enter_deg
        self.exit_deg = exit_deg
        self.dwell_ms = dwell_ms
        self.recovery_ms = recovery_ms
        self.max_gap_ms = max_gap_ms
        self.dip_ms = dip_ms
        self.reset()

    def reset(self):
        """Forget everything, as before the first sample."""
        self.state = UPRIGHT
        self.start_ms = None
        self.alert_ms = None
        self.end_ms = None
        self.peak_deg = None
        self._last_ms = None  # of the last known angle
        self._low_ms = None  # since when low, while an episode is open

    @property
    def is_open(self):
        """Whether an episode has started and not ended."""
        return self.state != UPRIGHT

    @property
    def is_idle(self):
        """Whether nothing below `enter_deg` can matter now."""
        return self.state == UPRIGHT

    @property
    def loaded_ms(self):
        """How long the posture has been held, as far as it counts for the alert."""
        return 0 if self.start_ms is None else self._last_ms - self.start_ms

    @property
    def filled(self):
        """How near the alert is: 1 when it is due or was given."""
        return min(self.loaded_ms / self.dwell_ms, 1.0) if self.is_open and self.dwell_ms else 0.0

    def step(self, t_ms, angle_deg):
        """Take one angle (NaN: not known) at a time in integer milliseconds, and return what happened."""
        sample = self._classify(t_ms, angle_deg)
        state, result = TRANSITIONS.get((self.state, sample), (self.state, NOTHING))
        if result == STARTED:
            self.start_ms = t_ms
            self.alert_ms = self.end_ms = self._low_ms = None
            self.peak_deg = angle_deg
        elif result == ALERT:
            self.alert_ms = t_ms
        elif result == ENDED:
            self.end_ms = t_ms if self._low_ms is None else self._low_ms
        elif result == INTERRUPTED:
            self.end_ms = self._last_ms
        self.state = state
        if angle_deg == angle_deg:  # not NaN
            self._note(t_ms, angle_deg)
        return result

    def close(self):
        """End the input: an open episode ends at its last known angle (INTERRUPTED), otherwise NOTHING."""
        result = NOTHING
        if self.is_open:
            self.end_ms = self._last_ms
            result = INTERRUPTED
        self.state = UPRIGHT
        self._last_ms = self._low_ms = None
        return result

    def _classify(self, t_ms, angle_deg):
        """Name the sample in the words of the table."""
        if self.is_open and not 0 <= t_ms - self._last_ms <= self.max_gap_ms:
            return LOST
        if angle_deg != angle_deg:
            return UNKNOWN
        if self._is_low(angle_deg):
            low_ms = t_ms if self._low_ms is None else self._low_ms
            return RECOVERED if self.is_open and t_ms - low_ms >= self._patience_ms() else LOW
        if self.state in (HELD, EASING) and self._is_due(t_ms):
            return DUE
        return HIGH if angle_deg >= self.enter_deg else MIDDLE

    def _note(self, t_ms, angle_deg):
        """Remember since when the angle is where it is."""
        self._last_ms = t_ms
        if self.is_open and angle_deg > self.peak_deg:
            self.peak_deg = angle_deg
        if self.is_open and self._is_low(angle_deg):
            if self._low_ms is None:
                self._low_ms = t_ms
        else:
            self._low_ms = None

    def _is_due(self, t_ms):
        """Whether the alert is due: the angle, which is not low, has been held for `dwell_ms`."""
        return t_ms - self.start_ms >= self.dwell_ms

    def _is_low(self, angle_deg):
        """Whether the angle is below the limit that counts now: lower once the alert is out (hysteresis)."""
        return angle_deg < (self.exit_deg if self._is_alerted() else self.enter_deg)

    def _patience_ms(self):
        """How long low ends the episode."""
        return self.recovery_ms if self._is_alerted() else self.dip_ms

    def _is_alerted(self):
        return self.state == ALERTED or self.state == EASING_ALERTED
