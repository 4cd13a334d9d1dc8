"""`tiltwise why`: each alert and each silence of a stored day, explained from what is stored.

Nothing is judged again: what the wearer was told, and why something was held back, was stored as it was decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from tiltwise.app.day import parse_day, say_where_simulated
from tiltwise.common import dose, wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.detect.posture_rules import BY_KIND
from tiltwise.errors import AppError, UsageError
from tiltwise.live.event_text import ACTIVITIES, lasting
from tiltwise.live.wearer.notices import AGAIN, NoticeLevel
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import MINUTE_S, Aggregate
from tiltwise.store.events import StoredEvent
from tiltwise.store.stored_samples import StoredDay, alerts_without_event
from tiltwise.store.writer import Store
from tiltwise.text import counted
from tiltwise.types import (
    ACTIVITIES as CODES,
)
from tiltwise.types import (
    Activity,
    AlertHeldBack,
    AlertsAlone,
    EpisodeAlert,
    EpisodeEnded,
    MovementDone,
    MovementDue,
    NoticeGiven,
)

_NEAR_S = 600.0  # what is told of the time round a moment
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NOT_HELD = {
    Activity.NOT_WORN: "the sensor was not worn, and nothing is judged then",
    Activity.WALKING: "who walks holds no posture",
}
Line = tuple[str, str]  # style, text


def explain(folder: Path, clock: str | None, day: str | None) -> Iterator[Line]:
    """Yield (style, line) for a moment, or for the whole day when no time is given."""
    say_where_simulated(folder)
    at = None if clock is None else _time_of_day(clock)
    with Store.open_readonly(folder) as reader:
        days = reader.days()
        if not days:
            raise AppError(f"{folder}: nothing recorded yet; run `tiltwise watch` or `tiltwise demo` first")
        chosen = days[-1] if day is None else parse_day(day)
        if chosen not in days:
            raise AppError(f"nothing was recorded on {chosen}; the newest day is {days[-1]}")
        stored = reader.day(chosen)
    yield from _day_lines(stored, chosen) if at is None else _moment_lines(stored, chosen, at)


def _time_of_day(text: str) -> time:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise UsageError(f"time {text!r}: expected HH:MM, for instance 14:30")
    return time(int(found[1]), int(found[2]))


def _day_lines(stored: StoredDay, day: date) -> Iterator[Line]:
    zone = ZoneInfo(stored.zone)
    yield "bold", f"{day} ({stored.zone}): what you were told, and what was held back"
    told = [line for event in stored.events if (line := _told(event, stored.events)) is not None]
    for t_s, style, text in told:
        yield style, f"  {_clock(t_s, zone)}  {text}"
    if not told:
        yield "", "  nothing was due all day"


def _moment_lines(stored: StoredDay, day: date, at: time) -> Iterator[Line]:
    zone = ZoneInfo(stored.zone)
    moment_s = datetime.combine(day, at, zone).timestamp()
    yield "bold", f"{day} {at:%H:%M} ({stored.zone})"
    yield "", f"  then     {_state(stored, moment_s)}"
    near = [
        (t_s, style, text)
        for event in stored.events
        if abs(event.t_s - moment_s) <= _NEAR_S + MINUTE_S
        and (found := _told(event, stored.events)) is not None
        and abs((t_s := found[0]) - moment_s) <= _NEAR_S
        for style, text in [found[1:]]
    ]
    for t_s, style, text in near:
        yield style, f"  {_clock(t_s, zone)}    {text}"
    if not any(moment_s <= t_s < moment_s + MINUTE_S for t_s, _, _ in near):
        yield "", f"  silence  {_why_silent(stored, moment_s)}"


def _told(event: StoredEvent, events: list[StoredEvent]) -> tuple[float, str, str] | None:
    """Return (UTC s, style, text) of what was said to the wearer, or kept from them."""
    match event:
        case NoticeGiven():
            style = "yellow" if event.level.startswith(NoticeLevel.ALERT.value) else ""
            # What it was told of stands above; how long it had lasted by then, the first words do not know.
            is_again = event.level.endswith(AGAIN)
            return event.t_s, style, "told again, as the posture went on" if is_again else event.text
        case AlertHeldBack():
            what = _what_was_due(event, events)
            return event.t_s, "dim", f"held back ({event.reason or 'the reason was not kept'}): {what}"
        case BoardEvent(code=wire.EVENT_ALERT):
            return (
                event.t_s,
                "yellow",
                f"The sensor alone alerted, at {event.value} deg: no computer was there.",
            )
        case AlertsAlone() if count := alerts_without_event(event, events):
            return event.t_s, "yellow", f"The sensor alone alerted {counted(count, 'time')} in this minute."
        case MovementDone():
            return event.t_s, "green", f"you moved, {lasting(event.t_s - event.due_s)} after it was due"
    return None


def _what_was_due(held: AlertHeldBack, events: list[StoredEvent]) -> str:
    then = [event for event in events if event.t_s == held.t_s]
    # What the schedule leaves out as a silence ends was due before.
    before = [e for e in events if isinstance(e, EpisodeAlert) and e.start_s == held.start_s]
    for event in (*then, *before):
        if isinstance(event, EpisodeAlert):
            long_s = event.loaded_s or event.t_s - event.start_s
            return f"{BY_KIND[event.kind].words} at {event.angle_deg:z.0f} deg for {lasting(long_s)}"
        if isinstance(event, MovementDue):
            return f"{event.kind.value} due, {lasting(event.t_s - event.since_s)} since the last"
    return "an alert"


def _minute(stored: StoredDay, moment_s: float) -> Aggregate | None:
    return next((m for m in stored.minutes if m.start_s <= moment_s < m.start_s + MINUTE_S), None)


def _state(stored: StoredDay, moment_s: float) -> str:
    """Return what was known of the wearer in that minute."""
    minute = _minute(stored, moment_s)
    if minute is None:
        return _gap(stored, moment_s)
    code = int(minute.activity_s.argmax())
    words = [f"{ACTIVITIES[CODES[code]]} for {minute.activity_s[code]:.0f} of 60 s"]
    if minute.posture_s > 0:
        histogram = minute.flexion_s.sum(axis=0)
        (median_deg,) = agg.histogram_percentiles(histogram, agg.FLEXION_EDGES_DEG, (50,)).tolist()
        words.append(f"median angle {median_deg:z.0f} deg")
        words.append(f"longest hold {100 * minute.limit_use:.0f} % of what ISO 11226 allows")
    return ", ".join(words)


def _gap(stored: StoredDay, moment_s: float) -> str:
    for gap in stored.gaps:
        if gap.start_s <= moment_s + MINUTE_S and gap.end_s > moment_s:
            return f"no samples ({gap.reason})"
    return "nothing was recorded"


def _why_silent(stored: StoredDay, moment_s: float) -> str:
    """Return why nobody was told anything in this minute."""
    minute = _minute(stored, moment_s)
    if minute is None:
        return "without samples nothing is judged"
    for event in stored.events:
        if isinstance(event, EpisodeEnded) and event.start_s <= moment_s < event.end_s:
            what = f"{BY_KIND[event.kind].words} since {_clock(event.start_s, ZoneInfo(stored.zone))}"
            if event.alert_s is None and (alert := _still_stands(stored, event)) is not None:
                at = _clock(alert.t_s, ZoneInfo(stored.zone))
                return f"{what}: the alert due at {at} still stood, half of its time was not yet recovered"
            if event.alert_s is None:
                return f"{what}: it ended before it had lasted too long"
            if event.alert_s > moment_s:
                return f"{what}: it had not lasted too long yet"
            return f"{what}: it was told before, or held back as is said above; each is told once"
    return _NOT_HELD.get(CODES[int(minute.activity_s.argmax())], "nothing had lasted too long")


def _still_stands(stored: StoredDay, held: EpisodeEnded) -> EpisodeAlert | None:
    """Return the alert by dose after which too little was recovered for another, though this was held too long."""
    allowed = dose.allowed_ms(dose.limits_of(stored.mount), round(10 * held.peak_deg))
    if BY_KIND[held.kind].rule is not None or allowed is None or held.end_s - held.start_s < allowed / 1000:
        return None
    ours = [e for e in stored.events if isinstance(e, EpisodeAlert | EpisodeEnded) and e.kind is held.kind]
    alerts = [e for e in ours if isinstance(e, EpisodeAlert) and e.t_s < held.start_s]
    if not alerts:
        return None
    alert = max(alerts, key=lambda e: e.t_s)
    bent_s = sum(
        max(min(e.end_s, held.start_s) - max(e.start_s, alert.t_s), 0.0)
        for e in ours
        if isinstance(e, EpisodeEnded)
    )
    # Between episodes the neck recovers at most as fast as time passes.
    return alert if held.start_s - alert.t_s - bent_s < alert.loaded_s / 2 else None


def _clock(t_s: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(t_s, zone):%H:%M}"
