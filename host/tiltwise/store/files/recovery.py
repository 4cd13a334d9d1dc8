"""Sets a damaged store file aside and copies what can be read of it into a new one, while recording goes on.

Tables are walked by rowid in halves, so that one bad page costs the rows on it and not those behind it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tiltwise.config.atomic_file import sync_folder, whole_file
from tiltwise.store.files import schema, swap
from tiltwise.text import counted

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
        rows = (
            ", ".join(counted(n, f"{name} row") for name, n in sorted(self.saved.items()) if n) or "nothing"
        )
        return f"{self.path.name} was damaged: set aside as {self.quarantined.name}, saved {rows}; recording goes on"


def is_intact(path: Path) -> bool:
    """Run SQLite's quick check (10 s for a year); a file that is no database is not intact."""
    try:
        db = sqlite3.connect(path, factory=schema.Database)
        try:
            return [row[0] for row in db.execute("PRAGMA quick_check(1)")] == ["ok"]
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        if schema.is_damage(error):
            return False
        raise schema.explain(error, path) from error


def stamp_of(now_s: float) -> str:
    """Return a time as it stands in the names of files set aside."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")


def recover(path: Path, migrations: tuple[str, ...], now_s: float) -> Recovery:
    """Copy every row that can still be read into a new file, which then takes the damaged one's place.

    The damaged file keeps its name until the new one is whole and on the disk; the line for the user is on the disk
    before that, so that a kill at any moment leaves either the damaged file or the repaired one and its story.
    """
    aside = swap.aside_name(path, stamp_of(now_s))
    salvage = swap.fresh_salvage(path)
    new = schema.open_writer(salvage, migrations)
    try:
        saved = _salvage(path, new)
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        new.close()
    done = Recovery(path, aside, saved)
    swap.note_incidents(path.parent, [done.message], now_s)
    swap.take_place(path, aside)
    return done


def _salvage(source: Path, new: sqlite3.Connection) -> dict[str, int]:
    """Copy rows table by table, in an order that satisfies the references; the source is only read."""
    tables = [r[0] for r in new.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY rowid")]
    old = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, factory=schema.Database)
    try:
        with schema.transaction(new):
            return {table: _copy_table(old, new, table) for table in tables}
    finally:
        old.close()


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    saved = 0
    for row in readable_rows(old, table, names):
        try:
            saved += new.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row).rowcount
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


def open_core(folder: Path, now_s: float) -> tuple[sqlite3.Connection, list[str]]:
    """Open core.db for writing, checked, recovered if damaged; return it and what is to be told."""
    path = folder / schema.CORE_NAME
    told = [] if path.exists() else _set_lone_log_aside(path, now_s)
    marks = read_log(path)
    try:
        opened = _open_checked(path)
        if opened is None:
            told.append(recover(path, schema.CORE_MIGRATIONS, now_s).message)
            db = schema.open_writer(path, schema.CORE_MIGRATIONS)
            return db, told
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    valid = max(opened.valid_pages, 0)
    if marks.durable_pages > valid or marks.is_head_damaged:
        told.append(_set_log_aside(path, valid, marks, now_s))
    return opened.connection, told


# The quick check does not read what indexes say: of pages that have changed places, times are no numbers.
_OUT_OF_PLACE = tuple(
    f"SELECT count(*) FROM {table} INDEXED BY {index} WHERE typeof({column}) <> 'integer'"
    for table, index, column in (
        ("aggregate", "aggregate_start", "start_us"),
        ("event", "event_utc", "utc_us"),
        ("gap", "gap_start", "start_us"),
    )
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """An intact file, and how many pages of its log SQLite took for valid."""

    connection: sqlite3.Connection
    valid_pages: int


def _open_checked(path: Path) -> _Opened | None:
    """Return the open file, None when it is damaged; a year takes a few tenths of a second."""
    db = None
    try:
        db = schema.connect_writer(path)
        valid = swap.checkpoint(db)  # before anything is written, which would cut the log
        schema.migrate(db, path, schema.CORE_MIGRATIONS)
        if db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",) and not any(
            db.execute(sql).fetchone()[0] for sql in _OUT_OF_PLACE
        ):
            return _Opened(db, valid)
    except sqlite3.DatabaseError as error:
        if not schema.is_damage(error):
            if db is not None:
                db.close()
            raise
    except BaseException:
        if db is not None:
            db.close()
        raise
    if db is not None:
        db.close()
    return None


# ---- the write-ahead log ----

_LOG_HEAD, _FRAME_HEAD = struct.Struct(">8I"), struct.Struct(">4I8x")


@dataclass(frozen=True, slots=True)
class LogMarks:
    """What a log must hold: pages that were forced to the disk before the pages behind them were written."""

    durable_pages: int = 0
    is_head_damaged: bool = False


def read_log(path: Path) -> LogMarks:
    """Read how far the log of a database goes, without its checksums.

    SQLite takes a page with a bad checksum for the end of the log and drops what follows in silence. But each
    transaction is on the disk before the next one is begun (synchronous=FULL), so pages with the log's salt behind
    the end of a transaction show that this one was whole once.
    """
    try:
        with path.with_name(path.name + "-wal").open("rb") as log:
            return _read_log(log)
    except FileNotFoundError:
        return LogMarks()


def _read_log(log: BinaryIO) -> LogMarks:
    size = log.seek(0, 2)
    log.seek(0)
    head = log.read(_LOG_HEAD.size)
    if size <= _LOG_HEAD.size:
        return LogMarks()
    magic, _, page, _, *salts, sum0, sum1 = _LOG_HEAD.unpack(head)
    if magic not in (_LOG_MAGIC, _LOG_MAGIC + 1) or _checksum(head[:24], magic & 1) != (sum0, sum1):
        return LogMarks(is_head_damaged=True)
    durable = ended = k = 0
    while len(frame := log.read(_FRAME_HEAD.size)) == _FRAME_HEAD.size:
        _, commit_size, *mine = _FRAME_HEAD.unpack(frame)
        k += 1
        if mine == salts:
            durable = ended
            ended = k if commit_size else ended
        log.seek(page, 1)
    return LogMarks(durable)


_LOG_MAGIC = 0x377F0682


def _checksum(data: bytes, is_big_endian: int) -> tuple[int, int]:
    """Return SQLite's checksum of a log's head."""
    first = second = 0
    words = struct.unpack(f"{'>' if is_big_endian else '<'}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _set_lone_log_aside(path: Path, now_s: float) -> list[str]:
    """Keep a log whose database is gone: it may hold the newest frames, and SQLite would delete it."""
    log = path.with_name(path.name + "-wal")
    if not log.is_file() or not log.stat().st_size:
        return []
    aside = swap.aside_name(log, stamp_of(now_s))
    line = f"{log.name} was there without {path.name}: set aside as {aside.name}, bring both back together"
    swap.note_incidents(path.parent, [line], now_s)
    log.replace(aside)
    sync_folder(path.parent)
    return [line]


def _set_log_aside(path: Path, valid: int, marks: LogMarks, now_s: float) -> str:
    """Copy a damaged log before SQLite drops it, and return the line for the user."""
    log = path.with_name(path.name + "-wal")
    aside = swap.aside_name(log, stamp_of(now_s))
    with contextlib.suppress(FileNotFoundError), whole_file(aside, is_private=True) as copy:
        copy.write(log.read_bytes())
    what = (
        "its head"
        if marks.is_head_damaged
        else f"{marks.durable_pages - valid} of its {marks.durable_pages} pages"
    )
    line = (
        f"{log.name} was damaged: {what} cannot be used, so the newest minutes may be missing; "
        f"set aside as {aside.name}"
    )
    swap.note_incidents(path.parent, [line], now_s)
    return line
