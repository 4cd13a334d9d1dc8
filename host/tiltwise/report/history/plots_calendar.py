"""A month and a year on one page: when one was bent (hours by days), and the days as a calendar.

Shares in percent of upright time, one scale of blues that gets darker,
so that it reads in grey too; days and hours
without upright time stay empty, which is not good posture but nothing known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tiltwise.report import plot_parts as parts
from tiltwise.report import style
from tiltwise.report.history.page_head import new_page
from tiltwise.report.history.totals import LOOKING_DOWN_DEG, Totals
from tiltwise.types import FloatArray, Mount

_SCALE = LinearSegmentedColormap.from_list("bent", ("#E8F1F8", "#9CC9E6", "#0072B2", "#08306B"))
_LEAST_S = 300.0  # of upright time in an hour or day, to say what share of it was bent
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day: number in the period from 0, weekday 0 to 6 (Monday first), label, sums, and sums of its hours."""

    number: int
    weekday: int
    label: str
    totals: Totals
    hours: Mapping[int, Totals]


def month_figure(title: str, sentence: str, days: Sequence[CalendarDay], n_days: int, mount: Mount) -> Figure:
    """Return the picture of a month of n_days: time bent on each day, and the hours in which it was."""
    figure = new_page(title, sentence)
    grid = figure.add_gridspec(
        2, 1, left=0.075, right=0.9, top=0.845, bottom=0.145, height_ratios=(1, 1.5), hspace=0.22
    )
    _draw_bars(figure.add_subplot(grid[0]), days, n_days)
    axes = figure.add_subplot(grid[1])
    drawn = _draw_hours(axes, {d.number: d.hours for d in days}, n_days)
    _name_columns(axes, np.arange(n_days) + 0.5, [str(k + 1) for k in range(n_days)])
    axes.set_xlabel("day of the month")
    _scale(figure, axes, drawn)
    parts.draw_footnote(figure, mount)
    return figure


