"""Two days or periods side by side: the distribution of the angle, the hours of the clock, the exposure variation.

Angles in degrees, shares in percent of upright time. The second is drawn dashed,
so that both are told apart in grey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tiltwise.report import aggregate as agg
from tiltwise.report import curves, style
from tiltwise.report import plot_parts as parts
from tiltwise.report.history.page_head import new_page
from tiltwise.report.history.totals import Totals
from tiltwise.types import FloatArray, Mount

_COLOURS = (style.ANGLE, style.ALERT)
_DASHES = ("solid", (0, (4, 2)))
_LEAST_S = 300.0


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the two: its name, seconds in bins of 0.1 deg (2100,), EVA seconds (7, 7), sums, those of hours."""

    name: str
    flexion_s: FloatArray
    eva_s: FloatArray
    totals: Totals
    hours: Mapping[int, Totals]


def comparison_figure(title: str, sentence: str, two: Sequence[Compared], mount: Mount) -> Figure:
    """Return the picture of two days or periods compared, 1200 x 800 pixels."""
    figure = new_page(title, sentence)
    grid = figure.add_gridspec(
        2, 2, left=0.075, right=0.965, top=0.85, bottom=0.15, height_ratios=(1.15, 1), hspace=0.36, wspace=0.2
    )
    draw_distributions(figure.add_subplot(grid[0, 0]), two)
    _draw_shares(figure.add_subplot(grid[0, 1]), two)
    _draw_hours(figure.add_subplot(grid[1, :]), two)
    parts.draw_footnote(figure, mount)
    return figure


def draw_distributions(axes: Axes, two: Sequence[Compared]) -> None:
    """Draw how much of the time was below each angle."""
    parts.plain(axes)
    for each, colour, dashes in zip(two, _COLOURS, _DASHES, strict=False):
        if each.flexion_s.sum() > 0:
            axes.plot(
                *curves.cumulative_percent(each.flexion_s), color=colour, linestyle=dashes, linewidth=1.8,
                label=each.name,
            )  # fmt: skip
    spans = [
        agg.histogram_percentiles(each.flexion_s, agg.FLEXION_EDGES_DEG, (0.5, 99.5))
        for each in two
        if each.flexion_s.sum() > 0
    ]
    if spans:
        axes.set_xlim(min(float(s[0]) for s in spans) - 4, max(float(s[1]) for s in spans) + 4)
    axes.set_ylim(0, 104)
    axes.set_yticks([0, 10, 50, 90, 100], ["0", "P10", "P50", "P90", "100 %"])
    axes.set_xlabel("angle (deg)", fontsize=9.5)
    axes.set_title("Time below each angle", loc="left", fontsize=10.5, color=style.INK)
    axes.legend(loc="lower right", frameon=False, fontsize=9.5, labelcolor=style.INK)


def _draw_shares(axes: Axes, two: Sequence[Compared]) -> None:
    parts.plain(axes)
    width = 0.38
    for k, (each, colour) in enumerate(zip(two, _COLOURS, strict=False)):
        shares = [each.totals.percent(limit) for limit in agg.THRESHOLDS_DEG]
        at = np.arange(len(shares)) + (k - 0.5) * width
        axes.bar(
            at,
            np.nan_to_num(shares),
            width=width,
            color=colour,
            hatch="///" if k else None,
            edgecolor="white",
        )
        for x, share in zip(at, shares, strict=True):
            if share == share:
                axes.text(x, share, f"{share:.0f}", ha="center", va="bottom", fontsize=9, color=style.INK)
    axes.set_xticks(range(len(agg.THRESHOLDS_DEG)), [f"{limit} deg" for limit in agg.THRESHOLDS_DEG])
    axes.set_ylim(0, max(float(axes.get_ylim()[1]) * 1.08, 5.0))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_title("Percent of upright time at or beyond", loc="left", fontsize=10.5, color=style.INK)


def _draw_hours(axes: Axes, two: Sequence[Compared]) -> None:
    """Draw the share bent by hour of the clock; an hour with less than five minutes upright is left out."""
    parts.plain(axes)
    used = sorted({hour for each in two for hour, sums in each.hours.items() if sums.posture_s >= _LEAST_S})
    for each, colour, dashes in zip(two, _COLOURS, _DASHES, strict=False):
        hours = range(used[0], used[-1] + 1) if used else range(0)
        known = [each.hours.get(hour, Totals()) for hour in hours]
        shares = [sums.percent() if sums.posture_s >= _LEAST_S else np.nan for sums in known]
        axes.plot(
            [hour + 0.5 for hour in hours], shares, color=colour, linestyle=dashes, linewidth=1.8,
            marker="o", markersize=4,
            label=each.name,
        )  # fmt: skip
    if used:
        axes.set_xticks(range(used[0], used[-1] + 2), [f"{h:02d}:00" for h in range(used[0], used[-1] + 2)])
    axes.set_ylim(0, 105)
    axes.set_ylabel("percent")
    axes.set_title(
        "When: share of upright time at 20 deg or more, by hour", loc="left", fontsize=10.5, color=style.INK
    )
