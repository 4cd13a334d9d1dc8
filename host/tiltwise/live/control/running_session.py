"""What other programs see of a live session and may ask of it: events in, the newest values and answers out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent, Status
from tiltwise.live.control.control_messages import Answer, Asked, Question, RunningStatus
from tiltwise.live.control.control_place import ControlPlace
from tiltwise.live.wearer.alerts import Alerts, Notice, NoticeLevel
from tiltwise.live.wearer.live_events import LiveEvent, LiveEvents, PostureMeasured, UpperBackMeasured
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress
from tiltwise.types import ACTIVITIES, Update


class ControlledSession(Protocol):
    """What is asked of a session."""

    @property
    def alerts(self) -> Alerts: ...

    @property
    def is_calibrating(self) -> bool: ...

    def recalibrate(self) -> bool: ...

    def snooze(self, received_s: float, seconds: int) -> LiveEvents: ...

    def snooze_left_s(self, received_s: float) -> int: ...


@dataclass(frozen=True, slots=True)
class Control:
    """Where a session is asked, what it says of itself that does not change, and how its connection is."""

    place: ControlPlace
    facts: RunningStatus
    link: Callable[[], str]


class RunningSession:
    """Keeps the newest values of a session and does what is asked for. Times are received s."""

    def __init__(self, session: ControlledSession, control: Control) -> None:
        self._session, self._control = session, control
        self._now = control.facts
        self._sampled_s: float | None = None

    def take(self, received_s: float, events: LiveEvents) -> None:
        """Remember what a chunk brought."""
        for event in events:
            self._take(received_s, event)

    def answer(self, question: Question, received_s: float) -> tuple[Answer, LiveEvents]:
        """Do what is asked for; return the answer, and what follows for the board and the terminal."""
        events: LiveEvents = ()
        match question.ask:
            case Asked.SNOOZE:
                events = self._session.snooze(received_s, question.seconds)
            case Asked.RECALIBRATE:
                if not self._session.recalibrate():
                    return Answer(error="it is calibrating for the first time already: follow it there"), ()
                self._now = replace(self._now, calibration_step="", calibration="")
        return Answer(self._status(received_s)), events

    def _status(self, received_s: float) -> RunningStatus:
        ago_s = None if self._sampled_s is None else max(0.0, received_s - self._sampled_s)
        return replace(
            self._now,
            link=self._control.link(),
            last_sample_s=ago_s,
            held_back=self._session.alerts.held_back,
            snooze_left_s=self._session.snooze_left_s(received_s),
            is_calibrating=self._session.is_calibrating,
        )

    def _take(self, received_s: float, event: LiveEvent) -> None:
        now = self._now
        match event:
            case Update() if len(event.activity):
                self._sampled_s = received_s
                activity = ACTIVITIES[int(event.activity[-1])].value
                self._now = replace(now, activity=activity, side_deg=_deg(event.angles.lateral_deg[-1]))
            case PostureMeasured():
                self._now = replace(now, posture_deg=_deg(event.angle_deg))
            case UpperBackMeasured():
                self._now = replace(now, upper_back_deg=_deg(event.angle_deg))
            case CalibrationProgress():
                count = f" ({event.count} of 3)" if event.count and not event.is_over else ""
                text = f"{event.text}{count}"
                self._now = replace(now, calibration_step=event.step.value, calibration=text)
            case Notice(level=NoticeLevel.ALERT, is_repeated=False):
                self._now = replace(now, alerts=now.alerts + 1)
            case Status():
                self._now = replace(now, battery_percent=event.battery_percent)
            case BoardEvent(code=wire.EVENT_CHARGING):
                self._now = replace(now, is_charging=bool(event.value))


def _deg(angle: float) -> float | None:
    return round(float(angle), 1) + 0.0 if math.isfinite(angle) else None
