"""Erases a stretch of time, the whole store, or raw samples older than a number of months.

A stretch and the whole store are overwritten with zeros; old months are deleted. What a flash disk, a journal of the
file system or a backup keeps of them elsewhere is beyond reach. Each takes the writer's lock, so nothing is erased
under a running `watch`, and an erasing that is interrupted is finished at the next start. Times are UTC epoch us.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tiltwise.common.frame import read_frame
from tiltwise.config.atomic_file import sync_folder, whole_file
from tiltwise.store.acknowledged.receipts import Receipts, digest, join
from tiltwise.store.files import schema, swap
from tiltwise.store.files.codec import StoredFrame, pack_chunks, pack_tail, unpack_chunk, unpack_tail
from tiltwise.store.files.lock import WriterLock
from tiltwise.store.files.raw_files import insert_chunk, month_of, raw_files
from tiltwise.store.files.recovery import stamp_of
from tiltwise.store.files.schema import StoreError
from tiltwise.store.files.swap import copies, store_files

KEEP_RAW = "keep_raw_months"  # a setting that belongs to the data
_ERASING = "erasing.json"  # what is being erased: all, or [start_us, end_us)
_BLOCK = 1 << 20  # bytes of zeros written at a time


def is_unfinished(folder: Path) -> bool:
    """Tell whether a repair, a rebuild or an erasing was begun here and is not finished."""
    return (folder / _ERASING).exists() or swap.is_swapping(folder)


def finish_begun(folder: Path, now_s: float) -> None:
    """Finish what a kill or a power cut interrupted, and note it as incidents; the lock is the caller's."""
    lines = swap.finish_swaps(folder, stamp_of(now_s))
    mark = folder / _ERASING
    if mark.exists():
        try:
            wanted = json.loads(mark.read_bytes())
            start_us, end_us = (None, None) if wanted == "all" else (int(wanted[0]), int(wanted[1]))
        except (ValueError, TypeError, IndexError, RecursionError):
            mark.unlink()
            lines.append(
                "an erasing was interrupted, and the note of what was to be erased is damaged: erase it again"
            )
        else:
            _erase_everything(folder) if start_us is None or end_us is None else _erase(
                folder, start_us, end_us
            )
            lines.append("an erasing that was interrupted is finished")
            mark.unlink(missing_ok=True)
    if lines:
        swap.note_incidents(folder, lines, now_s)


def finish_if_begun(folder: Path) -> None:
    """Do that before reading, where no writer is at it and the folder can be written."""
    if is_unfinished(folder):
        with contextlib.suppress(OSError):
            lock = WriterLock(folder, 0.0)
            try:
                finish_begun(folder, folder.stat().st_mtime)
            finally:
                lock.release()


def erase_all(folder: Path, now_s: float) -> int:
    """Overwrite and delete the store and its copies; return the bytes that are free again. Calibrations stay."""
    lock = WriterLock(folder, now_s)
    try:
        size = sum(path.stat().st_size for path in {*store_files(folder), *copies(folder)})
        _begin(folder, "all")
        _erase_everything(folder)
        (folder / _ERASING).unlink()
    except OSError as error:
        raise schema.explain(error, folder) from error
    finally:
        lock.release()
    return size


def _begin(folder: Path, what: object) -> None:
    with whole_file(folder / _ERASING, is_private=True) as file:
        file.write(json.dumps(what).encode())


