"""What the store holds, for plots, reports and exports: days in the wearer's zone, frames and samples of any stretch.

Opens its own read-only connections, so it may run beside the writer. Times are UTC s; a day is the local calendar day
of an IANA zone and has 23 or 25 hours when the clocks change.
"""

from __future__ import annotations

import json
import math
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType

from tiltwise.common import wire
from tiltwise.common.dose import HEAD, TRUNK
from tiltwise.common.frame import read_frame, unpack_header
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.report import aggregate as agg
from tiltwise.store.day_rows import (
    blob_of,
    day_events,
    day_gaps,
    day_minutes,
    is_doubled,
    relative_to,
    sums_of_one_wearer,
    whole,
)
from tiltwise.store.erase import finish_if_begun
from tiltwise.store.exercise_rows import decode_exercise
from tiltwise.store.files import schema
from tiltwise.store.files.codec import StoredFrame, pack_chunks, unpack_chunk, unpack_columns, unpack_tail
from tiltwise.store.files.raw_files import month_of, raw_files
from tiltwise.store.files.recovery import readable_rows
from tiltwise.store.files.schema import StoreError
from tiltwise.store.files.swap import store_files
from tiltwise.store.local_days import day_bounds_us, zone_info
from tiltwise.store.stored_samples import StoredDay, StoredSamples, joined
from tiltwise.types import Mount

_US = 1_000_000
# Of a session: where its rule begins to count, which by dose depends on the place (common/dose.py).
_RULE_DEG = (
    "CASE json_extract(info, '$.rule.kind') WHEN 'dose' "
    f"THEN iif(mount = 'collar', {TRUNK[0] / 10}, {HEAD[0] / 10}) ELSE json_extract(info, '$.rule.angle_deg') END"
)


@dataclass(frozen=True, slots=True)
class DayTotals:
    """One local day in a few numbers: seconds, and percent of posture time at or beyond each angle (NaN without)."""

    day: date
    covered_s: float
    worn_s: float
    posture_s: float
    moving_s: float
    mean_deg: float
    percent_above_deg: dict[int, float]


