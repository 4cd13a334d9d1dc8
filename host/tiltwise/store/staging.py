"""Stage sessions, frames and rows in memory until the next commit, each row under a key of its own.

Nothing here writes; a row that replaces one that still waits goes behind it. Wall time is UTC s.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tiltwise.common import wire
from tiltwise.common.frame import Frame, frame_sizes
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.store.events import StoredEvent, encode_event
from tiltwise.store.exercise_rows import encode_exercise
from tiltwise.store.files.codec import StoredFrame, pack_aggregate
from tiltwise.types import Activity, FloatArray, Mount

_US = 1_000_000
_MOST_STAGED = 200_000  # frames kept while the disk refuses: a long workday, 50 MB
_INSERT_AGGREGATE = (
    "INSERT OR REPLACE INTO aggregate (session_id, sensor, start_us, algorithm, covered_s, worn_s, posture_s, "
    "moving_s, mean_deg, above_15_s, above_20_s, above_30_s, above_45_s, above_60_s, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(slots=True)
class BootFrames:
    """The frames of one device and boot: those on the disk, and those staged."""

    device_id: int
    boot: int
    stored: SequenceRanges
    staged: dict[int, StoredFrame] = field(default_factory=dict)  # by sequence number, in order of arrival
    lost: list[tuple[int, int]] = field(default_factory=list)

    def with_staged(self) -> SequenceRanges:
        """Return what will be on the disk after the commit."""
        after = self.stored.copy()
        for first, last in self.lost:
            after.add(first, last)
        for seq in self.staged:
            after.add(seq, seq)
        return after

    def has(self, seq: int) -> bool:
        """Tell whether this frame is stored or staged."""
        return seq in self.staged or seq in self.stored

    def limit(self) -> None:
        """Forget the oldest staged frames beyond a workday; never acknowledged, so the board may send them again."""
        for seq in list(self.staged)[:-_MOST_STAGED]:
            del self.staged[seq]

    def settle(self, stored: SequenceRanges) -> None:
        """Follow the disk after a commit."""
        self.stored = stored
        self.staged.clear()
        self.lost.clear()


class StoreIntake:
    """The half of a Store that stages; call `_learn` before anything else.

    Parameters
    ----------
    folder : of the store, for messages.
    origin : kept with each session, as the store's reader returns it.
    """

    def __init__(self, folder: Path, origin: str = "") -> None:
        self.folder, self.origin = folder, origin
        self._rows: dict[tuple[object, ...], tuple[str, tuple[object, ...]]] = {}
        self._boots: dict[tuple[int, int], BootFrames] = {}
        self._sessions: dict[int, BootFrames] = {}

    def _learn(self, core: sqlite3.Connection) -> None:
        """Read which devices and sessions there are; sqlite3.Error when the disk refuses."""
        self._devices = {str(n): int(k) for k, n in core.execute("SELECT id, name FROM device")}
        (last,) = core.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()
        self._next_session = int(last) + 1
        rows = core.execute("SELECT device_id, boot, ranges FROM received")
        self._received = {(int(device), int(boot)): bytes(ranges) for device, boot, ranges in rows}

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
        about = {**(info or {}), **({"origin": self.origin} if self.origin else {})}
        values = (session, device_id, boot, round(started_s * _US), zone, str(mount), json.dumps(about))
        self._put(("session", session), "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        self._sessions[session] = self._boot(device_id, boot)
        if first_seq:
            self.mark_lost(session, 0, first_seq - 1)
        return session

    def _boot(self, device_id: int, boot: int) -> BootFrames:
        key = (device_id, boot)
        if key not in self._boots:
            ranges = SequenceRanges(self._received.pop(key, b""))
            self._boots[key] = BootFrames(device_id, boot, ranges)
        return self._boots[key]

    def append(self, session: int, frames: Sequence[Frame], utc_s: Sequence[float] | FloatArray) -> int:
        """Stage frames as received and return how many are new; those stored before are dropped.

        Parameters
        ----------
        frames : checked frames (the decoder's tag check passed) of this session's boot, any type, any order.
        utc_s : (n,) UTC time of each frame's first sample.
        """
        boot = self._sessions[session]
        new = 0
        for frame, t_s in zip(frames, utc_s, strict=True):
            least, most = frame_sizes(frame.frame_type, frame.n)
            if frame.boot != boot.boot or not least <= len(frame.data) <= most:
                raise wire.WireError(
                    f"expected a whole frame of boot {boot.boot}, got {len(frame.data)} bytes of boot {frame.boot}"
                )
            if boot.has(frame.seq):
                continue
            boot.staged[frame.seq] = StoredFrame(round(float(t_s) * _US), frame.data)
            new += 1
        boot.limit()
        return new

    def mark_lost(self, session: int, first_seq: int, last_seq: int) -> None:
        """Settle frames that the board no longer holds, so that acknowledging goes on behind them."""
        self._sessions[session].lost.append((first_seq, last_seq))

    def put_aggregates(self, session: int, rows: Sequence[Aggregate], sensor: int = 0) -> None:
        """Stage minutes (start_s in UTC s); the same minute of the same session replaces the one before."""
        for row in rows:
            values = _aggregate_values(session, sensor, row)
            self._put(("aggregate", session, sensor, values[2]), _INSERT_AGGREGATE, values)

    def put_events(self, session: int, events: Sequence[StoredEvent], utc_offset_s: float) -> None:
        """Stage events; their device times plus the offset are UTC s."""
        sql = "INSERT OR IGNORE INTO event (session_id, utc_us, kind, data) VALUES (?, ?, ?, ?)"
        for event in events:
            kind, data = encode_event(event)
            utc_us = round((event.t_s + utc_offset_s) * _US)
            self._put(("event", session, utc_us, kind, data), sql, (session, utc_us, kind, data))

    def put_exercise(self, session: int, record: ExerciseRecord, utc_offset_s: float) -> None:
        """Stage what was done of an exercise so far; the same exercise of the same session replaces it."""
        start_us, end_us = (round((t + utc_offset_s) * _US) for t in (record.start_s, record.end_s))
        values = (session, start_us, end_us, record.exercise, encode_exercise(record))
        sql = "INSERT OR REPLACE INTO exercise (session_id, start_us, end_us, name, data) VALUES (?, ?, ?, ?, ?)"
        self._put(("exercise", session, start_us, record.exercise), sql, values)

    def put_gap(self, session: int, start_s: float, end_s: float, reason: str) -> None:
        """Stage a stretch [start_s, end_s) UTC s without samples, and why."""
        values = (session, round(start_s * _US), round(end_s * _US), reason)
        sql = (
            "INSERT INTO gap (session_id, start_us, end_us, reason) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (session_id, start_us, reason) DO UPDATE SET end_us = excluded.end_us"
        )
        self._put(("gap", session, values[1], reason), sql, values)

    def close_gaps(self, session: int, reason: str) -> None:
        """Stage that this boot's gaps of one reason are over: what is gone for good has rows of its own."""
        boot = self._sessions[session]
        sql = (
            "DELETE FROM gap WHERE reason = ? AND session_id IN "
            "(SELECT id FROM session WHERE device_id = ? AND boot = ?)"
        )
        self._put(("close", boot.device_id, boot.boot, reason), sql, (reason, boot.device_id, boot.boot))

    def received(self, device: str, boot: int) -> list[tuple[int, int]]:
        """Return the ranges of frames of a boot that are settled, stored or known to be lost, in order."""
        device_id = self._devices.get(device)
        return [] if device_id is None else self._boot(device_id, boot).stored.pairs

    def put_clock_fit(self, session: int, device_s: float, utc_s: float, rate: float) -> None:
        """Stage a fit: from device time device_s on, UTC = utc_s + (t - device_s) * rate."""
        values = (session, round(device_s * _US), round(utc_s * _US), rate)
        sql = "INSERT OR REPLACE INTO clock_fit (session_id, device_us, utc_us, rate) VALUES (?, ?, ?, ?)"
        self._put(("fit", session, values[1]), sql, values)

    def put_setting(self, key: str, value: object) -> None:
        """Stage a setting that belongs to the data, as JSON."""
        self._put(("setting", key), "INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, json.dumps(value)))

    def _put(self, key: tuple[object, ...], sql: str, values: tuple[object, ...]) -> None:
        self._rows.pop(key, None)  # a replacement goes to the end: behind the row it refers to
        self._rows[key] = (sql, values)


def _aggregate_values(session: int, sensor: int, row: Aggregate) -> tuple[object, ...]:
    """Return the columns that SQL queries of a year read, and the whole row as a blob."""
    histogram = row.flexion_s.sum(axis=0)
    mean = float(histogram @ agg.FLEXION_CENTRES_DEG) / row.posture_s if row.posture_s > 0 else None
    moving = row.seconds(Activity.MOVING) + row.seconds(Activity.WALKING)
    return (
        *(session, sensor, round(row.start_s * _US), agg.ALGORITHM),
        *(
            row.covered_s,
            row.worn_s,
            row.posture_s,
            moving,
            mean,
            *agg.above_s(histogram),
            pack_aggregate(row),
        ),
    )
