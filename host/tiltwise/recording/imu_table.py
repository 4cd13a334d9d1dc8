"""Columns of IMU files as they stand there: .npz, .csv and .parquet to arrays, without judging the values.

Whatever is wrong with a file as a file (absent, empty, cut off, of another kind, columns missing) is told in one
line.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tiltwise.types import FloatArray

Progress = Callable[[float], None]
COLUMNS = ("t_s", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")
SUFFIXES = (".npz", ".csv", ".parquet")
_LINES = 50_000  # lines of text read at a time: a few MB
_MAX_ARRAY_BYTES = 8 << 30  # a day at 1 kHz is 5 GB; a file that claims more is broken, or a trap
_MAX_HEADER = 1 << 16


class ImuFileError(ValueError):
    """This file cannot be used; one line says what was expected, what came, and what to do."""


@dataclass(frozen=True, slots=True)
class ImuTable:
    """t_s (n,), gyr and acc (n, 3) as the file has them, and the rate it claims, if it does."""

    t_s: FloatArray
    gyr: FloatArray
    acc: FloatArray
    rate_hz: float | None = None


def read_table(path: Path, progress: Progress | None = None) -> ImuTable:
    """Return the columns of a file; ImuFileError in one line when there are none to be had."""
    reader = {".npz": _read_npz, ".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix.lower())
    if path.is_dir():
        raise ImuFileError(f"{path}: this is a folder, expected a file ({', '.join(SUFFIXES)})")
    if path.suffix.lower() == ".tw":
        raise ImuFileError(
            f"{path}: a tiltwise recording, expected another program's file: use read_recording"
        )
    if reader is None:
        raise ImuFileError(
            f"{path}: files end in {', '.join(SUFFIXES)} or .tw, not {path.suffix or 'without one'!r}"
        )
    try:
        if path.stat().st_size == 0:
            raise ImuFileError(f"{path}: the file is empty, expected samples: export it again")
        return reader(path, progress)
    except FileNotFoundError:
        raise ImuFileError(f"{path}: no such file: check the path") from None
    except PermissionError:
        raise ImuFileError(f"{path}: not allowed to read this file: check its permissions") from None
    except MemoryError:
        raise ImuFileError(f"{path}: does not fit into memory: split it by days") from None
    except OSError as error:
        raise ImuFileError(
            f"{path}: cannot be read ({error.strerror or error}): copy or export it again"
        ) from None


def _read_npz(path: Path, _progress: Progress | None) -> ImuTable:
    """Read a NumPy archive with t (or fs), acc, gyr."""
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(entry.file_size for entry in archive.infolist())
        if claimed > _MAX_ARRAY_BYTES:
            raise ImuFileError(
                f"{path}: unpacks to {claimed / 1e9:.0f} GB, expected one recording: split it by days"
            )
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files if name in ("t", "acc", "gyr", "fs")}
            names = archive.files
    except (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError, zlib.error):
        raise ImuFileError(
            f"{path}: not a whole .npz file: it is cut off or of another kind, export it again"
        ) from None
    except ValueError as error:
        if isinstance(error, ImuFileError):
            raise
        raise ImuFileError(
            f"{path}: arrays cannot be read (Python objects or damage): save plain numbers"
        ) from None
    return _npz_table(path, found, names)


def _npz_table(path: Path, found: dict[str, np.ndarray], names: list[str]) -> ImuTable:
    """Check the arrays of an archive for names, types and shapes."""
    missing = [name for name in ("acc", "gyr") if name not in found]
    if "t" not in found and "fs" not in found:
        missing.insert(0, "t")
    if missing:
        raise ImuFileError(f"{path}: no {', '.join(missing)}: expected t, acc, gyr, found {_listing(names)}")
    for name, array in found.items():
        if array.dtype.kind not in "fiu":
            raise ImuFileError(f"{path}: {name} holds {array.dtype}, expected numbers")
    n = len(found["acc"]) if found["acc"].ndim else 0
    rate_hz = float(found["fs"].reshape(-1)[0]) if "fs" in found and found["fs"].size else None
    if "t" not in found and not (rate_hz and np.isfinite(rate_hz) and rate_hz > 0):
        raise ImuFileError(f"{path}: no t, and fs is {rate_hz}: expected times in s, or a rate in Hz")
    t = found["t"] if "t" in found else np.arange(n) / rate_hz  # type: ignore[operator]
    shapes = {"t": t.shape, "acc": found["acc"].shape, "gyr": found["gyr"].shape}
    if shapes != {"t": (n,), "acc": (n, 3), "gyr": (n, 3)}:
        came = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ImuFileError(f"{path}: shapes are {came}, expected t (n,), acc (n, 3), gyr (n, 3)")
    if n == 0:
        raise ImuFileError(f"{path}: no samples in it: export it again")
    return ImuTable(_float(t), _float(found["gyr"]), _float(found["acc"]), rate_hz)


def _read_csv(path: Path, progress: Progress | None) -> ImuTable:
    """Read a text table with a header line; comma, semicolon or tab, a piece at a time."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head, delimiter, line_number = _csv_header(path, file)
        wanted = _column_indices(path, head)
        pieces: list[FloatArray] = []
        done = file.tell()
        while lines := list(islice(file, _LINES)):
            pieces.append(_csv_rows(path, lines, delimiter, wanted, len(head), line_number))
            line_number += len(lines)
            done += sum(map(len, lines))
            if progress is not None:
                progress(min(done / size, 1.0))
    table = np.concatenate(pieces) if pieces else np.zeros((0, 7))
    if len(table) == 0:
        raise ImuFileError(f"{path}: a header without samples: export it again")
    return ImuTable(table[:, 0], table[:, 4:7], table[:, 1:4])


