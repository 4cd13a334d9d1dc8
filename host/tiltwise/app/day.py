"""`tiltwise day`: a stored day as a plot and as a few lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.table import Table

from tiltwise.errors import AppError, UsageError
from tiltwise.live.event_text import clock
from tiltwise.offline import shown_metrics
from tiltwise.offline.picture_file import check_picture_path, save_figure
from tiltwise.report import plots
from tiltwise.report.day_summary import DaySummary
from tiltwise.report.plots import Figure
from tiltwise.store.writer import Store
from tiltwise.types import Activity, FloatArray


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of a store: the summary and the zone it is to be shown in."""

    day: date
    summary: DaySummary
    zone: ZoneInfo


def parse_day(text: str) -> date:
    """Read YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"day {text!r}: expected YYYY-MM-DD, for instance 2026-03-01") from None


def load_day(folder: Path, day: date | None) -> Day:
    """Read a day, the newest one without a date; AppError when nothing was recorded on it."""
    with Store.open_readonly(folder) as reader:
        days = reader.days()
        if not days:
            raise AppError(f"{folder}: nothing recorded yet; run `tiltwise watch` or `tiltwise demo` first")
        chosen = day or days[-1]
        if chosen not in days:
            near = min(days, key=lambda d: abs((d - chosen).days))
            raise AppError(f"nothing was recorded on {chosen}; the nearest day with data is {near}")
        stored = reader.day(chosen)
    return Day(chosen, stored.summary(), ZoneInfo(stored.zone))


def day_figure(
    day: Day, limit_deg: float | None, trace: tuple[FloatArray, FloatArray] | None = None
) -> Figure:
    """Return the picture of a day; a trace (UTC s, deg) stands in for the minutes of a short one."""
    return plots.day(day.summary, day.zone, limit_deg=limit_deg, trace=trace)


def draw_day(folder: Path, date: str | None, out: Path | None, limit_deg: float) -> tuple[Day, Path]:
    """Draw a stored day, the newest without a date; return it and the path, which `out` or the day names."""
    check_picture_path(out)
    day = load_day(folder, None if date is None else parse_day(date))
    path = out or Path(f"tiltwise-{day.day}.png")
    save_figure(day_figure(day, limit_deg), path)
    return day, path


def _upper_back_rows(summary: DaySummary) -> list[tuple[str, str]]:
    """Return what a second sensor, on the collar, saw."""
    back = summary.upper_back
    if back is None:
        return []
    return [
        ("upper back P10 / P50 / P90", " / ".join(f"{p:.0f}" for p in back.percentiles_deg) + " deg"),
        ("upper back beyond", ", ".join(f"{a} deg {p:.0f} %" for a, p in back.percent_above_deg.items())),
    ]


def day_table(day: Day) -> Table:
    """Return the day in a few lines."""
    s = day.summary
    table = Table(
        show_header=False, box=None, pad_edge=False, title=f"{day.day} ({day.zone.key})", title_justify="left"
    )
    rows = [
        ("worn", clock(s.worn_s)),
        ("walking / lying", f"{clock(s.seconds(Activity.WALKING))} / {clock(s.seconds(Activity.LYING))}"),
        (
            "angle",
            shown_metrics.NAMES[s.mount]["flexion"] if s.upper_back is None else shown_metrics.OWN_FLEXION,
        ),
        ("angle P10 / P50 / P90", " / ".join(f"{p:.0f}" for p in s.percentiles_deg) + " deg"),
        ("time beyond", ", ".join(f"{a} deg {p:.0f} %" for a, p in s.percent_above_deg.items())),
        *_upper_back_rows(s),
        ("longest spell beyond 20 deg", clock(s.longest_bout_s)),
        ("alerts", str(len(s.alerts_s))),
        ("exercise repetitions", str(sum(not r.is_partial for r in s.reps))),
        ("gaps", f"{len(s.gaps)}, {clock(sum(g.end_s - g.start_s for g in s.gaps))}"),
    ]
    if s.is_short:
        rows.append(("note", "too little wear to read much into the percentiles"))
    for name, value in rows:
        table.add_row(name, value)
    return table
