"""Rows of `tiltwise bench orientation` -> one picture: error and speed of each filter under each condition.

Errors are RMS inclination in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tiltwise.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OrientationRow(Protocol):
    """What is drawn of a row."""

    @property
    def condition(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def fair_deg(self) -> float: ...
    @property
    def as_is_deg(self) -> float: ...
    @property
    def samples_per_s(self) -> float: ...


def orientation(rows: Sequence[OrientationRow]) -> Figure:
    """Return one panel of errors per condition and one of speeds (logarithmic: they span a factor of 100)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    conditions = list(dict.fromkeys(row.condition for row in rows))
    figure = Figure(figsize=(4 * (len(conditions) + 1), 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(conditions) + 1, squeeze=False)[0]
    by_error = sorted((r for r in rows if r.condition == conditions[0]), key=lambda row: -row.fair_deg)
    order = [row.method for row in by_error]
    for panel, condition in zip(panels, conditions, strict=False):
        _draw_errors(panel, [row for row in rows if row.condition == condition], order)
        panel.set_title(condition, fontsize=10)
    _draw_speed(panels[-1], by_error)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="x", color=style.GRID, which="both")
        panel.set_axisbelow(True)
    for panel in panels[1:]:
        panel.set_yticklabels([])
    return figure


def _draw_errors(panel: Any, rows: Sequence[OrientationRow], order: Sequence[str]) -> None:
    places = np.array([order.index(row.method) for row in rows])
    colours = [style.ANGLE if row.method.startswith("tiltwise") else style.GAP for row in rows]
    panel.barh(places, [row.fair_deg for row in rows], color=colours, height=0.7)
    panel.plot([row.as_is_deg for row in rows], places, "|", color=style.INK, markersize=14, label="as is")
    for place, row in zip(places, rows, strict=True):
        panel.annotate(
            f" {row.fair_deg:.2f}",
            (max(row.as_is_deg, row.fair_deg), place),
            va="center",
            fontsize=8,
            color=style.SOFT,
        )
    panel.set_yticks(range(len(order)), order)
    panel.set_xlabel("RMS inclination error, deg")
    panel.margins(x=0.15)
    panel.legend(frameon=False, fontsize=8, loc="upper right")


def _draw_speed(panel: Any, rows: Sequence[OrientationRow]) -> None:
    places = range(len(rows))
    panel.barh(places, [row.samples_per_s for row in rows], color=style.ANGLE_BAND, height=0.7)
    panel.set_xscale("log")
    panel.set_yticks(places, [row.method for row in rows])
    panel.set_xlabel("samples per second")
    panel.set_title("speed", fontsize=10)
