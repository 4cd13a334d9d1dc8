"""One set of the wearer's settings on both sides: pushed to the board at each connect and read back, key by key.

The board judges by them while it is alone. A neutral that was taken at the board (button, double tap) goes the other
way: the board marks it as new, the host takes it over and clears the mark. A doubt about the neutral goes both ways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, time, timedelta

import numpy as np

from tiltwise.common import values, wire
from tiltwise.config.settings import AlertSetting, Settings
from tiltwise.link.commands import Acknowledger, BoardKey, Reply
from tiltwise.live.wearer.live_events import Command, LiveEvent, LiveWarning
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.rotation import rotate
from tiltwise.types import FloatArray

_SCALE = 32767
_NEUTRAL = (BoardKey.NEUTRAL_X, BoardKey.NEUTRAL_Y, BoardKey.NEUTRAL_Z)
_OF_NEUTRAL = (BoardKey.NEUTRAL_NEW, BoardKey.NEUTRAL_DOUBTED, *_NEUTRAL)
_FORWARD = (BoardKey.FORWARD_X, BoardKey.FORWARD_Y, BoardKey.FORWARD_Z)
_DAY_S = 86400
Value = int | str


class BoardSettings:
    """Compares and sets one key after the other; nothing is sent before a reply came to the command before.

    Parameters
    ----------
    settings
        The wearer's.
    on_neutral
        Gets "up" in sensor axes (3,) of a neutral that was taken at the board; returns what that means.
    on_text
        Gets the board's mount, while nobody has calibrated it, and its name; returns what that means.
    on_doubt
        Is told whether the board doubts the neutral that both have; returns whether it is in doubt, and what to say.
    """

    def __init__(
        self,
        settings: Settings,
        on_neutral: Callable[[FloatArray], list[LiveEvent]],
        on_text: Callable[[BoardKey, str], list[LiveEvent]],
        on_doubt: Callable[[bool], tuple[bool, list[LiveEvent]]],
    ) -> None:
        self._settings, self._on_neutral, self._on_text = settings, on_neutral, on_text
        self._on_doubt = on_doubt
        self._commands = Acknowledger()
        self._mounting: Mounting | None = None
        self._left: deque[tuple[BoardKey, Value | None]] = deque()  # None: only read
        self._read: dict[BoardKey, Value] = {}
        self._is_set = False  # the key in front was set: what comes back confirms it
        self._is_refused = False  # it was said once
        self._percent = 100

    def begin(self, mounting: Mounting | None, percent: int = 100) -> list[LiveEvent]:
        """Start over: a board is connected, took a neutral, or there is another calibration.

        percent is how many of the alerts that are due are given today.
        """
        self._mounting, self._percent = mounting, percent
        self._is_set = False
        self._read.clear()
        told = (BoardKey.NAME,) if mounting is not None else (BoardKey.NAME, BoardKey.MOUNT)
        self._left = deque((key, None) for key in (*told, *_OF_NEUTRAL))
        return self._ask()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be read or set."""
        return bool(self._left)

    def rename(self, name: str) -> None:
        """Set the board's name with what is still to come."""
        self._left.append((BoardKey.NAME, name))

    def on_reply(self, reply: Reply) -> list[LiveEvent]:
        """Take an answer of the board and return what follows from it."""
        if not self._left or reply.opcode not in (wire.OP_GETCFG, wire.OP_SETCFG):
            return []
        key, wanted = self._left[0]
        if reply.opcode == wire.OP_SETCFG and reply.is_ok:
            self._is_set = True
            return self._ask()
        try:
            value: Value | None = values.unpack_value(reply.body) if reply.is_ok else None
        except wire.WireError:
            value = None
        if value is not None and wanted is not None and not _is_same(value, wanted) and not self._is_set:
            return [Command(self._commands.set_value(key, wanted))]
        found = self._note(key, value, wanted)
        self._left.popleft()
        self._is_set = False
        if wanted is None and isinstance(value, str):
            found += self._on_text(key, value)
        if key is _NEUTRAL[-1] and wanted is None:
            found += self._after_neutral()
        return found + self._ask()

    def _note(self, key: BoardKey, value: Value | None, wanted: Value | None) -> list[LiveEvent]:
        """Keep what was read; a board that does not take a setting is told of once."""
        if value is not None and (wanted is None or _is_same(value, wanted)):
            self._read[key] = value
            return []
        if wanted is None or self._is_refused:
            return []
        self._is_refused = True
        name = key.name.lower()
        return [
            LiveWarning(
                f"the board does not take the setting {name}: alone it uses its own; run tiltwise setup"
            )
        ]

    def _after_neutral(self) -> list[LiveEvent]:
        """Take over a neutral that is new on the board; then push what is ours."""
        found: list[LiveEvent] = []
        up = tuple(int(self._read.get(key, 0)) for key in _NEUTRAL)
        if self._read.get(BoardKey.NEUTRAL_NEW) == 1:
            found = self._on_neutral(np.array(up, dtype=np.float64) / _SCALE)
            self._left.append((BoardKey.NEUTRAL_NEW, 0))
        if self._mounting is not None:
            is_doubted = self._read.get(BoardKey.NEUTRAL_DOUBTED) == 1 and up == _whole(
                self._mounting.up_sensor
            )
            is_doubted, said = self._on_doubt(is_doubted)
            found += said
            self._left.append((BoardKey.NEUTRAL_DOUBTED, int(is_doubted)))
        self._left.extend(wanted_settings(self._settings, self._mounting, self._percent))
        return found

    def use(self, mounting: Mounting) -> None:
        """Push this calibration with what is still to come."""
        self._mounting = mounting

    def _ask(self) -> list[LiveEvent]:
        return [Command(self._commands.get_value(self._left[0][0]))] if self._left else []


