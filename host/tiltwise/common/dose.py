"""The rule by dose: the further the neck is bent, the shorter it may be held; angles and integer ms in, results out.

ISO 11226:2000 gives the longest holding time of a static posture, linear in the angle: for the head 8 min at 25 deg
down to 1 min at 85, for the trunk 4 min at 20 deg down to 1 min at 60. A posture fills a dose by the share of its
holding time that passes, and what was filled in a time of holding is recovered in as much time upright: the standard
asks for as long a recovery. Whole numbers throughout that stay below 2**30, small integers of every board.
"""

from tiltwise.common import rule
from tiltwise.common.rule import SustainedRule

# Limits: first angle that counts, angle from which the time gets no shorter (tenths of a degree), holding time at
# either (ms), and the angle below which the neck recovers (tenths). Between recovery and the first angle the dose
# stays as it is. The recovery angles are our choice, 5 deg below: ISO 11226 calls all below the first acceptable.
HEAD = (250, 850, 480000, 60000, 200)
TRUNK = (200, 600, 240000, 60000, 150)

FULL = 480000000  # of a dose: 1000 a ms where 8 min are allowed
ARMED_BELOW = FULL // 2  # after an alert the next one comes when half has been recovered, and filled again


def limits_of(mount):
    """Return the limits for the place where a sensor is worn; on the collar the upper back stands for the trunk."""
    return TRUNK if mount == "collar" else HEAD


def allowed_ms(limits, tenths):
    """Return how long an angle (tenths of a degree) may be held; None below the first that counts."""
    first, last, longest_ms, shortest_ms, _ = limits
    if tenths < first:
        return None
    return longest_ms - (longest_ms - shortest_ms) * (min(tenths, last) - first) // (last - first)


class DoseRule(SustainedRule):
    """Tells when the dose of one posture is full, sample by sample.

    An episode starts at the first angle that counts and ends when the angle has been in recovery for `recovery_ms`.
    The dose outlives it: what was not recovered counts for the next one. An alert is due when the dose is full, once
    until half of it has been recovered. Time between two samples counts as what the later one says, so that an angle
    which trembles about a limit loses none; a hole counts for nothing, and one as long as the longest holding time
    begins anew.

    Parameters
    ----------
    limits
        HEAD, TRUNK, or numbers of that shape.
    recovery_ms, max_gap_ms
        As in SustainedRule.

    Attributes
    ----------
    dose
        Of FULL.
    loaded_ms
        How long it took to fill the dose as it is, without the recovered part.
    """

    def __init__(self, limits, recovery_ms, max_gap_ms):
        first, last, longest_ms, shortest_ms, recover = limits
        if not (recover <= first < last and 0 < shortest_ms <= longest_ms <= FULL // 1000):
            raise ValueError(
                "limits of %s: expected recovery <= first < last, and times that fall" % (limits,)
            )
        self.limits = limits
        SustainedRule.__init__(self, first / 10, recover / 10, 0, recovery_ms, max_gap_ms, recovery_ms)

    def reset(self):
        """Forget everything, as before the first sample."""
        SustainedRule.reset(self)
        self.dose = 0
        self._loaded_ms = 0
        self._is_armed = True
        self._side = 0  # of the last known angle: 1 it loads, -1 it recovers, 0 neither

    @property
    def loaded_ms(self):
        """How long the posture has been held, as far as it counts for the alert."""
        return self._loaded_ms

    @property
    def filled(self):
        """How near the alert is: 1 when the dose is full."""
        return self.dose / FULL

    @property
    def is_idle(self):
        """Whether nothing below `enter_deg` can matter now."""
        return self.state == rule.UPRIGHT and self.dose == 0

    def step(self, t_ms, angle_deg):
        """Take one angle (NaN: not known) at a time in integer milliseconds, and return what happened."""
        if angle_deg == angle_deg:  # not NaN
            self._count(t_ms, angle_deg)
        result = SustainedRule.step(self, t_ms, angle_deg)
        if result == rule.ALERT:
            self._is_armed = False
        return result

    def _count(self, t_ms, angle_deg):
        """Fill or recover by the time since the last known angle."""
        self._side = self._side_of(angle_deg)
        if self._last_ms is None:
            return
        ms = t_ms - self._last_ms
        if not 0 <= ms <= self.max_gap_ms:
            if ms > self.limits[2]:
                self.dose = self._loaded_ms = 0
                self._is_armed = True
        elif self._side > 0 and not self.is_idle:  # what begins, begins with this sample
            self._fill(ms, int(10 * angle_deg + 0.5))  # rounded down it would come late
        elif self._side < 0:
            self._recover(ms)

    def _side_of(self, angle_deg):
        if angle_deg >= self.enter_deg:
            return 1
        return -1 if angle_deg < self.exit_deg else 0

    def _fill(self, ms, tenths):
        if self.dose < FULL:
            allowed = allowed_ms(self.limits, tenths)
            self.dose = min(self.dose + ms * ((FULL + allowed // 2) // allowed), FULL)
            self._loaded_ms += ms

    def _recover(self, ms):
        """Take away as much as was filled in so much time, on the average."""
        if ms < self._loaded_ms:
            self.dose -= self.dose // self._loaded_ms * ms
            self._loaded_ms -= ms
        else:
            self.dose = self._loaded_ms = 0
        self._is_armed = self._is_armed or self.dose <= ARMED_BELOW

    def _is_due(self, t_ms):  # noqa: ARG002 - a full dose is due at any time
        return self._is_armed and self.dose >= FULL and self._side > 0

    def _is_low(self, angle_deg):
        return angle_deg < self.exit_deg
