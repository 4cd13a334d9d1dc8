"""Weeks, months and years of the calendar as they are asked for, and what the store holds of them.

Days are local days of the store's zone, with 23 or 25 hours where the clocks change. Totals only for a year: its
blobs would take seconds to read. Minutes of a week at most: those of a month take 350 MB, and no picture shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import add
from pathlib import Path
from zoneinfo import ZoneInfo

from tiltwise.app.day import Day, parse_day, say_where_simulated
from tiltwise.errors import AppError, UsageError
from tiltwise.report.day_summary import in_sums
from tiltwise.report.history.totals import Totals, sum_by, totals_of
from tiltwise.store.local_days import day_bounds_us
from tiltwise.store.quarter_hours import quarter_totals
from tiltwise.store.reader import StoreReader
from tiltwise.types import Mount

_US = 1_000_000
_MOST_DAYS = 3700
_DAYS_IN_MINUTES = 7


class Span(StrEnum):
    """How long."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """Days first to last, both in it; span is None for other stretches."""

    first: date
    last: date
    span: Span | None = None

    @property
    def n_days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def name(self) -> str:
        """Its name as a title."""
        match self.span:
            case Span.WEEK:
                return f"Week of {self.first.day} {self.first:%B %Y}"
            case Span.MONTH:
                return f"{self.first:%B %Y}"
            case Span.YEAR:
                return f"{self.first.year}"
        if self.first == self.last:
            return f"{self.first:%A}, {self.first.day} {self.first:%B %Y}"
        return f"{self.first.day} {self.first:%B %Y} to {self.last.day} {self.last:%B %Y}"

    @property
    def within(self) -> str:
        """Its name in a sentence, with the preposition."""
        if self.span is Span.WEEK:
            return f"in the week of {self.first.day} {self.first:%B %Y}"
        if self.n_days == 1:
            return f"on {self.name}"
        return f"in {self.name}" if self.span else f"from {self.name}"

    @property
    def file_name(self) -> str:
        """Its name in the name of a file."""
        match self.span:
            case Span.WEEK:
                return f"{self.first:%G-W%V}"
            case Span.MONTH:
                return f"{self.first:%Y-%m}"
            case Span.YEAR:
                return f"{self.first:%Y}"
        return str(self.first) if self.first == self.last else f"{self.first}-to-{self.last}"

    def before(self) -> Period:
        """Return the period of the same kind that ends where this begins."""
        last = self.first - timedelta(days=1)
        if self.span is None:
            return Period(self.first - timedelta(days=self.n_days), last)
        return around(last, self.span)


def around(day: date, span: Span) -> Period:
    """Return the week (Monday first), month or year that a day lies in."""
    match span:
        case Span.WEEK:
            first = day - timedelta(days=day.weekday())
            return Period(first, first + timedelta(days=6), span)
        case Span.MONTH:
            first = day.replace(day=1)
            return Period(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1), span)
        case Span.YEAR:
            return Period(day.replace(month=1, day=1), day.replace(month=12, day=31), span)
        case Span.DAY:
            return Period(day, day, span)


def parse_period(text: str, span: Span, today: date | None = None) -> Period:
    """Read which week, month or year: 2026-W40, 2026-10, 2026, a day in it, `this`, `last`, or -2 for so many ago."""
    now = around(today or date.today(), span)
    ago = {"this": 0, "last": 1}.get(text.lower())
    if ago is None and re.fullmatch(r"-\d{1,3}", text):
        ago = -int(text)
    try:
        if ago is not None:
            for _ in range(ago):
                now = now.before()
            return now
        if span is Span.WEEK and (week := re.fullmatch(r"(\d{4})-?W(\d{1,2})", text, re.IGNORECASE)):
            return around(date.fromisocalendar(int(week[1]), int(week[2]), 1), span)
        if span is Span.MONTH and (month := re.fullmatch(r"(\d{4})-(\d{1,2})", text)):
            return around(date(int(month[1]), int(month[2]), 1), span)
        if span is Span.YEAR and re.fullmatch(r"\d{4}", text):
            return around(date(int(text), 1, 1), span)
        return around(parse_day(text, today), span)
    except (ValueError, OverflowError, UsageError):
        form = {Span.WEEK: "2026-W40", Span.MONTH: "2026-10", Span.YEAR: "2026", Span.DAY: "2026-10-04"}[span]
        raise UsageError(
            f"{span} {text!r}: expected {form}, a day in it such as 2026-10-04, this, last or -2"
        ) from None


def stretch(first: date, last: date) -> Period:
    """Return the days first to last; UsageError when they are in the wrong order or too many."""
    if first > last:
        raise UsageError(f"from {first} to {last}: expected the earlier day first")
    if (last - first).days >= _MOST_DAYS:
        raise UsageError(f"from {first} to {last}: expected ten years at most")
    whole = [around(first, span) for span in (Span.WEEK, Span.MONTH, Span.YEAR)]
    return next((each for each in whole if (each.first, each.last) == (first, last)), Period(first, last))


@dataclass(frozen=True, slots=True)
class PeriodDay:
    """A day with data: its sums, sums by hour of the wall clock (0 to 23), and all else where it was read."""

    date: date
    totals: Totals
    hours: dict[int, Totals]
    full: Day | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A period as it is stored; `days` are those with data, in order."""

    period: Period
    zone: ZoneInfo
    mount: Mount
    days: tuple[PeriodDay, ...]
    rule_deg: float | None = None
    is_pair: bool = False
    origins: tuple[str, ...] = field(default=())

    @property
    def totals(self) -> Totals:
        """Sums of all days."""
        return total(day.totals for day in self.days)

    @property
    def hours(self) -> dict[int, Totals]:
        """Sums by hour of the wall clock."""
        return hours_of(self.days)

    @property
    def longest_s(self) -> float | None:
        """Longest spell, None where days were not read in full."""
        fulls = [day.full.summary.longest_bout_s for day in self.days if day.full is not None]
        return max(fulls, default=None)