def year_figure(
    title: str,
    sentence: str,
    days: Sequence[CalendarDay],
    months: Sequence[tuple[str, int, Totals, Mapping[int, Totals]]],
    first_weekday: int,
    n_days: int,
    mount: Mount,
) -> Figure:
    """Return the picture of a year: a calendar of days, then each month's share and its hours.

    months has (name, number of its first day, sums, sums of its hours of the clock).
    """
    figure = new_page(title, sentence)
    grid = figure.add_gridspec(
        2, 1, left=0.075, right=0.9, top=0.85, bottom=0.145, height_ratios=(1, 1.45), hspace=0.28
    )
    calendar = figure.add_subplot(grid[0])
    drawn = _draw_calendar(calendar, days, first_weekday, n_days)
    weeks = [(start + first_weekday) // 7 + 0.5 for _, start, _, _ in months]
    _name_columns(calendar, weeks, [name for name, *_ in months])
    hours = figure.add_subplot(grid[1])
    _draw_hours(hours, {k: table for k, (_, _, _, table) in enumerate(months)}, len(months))
    shares = [totals.percent() for _, _, totals, _ in months]
    names = [
        f"{name}\n{share:.0f} %" if share == share else name
        for (name, *_), share in zip(months, shares, strict=True)
    ]
    _name_columns(hours, np.arange(len(months)) + 0.5, names)
    _scale(figure, hours, drawn)
    parts.draw_footnote(figure, mount)
    return figure


def _draw_bars(axes: Axes, days: Sequence[CalendarDay], n_days: int) -> None:
    """Draw hours upright a day, and how much of it was bent."""
    parts.plain(axes)
    x = [day.number + 0.5 for day in days]
    upright = [day.totals.posture_s / 3600 for day in days]
    down = [day.totals.down_s / 3600 for day in days]
    axes.bar(x, upright, color=style.ANGLE_BAND, width=0.8, label="upright (h)")
    axes.bar(x, down, color=style.ANGLE, width=0.8, label=f"of it {LOOKING_DOWN_DEG} deg or more")
    for at, day in zip(x, days, strict=True):
        if day.totals.posture_s >= _LEAST_S:
            axes.text(
                at, day.totals.posture_s / 3600, f"{day.totals.percent():.0f}", ha="center", va="bottom",
                fontsize=8,
                color=style.INK,
            )  # fmt: skip
    for day in days:
        if day.weekday == 0 and day.number:
            axes.axvline(day.number, color=style.GRID, linewidth=0.8, zorder=0)
    axes.set_xlim(0, n_days)
    axes.set_ylim(0, max([*upright, 1.0]) * 1.18)
    axes.set_xticks([])
    axes.set_ylabel("hours a day")
    axes.set_title("Numbers: percent of upright time bent", loc="left", fontsize=10, color=style.SOFT)
    parts.legend(axes)


def _draw_hours(axes: Axes, columns: Mapping[int, Mapping[int, Totals]], width: int) -> Any:
    """Draw the share bent by hour of the clock (down) and column (across)."""
    table = np.full((24, width), np.nan)
    for column, hours in columns.items():
        for hour, totals in hours.items():
            if totals.posture_s >= _LEAST_S:
                table[hour, column] = totals.percent()
    used = np.flatnonzero(np.isfinite(table).any(axis=1))
    first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (8, 18)
    drawn = _cells(axes, table[first:last], first)
    axes.set_ylim(last, first)
    step = max(1, (last - first) // 12)
    axes.set_yticks(range(first, last + 1, step), [f"{h:02d}:00" for h in range(first, last + 1, step)])
    axes.set_title(
        "When: share of upright time bent, by hour (empty: nothing known)",
        loc="left",
        fontsize=10,
        color=style.SOFT,
    )
    return drawn


def _draw_calendar(axes: Axes, days: Sequence[CalendarDay], first_weekday: int, n_days: int) -> Any:
    """Draw a year as weeks across and weekdays down."""
    weeks = (n_days + first_weekday + 6) // 7
    table = np.full((7, weeks), np.nan)
    for day in days:
        if day.totals.posture_s >= _LEAST_S:
            table[day.weekday, (day.number + first_weekday) // 7] = day.totals.percent()
    drawn = _cells(axes, table, 0)
    axes.set_ylim(7, 0)
    axes.set_yticks(np.arange(7) + 0.5, _WEEKDAYS)
    axes.set_title(
        "Each day: share of upright time bent (empty: nothing known)",
        loc="left",
        fontsize=10,
        color=style.SOFT,
    )
    return drawn


def _cells(axes: Axes, table: FloatArray, first_row: int) -> Any:
    rows, columns = table.shape
    drawn = axes.pcolormesh(
        np.arange(columns + 1), np.arange(first_row, first_row + rows + 1), np.ma.masked_invalid(table),
        cmap=_SCALE,
        vmin=0, vmax=100, edgecolors="#F0F3F5", linewidth=0.6,
    )  # fmt: skip
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=style.SOFT, labelsize=9, length=0)
    axes.xaxis.label.set_color(style.SOFT)
    return drawn


def _name_columns(axes: Axes, at: ArrayLike, names: Sequence[str]) -> None:
    """Write names of as many lines below the axes, each line on one height whatever letters it has."""
    lines = max((name.count("\n") for name in names), default=0)
    axes.set_xticks(at, [name + "\n" * (lines - name.count("\n")) for name in names])
    for label in axes.get_xticklabels():
        label.set_verticalalignment("baseline")
    axes.tick_params(axis="x", pad=13 + 13 * lines)  # the baseline is that of the last line


def _scale(figure: Figure, axes: Axes, drawn: Any) -> None:
    box = axes.get_position()
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.925, box.y0, 0.014, box.height)))
    bar.outline.set_visible(False)
    bar.set_ticks([0, 20, 40, 60, 80, 100])
    bar.ax.tick_params(colors=style.SOFT, labelsize=9, length=0)
    bar.set_label(f"% of upright time at {LOOKING_DOWN_DEG} deg or more", color=style.SOFT, fontsize=9)
