"""The operations whose file calls are made to fail, and what must be true after each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tiltwise.config.settings import Settings
from tiltwise.errors import AppError
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.travel.import_days import find_days, import_days
from tiltwise.offline.travel.import_file import ImportRequest, import_file
from tiltwise.recording.replay import load_tape
from tiltwise.store.erase import KEEP_RAW, erase_all, erase_stretch
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store
from tiltwise_lab.bench.storage.faults.prepared_stores import (
    FEW_FRAMES,
    FOREIGN_FILE,
    FOREIGN_STARTED_S,
    IMPORTED_DAY_S,
    IMPORTED_MINUTES,
    OWN_FILE,
    Note,
    damaged,
    old_schema,
    record,
    template_to_import,
    template_with_recordings,
    time_s,
    two_boots,
)
from tiltwise_lab.bench.storage.killed_host import T0_S


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to a copy of a template folder, and what may be missing afterwards.

    is_erasing: frames of the older boot may go, then all of them.
    afterwards: looks at what no other operation leaves, and returns what is wrong with it.
    """

    template: Callable[[Path], None]
    run: Callable[[Path, Note], None]
    is_erasing: bool = False
    erases_all: bool = False
    is_short: bool = False
    afterwards: Callable[[Path, list[str]], str] = lambda _folder, _notes: ""


def _open(folder: Path, note: Note) -> None:
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        for line in store.reports:
            note(f"told {line}")


def _record(folder: Path, note: Note) -> None:
    record(folder, 3, 450, note)


def _rebuild(folder: Path, _: Note) -> None:
    rebuild(folder, [folder / "1.tw", folder / "2.tw"], now_s=T0_S)


def _erase_older(folder: Path, note: Note) -> None:
    erase_stretch(folder, round(time_s(1, 0) * 1e6), round(time_s(1, 1000) * 1e6), T0_S)
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


def _import_file(folder: Path, note: Note, name: str) -> None:
    request = ImportRequest(file=folder / name, store=folder, settings=Settings(), zone="UTC")
    import_file(request, lambda _: None)
    note("done")


def _import_days(folder: Path, note: Note) -> None:
    import_days(find_days(folder / "days"), folder, lambda _: None)
    note("done")


def _file_again(folder: Path, notes: list[str], name: str) -> str:
    """Expect a file to be whole if its import said so, and when imported again unless some of its time is there."""
    tape = load_tape(folder / name)
    start_s = FOREIGN_STARTED_S if name == FOREIGN_FILE else time_s(3, 0)

    def found() -> int:
        with StoreReader(folder) as reader:
            return sum(1 for _ in reader.frames(start_s, start_s + 100.0))

    if "done" in notes and found() != len(tape.frames):
        return f"{found()} frames of {len(tape.frames)} imported"
    with contextlib.suppress(AppError):
        _import_file(folder, lambda _: None, name)
        return "" if found() == len(tape.frames) else f"{found()} frames of {len(tape.frames)} imported again"
    return ""


def _days_again(folder: Path, notes: list[str]) -> str:
    """Expect the day to be there whole or not at all, and whole when imported again."""
    found = _imported_minutes(folder)
    if found not in ((IMPORTED_MINUTES,) if "done" in notes else (0, IMPORTED_MINUTES)):
        return f"{found} minutes of {IMPORTED_MINUTES} imported"
    _import_days(folder, lambda _: None)
    found = _imported_minutes(folder)
    return "" if found == IMPORTED_MINUTES else f"{found} minutes of {IMPORTED_MINUTES} when imported again"


def _imported_minutes(folder: Path) -> int:
    with StoreReader(folder) as reader:
        return len(reader.day(datetime.fromtimestamp(IMPORTED_DAY_S, UTC).date(), "UTC").minutes)


OPERATIONS: dict[str, Operation] = {
    "open after a kill": Operation(two_boots, _open),
    "record: commit and flush": Operation(two_boots, _record),
    "repair core.db": Operation(lambda f: damaged(f, "core.db", "aggregate_start"), _open),
    "repair a month": Operation(lambda f: damaged(f, "raw-2026-02.db", "chunk_time"), _record),
    "migrate": Operation(old_schema, _open),
    "rebuild": Operation(lambda f: template_with_recordings(f, FEW_FRAMES), _rebuild, is_short=True),
    "erase a day": Operation(two_boots, _erase_older, is_erasing=True),
    "erase all": Operation(two_boots, _erase_all, is_erasing=True, erases_all=True),
    "retire a month": Operation(two_boots, _retire, is_erasing=True),
    **{
        what: Operation(
            template_to_import, partial(_import_file, name=name), afterwards=partial(_file_again, name=name)
        )
        for what, name in (("import a recording", OWN_FILE), ("import a foreign file", FOREIGN_FILE))
    },
    "import days": Operation(template_to_import, _import_days, afterwards=_days_again),
}
