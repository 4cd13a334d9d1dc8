"""`tiltwise bench year`: the size of a year of 8 h days, raw samples included, and how long reading takes.

An hour of a simulated wearer goes frame by frame through session and store: its raw bytes are measured. Its
minutes and alerts, repeated, then fill 260 days of 8 h, with a chunk a minute in the months and receipts for all of
it; the chunks are empty, as opening reads no samples. Prints nothing; returns rows for the tables in
storage_tables.py. Times in s, sizes in MB.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

from tiltwise.common import wire
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import Command
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.acknowledged.receipts import Month, Receipts
from tiltwise.store.files import schema
from tiltwise.store.files.codec import Chunk
from tiltwise.store.files.raw_files import insert_chunk, month_of
from tiltwise.store.stored_samples import StoredDay
from tiltwise.store.writer import Store, StoreReader
from tiltwise.types import Mount

T = TypeVar("T")
DAYS, HOURS_A_DAY = 260, 8
SIMULATED_H = 1.0
READS = 15
_STARTED_S = datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()
_DAY_S = 86400.0
_FRAMES = 300  # a minute of 50 Hz, ten samples a frame


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """What was written as it comes: hours, samples, minutes with angles, and the bytes that stay."""

    hours: float
    samples: int
    minutes: int
    raw_mb: float
    core_mb: float


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year of such days. `raw_mb` is what was written, times the hours; `core_mb` was measured."""

    days: int
    raw_mb: float
    core_mb: float


@dataclass(frozen=True, slots=True)
class ReadRow:
    """Reading: cold is a new reader on a file that is not in the system's cache; seconds, median of so many."""

    what: str
    reads: int
    cold_s: float
    warm_s: float
    worst_s: float


@dataclass(frozen=True, slots=True)
class YearResult:
    """All that `bench year` measures."""

    written: WrittenRow
    year: YearRow
    reads: tuple[ReadRow, ...]
    note: str = ""


