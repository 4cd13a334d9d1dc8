"""Columns to CSV and Parquet. In CSV no cell can be taken for a formula by a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import IO, Any

from tiltwise.errors import AppError

_WHOLE_NUMBERS = (
    "boot", "sensor", "asked", "number", "reps_right", "reps_left", "reps_both", "partial", "taken_back", "undone",
    "skipped", "moved_presses",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet begins to calculate


def write_csv(file: IO[bytes], columns: Mapping[str, Sequence[object]]) -> None:
    """Write columns of one length as UTF-8 with a header; numbers as they are, NaN as an empty cell."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([_cell(value) for value in row])
    text.detach()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def pyarrow_or_line() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet half, or say how to get them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise AppError("Parquet needs pyarrow: pip install pyarrow, or export --as csv") from None
    return pyarrow, pyarrow.parquet


def write_parquet(
    file: IO[bytes], columns: Mapping[str, Any], about: Mapping[str, str] | None = None
) -> None:
    """Write columns as Parquet; `about` goes into the file's metadata."""
    arrow, parquet = pyarrow_or_line()
    table = arrow.table({name: _typed(arrow, name, values) for name, values in columns.items()})
    if about:
        table = table.replace_schema_metadata({key.encode(): value.encode() for key, value in about.items()})
    parquet.write_table(table, file, compression="zstd")


def _typed(arrow: Any, name: str, values: Any) -> Any:
    """Return an array of one type, also for a column without rows."""
    if name.endswith("_hist_s"):
        return arrow.array(values, arrow.list_(arrow.float64()))
    if name in _WHOLE_NUMBERS:
        return arrow.array(values, arrow.int64())
    if name.endswith(("_s", "_deg", "_s2", "_rad_s")) or name in ("limit_use", "q_w", "q_x", "q_y", "q_z"):
        return arrow.array(values, arrow.float64())
    return arrow.array(values, arrow.string())
