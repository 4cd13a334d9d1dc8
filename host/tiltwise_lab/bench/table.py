"""Rows of a bench as a table, and a progress bar over its generator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from rich.table import Table

from tiltwise.console import progress_bar

Row = TypeVar("Row")


def collect(what: str, rows: Iterable[tuple[float, Row]]) -> list[Row]:
    """Run a bench's generator behind a progress bar."""
    found = []
    with progress_bar(what) as show:
        for share, row in rows:
            found.append(row)
            show(share)
    return found


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table: text left, numbers right with the digits that they deserve."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    cells = [[_cell(value) for value in row] for row in rows]
    for k, column in enumerate(columns):
        is_text = bool(cells) and all(not _is_number(row[k]) for row in cells)
        made.add_column(column, justify="left" if is_text else "right", no_wrap=True)
    for row in cells:
        made.add_row(*row)
    return made


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not np.isfinite(value):
            return "-"
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"
    return str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("+-").replace(".", "", 1).isdigit()
