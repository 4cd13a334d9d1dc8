"""Sets a damaged store file aside and copies what can be read of it into a new one, while recording goes on.

Tables are walked by rowid in halves, so that one bad page costs the rows on it and not those behind it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tiltwise.store import schema

_STRIDE = 1024  # rows asked for at once; one that fails is halved down to single rows
_MOST_ROWS = 1 << 20  # where the last rowid cannot be read: a million rows is years of anything here


@dataclass(frozen=True, slots=True)
class Recovery:
    """What happened to a damaged file: where it lies now, rows saved by table, tables that gave nothing."""

    path: Path
    quarantined: Path
    saved: dict[str, int]

    @property
    def message(self) -> str:
        """One line for the user."""
        rows = ", ".join(f"{n} {name} rows" for name, n in sorted(self.saved.items()) if n) or "nothing"
        return f"{self.path.name} was damaged: set aside as {self.quarantined.name}, saved {rows}; recording goes on"


def is_intact(path: Path) -> bool:
    """Run SQLite's quick check (10 s for a year); a file that is no database is not intact."""
    try:
        db = sqlite3.connect(path)
        try:
            return [row[0] for row in db.execute("PRAGMA quick_check(1)")] == ["ok"]
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        if schema.is_damage(error):
            return False
        raise schema.explain(error, path) from error


def recover(path: Path, migrations: tuple[str, ...], now_s: float) -> Recovery:
    """Move the file aside, make a new one, and copy every row that can still be read."""
    stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    k = 1
    while aside.exists():
        k += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{k}")
    for suffix in ("-wal", "-shm", ""):  # the log goes first: it must never be replayed into the new file
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    new = schema.open_writer(path, migrations)
    try:
        saved = _salvage(aside, new)
    finally:
        new.close()
    return Recovery(path, aside, saved)


def _salvage(source: Path, new: sqlite3.Connection) -> dict[str, int]:
    """Copy rows table by table, in an order that satisfies the references."""
    tables = [r[0] for r in new.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY rowid")]
    old = sqlite3.connect(source)
    try:
        return {table: _copy_table(old, new, table) for table in tables}
    finally:
        old.close()


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    saved = 0
    with schema.transaction(new):
        for row in readable_rows(old, table, names):
            try:
                saved += new.execute(
                    f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row
                ).rowcount
            except sqlite3.IntegrityError:
                continue  # its session or device was on a bad page
    return saved


def readable_rows(old: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[object, ...]]:
    """Yield rows in rowid order, skipping those on bad pages."""
    last = _last_rowid(old, table)
    stack = [(start, min(start + _STRIDE, last + 1)) for start in range(1, last + 1, _STRIDE)][::-1]
    while stack:
        start, end = stack.pop()
        try:
            yield from old.execute(
                f"SELECT {names} FROM {table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid", (start, end)
            ).fetchall()
        except sqlite3.DatabaseError:
            if end - start > 1:
                middle = (start + end) // 2
                stack += [(middle, end), (start, middle)]


def _last_rowid(old: sqlite3.Connection, table: str) -> int:
    """Return the greatest rowid, or where it cannot be read the greatest that a search by doubling still finds."""
    known = _number(old, f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 0)")
    if known is None:  # not even the table's definition can be read
        return 0
    last = _number(old, f"SELECT coalesce(max(rowid), 0) FROM {table}")
    if last is not None:
        return last
    found, step, is_any_readable = 0, 1, False
    while step < _MOST_ROWS:
        at_least = _number(old, f"SELECT coalesce(min(rowid), 0) FROM {table} WHERE rowid >= {step}")
        is_any_readable = is_any_readable or at_least is not None
        if at_least == 0:
            break
        found = max(found, 2 * step if at_least is None else at_least + _STRIDE)
        step *= 2
    return found if is_any_readable else 0  # the table's first page is gone: every look-up fails


def _number(db: sqlite3.Connection, query: str) -> int | None:
    """Return the one number of a query, None when the pages it needs cannot be read."""
    try:
        return int(db.execute(query).fetchone()[0])
    except sqlite3.DatabaseError:
        return None


def open_core(folder: Path, now_s: float) -> tuple[sqlite3.Connection, list[Recovery]]:
    """Open core.db for writing, checked, recovered if damaged; month files are checked where they are written."""
    path = folder / schema.CORE_NAME
    recoveries: list[Recovery] = []
    try:
        db = _open_checked(path)
        if db is None:
            recoveries.append(recover(path, schema.CORE_MIGRATIONS, now_s))
            db = schema.open_writer(path, schema.CORE_MIGRATIONS)
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    return db, recoveries


def _open_checked(path: Path) -> sqlite3.Connection | None:
    """Return the open file, None when it is damaged; a year takes a few tenths of a second."""
    db = None
    try:
        db = schema.open_writer(path, schema.CORE_MIGRATIONS)
        if db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
            return db
    except sqlite3.DatabaseError as error:
        if not schema.is_damage(error):
            raise
    if db is not None:
        db.close()
    return None
