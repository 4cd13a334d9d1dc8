"""The tables of the two kinds of store files, how they are opened, and how old files become new ones.

core.db holds everything but the bulk: devices, sessions, clock fits, minute aggregates, events, gaps, settings, and
the `tail`, the newest frames as received. raw-YYYY-MM.db holds one-minute chunks of frames. The tail lives in core.db
so that a second's frames, aggregates and events are one transaction with one fsync. Times are UTC epoch microseconds.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tiltwise.errors import os_error_line

CORE_NAME = "core.db"
RAW_PATTERN = "raw-[0-9][0-9][0-9][0-9]-[0-9][0-9].db"
BUSY_TIMEOUT_MS = 5000
DAY_US = 86_400_000_000

# Ordinary rowid tables throughout: salvaging a damaged file walks them by rowid.
CORE_V1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_us INTEGER NOT NULL);
CREATE TABLE session (
    id INTEGER PRIMARY KEY, device_id INTEGER NOT NULL REFERENCES device(id), boot INTEGER NOT NULL,
    started_us INTEGER NOT NULL, zone TEXT NOT NULL, mount TEXT NOT NULL, info TEXT NOT NULL);
CREATE TABLE clock_fit (
    id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id),
    device_us INTEGER NOT NULL, utc_us INTEGER NOT NULL, rate REAL NOT NULL, UNIQUE (session_id, device_us));
CREATE TABLE received (
    id INTEGER PRIMARY KEY, device_id INTEGER NOT NULL REFERENCES device(id), boot INTEGER NOT NULL,
    ranges BLOB NOT NULL, UNIQUE (device_id, boot));
CREATE TABLE tail (
    id INTEGER PRIMARY KEY, device_id INTEGER NOT NULL REFERENCES device(id), boot INTEGER NOT NULL,
    utc_us BLOB NOT NULL, frames BLOB NOT NULL);
CREATE TABLE aggregate (
    id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id), sensor INTEGER NOT NULL,
    start_us INTEGER NOT NULL, algorithm INTEGER NOT NULL, covered_s REAL NOT NULL, worn_s REAL NOT NULL,
    posture_s REAL NOT NULL, moving_s REAL NOT NULL, mean_deg REAL,
    above_15_s REAL NOT NULL, above_20_s REAL NOT NULL, above_30_s REAL NOT NULL, above_45_s REAL NOT NULL,
    above_60_s REAL NOT NULL, data BLOB NOT NULL, UNIQUE (session_id, sensor, start_us));
CREATE INDEX aggregate_start ON aggregate (start_us);
CREATE TABLE event (
    id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id), utc_us INTEGER NOT NULL,
    kind TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (session_id, utc_us, kind, data));
CREATE INDEX event_utc ON event (utc_us);
CREATE TABLE gap (
    id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id),
    start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, reason TEXT NOT NULL, UNIQUE (session_id, start_us, reason));
CREATE INDEX gap_start ON gap (start_us);
"""
# A raw file names its devices itself: it can be read, moved and salvaged without core.db.
RAW_V1 = """
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, boot INTEGER NOT NULL, sensor INTEGER NOT NULL,
    seq0 INTEGER NOT NULL, seq1 INTEGER NOT NULL, n_frames INTEGER NOT NULL, n_samples INTEGER NOT NULL,
    t0_us INTEGER NOT NULL, t1_us INTEGER NOT NULL, codec INTEGER NOT NULL, crc32 INTEGER NOT NULL,
    data BLOB NOT NULL, UNIQUE (device, boot, seq0, sensor));
CREATE INDEX chunk_time ON chunk (t0_us, t1_us);
"""
# The totals of a year without the blobs between: an eighth of the pages.
CORE_V2 = """
DROP INDEX aggregate_start;
CREATE INDEX aggregate_start ON aggregate (
    start_us, covered_s, worn_s, posture_s, moving_s, mean_deg, above_15_s, above_20_s, above_30_s, above_45_s,
    above_60_s);
"""
# Guided exercises: what was done of each, with its repetitions and rounds as JSON.
CORE_V3 = """
CREATE TABLE exercise (
    id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session(id),
    start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL,
    UNIQUE (session_id, start_us, name));
CREATE INDEX exercise_start ON exercise (start_us);
"""
# Blobs of minutes begin with their version (files/codec.py); a program before this step could not read them.
CORE_V4 = ""
# Step k takes a file from version k to k + 1. Appending is allowed, changing a released step is not.
CORE_MIGRATIONS: tuple[str, ...] = (CORE_V1, CORE_V2, CORE_V3, CORE_V4)
RAW_MIGRATIONS: tuple[str, ...] = (RAW_V1,)


