"""A report as pages of A4 for PDF: the words and tables as text, each picture on a page of its own.

The same content as the HTML page, for who sends a file that prints everywhere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from tiltwise.report import style
from tiltwise.report.page.page_content import PageContent, PageTable

A4_INCHES = (8.27, 11.69)
_TOP, _BOTTOM, _LEFT = 0.94, 0.06, 0.08
_POINTS = 72 * A4_INCHES[1]
_CHARACTERS = 112  # of 8 points across the page


def text_pages(content: PageContent) -> Iterator[Figure]:
    """Yield the pages with words and tables."""
    page, y = _new_page(), _TOP
    for size, weight, line in _lines(content):
        y -= size * 1.45 / _POINTS
        if y < _BOTTOM:
            yield page
            page, y = _new_page(), _TOP
        page.text(
            _LEFT,
            y,
            line,
            fontsize=size,
            fontweight=weight,
            color=style.INK,
            parse_math=False,
            family=_family(size),
        )
    yield page


def on_a4(figure: Figure) -> Bbox:
    """Make a picture as wide as A4 that lies on its side; return the page around it, in inches."""
    height, width = A4_INCHES
    own_width, own_height = figure.get_size_inches()
    figure.set_size_inches(width, own_height * width / own_width)
    top = float(figure.get_size_inches()[1])
    return Bbox([[0.0, top - height], [width, top]])


def _family(size: float) -> str:
    return "monospace" if size < 7 else "sans-serif"


def _new_page() -> Figure:
    figure = Figure(figsize=A4_INCHES, dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _lines(content: PageContent) -> Iterator[tuple[float, str, str]]:
    """Yield (size in points, weight, line)."""
    yield from _wrapped(content.title, 15, "bold", 58)
    yield from _wrapped(content.about, 8.5, "normal", 105)
    yield 6, "normal", ""
    yield from _wrapped(content.sentence, 11.5, "normal", 78)
    for line in content.plain:
        yield from _wrapped(f"- {line}", 9, "normal", 100)
    for table in content.tables:
        yield 8, "normal", ""
        yield from _wrapped(table.caption, 9.5, "bold", 95)
        yield from _table(table)
    yield 8, "normal", ""
    yield from _wrapped("What a sensor in this place can and cannot see", 9.5, "bold", 95)
    for what, status, why in content.limits:
        yield from _wrapped(f"{what}: {status}; {why}", 8, "normal", _CHARACTERS)
    yield 8, "normal", ""
    for note in (*content.notes, content.made):
        yield from _wrapped(note, 8, "normal", _CHARACTERS)


def _table(table: PageTable) -> Iterator[tuple[float, str, str]]:
    """Yield narrow tables in columns of letters of one width, wide ones row by row."""
    widths = [max(len(cell) for cell in column) for column in zip(table.columns, *table.rows, strict=True)]
    if sum(widths) + 2 * len(widths) <= 125:
        for row in (table.columns, *table.rows):
            cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield 6.5, "normal", cells
        return
    for row in table.rows:
        first, *others = (cell for cell in row if cell)
        yield from _wrapped(f"{first}: {'; '.join(others)}", 8, "normal", _CHARACTERS)


def _wrapped(text: str, size: float, weight: str, width: int) -> Iterable[tuple[float, str, str]]:
    return ((size, weight, line) for line in textwrap.wrap(text, width) or [""])
