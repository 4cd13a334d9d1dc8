"""`tiltwise bench store`, third part: files damaged while no program ran, and how the next start handles them.

A store of ten minutes is overwritten or cut in one place; then a new host records into it. storage_tables.py prints
the rows.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tiltwise.live.wearer.live_events import Command, LiveWarning
from tiltwise.store.writer import Store, StoreError
from tiltwise_lab.bench.storage.fault_injection import broken
from tiltwise_lab.bench.storage.kill_and_power_cut import stored
from tiltwise_lab.bench.storage.killed_host import calibrated_session, frames_of

_BEFORE_S, _AFTER_S = 600.0, 90.0  # recorded before and after; the second writes chunks too
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class DamageRow:
    """What was damaged; frames stored before, those lost of them, and those missing of the next run; time in s."""

    what: str
    before: int
    lost: int
    missing_after: int
    again_s: float
    sound: bool
    message: str


def _page(path: Path, at: float) -> None:
    """Overwrite the page at this share of a file with what is no page."""
    data = bytearray(path.read_bytes())
    first = int(len(data) * at) // _PAGE * _PAGE
    data[first : first + _PAGE] = b"\xa5" * len(data[first : first + _PAGE])
    path.write_bytes(data)


def _cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 + 100])


DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "second page of core.db": ("core.db", lambda path: _page(path, 1.5 * _PAGE / path.stat().st_size)),
    "middle page of core.db": ("core.db", lambda path: _page(path, 0.5)),
    "first page of core.db": ("core.db", lambda path: _page(path, 0.0)),
    "core.db cut in half": ("core.db", _cut),
    "middle page of the month": ("raw-*.db", lambda path: _page(path, 0.5)),
    "first page of the month": ("raw-*.db", lambda path: _page(path, 0.0)),
    "month cut in half": ("raw-*.db", _cut),
}


def damage_rows() -> Iterator[tuple[float, DamageRow]]:
    """Yield (share done, row) for each way to damage a store at rest."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-damage-") as name:
        whole = recorded(Path(name) / "whole")
        for k, what in enumerate(DAMAGES):
            yield (k + 1) / len(DAMAGES), damage_row(what, whole, Path(name) / str(k))


def recorded(folder: Path, seconds: float = _BEFORE_S) -> Path:
    """Record a store to be damaged, and return its folder."""
    _record(folder, 1, seconds)
    return folder


def damage_row(what: str, whole: Path, folder: Path) -> DamageRow:
    """Damage a copy of a store in a folder and record into it again."""
    shutil.copytree(whole, folder)
    before = stored(folder, 1)
    pattern, damage = DAMAGES[what]
    (path,) = folder.glob(pattern)
    damage(path)
    messages, again_s = _record(folder, 2, _AFTER_S)
    expected = len(frames_of(2, _AFTER_S))
    try:
        lost, missing = len(before - stored(folder, 1)), expected - len(stored(folder, 2))
    except StoreError as error:  # no reader gets through
        lost, missing = len(before), expected
        messages.append(str(error))
    message = (messages or [""])[0].replace(str(folder), "FOLDER")
    return DamageRow(what, len(before), lost, missing, again_s, broken(folder) == 0, message)


def _record(folder: Path, boot: int, seconds: float) -> tuple[list[str], float]:
    """Record a boot; return what the user is told, and the time to the first acknowledgement."""
    began_s, again_s = time.monotonic(), float("nan")
    store = Store(folder, min_free_bytes=0)
    session = calibrated_session(store, boot)
    told: list[str] = []
    for k, frame in enumerate(frames_of(boot, seconds)):
        events = session.receive(0.2 * k, frame)
        told += [event.text for event in events if isinstance(event, LiveWarning)]
        if any(isinstance(event, Command) for event in events) and again_s != again_s:
            again_s = time.monotonic() - began_s
    session.finish()
    return [
        *store.reports,
        *told,
        *filter(None, [session.unsaved]),
    ], again_s
