"""The month files of raw frames: chunks are added, old months are deleted as files (no VACUUM, no long locks)."""

from __future__ import annotations

import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tiltwise.store import schema
from tiltwise.store.codec import CODEC, Chunk, StoredFrame, pack_chunks, unpack_chunk, unpack_tail
from tiltwise.store.recovery import Recovery, is_intact, recover

_COLUMNS = "device, boot, sensor, seq0, seq1, n_frames, n_samples, t0_us, t1_us, codec, crc32, data"


def month_of(utc_us: int) -> str:
    """Return the UTC month "YYYY-MM" of a time in us."""
    return datetime.fromtimestamp(utc_us / 1e6, UTC).strftime("%Y-%m")


def raw_files(folder: Path) -> list[Path]:
    """Return the month files of a folder in order."""
    return sorted(folder.glob(schema.RAW_PATTERN))


class RawFiles:
    """The writer's side of the month files; keeps the one in use open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: tuple[Path, sqlite3.Connection] | None = None

    def newest(self) -> Path | None:
        """Return the newest month file, None without any."""
        files = raw_files(self._folder)
        return files[-1] if files else None

    def add(self, tail: Sequence[tuple[int, str, bytes, bytes]], now_s: float) -> list[Recovery]:
        """Write tail rows (id, device, times, frames) as chunks, each month in one transaction.

        A month file that turns out to be damaged is set aside and salvaged, and the chunks go into the new one;
        the recoveries are returned. Raises StoreError or sqlite3.Error when the disk refuses.
        """
        groups: dict[tuple[str, str], list[StoredFrame]] = defaultdict(list)
        for _, device, times, data in tail:
            for frame in unpack_tail(times, data):
                groups[month_of(frame.utc_us), device].append(frame)
        recoveries = []
        for (month, device), frames in sorted(groups.items()):
            path = self._folder / f"raw-{month}.db"
            try:
                self._add(path, device, frames)
            except sqlite3.DatabaseError as error:
                if not schema.is_damage(error):
                    raise schema.explain(error, path) from error
                self.close()
                recoveries.append(recover(path, schema.RAW_MIGRATIONS, now_s))
                self._add(path, device, frames)
        return recoveries

    def _add(self, path: Path, device: str, frames: list[StoredFrame]) -> None:
        db = self._connection(path)
        with schema.transaction(db):
            for chunk in pack_chunks(frames):
                insert_chunk(db, device, chunk)

    def _connection(self, path: Path) -> sqlite3.Connection:
        if self._open is None or self._open[0] != path:
            self.close()
            if path.is_file() and not is_intact(path):  # here, not at the start: a full month takes a second
                raise sqlite3.DatabaseError(schema.DAMAGED)
            self._open = (path, schema.open_writer(path, schema.RAW_MIGRATIONS))
        return self._open[1]

    def delete_before(self, month: str) -> list[Path]:
        """Delete the files of months before this one and return their paths."""
        old = [path for path in raw_files(self._folder) if path.stem < f"raw-{month}"]
        if old:
            self.close()
        for path in old:
            for suffix in ("-wal", "-shm", ""):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        return old

    def close(self) -> None:
        """Close the file in use; SQLite then folds the write-ahead log in."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


def insert_chunk(db: sqlite3.Connection, device: str, chunk: Chunk) -> None:
    """Insert a chunk; if one that begins with the same frame is there, merge the frames of both."""
    key = (device, chunk.boot, chunk.seq0, chunk.sensor)
    row = db.execute(
        "SELECT id, data FROM chunk WHERE device=? AND boot=? AND seq0=? AND sensor=?", key
    ).fetchone()
    if row is not None:
        db.execute("DELETE FROM chunk WHERE id=?", (row[0],))
        both = unpack_chunk(chunk.boot, row[1]) + unpack_chunk(chunk.boot, chunk.data)
        for merged in pack_chunks(both):
            insert_chunk(db, device, merged)
        return
    values = (
        *(device, chunk.boot, chunk.sensor, chunk.seq0, chunk.seq1, chunk.n_frames, chunk.n_samples),
        *(chunk.t0_us, chunk.t1_us, CODEC, zlib.crc32(chunk.data), chunk.data),
    )
    db.execute(f"INSERT INTO chunk ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