class StoreError(OSError):
    """The store cannot do this now; the message is one line with what to do."""


def explain(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """Return the one-line error that a person can act on."""
    if isinstance(error, OSError):
        named = os_error_line(error)
        return StoreError(
            named if error.filename or isinstance(error, StoreError) else f"cannot use {path}: {named}"
        )
    text = str(error)
    advice = {
        "full": "the disk is full: free some space, recording resumes by itself",
        "readonly": "the folder is read-only: change its permissions or choose another",
        "unable to open": "it cannot be opened or written: check that the folder exists and is writable",
        "disk i/o": "the disk refuses: check that it is still there and has space, recording resumes by itself",
        "locked": "another program holds it for long: close it, recording resumes by itself",
        "malformed": "it is damaged: restart tiltwise, which sets it aside and saves what can be read",
        "not a database": "it is damaged: restart tiltwise, which sets it aside and saves what can be read",
    }
    for sign, line in advice.items():
        if sign in text.lower():
            return StoreError(f"cannot use {path}: {line} ({text})")
    return StoreError(f"cannot use {path}: {text}")


DAMAGED = "database disk image is malformed"  # as SQLite says it


class Database(sqlite3.Connection):
    """A connection that calls damage by its name: of a damaged schema even the error's text is no text."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError(DAMAGED) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether this error means that the file itself is broken."""
    return any(sign in str(error) for sign in ("malformed", "not a database", "corrupt", "no such index"))


def make_private(path: Path) -> None:
    """Let only its owner read a file, which is made when it is absent; SQLite gives its logs the same bits."""
    with contextlib.suppress(
        OSError
    ):  # what hinders the writing, SQLite says better; not all disks have permissions
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
        path.chmod(0o600)


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open or create a file for writing, of whatever version; raises sqlite3.Error."""
    make_private(path)
    db = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        factory=Database,
    )
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # NORMAL loses minutes when the power goes
        db.execute("PRAGMA fullfsync=ON")  # macOS: without it, fsync stops at the drive's cache
        db.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        db.close()
        raise
    return db


def open_writer(path: Path, migrations: tuple[str, ...]) -> sqlite3.Connection:
    """Open or create a file for writing and bring it to the newest version; raises sqlite3.Error or StoreError."""
    db = connect_writer(path)
    try:
        migrate(db, path, migrations)
    except BaseException:
        db.close()
        raise
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a file for reading beside a writer; a file in a folder that cannot be written is read as it lies.

    Raises
    ------
    StoreError
        When it is not there or cannot be read.
    """
    for query in ("mode=ro", "mode=ro&immutable=1"):
        uri = f"{path.absolute().as_uri()}?{query}"
        try:
            db = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000, factory=Database)
        except sqlite3.Error as error:  # it is not there
            raise explain(error, path) from error
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            if "immutable" in query or not any(sign in str(error) for sign in ("unable to open", "readonly")):
                raise explain(error, path) from error
        except BaseException:
            db.close()
            raise
        else:
            return db
    raise AssertionError("unreachable")


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Tell whether an open file has a table: one of an earlier version may not."""
    sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    return bool(db.execute(sql, (name,)).fetchone()[0])


def version_of(db: sqlite3.Connection) -> int:
    """Return the schema version of an open file, 0 for a new one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_version(db: sqlite3.Connection, path: Path, migrations: tuple[str, ...]) -> int:
    """Return the file's version; raise StoreError when it is newer than this program."""
    version = version_of(db)
    if version > len(migrations):
        raise StoreError(
            f"{path} has schema version {version}, this tiltwise reads up to {len(migrations)}: update tiltwise"
        )
    return version


def migrate(db: sqlite3.Connection, path: Path, migrations: tuple[str, ...]) -> None:
    """Run the missing steps, each in one transaction, after a backup beside the file when it held data."""
    version = check_version(db, path, migrations)
    if 0 < version < len(migrations):
        back_up(db, path.with_name(f"{path.name}.backup-v{version}"))
    for step in range(version, len(migrations)):
        with transaction(db):
            for statement in _statements(migrations[step]):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={step + 1}")


def back_up(db: sqlite3.Connection, target: Path) -> None:
    """Copy an open database to a new file, which gets its name when it is whole."""
    part = target.with_name(f"{target.name}.part")
    make_private(part)
    copy = sqlite3.connect(part)
    try:
        db.backup(copy)
    finally:
        copy.close()
    part.replace(target)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit at the end, or roll everything back on any error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite has rolled back by itself after some errors
            db.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Split a script; executescript would end the transaction it runs in."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
