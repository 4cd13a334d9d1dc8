"""The exposure of a day or period as a map: how long at a stretch (across) in which angles (down), after EVA.

Shares in percent of the time in runs. Dark is much; the number stands in each cell,
so that nothing hangs on colour.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from tiltwise.report import aggregate as agg
from tiltwise.report import style
from tiltwise.types import FloatArray

_SCALE = LinearSegmentedColormap.from_list("share", ("#FFFFFF", "#9CC9E6", "#0072B2"))
_DARK = 0.55  # of the greatest share, from which on the number is white


def draw_eva(axes: Axes, percent: FloatArray) -> None:
    """Draw EVA percent (7, 7), rows angle classes and columns duration classes."""
    most = max(float(percent.max()), 1.0)
    axes.pcolormesh(percent, cmap=_SCALE, vmin=0, vmax=most, edgecolors="#E3E8EC", linewidth=0.6)
    for (row, column), share in np.ndenumerate(percent):
        if share >= 0.05:
            axes.text(
                column + 0.5, row + 0.5, f"{share:.0f}" if share >= 9.95 else f"{share:.1f}", ha="center",
                va="center",
                fontsize=8.5, color="white" if share > _DARK * most else style.INK,
            )  # fmt: skip
    axes.set_xticks(np.arange(7) + 0.5, eva_durations())
    axes.set_yticks(np.arange(7) + 0.5, eva_angles())
    axes.tick_params(colors=style.SOFT, labelsize=8.5, length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("at a stretch (s)", fontsize=9, color=style.SOFT)
    axes.set_ylabel("angle (deg)", fontsize=9, color=style.SOFT)


def eva_angles() -> list[str]:
    """Return the names of the angle classes."""
    edges = agg.EVA_ANGLE_EDGES_DEG
    return [
        f"below {edges[0]:.0f}",
        *(f"{a:.0f} to {b:.0f}" for a, b in pairwise(edges)),
        f"from {edges[-1]:.0f}",
    ]


def eva_durations() -> list[str]:
    """Return the names of the duration classes."""
    edges = agg.EVA_DURATION_EDGES_S
    return [
        f"under {edges[0]:.0f}",
        *(f"{a:.0f} to {b:.0f}" for a, b in pairwise(edges)),
        f"from {edges[-1]:.0f}",
    ]
