"""One sensor a file: members of a zip (Sensor Logger, phyphox), or a file beside the one given (MetaBase).

Each has times of its own; the acceleration is interpolated at the times of the gyroscope, which must not be smoothed.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from tiltwise.recording.formats.column_map import NO_UP, missing
from tiltwise.recording.formats.lone_sensor import lone_sensor_table
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, Progress, ReadOptions
from tiltwise.recording.formats.sensor_logger import GRAVITY, NO_GRAVITY, is_sensor_logger, points_down
from tiltwise.recording.formats.spreadsheet import sheets_as_text
from tiltwise.recording.formats.text_table import read_text, times_of, to_table
from tiltwise.recording.formats.time_grid import even_times, grown, unit_of_times
from tiltwise.recording.formats.units import TIMES
from tiltwise.types import FloatArray

_MOST_BYTES = 2 << 30  # of a member, unpacked
# Whose acceleration has gravity in it, first choice first; others go by their columns.
_WITH_GRAVITY = ("totalacceleration", "accelerometeruncalibrated")
_PAIRS = (("accelerometer", "gyroscope"), ("acceleration", "gyroscope"), ("acc", "gyr"), ("accel", "gyro"))


class _Stream:
    """What one table of a sensor holds: times in s and one triple or both."""

    def __init__(
        self, name: str, file: BinaryIO, size: int, options: ReadOptions, progress: Progress | None
    ) -> None:
        stem = PurePosixPath(name).stem
        self.name, self.size = stem, size
        # A table of gravity alone has what an accelerometer at rest would show.
        about = "acceleration" if stem.lower() == GRAVITY else stem
        found, head, values = read_text(file, size, options, progress, about=about)
        self.map, self.head, self.values = found, head, values
        self.has_acc, self.has_gyr = found.acc is not None, found.gyr is not None

    def turn_up(self, *, is_down: bool) -> None:
        """Let the acceleration point up, where something else than its columns says how it points."""
        sign = -1.0 if is_down else 1.0
        self.map = replace(self.map, acc_signs=(sign, sign, sign))

    def times_s(self, options: ReadOptions, *, is_absolute: bool) -> FloatArray:
        """Return times in s, since 1970 if is_absolute; ImuFileError when there are none to join by."""
        if is_absolute and self.map.epoch is not None:
            epoch = self.values[:, self.map.epoch]
            return epoch * TIMES[unit_of_times(epoch)]
        t = times_of(self.map, self.head.rate_hz or options.rate_hz, self.values)
        if t is None:
            raise ImuFileError(f"{self.name} has no column of time to join it by")
        return t * TIMES[options.t_unit or unit_of_times(t, self.map.t_unit)]


def read_zip(path: Path, options: ReadOptions, progress: Progress | None) -> ImuTable:
    """Return what the tables in a zip say together; ImuFileError without the file's name."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                m for m in archive.infolist() if re.search(r"\.(csv|txt|tsv)$", m.filename, re.IGNORECASE)
            ]
            is_sheets = any(m.filename == "[Content_Types].xml" for m in archive.infolist())
            for member in members:
                if member.file_size > _MOST_BYTES:
                    raise ImuFileError(f"{member.filename} unpacks to more than 2 GB: split it by days")
            texts = sheets_as_text(path) if is_sheets else [(m.filename, archive.read(m)) for m in members]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise ImuFileError(
            "not a whole .zip file: it is cut off or of another kind, export it again"
        ) from None
    streams, why_not = [], []
    for name, text in texts:
        try:
            streams.append(_Stream(name, io.BytesIO(text), len(text), options, progress))
        except ImuFileError as error:  # notes, marks, a list of devices: other tables in the same zip
            why_not += [f"{PurePosixPath(name).stem[:30]}: {error}"] if NO_UP in str(error) else []
    is_down = points_down(texts)
    if is_down is not None:
        for stream in streams:
            stream.turn_up(is_down=is_down)
    listed = ", ".join(s.name[:30] for s in streams[:12]) or "none"
    return _together(streams, options, "; ".join((f"tables in it: {listed}", *why_not)))


def read_lone_text(path: Path, options: ReadOptions, progress: Callable[[float], None] | None) -> ImuTable:
    """Return what a text file says, with the file of the other sensor beside it where it holds one only."""
    with path.open("rb") as file:
        first = _Stream(path.name, file, path.stat().st_size, options, progress)
    if first.has_acc == first.has_gyr or options.columns:
        return _whole(first, options)
    for other in _neighbours(path):
        with other.open("rb") as file:
            second = _Stream(other.name, file, other.stat().st_size, options, progress)
        table = _together([first, second], options, "")
        return replace(table, notes=(*table.notes, f"{other.name}, beside it, has the other sensor"))
    twin = _twin_names(path)
    if first.map.orientation is None and first.has_gyr:
        lacks = missing(first.map, first.head.names)
        raise ImuFileError(
            f"{lacks}; or put the other sensor's file beside it" + (f" ({twin[0]})" if twin else "")
        )
    table = _whole(first, options)
    if not twin or first.map.orientation is not None:
        return table
    return replace(
        table,
        notes=(*table.notes, f"with a gyroscope's file beside it ({twin[0]}), if there is one, more is seen"),
    )


