"""How often a posture may interrupt: integer milliseconds in, GIVE or the reason for silence out.

The board alone and the host run this same code. Few cues work better than many, and cues that become rarer are kept
better than those that come every time (docs/decisions/0020). What only a host knows (quiet hours, a snooze, a
microphone in use) is decided before this is asked: live/wearer/alerts.py, and firmware/wearer/standalone_coach.py.
"""

GIVE = 0
FIRST_MINUTES = 1  # worn too short a time
TOO_SOON = 2  # after the one before
DAY_FULL = 3  # as many as a day may have
FADED = 4  # the schedule leaves this one out


class CueBudget:
    """Counts the cues of a day. Times may have any origin and do not wrap.

    Parameters
    ----------
    first_quiet_ms
        No cue so soon after the first time that `ask` or `begin` was told.
    min_gap_ms
        Between two cues.
    most_a_day
        Cues until `new_day`; 0: none at all.
    percent
        Of the cues that would be given, how many are.
    """

    def __init__(self, first_quiet_ms, min_gap_ms, most_a_day, percent=100):
        self.first_quiet_ms = first_quiet_ms
        self.min_gap_ms = min_gap_ms
        self.most_a_day = most_a_day
        self.percent = percent
        self.given = 0  # today
        self._began_ms = None
        self._last_ms = None
        self.asked = 0  # cues that the schedule was asked about, in all

    def begin(self, t_ms):
        """Tell when wearing began; only the first call counts."""
        if self._began_ms is None:
            self._began_ms = t_ms

    def new_day(self):
        """Begin to count anew."""
        self.given = 0

    def note(self, t_ms, counts=True):
        """Take note of an interruption; one that does not count (no posture) has a gap after it all the same."""
        self._last_ms = t_ms
        if counts:
            self.given += 1

    def is_too_soon(self, t_ms):
        """Tell whether the last interruption is less than the least gap ago."""
        return self._last_ms is not None and t_ms - self._last_ms < self.min_gap_ms

    def ask(self, t_ms):
        """Return whether a cue may be given now, which it then has to be: GIVE, or the reason against it."""
        self.begin(t_ms)
        if t_ms - self._began_ms < self.first_quiet_ms:
            return FIRST_MINUTES
        if self.is_too_soon(t_ms):
            return TOO_SOON
        if self.given >= self.most_a_day:
            return DAY_FULL
        self.asked += 1
        if self._share(self.asked) == self._share(self.asked - 1):
            return FADED
        self.note(t_ms)
        return GIVE

    def _share(self, n):
        """Return how many of n the schedule gives; the first one always, unless it is silent."""
        return (n * self.percent + 99) // 100