def total(sums: Iterable[Totals]) -> Totals:
    """Return the sum of sums."""
    return reduce(add, sums, Totals())


def hours_of(days: Iterable[PeriodDay]) -> dict[int, Totals]:
    """Return the sums of days by hour of the wall clock."""
    found: dict[int, Totals] = {}
    for day in days:
        for hour, sums in day.hours.items():
            found[hour] = found.get(hour, Totals()) + sums
    return dict(sorted(found.items()))


def newest_day(folder: Path) -> date:
    """Return the newest day of a store; AppError when nothing was recorded."""
    say_where_simulated(folder)
    with StoreReader(folder) as reader:
        days = reader.days()
    if not days:
        raise AppError(f"{folder}: nothing recorded yet; run `tiltwise watch` or `tiltwise demo` first")
    return days[-1]


def load_period(folder: Path, period: Period, *, is_full: bool = True) -> Loaded:
    """Read a period; without is_full its sums only. Days without data are left out."""
    with StoreReader(folder) as reader:
        zone = ZoneInfo(reader.zone())
        bounds = (day_bounds_us(period.first, zone.key)[0], day_bounds_us(period.last, zone.key)[1])
        origins = reader.origins(*bounds)
        known = reader.days()
        if not is_full:
            mount = reader.mount(*day_bounds_us(known[-1], zone.key))
            return Loaded(period, zone, mount, _days_in_sums(folder, zone, bounds), origins=origins)
        wanted = [day for day in known if period.first <= day <= period.last]
        days = tuple(_period_day(reader, day, zone, len(wanted) <= _DAYS_IN_MINUTES) for day in wanted)
    fulls = [day.full for day in days if day.full is not None]
    mount = fulls[-1].summary.mount if fulls else Mount.NECK
    rule_deg = next((day.rule_deg for day in reversed(fulls) if day.rule_deg is not None), None)
    is_pair = any(day.summary.upper_back is not None for day in fulls)
    return Loaded(period, zone, mount, days, rule_deg, is_pair, origins)


def _period_day(reader: StoreReader, at: date, zone: ZoneInfo, keeps_minutes: bool) -> PeriodDay:
    def hour_of(t_s: float) -> str:
        return str(datetime.fromtimestamp(t_s, zone).hour)

    stored = reader.day(at)
    summary = stored.summary()
    hours = {int(key): sums for key, sums in sum_by(summary.minutes, hour_of).items()}
    sums = Totals() if summary.total is None else totals_of(summary.total)
    day = Day(at, summary if keeps_minutes else in_sums(summary), zone, stored.rule_deg, stored.origins)
    return PeriodDay(at, sums, hours, day)


def _days_in_sums(folder: Path, zone: ZoneInfo, bounds_us: tuple[int, int]) -> tuple[PeriodDay, ...]:
    days: dict[date, dict[int, Totals]] = {}
    for start_s, sums in quarter_totals(folder, bounds_us[0] / _US, bounds_us[1] / _US):
        at = datetime.fromtimestamp(start_s, zone)
        hours = days.setdefault(at.date(), {})
        hours[at.hour] = hours.get(at.hour, Totals()) + sums
    return tuple(PeriodDay(day, total(hours.values()), hours) for day, hours in days.items())


def hour_name(t_s: float, zone: ZoneInfo) -> str:
    """Return "between 10 and 11" for a time in UTC s; with the zone's letters where the clock shows it twice."""
    at = datetime.fromtimestamp(t_s, UTC).astimezone(zone)
    other = at.replace(fold=1 - at.fold)
    is_twice = other.utcoffset() != at.utcoffset() and other.astimezone(UTC).astimezone(zone).hour == at.hour
    letters = f" ({at:%Z})" if is_twice else ""
    return f"between {at.hour} and {(at.hour + 1) % 24 or 24}{letters}"
