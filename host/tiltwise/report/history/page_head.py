"""The head of a picture of a period: its name, and the sentence that says what it shows."""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from tiltwise.report import plot_parts as parts
from tiltwise.report import style

_WIDTH = 135  # characters across the page
_TITLE = 72  # of a title in large letters


def new_page(title: str, sentence: str) -> Figure:
    """Return a figure of 1200 x 800 pixels that begins with a title and a sentence of one line or two."""
    figure = parts.new_figure()
    size = 16 if len(title) <= _TITLE else 12
    figure.text(0.03, 0.952, title, fontsize=size, fontweight="bold", color=style.INK, parse_math=False)
    figure.text(
        0.03, 0.937, "\n".join(textwrap.wrap(sentence, _WIDTH)), fontsize=10, color=style.INK, va="top",
        linespacing=1.35, parse_math=False,
    )  # fmt: skip
    return figure
