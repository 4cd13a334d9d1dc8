"""Builds the store again from recordings: the same frames at the same times through the same session.

The new store is made beside the old one and takes its place only when it is whole and on the disk; the old files are
set aside, not deleted. From then on a kill at any moment leaves what the next start finishes.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tiltwise.config.atomic_file import private_folder
from tiltwise.config.settings import Settings
from tiltwise.errors import AppError
from tiltwise.live.acknowledgements import ACK_EVERY_S
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.recorded_changes import RecordedChanges
from tiltwise.offline.recording_header import RecordedSession, read_header, recorded_changes
from tiltwise.recording.tw_file import Recording, read_frames
from tiltwise.store.erase import KEEP_RAW, finish_begun
from tiltwise.store.exercise_rows import copy_exercises
from tiltwise.store.files.lock import LOCK_NAME, WriterLock
from tiltwise.store.files.recovery import stamp_of
from tiltwise.store.files.swap import install
from tiltwise.store.stored_samples import SIMULATED
from tiltwise.store.writer import Store, StoreError
from tiltwise.text import counted, safe_name

_SHOW_EVERY = 500  # frames between two looks at the progress bar


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One recording that is in the new store, and what to say about it."""

    path: Path
    frames: int
    notes: tuple[str, ...]


def rebuild(
    folder: Path,
    recordings: Sequence[Path],
    *,
    now_s: float,
    on_progress: Callable[[float], None] = lambda _: None,
) -> tuple[list[Rebuilt], Path | None]:
    """Build the store of a folder again; return what went in, and where old files are now (None: there were none).

    Raises
    ------
    AppError, OSError, RecordingError
        When a recording cannot be used or the disk refuses; the old store is then as it was.
    """
    building = folder / "rebuilding"
    private_folder(folder)
    lock = WriterLock(folder, now_s)
    try:
        finish_begun(folder, now_s)
        shutil.rmtree(building, ignore_errors=True)  # of a rebuild that was stopped
        made = _build(building, recordings, on_progress)
        _copy_retention(folder, building)
        copy_exercises(folder, building)
        (building / LOCK_NAME).unlink(missing_ok=True)
        aside = install(building, folder, stamp_of(now_s))
    finally:
        lock.release()
        shutil.rmtree(building, ignore_errors=True)
    return made, aside


def _copy_retention(old: Path, new: Path) -> None:
    """Keep raw samples as long as before; an old store that cannot be read says nothing about it."""
    with contextlib.suppress(StoreError):
        with Store.open_readonly(old) as reader:
            months = reader.setting(KEEP_RAW)
        if isinstance(months, int):
            with Store(new, min_free_bytes=0) as store:
                store.put_setting(KEEP_RAW, months)


def _build(folder: Path, recordings: Sequence[Path], on_progress: Callable[[float], None]) -> list[Rebuilt]:
    """Run the recordings through sessions, in the order of their days."""
    read = sorted((_read(path) for path in recordings), key=lambda item: item.started_utc_s)
    made = []
    for k, item in enumerate(read):
        notes = _run(folder, item, lambda share, k=k: on_progress((k + share) / len(read)))  # type: ignore[misc]
        made.append(Rebuilt(item.path, len(item.recording.frames), notes))
    return made


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    recording: Recording
    header: RecordedSession
    changes: RecordedChanges
    started_utc_s: float


def _read(path: Path) -> _Read:
    recording = read_frames(path)
    try:
        header = read_header(recording.header, device=safe_name(path.stem))
        changes = recorded_changes(recording.calibrations, recording.snoozes)
    except ValueError as error:
        raise AppError(f"{path}: what it says of itself cannot be used ({error}); leave it out") from error
    if header.started_utc_s is None:
        raise AppError(
            f"{path}: does not say when it was recorded, so it has no place in a day; leave it out"
        )
    return _Read(path, recording, header, changes, header.started_utc_s)


def _run(folder: Path, read: _Read, on_progress: Callable[[float], None]) -> tuple[str, ...]:
    """Put one recording into the store and return notes."""
    recording, header = read.recording, read.header
    session = open_session(
        Worn(
            mount=header.mount,
            mounting=header.mounting,
            collar=header.collar,
            asked_mount=header.asked_mount,
            is_put_on=header.mounting is not None,
        ),
        settings=replace(Settings(), rule=header.rule, alerts=header.alerts),
        started_utc_s=read.started_utc_s,
        zone=header.zone,
        device=header.device,
        store=Store(folder, min_free_bytes=0, origin=SIMULATED if header.is_simulated else ""),
        exercises=header.exercises,
        # With the board's answers in it, what is missing is decided at each commit, as it was live.
        commit_every_s=ACK_EVERY_S if recording.answers else 60.0,
        fetches=bool(recording.answers),
        changes=read.changes,
    )
    total = len(recording.frames) + len(recording.answers)
    for k, (received_s, chunk) in enumerate(recording.chunks()):
        session.receive(received_s, chunk)
        if k % _SHOW_EVERY == 0:
            on_progress(k / total)
    session.finish()
    if session.unsaved:
        raise AppError(f"the store could not be built again: {session.unsaved}")
    notes = list(header.notes)
    notes += (
        [f"{counted(recording.damaged_records, 'damaged record')} left out"]
        if recording.damaged_records
        else []
    )
    return (*notes, "its last record is cut off") if recording.is_torn else tuple(notes)