def year_results(
    seed: int = 1, days: int = DAYS, hours: float = SIMULATED_H, reads: int = READS
) -> Iterator[tuple[float, YearResult | None]]:
    """Yield (share done, None) while days are written, and the result at the end."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-year-") as name:
        a_day, a_year = Path(name) / "day", Path(name) / "year"
        for share in _write_hours(a_day, seed, hours):
            yield 0.7 * share, None
        row, stored = _written(a_day, hours)
        for share in _write_year(a_year, stored, days, round(hours * 60)):
            yield 0.7 + 0.25 * share, None
        year = YearRow(days, row.raw_mb / hours * HOURS_A_DAY * days, _size_mb(a_year / "core.db"))
        found = (*_openings(a_year, reads), *_year_reads(a_year, reads), _raw_read(a_day, reads))
    yield 1.0, YearResult(row, year, found, _why_not_cold())


def _write_hours(folder: Path, seed: int, hours: float) -> Iterator[float]:
    """Let a simulated wearer spend hours with the real firmware, session and store; yield the share done."""
    simulation = Simulation("desk", seed=seed, minutes=hours * 60, auto_ack=False)
    session = open_session(
        Worn(mount=Mount.NECK),
        started_utc_s=_STARTED_S,
        device="year",
        store=Store(folder, min_free_bytes=0),
    )
    for k, (received_s, frame) in enumerate(simulation):
        for event in session.receive(received_s, frame):
            if isinstance(event, Command):
                simulation.send(event.data)
        if k % 1500 == 0:
            yield received_s / simulation.duration_s
    session.finish()
    if session.unsaved or session.profile is None:
        raise RuntimeError(f"the day was not stored: {session.unsaved or 'no calibration'}")


def _written(folder: Path, hours: float) -> tuple[WrittenRow, StoredDay]:
    with Store.open_readonly(folder) as reader:
        (day,) = reader.days()
        stored = reader.day(day)
        samples = len(reader.samples(stored.start_s, stored.end_s, kind=wire.ORIENT).t_s)
    raw_mb = sum(_size_mb(path) for path in folder.glob("raw-*.db"))
    return WrittenRow(hours, samples, len(stored.minutes), raw_mb, _size_mb(folder / "core.db")), stored


def _size_mb(path: Path) -> float:
    return path.stat().st_size / 1e6


def _write_year(folder: Path, stored: StoredDay, days: int, block: int) -> Iterator[float]:
    """Fill working days, each a session of its own, with blocks of so many minutes that repeat what was stored."""
    with Store(folder, min_free_bytes=0) as store:
        for k in range(days):
            day_s = _DAY_S * (k + k // 5 * 2)
            session = store.begin_session(
                "year", k + 1, zone="UTC", mount=stored.mount, started_s=_STARTED_S + day_s
            )
            for first in range(0, HOURS_A_DAY * 60, block):
                shift_s = day_s + 60.0 * first
                minutes = [replace(row, start_s=row.start_s + shift_s) for row in stored.minutes[:block]]
                store.put_aggregates(session, minutes)
                store.put_events(session, stored.events, shift_s)
            store.commit()
            yield (k + 1) / days
    _write_chunks(folder, days)


def _write_chunks(folder: Path, days: int) -> None:
    """Let the store hold a chunk for each minute of its days, listed as received and with receipts."""
    receipts = Receipts.load(folder)
    core = schema.open_writer(folder / schema.CORE_NAME, schema.CORE_MIGRATIONS)
    with contextlib.closing(core), schema.transaction(core):
        for k in range(days):
            start_us = round((_STARTED_S + _DAY_S * (k + k // 5 * 2)) * 1e6)
            n = HOURS_A_DAY * 60
            rows = [
                Chunk(
                    k + 1, 0, _FRAMES * i, _FRAMES * (i + 1) - 1, _FRAMES, 10 * _FRAMES,
                    start_us + 60_000_000 * i, start_us + 60_000_000 * (i + 1), b"",
                )
                for i in range(n)
            ]  # fmt: skip
            ranges = SequenceRanges()
            ranges.add(0, _FRAMES * n - 1)
            core.execute(
                "INSERT OR REPLACE INTO received (device_id, boot, ranges) VALUES (1, ?, ?)",
                (k + 1, ranges.pack()),
            )
            month = month_of(start_us)
            with (
                contextlib.closing(
                    schema.open_writer(folder / f"raw-{month}.db", schema.RAW_MIGRATIONS)
                ) as raw,
                schema.transaction(raw),
            ):
                for row in rows:
                    insert_chunk(raw, "year", row)
            kept = receipts.months.setdefault(month, Month())
            kept.chunks += n
            kept.frames["year", k + 1] = ranges
    receipts.rewrite()


def _year_reads(folder: Path, reads: int) -> Iterator[ReadRow]:
    with Store.open_readonly(folder) as reader:
        days = reader.days()
    middle = days[len(days) // 2]
    yield _timed("a day: minutes, alerts, summary", folder, reads, lambda r: r.day(middle).summary())
    yield _timed("a year: totals of each day", folder, reads, lambda r: r.totals(days[0], days[-1]))
    yield _timed("a year: which days there are", folder, reads, lambda r: r.days())


def _openings(folder: Path, opens: int) -> Iterator[ReadRow]:
    """Open the year for writing: the check of core.db, receipts against its lists and against each month."""
    seconds: dict[bool, list[tuple[float, float]]] = {True: [], False: []}  # of the clock, of the processor
    for is_cold in (True, False):
        for _ in range(opens):
            if is_cold:
                _forget(folder)
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            store = Store(folder, min_free_bytes=0)
            seconds[is_cold].append((time.perf_counter() - began_s, time.process_time() - began_cpu_s))
            told = store.reports
            store.close()
            if told:
                raise RuntimeError(f"the year is not as its receipts say: {told[0]}")
    for k, what in enumerate(("opening for writing, with all checks", "the same, time of the processor")):
        cold_s, warm_s = ([each[k] for each in seconds[is_cold]] for is_cold in (True, False))
        yield ReadRow(what, opens, median(cold_s), median(warm_s), max(cold_s))


def _raw_read(folder: Path, reads: int) -> ReadRow:
    def samples(reader: StoreReader) -> object:
        return reader.samples(_STARTED_S, _STARTED_S + _DAY_S)

    return _timed("raw samples of the hours written", folder, min(reads, 5), samples)


def _timed(what: str, folder: Path, reads: int, read: Callable[[StoreReader], object]) -> ReadRow:
    cold_s, warm_s = [], []
    for _ in range(reads):
        _forget(folder)
        began_s = time.perf_counter()
        with Store.open_readonly(folder) as reader:
            read(reader)
            cold_s.append(time.perf_counter() - began_s)
            began_s = time.perf_counter()
            read(reader)
            warm_s.append(time.perf_counter() - began_s)
    return ReadRow(what, reads, median(cold_s), median(warm_s), max(cold_s))


def _forget(folder: Path) -> None:
    """Ask the system to drop the files from its cache, as after a start of the computer."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.glob("*.db"):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)  # only what is on the disk can be dropped
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def _why_not_cold() -> str:
    return "" if hasattr(os, "posix_fadvise") else "cold: with a new reader only, this system drops no file"
