"""Days of a store to files of other programs, a file at a time: what is there is kept, so that one can go on later.

A file gets its name when all of it is on the disk; a run that was stopped leaves only whole files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import BinaryIO

from tiltwise.config.atomic_file import whole_file
from tiltwise.motion.orientation.estimator import estimate_orientation
from tiltwise.offline.cohort.day_digest import digest_bytes, digest_of
from tiltwise.offline.travel import motion_bids
from tiltwise.offline.travel.day_columns import event_columns, gap_columns, minute_columns
from tiltwise.offline.travel.exercise_columns import exercise_columns, repetition_columns
from tiltwise.offline.travel.sample_files import write_samples_csv, write_samples_parquet, write_sto
from tiltwise.offline.travel.table_files import pyarrow_or_line, write_csv, write_parquet
from tiltwise.store.local_days import day_bounds_us
from tiltwise.store.reader import StoreReader
from tiltwise.store.stored_rows import DeviceSamples, device_samples, stored_rows
from tiltwise.text import safe_name

_US = 1_000_000
_POINTS = {"head": "head", "neck": "neck", "collar": "upper_back"}
_FRAMES = {"head": "skull_imu", "neck": "cerv_imu", "collar": "thorax_imu"}  # of OpenSim's usual bodies


class Format(StrEnum):
    """What to write."""

    CSV = "csv"
    PARQUET = "parquet"
    MOTION_BIDS = "motion-bids"
    STO = "sto"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Days first to last of a store, into a folder, in a format; `person` stands in the rows."""

    store: Path
    folder: Path
    format: Format
    first: date
    last: date
    person: str = ""
    has_samples: bool = False  # CSV and Parquet: raw samples as well


@dataclass(slots=True)
class Exported:
    """How many files were written, how many were there before, and days without raw samples or with damaged ones."""

    written: int = 0
    there: int = 0
    without_samples: int = 0
    damaged: int = 0

    def note_damage(self) -> None:
        """Count a day of which some samples are damaged and left out."""
        self.damaged += 1


Write = Callable[[BinaryIO], None]


def export_days(request: ExportRequest, on_progress: Callable[[float], None]) -> Exported:
    """Write the days that have data; OSError names the file that cannot be written."""
    if request.format is Format.PARQUET:
        pyarrow_or_line()
    with StoreReader(request.store) as reader:
        zone = reader.zone()
        days = [day for day in reader.days() if request.first <= day <= request.last]
    done = Exported()
    request.folder.mkdir(parents=True, exist_ok=True)
    if request.format is Format.MOTION_BIDS:
        _export_bids(request, days, zone, done, on_progress)
        return done
    for k, day in enumerate(days):
        start_us, end_us = day_bounds_us(day, zone)
        for path, write in _files_of(request, day, start_us / _US, end_us / _US, done):
            _write(path, write, done)
        on_progress((k + 1) / len(days))
    return done


def _write(path: Path, write: Write, done: Exported) -> None:
    """Write one file unless it is there."""
    if path.exists():
        done.there += 1
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        write(file)
    done.written += 1


def _files_of(
    request: ExportRequest, day: date, start_s: float, end_s: float, done: Exported
) -> Iterator[tuple[Path, Write]]:
    """Yield the files of a day and what writes each; samples are read only when one of theirs is missing."""
    folder, suffix = request.folder, str(request.format)
    if request.format is Format.DIGEST:
        yield from _digests(request, day)
        return
    if request.format is not Format.STO:
        rows = stored_rows(request.store, start_s, end_s)
        is_whole = request.format is Format.PARQUET
        tables = {
            "minutes": minute_columns(rows, request.person, is_whole=is_whole),
            "events": event_columns(rows, request.person),
            "gaps": gap_columns(rows, request.person),
        }
        if rows.exercises:
            tables["exercises"] = exercise_columns(rows.exercises, request.person, is_whole=is_whole)
            tables["repetitions"] = repetition_columns(rows.exercises, request.person)
        for name, columns in tables.items():
            if not is_whole:
                columns.pop("about", None)
            writer = write_parquet if is_whole else write_csv
            yield folder / f"{name}-{day}.{suffix}", partial(writer, columns=columns)
        if not request.has_samples:
            return
    found = device_samples(request.store, start_s, end_s, on_damage=done.note_damage)
    done.without_samples += not found
    for samples in found:
        yield from _sample_files(request, day, samples, suffix)


