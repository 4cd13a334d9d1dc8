"""The angles of a file as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from tiltwise.config.atomic_file import whole_file
from tiltwise.errors import AppError, UsageError
from tiltwise.offline.analyze import Analysis
from tiltwise.types import FloatArray


def check_angles_path(path: Path | None) -> None:
    """Raise UsageError for a name that `write_angles` cannot serve, before a long file is analysed for it."""
    if path is not None and path.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"--angles {path}: expected a name that ends in .csv or .parquet")


def write_angles(path: Path, analysis: Analysis) -> None:
    """Write t_s and the four angles as .csv or .parquet; the file appears whole or not at all."""
    check_angles_path(path)
    table = {"t_s": analysis.t_s, **analysis.shown_angles()}
    writer = _write_csv if path.suffix.lower() == ".csv" else _write_parquet
    with whole_file(path) as file:
        writer(file, table)


def _write_csv(file: IO[bytes], table: Mapping[str, FloatArray]) -> None:
    np.savetxt(file, np.column_stack(list(table.values())), "%.4f", ",", header=",".join(table), comments="")


def _write_parquet(file: IO[bytes], table: Mapping[str, FloatArray]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise AppError("Parquet needs pyarrow: pip install pyarrow, or name a .csv file") from None
    pyarrow.parquet.write_table(pyarrow.table(dict(table)), file, compression="zstd")
