"""What pictures of a day and of a recording share: frame, legend, lines, episodes, alerts, footnote.

Before plots.py. Times in s, angles in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tiltwise.report import curves, style
from tiltwise.text import counted
from tiltwise.types import EpisodeEnded, FloatArray, Mount


def new_figure() -> Figure:
    """Return an empty figure of 1200 x 800 pixels that needs no screen."""
    figure = Figure(figsize=(12, 8), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes) -> None:
    """Leave only the lines that carry something."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(style.SOFT)
    axes.grid(axis="y", color=style.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=style.SOFT, labelsize=9.5, length=3)
    axes.yaxis.label.set_color(style.SOFT)
    axes.xaxis.label.set_color(style.SOFT)


def legend(axes: Axes) -> None:
    """Put a legend above the axes, outside the data."""
    handles, _ = axes.get_legend_handles_labels()
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=max(len(handles), 1), frameon=False,
        fontsize=9.5, labelcolor=style.INK, handlelength=1.4, columnspacing=1.4, borderaxespad=0.1,
    )  # fmt: skip


def draw_trace(axes: Axes, t: FloatArray, values: FloatArray, colour: str, label: str, width: float) -> None:
    """Draw values (n,) in deg over times (n,) in the axis's unit, many as their envelope; gaps break the line."""
    axes.plot(*curves.line(t, values), color=colour, linewidth=width, label=label)


def draw_episodes(axes: Axes, episodes: Sequence[EpisodeEnded], unit_s: float) -> None:
    """Shade episodes; unit_s is how many seconds one unit of the time axis has."""
    for k, episode in enumerate(episodes):
        axes.axvspan(
            episode.start_s / unit_s, episode.end_s / unit_s, color=style.EPISODE, alpha=0.55, linewidth=0,
            label=f"{len(episodes)} beyond the limit" if k == 0 else None,
        )  # fmt: skip


def draw_alerts(axes: Axes, alerts_s: Sequence[float], unit_s: float) -> None:
    """Mark alerts along the upper edge; unit_s as for episodes."""
    if not alerts_s:
        return
    axes.plot(
        np.array(alerts_s) / unit_s, np.full(len(alerts_s), 0.965), linestyle="none", marker="v", markersize=7,
        color=style.ALERT, transform=axes.get_xaxis_transform(), clip_on=False,
        label=counted(len(alerts_s), "alert"),
    )  # fmt: skip


def draw_limit(axes: Axes, limit_deg: float | None) -> None:
    """Draw the angle of the wearer's rule, if there is one."""
    if limit_deg is not None:
        axes.axhline(
            limit_deg,
            color=style.ALERT,
            linewidth=1.0,
            linestyle=(0, (5, 3)),
            label=f"limit {limit_deg:.0f} deg",
        )


def draw_elapsed(axes: Axes, t_s: FloatArray) -> None:
    """Mark the time of a recording, times (n,) in s, in the unit that its length asks for."""
    if not len(t_s):
        return
    step_s = curves.tick_step_s(float(t_s[-1] - t_s[0]))
    ticks = np.arange(-(-t_s[0] // step_s) * step_s, t_s[-1] + 1e-6, step_s)
    if step_s < 60:
        unit, labels = "s", [f"{t:.0f}" for t in ticks]
    elif t_s[-1] < 7200:
        unit, labels = "min", [f"{t / 60:.0f}" for t in ticks]
    else:
        unit, labels = "h:mm", [f"{t // 3600:.0f}:{t % 3600 / 60:02.0f}" for t in ticks]
    axes.set_xticks(ticks, labels)
    axes.set_xlabel(f"time in the recording ({unit})")


def draw_holes(axes: Axes, t_s: FloatArray) -> None:
    """Hatch where a recording, times (n,) in s, has no samples."""
    for left, right in curves.hole_edges(t_s):
        axes.axvspan(
            left, right, facecolor=style.GAP_FACE, edgecolor=style.GAP, hatch="////", linewidth=0, zorder=0
        )


def draw_footnote(figure: Figure, mount: Mount, *, is_pair: bool = False) -> None:
    """Write below the picture what the sensor in this place, or the pair, sees, and what it is not."""
    text = f"{style.OWN_FOOTNOTE if is_pair else style.FOOTNOTES[mount]}\n{style.DISCLAIMER}"
    figure.text(0.062, 0.02, text, fontsize=9, color=style.SOFT, va="bottom", linespacing=1.5)
