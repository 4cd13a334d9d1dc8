"""Faults injected into a store while it is written: full, read-only, locked or damaged.

Each function starts its fault on an open store and returns a function that ends it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tiltwise.store.files.raw_files import month_of
from tiltwise.store.writer import Store
from tiltwise_lab.bench.storage.killed_host import T0_S

Begin = Callable[[Store, Path], Callable[[], object]]


def broken(folder: Path) -> int:
    """Return how many databases of a folder do not pass SQLite's full check."""
    return sum(not _is_sound(path) for path in folder.glob("*.db"))


def _is_sound(path: Path) -> bool:
    db = sqlite3.connect(path)
    try:
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()


def _pragma(store: Store, text: str) -> int:
    """Set or read a property of the writer's own connection, which no other can reach."""
    row = store._core.execute(f"PRAGMA {text}").fetchone()
    return 0 if row is None else int(row[0])


def full(store: Store, _folder: Path) -> Callable[[], object]:
    """Let the database grow by two pages and no more, as on a full disk."""
    _pragma(store, f"max_page_count={_pragma(store, 'page_count') + 2}")
    return partial(_pragma, store, "max_page_count=1000000000")


def read_only(store: Store, _folder: Path) -> Callable[[], object]:
    """Refuse every write."""
    _pragma(store, "query_only=ON")
    return partial(_pragma, store, "query_only=OFF")


def locked(store: Store, folder: Path) -> Callable[[], object]:
    """Let another program hold the database."""
    _pragma(store, "busy_timeout=2")  # ms; the usual 5 s would only make the bench longer
    other = sqlite3.connect(folder / "core.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def damaged(_store: Store, folder: Path) -> Callable[[], object]:
    """Let the month file be garbage when the first chunk is due; nothing mends it but the store itself."""
    month = month_of(round(T0_S * 1e6))
    (folder / f"raw-{month}.db").write_bytes(b"\x00garbage" * 2000)
    return lambda: None


STORE_FAULTS: dict[str, Begin] = {
    "full disk": full,
    "read-only": read_only,
    "locked by another program": locked,
    "corrupted month file": damaged,
}
