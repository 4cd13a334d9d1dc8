"""The sentence that a day or a period begins with, from what is stored of it and of the time before."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tiltwise.app.day import Day
from tiltwise.app.history.periods import Loaded, Period, Span, around, hour_name, load_period, total
from tiltwise.report.history.sentences import Before, opening
from tiltwise.report.history.totals import Totals, sum_by, totals_of
from tiltwise.store.reader import StoreReader

_LOOK_BACK_DAYS = 7


def day_sentence(folder: Path, day: Day) -> str:
    """Return the sentence on a day, compared with the newest day within a week before it."""
    hours = sum_by(day.summary.minutes, lambda t_s: hour_name(t_s, day.zone))
    sums = Totals() if day.summary.total is None else totals_of(day.summary.total)
    if day.summary.relative_to:
        return f"No verdict: all angles are relative to {day.summary.relative_to}, which may not have been upright."
    return opening(
        sums,
        day.summary.mount,
        parts=hours,
        longest_s=day.summary.longest_bout_s,
        before=_day_before(folder, day.day),
        is_pair=day.summary.upper_back is not None,
    )


def _day_before(folder: Path, day: date) -> Before | None:
    with StoreReader(folder) as reader:
        known = [d for d in reader.days() if timedelta() < day - d <= timedelta(days=_LOOK_BACK_DAYS)]
    if not known:
        return None
    name = "the day before" if day - known[-1] == timedelta(days=1) else f"on {known[-1]:%A}"
    return Before(name, load_period(folder, around(known[-1], Span.DAY), is_full=False).totals)


def period_sentence(loaded: Loaded, before: Loaded | None) -> str:
    """Return the sentence on a period, compared with another."""
    compared = None
    if before is not None:
        compared = Before(_name_of(before.period, loaded.period), before.totals)
    unknown = [day for day in loaded.days if day.full is not None and day.full.summary.relative_to]
    if unknown and len(unknown) == len(loaded.days):
        return "No verdict: on none of these days is it known which posture was upright."
    return opening(
        loaded.totals,
        loaded.mount,
        parts=_parts(loaded),
        longest_s=loaded.longest_s,
        before=compared,
        is_pair=loaded.is_pair,
    )


def _name_of(before: Period, period: Period) -> str:
    """Return what a period is called beside the one that it is compared with."""
    if before == period.before():
        several = f"{before.n_days} days" if before.n_days > 1 else "day"
        return f"the {period.span or several} before"
    return before.within


def _parts(loaded: Loaded) -> dict[str, Totals]:
    """Return the days of a week or month, the months of longer times, by name."""
    span = loaded.period.span
    if span is Span.YEAR or loaded.period.n_days > 62:
        months: dict[str, list[Totals]] = {}
        for day in loaded.days:
            months.setdefault(f"in {day.date:%B}", []).append(day.totals)
        return {name: total(sums) for name, sums in months.items()}
    if loaded.period.n_days == 1:
        return {f"between {hour} and {hour + 1}": sums for hour, sums in loaded.hours.items()}
    if span is Span.WEEK:
        return {f"on {day.date:%A}": day.totals for day in loaded.days}
    return {f"on {day.date:%A}, {day.date.day} {day.date:%B}": day.totals for day in loaded.days}


def period_before(folder: Path, period: Period, against: Period | None, *, is_full: bool) -> Loaded | None:
    """Return what a period is compared with: what was asked for, or the one before; None when that has no data."""
    loaded = load_period(folder, against or period.before(), is_full=is_full)
    return loaded if loaded.days else None
