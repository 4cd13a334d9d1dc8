"""Motion-BIDS: a table without names; `_channels.tsv` beside it names its columns, `_motion.json` the rate."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tiltwise.recording.formats.column_map import map_columns
from tiltwise.recording.formats.lone_sensor import lone_sensor_table
from tiltwise.recording.formats.orientation_columns import find_orientation
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, ReadOptions
from tiltwise.recording.formats.text_table import Head, to_table

_MOST_CHANNELS = 10_000
_KINDS = {"ACCEL": "acc", "GYRO": "gyr", "ORNT": "quat", "LATENCY": "t"}


def channels_beside(path: Path) -> Path | None:
    """Return the file that says what the columns of a table without names are, if there is one."""
    beside = path.with_name(path.name.replace("_motion.tsv", "_channels.tsv"))
    return beside if beside != path and beside.is_file() else None


def read_bids(path: Path, channels: Path, options: ReadOptions) -> ImuTable:
    """Return one tracked point; ImuFileError without the file's name."""
    with channels.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[:_MOST_CHANNELS]
    needed = ("component", "type", "tracked_point", "units")
    if not rows or not all(name in rows[0] for name in needed):
        raise ImuFileError(
            f"{channels.name} beside it has no columns {', '.join(needed)}: is it of Motion-BIDS?"
        )
    points = list(
        dict.fromkeys(str(r["tracked_point"]) for r in rows if r["type"] in ("ACCEL", "GYRO", "ORNT"))
    )
    if not points:
        raise ImuFileError(
            f"{channels.name} names no channel of ACCEL, GYRO or ORNT: positions alone give no angle"
        )
    names = [_name(row, points[0], k) for k, row in enumerate(rows)]
    units = [str(row["units"] or "") for row in rows]
    try:
        values = np.loadtxt(
            path, delimiter="\t", ndmin=2, dtype=np.float64, converters=_number, encoding="utf-8"
        )
    except ValueError:
        raise ImuFileError(
            "a cell of it is no number: expected a table without names, export it again"
        ) from None
    if values.shape[1] != len(names):
        raise ImuFileError(
            f"{values.shape[1]} columns, {channels.name} beside it names {len(names)}: export it again"
        )
    head = Head(names, units, "\t", 0, _rate_hz(path, rows))
    found = map_columns(names, options, units=units)
    if found.acc is not None and found.gyr is not None:
        table = to_table(found, head, values)
    else:
        table = lone_sensor_table(found, head, values, options, find_orientation(names, units))
    if len(points) == 1:
        return table
    return replace(table, notes=(f"of {len(points)} tracked points {points[0]!r} is used", *table.notes))


def _name(row: dict[str, str], point: str, number: int) -> str:
    """Return a name that says an axis and a quantity; channels of other points get one that says nothing."""
    kind = _KINDS.get(str(row["type"]), "")
    if kind == "t":
        return "t_s"
    if not kind or row["tracked_point"] != point:
        return f"channel{number}"
    return f"{kind}_{str(row['component']).lower().removeprefix('quat_')}"


def _rate_hz(path: Path, rows: list[dict[str, str]]) -> float | None:
    about = path.with_name(path.name.replace("_motion.tsv", "_motion.json"))
    try:
        stated = json.loads(about.read_text(encoding="utf-8")).get("SamplingFrequency")
        rate = float(stated if stated else rows[0].get("sampling_frequency") or 0)
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return rate if 1 <= rate <= 10_000 else None


def _number(cell: str) -> float:
    return float("nan") if cell.strip().lower() in ("n/a", "nan", "") else float(cell)