class StoreReader:
    """Read-only view of a store folder; raises StoreError where there is none or it is of a newer version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / schema.CORE_NAME
        finish_if_begun(folder)
        if not path.is_file():
            if store_files(folder):
                raise StoreError(
                    f"{path} is missing, other files of it are there: bring it back or run `tiltwise watch`"
                )
            raise StoreError(f"no recordings in {folder}: run `tiltwise watch` or `tiltwise demo` first")
        try:
            self._core = schema.open_reader(path)
            try:
                schema.check_version(self._core, path, schema.CORE_MIGRATIONS)
            except BaseException:
                self._core.close()
                raise
        except sqlite3.Error as error:
            raise schema.explain(error, path) from error
        self.damaged_chunks = 0  # whose checksum was wrong; they are skipped

    def __enter__(self) -> StoreReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._core.close()

    def _query(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        try:
            return self._core.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise schema.explain(error, self._folder / schema.CORE_NAME) from error

    def zone(self) -> str:
        """Return the zone of the newest session, UTC without any."""
        rows = self._query("SELECT zone FROM session ORDER BY started_us DESC, id DESC LIMIT 1")
        return str(rows[0][0]) if rows else "UTC"

    def devices(self) -> list[str]:
        """Return the names of the devices, oldest first."""
        return [str(row[0]) for row in self._query("SELECT name FROM device ORDER BY first_us, id")]

    def setting(self, key: str) -> object:
        """Return a setting, None when absent."""
        rows = self._query("SELECT value FROM setting WHERE key=?", (key,))
        value: object = json.loads(str(rows[0][0])) if rows else None
        return value

    def size_bytes(self) -> int:
        """Return the bytes of all files of the store."""
        return sum(p.stat().st_size for p in self._folder.iterdir() if p.is_file())

    def days(self, zone: str | None = None) -> list[date]:
        """Return the local days that have aggregates, in order."""
        name, days, at_us = zone or self.zone(), list[date](), -math.inf
        tz, sql = zone_info(name), "SELECT min(start_us) FROM aggregate WHERE start_us >= ?"
        while (first_us := self._query(sql, (at_us,))[0][0]) is not None:
            if not isinstance(first_us, int):
                raise schema.explain(sqlite3.DatabaseError(schema.DAMAGED), self._folder / schema.CORE_NAME)
            days.append(datetime.fromtimestamp(first_us / _US, tz).date())
            at_us = day_bounds_us(days[-1], name)[1]
        return days

    def day(self, day: date, zone: str | None = None) -> StoredDay:
        """Return everything of one local day; empty lists when there is nothing."""
        name = zone or self.zone()
        start_us, end_us = day_bounds_us(day, name)
        chosen = day_minutes(self._query, start_us, end_us)
        return StoredDay(
            start_us / _US, end_us / _US, name, self.mount(start_us, end_us),
            [row for sensor, row in chosen.rows if sensor == 0],
            day_events(self._query, start_us, end_us, chosen.device_of),
            day_gaps(self._query, start_us, end_us, chosen.device_of),
            self._rule_deg(start_us, end_us),
            self.origins(start_us, end_us),
            [row for sensor, row in chosen.rows if sensor == 1],
            chosen.left_out_s,
            relative_to(self._query, start_us, end_us),
            [e.compared for e in self.exercises(start_us / _US, end_us / _US) if e.compared is not None],
        )  # fmt: skip

    def _rule_deg(self, start_us: int, end_us: int) -> float | None:
        """Return the angle of the rule that was in force for most minutes of the stretch, if it was kept."""
        rows = self._query(
            f"SELECT {_RULE_DEG} AS deg FROM aggregate "
            "JOIN session ON session.id = session_id WHERE start_us >= ? AND start_us < ? AND deg IS NOT NULL "
            "GROUP BY deg ORDER BY count(*) DESC LIMIT 1",
            (start_us, end_us),
        )
        return float(str(rows[0][0])) if rows else None

    def origins(self, start_us: int, end_us: int) -> tuple[str, ...]:
        """Return what of [start_us, end_us) is not the wearer's own: SIMULATED, REPLAYED, both or nothing."""
        rows = self._query(
            "SELECT DISTINCT info FROM session WHERE info LIKE '%\"origin\"%' AND id IN "
            "(SELECT session_id FROM aggregate WHERE start_us >= ? AND start_us < ?)",
            (start_us, end_us),
        )
        return tuple(sorted({str(json.loads(str(info)).get("origin", "")) for (info,) in rows} - {""}))

    def mount(self, start_us: int, end_us: int) -> Mount:
        """Return the mount that most minutes of the stretch were worn on; the newest one's without any."""
        rows = self._query(
            "SELECT mount FROM aggregate JOIN session ON session.id = session_id "
            "WHERE start_us >= ? AND start_us < ? AND sensor = 0 GROUP BY mount ORDER BY count(*) DESC LIMIT 1",
            (start_us, end_us),
        ) or self._query("SELECT mount FROM session ORDER BY started_us DESC, id DESC LIMIT 1")
        return Mount(str(rows[0][0])) if rows else Mount.NECK

    def exercises(self, start_s: float = 0.0, end_s: float = math.inf) -> list[ExerciseRecord]:
        """Return the guided exercises that began in [start_s, end_s) UTC s, in order of time."""
        if not schema.has_table(self._core, "exercise"):  # an older store that cannot be written
            return []
        end_us = math.inf if end_s == math.inf else round(end_s * _US)
        rows = self._query(
            "SELECT data, start_us FROM exercise WHERE start_us >= ? AND start_us < ? ORDER BY start_us",
            (round(start_s * _US), end_us),
        )
        return [decode_exercise(str(data), int(str(start)) / _US) for data, start in rows]

    def totals(self, first: date, last: date, zone: str | None = None) -> list[DayTotals]:
        """Return the totals of the days first to last (inclusive) that have data."""
        name = zone or self.zone()
        days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
        sums = ", ".join(f"sum(above_{limit}_s)" for limit in agg.THRESHOLDS_DEG)
        sql = (
            "SELECT sum(covered_s), sum(worn_s), sum(posture_s), sum(moving_s), "
            f"sum(mean_deg * posture_s), {sums} FROM aggregate WHERE start_us >= ? AND start_us < ? AND sensor = 0"
        )
        found = []
        for day in days:
            bounds_us = day_bounds_us(day, name)
            (row,) = self._query(sql, bounds_us)
            values = [float(str(v or 0.0)) for v in row]
            if row[0] is not None:
                if is_doubled(self._query, bounds_us):
                    values = sums_of_one_wearer(self._query, bounds_us)
                found.append(_totals(day, values))
        return found

    def last_s(self, device: str, boot: int | None = None) -> float | None:
        """Return when the newest samples of a boot, or of any, ended, UTC s; None when none are recent."""
        ends_us = [_end_us(f) for _, of, frames in self._tail(device) if boot in (None, of) for f in frames]
        for path in raw_files(self._folder)[-2:]:
            try:
                ends_us += self._ends_us(path, device, boot)
            except sqlite3.Error as error:
                raise schema.explain(error, path) from error
        return max(ends_us) / _US if ends_us else None

    @staticmethod
    def _ends_us(path: Path, device: str, boot: int | None) -> list[int]:
        sql = "SELECT max(t1_us) FROM chunk WHERE device = ?1 AND (?2 IS NULL OR boot = ?2) AND n_samples > 0"
        db = schema.open_reader(path)
        try:
            return [whole(row[0]) for row in db.execute(sql, (device, boot)) if row[0] is not None]
        finally:
            db.close()

    def frames(self, start_s: float, end_s: float, device: str | None = None) -> list[StoredFrame]:
        """Return the frames (rebuilt, sealed with CRC-32) whose time lies in [start_s, end_s), in order of time."""
        found: dict[tuple[str, int, int], StoredFrame] = {}
        # The tail is read first: what becomes a chunk in between is then seen twice, never not at all.
        tail = self._tail(device)
        for name, boot, data in self._chunks(start_s, end_s, device):
            for frame in unpack_chunk(boot, data):
                found[name, boot, unpack_header(frame.data)[3]] = frame
        for name, boot, frames in tail:
            for chunk in pack_chunks(frames):
                for frame in unpack_chunk(boot, chunk.data):
                    found.setdefault((name, boot, unpack_header(frame.data)[3]), frame)
        wanted = (f for f in found.values() if start_s * _US <= f.utc_us < end_s * _US)
        return sorted(wanted, key=lambda f: f.utc_us)

    def samples(
        self,
        start_s: float,
        end_s: float,
        *,
        kind: int = wire.ORIENT,
        sensor: int = 0,
        device: str | None = None,
    ) -> StoredSamples:
        """Return the samples of one sensor in [start_s, end_s), in order of time, each once."""
        blobs = [
            (boot, chunk.data) for _, boot, frames in self._tail(device) for chunk in pack_chunks(frames)
        ]
        blobs += [(boot, data) for _, boot, data in self._chunks(start_s, end_s, device, sensor)]
        parts = [
            (boot, columns)
            for boot, columns in ((boot, unpack_columns(data)) for boot, data in blobs)
            if columns is not None and columns.kind == kind and int(columns.frame["count"][0]) >> 4 == sensor
        ]
        return joined(parts, wire.SAMPLE_SIZES[kind] // 2, start_s, end_s)

    def _tail(self, device: str | None) -> list[tuple[str, int, list[StoredFrame]]]:
        rows = self._query(
            "SELECT name, boot, utc_us, frames FROM tail JOIN device ON device.id = device_id "
            "WHERE ?1 IS NULL OR name = ?1 ORDER BY tail.id",
            (device,),
        )
        return [(str(name), whole(boot), unpack_tail(blob_of(t), blob_of(f))) for name, boot, t, f in rows]

    def _chunks(
        self, start_s: float, end_s: float, device: str | None, sensor: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield (device, boot, blob) of the chunks that touch the stretch and are intact."""
        # A chunk lies in the month of its frames, whose last may reach a little into the next.
        first, last = f"raw-{month_of(round(start_s * _US) - _US)}", f"raw-{month_of(round(end_s * _US))}"
        for path in raw_files(self._folder):
            if not first <= path.stem <= last:
                continue
            try:
                yield from self._chunks_of(path, (end_s * _US, start_s * _US, device, sensor))
            except sqlite3.Error as error:
                raise schema.explain(error, path) from error

    def _chunks_of(self, path: Path, wanted: _Wanted) -> Iterator[tuple[str, int, bytes]]:
        """Yield the chunks of one month; of a damaged file, those that can still be read, perhaps twice."""
        db = schema.open_reader(path)
        try:
            schema.check_version(db, path, schema.RAW_MIGRATIONS)
            try:
                rows: Iterable[tuple[object, ...]] = db.execute(_CHUNKS, wanted)
                yield from self._sound(rows)
            except sqlite3.DatabaseError as error:
                if not schema.is_damage(error):
                    raise
                self.damaged_chunks += 1  # as many as were on the bad pages; nobody can count them
                yield from self._sound(_matching(readable_rows(db, "chunk", _CHUNK_COLUMNS), wanted))
        finally:
            db.close()

    def _sound(self, rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[str, int, bytes]]:
        for name, boot, crc32, data, *_ in rows:
            if zlib.crc32(blob_of(data)) == crc32:
                yield str(name), whole(boot), blob_of(data)
            else:
                self.damaged_chunks += 1


_Wanted = tuple[float, float, str | None, int | None]  # ends before, begins after (us), device, sensor
_CHUNK_COLUMNS = "device, boot, crc32, data, sensor, t0_us, t1_us"
_CHUNKS = (
    f"SELECT {_CHUNK_COLUMNS} FROM chunk WHERE t0_us < ?1 AND t1_us > ?2 "
    "AND (?3 IS NULL OR device = ?3) AND (?4 IS NULL OR sensor = ?4) ORDER BY t0_us"
)


def _matching(rows: Iterable[tuple[object, ...]], wanted: _Wanted) -> Iterator[tuple[object, ...]]:
    """Do what the query does, for rows read one by one."""
    before_us, after_us, device, sensor = wanted
    for row in rows:
        is_ours = device in (None, row[0]) and sensor in (None, row[4])
        if is_ours and whole(row[5]) < before_us and whole(row[6]) > after_us:
            yield row


def _totals(day: date, row: list[float]) -> DayTotals:
    covered, worn, posture, moving, moment, *above = row
    share = [value / posture * 100 if posture > 0 else float("nan") for value in above]
    mean = moment / posture if posture > 0 else float("nan")
    percent = dict(zip(agg.THRESHOLDS_DEG, share, strict=True))
    return DayTotals(day, covered, worn, posture, moving, mean, percent)


def _end_us(frame: StoredFrame) -> int:
    """Return when the samples of a frame ended."""
    opened = read_frame(frame.data)
    return frame.utc_us + round(opened.n / (opened.rate_hz or 50.0) * _US)
