"""The one place that decides whether to interrupt the wearer, and with which words.

Detection only says what happened. Interruptions share one policy: none in quiet hours, and at most one within
`min_gap_s`; what is not given because of that is counted in `held_back`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import Enum

from tiltwise.config.settings import AlertSetting
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.types import EpisodeAlert, EpisodeEnded, Event, PostureKind

_WORDS = {
    PostureKind.FORWARD_FLEXION: "looking down",
    PostureKind.UPPER_BACK_FORWARD_TILT: "upper back tilted forward",
}


class NoticeLevel(Enum):
    """What kind of message a notice is."""

    ALERT = "alert"  # a posture was held too long
    THANKS = "thanks"  # an alerted posture was corrected
    PLACEMENT = "placement"  # the sensor seems to sit differently


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for the wearer; t_s is device time."""

    t_s: float
    level: NoticeLevel
    title: str
    text: str


class Alerts:
    """Turns events into notices. Thanks interrupt nobody who was not interrupted before, so they have no gap."""

    def __init__(self, setting: AlertSetting) -> None:
        self._setting = setting
        self._interrupted_s: float | None = None
        self._alerted: set[tuple[PostureKind, float]] = set()
        self._snoozed_until: datetime | None = None
        self.held_back = 0  # interruptions not given because of quiet hours, a snooze or the least gap

    def consider(self, event: Event | PlacementChange, local: datetime) -> Notice | None:
        """Return the notice that an event deserves at this local time, or None."""
        match event:
            case EpisodeAlert():
                return self._alert(event, local)
            case PlacementChange():
                text = f"{event.text[0].upper()}{event.text[1:]}."
                notice = Notice(event.t_s, NoticeLevel.PLACEMENT, "Check the sensor", text)
                return notice if self._may_interrupt(event.t_s, local) else None
            case EpisodeEnded(is_corrected=True) if (event.kind, event.start_s) in self._alerted:
                self._alerted.discard((event.kind, event.start_s))
                return Notice(event.t_s, NoticeLevel.THANKS, "Nicely done", "Back up again. Thank you.")
        return None

    def snooze(self, until: datetime) -> None:
        """Interrupt nobody until then; asked for here or at the board."""
        self._snoozed_until = until

    def snooze_s(self, local: datetime) -> int:
        """Return how many seconds of a snooze are left."""
        until = self._snoozed_until
        return 0 if until is None else max(0, round((until - local).total_seconds()))

    def note_given(self, t_s: float) -> None:
        """Take note of an alert that the board gave by itself: the least gap counts from it."""
        self._interrupted_s = t_s if self._interrupted_s is None else max(t_s, self._interrupted_s)

    def _alert(self, event: EpisodeAlert, local: datetime) -> Notice | None:
        if not self._may_interrupt(event.t_s, local):
            return None
        self._alerted.add((event.kind, event.start_s))
        text = f"{_WORDS[event.kind].capitalize()} at {event.angle_deg:.0f} deg for {event.loaded_s:.0f} s."
        return Notice(event.t_s, NoticeLevel.ALERT, "Time to move", f"{text} Sit tall, or change position.")

    def _may_interrupt(self, t_s: float, local: datetime) -> bool:
        """Note an interruption, or count it as held back."""
        last_s = self._interrupted_s
        is_too_soon = last_s is not None and t_s - last_s < self._setting.min_gap_s
        if is_too_soon or is_quiet(self._setting, local.time()) or self.snooze_s(local):
            self.held_back += 1
            return False
        self._interrupted_s = t_s
        return True


def is_quiet(setting: AlertSetting, now: time) -> bool:
    """Tell whether local time `now` lies in the quiet hours [from, to), which may pass midnight."""
    if not (setting.quiet_from and setting.quiet_to):
        return False
    start, end = time.fromisoformat(setting.quiet_from), time.fromisoformat(setting.quiet_to)
    return start <= now < end if start <= end else now >= start or now < end
