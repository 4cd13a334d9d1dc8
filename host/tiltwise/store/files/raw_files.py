"""Raw frames on their way to the disk: the tail in core.db, and the month files of chunks.

The newest frames wait in the tail as received, until a minute of them becomes chunks in the file of their month. Old
months are deleted as files (no VACUUM, no long locks). Times are UTC epoch us.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tiltwise.store.files import schema, swap
from tiltwise.store.files.codec import CODEC, Chunk, StoredFrame, pack_chunks, pack_tail, unpack_chunk
from tiltwise.store.files.recovery import Recovery, is_intact, recover
from tiltwise.store.files.schema import StoreError

_COLUMNS = "device, boot, sensor, seq0, seq1, n_frames, n_samples, t0_us, t1_us, codec, crc32, data"
_MOST_US = 60_000_000  # the tail becomes chunks when it spans a minute,
_MOST_FRAMES = 3000  # or in a backfill burst ten minutes of frames


def month_of(utc_us: int) -> str:
    """Return the UTC month "YYYY-MM" of a time in us."""
    return datetime.fromtimestamp(utc_us / 1e6, UTC).strftime("%Y-%m")


def raw_files(folder: Path) -> list[Path]:
    """Return the month files of a folder in order."""
    return sorted(folder.glob(schema.RAW_PATTERN))


class Place:
    """A file under its name at some moment: whether the name is still that of the same file."""

    def __init__(self, path: Path) -> None:
        self._path, self._is = path, self._look(path)

    @staticmethod
    def _look(path: Path) -> tuple[int, int] | None:
        try:
            seen = path.stat()
        except OSError:
            return None
        return seen.st_dev, seen.st_ino

    def is_kept(self) -> bool:
        """Tell whether the name still leads to that file: not deleted, moved or replaced by another one."""
        return self._is is not None and self._look(self._path) == self._is


class RawFiles:
    """The writer's side of the month files; keeps the one in use open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: tuple[Path, sqlite3.Connection] | None = None
        self._places = {path: Place(path) for path in raw_files(folder)}

    def lost(self) -> str:
        """Return a line on a month that was there and is not any more, or an empty text."""
        gone = next((path for path, place in self._places.items() if not place.is_kept()), None)
        if gone is None:
            return ""
        return (
            f"{gone} was deleted, moved or replaced while recording: bring it back, or stop and start tiltwise, "
            "which says what is missing"
        )

    def newest(self) -> Path | None:
        """Return the newest month file, None without any."""
        files = raw_files(self._folder)
        return files[-1] if files else None

    def add(
        self, groups: Mapping[tuple[str, str], list[StoredFrame]], now_s: float
    ) -> tuple[list[Recovery], dict[str, int]]:
        """Write the frames of each (month, device) as chunks, in one transaction each, and fold the logs in.

        A month file that turns out to be damaged is set aside and salvaged, and the chunks go into the new one.
        Returns the recoveries, and how many chunks each month has more. Raises StoreError or sqlite3.Error when the
        disk refuses.
        """
        recoveries, added = [], dict[str, int]()
        for (month, device), frames in sorted(groups.items()):
            path = self._folder / f"raw-{month}.db"
            try:
                more = self._add(path, device, frames)
            except sqlite3.DatabaseError as error:
                if not schema.is_damage(error):
                    raise schema.explain(error, path) from error
                self.close()
                recoveries.append(recover(path, schema.RAW_MIGRATIONS, now_s))
                more = self._add(path, device, frames)
            added[month] = added.get(month, 0) + more
        return recoveries, added

    def _add(self, path: Path, device: str, frames: list[StoredFrame]) -> int:
        """Write chunks and return how many the file has more."""
        db = self._connection(path)
        count = "SELECT count(*) FROM chunk"
        with schema.transaction(db):
            (before,) = db.execute(count).fetchone()
            for chunk in pack_chunks(frames):
                insert_chunk(db, device, chunk)
            (after,) = db.execute(count).fetchone()
        swap.checkpoint(db)
        return int(after - before)

    def _connection(self, path: Path) -> sqlite3.Connection:
        if self._open is None or self._open[0] != path:
            self.close()
            if path.is_file() and not is_intact(path):  # here, not at the start: a full month takes a second
                raise sqlite3.DatabaseError(schema.DAMAGED)
            self._open = (path, schema.open_writer(path, schema.RAW_MIGRATIONS))
            self._places[path] = Place(path)
        if not self._places[path].is_kept():
            raise StoreError(self.lost())
        return self._open[1]

    def delete_before(self, month: str, on_delete: Callable[[str], None]) -> list[Path]:
        """Delete the files of months before this one and return their paths; `on_delete` hears of each first."""
        old = [path for path in raw_files(self._folder) if path.stem < f"raw-{month}"]
        if old:
            self.close()
        for path in old:
            on_delete(path.stem.removeprefix("raw-"))
            self._places.pop(path, None)
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


class Tail:
    """The writer's side of the table `tail`, and how much it holds."""

    def __init__(self, core: sqlite3.Connection) -> None:
        self._core = core
        self._note()

    def _note(self) -> None:
        """Learn how much the tail holds, so that it becomes chunks in time."""
        self._frames, self._span_us = 0, [2**62, -(2**62)]
        for (times,) in self._core.execute("SELECT utc_us FROM tail"):
            self.extend(np.frombuffer(times, dtype="<i8").tolist())

    def extend(self, times_us: Sequence[int]) -> None:
        """Count frames that are in the table now."""
        self._frames += len(times_us)
        self._span_us = [min(self._span_us[0], *times_us), max(self._span_us[1], *times_us)]

    @property
    def is_due(self) -> bool:
        """Tell whether the tail should become chunks."""
        return self._frames >= _MOST_FRAMES or self._span_us[1] - self._span_us[0] >= _MOST_US

    def insert(self, key: tuple[int, int], frames: Sequence[StoredFrame]) -> None:
        """Write frames of a (device, boot) within the caller's transaction; `extend` when that is through."""
        self._core.execute(
            "INSERT INTO tail (device_id, boot, utc_us, frames) VALUES (?, ?, ?, ?)",
            (*key, *pack_tail(frames)),
        )

    def rows(self) -> list[tuple[int, str, bytes, bytes]]:
        """Return all rows (id, device, times, frames), oldest first."""
        sql = "SELECT tail.id, name, utc_us, frames FROM tail JOIN device ON device.id = device_id ORDER BY 1"
        return self._core.execute(sql).fetchall()

    def drop(self, rows: Sequence[tuple[int, str, bytes, bytes]]) -> None:
        """Forget rows whose frames are durable elsewhere."""
        if rows:
            with schema.transaction(self._core):
                self._core.execute("DELETE FROM tail WHERE id <= ?", (rows[-1][0],))
        self._note()
