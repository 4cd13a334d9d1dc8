"""Parquet tables whose columns are named as in a text table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tiltwise.recording.formats.column_map import map_columns, missing
from tiltwise.recording.formats.lone_sensor import lone_sensor_table
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, ReadOptions
from tiltwise.recording.formats.text_table import Head, to_table


def read_parquet(path: Path, options: ReadOptions) -> ImuTable:
    """Return the columns of a Parquet file; ImuFileError without the file's name."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ImuFileError("Parquet needs pyarrow: pip install pyarrow, or export CSV") from None
    try:
        with path.open("rb") as file:
            source = parquet.ParquetFile(file)
            names = source.schema_arrow.names
            found = map_columns(names, options)
            is_lone = bool(missing(found, names))
            if is_lone and found.orientation is None and found.acc is None:
                raise ImuFileError(missing(found, names))
            wanted = {*(found.gyr or ()), *(k for axes in found.acc or () for k in axes)}
            wanted |= {k for k in (found.t, found.counter) if k is not None}
            wanted |= {*(found.orientation.columns if is_lone and found.orientation else ())}
            table = source.read(columns=[names[k] for k in sorted(wanted)])
            values = np.full((table.num_rows, len(names)), np.nan)
            for k in wanted:
                values[:, k] = _numbers(table.column(names[k]).to_numpy())
    except ArrowException:
        raise ImuFileError("not a whole Parquet file: it is cut off or of another kind") from None
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, ImuFileError):
            raise
        raise ImuFileError("columns hold something else than numbers: save plain numbers") from None
    if len(values) == 0:
        raise ImuFileError("no samples in it: export it again")
    head = Head(names, None, "", 0, None)
    return (
        lone_sensor_table(found, head, values, options, found.orientation)
        if is_lone
        else to_table(found, head, values)
    )


def _numbers(column: np.ndarray) -> np.ndarray:
    """Return a column as floats; clock times as seconds since 1970."""
    if column.dtype.kind == "M":
        return column.astype("datetime64[ns]").astype(np.float64) / 1e9
    return column.astype(np.float64)
