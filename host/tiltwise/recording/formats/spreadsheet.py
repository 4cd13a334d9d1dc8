"""`.xlsx` and `.xls`: each sheet as a table of text, by python-calamine, which reads and never runs them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tiltwise.recording.formats.raw_table import ImuFileError

_MOST_ROWS = 1_048_576  # of a sheet


def sheets_as_text(path: Path) -> list[tuple[str, bytes]]:
    """Return (name, CSV) of each sheet; ImuFileError without the file's name."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise ImuFileError(
            "a spreadsheet (.xlsx): pip install python-calamine to read it, or save it as CSV"
        ) from None
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    except (CalamineError, OSError, ValueError) as error:
        raise ImuFileError(
            f"not a whole spreadsheet ({' '.join(str(error).split())[:80]}): save it as CSV"
        ) from None
    found = []
    for name, rows in sheets:
        text = io.StringIO()
        csv.writer(text).writerows(rows[:_MOST_ROWS])
        found.append((name, text.getvalue().encode()))
    return found
