"""Files that take another's place: made beside it, forced to the disk, then swapped so that no moment leaves nothing.

`core.db.salvage` is a repair in the making and worth nothing; `core.db.recovered` is a whole one that has yet to take
the place of `core.db`. `rebuilt-TIME` is a whole new store in a folder, `installing-TIME` the same while its files
move in, behind the old ones that are in `before-rebuild-TIME`. What a kill or a power cut leaves of this,
`finish_swaps` brings to its end. `incidents.json` says what happened to the store, until and after somebody was told.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tiltwise.config.atomic_file import sync_folder, whole_file
from tiltwise.store.files import schema
from tiltwise.stored_values import convert

_SALVAGE, _RECOVERED = ".salvage", ".recovered"
_REBUILT, _INSTALLING, BEFORE_REBUILD = "rebuilt-", "installing-", "before-rebuild-"
INCIDENTS_NAME = "incidents.json"
RECEIPTS_NAMES = ("receipts.log", "receipts.copy.log")
_MOST_INCIDENTS = 50  # kept to be shown by `tiltwise data`
_COPIES = ("*.db.corrupt-*", "*.db-wal.corrupt-*", "*.db.backup-v*", f"*.db{_SALVAGE}*", f"*.db{_RECOVERED}*")
_PARTS = ("-wal", "-shm", "")  # the log goes first: it must never be replayed into another file


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to the store: when (UTC s), the line for the user, and whether it was shown."""

    utc_s: float
    line: str
    is_told: bool = False


def store_files(folder: Path) -> list[Path]:
    """Return the databases of a store with their logs, receipts and copies, and nothing else."""
    patterns = (schema.CORE_NAME, schema.RAW_PATTERN)
    found = {p for pattern in patterns for s in _PARTS for p in folder.glob(pattern + s)}
    found |= {p for name in (*RECEIPTS_NAMES, INCIDENTS_NAME) for p in folder.glob(name)}
    return sorted(found | {path for pattern in _COPIES for path in folder.glob(pattern)})


def copies(folder: Path) -> list[Path]:
    """Return the files that recovery, migration and rebuilding set aside."""
    patterns = (*_COPIES, *(f"{name}*/*" for name in (BEFORE_REBUILD, _REBUILT, _INSTALLING)))
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})


# ---- one file ----


def fresh_salvage(path: Path) -> Path:
    """Return where the repair of a file is made; what an earlier try left there is removed."""
    salvage = path.with_name(path.name + _SALVAGE)
    for part in (*_PARTS, "-journal"):
        salvage.with_name(salvage.name + part).unlink(missing_ok=True)
    return salvage


def take_place(path: Path, aside: Path) -> None:
    """Let the repair of a file, closed and whole, take its place; the damaged one gets the name `aside`."""
    salvage = path.with_name(path.name + _SALVAGE)
    sync_file(salvage)
    salvage.replace(path.with_name(path.name + _RECOVERED))
    sync_folder(path.parent)
    _finish_file(path, aside)


def _finish_file(path: Path, aside: Path) -> None:
    for part in _PARTS:
        damaged = path.with_name(path.name + part)
        if damaged.exists():
            damaged.replace(aside.with_name(aside.name + part))
    path.with_name(path.name + _RECOVERED).replace(path)
    sync_folder(path.parent)


def aside_name(path: Path, stamp: str) -> Path:
    """Return a free name for a damaged file."""
    k, aside = 1, path.with_name(f"{path.name}.corrupt-{stamp}")
    while aside.exists():
        k += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{k}")
    return aside


# ---- a whole store ----


def install(building: Path, folder: Path, stamp: str) -> Path | None:
    """Let a store that was built in a folder inside take the place of the one there; return where that is now."""
    while (folder / f"{BEFORE_REBUILD}{stamp}").exists():
        stamp += "-2"
    for path in building.iterdir():
        sync_file(path)
    sync_folder(building)
    building.replace(folder / f"{_REBUILT}{stamp}")
    sync_folder(folder)
    _finish_install(folder)
    aside = folder / f"{BEFORE_REBUILD}{stamp}"
    return aside if aside.is_dir() else None


def _finish_install(folder: Path) -> bool:
    """Move the old files out, then the new ones in; the folder's name says which of it is going on."""
    is_begun = False
    for rebuilt in sorted(folder.glob(f"{_REBUILT}*")):
        is_begun, stamp = True, rebuilt.name.removeprefix(_REBUILT)
        if store_files(folder):
            aside = folder / f"{BEFORE_REBUILD}{stamp}"
            aside.mkdir(mode=0o700, exist_ok=True)
            _move(folder, aside)
        rebuilt.replace(folder / f"{_INSTALLING}{stamp}")
        sync_folder(folder)
    for installing in sorted(folder.glob(f"{_INSTALLING}*")):
        is_begun = True
        _move(installing, folder)
        with contextlib.suppress(OSError):  # a file that is not ours stays where it is
            for rest in installing.iterdir():
                rest.unlink()
            installing.rmdir()
        sync_folder(folder)
    return is_begun


def _move(source: Path, target: Path) -> None:
    """Move the files of a store into another folder of the same disk; the databases last, behind their logs."""
    for path in sorted(store_files(source), key=lambda p: p.name.endswith(".db")):
        path.replace(target / path.name)
    sync_folder(target)
    sync_folder(source)


# ---- after a kill ----


def is_swapping(folder: Path) -> bool:
    """Tell whether something was begun here and is not finished."""
    patterns = (f"*.db{_RECOVERED}", f"{_REBUILT}*", f"{_INSTALLING}*")
    return any(next(folder.glob(pattern), None) is not None for pattern in patterns)


def finish_swaps(folder: Path, stamp: str) -> list[str]:
    """Finish what was begun, and return a line where nobody was told of it; for the holder of the writer's lock."""
    for half in folder.glob(f"*.db{_SALVAGE}*"):
        half.unlink()
    for recovered in folder.glob(f"*.db{_RECOVERED}"):
        path = recovered.with_name(recovered.name.removesuffix(_RECOVERED))
        _finish_file(path, aside_name(path, stamp))
    said = "a rebuild that was interrupted is finished; the store before it is set aside in the same folder"
    return [said] if _finish_install(folder) else []


# ---- what happened ----


def incidents(folder: Path) -> list[Incident]:
    """Return what happened to a store, oldest first; a list that cannot be read is none."""
    try:
        return convert(json.loads((folder / INCIDENTS_NAME).read_bytes()), list[Incident])
    except (OSError, ValueError, RecursionError):
        return []


def note_incidents(folder: Path, lines: Iterable[str], now_s: float) -> None:
    """Keep lines until they were shown, durably; one that waits already is not kept twice."""
    known = incidents(folder)
    waiting = {each.line for each in known if not each.is_told}
    new = [Incident(now_s, line) for line in dict.fromkeys(lines) if line not in waiting]
    if new:
        _write(folder, [*known, *new])


def mark_told(folder: Path) -> None:
    """Mark all incidents as shown."""
    known = incidents(folder)
    if not all(each.is_told for each in known):
        _write(folder, [Incident(each.utc_s, each.line, True) for each in known])


def _write(folder: Path, known: list[Incident]) -> None:
    with whole_file(folder / INCIDENTS_NAME, is_private=True) as file:
        file.write(json.dumps([asdict(each) for each in known[-_MOST_INCIDENTS:]], indent=1).encode())


def sync_file(path: Path) -> None:
    """Force a file's content to the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checkpoint(db: sqlite3.Connection) -> int:
    """Fold the log into its database as far as readers let it; return how many of its pages were valid."""
    return int(db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])
