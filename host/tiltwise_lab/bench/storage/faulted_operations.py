"""What `tiltwise bench store` does to a store while file calls fail: the folders before it, and the operations.

A folder holds two boots, one of them of an earlier month; an operation is what a command does to it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tiltwise.common.frame import Frame, read_frame
from tiltwise.config.settings import RuleSetting
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.store.erase import KEEP_RAW, erase_all, erase_stretch
from tiltwise.store.files import schema
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, Mount, PostureKind
from tiltwise_lab.bench.storage.killed_host import T0_S, frames_of

MONTH_S = 40 * 86400.0  # the older boot lies in an earlier month
STEP = 50  # frames of 0.2 s a commit: each sixth commit writes chunks
_DEVICE = "faulted host"
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to a copy of a template folder, and what may be missing afterwards.

    is_erasing: frames of the older boot may go, then all of them.
    """

    template: Callable[[Path], None]
    run: Callable[[Path, Note], None]
    is_erasing: bool = False
    erases_all: bool = False
    is_short: bool = False


@cache
def frames_of_boot(boot: int) -> list[Frame]:
    return [read_frame(data) for data in frames_of(boot, 90.0)]


def _time_s(boot: int, k: int) -> float:
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
        started_s=_time_s(boot, 0),
        first_seq=frames_of_boot(boot)[0].seq,
    )
    for first in range(0, n, STEP):
        chosen = frames_of_boot(boot)[first : min(first + STEP, n)]
        start_s = _time_s(boot, first)
        store.append(session, chosen, [_time_s(boot, k) for k in range(first, first + len(chosen))])
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


# ---- templates: what lies there before ----


FRAMES_OF_BOOTS = {1: 400, 2: 430}  # frames of the two boots
SHORT_BOOTS = {1: 60, 2: 70}  # where each frame goes through a session


def _two_boots(folder: Path, n: Mapping[int, int] = FRAMES_OF_BOOTS) -> None:
    """A boot of an earlier month, closed, and one that was killed: chunks, a tail and a log."""
    made = folder.with_name(folder.name + "-live")
    record(made, 1, n[1])
    store = record(made, 2, n[2], is_closed=False)
    shutil.copytree(made, folder)
    store.close()
    shutil.rmtree(made)


def _damaged(folder: Path, file: str, table: str) -> None:
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


def _old_schema(folder: Path) -> None:
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
    _two_boots(folder, frames)
    for boot, n in frames.items():
        header = recording_header(
            started=datetime.fromtimestamp(_time_s(boot, 0), UTC), address="ble:", device=_DEVICE, zone="UTC",
            mount=Mount.NECK, rule=RuleSetting(),
        )  # fmt: skip
        with RecordingWriter(folder / f"{boot}.tw", header, start_s=0.0) as writer:
            for k, frame in enumerate(frames_of_boot(boot)[:n]):
                writer.write(0.2 * k, frame.data)


# ---- operations ----


def _open(folder: Path, note: Note) -> None:
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        for line in store.reports:
            note(f"told {line}")


def _record(folder: Path, note: Note) -> None:
    record(folder, 3, 450, note)


def _rebuild(folder: Path, _: Note) -> None:
    rebuild(folder, [folder / "1.tw", folder / "2.tw"], now_s=T0_S)


def _erase_older(folder: Path, note: Note) -> None:
    erase_stretch(folder, round(_time_s(1, 0) * 1e6), round(_time_s(1, 1000) * 1e6), T0_S)
    note("done")


def _erase_all(folder: Path, note: Note) -> None:
    erase_all(folder, T0_S)
    note("done")


def _retire(folder: Path, note: Note) -> None:
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        store.put_setting(KEEP_RAW, 1)
        store.commit()
        store.retire()
    note("done")


OPERATIONS: dict[str, Operation] = {
    "open after a kill": Operation(_two_boots, _open),
    "record: commit and flush": Operation(_two_boots, _record),
    "repair core.db": Operation(lambda f: _damaged(f, "core.db", "aggregate_start"), _open),
    "repair a month": Operation(lambda f: _damaged(f, "raw-2026-02.db", "chunk_time"), _record),
    "migrate": Operation(_old_schema, _open),
    "rebuild": Operation(lambda f: template_with_recordings(f, SHORT_BOOTS), _rebuild, is_short=True),
    "erase a day": Operation(_two_boots, _erase_older, is_erasing=True),
    "erase all": Operation(_two_boots, _erase_all, is_erasing=True, erases_all=True),
    "retire a month": Operation(_two_boots, _retire, is_erasing=True),
}
