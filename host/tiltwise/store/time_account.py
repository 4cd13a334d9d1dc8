"""What a store says of each second: its minutes and gaps by device and day, for the check that time adds up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tiltwise.report.day_summary import Gap
from tiltwise.report.time_check import Measured, TimeCheck, check_time
from tiltwise.store import schema
from tiltwise.store.reader import StoreReader, day_bounds_us

COARSE_SOURCE = "one-minute summaries of the board"  # of sessions whose minutes stand in a gap
_US = 1_000_000


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
