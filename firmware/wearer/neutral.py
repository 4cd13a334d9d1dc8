"""Takes the wearer's neutral posture: one second of "up", averaged, kept in the settings.

It is asked for with a hand at the neck or just off it, so it first waits for that to be over, and refuses what
moves.
"""

from micropython import const

from tiltwise.common.placement_check import angle_deg

IDLE, SETTLING, TAKING = range(3)
NOTHING, TAKEN, REFUSED = range(3)

SETTLE_LOOKS = const(10)  # of ten a second
TAKE_LOOKS = const(10)
PATIENCE_LOOKS = const(50)  # 5 s without a known "up": there is no sensor
SPREAD_DEG = 3.0
_SCALE = const(32767)
_KEYS = ("neutral_x", "neutral_y", "neutral_z")
_FORWARD_KEYS = ("forward_x", "forward_y", "forward_z")


class Neutral:
    """Holds neutral "up" and the wearer's forward in sensor axes (`up`, `forward`, three floats), or None."""

    def __init__(self, settings):
        self._settings = settings
        self.state = IDLE
        self.up = None
        self.reload()

    def reload(self):
        """Read them from the settings; shorter than half a unit vector is none."""
        self.up = self._direction(_KEYS)
        self.forward = None if self.up is None else self._direction(_FORWARD_KEYS)
        if self.forward is not None:  # the part of it that is level in neutral, which may be newer
            along = sum(self.forward[k] * self.up[k] for k in range(3))
            level = [self.forward[k] - along * self.up[k] for k in range(3)]
            norm = sum(v * v for v in level) ** 0.5
            self.forward = [v / norm for v in level] if norm > 0.25 else None

    def _direction(self, keys):
        found = [self._settings.get(key) / _SCALE for key in keys]
        return found if sum(v * v for v in found) > 0.25 else None

    def start(self):
        """Begin to take it; a request while one is under way starts it again."""
        self.state = SETTLING
        self._looks = 0
        self._blind = 0
        self._sum = [0.0, 0.0, 0.0]
        self._first = None

    def step(self, up):
        """Take "up" (None: not known) ten times a second; return NOTHING, TAKEN or REFUSED."""
        if self.state == IDLE:
            return NOTHING
        if up is None:
            self._blind += 1
            return self._end(REFUSED) if self._blind > PATIENCE_LOOKS else NOTHING
        self._looks += 1
        if self.state == SETTLING:
            if self._looks >= SETTLE_LOOKS:
                self.state = TAKING
                self._looks = 0
            return NOTHING
        if self._first is None:
            self._first = list(up)
        if angle_deg(up, self._first) > SPREAD_DEG:
            return self._end(REFUSED)
        for k in range(3):
            self._sum[k] += up[k]
        return self._keep() if self._looks >= TAKE_LOOKS else NOTHING

    def _keep(self):
        """Store the mean direction."""
        norm = sum(v * v for v in self._sum) ** 0.5
        try:
            pairs = [(_KEYS[k], round(self._sum[k] / norm * _SCALE)) for k in range(3)]
            self._settings.update(pairs + [("neutral_new", 1), ("neutral_doubted", 0)])
        except OSError:
            return self._end(REFUSED)
        self.reload()
        return self._end(TAKEN)

    def _end(self, result):
        self.state = IDLE
        return result
