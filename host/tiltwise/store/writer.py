"""Frames, aggregates and events become durable: what `commit` returns is on the disk, power cut or not.

The caller stages with `append` and `put_*` (staging.py, memory only), calls `commit` about once a second, and
acknowledges to the board only what `commit` returned. After a failed commit nothing is lost: what is staged waits
for the next one. Wall time is UTC s.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store import schema
from tiltwise.store.erase import kept_months, oldest_kept_month
from tiltwise.store.lock import WriterLock
from tiltwise.store.raw_files import RawFiles, month_of
from tiltwise.store.reader import StoreReader
from tiltwise.store.recovery import Recovery, open_core
from tiltwise.store.schema import StoreError
from tiltwise.store.staging import BootFrames, StoreIntake
from tiltwise.store.tail import Tail

__all__ = ["Committed", "Store", "StoreError", "StoreReader"]

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Committed:
    """What is on the disk now: per session the last sequence number before the first hole, and a warning or None."""

    settled: Mapping[int, int | None]
    frames: int
    warning: str | None = None


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Store(StoreIntake):
    """The one writer of a folder; use it as a context manager or call `close`.

    Parameters
    ----------
    folder : made when absent.
    min_free_bytes : below this, raw frames are no longer kept; aggregates, events and acknowledgements go on.
    now_s : wall clock, UTC s.
    free_bytes : free bytes of a folder's disk.

    Raises
    ------
    StoreError
        When the folder cannot be written, another process writes it, or it is of a newer version.
    """

    recoveries: list[Recovery]  # of damaged files, newest last: tell the user each message once

    def __init__(
        self,
        folder: Path,
        *,
        min_free_bytes: int = 500_000_000,
        now_s: Callable[[], float] = time.time,
        free_bytes: Callable[[Path], int] = _free_bytes,
    ) -> None:
        super().__init__(folder)
        self._is_closed = False
        self._min_free, self._now_s, self._free_bytes = min_free_bytes, now_s, free_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the folder {folder}: {error.strerror}; choose another") from error
        self._lock = WriterLock(folder, now_s())
        try:
            self._raw = RawFiles(folder)
            self._core, self.recoveries = open_core(folder, now_s())
            self._load()
            self.retire()
        except BaseException:
            self._lock.release()
            raise

    @staticmethod
    def open_readonly(folder: Path) -> StoreReader:
        """Open a folder for reading, also while another process writes it."""
        return StoreReader(folder)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> None:
        """Read what must be known in memory, and mark the store as being written."""
        try:
            self._learn(self._core)
            self._tail = Tail(self._core)
            with schema.transaction(self._core):
                self._core.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
        except sqlite3.Error as error:
            self._core.close()
            raise schema.explain(error, self.folder) from error

    def clock_fit(self, device: str, boot: int) -> tuple[float, float, float] | None:
        """Return the newest committed fit of a boot, (device_s, utc_s, rate), or None."""
        sql = (
            "SELECT device_us, utc_us, rate FROM clock_fit JOIN session ON session.id = session_id "
            "WHERE device_id = ? AND boot = ? ORDER BY utc_us DESC LIMIT 1"
        )
        try:
            row = self._core.execute(sql, (self._devices.get(device), boot)).fetchone()
        except sqlite3.Error as error:
            raise schema.explain(error, self.folder) from error
        return None if row is None else (row[0] / _US, row[1] / _US, float(row[2]))

    def commit(self) -> Committed:
        """Write everything staged in one durable transaction; raise StoreError (and keep it staged) when it fails."""
        staged = [b for b in self._boots.values() if b.staged or b.lost]
        after = [b.with_staged() for b in staged]
        n_frames = sum(len(b.staged) for b in staged)
        warning = None
        if self._rows or staged:
            is_raw_kept = self._has_room()
            if not is_raw_kept:
                warning = f"less than {self._min_free / 1e6:.0f} MB free: keeping angles and alerts, not raw samples"
            self._write(staged, after, is_raw_kept)
            self._settle(staged, after, is_raw_kept)
        if self._tail.is_due:
            warning = self._flush() or warning
        return Committed({s: b.stored.settled for s, b in self._sessions.items()}, n_frames, warning)

    def _has_room(self) -> bool:
        try:
            return self._free_bytes(self.folder) >= self._min_free
        except OSError:  # the folder is gone for the moment; the commit says so better
            return True

    def _write(self, staged: list[BootFrames], after: list[SequenceRanges], is_raw_kept: bool) -> None:
        try:
            with schema.transaction(self._core):
                for sql, values in self._rows.values():
                    self._core.execute(sql, values)
                for boot, ranges in zip(staged, after, strict=True):
                    key = (boot.device_id, boot.boot)
                    if is_raw_kept and boot.staged:
                        self._tail.insert(key, [*boot.staged.values()])
                    self._core.execute(
                        "INSERT OR REPLACE INTO received (device_id, boot, ranges) VALUES (?, ?, ?)",
                        (*key, ranges.pack()),
                    )
        except sqlite3.Error as error:
            raise schema.explain(error, self.folder / schema.CORE_NAME) from error

    def _settle(self, staged: list[BootFrames], after: list[SequenceRanges], is_raw_kept: bool) -> None:
        """Let memory follow the disk, only now that the transaction is through."""
        self._rows.clear()
        for boot, ranges in zip(staged, after, strict=True):
            if is_raw_kept and boot.staged:
                self._tail.extend([f.utc_us for f in boot.staged.values()])
            boot.settle(ranges)

    def _flush(self) -> str | None:
        """Turn the tail into chunks; a failure costs nothing (the tail stays) and is returned as a line."""
        try:
            rows = self._tail.rows()
            self.recoveries += self._raw.add(rows, self._now_s())
            self._tail.drop(rows)
        except (sqlite3.Error, StoreError) as error:
            return str(error if isinstance(error, StoreError) else schema.explain(error, self.folder))
        return None

    def retire(self) -> list[Path]:
        """Delete the raw months beyond the number that `keep_raw_months` says, if it is set, and return them."""
        months, newest = kept_months(self._core), self._raw.newest()
        if months is None or newest is None:
            return []
        now = month_of(round(self._now_s() * _US))
        return self._raw.delete_before(oldest_kept_month(newest.stem.removeprefix("raw-"), now, months))

    def close(self) -> None:
        """Commit, chunk the tail, mark a clean end and let the lock go; raises StoreError when the disk refuses.

        A second call does nothing.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.commit()
            self._flush()
            with schema.transaction(self._core):
                self._core.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
            self._core.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise schema.explain(error, self.folder) from error
        finally:
            self._raw.close()
            self._core.close()
            self._lock.release()
