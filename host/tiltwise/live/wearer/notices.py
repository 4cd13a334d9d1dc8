"""What the wearer is told: messages with their reasons, and the words of each reason to keep silent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from tiltwise.common import cues
from tiltwise.config.settings import AlertSetting, RuleSetting
from tiltwise.detect.posture_rules import BY_KIND, Seen
from tiltwise.types import EpisodeAlert, Mount, MovementDue, MovementKind


class NoticeLevel(Enum):
    """What kind of message a notice is."""

    ALERT = "alert"  # a posture was held too long
    THANKS = "thanks"  # an alerted posture was corrected
    PLACEMENT = "placement"  # the sensor seems to sit differently
    MOVEMENT = "movement"  # it is time to move
    MOVED = "moved"  # and it was done


class Urgency(IntEnum):
    """How an alert is given: again and stronger while the posture stays."""

    TICK = 0  # a tick of the sensor
    PATTERN = 1  # two long buzzes
    DESKTOP = 2  # a message too
    AT_ONCE = 3  # everything that is set, without steps


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for the wearer; t_s is device time. text says why in one sentence, and what to do."""

    t_s: float
    level: NoticeLevel
    title: str
    text: str
    urgency: Urgency = Urgency.AT_ONCE
    is_late: bool = False  # it was held back before

    @property
    def stored_level(self) -> str:
        """The level as it is stored: with AGAIN when it was told before, with LATE when it was held back before."""
        return f"{self.level.value}{AGAIN if self.is_repeated else LATE if self.is_late else ''}"

    @property
    def is_repeated(self) -> bool:
        """Whether it was told before, less urgently."""
        return self.urgency in (Urgency.PATTERN, Urgency.DESKTOP)


BY_SCHEDULE = "the schedule gives"  # begins the reason of an alert that "faded" leaves out, as it is stored
AGAIN = " again"  # behind the level of a repeated notice, as it is stored
LATE = " late"  # behind the level of one that was held back before
_THANKS = (
    "Back up again. Thank you.",
    "That is better. Your neck has time to recover now.",
    "Well done: each change of posture counts.",
    "Thank you. Stay as it is comfortable.",
)
_MOVEMENT = {
    MovementKind.SHIFT: ("Shift a little", "Lean, turn or sit differently: any other posture will do."),
    MovementKind.BREAK: ("Time for some steps", "Stand up and walk for a minute."),
}
_MOVED = {
    MovementKind.SHIFT: "Shifted. Thank you.",
    MovementKind.BREAK: "That was a break. Welcome back.",
}


def late_words(seconds: float, reason: str) -> str:
    """Return that what was due so many seconds ago was held back, why, and that it goes on."""
    return f", and still so {lasting(seconds)} later (held back: {reason})"


def alert_text(event: EpisodeAlert, rule: RuleSetting, mount: Mount, late: str = "") -> str:
    """Return in one sentence why there is an alert, and what to do; `late` are late_words."""
    habit = BY_KIND[event.kind]
    why = f"{habit.words.capitalize()} at {event.angle_deg:.0f} deg for {lasting(event.loaded_s)}"
    if habit.rule is None and not rule.is_simple:
        why += " in all, as long as ISO 11226 lets it be held"
    if habit.at.get(mount) is Seen.ESTIMATED:
        why += " (estimated)"
    return f"{why}{late}. {habit.advice}"


def movement_text(event: MovementDue) -> tuple[str, str]:
    """Return title and text of a suggestion to move."""
    title, what = _MOVEMENT[event.kind]
    missing = "the same posture" if event.kind is MovementKind.SHIFT else "no steps"
    return title, f"{lasting(event.t_s - event.since_s)} with {missing}. {what}"


def thanks_text(n: int) -> str:
    """Return the n-th word of thanks."""
    return _THANKS[n % len(_THANKS)]


def moved_text(kind: MovementKind) -> str:
    """Return what is said when a movement that was suggested is done."""
    return _MOVED[kind]


def lasting(seconds: float) -> str:
    """Return how long something lasted, in words that no clock shows: 8 s, 25 min 58 s, 2 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def budget_reason(code: int, setting: AlertSetting, percent: int) -> str:
    """Return in words why the budget of cues (common/cues.py) keeps silent."""
    return {
        cues.FIRST_MINUTES: f"none in the first {setting.first_quiet_min:g} min",
        cues.TOO_SOON: f"less than {lasting(setting.min_gap_s)} after the one before",
        cues.DAY_FULL: f"{setting.most_a_day} today already",
        cues.FADED: f"{BY_SCHEDULE} {percent} % of them now",
    }[code]
