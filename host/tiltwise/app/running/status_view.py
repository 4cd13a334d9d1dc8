"""The status of a running `watch` as a few lines for the terminal, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.table import Table

from tiltwise.app.day import Day, load_day
from tiltwise.config.time_zone import local_zone_name
from tiltwise.errors import AppError
from tiltwise.live.control.control_messages import RunningStatus
from tiltwise.live.event_text import ACTIVITIES, lasting
from tiltwise.text import printable
from tiltwise.types import Activity

_STALE_S = 5.0  # then the newest values are told with their age


def status_table(status: RunningStatus) -> Table:
    """Return the rows of one running `watch`, for 80 columns."""
    now = _local_now()
    since = datetime.fromtimestamp(status.since_utc_s, now.tzinfo)
    whose = f" of {printable(status.person, 30)}" if status.person else ""
    table = Table(show_header=False, box=None, pad_edge=False, title_justify="left")
    table.title = f"watch {printable(status.address, 40)}{whose} since {_clock(since, now)}"
    table.min_width = min(len(table.title), 79)  # or it is broken where the rows end
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = [
        ("link", printable(status.link, 200)),
        ("now", _now_words(status)),
        ("battery", _battery_words(status)),
        ("alerts", _alert_words(status)),
        ("calibrating", printable(status.calibration, 200) if status.is_calibrating else ""),
        ("today", _today_words(status)),
        ("process", str(status.process)),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, value)
    return table


def status_json(status: RunningStatus) -> dict[str, object]:
    """Return the status, and under `today` the figures of the day so far or None."""
    day = _today(status)
    today = None
    if day is not None:
        s = day.summary
        today = {
            "day": str(day.day),
            "worn_s": round(s.worn_s),
            "percent_above_deg": {str(k): round(v, 1) for k, v in s.percent_above_deg.items()},
            "alerts": len(s.alerts_s),
            "alerts_held_back": s.alerts_held_back,
            "repetitions": sum(not rep.is_partial for rep in s.reps),
        }
    return {**asdict(status), "today": today}


def snooze_words(status: RunningStatus) -> str:
    """Return until when there are no alerts."""
    if not status.snooze_left_s:
        return "alerts are given again"
    now = _local_now()
    until = now + timedelta(seconds=status.snooze_left_s)
    return f"no alerts until {_clock(until, now)}; `tiltwise snooze off` ends it"


def _alert_words(status: RunningStatus) -> str:
    counted = f"{status.alerts} given, {status.held_back} held back"
    return f"{counted}; {snooze_words(status)}" if status.snooze_left_s else counted


def _now_words(status: RunningStatus) -> str:
    if not status.activity:
        return "no samples yet" if status.last_sample_s is None else "not calibrated yet"
    words = [ACTIVITIES[Activity(status.activity)]]
    is_worn = status.activity != Activity.NOT_WORN
    for name, angle in (
        ("forward", status.posture_deg),
        ("side", status.side_deg),
        ("back", status.upper_back_deg),
    ):
        if angle is not None and is_worn:
            words.append(f"{name} {angle:z.0f} deg")
    if status.last_sample_s is not None and status.last_sample_s > _STALE_S:
        words.append(f"{lasting(status.last_sample_s)} ago")
    return ", ".join(words)


def _battery_words(status: RunningStatus) -> str:
    level = "" if status.battery_percent is None else f"{status.battery_percent} %"
    return ", ".join(filter(None, (level, "charging" if status.is_charging else "")))


def _today_words(status: RunningStatus) -> str:
    if not status.folder:
        return "not stored"
    day = _today(status)
    if day is None:
        return "nothing stored yet"
    s = day.summary
    beyond = s.percent_above_deg.get(20)
    parts = [
        f"worn {lasting(s.worn_s)}",
        "" if beyond is None else f"beyond 20 deg {beyond:.0f} %",
        f"{len(s.alerts_s)} alert{'' if len(s.alerts_s) == 1 else 's'}",
    ]
    return ", ".join(filter(None, parts))


def _today(status: RunningStatus) -> Day | None:
    """Return the day so far as it is stored, None while there is nothing."""
    if not status.folder:
        return None
    try:
        return load_day(Path(status.folder), _local_now().date())
    except AppError:
        return None


def _local_now() -> datetime:
    return datetime.now(ZoneInfo(local_zone_name()))


def _clock(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"
