"""Erases a stretch of time, the whole store, or raw samples older than a number of months; zeros go over the data.

Each takes the writer's lock, so nothing is erased under a running `watch`. Times are UTC epoch microseconds.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tiltwise.store import schema
from tiltwise.store.codec import pack_chunks, pack_tail, unpack_chunk, unpack_tail
from tiltwise.store.lock import WriterLock
from tiltwise.store.raw_files import insert_chunk, month_of, raw_files

KEEP_RAW = "keep_raw_months"  # a setting that belongs to the data
_COPIES = ("*.db.corrupt-*", "*.db.backup-v*")
_BEFORE_REBUILD = "before-rebuild-*"  # folders with the store that a rebuild set aside


def store_files(folder: Path) -> list[Path]:
    """Return the databases of a store with their logs, the copies made of them, and nothing else."""
    patterns = (schema.CORE_NAME, schema.RAW_PATTERN)
    found = {p for pattern in patterns for s in ("", "-wal", "-shm") for p in folder.glob(pattern + s)}
    return sorted(found | {path for pattern in _COPIES for path in folder.glob(pattern)})


def copies(folder: Path) -> list[Path]:
    """Return the files that recovery, migration and rebuilding set aside."""
    patterns = (*_COPIES, f"{_BEFORE_REBUILD}/*.db*")
    return sorted({path for pattern in patterns for path in folder.glob(pattern)})


def move_store(source: Path, target: Path) -> None:
    """Move the files of a store into another folder of the same disk; the databases last, behind their logs."""
    for path in sorted(store_files(source), key=lambda p: p.name.endswith(".db")):
        path.replace(target / path.name)


def erase_all(folder: Path, now_s: float) -> int:
    """Delete the whole store, its copies too; return the bytes that are free again. Calibrations stay."""
    lock = WriterLock(folder, now_s)
    try:
        files = sorted({*store_files(folder), *copies(folder)})
        size = sum(path.stat().st_size for path in files)
        for path in files:
            path.unlink(missing_ok=True)
        for aside in folder.glob(_BEFORE_REBUILD):
            with contextlib.suppress(OSError):  # it holds files that are not ours
                aside.rmdir()
    except OSError as error:
        raise schema.explain(error, folder) from error
    finally:
        lock.release()
    return size


def erase_stretch(folder: Path, start_us: int, end_us: int, now_s: float) -> dict[str, int]:
    """Erase [start_us, end_us) from all tables and month files; return the rows or frames erased, by kind.

    Which frames were received stays known, so that the board does not send them again.
    """
    lock = WriterLock(folder, now_s)
    path = folder / schema.CORE_NAME
    try:
        erased = _erase_core(path, start_us, end_us)
        for path in raw_files(folder):
            if f"raw-{month_of(start_us - schema.DAY_US)}" <= path.stem <= f"raw-{month_of(end_us)}":
                erased["frames"] += _erase_chunks(path, start_us, end_us)
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        lock.release()
    return erased


def _open(path: Path, migrations: tuple[str, ...]) -> sqlite3.Connection:
    db = schema.open_writer(path, migrations)
    db.execute("PRAGMA secure_delete=ON")  # zeros over what was there: a free page would keep it readable
    return db


def _close(db: sqlite3.Connection) -> None:
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def _erase_core(path: Path, start_us: int, end_us: int) -> dict[str, int]:
    times = {"aggregate": "start_us", "event": "utc_us", "clock_fit": "utc_us"}
    erased = {}
    db = _open(path, schema.CORE_MIGRATIONS)
    try:
        with schema.transaction(db):
            for table, column in times.items():
                sql = f"DELETE FROM {table} WHERE {column} >= ? AND {column} < ?"
                erased[table] = db.execute(sql, (start_us, end_us)).rowcount
            erased["gap"] = _erase_gaps(db, start_us, end_us)
            erased["frames"] = _erase_tail(db, start_us, end_us)
    finally:
        _close(db)
    return erased


def _erase_gaps(db: sqlite3.Connection, start_us: int, end_us: int) -> int:
    """Erase gaps within the stretch and cut those that reach beyond it."""
    rows = db.execute(
        "SELECT id, session_id, start_us, end_us, reason FROM gap WHERE start_us < ? AND end_us > ?",
        (end_us, start_us),
    ).fetchall()
    for row, session, first, last, reason in rows:
        db.execute("DELETE FROM gap WHERE id=?", (row,))
        for a, b in ((first, start_us), (end_us, last)):
            if a < b:
                db.execute(
                    "INSERT OR REPLACE INTO gap (session_id, start_us, end_us, reason) VALUES (?, ?, ?, ?)",
                    (session, a, b, reason),
                )
    return len(rows)


def _erase_tail(db: sqlite3.Connection, start_us: int, end_us: int) -> int:
    erased = 0
    for row, times, data in db.execute("SELECT id, utc_us, frames FROM tail").fetchall():
        frames = unpack_tail(times, data)
        kept = [f for f in frames if not start_us <= f.utc_us < end_us]
        erased += len(frames) - len(kept)
        if not kept:
            db.execute("DELETE FROM tail WHERE id=?", (row,))
        elif len(kept) < len(frames):
            db.execute("UPDATE tail SET utc_us=?, frames=? WHERE id=?", (*pack_tail(kept), row))
    return erased


def _erase_chunks(path: Path, start_us: int, end_us: int) -> int:
    erased = 0
    db = _open(path, schema.RAW_MIGRATIONS)
    try:
        with schema.transaction(db):
            rows = db.execute(
                "SELECT id, device, boot, data FROM chunk WHERE t0_us < ? AND t1_us > ?", (end_us, start_us)
            ).fetchall()
            for row, device, boot, data in rows:
                frames = unpack_chunk(boot, data)
                kept = [f for f in frames if not start_us <= f.utc_us < end_us]
                erased += len(frames) - len(kept)
                if len(kept) < len(frames):
                    db.execute("DELETE FROM chunk WHERE id=?", (row,))
                    for chunk in pack_chunks(kept):
                        insert_chunk(db, device, chunk)
    finally:
        _close(db)
    return erased


def kept_months(db: sqlite3.Connection) -> int | None:
    """Return for how many months raw samples are to be kept, None for always."""
    row = db.execute("SELECT value FROM setting WHERE key=?", (KEEP_RAW,)).fetchone()
    return int(row[0]) if row is not None and str(row[0]).isdecimal() and int(row[0]) > 0 else None


def oldest_kept_month(newest: str, now: str, months: int) -> str:
    """Return the oldest month "YYYY-MM" to keep of `months`, counted back from the newest one with data.

    A clock that was set years ahead must not make everything old, nor one file with a wild date: the earlier counts.
    """
    year, month = (int(part) for part in min(newest, now).split("-"))
    index = year * 12 + month - 1 - (months - 1)
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
