"""The one place that decides whether to interrupt the wearer; notices.py has the words.

Detection only says what happened. An interruption has to pass, in this order: the schedule is not silent, no quiet
hours, no snooze, nothing on the computer that must not be disturbed, and for a posture a neutral that is not in doubt
and the budget of cues that the board has too (common/cues.py). What does not pass is held back, with the reason in
`reason`. It is told once when nothing stands against it any more and it still goes on: one thing at a time, so that
no silence ends in a heap, and out of the same budget. What the schedule left out is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from tiltwise.common import cues
from tiltwise.config.settings import AlertSetting, Feedback, RuleSetting
from tiltwise.live.wearer import notices
from tiltwise.live.wearer.notices import Notice, NoticeLevel, Urgency
from tiltwise.live.wearer.placement_monitor import RIGHT, PlacementChange
from tiltwise.types import (
    AlertHeldBack,
    EpisodeAlert,
    EpisodeEnded,
    Event,
    Mount,
    MovementDone,
    MovementDue,
    MovementKind,
    PostureKind,
)

__all__ = ["Alerts", "Notice", "NoticeLevel", "is_quiet"]

_FADED_PERCENT = (
    100,
    67,
    50,
    33,
)  # by week; 67 % was kept after a week where 100 % was not (Marco-Ahullo 2024)
_Episode = tuple[PostureKind, float]


@dataclass(slots=True)
class _Told:
    """An alert that was given while its posture goes on."""

    notice: Notice
    next_s: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What was held back and goes on, and why it was."""

    event: EpisodeAlert | PlacementChange
    reason: str