def _csv_header(path: Path, file: BinaryIO) -> tuple[list[str], str, int]:
    """Return column names, delimiter and the number of lines read."""
    for number in range(1, 100):
        line = file.readline(_MAX_HEADER)
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise ImuFileError(
                f"{path}: not a text file: expected a table with the columns {', '.join(COLUMNS)}"
            )
        if not line:
            break
        if text and not text.startswith("#"):
            delimiter = max(",;\t", key=text.count)
            return [name.strip().strip('"').strip() for name in text.split(delimiter)], delimiter, number
    raise ImuFileError(f"{path}: no header line: expected one with the columns {', '.join(COLUMNS)}")


def _column_indices(path: Path, names: list[str]) -> list[int]:
    """Return where COLUMNS stand among the names; `t` serves for `t_s`."""
    lower = [name.lower() for name in names]
    if "t_s" not in lower and "t" in lower:
        lower[lower.index("t")] = "t_s"
    missing = [name for name in COLUMNS if name not in lower]
    if missing:
        raise ImuFileError(
            f"{path}: no column {', '.join(missing)}: expected {', '.join(COLUMNS)}, found {_listing(names)}"
        )
    return [lower.index(name) for name in COLUMNS]


def _csv_rows(
    path: Path, lines: list[bytes], delimiter: str, wanted: list[int], width: int, lines_before: int
) -> FloatArray:
    """Return the wanted columns (m, 7) of some lines: quickly when they are plain, carefully when they are not."""
    if delimiter != ",":
        lines = [line.replace(b",", b".") for line in lines]  # decimal commas
    try:
        return np.loadtxt(
            lines, delimiter=delimiter, usecols=wanted, ndmin=2, dtype=np.float64, encoding="utf-8"
        )
    except (ValueError, IndexError):
        rows = (
            _csv_row(path, line, delimiter, wanted, width, lines_before + k)
            for k, line in enumerate(lines, start=1)
            if line.strip() and not line.startswith(b"#")
        )
        return np.array([row for row in rows if row is not None], dtype=np.float64).reshape(-1, 7)


def _csv_row(
    path: Path, line: bytes, delimiter: str, wanted: list[int], width: int, number: int
) -> list[float] | None:
    """Return the wanted cells of a line, empty ones as NaN; None for a last line that is cut off."""
    cells = line.decode("utf-8", "replace").rstrip("\r\n").split(delimiter)
    if len(cells) < width and not line.endswith(b"\n"):
        return None  # the writer was stopped in the middle of it
    if len(cells) != width:
        raise ImuFileError(f"{path}: line {number} has {len(cells)} cells, expected {width}: export it again")
    try:
        return [float(cell.strip().strip('"') or "nan") for cell in (cells[k] for k in wanted)]
    except ValueError as error:
        raise ImuFileError(f"{path}: line {number} holds text where numbers belong ({error})") from None


def _read_parquet(path: Path, _progress: Progress | None) -> ImuTable:
    """Read a Parquet table with the columns of a CSV."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ImuFileError(
            f"{path}: Parquet needs pyarrow: pip install 'tiltwise[parquet]', or export CSV"
        ) from None
    try:
        with path.open("rb") as file:
            source = parquet.ParquetFile(file)
            names = source.schema_arrow.names
            wanted = [names[k] for k in _column_indices(path, names)]
            table = source.read(columns=wanted)
            columns = [_float(table.column(name).to_numpy()) for name in wanted]
    except ArrowException:
        raise ImuFileError(f"{path}: not a whole Parquet file: it is cut off or of another kind") from None
    except (ValueError, TypeError) as error:
        if isinstance(error, ImuFileError):
            raise
        raise ImuFileError(f"{path}: columns hold something else than numbers: save plain numbers") from None
    if len(columns[0]) == 0:
        raise ImuFileError(f"{path}: no samples in it: export it again")
    return ImuTable(columns[0], np.stack(columns[4:7], axis=1), np.stack(columns[1:4], axis=1))


def _float(array: np.ndarray) -> FloatArray:
    return np.asarray(array).astype(np.float64)


def _listing(names: list[str]) -> str:
    """Return the first few names, for a message of one line."""
    shown = ", ".join(repr(name[:20]) for name in names[:8])
    return (shown + ", ..." if len(names) > 8 else shown) or "nothing"
