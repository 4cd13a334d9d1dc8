"""What a board reports about itself in STATUS, in plain words, one line each; nothing while nothing is wrong.

What happens while a host listens comes as an event too, which event_text.py puts into words. Here belongs what was
wrong before, and what has no event.
"""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.decode.messages import Status

_SENSORS = ("the board's sensor", "the board's second sensor")
# Condition -> words; {} is the sensor.
_CONDITIONS = {
    wire.CONDITION_SENSOR_LOST: "{} does not answer: check its cable",
    wire.CONDITION_SENSOR_MISSING: "{} has not answered since the board started: check its cable",
    wire.CONDITION_SENSOR_STUCK: "{} gives the same values again and again; the board restarts it",
    wire.CONDITION_SATURATED: "{} was moved beyond its range",
    wire.CONDITION_POOR_SENSOR: "{} is a part that works and is a poor choice",
    wire.CONDITION_SETTINGS_BAD: "the board's settings were damaged: it uses defaults until they are set again",
    wire.CONDITION_KEY_BAD: "a copy of the board's key was damaged; the other one serves, and mends it",
    wire.CONDITION_FLASH_BAD: "the board's flash refuses: what it notes while nobody listens may be lost",
    wire.CONDITION_SAFE_MODE: "the board crashed too often and runs without sensors: run tiltwise setup",
    wire.CONDITION_HOST_SILENT: "the board had to wait until what it sent was confirmed",
}
# Counter -> words; {} is how often.
_COUNTERS = {
    "wrong_proofs": "somebody failed to prove the board's key {}",
    "hostile_commands": "the board was sent commands that were not ours (damaged, forged or replayed) {}",
    "unproved_peers": "somebody called the board and proved nothing {}",
    "refused_hosts": "another computer with the key asked for the board while it was in use {}",
    "link_stalls": "a connection to the board stood still {}",
    "radio_restarts": "the board had to restart its radio {}",
    "flash_faults": "a place in the board's memory for minutes was damaged or could not be written {}",
    "stuck_restarts": "{sensor} gave the same values again and again and was restarted {}",
}
_WITHOUT_EVENT = {"unproved_peers", "refused_hosts"}
_CONDITIONS_WITHOUT_EVENT = (
    wire.CONDITION_SENSOR_MISSING
    | wire.CONDITION_KEY_BAD
    | wire.CONDITION_FLASH_BAD
    | wire.CONDITION_HOST_SILENT
)
_OF_SENSOR = (
    wire.CONDITION_SENSOR_LOST
    | wire.CONDITION_SENSOR_MISSING
    | wire.CONDITION_SENSOR_STUCK
    | wire.CONDITION_SATURATED
    | wire.CONDITION_POOR_SENSOR
)


class BoardWatch:
    """Turns STATUS messages into lines, each reported once; after a restart of the board it begins again."""

    def __init__(self) -> None:
        self._boot = 0
        self._last: dict[int, Status] = {}
        self._conditions = 0  # of the board, reported so far
        self._counts: dict[str, int] = {}

    def process(self, status: Status) -> list[str]:
        """Return what this message says that was not reported yet."""
        if status.boot != self._boot:
            self._boot, self._last, self._conditions, self._counts = status.boot, {}, 0, {}
        before = self._last.get(status.sensor)
        if before is not None and status.uptime_s < before.uptime_s:
            return []  # fetched late: it is over
        self._last[status.sensor] = status
        is_first = before is None
        sensor = _SENSORS[min(status.sensor, 1)]
        if is_first and status.is_battery_low and status.sensor == 0:  # later it comes as an event
            percent = "" if status.battery_percent is None else f", {status.battery_percent} %"
            return [f"the board's battery is low{percent}: charge it", *self._lines(status, before, sensor)]
        return self._lines(status, before, sensor)

    def _lines(self, status: Status, before: Status | None, sensor: str) -> list[str]:
        is_first = before is None
        lines = self._new_conditions(status, 0 if before is None else before.conditions, is_first, sensor)
        return lines + self._new_counts(status, is_first, sensor)

    def _new_conditions(self, status: Status, before: int, is_first: bool, sensor: str) -> list[str]:
        """Name what is wrong now and was not in the message before (of this sensor, or of the board)."""
        reported = before & _OF_SENSOR | self._conditions
        self._conditions = status.conditions & ~_OF_SENSOR
        new = status.conditions & ~reported & (~0 if is_first else _CONDITIONS_WITHOUT_EVENT)
        return [words.format(sensor) for bit, words in _CONDITIONS.items() if new & bit]

    def _new_counts(self, status: Status, is_first: bool, sensor: str) -> list[str]:
        """Name what happened before this session; later only what has no event, and when it has doubled."""
        lines = []
        for name, words in _COUNTERS.items():
            key = f"{name} {status.sensor}" if "{sensor}" in words else name
            count, reported = getattr(status, name), self._counts.get(key, 0)
            if (is_first or name in _WITHOUT_EVENT) and count > 0 and count >= 2 * reported:
                self._counts[key] = count
                lines.append(words.format(_times(count), sensor=sensor))
        return lines


def _times(count: int) -> str:
    often = "once" if count == 1 else f"{count}{' or more' if count == 0xFFFF else ''} times"
    return f"{often} since it started"
