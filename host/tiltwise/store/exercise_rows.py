"""Records of guided exercises become JSON text, and back with UTC times."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path

from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.store.files import schema
from tiltwise.store.files.recovery import readable_rows
from tiltwise.store.files.schema import StoreError
from tiltwise.stored_values import convert


def encode_exercise(record: ExerciseRecord) -> str:
    """Return a record as JSON; what is not a number is null."""
    return json.dumps(_plain(asdict(record)), sort_keys=True)


def decode_exercise(data: str, start_s: float) -> ExerciseRecord:
    """Return the record with its beginning and end in UTC s.

    Raises
    ------
    StoreError
        When the row is damaged.
    """
    try:
        record = convert(_with_nan(json.loads(data)), ExerciseRecord)
    except ValueError as error:
        raise StoreError(
            f"the store holds a damaged exercise ({error}): erase that day with `tiltwise data --erase`"
        ) from error
    return replace(record, start_s=start_s, end_s=start_s + record.end_s - record.start_s)


def _plain(value: object) -> object:
    """NaN is no JSON: a shrug has no angle."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and value != value else value


def _with_nan(values: object) -> object:
    if isinstance(values, dict):
        for rep in values.get("reps", ()):
            if isinstance(rep, dict) and rep.get("peak_deg") is None:
                rep["peak_deg"] = float("nan")
    return values


def copy_exercises(old: Path, new: Path) -> int:
    """Copy what was done of exercises from one store into another, and return how much; no recording holds it.

    An exercise belongs to the session of the new store that was under way then, or to the first one. A store that
    cannot be read, or has none, gives nothing.
    """
    source, target = old / schema.CORE_NAME, new / schema.CORE_NAME
    if not source.is_file() or not target.is_file():
        return 0
    try:
        rows = _rows(source)
        if not rows:
            return 0
        db = schema.open_writer(target, schema.CORE_MIGRATIONS)
        try:
            with schema.transaction(db):
                return sum(db.execute(_INSERT, row).rowcount for row in rows)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise schema.explain(error, target) from error


_INSERT = (
    "INSERT OR IGNORE INTO exercise (session_id, start_us, end_us, name, data) "
    "SELECT id, ?1, ?2, ?3, ?4 FROM session ORDER BY started_us <= ?1 DESC, abs(started_us - ?1) LIMIT 1"
)


def _rows(path: Path) -> list[tuple[object, ...]]:
    try:
        db = schema.open_reader(path)
    except (sqlite3.Error, StoreError):
        return []
    try:
        if not schema.has_table(db, "exercise"):
            return []
        return list(readable_rows(db, "exercise", "start_us, end_us, name, data"))
    finally:
        db.close()
