"""A finished picture for dark screens: each colour of style.py becomes its counterpart on a dark page.

The pictures are drawn once, in light; what paper wants is the original. Scales run from the page's colour to light,
so that much is still what stands out, and still in order of brightness in grey.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from tiltwise.report import style
from tiltwise.types import Activity, FloatArray

PAGE = "#161C22"
_INK, _SOFT = "#E8EDF1", "#A9B5C0"  # 14 : 1 and 8 : 1 on the page
_GAP_FACE, _STRIPE = "#20282F", "#262E35"
_COUNTERPARTS = {
    "#ffffff": PAGE,
    "#f0f3f5": PAGE,  # between the cells of a calendar
    "#000000": _INK,
    style.INK: _INK,
    style.SOFT: _SOFT,
    style.GRID: "#2F3942",
    style.ANGLE: "#4FA8E0",
    style.ANGLE_BAND: "#245676",
    style.ALERT: "#FF8A3D",
    style.EPISODE: "#8A6A1F",
    style.EXERCISE: "#2CC79B",
    style.UPPER_BACK: "#E29CC4",
    style.GAP: "#6B7885",
    style.GAP_FACE: _GAP_FACE,
    style.ACTIVITY_COLOURS[Activity.STILL]: "#4A5A68",
    "#ddebf5": "#1E3647",  # phases of an exercise
    "#f7e3c3": "#4A3A1C",
    "#dff1ea": "#1D3B32",
    "#f1f3f5": _STRIPE,
    "#eef2f5": _STRIPE,
    "#e9eef2": _STRIPE,
}
_BY_HEX = {to_hex(light): dark for light, dark in _COUNTERPARTS.items()}
_SCALES = {
    "share": (PAGE, "#1F5E8C", "#8CCBF2"),
    "bent": ("#20303C", "#1F5E8C", "#5AAEE6", "#D6EEFF"),
}


def darken(figure: Figure) -> None:
    """Recolour a figure that is drawn; what is drawn into it afterwards stays as it is."""
    figure.set_facecolor(PAGE)
    for axes in figure.axes:
        axes.set_facecolor(PAGE)
        axes.tick_params(colors=_SOFT, grid_color=_dark(style.GRID))
    for artist in figure.findobj():
        if isinstance(artist, Text):
            artist.set_color(_dark(artist.get_color()))
            if (box := artist.get_bbox_patch()) is not None:
                _recolour(box)
        elif isinstance(artist, Line2D):
            artist.set_color(_dark(artist.get_color()))
            artist.set_markerfacecolor(_dark(artist.get_markerfacecolor()))
            artist.set_markeredgecolor(_dark(artist.get_markeredgecolor()))
        elif isinstance(artist, (Patch, Collection)):
            _recolour(artist)


def _recolour(artist: Any) -> None:
    """Recolour what has a face and an edge; a mesh of values gets the dark scale."""
    artist.set_edgecolor(_dark_rows(artist.get_edgecolor()))
    if isinstance(artist, ScalarMappable) and artist.get_array() is not None:
        name = artist.get_cmap().name
        artist.set_cmap(LinearSegmentedColormap.from_list(name, _SCALES.get(name, _SCALES["bent"])))
    else:
        artist.set_facecolor(_dark_rows(artist.get_facecolor()))


def _dark_rows(colours: Any) -> FloatArray | tuple[float, float, float, float]:
    rows = to_rgba_array(colours)
    dark = np.array([to_rgba(_dark(row)) for row in rows]).reshape(-1, 4)
    return tuple(dark[0].tolist()) if np.ndim(colours) == 1 else dark


def _dark(colour: Any) -> Any:
    """Return the counterpart with the same opacity; other colours, and "none", stay."""
    if isinstance(colour, str) and colour.lower() in ("none", "auto"):
        return colour
    red, green, blue, alpha = to_rgba(colour)
    found = _BY_HEX.get(to_hex((red, green, blue)))
    return colour if found is None else (*to_rgba(found)[:3], alpha)