def _whole(stream: _Stream, options: ReadOptions) -> ImuTable:
    """Return a table with both sensors, or what one of them or an orientation tells."""
    if missing(stream.map, stream.head.names):
        if len(stream.values) == 0 and (stream.has_acc or stream.map.orientation):
            raise ImuFileError("a header without samples: export it again")
        return lone_sensor_table(stream.map, stream.head, stream.values, options, stream.map.orientation)
    if len(stream.values) == 0:
        raise ImuFileError("a header without samples: export it again")
    return to_table(stream.map, stream.head, stream.values)


def _together(streams: list[_Stream], options: ReadOptions, listed: str) -> ImuTable:
    """Join one table with acceleration and one with angular rate, or take one that has both."""
    for stream in streams:
        if stream.has_acc and stream.has_gyr and len(stream.values):
            return _whole(stream, options)
    accs = [s for s in streams if s.has_acc and len(s.values)]
    gyrs = [s for s in streams if s.has_gyr and len(s.values)]
    if not gyrs:
        oriented = [s for s in streams if s.map.orientation is not None and len(s.values)]
        if oriented or accs:
            return _whole((oriented or accs)[0], options)
    if not accs or not gyrs:
        lacks = " and ".join(n for n, has in (("acceleration", accs), ("angular rate", gyrs)) if not has)
        raise ImuFileError(f"no table of {lacks}; {listed or 'neither file has samples'}")
    named = {re.sub("[^a-z]", "", s.name.lower()): s for s in reversed(accs)}
    with_gravity = next((named[name] for name in _WITH_GRAVITY if name in named), None)
    apart = [named[name] for name in (GRAVITY, NO_GRAVITY) if name in named]
    if with_gravity is None and len(apart) > 1 and is_sensor_logger(apart[1].head.names):
        return _summed([_joined(part, gyrs[0], options) for part in apart], apart)
    return _joined(with_gravity or accs[0], gyrs[0], options)


def _summed(tables: list[ImuTable], parts: list[_Stream]) -> ImuTable:
    """Return gravity and the acceleration without it as one, at the times that both have."""
    first, second = tables
    assert first.t is not None
    assert second.t is not None
    _, at, also_at = np.intersect1d(first.t, second.t, return_indices=True)
    notes = (f"{' and '.join(part.name for part in parts)} added up", *second.notes)
    return replace(
        first, t=first.t[at], gyr=first.gyr[at], acc=first.acc[at] + second.acc[also_at], notes=notes
    )


def _joined(acc: _Stream, gyr: _Stream, options: ReadOptions) -> ImuTable:
    assert acc.map.acc is not None
    assert gyr.map.gyr is not None
    is_absolute = acc.map.epoch is not None and gyr.map.epoch is not None
    acc_t, acc_rows = _in_order(
        acc.times_s(options, is_absolute=is_absolute), _triple(acc, acc.map.acc, acc.map.acc_signs)
    )
    gyr_t, gyr_rows = _in_order(
        gyr.times_s(options, is_absolute=is_absolute), _triple(gyr, (gyr.map.gyr,), gyr.map.gyr_signs)
    )
    if len(acc_t) == 0 or len(gyr_t) == 0:
        raise ImuFileError(f"{acc.name} or {gyr.name} has no usable rows: export them again")
    is_common = (gyr_t >= acc_t[0]) & (gyr_t <= acc_t[-1])
    if not is_common.any():
        raise ImuFileError(f"{acc.name} and {gyr.name} have no time in common: are they of one recording?")
    t = gyr_t[is_common]
    at_gyr = np.stack([np.interp(t, acc_t, acc_rows[:, k]) for k in range(3)], axis=1)
    late_s = float(abs(acc_t[0] - gyr_t[0]))
    said = f"{acc.name} and {gyr.name} joined by their times"
    apart = f" ({late_s * 1000:.0f} ms apart at the start)" if late_s >= 1e-3 else ""
    return ImuTable(
        t, gyr_rows[is_common], at_gyr, t_unit="s", acc_unit=acc.map.acc_unit, gyr_unit=gyr.map.gyr_unit,
        notes=(said + apart,),
    )  # fmt: skip


def _triple(
    stream: _Stream, parts: tuple[tuple[int, int, int], ...], signs: tuple[float, float, float]
) -> FloatArray:
    return np.asarray(sum((stream.values[:, axes] for axes in parts), np.zeros(3)) * np.array(signs))


def _in_order(t_s: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return finite rows at growing times, on their even grid where they show one."""
    is_good = np.isfinite(t_s) & np.isfinite(rows).all(axis=1)
    t_s, rows = t_s[is_good], rows[is_good]
    order = np.argsort(t_s, kind="stable")
    t_s, rows = even_times(t_s[order])[0], rows[order]
    is_new = grown(t_s)
    return t_s[is_new], rows[is_new]


def _twin_names(path: Path) -> list[str]:
    """Return what the file of the other sensor may be called."""
    names = []
    for one, two in _PAIRS:
        for word, other in ((one, two), (two, one)):
            if match := re.search(word, path.name, re.IGNORECASE):
                new = other.capitalize() if match[0][0].isupper() else other
                names.append(path.name[: match.start()] + new + path.name[match.end() :])
    return names


def _neighbours(path: Path) -> list[Path]:
    there = {each.name.lower(): each for each in path.parent.iterdir() if each.is_file()}
    return [there[name.lower()] for name in _twin_names(path) if name.lower() in there]