def _erase_everything(folder: Path) -> None:
    for path in sorted({*store_files(folder), *copies(folder)}):
        with path.open("r+b") as file:
            left = path.stat().st_size
            while left > 0:
                left -= file.write(bytes(min(_BLOCK, left)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink(missing_ok=True)
    for aside in folder.glob(f"{swap.BEFORE_REBUILD}*"):
        with contextlib.suppress(OSError):  # it holds files that are not ours
            aside.rmdir()
    sync_folder(folder)


def erase_stretch(folder: Path, start_us: int, end_us: int, now_s: float) -> dict[str, int]:
    """Erase [start_us, end_us) from all tables and month files; return the rows or frames erased, by kind.

    Which frames were received stays known, so that the board does not send them again.
    """
    lock = WriterLock(folder, now_s)
    try:
        _begin(folder, [start_us, end_us])
        erased = _erase(folder, start_us, end_us)
        (folder / _ERASING).unlink()
    except OSError as error:
        raise error if isinstance(error, StoreError) else schema.explain(error, folder) from error
    finally:
        lock.release()
    return erased


def _erase(folder: Path, start_us: int, end_us: int) -> dict[str, int]:
    """Erase from core.db and the months; the receipts settle what goes before it is gone."""
    path = folder / schema.CORE_NAME
    receipts = Receipts.load(folder)
    try:
        erased = _erase_core(path, start_us, end_us, receipts)
        for path in raw_files(folder):
            if f"raw-{month_of(start_us - schema.DAY_US)}" <= path.stem <= f"raw-{month_of(end_us)}":
                erased["frames"] += _erase_chunks(path, start_us, end_us, receipts)
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        receipts.close()
    return erased


def _settle(receipts: Receipts, device: str, frames: Sequence[StoredFrame]) -> None:
    """Let the receipts not look for these frames any more."""
    for stored in frames:
        head = read_frame(stored.data)
        key = (device, head.boot)
        for part in (receipts.tail, *(month.frames for month in receipts.months.values())):
            if key in part and part[key].remove(head.seq, head.seq) and part is receipts.tail:
                receipts.sums[key] = (receipts.sums.get(key, 0) - digest([stored.data])) & ((1 << 64) - 1)
        join(receipts.settled, key, [(head.seq, head.seq)])


def _open(path: Path, migrations: tuple[str, ...]) -> sqlite3.Connection:
    db = schema.open_writer(path, migrations)
    db.execute("PRAGMA secure_delete=ON")  # zeros over what was there: a free page would keep it readable
    return db


def _close(db: sqlite3.Connection) -> None:
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def _erase_core(path: Path, start_us: int, end_us: int, receipts: Receipts) -> dict[str, int]:
    times = {"aggregate": "start_us", "event": "utc_us", "exercise": "start_us", "clock_fit": "utc_us"}
    erased = {}
    db = _open(path, schema.CORE_MIGRATIONS)
    try:
        with schema.transaction(db):
            for table, column in times.items():
                sql = f"DELETE FROM {table} WHERE {column} >= ? AND {column} < ?"
                erased[table] = db.execute(sql, (start_us, end_us)).rowcount
            erased["gap"] = _erase_gaps(db, start_us, end_us)
            erased["frames"] = _erase_tail(db, start_us, end_us, receipts)
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


def _erase_tail(db: sqlite3.Connection, start_us: int, end_us: int, receipts: Receipts) -> int:
    sql = "SELECT tail.id, name, utc_us, frames FROM tail JOIN device ON device.id = device_id"
    rows = [
        (row, device, unpack_tail(times, data)) for row, device, times, data in db.execute(sql).fetchall()
    ]
    gone = [(device, [f for f in frames if start_us <= f.utc_us < end_us]) for _, device, frames in rows]
    if not any(frames for _, frames in gone):
        return 0
    for device, frames in gone:
        _settle(receipts, device, frames)
    receipts.rewrite()
    erased = 0
    for row, _, frames in rows:
        kept = [f for f in frames if not start_us <= f.utc_us < end_us]
        erased += len(frames) - len(kept)
        if not kept:
            db.execute("DELETE FROM tail WHERE id=?", (row,))
        elif len(kept) < len(frames):
            db.execute("UPDATE tail SET utc_us=?, frames=? WHERE id=?", (*pack_tail(kept), row))
    return erased


def _erase_chunks(path: Path, start_us: int, end_us: int, receipts: Receipts) -> int:
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
                    _settle(receipts, device, [f for f in frames if start_us <= f.utc_us < end_us])
                    db.execute("DELETE FROM chunk WHERE id=?", (row,))
                    for chunk in pack_chunks(kept):
                        insert_chunk(db, device, chunk)
            month = receipts.months.get(path.stem.removeprefix("raw-"))
            if erased and month is not None:
                month.chunks = min(month.chunks, int(db.execute("SELECT count(*) FROM chunk").fetchone()[0]))
                receipts.rewrite()
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
