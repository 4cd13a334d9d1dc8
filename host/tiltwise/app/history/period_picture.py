"""A stored week, month or year, or two of them compared, as a picture."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import reduce

import numpy as np

from tiltwise.app.day import Day
from tiltwise.app.history.periods import Loaded, PeriodDay, Span, hours_of, total
from tiltwise.report import aggregate as agg
from tiltwise.report.history.plots_calendar import CalendarDay, month_figure, year_figure
from tiltwise.report.history.plots_compare import Compared, comparison_figure
from tiltwise.report.history.plots_week import DayPanel, week_figure
from tiltwise.report.plots import Figure
from tiltwise.report.style import duration_text


def period_figure(loaded: Loaded, sentence: str, limit_deg: float | None) -> Figure:
    """Return the picture that suits the length: panels for days, a month by days and hours, a year as a calendar."""
    title = loaded.period.name + (f" ({', '.join(loaded.origins)})" if loaded.origins else "")
    if loaded.period.n_days <= 7:
        limit = limit_deg if loaded.rule_deg is None else loaded.rule_deg
        return week_figure(title, sentence, _panels(loaded), limit)
    days = [_calendar_day(loaded, day) for day in loaded.days]
    if loaded.period.span is Span.MONTH or loaded.period.n_days <= 31:
        return month_figure(title, sentence, days, loaded.period.n_days, loaded.mount)
    months = []
    for name, first in _months(loaded):
        of_month = [d for d in loaded.days if (d.date.year, d.date.month) == (first.year, first.month)]
        number = max(0, (first - loaded.period.first).days)
        months.append((name, number, total(d.totals for d in of_month), hours_of(of_month)))
    return year_figure(
        title, sentence, days, months, loaded.period.first.weekday(), loaded.period.n_days, loaded.mount
    )


def compared_figure(loaded: Loaded, before: Loaded, sentence: str) -> Figure:
    """Return two periods, read in full, compared."""
    title = f"{loaded.period.name}, compared with {before.period.name}"
    return comparison_figure(title, sentence, [compared(loaded), compared(before)], loaded.mount)


def compared(loaded: Loaded) -> Compared:
    """Return what a comparison draws of a period that was read in full."""
    sums = [day.full.summary.total for day in loaded.days if day.full is not None]
    known = [each for each in sums if each is not None]
    flexion = reduce(np.add, (each.flexion_s.sum(axis=0) for each in known), np.zeros(agg.N_FLEXION))
    eva = reduce(np.add, (each.eva_s for each in known), np.zeros(agg.EVA_SHAPE))
    return Compared(loaded.period.name, flexion, eva, loaded.totals, loaded.hours)


def _panels(loaded: Loaded) -> list[DayPanel]:
    known = {day.date: day for day in loaded.days}
    wanted = [loaded.period.first + timedelta(days=k) for k in range(loaded.period.n_days)]
    panels = []
    for at in wanted:
        full = known[at].full if at in known else None
        said = _said(known[at]) if at in known else ""
        panels.append(DayPanel(f"{at:%a} {at.day}", said, full.summary if full else None, _clock_of(full)))
    return panels


def _said(day: PeriodDay) -> str:
    if day.totals.posture_s <= 0:
        return f"worn {duration_text(day.totals.worn_s)}"
    longest = f"\nlongest {duration_text(day.full.summary.longest_bout_s)}" if day.full else ""
    bent = f"{duration_text(day.totals.down_s)} ({day.totals.percent():.0f} %) bent"
    return f"{bent}{longest}\nworn {duration_text(day.totals.worn_s)}"


def _clock_of(day: Day | None) -> Callable[[float], float]:
    """Return the function from UTC s to hours of a day's wall clock; its end, midnight, is 24."""

    def clock_h(t_s: float) -> float:
        if day is None or t_s < day.summary.start_s:
            return 0.0
        if t_s >= day.summary.end_s:
            return 24.0
        at = datetime.fromtimestamp(t_s, UTC).astimezone(day.zone)
        return at.hour + at.minute / 60 + at.second / 3600

    return clock_h


def _calendar_day(loaded: Loaded, day: PeriodDay) -> CalendarDay:
    number = (day.date - loaded.period.first).days
    return CalendarDay(number, day.date.weekday(), f"{day.date.day}", day.totals, day.hours)


def _months(loaded: Loaded) -> list[tuple[str, date]]:
    found = []
    at = loaded.period.first.replace(day=1)
    while at <= loaded.period.last:
        found.append((f"{at:%b}", at))
        at = (at + timedelta(days=31)).replace(day=1)
    return found
