"""Decides whether to interrupt the wearer, and with which words. Detection only says what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from tiltwise.config.settings import AlertSetting
from tiltwise.types import EpisodeAlert, EpisodeEnded, Event, PostureKind

_WORDS = {
    PostureKind.FORWARD_FLEXION: "looking down",
    PostureKind.UPPER_BACK_FORWARD_TILT: "upper back tilted forward",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for the wearer. `level` is "alert" or "thanks"."""

    t_s: float
    level: str
    title: str
    text: str


class Alerts:
    """Turns events into notices: at most one alert in min_gap_s, none in quiet hours, thanks only after an alert."""

    def __init__(self, setting: AlertSetting) -> None:
        self._setting = setting
        self._last_alert_s: float | None = None
        self._told: set[tuple[PostureKind, float]] = set()
        self.held_back = 0  # alerts not given because of quiet hours or the least gap

    def consider(self, event: Event, local: datetime) -> Notice | None:
        """Return the notice that this event deserves now, or None."""
        match event:
            case EpisodeAlert():
                return self._alert(event, local)
            case EpisodeEnded(is_corrected=True) if (event.kind, event.start_s) in self._told:
                self._told.discard((event.kind, event.start_s))
                return Notice(event.t_s, "thanks", "Nicely done", "Back up again. Thank you.")
        return None

    def _alert(self, event: EpisodeAlert, local: datetime) -> Notice | None:
        too_soon = self._last_alert_s is not None and event.t_s - self._last_alert_s < self._setting.min_gap_s
        if too_soon or is_quiet(self._setting, local.time()):
            self.held_back += 1
            return None
        self._last_alert_s = event.t_s
        self._told.add((event.kind, event.start_s))
        held_s = event.t_s - event.start_s
        text = f"{_WORDS[event.kind].capitalize()} at {event.angle_deg:.0f} deg for {held_s:.0f} s."
        return Notice(event.t_s, "alert", "Time to move", f"{text} Sit tall, or change position.")


def is_quiet(setting: AlertSetting, now: time) -> bool:
    """Tell whether local time `now` lies in the quiet hours [from, to), which may pass midnight."""
    if not (setting.quiet_from and setting.quiet_to):
        return False
    start, end = time.fromisoformat(setting.quiet_from), time.fromisoformat(setting.quiet_to)
    return start <= now < end if start <= end else now >= start or now < end
