"""What the rule goes by, from "up" ten times a second: the forward bend, or 0 for who lies or walks.

The same judgements as the host's (host/tiltwise/detect/activity.py), from what the board has at hand: lying from
where "up" is, walking from the horizontal acceleration that the fusion averages, unless nodding explains it.
"""

import math

from micropython import const

from tiltwise.common import rule
from tiltwise.common.placement_check import angle_deg

# A head on a pillow is 45 deg back, on a side a shoulder's width. Bent beyond 80 deg one lies, if it lasts.
_LIE_BACK_DEG = const(45)
_LIE_SIDE_DEG = const(60)
_LIE_PRONE_DEG = const(80)
_LIE_MARGIN_DEG = const(15)
# (m/s2)2 of one horizontal axis over two seconds: steps swing the neck by more than work at a desk does.
_WALK_ON = 0.2
_WALK_OFF = 0.1
# Nodding at 2 Hz, a step's, swings a neck 0.2 m above its base by so much for each (rad/s)2: (0.2 * 2 * pi * 2)2.
_NOD_SWING = 6.3
# (rad/s)2: 20 deg/s. Who turns faster does not lie.
_CALM = 0.1218
_RATE_MEAN_MS = const(1500)
_LIES, _LIES_PRONE, _WALKS = range(3)
_ON_MS = (10000, 120000, 2000)
_OFF_MS = (3000, 3000, 1500)
_UNKNOWN = float("nan")
_SMOOTH = const(0.3)  # of a new angle, ten times a second


def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


class Posture:
    """Follows one neck. `deg` is the smoothed forward bend, or the inclination if forward is not known.

    `up` is "up" in body axes (forward, left, up), of use while forward is known.
    """

    def __init__(self):
        self._on = [False, False, False]  # lying, lying face down, walking
        self._ms = [0, 0, 0]  # how long each has looked otherwise
        self._before = [0.0, 0.0, 1.0]
        self._rate2 = 0.0
        self.deg = None
        self.up = [0.0, 0.0, 1.0]

    @property
    def is_walking(self):
        """Whether the wearer walks."""
        return self._on[_WALKS]

    def forget(self):
        """Start anew after a time without "up"."""
        self.deg = None
        self._rate2 = 0.0

    def step(self, ms, up, neutral, forward, swing):
        """Take "up", neutral "up", forward (None: not known) and the swing after `ms`; return what the rule goes by.

        That is NaN, as on the host, for what no neck does: the sensor is on its way to a table.

        Directions are three floats in sensor axes; swing is the fusion's mean squared acceleration, (m/s2)2.
        """
        inclination = angle_deg(up, neutral)
        bend, lateral = inclination, 0.0
        if forward is not None:
            self.up[0] = x = _dot(up, forward)
            self.up[1] = y = _left(up, neutral, forward)
            self.up[2] = z = _dot(up, neutral)
            bend = math.degrees(math.atan2(-x, z))
            lateral = 90 - math.degrees(math.atan2(math.sqrt(x * x + z * z), y))
        self._turn(ms, up)
        flat = self._rate2 < _CALM and self._is_flat(inclination, bend, lateral, 0)
        is_up = not self._is_flat(inclination, bend, lateral, _LIE_MARGIN_DEG)
        is_prone = forward is not None and bend > _LIE_BACK_DEG and abs(lateral) < _LIE_BACK_DEG
        self._latch(_LIES, ms, flat and not is_prone, is_up)
        self._latch(_LIES_PRONE, ms, flat, is_up)
        self._latch(_WALKS, ms, swing > _WALK_ON and swing > _NOD_SWING * self._rate2, swing < _WALK_OFF)
        if inclination > rule.BEYOND_ANATOMY_DEG:
            return _UNKNOWN
        self.deg = bend if self.deg is None else self.deg + _SMOOTH * (bend - self.deg)
        return 0.0 if True in self._on else self.deg

    def _latch(self, k, ms, is_high, is_low):
        """Switch k on after a time of one condition, off after a time of the other."""
        is_on = self._on[k]
        self._ms[k] = self._ms[k] + ms if (is_low if is_on else is_high) else 0
        if self._ms[k] >= (_OFF_MS if is_on else _ON_MS)[k]:
            self._on[k] = not is_on
            self._ms[k] = 0

    def _turn(self, ms, up):
        """Average the squared rate at which "up" turns."""
        before = self._before
        x, y, z = up[0] - before[0], up[1] - before[1], up[2] - before[2]
        before[0], before[1], before[2] = up
        if self.deg is not None and ms:
            rate2 = (x * x + y * y + z * z) * 1000000 / (ms * ms)
            self._rate2 += min(ms / _RATE_MEAN_MS, 1) * (rate2 - self._rate2)

    def _is_flat(self, inclination, bend, lateral, margin):
        """Tell whether this is lying: on the back, on a side, or face down."""
        if inclination > _LIE_PRONE_DEG - margin or abs(lateral) > _LIE_SIDE_DEG - margin:
            return True
        return bend < margin - _LIE_BACK_DEG


def _left(up, neutral, forward):
    """Return the part of "up" along the left, which is neutral x forward."""
    return (
        up[0] * (neutral[1] * forward[2] - neutral[2] * forward[1])
        + up[1] * (neutral[2] * forward[0] - neutral[0] * forward[2])
        + up[2] * (neutral[0] * forward[1] - neutral[1] * forward[0])
    )
