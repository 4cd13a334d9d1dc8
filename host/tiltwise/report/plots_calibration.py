"""A calibration as a small picture: how the sensor lies on the head or back, and the movement that showed it.

Left: the person from the left side with the sensor's three axes. Right: the movements as forward and side tilt over
time. Degrees and s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Polygon

from tiltwise.report import curves, style
from tiltwise.types import FloatArray, Mount

_AXIS_COLOURS = ("#D55E00", "#009E73", "#0072B2")  # x, y, z: Okabe & Ito
# Where a part sits in the drawing; forward is to the left of the page, up is up.
_FOOTNOTE_PAIR = (
    "With both sensors the neck is head minus upper back, each against its own neutral; turns drift apart and count "
    "within one movement only."
)
_PLACES = {Mount.HEAD: (0.62, 1.55), Mount.NECK: (0.36, 0.62), Mount.COLLAR: (0.6, -0.25)}


@dataclass(frozen=True, slots=True)
class CalibrationTraces:
    """One sensor's calibration: how well, how it lies, and the angles (n,) deg meanwhile at t_s (n,).

    axes_in_body (3, 3) has the sensor's x, y and z axis as rows, each forward, left, up.
    """

    mount: Mount
    quality: float
    axes_in_body: FloatArray
    t_s: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray


def calibration(traces: Sequence[CalibrationTraces], *, title: str) -> Figure:
    """Return the picture of one sensor's calibration, or of two below each other in time."""
    figure = Figure(figsize=(9, 4.6), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(traces),
        2,
        left=0.02,
        right=0.975,
        top=0.83,
        bottom=0.17,
        width_ratios=(1, 1.7),
        hspace=0.45,
        wspace=0.16,
    )
    _draw_person(figure.add_subplot(grid[:, 0]), traces)
    for k, trace in enumerate(traces):
        axes = figure.add_subplot(grid[k, 1])
        _draw_traces(axes, trace, is_last=k == len(traces) - 1)
    figure.text(0.03, 0.93, title, fontsize=14, fontweight="bold", color=style.INK, parse_math=False)
    qualities = ", ".join(f"{r.mount} {100 * r.quality:.0f} %" for r in traces)
    figure.text(0.03, 0.875, f"quality: {qualities}", fontsize=10, color=style.SOFT)
    footnote = style.FOOTNOTES[traces[0].mount] if len(traces) == 1 else _FOOTNOTE_PAIR
    figure.text(0.03, 0.03, footnote, fontsize=7.8, color=style.SOFT)
    return figure


def _draw_person(axes: Axes, traces: Sequence[CalibrationTraces]) -> None:
    """A head and neck from the left side, and each sensor's axes as arrows in that plane."""
    axes.set_xlim(-1.25, 1.65)
    axes.set_ylim(-0.75, 2.7)
    axes.set_aspect("equal")
    axes.axis("off")
    skin: dict[str, Any] = {"facecolor": "#E9EEF2", "edgecolor": style.GAP, "linewidth": 1.2}
    axes.add_patch(Polygon([(-0.75, -0.75), (-0.5, -0.1), (-0.16, 0.2), (-0.2, 0.9), (0.36, 0.9), (0.3, 0.3),
                            (0.52, -0.1), (0.68, -0.75)], **skin))  # fmt: skip
    axes.add_patch(Ellipse((0.0, 1.45), 1.15, 1.45, angle=12, **skin))
    axes.add_patch(Polygon([(-0.52, 1.52), (-0.72, 1.3), (-0.5, 1.24)], **skin))
    for trace in traces:
        _draw_sensor(axes, trace)
    axes.annotate(
        "", (-1.15, -0.6), (-0.7, -0.6), arrowprops={"arrowstyle": "->", "color": style.SOFT, "lw": 1}
    )
    axes.text(-1.2, -0.52, "forward", fontsize=8.5, color=style.SOFT)
    axes.text(
        -1.2, 2.55, "seen from the left; a ring is an axis towards you,", fontsize=7.5, color=style.SOFT
    )
    axes.text(-1.2, 2.4, "a cross one away from you", fontsize=7.5, color=style.SOFT)


def _draw_sensor(axes: Axes, trace: CalibrationTraces) -> None:
    x, y = _PLACES[trace.mount]
    for name, colour, (forward, left, up) in zip(
        "xyz", _AXIS_COLOURS, trace.axes_in_body.tolist(), strict=True
    ):
        if np.hypot(forward, up) < 0.25:  # it points at the reader, or away: left of the person is towards us
            marker = "o" if left > 0 else "x"
            axes.plot(x, y, marker=marker, markersize=15, color=colour, zorder=3, fillstyle="none", mew=1.8)
            axes.text(x + 0.17, y + 0.13, name, color=colour, fontsize=10, zorder=6)
            continue
        dx, dy = -0.55 * forward, 0.55 * up
        axes.annotate(
            "",
            (x + dx, y + dy),
            (x, y),
            arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.8},
            zorder=5,
        )
        axes.text(
            x + 1.18 * dx, y + 1.18 * dy, name, color=colour, fontsize=10, ha="center", va="center", zorder=6
        )
    axes.plot(x, y, marker="s", markersize=9, color=style.INK, zorder=4)


def _draw_traces(axes: Axes, trace: CalibrationTraces, *, is_last: bool) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=style.GRID)
    axes.set_axisbelow(True)
    t_s = trace.t_s - (trace.t_s[0] if len(trace.t_s) else 0.0)
    axes.plot(
        *curves.line(t_s, trace.flexion_deg),
        color=style.ANGLE,
        linewidth=1.6,
        label=style.ANGLE_NAMES[trace.mount],
    )
    axes.plot(*curves.line(t_s, trace.lateral_deg), color=style.EXERCISE, linewidth=1.2, label="side tilt")
    axes.set_ylabel("degrees", color=style.SOFT, fontsize=9)
    axes.tick_params(colors=style.SOFT, labelsize=8.5)
    axes.margins(y=0.12)
    if is_last:
        axes.set_xlabel("time in the calibration (s)", color=style.SOFT, fontsize=9)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=8.5, labelcolor=style.INK,
        borderaxespad=0.1,
    )  # fmt: skip