def _digests(request: ExportRequest, day: date) -> Iterator[tuple[Path, Write]]:
    """Yield the digest of a day, as that of the person or of nobody's name."""
    with StoreReader(request.store) as reader:
        stored = reader.day(day)
    total = stored.summary().total
    if total is not None:
        person = request.person or request.folder.name
        digest = digest_of(total, person=person, day=day.isoformat(), mount=stored.mount)
        yield request.folder / f"digest-{day}.json", partial(_write_bytes, data=digest_bytes(digest))


def _sample_files(
    request: ExportRequest, day: date, samples: DeviceSamples, suffix: str
) -> Iterator[tuple[Path, Write]]:
    if request.format is Format.STO:
        samples = _oriented(samples)
    kind = "orientation" if samples.q_earth_from_sensor is not None else "raw"
    name = f"samples-{day}-{safe_name(samples.device)}-{samples.sensor}-{kind}.{suffix}"
    path = request.folder / name
    if request.format is Format.STO:
        yield path, partial(write_sto, samples=samples, name=_FRAMES[_place(request, samples)])
        return
    writer = write_samples_parquet if request.format is Format.PARQUET else write_samples_csv
    yield path, partial(writer, samples=samples)


def _oriented(samples: DeviceSamples) -> DeviceSamples:
    """Return samples with an orientation: that of raw ones is estimated, with what comes after in sight."""
    if samples.gyr_rad_s is None:
        return samples
    q = estimate_orientation(samples.t_s, samples.gyr_rad_s, samples.acc_m_s2, offline=True)
    return replace(samples, q_earth_from_sensor=q, gyr_rad_s=None)


def _place(request: ExportRequest, samples: DeviceSamples) -> str:
    """Return where the sensor was: the second one is always on the collar."""
    if samples.sensor == 1:
        return "collar"
    rows = stored_rows(request.store, float(samples.t_s[0]) - 60, float(samples.t_s[-1]) + 60)
    return next((s.mount for s, _, _ in rows.minutes if s.device == samples.device), "head")


def _export_bids(
    request: ExportRequest,
    days: Sequence[date],
    zone: str,
    done: Exported,
    on_progress: Callable[[float], None],
) -> None:
    subject = motion_bids.label(request.person)
    found = []
    for k, day in enumerate(days):
        start_us, end_us = day_bounds_us(day, zone)
        session = f"{day:%Y%m%d}"
        scans = motion_bids.scans_file(subject, session, [])
        if (request.folder / scans.path).exists():
            done.there += 1
            found.append(day)
            continue
        listed: list[tuple[str, str]] = []
        done_then = [
            record for _, record in stored_rows(request.store, start_us / _US, end_us / _US).exercises
        ]
        for samples in device_samples(
            request.store, start_us / _US, end_us / _US, on_damage=done.note_damage
        ):
            place = _POINTS[_place(request, samples)]
            for path, started, files in motion_bids.run_files(
                samples, subject, session, place, len(listed) + 1, done_then
            ):
                listed.append((path, started))
                _write_bids(request.folder, files, done)
        if listed:  # last of the day: where it is, the day is whole
            _write_bids(request.folder, [motion_bids.scans_file(subject, session, listed)], done)
            found.append(day)
        done.without_samples += not listed
        on_progress((k + 1) / len(days))
    if found:
        _write_bids(request.folder, list(motion_bids.dataset_files({subject: request.person})), done)


def _write_bids(folder: Path, files: Sequence[motion_bids.BidsFile], done: Exported) -> None:
    for each in files:
        _write(folder / each.path, partial(_write_bytes, data=each.data), done)


def _write_bytes(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def first_and_last(store: Path) -> tuple[date, date] | None:
    """Return the oldest and the newest day of a store, None when it has none."""
    with StoreReader(store) as reader:
        days = reader.days()
    return (days[0], days[-1]) if days else None