def silence(alerts: AlertSetting, local: datetime, snooze_s: int | None) -> bytes:
    """Return the command with the wearer's times of silence; snooze_s None leaves the board's snooze as it is."""
    in_s = for_s = 0
    if alerts.quiet_from and alerts.quiet_to:
        start, end = time.fromisoformat(alerts.quiet_from), time.fromisoformat(alerts.quiet_to)
        begin = local.replace(hour=start.hour, minute=start.minute, second=0, microsecond=0)
        for_s = round((_since_midnight(end) - _since_midnight(start)).total_seconds()) % _DAY_S
        in_s = round((begin - local).total_seconds())
    return Acknowledger().silence(snooze_s, in_s, for_s)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)


def wanted_settings(
    settings: Settings, mounting: Mounting | None, percent: int = 100
) -> list[tuple[BoardKey, Value]]:
    """Return what the board should have; whole numbers are what it can hold."""
    rule, alerts = settings.rule, settings.alerts
    found: list[tuple[BoardKey, Value]] = [
        (BoardKey.BY_DOSE, int(not rule.is_simple)),
        (BoardKey.RULE_DEG, round(rule.angle_deg)),
        (BoardKey.HYSTERESIS_DEG, round(rule.hysteresis_deg)),
        (BoardKey.RULE_S, round(rule.seconds)),
        (BoardKey.RECOVERY_S, round(rule.recovery_s)),
        (BoardKey.MIN_GAP_S, round(alerts.min_gap_s)),
        (BoardKey.MOTOR_STRENGTH, alerts.strength),
        (BoardKey.FIRST_QUIET_S, round(60 * alerts.first_quiet_min)),
        (BoardKey.MOST_A_DAY, alerts.most_a_day),
        (BoardKey.PERCENT, percent),
    ]
    if mounting is None:
        return found
    forward = rotate(mounting.q, np.array([1.0, 0.0, 0.0])) if mounting.is_shown else np.zeros(3)
    found.append((BoardKey.MOUNT, mounting.mount.value))
    for keys, direction in ((_NEUTRAL, mounting.up_sensor), (_FORWARD, forward)):
        found += zip(keys, _whole(direction), strict=True)
    return found


def _whole(direction: FloatArray) -> tuple[int, ...]:
    """Return a unit vector (3,) as a board holds it."""
    return tuple(round(float(v) * _SCALE) for v in direction)


def _is_same(value: Value, wanted: Value) -> bool:
    if isinstance(value, str) or isinstance(wanted, str):
        return value == wanted
    return value == wanted
