"""Does the sensor still sit as it did? "Up" of a wearer in, what it says about the neutral out.

Who walks holds the head upright, whatever the desk does: a reference that comes by itself several times a day. Who
has just put the sensor on sits up at least once in a minute. The board alone and the host run this same code, so that
both doubt a neutral for the same reason, before any alert. Directions are three floats in body axes (forward, left,
up), times integers of any origin that do not wrap.
"""

import math

# What a step says.
NOTHING = 0
NEUTRAL = 1  # the first two walks read far from the neutral: it was taken bent, or is stale
SLIP = 2  # a lasting change from one walk to the next
DRIFT = 3  # a slow one
PUT_ON = 4  # since it was put on it has not read upright once
RIGHT = 5  # the doubt is over: walking reads as before a slip or drift or near the neutral, or it has read upright

WALK_MS = 10000  # some ten steps: bobbing averages out
WALK_MOST_MS = 60000  # a longer walk counts as several, or an hour's walk would hide a slip
MAX_GAP_MS = 1000
# Who walks looks some metres ahead: a few degrees down, a stair or a telephone more, and hardly ever up.
WALK_BENT_DEG = 25.0
WALK_BACK_DEG = 12.0
SLIP_DEG = 10.0  # as for putting it on again: the sensor sits differently
DRIFT_DEG = 7.5  # walking heads differ from day to day by a few degrees; beyond this a new neutral is due
PUT_ON_MS = 60000  # of sitting or standing, in which somebody sits up at least once
# 10 deg by which it may sit differently, 5 by which a comfortable seat differs from sitting tall.
UPRIGHT_DEG = 15.0
UPRIGHT_MS = 3000
MOST_WALKS = 24  # the oldest are forgotten: some hours of walks

_UP = (0.0, 0.0, 1.0)


def angle_deg(a, b):
    """Return the angle between two directions (three floats each) in degrees."""
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    z = a[0] * b[1] - a[1] * b[0]
    dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return math.degrees(math.atan2(math.sqrt(x * x + y * y + z * z), dot))


class PlacementCheck:
    """Follows one sensor with one calibration; begin anew with another.

    Parameters
    ----------
    is_doubted
        The neutral is in doubt since an earlier run: the first two walks, or an upright moment after `put_on`, may
        find it RIGHT.

    Attributes
    ----------
    change_deg
        By how much what was found last differs, in degrees.
    """

    def __init__(self, is_doubted=False):
        self.change_deg = 0.0
        self._is_doubted = is_doubted
        self._walks = []  # the mean "up" of each
        self._before = None  # what walking read before it changed; None: it has not
        self._is_neutral_checked = False
        self._is_stale = False
        self._start_ms = None  # of the walk that is under way
        self._last_ms = 0
        self._ups = None  # of that walk, added up
        self._is_looking = False  # for an upright moment, since it was put on
        self._nearest_deg = 180.0  # since then, of windows of UPRIGHT_MS
        self._is_put_on_told = False
        self._put_on_ms = 0  # how long it has been looked at since
        self._window_ms = 0
        self._window_deg = 0.0  # the largest inclination in the window

    @property
    def is_busy(self):
        """Whether a walk, or the look after putting on, is under way; otherwise only walking can matter."""
        return self._start_ms is not None or self._is_looking

    def put_on(self):
        """Look for an upright moment from now on."""
        self._is_looking = True
        self._nearest_deg = 180.0
        self._is_put_on_told = False
        self._put_on_ms = self._window_ms = 0
        self._window_deg = 0.0

    def step(self, t_ms, up, is_walking):
        """Take "up" (None: not known) and whether the wearer walks; return what was found. A gap ends a walk."""
        found = NOTHING
        if self._is_looking and not is_walking:
            found = self._look_for_upright(t_ms - self._last_ms, up)
        if self._start_ms is not None:
            is_walking = is_walking and 0 <= t_ms - self._last_ms <= MAX_GAP_MS
            if not is_walking or t_ms - self._start_ms >= WALK_MOST_MS:
                if self._last_ms - self._start_ms >= WALK_MS and self._ups is not None:
                    found = self._judge(_unit(self._ups))
                self._start_ms = self._ups = None
        if is_walking:
            if self._start_ms is None:
                self._start_ms = t_ms
            if up is not None:
                self._ups = list(up) if self._ups is None else [self._ups[k] + up[k] for k in range(3)]
        self._last_ms = t_ms
        return found

    def _look_for_upright(self, ms, up):
        if up is None or not 0 <= ms <= MAX_GAP_MS:
            self._window_ms = 0
            self._window_deg = 0.0
            return NOTHING
        self._put_on_ms += ms
        self._window_ms += ms
        self._window_deg = max(self._window_deg, angle_deg(up, _UP))
        if self._window_ms < UPRIGHT_MS:
            return NOTHING
        self._nearest_deg = self.change_deg = min(self._nearest_deg, self._window_deg)
        self._window_ms = 0
        self._window_deg = 0.0
        if self._nearest_deg <= UPRIGHT_DEG:
            self._is_looking = False
            is_doubted, self._is_doubted = self._is_put_on_told or self._is_doubted, False
            return RIGHT if is_doubted else NOTHING
        if self._is_put_on_told or self._put_on_ms < PUT_ON_MS:
            return NOTHING
        self._is_put_on_told = True
        return PUT_ON

    def _judge(self, up):
        """Compare a walk with the neutral and with those before."""
        if self._is_stale:  # nothing here can end that
            return NOTHING
        self._walks.append(up)
        if len(self._walks) > MOST_WALKS:
            self._walks.pop(0)
        return self._judge_neutral() or self._judge_slip() or self._judge_drift()

    def _judge_neutral(self):
        """Compare the first two walks with the neutral."""
        if self._is_neutral_checked or len(self._walks) < 2:
            return NOTHING
        self._is_neutral_checked = True
        up = _mean(self._walks)
        self.change_deg = angle_deg(up, _UP)
        self._is_stale = self.change_deg > (WALK_BENT_DEG if up[0] < 0 else WALK_BACK_DEG)
        if self._is_stale:
            return NEUTRAL
        is_doubted, self._is_doubted = self._is_doubted, False
        return RIGHT if is_doubted else NOTHING

    def _judge_slip(self):
        """Look for a walk after which all are far from the mean of those before; two are needed on either side."""
        for k in range(2, len(self._walks) - 1):
            before = _mean(self._walks[:k])
            if all(angle_deg(up, before) >= SLIP_DEG for up in self._walks[k:]):
                self._walks = self._walks[k:]
                return self._changed(SLIP, before, _mean(self._walks))
        return NOTHING

    def _judge_drift(self):
        """Compare the last three walks with the first two; three, as a slip shows itself first."""
        if len(self._walks) < 5:
            return NOTHING
        before, last = _mean(self._walks[:2]), self._walks[-3:]
        if min(angle_deg(before, up) for up in last) <= DRIFT_DEG:
            return NOTHING
        self._walks = last
        return self._changed(DRIFT, before, _mean(last))

    def _changed(self, found, before, now):
        """Return what was found, or RIGHT when it is the way back."""
        self.change_deg = angle_deg(before, now)
        if self._before is None:
            self._before = before
        elif angle_deg(self._before, now) <= DRIFT_DEG:
            self._before = None
            return RIGHT
        return found


def _unit(v):
    norm = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) or 1.0
    return (v[0] / norm, v[1] / norm, v[2] / norm)


def _mean(ups):
    return _unit([sum([up[k] for up in ups]) for k in range(3)])
