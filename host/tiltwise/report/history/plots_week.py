"""A week as small multiples: one panel a day, all on one clock and one scale of angles, so that days can be compared.

Times in hours of the wearer's clock, angles in degrees. What was not recorded is hatched,
what was not worn or lying
leaves the curve empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tiltwise.report import curves, style
from tiltwise.report import plot_parts as parts
from tiltwise.report.day_summary import DaySummary
from tiltwise.report.history.page_head import new_page
from tiltwise.types import ACTIVITIES, FloatArray

_LEFT, _RIGHT = 0.115, 0.79
_LOW_DEG, _HIGH_DEG = -10.0, 60.0
_STRIP_DEG = 6.0  # height of the strip of activities
_NEVER = (9.0, 17.0)  # hours shown for a week without any data


@dataclass(frozen=True, slots=True)
class DayPanel:
    """A panel: what stands left of it and right of it, the day (None without data) and its clock.

    clock_h turns UTC s into hours of that day's wall clock, 0 to 24.
    """

    name: str
    said: str
    summary: DaySummary | None
    clock_h: Callable[[float], float]


def week_figure(title: str, sentence: str, days: Sequence[DayPanel], limit_deg: float | None) -> Figure:
    """Return the picture of a week, 1200 x 800 pixels."""
    figure = new_page(title, sentence)
    grid = figure.add_gridspec(len(days), 1, left=_LEFT, right=_RIGHT, top=0.86, bottom=0.125, hspace=0.16)
    first_h, last_h = _hours(days)
    shared: Axes | None = None
    for k, day in enumerate(days):
        axes = figure.add_subplot(grid[k], sharex=shared)
        shared = shared or axes
        _draw_panel(axes, day, limit_deg)
        axes.set_xlim(first_h, last_h)
        axes.tick_params(labelbottom=k == len(days) - 1)
    assert shared is not None
    ticks = np.arange(np.ceil(first_h), np.floor(last_h) + 1)
    ticks = ticks[:: max(1, int(np.ceil(len(ticks) / 14)))]
    shared.set_xticks(ticks, [f"{int(h):02d}:00" for h in ticks])
    _legend(figure, limit_deg)
    summaries = [day.summary for day in days if day.summary is not None]
    if summaries:
        parts.draw_footnote(
            figure, summaries[-1].mount, is_pair=any(s.upper_back is not None for s in summaries)
        )
    return figure


def _hours(days: Sequence[DayPanel]) -> tuple[float, float]:
    """Return the hours of the clock in which anything was recorded on any day."""
    shown = [(day, row.start_s) for day in days if day.summary for row in day.summary.minutes]
    hours = [day.clock_h(start_s) for day, start_s in shown]
    if not hours:
        return _NEVER
    first, last = np.floor(min(hours)), min(24.0, np.ceil(max(hours) + 1 / 60))
    return float(first), float(max(last, first + 1))


def _draw_words(axes: Axes, day: DayPanel) -> None:
    place, ink = axes.transAxes, style.INK
    axes.text(-0.055, 0.5, day.name, transform=place, ha="right", va="center", fontsize=10.5, color=ink)
    axes.text(1.012, 0.5, day.said, transform=place, va="center", fontsize=9.5, color=ink, linespacing=1.5)


def _draw_panel(axes: Axes, day: DayPanel, limit_deg: float | None) -> None:
    parts.plain(axes)
    axes.set_ylim(_LOW_DEG - _STRIP_DEG, _HIGH_DEG)
    axes.set_yticks([0, 20, 40])
    axes.axhline(0, color=style.SOFT, linewidth=0.6)
    _draw_words(axes, day)
    if day.summary is None or not day.summary.minutes:
        axes.text(
            0.5, 0.5, "nothing recorded", transform=axes.transAxes, ha="center", va="center", fontsize=9.5,
            color=style.SOFT,
        )  # fmt: skip
        return
    if limit_deg is not None:
        axes.axhline(limit_deg, color=style.ALERT, linewidth=0.8, linestyle=(0, (5, 3)))
    for gap in day.summary.gaps:
        axes.axvspan(
            day.clock_h(gap.start_s), max(day.clock_h(gap.end_s), day.clock_h(gap.start_s)),
            facecolor="#F4F6F7",
            edgecolor=style.GAP, hatch="////", linewidth=0,
        )  # fmt: skip
    edges, (p10, p50, p90) = curves.minute_band(day.summary.minutes)
    hours = _wall(edges, day.clock_h)
    axes.fill_between(hours, p10, np.minimum(p90, _HIGH_DEG), color=style.ANGLE_BAND, linewidth=0)
    axes.plot(hours, np.minimum(p50, _HIGH_DEG), color=style.ANGLE, linewidth=1.0)
    _draw_activities(axes, day, hours)
    if day.summary.alerts_s:
        times = [day.clock_h(t) for t in day.summary.alerts_s]
        axes.plot(
            times, np.full(len(times), 0.93), linestyle="none", marker="v", markersize=5, color=style.ALERT,
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip


def _wall(edges_s: FloatArray, clock_h: Callable[[float], float]) -> FloatArray:
    """Return hours of the clock for the edges of minutes; a step back of the clock breaks the line."""
    starts = np.array([clock_h(t) for t in edges_s[::2]])
    hours = np.repeat(starts, 2)
    length_h = (edges_s[1::2] - edges_s[::2]) / 3600
    hours[1::2] += length_h
    back = np.flatnonzero(np.diff(hours) < -1e-6)
    hours[back] = np.nan
    return hours


def _draw_activities(axes: Axes, day: DayPanel, hours: FloatArray) -> None:
    """Draw what filled most of each minute as a strip along the bottom."""
    assert day.summary is not None
    _, shares = curves.activity_steps(day.summary.minutes)
    most = np.argmax(shares, axis=0)
    known = shares.sum(axis=0) > 0
    for code, activity in enumerate(ACTIVITIES):
        axes.fill_between(
            hours, _LOW_DEG - _STRIP_DEG, _LOW_DEG, where=(most == code) & known, linewidth=0,
            facecolor=style.ACTIVITY_COLOURS[activity],
            hatch=style.ACTIVITY_HATCHES.get(activity), edgecolor=style.GAP,
        )  # fmt: skip


def _legend(figure: Figure, limit_deg: float | None) -> None:
    alerts = "alerts" if limit_deg is None else f"alerts, limit {limit_deg:.0f} deg"
    handles = [
        Patch(facecolor=style.ANGLE, label="median angle (deg)"),
        Patch(facecolor=style.ANGLE_BAND, label="P10 to P90"),
        Patch(facecolor="#F4F6F7", edgecolor=style.GAP, hatch="////", label="no samples"),
        *(
            Patch(
                facecolor=style.ACTIVITY_COLOURS[a],
                edgecolor=style.GAP,
                hatch=style.ACTIVITY_HATCHES.get(a),
                linewidth=0,
                label=style.ACTIVITY_NAMES[a],
            )
            for a in ACTIVITIES
        ),
        Patch(
            facecolor=style.ALERT,
            label=alerts,
        ),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(_LEFT - 0.005, 0.895), ncols=len(handles),
        frameon=False,
        fontsize=8.8, labelcolor=style.INK, handlelength=1.1, columnspacing=1.1, borderaxespad=0,
    )  # fmt: skip
