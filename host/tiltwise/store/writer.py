"""Frames, aggregates and events become durable: what `commit` returns is on the disk, power cut or not.

The caller stages with `append` and `put_*` (staging.py, memory only), calls `commit` about once a second, and
acknowledges to the board only what `commit` returned. After a failed commit nothing is lost: what is staged waits
for the next one. Wall time is UTC s.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tiltwise.common.frame import read_frame
from tiltwise.config.atomic_file import private_folder
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store.acknowledged.found_frames import read_tail
from tiltwise.store.acknowledged.receipts import Key, Receipts, digest
from tiltwise.store.acknowledged.reconcile import compare
from tiltwise.store.erase import finish_begun, kept_months, oldest_kept_month
from tiltwise.store.files import schema, swap
from tiltwise.store.files.codec import StoredFrame
from tiltwise.store.files.lock import WriterLock
from tiltwise.store.files.raw_files import Place, RawFiles, Tail, month_of
from tiltwise.store.files.recovery import is_intact, open_core, recover
from tiltwise.store.files.schema import StoreError
from tiltwise.store.reader import StoreReader
from tiltwise.store.staging import BootFrames, StoreIntake
from tiltwise.text import counted

__all__ = ["Committed", "Store", "StoreError", "StoreReader"]

_US = 1_000_000
_TIGHT_SHARE = 25  # below so small a part of min_free_bytes (20 MB of 500) frames are left to the board


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
    min_free_bytes : below this, the user is warned; below a 25th of it raw frames wait, not acknowledged, so that the
        board keeps them, and only minutes and events are written. 0: never.
    now_s : wall clock, UTC s.
    free_bytes : free bytes of a folder's disk.
    origin : SIMULATED or REPLAYED marks all that is stored now as not the wearer's own; empty: it is.

    Raises
    ------
    StoreError
        When the folder cannot be written, another process writes it, or it is of a newer version.
    """

    # What happened to the store and nobody was told yet, oldest first: show each line once.
    reports: list[str]

    def __init__(
        self,
        folder: Path,
        *,
        min_free_bytes: int = 500_000_000,
        now_s: Callable[[], float] = time.time,
        free_bytes: Callable[[Path], int] = _free_bytes,
        origin: str = "",
    ) -> None:
        super().__init__(folder, origin)
        self.n_stored = 0  # frames, since it was opened
        self._is_closed = False
        self._broken = ""  # once set, nothing is acknowledged any more
        self._min_free, self._now_s, self._free_bytes = min_free_bytes, now_s, free_bytes
        try:
            private_folder(folder)
        except OSError as error:
            raise StoreError(f"cannot make the folder {folder}: {error.strerror}; choose another") from error
        self._lock = WriterLock(folder, now_s())
        try:
            self._open_files()
            self.retire()
        except BaseException:
            if hasattr(self, "_core"):
                self._core.close()
            self._lock.release()
            raise

    def _open_files(self) -> None:
        """Finish what was begun, open and mend core.db, and compare it with the receipts."""
        now_s, path = self._now_s(), self.folder / schema.CORE_NAME
        try:
            finish_begun(self.folder, now_s)
            is_core_new = not path.exists()
            for file in swap.store_files(self.folder):
                schema.make_private(file)
            self._core, mended = open_core(self.folder, now_s)
            try:
                self._compare(is_core_new=is_core_new, is_core_mended=bool(mended))
            except sqlite3.DatabaseError as error:
                if not schema.is_damage(error):
                    raise
                self._core.close()  # what the quick check does not see: pages that have changed places
                recover(path, schema.CORE_MIGRATIONS, now_s)
                self._core = schema.open_writer(path, schema.CORE_MIGRATIONS)
                self._compare(is_core_new=is_core_new, is_core_mended=True)
        except (sqlite3.Error, OSError) as error:
            raise error if isinstance(error, StoreError) else schema.explain(error, self.folder) from error
        self._raw = RawFiles(self.folder)
        self._places = [Place(path), Place(path.with_name(path.name + "-wal"))]
        self.reports = [each.line for each in swap.incidents(self.folder) if not each.is_told]
        self._n_reported = len(self.reports)

    def _compare(self, *, is_core_new: bool, is_core_mended: bool) -> None:
        """Compare core.db with the receipts, and learn what must be known of it in memory."""
        self._receipts = Receipts.load(self.folder)
        compare(
            self.folder,
            self._core,
            self._receipts,
            self._now_s(),
            is_core_new=is_core_new,
            is_core_mended=is_core_mended,
        )
        self._load()
        kept_months(self._core)

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
        self._learn(self._core)
        self._names = {number: name for name, number in self._devices.items()}
        self._tail = Tail(self._core)
        with schema.transaction(self._core):
            self._core.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")

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
        """Write everything staged in one durable transaction; raise StoreError (and keep it staged) when it fails.

        What is returned as settled is in files that still have their names, and in the receipts.
        """
        free, warning = self._free(), None
        is_tight = free < self._min_free / _TIGHT_SHARE
        if free < self._min_free:
            warning = (
                f"less than {self._min_free / 1e6:.0f} MB free on the disk of {self.folder}: free some space"
            )
        staged = [] if is_tight else [b for b in self._boots.values() if b.staged or b.lost]
        if is_tight:
            warning = (
                f"the disk of {self.folder} is full: keeping angles and alerts; raw samples wait on the board "
                "until some space is free"
            )
        self._check_places()
        n_frames = sum(len(b.staged) for b in staged)
        if self._rows or staged:
            after = [b.with_staged() for b in staged]
            self._write(staged, after)
            self._settle(staged, after)
            self._check_places()
        self._hand_receipts_over()
        if n_frames and self._n_reported:
            swap.mark_told(self.folder)  # a program that records has shown them by now
            self._n_reported = 0
        if self._tail.is_due:
            warning = self._flush() or warning
        warning = self._raw.lost() or warning
        return Committed({s: b.stored.settled for s, b in self._sessions.items()}, n_frames, warning)

    def _free(self) -> float:
        try:
            return self._free_bytes(self.folder)
        except OSError:  # the folder is gone for the moment; the commit says so better
            return math.inf

    def _check_places(self) -> None:
        """Refuse to go on in a file that nobody will find again; StoreError."""
        if self._broken:
            raise StoreError(self._broken)
        if not all(place.is_kept() for place in self._places):
            raise StoreError(
                f"{self.folder / schema.CORE_NAME} was deleted, moved or replaced while recording: nothing is stored "
                "or acknowledged any more; bring it back, or stop and start tiltwise"
            )

    def _hand_receipts_over(self) -> None:
        """Write the receipts of what was committed; without them nothing is acknowledged."""
        try:
            self._receipts.hand_over()
        except OSError as error:
            raise schema.explain(error, self.folder / swap.RECEIPTS_NAMES[0]) from error

    def _write(self, staged: list[BootFrames], after: list[SequenceRanges]) -> None:
        try:
            with schema.transaction(self._core):
                for sql, values in self._rows.values():
                    self._core.execute(sql, values)
                for boot, ranges in zip(staged, after, strict=True):
                    key = (boot.device_id, boot.boot)
                    if boot.staged:
                        self._tail.insert(key, [*boot.staged.values()])
                    self._core.execute(
                        "INSERT OR REPLACE INTO received (device_id, boot, ranges) VALUES (?, ?, ?)",
                        (*key, ranges.pack()),
                    )
        except sqlite3.Error as error:
            raise schema.explain(error, self.folder / schema.CORE_NAME) from error

    def _settle(self, staged: list[BootFrames], after: list[SequenceRanges]) -> None:
        """Let memory and receipts follow the disk, only now that the transaction is through."""
        self._rows.clear()
        for boot, ranges in zip(staged, after, strict=True):
            if boot.staged:
                self._tail.extend([f.utc_us for f in boot.staged.values()])
            came = SequenceRanges()
            for seq in boot.staged:
                came.add(seq, seq)
            self.n_stored += len(boot.staged)
            total = digest(f.data for f in boot.staged.values())
            self._receipts.note(self._key(boot), came.pairs, list(boot.lost), total)
            boot.settle(ranges)

    def _key(self, boot: BootFrames) -> Key:
        if boot.device_id not in self._names:
            self._names = {number: name for name, number in self._devices.items()}
        return self._names[boot.device_id], boot.boot

    def _flush(self) -> str | None:
        """Turn the tail into chunks; a failure costs nothing (the tail stays) and is returned as a line."""
        try:
            rows = self._read_back()
            if not rows and not self._receipts.tail:
                return None
            found, frames = read_tail(rows)
            if {k: found.sums.get(k, 0) for k in self._receipts.tail} != {
                k: self._receipts.sums.get(k, 0) for k in self._receipts.tail
            }:
                raise sqlite3.DatabaseError(schema.DAMAGED)
            recoveries, added = self._raw.add(frames, self._now_s())
            self.reports += [recovery.message for recovery in recoveries]
            self._note_chunks(frames, added)
            self._tail.drop(rows)
            swap.checkpoint(self._core)  # a short log: what a bad sector in it can cost is a minute
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.DatabaseError) and schema.is_damage(error):
                self._broken = (
                    f"{self.folder / schema.CORE_NAME} was damaged while recording: nothing is stored or "
                    "acknowledged any more; stop and start tiltwise, which saves what can be read"
                )
                raise StoreError(self._broken) from error
            return str(error if isinstance(error, StoreError) else schema.explain(error, self.folder))
        return None

    def _read_back(self) -> list[tuple[int, str, bytes, bytes]]:
        """Return the rows of the tail as another program would read them: not from this one's memory."""
        db = schema.open_reader(self.folder / schema.CORE_NAME)
        try:
            return Tail(db).rows()
        finally:
            db.close()

    def _note_chunks(
        self, frames: Mapping[tuple[str, str], list[StoredFrame]], added: Mapping[str, int]
    ) -> None:
        moved: dict[tuple[str, Key], SequenceRanges] = {}
        for (month, device), stored in frames.items():
            for each in stored:
                head = read_frame(each.data)
                moved.setdefault((month, (device, head.boot)), SequenceRanges()).add(head.seq, head.seq)
        self._receipts.chunked(moved, added)

    def retire(self) -> list[Path]:
        """Delete the raw months beyond the number that `keep_raw_months` says, if it is set, and return them."""
        months, newest = kept_months(self._core), self._raw.newest()
        if months is None or newest is None:
            return []
        now = month_of(round(self._now_s() * _US))
        oldest = oldest_kept_month(newest.stem.removeprefix("raw-"), now, months)
        return self._raw.delete_before(oldest, self._receipts.retired)

    def close(self) -> None:
        """Commit, chunk the tail, mark a clean end and let the lock go; a second call does nothing.

        Raises StoreError when the disk refuses, or when files were damaged or lost while they were written.
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
            if waiting := sum(len(boot.staged) for boot in self._boots.values()):
                raise StoreError(
                    f"the disk is full: {counted(waiting, 'frame')} not stored, the board keeps what it can hold"
                )
            if not is_intact(path := self.folder / schema.CORE_NAME):  # by what is on the disk, not in memory
                raise StoreError(
                    f"{path} was damaged while recording: start tiltwise, which saves what can be read"
                )
            if gone := self._raw.lost():
                raise StoreError(gone)
        except sqlite3.Error as error:
            raise schema.explain(error, self.folder) from error
        finally:
            self._raw.close()
            self._core.close()
            self._receipts.close()
            self._lock.release()
