"""Stores with two boots as a closed, a killed, a damaged or an older program leaves them, to try faults on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np

from tiltwise.common.frame import Frame, read_frame, unpack_header
from tiltwise.config.settings import RuleSetting
from tiltwise.offline.recording_header import recording_header
from tiltwise.offline.travel.export_days import ExportRequest, Format, export_days
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.report.aggregate import EVA_SHAPE, N_FLEXION, N_RATE, Aggregate
from tiltwise.store.files import schema
from tiltwise.store.files.codec import StoredFrame
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, Mount, PostureKind
from tiltwise_lab.bench.storage.killed_host import T0_S, frames_of

MONTH_S = 40 * 86400.0  # the older boot lies in an earlier month
STEP = 50  # frames of 0.2 s a commit: each sixth commit writes chunks
_DEVICE = "faulted host"
FRAMES_OF_BOOTS = {1: 400, 2: 430}  # frames of the two boots
OWN_FILE, FOREIGN_FILE = "3.tw", "foreign.csv"
OWN_S = ((0.0, 1.6), (66.0, 66.4))  # what the file holds: a commit in the hole and one at the end
FOREIGN_S = ((0.0, 3.0), (66.0, 66.4))  # its rate is taken from a hundred samples
FOREIGN_STARTED_S = T0_S - 5 * 86400.0  # no boot lies in it
IMPORTED_MINUTES = 30
IMPORTED_DAY_S = T0_S // 86400 * 86400 - 10 * 86400.0  # no boot lies in it
FEW_FRAMES = {1: 6, 2: 8}  # where each frame goes through a session
Note = Callable[[str], None]


@cache
def made_frames(boot: int) -> list[Frame]:
    """Return the frames of a boot, 90 s at five a second, the same each time."""
    return [read_frame(data) for data in frames_of(boot, 90.0)]


def time_s(boot: int, k: int) -> float:
    """Return when the k-th frame of a boot was made, UTC s."""
    return T0_S - (MONTH_S if boot == 1 else 0.0) + 1000.0 * boot + 0.2 * k


def record(folder: Path, boot: int, n: int, note: Note = lambda _: None, *, is_closed: bool = True) -> Store:
    """Store n frames of a boot, an event and a gap a commit, and note each acknowledgement as `ack BOOT SEQ`."""
    store = Store(folder, min_free_bytes=0, now_s=lambda: T0_S)
    for line in store.reports:
        note(f"told {line}")
    session = store.begin_session(
        _DEVICE,
        boot,
        zone="UTC",
        mount=Mount.NECK,
        started_s=time_s(boot, 0),
        first_seq=made_frames(boot)[0].seq,
    )
    for first in range(0, n, STEP):
        chosen = made_frames(boot)[first : min(first + STEP, n)]
        start_s = time_s(boot, first)
        store.append(session, chosen, [time_s(boot, k) for k in range(first, first + len(chosen))])
        store.put_events(session, [EpisodeAlert(5.0, PostureKind.FORWARD_FLEXION, 0.0, 31.0)], start_s)
        store.put_gap(session, start_s + 1.0, start_s + 1.2, "lost on the way")
        try:
            done = store.commit()
        except OSError:
            continue  # as the session does: try again with the next
        note(f"ack {boot} {done.settled[session]}")
    if is_closed:
        store.close()
    return store


def two_boots(folder: Path, n: Mapping[int, int] = FRAMES_OF_BOOTS) -> None:
    """A boot of an earlier month, closed, and one that was killed: chunks, a tail and a log."""
    made = folder.with_name(folder.name + "-live")
    record(made, 1, n[1])
    store = record(made, 2, n[2], is_closed=False)
    shutil.copytree(made, folder)
    store.close()
    shutil.rmtree(made)


def damaged(folder: Path, file: str, table: str) -> None:
    """Two boots, closed, with one page of an index overwritten: every row of the tables can still be read."""
    record(folder, 1, FRAMES_OF_BOOTS[1])
    record(folder, 2, FRAMES_OF_BOOTS[2])
    (path,) = folder.glob(file)
    db = sqlite3.connect(path)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    db.close()
    with path.open("r+b") as opened:
        opened.seek(4096 * (page - 1))
        opened.write(b"\xa5" * 4096)


def old_schema(folder: Path) -> None:
    """Two boots in a store of schema version 1."""
    folder.mkdir()
    schema.open_writer(folder / schema.CORE_NAME, schema.CORE_MIGRATIONS[:1]).close()
    newest, schema.CORE_MIGRATIONS = schema.CORE_MIGRATIONS, schema.CORE_MIGRATIONS[:1]
    try:
        record(folder, 1, FRAMES_OF_BOOTS[1])
        record(folder, 2, FRAMES_OF_BOOTS[2])
    finally:
        schema.CORE_MIGRATIONS = newest


def template_with_recordings(folder: Path, frames: Mapping[int, int] = FRAMES_OF_BOOTS) -> None:
    """Two boots, and recordings of them."""
    two_boots(folder, frames)
    for boot, n in frames.items():
        _write_recording(folder / f"{boot}.tw", boot, range(n))


def template_to_import(folder: Path) -> None:
    """Two boots, a recording of a third, another program's file, and half an hour that another store exported."""
    two_boots(folder)
    _write_recording(folder / OWN_FILE, 3, [k for a, b in OWN_S for k in range(round(5 * a), round(5 * b))])
    _write_foreign(folder / FOREIGN_FILE)
    other = folder / "other"
    with Store(other, min_free_bytes=0, now_s=lambda: T0_S) as store:
        session = store.begin_session(_DEVICE, 4, zone="UTC", mount=Mount.NECK, started_s=IMPORTED_DAY_S)
        minutes = [_still_minute(IMPORTED_DAY_S + 60 * k) for k in range(IMPORTED_MINUTES)]
        store.put_aggregates(session, minutes)
        store.commit()
    always = date(2000, 1, 1), date(2099, 1, 1)
    export_days(ExportRequest(other, folder / "days", Format.PARQUET, *always), lambda _: None)
    shutil.rmtree(other)


