"""A day summary, or the angles of a file, become a matplotlib figure that needs no screen and no global state.

Times in s, angles in degrees. Missing, walking, lying and not-worn time is drawn as such; nothing is coloured as
good.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from tiltwise.report import aggregate as agg
from tiltwise.report import curves, style
from tiltwise.report import plot_parts as parts
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.day_summary import DaySummary
from tiltwise.text import counted
from tiltwise.types import ACTIVITIES, Activity, AngleBlock, EpisodeEnded, FloatArray, Mount

__all__ = ["Figure", "angles", "day"]

_DAY_S = 86400.0
_WIDE_GAP = 0.05  # share of the width from which a gap has room for its reason


def day(
    summary: DaySummary,
    zone: tzinfo = UTC,
    *,
    limit_deg: float | None = None,
    trace: tuple[FloatArray, FloatArray] | None = None,
) -> Figure:
    """Return the picture of a day, 1200 x 800 pixels.

    Parameters
    ----------
    summary
        Times in UTC epoch seconds.
    zone
        The wearer's time zone, for the clock on the axis.
    limit_deg
        Angle of the wearer's rule, drawn as a line.
    trace
        (t_s, flexion_deg), each (n,), drawn instead of minutes: for recordings too short for those.
    """
    figure = parts.new_figure()
    if not summary.minutes:
        return _empty_day(figure, summary, zone)
    grid = figure.add_gridspec(
        3, 1, left=0.062, right=0.967, top=0.845, bottom=0.135, height_ratios=(3.1, 0.28, 2.0), hspace=0.16
    )
    timeline = figure.add_subplot(grid[0])
    strip = figure.add_subplot(grid[1], sharex=timeline)
    lower = grid[2].subgridspec(
        2, 2, height_ratios=(0.3, 1), hspace=0, wspace=0.16
    )  # room for the strip's legend
    _draw_timeline(timeline, summary, limit_deg, trace)
    _draw_strip(strip, summary)
    _draw_clock(strip, summary, zone)
    _draw_classes(figure.add_subplot(lower[1, 0]), summary)
    _draw_distribution(figure.add_subplot(lower[1, 1]), summary)
    figure.text(0.062, 0.921, _day_name(summary, zone), fontsize=17, fontweight="bold", color=style.INK)
    figure.text(0.062, 0.893, style.headline(summary), fontsize=9.8, color=style.SOFT)
    parts.draw_footnote(figure, summary.mount, is_pair=summary.upper_back is not None)
    return figure


def angles(
    block: AngleBlock,
    *,
    mount: Mount,
    title: str,
    episodes: Sequence[EpisodeEnded] = (),
    limit_deg: float | None = None,
    has_direction: bool = True,
) -> Figure:
    """Return the angles of a recording over its own time: forward bend above, side tilt below.

    Without has_direction forward and side are unknown, and neither is drawn.
    """
    figure = parts.new_figure()
    grid = figure.add_gridspec(
        2, 1, left=0.062, right=0.975, top=0.88, bottom=0.145, height_ratios=(2, 1), hspace=0.09
    )
    upper = figure.add_subplot(grid[0])
    lower = figure.add_subplot(grid[1], sharex=upper)
    for axes in (upper, lower):
        parts.plain(axes)
    parts.draw_episodes(upper, episodes, 1.0)
    parts.draw_trace(upper, block.t_s, block.inclination_deg, style.SOFT, "inclination (any direction)", 0.8)
    if has_direction:
        parts.draw_trace(upper, block.t_s, block.flexion_deg, style.ANGLE, style.ANGLE_NAMES[mount], 1.2)
    upper.set_ylim(min(upper.get_ylim()[0], -10), max(upper.get_ylim()[1], 45) + 6)
    parts.draw_alerts(upper, [e.alert_s for e in episodes if e.alert_s is not None], 1.0)
    parts.draw_limit(upper, limit_deg)
    upper.set_ylabel("degrees, + is forward")
    upper.tick_params(labelbottom=False)
    parts.legend(upper)
    _draw_side_tilt(lower, block if has_direction else None)
    parts.draw_elapsed(lower, block.t_s)
    for axes in (upper, lower):
        parts.draw_holes(axes, block.t_s)
    figure.text(0.062, 0.945, title, fontsize=16, fontweight="bold", color=style.INK, parse_math=False)
    figure.text(0.062, 0.905, f"worn: {mount}", fontsize=10.5, color=style.SOFT)
    parts.draw_footnote(figure, mount)
    return figure


def _draw_side_tilt(axes: Axes, block: AngleBlock | None) -> None:
    """Draw the side tilt, or why there is none."""
    if block is not None:
        parts.draw_trace(axes, block.t_s, block.lateral_deg, style.EXERCISE, "side tilt", 1.2)
        parts.legend(axes)
    else:
        axes.text(
            0.5, 0.5, "side tilt is not known: the calibration has no nods", transform=axes.transAxes, ha="center",
            va="center", color=style.SOFT,
        )  # fmt: skip
    axes.set_ylim(min(axes.get_ylim()[0], -20), max(axes.get_ylim()[1], 20))
    axes.set_ylabel("degrees, + is right")


def _empty_day(figure: Figure, summary: DaySummary, zone: tzinfo) -> Figure:
    figure.text(0.5, 0.56, "Nothing was recorded on this day", ha="center", fontsize=20, color=style.INK)
    figure.text(0.5, 0.5, _day_name(summary, zone), ha="center", fontsize=13, color=style.SOFT)
    return figure


def _day_name(summary: DaySummary, zone: tzinfo) -> str:
    start = datetime.fromtimestamp(summary.start_s, UTC).astimezone(zone)
    return f"{start:%A}, {start.day} {start:%B %Y}"


def _span_s(summary: DaySummary) -> tuple[float, float]:
    """Return the stretch of the day that has something to show."""
    return summary.minutes[0].start_s, summary.minutes[-1].start_s + agg.MINUTE_S


def _draw_timeline(
    axes: Axes, summary: DaySummary, limit_deg: float | None, trace: tuple[FloatArray, FloatArray] | None
) -> None:
    parts.plain(axes)
    _draw_gaps(axes, summary)
    parts.draw_episodes(axes, summary.episodes, _DAY_S)
    if trace is None:
        _draw_minutes(axes, summary.minutes)
    else:
        parts.draw_trace(axes, trace[0] / _DAY_S, trace[1], style.ANGLE, style.angle_name(summary), 1.2)
    if summary.upper_back is not None:
        edges, (_, p50, _) = curves.minute_band(summary.upper_back.minutes)
        axes.plot(edges / _DAY_S, p50, color=style.UPPER_BACK, linewidth=1.1, label="upper back, median")
    axes.axhline(0, color=style.SOFT, linewidth=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -10), max(high, 45) + 6)  # room for the marks; the same scale on most days
    parts.draw_limit(axes, limit_deg)
    parts.draw_alerts(axes, summary.alerts_s, _DAY_S)
    if summary.reps:
        times = np.array([rep.peak_s for rep in summary.reps]) / _DAY_S
        base = np.full(len(times), axes.get_ylim()[0])
        axes.vlines(
            times,
            base,
            base + 5,
            color=style.EXERCISE,
            linewidth=1.4,
            label=counted(len(times), "repetition"),
        )
    axes.set_ylabel(f"{style.angle_name(summary)} (deg)")
    axes.tick_params(labelbottom=False)
    axes.yaxis.set_major_locator(MultipleLocator(15))
    parts.legend(axes)


def _draw_minutes(axes: Axes, minutes: Sequence[Aggregate]) -> None:
    """Draw median and P10-P90 of each minute with enough posture time; other minutes stay empty."""
    edges, (p10, p50, p90) = curves.minute_band(minutes)
    t = edges / _DAY_S
    axes.fill_between(t, p10, p90, color=style.ANGLE_BAND, linewidth=0, label="P10 to P90 of each minute")
    axes.plot(t, p50, color=style.ANGLE, linewidth=1.4, label="median")


def _draw_gaps(axes: Axes, summary: DaySummary) -> None:
    start_s, end_s = _span_s(summary)
    for k, gap in enumerate(summary.gaps):
        left, right = max(gap.start_s, start_s), min(gap.end_s, end_s)
        if right <= left:
            continue
        axes.axvspan(
            left / _DAY_S, right / _DAY_S, facecolor=style.GAP_FACE, edgecolor=style.GAP, hatch="////", linewidth=0,
            label="no samples" if k == 0 else None,
        )  # fmt: skip
        if right - left > _WIDE_GAP * (end_s - start_s):
            axes.text(
                (left + right) / 2 / _DAY_S, 0.5, style.GAP_WORDS.get(gap.reason, gap.reason),
                transform=axes.get_xaxis_transform(), rotation=90,
                ha="center", va="center", fontsize=9.5, color=style.SOFT, parse_math=False,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
            )  # fmt: skip


def _draw_strip(axes: Axes, summary: DaySummary) -> None:
    """Draw the activities of each minute, stacked to the share of the minute that was recorded."""
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(style.SOFT)
    edges, shares = curves.activity_steps(summary.minutes)
    floor = np.zeros(len(edges))
    for activity, share in zip(ACTIVITIES, shares, strict=True):
        axes.fill_between(edges / _DAY_S, floor, floor + share, **_fill(activity))
        floor = floor + share
    axes.legend(
        handles=[
            Patch(label=f"{style.ACTIVITY_NAMES[a]} {style.duration_text(summary.seconds(a))}", **_fill(a))
            for a in ACTIVITIES
        ],
        loc="upper right", bbox_to_anchor=(1.0, -0.72), ncols=len(ACTIVITIES), frameon=False,
        fontsize=9.5, labelcolor=style.INK, handlelength=1.2, columnspacing=1.6, borderaxespad=0,
    )  # fmt: skip
    axes.set_ylabel("activity", rotation=0, ha="right", va="center", fontsize=9.5, color=style.SOFT)


def _fill(activity: Activity) -> dict[str, Any]:
    return {
        "facecolor": style.ACTIVITY_COLOURS[activity],
        "edgecolor": style.GAP,
        "linewidth": 0,
        "hatch": style.ACTIVITY_HATCHES.get(activity),
    }


def _draw_clock(axes: Axes, summary: DaySummary, zone: tzinfo) -> None:
    """Put local clock times under the strip; on a day of a clock change they repeat or skip an hour, as clocks do."""
    start_s, end_s = _span_s(summary)
    axes.set_xlim(start_s / _DAY_S, end_s / _DAY_S)
    ticks_s, labels = curves.clock_ticks(start_s, end_s, lambda t: datetime.fromtimestamp(t, zone))
    axes.set_xticks(np.array(ticks_s) / _DAY_S, labels)
    axes.tick_params(axis="x", colors=style.SOFT, labelsize=9.5, length=3)


def _draw_classes(axes: Axes, summary: DaySummary) -> None:
    """Draw the share of upright time in each angle class: held still, and moving about."""
    axes.set_title("Upright time by angle (deg)", loc="left", fontsize=11, color=style.INK)
    assert summary.total is not None
    table = curves.class_seconds(summary.total)
    if table.sum() <= 0:
        _say_empty(axes)
        return
    parts.plain(axes)
    axes.grid(visible=False)
    share = table / max(float(table.sum()), 1e-9) * 100
    inner = (f"{low} to {high}" for low, high in pairwise(curves.CLASS_EDGES_DEG[1:-1]))
    names = ["below 0", *inner, f"above {curves.CLASS_EDGES_DEG[-2]}"]
    y = np.arange(len(names))
    axes.barh(y, share[agg.HELD], color=style.ANGLE, height=0.7, label="holding still")
    axes.barh(y, share[agg.MOVING], left=share[agg.HELD], color=style.ANGLE_BAND, height=0.7, label="moving")
    whole = share.sum(axis=0)
    for k, value in enumerate(whole.tolist()):
        label = style.share_text(value, float(table[:, k].sum()))
        axes.text(value, k, label, va="center", fontsize=9.5, color=style.INK)
    axes.set_yticks(y, names)
    axes.set_xlim(0, max(float(whole.max()) * 1.3, 1))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.invert_yaxis()
    parts.legend(axes)


def _draw_distribution(axes: Axes, summary: DaySummary) -> None:
    """Draw the cumulative distribution of the angle with P10, P50 and P90; dashed when the wear is too short."""
    axes.set_title(
        "How much of the time was spent below each angle", loc="left", fontsize=11, color=style.INK
    )
    assert summary.total is not None
    histogram = summary.total.flexion_s.sum(axis=0)
    if histogram.sum() <= 0:
        _say_empty(axes)
        return
    parts.plain(axes)
    dashes = (0, (4, 2)) if summary.is_short else "solid"
    axes.plot(*curves.cumulative_percent(histogram), color=style.ANGLE, linestyle=dashes, linewidth=1.8)
    axes.set_ylim(0, 106)
    low, high = agg.histogram_percentiles(histogram, agg.FLEXION_EDGES_DEG, (0.5, 99.5)).tolist()
    left, right = min(low, 0.0) - 10, max(high, 40.0) + 4  # room for the label of P10
    axes.set_xlim(left, right)
    for percent, angle in zip((10, 50, 90), summary.percentiles_deg, strict=True):
        axes.hlines(percent, left, angle, color=style.GAP, linewidth=0.8, linestyle=":")
        axes.plot([angle], [percent], marker="o", markersize=6, color=style.ANGLE)
        axes.annotate(
            f"P{percent}  {angle:z.0f} deg", (angle, percent), (-8, 3), textcoords="offset points",
            fontsize=9.5, color=style.INK, ha="right", va="bottom",
        )  # fmt: skip
    axes.set_yticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.set_xlabel(f"{style.angle_name(summary)} (deg)", fontsize=9.5)
    if summary.is_short:
        _draw_too_short(axes, (summary.percentiles_deg[1] - left) / (right - left))


def _say_empty(axes: Axes) -> None:
    """Say that there is nothing to draw, in place of axes with nothing in them."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no upright time recorded", ha="center", transform=axes.transAxes, color=style.SOFT)


def _draw_too_short(axes: Axes, median_at: float) -> None:
    """Say that the wear is too short where a curve that rises through median_at (share of the width) cannot be.

    That is below it on its right, or above it on its left between the labels of P50 and P90.
    """
    x, y, side = (0.985, 0.06, "right") if median_at <= 0.5 else (0.015, 0.65, "left")
    axes.text(
        x, y, "worn under 4 h: too short for a\nday's P10 and P90", transform=axes.transAxes,
        ha=side, fontsize=9, color=style.SOFT, style="italic",
    )  # fmt: skip
