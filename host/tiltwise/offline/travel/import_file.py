"""An IMU file, ours or another program's, becomes a stored day: the same frames, session and store as live.

Without a calibration in it and without --neutral its upright is not known; that is told, and marked in the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tiltwise.config.settings import Settings
from tiltwise.errors import AppError, UsageError
from tiltwise.live.open_session import Worn, open_session
from tiltwise.offline.input_file import as_recorded, choose_collar, choose_neutral, read_input
from tiltwise.offline.recording_header import read_header
from tiltwise.recording.imu_file import ReadOptions
from tiltwise.recording.imu_table import first_stamp_s
from tiltwise.recording.replay import load_tape
from tiltwise.store.files.schema import CORE_NAME
from tiltwise.store.quarter_hours import quarter_totals
from tiltwise.store.writer import Store
from tiltwise.text import safe_name
from tiltwise.types import Mount

_EARLIEST_S, _LATEST_S = (
    946_684_800.0,
    4_102_444_800.0,
)  # 2000 and 2100: other stamps are not of a clock that was set
_SHOW_EVERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A file, the store it goes to, and what the file does not say itself.

    Parameters
    ----------
    start
        When it begins, as ISO 8601; without an offset in `zone`. "": as the file says.
    neutral, neutral_up
        As for `analyze`.
    """

    file: Path
    store: Path
    settings: Settings
    zone: str
    start: str = ""
    mount: Mount | None = None
    neutral: Path | None = None
    neutral_up: str = ""
    reading: ReadOptions | None = None
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """When it began in UTC s, how many seconds, and what was assumed."""

    start_s: float
    duration_s: float
    notes: tuple[str, ...]


def import_file(request: ImportRequest, on_progress: Callable[[float], None]) -> ImportedFile:
    """Put a file into a store.

    Raises
    ------
    AppError, UsageError, ImuFileError, RecordingError, OSError
        When it cannot be used, does not say when it was recorded, or that time is stored already.
    """
    tape = load_tape(request.file, request.reading)
    try:
        header = read_header(dict(tape.header), device=safe_name(request.file.stem))
    except ValueError as error:
        raise AppError(
            f"{request.file}: what it says of itself cannot be used ({error}); record it again"
        ) from error
    start_s = start_of(request.start, request.zone, header.started_utc_s or _epoch(request), request.file)
    duration_s = float(tape.received_s[-1]) if len(tape.received_s) else 0.0
    _check_free(request.store, start_s, duration_s, request.file)
    data = read_input(request.file, options=request.reading, on_progress=lambda share: on_progress(share / 4))
    mount, settings, notes = as_recorded(data, request.settings, mount=request.mount, is_rule_given=False)
    chosen = choose_neutral(data, mount=mount, neutral=request.neutral, neutral_up_text=request.neutral_up)
    collar, more = choose_collar(data, chosen.mounting)
    notes = (*notes, *data.notes, *chosen.notes, *more)
    if chosen.relative_to_s is not None:
        notes = (*notes, "whether that was upright is not known: angles of this day are relative to it")
    store = Store(request.store)
    session = open_session(
        Worn(mount=mount, mounting=replace(chosen.mounting, mount=mount), collar=collar),
        settings=settings,
        started_utc_s=start_s,
        zone=header.zone if tape.header else request.zone,
        device=header.device,
        store=store,
        exercises=request.exercises,
        commit_every_s=60.0,
    )
    for k, (received_s, frame) in enumerate(zip(tape.received_s.tolist(), tape.frames, strict=True)):
        session.receive(received_s, frame)
        if k % _SHOW_EVERY == 0:
            on_progress(0.25 + 0.75 * k / len(tape.frames))
    session.finish()
    if session.unsaved:
        raise AppError(f"{request.file}: could not be stored: {session.unsaved}")
    notes = (*_left_out(len(tape.frames) - store.n_stored, len(tape.frames)), *notes)
    return ImportedFile(start_s, duration_s, tuple(dict.fromkeys(notes)))


def _left_out(left: int, n: int) -> tuple[str, ...]:
    """Say how many of n frames have no raw samples in the store; nothing when all have."""
    if not left:
        return ()
    return (
        f"the raw samples of {left} of {n} frames are not stored: damaged, or in this store "
        "before (it does not take again what was erased); angles are",
    )


def _epoch(request: ImportRequest) -> float | None:
    """Return the first time of another program's file as it stands there, in s, if no start was given."""
    if request.start or request.file.suffix.lower() == ".tw":
        return None
    return first_stamp_s(request.file, request.reading or ReadOptions())


def start_of(text: str, zone: str, stated_s: float | None, file: Path) -> float:
    """Return when a file begins, UTC s: as asked for, else as it says; UsageError when neither does."""
    if not text:
        if stated_s is None or not _EARLIEST_S <= stated_s < _LATEST_S:
            raise UsageError(f"{file} does not say when it was recorded: give --start 2026-03-01T09:00")
        return stated_s
    try:
        at = datetime.fromisoformat(text)
        start_s = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).timestamp()
    except (ValueError, OverflowError):
        start_s = 0.0
    if not _EARLIEST_S <= start_s < _LATEST_S:
        raise UsageError(
            f"--start {text!r}: expected a time such as 2026-03-01T09:00, or with +01:00 behind it"
        )
    return start_s


def _check_free(store: Path, start_s: float, duration_s: float, file: Path) -> None:
    """Refuse time of which minutes are stored: it would count twice."""
    if not (store / CORE_NAME).is_file():
        return
    if quarter_totals(store, start_s - 59, start_s + duration_s):
        at = datetime.fromtimestamp(start_s, UTC)
        raise AppError(
            f"{file}: of the time from {at:%Y-%m-%d %H:%M} UTC on something is stored already; erase that day "
            "first (`tiltwise data --erase DAY`), or give another --start"
        )
