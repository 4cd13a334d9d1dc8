"""OpenSim's orientation tables (`.sto` with DataType=Quaternion): a sensor a column, each cell w,x,y,z."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tiltwise.recording.formats.column_map import ColumnMap
from tiltwise.recording.formats.lone_sensor import lone_sensor_table
from tiltwise.recording.formats.orientation_columns import OrientationColumns
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, ReadOptions, listing
from tiltwise.recording.formats.text_table import Head

_HEAD_BYTES = 4096


def is_sto(begin: bytes) -> bool:
    """Tell by the first bytes of a file whether it is one of OpenSim's tables."""
    return b"endheader" in begin[:_HEAD_BYTES].lower()


def read_sto(path: Path, options: ReadOptions) -> ImuTable:
    """Return the first sensor, or that of `--columns quat=NAME`; ImuFileError without the file's name."""
    text = path.read_text(encoding="utf-8", errors="replace")
    head, _, body = text.partition("endheader")
    if "quaternion" not in head.lower():
        raise ImuFileError("a table of OpenSim without DataType=Quaternion: export orientations")
    lines = body.strip().splitlines()
    names = lines[0].split() if lines else []
    if len(names) < 2 or len(lines) < 2:
        raise ImuFileError("a table of OpenSim without rows: export it again")
    column = _chosen(names, options)
    try:
        values = np.array([_row(line, column) for line in lines[1:]])
    except (ValueError, IndexError):
        raise ImuFileError("a row of it is not a time and cells of w,x,y,z: export it again") from None
    found = ColumnMap(t=0, acc=None, gyr=None, t_unit="s")
    table = lone_sensor_table(
        found, Head(names, None, "\t", 0, None), values, options, OrientationColumns((1, 2, 3, 4))
    )
    note = (
        f"of {len(names) - 1} sensors {names[column]!r} is used"
        if len(names) > 2
        else f"sensor {names[column]!r}"
    )
    return ImuTable(
        table.t, table.gyr, table.acc, t_unit="s", acc_unit=table.acc_unit, gyr_unit=table.gyr_unit,
        notes=(note, *table.notes),
    )  # fmt: skip


def _chosen(names: list[str], options: ReadOptions) -> int:
    wanted = options.columns.get("quat", ())
    if not wanted:
        return 1
    if wanted[0] in names[1:]:
        return names.index(wanted[0])
    raise ImuFileError(f"--columns names {wanted[0]!r}, which is not there: found {listing(names[1:])}")


def _row(line: str, column: int) -> list[float]:
    cells = line.split()
    w, x, y, z = (float(part) for part in cells[column].split(","))
    return [float(cells[0]), w, x, y, z]
