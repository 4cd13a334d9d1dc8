"""A week, month or year as a table for the terminal, at 80 columns, with its days or months as bars."""

from __future__ import annotations

from rich.table import Table

from tiltwise.app.history.periods import Loaded, PeriodDay, Span, total
from tiltwise.report.history import norms
from tiltwise.report.history.totals import LOOKING_DOWN_DEG, Totals, spread
from tiltwise.report.style import duration_text
from tiltwise.text import counted

_BAR = 12  # characters
_LEAST_S = 300.0  # of upright time


def period_table(loaded: Loaded) -> Table:
    """Return a row for each day (week, month) or month (year) with data, and a row for all of it."""
    marks = f", {' and '.join(loaded.origins)}" if loaded.origins else ""
    table = Table(
        box=None,
        pad_edge=False,
        title=f"{loaded.period.name} ({loaded.zone.key}){marks}",
        title_justify="left",
    )
    is_year = loaded.period.span is Span.YEAR
    table.add_column("month" if is_year else "day")
    for name in ("worn", "upright", f"{LOOKING_DOWN_DEG} deg+"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("% of upright", no_wrap=True)
    if not is_year:
        table.add_column("longest", justify="right", no_wrap=True)
        table.add_column("alerts", justify="right")
    for name, sums, day in _month_rows(loaded) if is_year else _day_rows(loaded):
        table.add_row(*_cells(name, sums), *([] if is_year else _spells(day)))
    table.add_row(*_cells("all", loaded.totals), *([] if is_year else _all_spells(loaded)), style="bold")
    return table


def notes(loaded: Loaded) -> list[str]:
    """Return the lines below: spread between days and hours, days over a limit with its source, days without data."""
    days = [day for day in loaded.days if day.totals.posture_s >= _LEAST_S]
    lines = []
    if len(days) > 1:
        mean, sd = spread([day.totals.percent() for day in days])
        lines.append(
            f"days: {mean:.0f} % on average, standard deviation {sd:.0f} points between days{_within(days)}"
        )
        over = sum(day.totals.percent() > norms.MOST_DAY_PERCENT for day in days)
        lines.append(f"{over} of {counted(len(days), 'day')} with {norms.SOURCES['70 %']}")
    full = [day.full.summary for day in days if day.full is not None]
    if full:
        iso = sum(summary.limit_use >= 1 for summary in full)
        lines.append(
            f"{iso} of {counted(len(full), 'day')} with a spell beyond the holding time "
            f"of {norms.iso_source(loaded.mount)}"
        )
    empty = loaded.period.n_days - len(loaded.days)
    if empty:
        lines.append(f"{empty} of {counted(loaded.period.n_days, 'day')} without data")
    return lines


def _within(days: list[PeriodDay]) -> str:
    """Say how much the hours of one day differ."""
    hours = [spread([h.percent() for h in day.hours.values() if h.posture_s >= _LEAST_S])[1] for day in days]
    mean, _ = spread(hours)
    return f", {mean:.0f} between the hours of a day" if mean == mean else ""


def _day_rows(loaded: Loaded) -> list[tuple[str, Totals, PeriodDay]]:
    return [(f"{day.date:%a} {day.date.day:2d} {day.date:%b}", day.totals, day) for day in loaded.days]


def _month_rows(loaded: Loaded) -> list[tuple[str, Totals, PeriodDay]]:
    months: dict[str, list[PeriodDay]] = {}
    for day in loaded.days:
        months.setdefault(f"{day.date:%B}", []).append(day)
    return [
        (f"{name} ({counted(len(days), 'day')})", total(day.totals for day in days), days[0])
        for name, days in months.items()
    ]


def _cells(name: str, sums: Totals) -> list[str]:
    return [name, _short(sums.worn_s), _short(sums.posture_s), _short(sums.down_s), _bar(sums)]


def _short(seconds: float) -> str:
    """Return a duration for a narrow column: 1 h 05, 12 min, 40 s."""
    return duration_text(seconds).replace(" min", "") if seconds >= 3570 else duration_text(seconds)


def _bar(sums: Totals) -> str:
    if sums.posture_s < _LEAST_S:
        return "too little"
    full = round(sums.percent() / 100 * _BAR)
    return f"{'█' * full}{'·' * (_BAR - full)} {sums.percent():3.0f} %"


def _spells(day: PeriodDay) -> list[str]:
    assert day.full is not None
    summary = day.full.summary
    return [_short(summary.longest_bout_s), str(len(summary.alerts_s))]


def _all_spells(loaded: Loaded) -> list[str]:
    alerts = sum(len(day.full.summary.alerts_s) for day in loaded.days if day.full is not None)
    return [_short(loaded.longest_s or 0.0), str(alerts)]


def period_json(loaded: Loaded, sentence: str) -> dict[str, object]:
    """Return the same as plain values: seconds, percent, degrees."""
    return {
        "period": loaded.period.name,
        "first": loaded.period.first.isoformat(),
        "last": loaded.period.last.isoformat(),
        "zone": loaded.zone.key,
        "mount": str(loaded.mount),
        "sentence": sentence,
        "all": _sums_json(loaded.totals),
        "days": [
            {"day": day.date.isoformat()} | _sums_json(day.totals) | _full_json(day) for day in loaded.days
        ],
        "hours": {f"{hour:02d}": _sums_json(sums) for hour, sums in loaded.hours.items()},
    }


def _sums_json(sums: Totals) -> dict[str, object]:
    limits = (15, 20, 30, 45, 60)
    share = {str(limit): round(sums.percent(limit), 3) for limit in limits} if sums.posture_s > 0 else None
    return {
        "worn_s": round(sums.worn_s, 3),
        "upright_s": round(sums.posture_s, 3),
        "mean_deg": round(sums.mean_deg, 3) + 0.0 if sums.posture_s > 0 else None,
        "percent_beyond_deg": share,
    }


def _full_json(day: PeriodDay) -> dict[str, object]:
    if day.full is None:
        return {}
    s = day.full.summary
    known = s.posture_s > 0
    return {
        "percentiles_deg": [round(value, 3) + 0.0 for value in s.percentiles_deg] if known else None,
        "longest_s": s.longest_bout_s,
        "holding_time_use": round(s.limit_use, 4),
        "alerts": len(s.alerts_s),
    }
