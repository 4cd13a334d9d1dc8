"""What a store holds, in a few numbers (size, devices, range, days, gaps by reason), and whether its time adds up.

Reads beside a writer. Times are UTC s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tiltwise.report.aggregate import ALGORITHM
from tiltwise.report.day_summary import Gap
from tiltwise.report.time_check import Measured, TimeCheck, check_time
from tiltwise.store.erase import kept_months
from tiltwise.store.files import schema
from tiltwise.store.files.raw_files import raw_files
from tiltwise.store.files.swap import copies, incidents
from tiltwise.store.local_days import day_bounds_us
from tiltwise.store.reader import StoreReader

_US = 1_000_000
COARSE_SOURCE = "one-minute summaries of the board"  # of sessions whose minutes stand in a gap


@dataclass(frozen=True, slots=True)
class GapTotal:
    """Gaps of one reason: how many, and how long together in s."""

    reason: str
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Overview:
    """What a store holds. first_s, last_s: UTC s of the first minute's start and the last one's end."""

    core_bytes: int
    raw_bytes: int
    copies_bytes: int
    raw_months: tuple[str, ...]
    devices: tuple[str, ...]
    sessions: int
    first_s: float | None
    last_s: float | None
    zone: str
    days: tuple[date, ...]
    covered_s: float
    worn_s: float
    gaps: tuple[GapTotal, ...]
    kept_months: int | None
    older_minutes: int = 0  # computed by an earlier version's algorithm
    origins: tuple[str, ...] = ()  # what of it is not the wearer's own
    incidents: tuple[
        tuple[float, str], ...
    ] = ()  # UTC s and line of what happened to the store, oldest first


def overview(folder: Path) -> Overview:
    """Return what the store of a folder holds; StoreError when there is none or it cannot be read."""
    with StoreReader(folder) as reader:
        devices, zone, days = reader.devices(), reader.zone(), reader.days()
        origins = reader.origins(-(2**62), 2**62)
    path = folder / schema.CORE_NAME
    db = schema.open_reader(path)
    try:
        first, last, covered, worn = db.execute(
            "SELECT min(start_us), max(start_us), sum(covered_s), sum(worn_s) FROM aggregate WHERE sensor = 0"
        ).fetchone()
        gaps = db.execute(
            "SELECT reason, count(*), sum(end_us - start_us) FROM gap GROUP BY reason ORDER BY 3 DESC, 1"
        ).fetchall()
        (sessions,) = db.execute("SELECT count(*) FROM session").fetchone()
        (older,) = db.execute("SELECT count(*) FROM aggregate WHERE algorithm < ?", (ALGORITHM,)).fetchone()
        months = kept_months(db)
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        db.close()
    raw = raw_files(folder)
    return Overview(
        core_bytes=_bytes_with_logs(path),
        raw_bytes=sum(map(_bytes_with_logs, raw)),
        copies_bytes=sum(path.stat().st_size for path in copies(folder)),
        raw_months=tuple(path.stem.removeprefix("raw-") for path in raw),
        devices=tuple(devices),
        sessions=int(sessions),
        first_s=None if first is None else first / _US,
        last_s=None if last is None else last / _US + 60,
        zone=zone,
        days=tuple(days),
        covered_s=float(covered or 0.0),
        worn_s=float(worn or 0.0),
        gaps=tuple(GapTotal(str(reason), int(n), us / _US) for reason, n, us in gaps),
        kept_months=months,
        older_minutes=int(older),
        origins=origins,
        incidents=tuple((each.utc_s, each.line) for each in incidents(folder)),
    )


def _bytes_with_logs(path: Path) -> int:
    parts = (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))
    return sum(part.stat().st_size for part in parts if part.exists())


# ---- time that adds up ----


@dataclass(frozen=True, slots=True)
class CheckedDay:
    """How one device's day adds up."""

    day: date
    device: str
    result: TimeCheck


def check_store(folder: Path) -> Iterator[CheckedDay]:
    """Check each day of each device; StoreError when there is no store or it cannot be read."""
    with StoreReader(folder) as reader:
        zone, days, devices = reader.zone(), reader.days(), reader.devices()
    path = folder / schema.CORE_NAME
    db = schema.open_reader(path)
    try:
        for device in devices:
            for day in days:
                measured, gaps = _account(db, device, *day_bounds_us(day, zone))
                if measured:
                    yield CheckedDay(day, device, check_time(measured, gaps))
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        db.close()


def _account(
    db: sqlite3.Connection, device: str, start_us: int, end_us: int
) -> tuple[list[Measured], list[Gap]]:
    of_device = "JOIN session ON session.id = session_id JOIN device ON device.id = device_id WHERE name = ?"
    minutes = db.execute(
        f"SELECT start_us, covered_s, info FROM aggregate {of_device} AND sensor = 0 "
        "AND start_us >= ? AND start_us < ?",
        (device, start_us, end_us),
    )
    measured = [Measured(us / _US, seconds, COARSE_SOURCE in info) for us, seconds, info in minutes]
    rows = db.execute(
        f"SELECT start_us, end_us, reason FROM gap {of_device} AND start_us < ? AND end_us > ?",
        (device, end_us, start_us),
    )
    return measured, [Gap(a / _US, b / _US, reason) for a, b, reason in rows]