class Alerts:
    """Turns events into notices. Thanks interrupt nobody who was not interrupted before, so they have no gap.

    Parameters
    ----------
    setting, rule
        The wearer's.
    mount
        Where the sensor is worn.
    """

    def __init__(
        self, setting: AlertSetting, rule: RuleSetting | None = None, mount: Mount = Mount.NECK
    ) -> None:
        self._setting, self._rule, self.mount = setting, rule or RuleSetting(), mount
        self._budget = cues.CueBudget(
            round(60_000 * setting.first_quiet_min), round(1000 * setting.min_gap_s), setting.most_a_day
        )
        self._day: date | None = None
        self._told: dict[_Episode, _Told] = {}
        self._waiting: dict[_Episode | None, _Waiting] = {}  # None: a doubt about the sensor
        self._asked_to_move: set[MovementKind] = set()
        self._thanked = 0
        self.doubt = ""  # why the neutral is in doubt; "": it is not
        self._snoozed_until: datetime | None = None
        self.busy: Callable[[], str] = lambda: ""  # what on the computer must not be disturbed, in words
        self.held_back = 0
        self.reason = ""  # why the last one was held back

    def consider(self, event: Event | PlacementChange, local: datetime) -> Notice | None:
        """Return the notice that an event deserves at this local time, or None."""
        self._budget.begin(_ms(event.t_s))
        self._enter(local.date())
        match event:
            case EpisodeAlert():
                return self._alert(event, local)
            case PlacementChange():
                return self._placement(event, local)
            case EpisodeEnded():
                return self._ended(event)
            case MovementDue():
                if not self._may_tell(event.t_s, local):
                    return None
                self._asked_to_move.add(event.kind)
                return Notice(event.t_s, NoticeLevel.MOVEMENT, *notices.movement_text(event))
            case MovementDone() if event.kind in self._asked_to_move:
                self._asked_to_move.clear()
                return Notice(event.t_s, NoticeLevel.MOVED, "Thank you", notices.moved_text(event.kind))
        return None

    def escalate(self, t_s: float, local: datetime) -> list[Notice]:
        """Return the alerts that are due again, a step more urgent, because their postures go on."""
        found = []
        for told in self._told.values():
            if told.notice.urgency >= Urgency.DESKTOP or t_s < told.next_s or self._silence(local):
                continue
            told.next_s = t_s + self._setting.escalate_s
            told.notice = replace(told.notice, t_s=t_s, urgency=Urgency(told.notice.urgency + 1))
            found.append(told.notice)
        return found

    def catch_up(self, t_s: float, local: datetime) -> Notice | AlertHeldBack | None:
        """Return one thing that was held back and may be told now, or that the schedule leaves it out after all."""
        self._enter(local.date())
        if not self._waiting or self._silence(local):
            return None
        key = None if None in self._waiting else next(iter(self._waiting))
        waiting = self._waiting[key]
        late = notices.late_words(t_s - waiting.event.t_s, waiting.reason)
        if isinstance(waiting.event, PlacementChange):
            del self._waiting[key]
            self._budget.note(_ms(t_s), False)
            notice = _of_placement(waiting.event, t_s, late)
        elif self._stale():
            return None
        else:
            code = self._ask(t_s)
            if code not in (cues.GIVE, cues.FADED):
                return None
            del self._waiting[key]
            if code == cues.FADED:
                return AlertHeldBack(t_s, waiting.event.start_s, self._words_of(code))
            notice = self._tell(waiting.event, t_s, late)
        self.held_back -= 1
        return notice

    def snooze(self, until: datetime) -> None:
        """Interrupt nobody until then; asked for here or at the board."""
        self._snoozed_until = until

    def snooze_s(self, local: datetime) -> int:
        """Return how many seconds of a snooze are left."""
        until = self._snoozed_until
        return 0 if until is None else max(0, round((until - local).total_seconds()))

    def note_given(self, t_s: float) -> None:
        """Take note of an alert that the board gave by itself: it counts, and the least gap counts from it."""
        self._budget.note(_ms(t_s))

    @property
    def percent(self) -> int:
        """How many of the posture alerts that are due are given today."""
        return 100 if self._day is None else feedback_percent(self._setting, self._day)

    def resume(self, given_today: int, day: date, *, faded_today: int = 0, is_worn_in: bool) -> None:
        """Go on with a day that an earlier run of the program began; worn in, its first minutes are over.

        faded_today are the alerts that the schedule left out.
        """
        self._day, self._budget.given = day, given_today
        self._budget.asked = given_today + faded_today
        if is_worn_in:
            self._budget.first_quiet_ms = 0

    def acknowledge(self) -> None:
        """The wearer says so: no more of what was told or held back. What the sensor sees stays what counts."""
        self._told.clear()
        self._waiting.clear()

    def doubt_neutral(self, why: str) -> None:
        """Give no posture alerts until the neutral is taken anew, or reads right again."""
        self.doubt = why

    def trust_neutral(self) -> None:
        """The neutral is not in doubt any more: it was taken anew, or reads right again."""
        self.doubt = ""
        self._waiting.pop(None, None)

    def _placement(self, change: PlacementChange, local: datetime) -> Notice | None:
        if change.kind == RIGHT:
            self.trust_neutral()
            return None
        self.doubt_neutral(change.text)
        if reason := self._silence(local):
            self._hold_back(reason)
            self._waiting[None] = _Waiting(change, reason)
            return None
        self._budget.note(_ms(change.t_s), False)  # it needs no gap: nothing that follows can be trusted
        return _of_placement(change, change.t_s)

    def _alert(self, event: EpisodeAlert, local: datetime) -> Notice | None:
        reason = self._silence(local) or self._stale()
        code = cues.GIVE if reason else self._ask(event.t_s)
        reason = reason or self._words_of(code)
        self._waiting.pop((event.kind, event.start_s), None)
        if not reason:
            return self._tell(event, event.t_s)
        self._hold_back(reason)
        if code != cues.FADED:
            self._waiting[event.kind, event.start_s] = _Waiting(event, reason)
        return None

    def _tell(self, event: EpisodeAlert, t_s: float, late: str = "") -> Notice:
        text = notices.alert_text(event, self._rule, self.mount, late)
        urgency = Urgency.TICK if self._setting.escalate_s > 0 else Urgency.AT_ONCE
        notice = Notice(t_s, NoticeLevel.ALERT, "Time to move", text, urgency, is_late=bool(late))
        self._told[event.kind, event.start_s] = _Told(notice, t_s + self._setting.escalate_s)
        return notice

    def _ended(self, event: EpisodeEnded) -> Notice | None:
        self._waiting.pop((event.kind, event.start_s), None)
        told = self._told.pop((event.kind, event.start_s), None)
        if told is None or not event.is_corrected:
            return None
        self._thanked += 1
        return Notice(event.t_s, NoticeLevel.THANKS, "Nicely done", notices.thanks_text(self._thanked - 1))

    def _may_tell(self, t_s: float, local: datetime) -> bool:
        """Tell whether a movement may be suggested, and note it."""
        reason = self._silence(local)
        if not reason and self._budget.is_too_soon(_ms(t_s)):
            reason = notices.budget_reason(cues.TOO_SOON, self._setting, 100)
        if reason:
            self._hold_back(reason)
            return False
        self._budget.note(_ms(t_s), False)
        return True

    def _hold_back(self, reason: str) -> None:
        self.held_back += 1
        self.reason = reason

    def _silence(self, local: datetime) -> str:
        """Return why nobody may be interrupted at all now, or ""."""
        setting = self._setting
        if setting.feedback is Feedback.SILENT:
            return "silent tracking is set"
        if is_quiet(setting, local.time()):
            return f"quiet hours, {setting.quiet_from} to {setting.quiet_to}"
        if self.snooze_s(local):
            return f"snoozed until {self._snoozed_until:%H:%M}"
        return self.busy()

    def _stale(self) -> str:
        return f"the neutral is in doubt: {self.doubt}" if self.doubt else ""

    def _ask(self, t_s: float) -> int:
        """Ask the budget for a cue, which has to be given if it may be."""
        self._budget.percent = self.percent
        return self._budget.ask(_ms(t_s))

    def _words_of(self, code: int) -> str:
        return "" if code == cues.GIVE else notices.budget_reason(code, self._setting, self.percent)

    def _enter(self, day: date) -> None:
        if day != self._day:
            self._day = day
            self._budget.new_day()


def feedback_percent(setting: AlertSetting, today: date) -> int:
    """Return how many of the alerts that are due are given on a day, in percent."""
    if setting.feedback is Feedback.SILENT:
        return 0
    if setting.feedback is Feedback.ALWAYS or not setting.faded_from:
        return 100
    week = max((today - date.fromisoformat(setting.faded_from)).days, 0) // 7
    return _FADED_PERCENT[min(week, len(_FADED_PERCENT) - 1)]


def is_quiet(setting: AlertSetting, now: time) -> bool:
    """Tell whether local time `now` lies in the quiet hours [from, to), which may pass midnight."""
    if not (setting.quiet_from and setting.quiet_to):
        return False
    start, end = time.fromisoformat(setting.quiet_from), time.fromisoformat(setting.quiet_to)
    return start <= now < end if start <= end else now >= start or now < end


def _of_placement(change: PlacementChange, t_s: float, late: str = "") -> Notice:
    text = f"{change.text[0].upper()}{change.text[1:]}{late}."
    return Notice(t_s, NoticeLevel.PLACEMENT, "Check the sensor", text, is_late=bool(late))


def _ms(t_s: float) -> int:
    return round(1000 * t_s)
