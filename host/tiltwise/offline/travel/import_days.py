"""Parquet days that `export` wrote, of this store or another's, become stored days again, equal to what they were.

Each day is one commit. A day that has data in the store already is left as it is and told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tiltwise.config.time_zone import is_zone
from tiltwise.errors import AppError
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.offline.travel.day_columns import aggregate_of, parsed_about
from tiltwise.offline.travel.table_files import pyarrow_or_line
from tiltwise.store.events import decode_event
from tiltwise.store.exercise_rows import decode_exercise
from tiltwise.store.files.schema import CORE_NAME, StoreError
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store
from tiltwise.types import Mount

_NAME = re.compile(r"minutes-(\d{4}-\d{2}-\d{2})\.parquet")
_Key = tuple[object, ...]


@dataclass(slots=True)
class ImportedDays:
    """Days that are in the store now, and days that were there before."""

    days: list[date] = field(default_factory=list)
    there: list[date] = field(default_factory=list)


def find_days(folder: Path) -> dict[date, Path]:
    """Return the files of minutes in a folder by their day; empty for one that `export` did not write."""
    found = ((_NAME.fullmatch(path.name), path) for path in sorted(folder.glob("minutes-*.parquet")))
    return {date.fromisoformat(match[1]): path for match, path in found if match}


def import_days(
    files: Mapping[date, Path], store: Path, on_progress: Callable[[float], None]
) -> ImportedDays:
    """Put days into a store; AppError names the file that is not as `export` writes it."""
    done = ImportedDays()
    known = _days_of(store)
    with Store(store) as target:
        for k, (day, path) in enumerate(files.items()):
            if day in known:
                done.there.append(day)
            else:
                _import_day(path, target)
                done.days.append(day)
            on_progress((k + 1) / len(files))
    return done


def _days_of(store: Path) -> set[date]:
    if not (store / CORE_NAME).is_file():
        return set()
    with StoreReader(store) as reader:
        return set(reader.days())


def _import_day(path: Path, target: Store) -> None:
    """Stage and commit one day; nothing is staged before all of it could be read."""
    tables = {
        name: _rows(path.with_name(path.name.replace("minutes", name, 1))) for name in ("events", "gaps")
    }
    minutes = _rows(path)
    exercised = path.with_name(path.name.replace("minutes", "exercises", 1))
    exercises = _rows(exercised) if exercised.exists() else ()  # a day without any has no such file
    try:
        staged = [(row, aggregate_of(row, _utc_s(row["start_utc"]))) for row in minutes]
        events = [
            (row, decode_event(str(row["kind"]), str(row["details"]), _utc_s(row["utc"])))
            for row in tables["events"]
        ]
        gaps = [(row, _utc_s(row["start_utc"]), _utc_s(row["end_utc"])) for row in tables["gaps"]]
        records = [(row, _exercise(row)) for row in exercises]
        every = (*minutes, *tables["events"], *tables["gaps"], *exercises)
        abouts = {_key(row): _session(row) for row in every}
    except (KeyError, TypeError, ValueError, StoreError) as error:
        raise AppError(
            f"{path}: not as `tiltwise export --as parquet` writes it ({error}); export it again"
        ) from error
    sessions = {key: target.begin_session(**values) for key, values in abouts.items()}
    for row, minute in staged:
        target.put_aggregates(sessions[_key(row)], [minute], int(row["sensor"]))
    for row, event in events:
        if event is not None:
            target.put_events(sessions[_key(row)], [event], 0.0)
    for row, start_s, end_s in gaps:
        target.put_gap(sessions[_key(row)], start_s, end_s, str(row["reason"]))
    for row, record in records:
        target.put_exercise(sessions[_key(row)], record, 0.0)
    target.commit()


def _exercise(row: Mapping[str, Any]) -> ExerciseRecord:
    return decode_exercise(str(row["details"]), _utc_s(row["start_utc"]))


def _rows(path: Path) -> Sequence[Mapping[str, Any]]:
    _, parquet = pyarrow_or_line()
    try:
        rows: Sequence[Mapping[str, Any]] = parquet.read_table(path).to_pylist()
    except FileNotFoundError:
        raise AppError(f"{path}: missing beside the minutes of that day; copy the whole folder") from None
    except (OSError, ValueError, MemoryError) as error:  # pyarrow's own errors are among them
        raise AppError(
            f"{path}: cannot be read as Parquet ({' '.join(str(error).split())[:120]}); export it again"
        ) from error
    return rows


def _key(row: Mapping[str, Any]) -> _Key:
    return (row["device"], row["boot"], row["session_started_utc"], row["mount"], row["about"])


def _session(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of Store.begin_session."""
    zone = str(row["zone"])
    if not is_zone(zone):
        raise ValueError(f"zone: expected an IANA name, came {zone[:40]!r}")
    return {
        "device": str(row["device"]),
        "boot": int(row["boot"]),
        "zone": zone,
        "mount": Mount(row["mount"]),
        "started_s": _utc_s(row["session_started_utc"]),
        "info": parsed_about(row["about"]),
    }


def _utc_s(text: object) -> float:
    if not isinstance(text, str):
        raise ValueError(f"expected a time, came {text!r}")
    return datetime.fromisoformat(text).timestamp()