def _still_minute(start_s: float) -> Aggregate:
    flexion_s = np.zeros((2, N_FLEXION))
    flexion_s[0, 600] = 60.0
    return Aggregate(
        start_s, np.array([60.0, 0, 0, 0, 0]), flexion_s, np.zeros(N_RATE), np.zeros(EVA_SHAPE), 0.5, 60.0
    )


def _write_recording(path: Path, boot: int, chosen: Iterable[int]) -> None:
    """Write chosen frames of a boot into a recording."""
    header = recording_header(
        started=datetime.fromtimestamp(time_s(boot, 0), UTC), address="ble:", device=_DEVICE, zone="UTC",
        mount=Mount.NECK, rule=RuleSetting(),
    )  # fmt: skip
    with RecordingWriter(path, header, start_s=0.0) as writer:
        for k in chosen:
            writer.write(0.2 * k, made_frames(boot)[k].data)


def _write_foreign(path: Path) -> None:
    """Write what another program's logger has of somebody who sits still, 50 samples a second."""
    stamps_s = FOREIGN_STARTED_S + np.concatenate([np.arange(a, b, 0.02) for a, b in FOREIGN_S])
    rows = [f"{at_s:.3f},0.0,0.0,9.81,0.0,0.0,0.0" for at_s in stamps_s]
    path.write_text("\n".join(["t_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z", *rows, ""]), encoding="ascii")


def present(folder: Path, start_s: float = 0.0, end_s: float = 4e9) -> dict[int, set[int]]:
    """Return the numbers of the frames that a reader finds in [start_s, end_s) UTC s, by boot."""
    with StoreReader(folder) as reader:
        return numbers(reader.frames(start_s, end_s))


def numbers(frames: Iterable[StoredFrame]) -> dict[int, set[int]]:
    """Return the numbers of frames by boot."""
    found: dict[int, set[int]] = {}
    for stored in frames:
        _, _, boot, seq, *_ = unpack_header(stored.data)
        found.setdefault(boot, set()).add(seq)
    return found


def quick_disk() -> str | None:
    """Return a folder in memory, where fsync costs nothing; the faults are the same."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
