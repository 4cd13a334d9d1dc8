"""Frames, aggregates and events become durable: what `commit` returns is on the disk, power cut or not.

The caller stages with `append` and `put_*` (memory only), calls `commit` about once a second, and acknowledges to the
board only what `commit` returned. After a failed commit nothing is lost: the staged data waits for the next one.
Wall time is UTC s. Before it: session.py. After it: store_reader.py, which may read while this writes.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType

import numpy as np

from tiltwise.app import store_schema as schema
from tiltwise.app.store_codec import Ranges, StoredFrame, pack_tail
from tiltwise.app.store_erase import kept_months, oldest_kept_month
from tiltwise.app.store_events import encode_event
from tiltwise.app.store_lock import WriterLock
from tiltwise.app.store_raw import RawFiles, month_of
from tiltwise.app.store_reader import StoreReader
from tiltwise.app.store_recover import Recovery, open_core
from tiltwise.app.store_schema import StoreError
from tiltwise.app.store_staging import INSERT_AGGREGATE, BootFrames, aggregate_values
from tiltwise.common import wire
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import Event, FloatArray, Mount

__all__ = ["Committed", "Store", "StoreError", "StoreReader"]

_US = 1_000_000
_TAIL_US = 60 * _US  # the tail becomes chunks when it spans a minute,
_TAIL_FRAMES = 3000  # or in a backfill burst ten minutes of frames


@dataclass(frozen=True, slots=True)
class Committed:
    """What is on the disk now: per session the last sequence number before the first hole, and a warning or None."""

    settled: Mapping[int, int | None]
    frames: int
    warning: str | None = None


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Store:
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
        self.folder = folder
        self._is_closed = False
        self._min_free, self._now_s, self._free_bytes = min_free_bytes, now_s, free_bytes
        self._rows: dict[tuple[object, ...], tuple[str, tuple[object, ...]]] = {}
        self._boots: dict[tuple[int, int], BootFrames] = {}
        self._sessions: dict[int, BootFrames] = {}
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
            self._devices = {str(n): int(k) for k, n in self._core.execute("SELECT id, name FROM device")}
            (last,) = self._core.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()
            self._next_session = int(last) + 1
            rows = self._core.execute("SELECT device_id, boot, ranges FROM received")
            self._received = {(int(device), int(boot)): bytes(ranges) for device, boot, ranges in rows}
            self._note_tail()
            with schema.transaction(self._core):
                self._core.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
        except sqlite3.Error as error:
            self._core.close()
            raise schema.explain(error, self.folder) from error

    def _note_tail(self) -> None:
        """Learn how much the tail holds, so that it becomes chunks in time."""
        self._tail_frames, self._tail_span = 0, [2**62, -(2**62)]
        for (times,) in self._core.execute("SELECT utc_us FROM tail"):
            self._extend_tail(np.frombuffer(times, dtype="<i8").tolist())

    def _extend_tail(self, times_us: Sequence[int]) -> None:
        self._tail_frames += len(times_us)
        self._tail_span = [min(self._tail_span[0], *times_us), max(self._tail_span[1], *times_us)]

    # Staging: memory only

    def begin_session(
        self,
        device: str,
        boot: int,
        *,
        zone: str,
        mount: Mount,
        started_s: float,
        info: Mapping[str, object] | None = None,
        first_seq: int | None = None,
    ) -> int:
        """Return the number of a new session: one device, one boot, one uninterrupted run of this program.

        Parameters
        ----------
        device : the device's own id or name.
        zone : IANA name of the time zone that the wearer is in.
        info : anything worth keeping (profile, versions, scales), as JSON.
        first_seq : oldest frame that the board still holds; what came before counts as settled. Without it the
            first frame that arrives is the first.
        """
        device_id = self._devices.get(device)
        if device_id is None:
            device_id = self._devices[device] = max(self._devices.values(), default=0) + 1
            row = (device_id, device, round(started_s * _US))
            self._put(("device", device_id), "INSERT OR IGNORE INTO device VALUES (?, ?, ?)", row)
        session, self._next_session = self._next_session, self._next_session + 1
        values = (session, device_id, boot, round(started_s * _US), zone, str(mount), json.dumps(info or {}))
        self._put(("session", session), "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        self._sessions[session] = self._boot(device_id, boot)
        if first_seq:
            self.mark_lost(session, 0, first_seq - 1)
        return session

    def _boot(self, device_id: int, boot: int) -> BootFrames:
        key = (device_id, boot)
        if key not in self._boots:
            ranges = Ranges(self._received.pop(key, b""))
            self._boots[key] = BootFrames(device_id, boot, ranges)
        return self._boots[key]

    def append(self, session: int, frames: Sequence[bytes], utc_s: Sequence[float] | FloatArray) -> int:
        """Stage frames as received and return how many are new; those stored before are dropped.

        Parameters
        ----------
        frames : checked frames (the decoder's tag check passed) of this session's boot, any type, any order.
        utc_s : (n,) UTC time of each frame's first sample.
        """
        boot = self._sessions[session]
        new = 0
        for frame, t_s in zip(frames, utc_s, strict=True):
            kind, _, frame_boot, seq, _, _, n, _, _ = wire.unpack_header(frame)
            least, most = wire.frame_sizes(kind, n)
            if frame_boot != boot.boot or not least <= len(frame) <= most:
                raise wire.WireError(
                    f"expected a whole frame of boot {boot.boot}, got {len(frame)} bytes of boot {frame_boot}"
                )
            if boot.has(seq):
                continue
            boot.stage(seq, StoredFrame(round(float(t_s) * _US), bytes(frame)))
            new += 1
        boot.limit()
        return new

    def mark_lost(self, session: int, first_seq: int, last_seq: int) -> None:
        """Settle frames that the board no longer holds, so that acknowledging goes on behind them."""
        self._sessions[session].lost.append((first_seq, last_seq))

    def put_aggregates(self, session: int, rows: Sequence[Aggregate], sensor: int = 0) -> None:
        """Stage minutes (start_s in UTC s); the same minute of the same session replaces the one before."""
        for row in rows:
            values = aggregate_values(session, sensor, row)
            self._put(("aggregate", session, sensor, values[2]), INSERT_AGGREGATE, values)

    def put_events(self, session: int, events: Sequence[Event], utc_offset_s: float) -> None:
        """Stage events; their device times plus the offset are UTC s."""
        sql = "INSERT OR IGNORE INTO event (session_id, utc_us, kind, data) VALUES (?, ?, ?, ?)"
        for event in events:
            kind, data = encode_event(event)
            utc_us = round((event.t_s + utc_offset_s) * _US)
            self._put(("event", session, utc_us, kind, data), sql, (session, utc_us, kind, data))

    def put_gap(self, session: int, start_s: float, end_s: float, reason: str) -> None:
        """Stage a stretch [start_s, end_s) UTC s without samples, and why."""
        values = (session, round(start_s * _US), round(end_s * _US), reason)
        sql = (
            "INSERT INTO gap (session_id, start_us, end_us, reason) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (session_id, start_us, reason) DO UPDATE SET end_us = excluded.end_us"
        )
        self._put(("gap", session, values[1], reason), sql, values)

    def close_lost_gaps(self, session: int) -> None:
        """Stage that of this session's boot everything was fetched: what is gone for good has rows of its own."""
        boot = self._sessions[session]
        sql = (
            "DELETE FROM gap WHERE reason = 'lost' AND session_id IN "
            "(SELECT id FROM session WHERE device_id = ? AND boot = ?)"
        )
        self._put(("close", boot.device_id, boot.boot), sql, (boot.device_id, boot.boot))

    def received(self, device: str, boot: int) -> list[tuple[int, int]]:
        """Return the ranges of frames of a boot that are settled, stored or known to be lost, in order."""
        device_id = self._devices.get(device)
        return [] if device_id is None else self._boot(device_id, boot).stored.pairs

    def put_clock_fit(self, session: int, device_s: float, utc_s: float, rate: float) -> None:
        """Stage a fit: from device time device_s on, UTC = utc_s + (t - device_s) * rate."""
        values = (session, round(device_s * _US), round(utc_s * _US), rate)
        sql = "INSERT OR REPLACE INTO clock_fit (session_id, device_us, utc_us, rate) VALUES (?, ?, ?, ?)"
        self._put(("fit", session, values[1]), sql, values)

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

    def put_setting(self, key: str, value: object) -> None:
        """Stage a setting that belongs to the data, as JSON."""
        self._put(("setting", key), "INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, json.dumps(value)))

    def _put(self, key: tuple[object, ...], sql: str, values: tuple[object, ...]) -> None:
        self._rows.pop(key, None)  # a replacement goes to the end: behind the row it refers to
        self._rows[key] = (sql, values)

    # Committing

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
        if self._tail_frames >= _TAIL_FRAMES or self._tail_span[1] - self._tail_span[0] >= _TAIL_US:
            warning = self._flush() or warning
        return Committed({s: b.stored.settled for s, b in self._sessions.items()}, n_frames, warning)

    def _has_room(self) -> bool:
        try:
            return self._free_bytes(self.folder) >= self._min_free
        except OSError:  # the folder is gone for the moment; the commit says so better
            return True

    def _write(self, staged: list[BootFrames], after: list[Ranges], is_raw_kept: bool) -> None:
        try:
            with schema.transaction(self._core):
                for sql, values in self._rows.values():
                    self._core.execute(sql, values)
                for boot, ranges in zip(staged, after, strict=True):
                    key = (boot.device_id, boot.boot)
                    if is_raw_kept and boot.staged:
                        row = (*key, *pack_tail(boot.staged))
                        self._core.execute(
                            "INSERT INTO tail (device_id, boot, utc_us, frames) VALUES (?, ?, ?, ?)", row
                        )
                    self._core.execute(
                        "INSERT OR REPLACE INTO received (device_id, boot, ranges) VALUES (?, ?, ?)",
                        (*key, ranges.pack()),
                    )
        except sqlite3.Error as error:
            raise schema.explain(error, self.folder / schema.CORE_NAME) from error

    def _settle(self, staged: list[BootFrames], after: list[Ranges], is_raw_kept: bool) -> None:
        """Let memory follow the disk, only now that the transaction is through."""
        self._rows.clear()
        for boot, ranges in zip(staged, after, strict=True):
            if is_raw_kept and boot.staged:
                self._extend_tail([f.utc_us for f in boot.staged])
            boot.settle(ranges)

    def _flush(self) -> str | None:
        """Turn the tail into chunks; a failure costs nothing (the tail stays) and is returned as a line."""
        try:
            rows = self._core.execute(
                "SELECT tail.id, name, utc_us, frames FROM tail JOIN device ON device.id = device_id ORDER BY 1"
            ).fetchall()
            self.recoveries += self._raw.add(rows, self._now_s())
            if rows:
                with schema.transaction(self._core):
                    self._core.execute("DELETE FROM tail WHERE id <= ?", (rows[-1][0],))
            self._note_tail()
        except (sqlite3.Error, StoreError) as error:
            return str(error if isinstance(error, StoreError) else schema.explain(error, self.folder))
        return None

    def delete_raw_before(self, day: date) -> list[Path]:
        """Delete the raw month files that end before this day's month, and return them; the rest stays."""
        return self._raw.delete_before(
            month_of(round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * _US))
        )

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
