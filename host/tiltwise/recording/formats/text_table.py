"""Tables of text as loggers write them: lines of metadata, names, perhaps a line of units, then rows.

Comma, semicolon, tab or blanks; quotes, decimal commas, BOM, CRLF, ISO times, cells such as null or N/A.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO

import numpy as np

from tiltwise.recording.formats.column_map import ColumnMap, map_columns
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, ReadOptions
from tiltwise.types import FloatArray

_LINES = 50_000  # read at a time: a few MB
_MAX_HEADER = 1 << 16
_MOST_METADATA = 200  # lines before the names
_EMPTY = {"", "null", "-", "--", "n/a", "#n/a", "na", "nan", "none", "nil", "?"}
_EPOCH_S = 1e9  # s since 1970: no acceleration is as much
_RATE = re.compile(r"(?:rate|frequency|freq)[^0-9\n]{0,20}([0-9]+(?:[.,][0-9]+)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """The lines before the first row: names, the units below them, the delimiter, and the rate they state."""

    names: list[str]
    units: list[str] | None
    delimiter: str
    lines: int
    rate_hz: float | None
    first_row: bytes = b""


def read_head(file: BinaryIO) -> Head:
    """Read up to the first row; ImuFileError (without the file's name) when there is no line of names."""
    stated: list[str] = []
    few: tuple[list[str], str, int] | None = None
    bare: tuple[int, int] | None = None
    for number in range(1, _MOST_METADATA):
        at = file.tell()
        line = file.readline(_MAX_HEADER)
        if not line:
            break
        text = _decoded(line)
        if not text.strip():
            continue
        delimiter = max(",;\t", key=text.count)
        names = _cells(text, delimiter)
        is_names = not any(_is_number(name) for name in names)
        if bare is None and len(names) > 2 and all(_is_number(name) for name in names):
            bare = number, at
        if text.lstrip().startswith(("#", "//")) or len(names) < 4 or not is_names:
            stated.append(text)
            if few is None and len(names) > 1 and is_names and not text.startswith(("sep=", "#", "//")):
                few = names, delimiter, number
            continue
        rate_hz = _rate_in("\n".join(stated))
        units, row, read = _units_line(file, delimiter, len(names))
        return Head(names, units, delimiter, number + read, rate_hz, row)
    if few is not None:
        return Head(few[0], None, few[1], few[2], None)
    if bare is not None:
        return _without_names(file, *bare, "\n".join(stated))
    raise ImuFileError(
        "no header line: expected one with names such as t_s, acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z"
    )


def _rate_in(text: str) -> float | None:
    rate = _RATE.search(text)
    return _decimal(rate[1]) if rate else None


def _without_names(file: BinaryIO, number: int, at: int, stated: str) -> Head:
    """Return the head of rows that begin with line `number` at byte `at`: columns are called by their numbers.

    Of such is Empatica's E4: a line with its start and one with its rate, three times each, then acceleration.
    """
    file.seek(at)
    row, second = file.readline(_MAX_HEADER), file.readline(_MAX_HEADER)
    text = _decoded(row)
    delimiter = max(",;\t", key=text.count)
    cells, rates = _cells(text, delimiter), _cells(_decoded(second), delimiter)
    if len(cells) == len(rates) == 3 and _decimal(cells[0]) > _EPOCH_S and len(set(rates)) == 1:
        names = [f"acc_{axis} (g/64)" for axis in "xyz"]
        return Head(names, None, delimiter, number + 1, _decimal(rates[0]))
    file.seek(at + len(row))
    return Head([str(k + 1) for k in range(len(cells))], None, delimiter, number - 1, _rate_in(stated), row)


def _units_line(file: BinaryIO, delimiter: str, width: int) -> tuple[list[str] | None, bytes, int]:
    """Return the units below the names and no row, or no units and the first row, and how many lines were units."""
    line = file.readline(_MAX_HEADER)
    cells = _cells(_decoded(line), delimiter)
    if (
        line
        and len(cells) == width
        and not any(_is_number(c) or c.lower() in _EMPTY or ":" in c for c in cells)
    ):
        return cells, b"", 1
    return None, line, 0


def read_text(
    file: BinaryIO, size: int, options: ReadOptions, progress: Callable[[float], None] | None, about: str = ""
) -> tuple[ColumnMap, Head, FloatArray]:
    """Return the map of the columns, the head, and the columns themselves (n, as many as there are names).

    Only the columns in the map are filled; the others stay NaN.
    """
    head = read_head(file)
    found = map_columns(head.names, options, units=head.units, about=about)
    triples = (*(found.acc or ()), *((found.gyr,) if found.gyr else ()))
    wanted = sorted(
        {k for axes in triples for k in axes}
        | {k for k in (found.t, found.counter, found.epoch) if k is not None}
        | {*(found.orientation.columns if found.orientation else ())}
    )
    pieces: list[FloatArray] = []
    number, done = head.lines, file.tell()
    lines = [head.first_row] if head.first_row else []
    lines += islice(file, _LINES)
    while lines and wanted:
        pieces.append(_rows(lines, head, wanted, found.t, number))
        number += len(lines)
        done += sum(map(len, lines))
        if progress is not None:
            progress(min(done / max(size, 1), 1.0))
        lines = list(islice(file, _LINES))
    values = np.concatenate(pieces) if pieces else np.zeros((0, len(wanted)))
    table = np.full((len(values), len(head.names)), np.nan)
    table[:, wanted] = values
    return found, head, table


def to_table(found: ColumnMap, head: Head, values: FloatArray) -> ImuTable:
    """Return the quantities of a table whose columns are all there."""
    assert found.acc is not None
    assert found.gyr is not None
    return ImuTable(
        times_of(found, head.rate_hz, values),
        values[:, found.gyr] * np.array(found.gyr_signs),
        sum((values[:, axes] for axes in found.acc), np.zeros(3)) * np.array(found.acc_signs),
        head.rate_hz, found.t_unit if found.t is not None else "s", found.acc_unit, found.gyr_unit,
        notes=found.notes,
    )  # fmt: skip


def times_of(found: ColumnMap, rate_hz: float | None, values: FloatArray) -> FloatArray | None:
    """Return the column of time (n,), s or as the file has it, or a counter by the rate; None without either."""
    if found.t is not None and np.isfinite(values[:, found.t]).any():
        return values[:, found.t]
    if found.counter is None or not rate_hz:
        return None
    count = values[:, found.counter]
    step = np.diff(count, prepend=count[:1])
    step = np.where(step < -30_000, step + 65_536, step)
    return np.asarray(np.cumsum(step) / rate_hz)


def _rows(lines: list[bytes], head: Head, wanted: list[int], t: int | None, before: int) -> FloatArray:
    """Return the wanted columns of some lines: quickly when they are plain, carefully when they are not."""
    plain = lines if head.delimiter == "," else [line.replace(b",", b".") for line in lines]  # decimal commas
    try:
        return np.loadtxt(
            plain, delimiter=head.delimiter, usecols=wanted, ndmin=2, dtype=np.float64, encoding="utf-8"
        )
    except (ValueError, IndexError):
        rows = _careful(lines, head, wanted, t, before)
        return np.array(list(rows), dtype=np.float64).reshape(-1, len(wanted))


def _careful(
    lines: list[bytes], head: Head, wanted: list[int], t: int | None, before: int
) -> Iterable[list[float]]:
    width = len(head.names)
    for number, line in enumerate(lines, start=before + 1):
        text = _decoded(line)
        if not text.strip() or text.startswith(("#", "//")):
            continue
        cells = _cells(text, head.delimiter)
        if len(cells) == width + 1 and not cells[-1]:
            cells.pop()  # a delimiter at the end of each line
        if len(cells) < width and not line.endswith(b"\n"):
            continue  # the writer was stopped in the middle of it
        if len(cells) != width:
            raise ImuFileError(f"line {number} has {len(cells)} cells, expected {width}: export it again")
        try:
            yield [_value(cells[k], is_time=k == t) for k in wanted]
        except ValueError as error:
            raise ImuFileError(f"line {number} holds text where numbers belong ({error})") from None


def _value(cell: str, *, is_time: bool) -> float:
    """Return the number in a cell, NaN for an empty one, a clock time in seconds."""
    if cell.lower() in _EMPTY:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        if is_time and ":" in cell:
            return _clock_time(cell)
        return _decimal(cell)


def _clock_time(cell: str) -> float:
    """Return an ISO time, or a time of the day, in seconds."""
    try:
        moment = datetime.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        parts = [_decimal(part) for part in cell.split(":")]
        return sum(part * 60**k for k, part in enumerate(reversed(parts)))
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        return float("nan")


def _cells(text: str, delimiter: str) -> list[str]:
    """Divide a line; quotes hold a delimiter together."""
    if '"' in text:
        try:
            return [
                cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
            ]
        except (csv.Error, StopIteration):
            pass_through = text.replace('"', "")
            return [cell.strip() for cell in pass_through.split(delimiter)]
    return [cell.strip() for cell in text.split(delimiter)]


def _decoded(line: bytes) -> str:
    if b"\0" in line:
        raise ImuFileError(
            "not a text file: expected a table with names such as t_s, acc_x, gyr_x in its first lines"
        )
    return line.decode("utf-8-sig", "replace").rstrip("\r\n")


def _decimal(cell: str) -> float:
    """Return a number with a point or a comma; ValueError for what is none."""
    return float(cell.replace(",", "."))


def _is_number(cell: str) -> bool:
    try:
        _decimal(cell)
    except ValueError:
        return False
    return True
