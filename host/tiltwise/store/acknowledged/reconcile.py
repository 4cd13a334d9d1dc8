"""At each start: are the frames there that were acknowledged? What is missing is said, and asked for again.

Compared are the receipts, the list of received frames in core.db, the tail, and the number of chunks in each month.
Only where these do not agree are chunks opened, so a year's store is compared in tens of milliseconds. "Received"
never keeps a frame that is not there: the board is asked for it again, and what it has no more becomes a gap.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store.acknowledged.found_frames import Found, read_tail, search
from tiltwise.store.acknowledged.losses import Losses
from tiltwise.store.acknowledged.receipts import Key, Month, Receipts, join, minus
from tiltwise.store.files import schema, swap
from tiltwise.store.files.recovery import is_intact, recover
from tiltwise.text import counted

# By each index: of a file whose pages have changed places, one of them finds nothing, and no error says so.
_COUNTS = (
    "SELECT count(*) FROM chunk INDEXED BY sqlite_autoindex_chunk_1 WHERE device > ''",
    "SELECT count(*) FROM chunk INDEXED BY chunk_time "
    "WHERE t0_us BETWEEN -1000000000000000000 AND 1000000000000000000",
)
_MARK = "receipts"  # in meta: this store has receipts, so that their absence means something


def _on_the_files(receipts: Receipts, *, is_core_missing: bool) -> Iterator[str]:
    if receipts.missing_lines or receipts.log.is_in_doubt:
        what = f"{receipts.missing_lines} of their lines said" if receipts.missing_lines else "they said last"
        yield f"{' and '.join(swap.RECEIPTS_NAMES)} were damaged or cut off: what {what} cannot be compared"
    if is_core_missing:
        yield (
            f"{schema.CORE_NAME} was missing: minutes, events and gaps of the days before are gone, unless you bring "
            "it back or build the store again with `tiltwise data --rebuild RECORDING`"
        )


def _differ(one: Mapping[Key, SequenceRanges], other: Mapping[Key, SequenceRanges]) -> bool:
    return one.keys() != other.keys() or any(ranges.pairs != other[key].pairs for key, ranges in one.items())


def compare(
    folder: Path,
    core: sqlite3.Connection,
    receipts: Receipts,
    now_s: float,
    *,
    is_core_new: bool,
    is_core_mended: bool = False,
) -> list[str]:
    """Compare receipts and store, mend the list of received frames, and return what is to be told.

    Raises
    ------
    StoreError, sqlite3.Error, OSError : when the disk refuses.
    """
    ids = {str(name): int(k) for k, name in core.execute("SELECT id, name FROM device")}
    rows = core.execute("SELECT name, boot, ranges FROM received JOIN device ON device.id = device_id")
    received = {(str(name), int(boot)): _ranges(blob) for name, boot, blob in rows}
    found, _ = read_tail(_tail_rows(core))
    if receipts.log.is_new:
        losses = _begin(folder, core, receipts, received, found, now_s, is_core_mended=is_core_mended)
        _settle_losses(folder, core, ids, losses, receipts, received, now_s)
        return losses.told()
    losses = Losses()
    acknowledged = receipts.acknowledged()
    losses.lines += _on_the_files(receipts, is_core_missing=is_core_new and bool(acknowledged))
    _check_months(folder, receipts, losses, found, now_s)
    _check_tail(folder, receipts, losses, found)
    wanted = _check_received(folder, receipts, losses, found, acknowledged, received)
    if is_core_mended and not losses.why:
        losses.stale.clear()  # the repair was told, which explains it
    losses.lines += [] if losses.told() else losses.stale
    losses.lines += [
        f"{name} was damaged; the other file says all that it said" for name in receipts.log.mended
    ]
    if losses.told() or _differ(wanted, received) or receipts.log.is_rewrite_due or _follow(receipts, found):
        _settle_losses(folder, core, ids, losses, receipts, wanted, now_s)
        _follow(receipts, found)
        receipts.rewrite()
    return losses.told()


def _settle_losses(
    folder: Path,
    core: sqlite3.Connection,
    ids: dict[str, int],
    losses: Losses,
    receipts: Receipts,
    wanted: Mapping[Key, SequenceRanges],
    now_s: float,
) -> None:
    """Keep what is to be told, durably, before the traces of it go; then let lists and receipts follow."""
    if lines := losses.told():
        swap.note_incidents(folder, lines, now_s)
    for key, (_, gone) in losses.why.items():
        receipts.forget(key, gone.pairs)
    with schema.transaction(core):
        core.execute("INSERT OR REPLACE INTO meta VALUES (?, '1')", (_MARK,))
        for (device, boot), ranges in wanted.items():
            if device not in ids:
                ids[device] = max(ids.values(), default=0) + 1
                core.execute("INSERT INTO device VALUES (?, ?, ?)", (ids[device], device, round(now_s * 1e6)))
            core.execute(
                "INSERT OR REPLACE INTO received (device_id, boot, ranges) VALUES (?, ?, ?)",
                (ids[device], boot, ranges.pack()),
            )


def _begin(
    folder: Path,
    core: sqlite3.Connection,
    receipts: Receipts,
    received: Mapping[Key, SequenceRanges],
    found: Found,
    now_s: float,
    *,
    is_core_mended: bool,
) -> Losses:
    """Begin receipts for a store without any: what it has by now is taken as it is, unless it was just repaired."""
    losses = Losses()
    if core.execute("SELECT 1 FROM meta WHERE key = ?", (_MARK,)).fetchone() is not None:
        losses.lines.append(
            f"{swap.RECEIPTS_NAMES[0]} was missing: what was acknowledged before cannot be compared"
        )
    if is_core_mended:
        search(folder, received, found)
        for key, ranges in received.items():
            gone = minus(ranges, found.of(key))
            losses.add(key, "listed as received, and nowhere", gone)
            for first, last in gone.pairs:
                ranges.remove(first, last)
    if lines := losses.told():  # before the receipts are there, which would end the asking
        swap.note_incidents(folder, lines, now_s)
    receipts.settled = {key: ranges.copy() for key, ranges in received.items()}
    _follow(receipts, found)
    receipts.rewrite()
    return losses


def _tail_rows(core: sqlite3.Connection) -> list[tuple[object, ...]]:
    return core.execute(
        "SELECT tail.id, name, utc_us, frames FROM tail JOIN device ON device.id = device_id ORDER BY 1"
    ).fetchall()


def _ranges(blob: object) -> SequenceRanges:
    """Read packed ranges; what is no list of ranges in order says nothing."""
    ranges = SequenceRanges()
    if isinstance(blob, bytes) and len(blob) % 8 == 0:
        for first, last in struct.iter_unpack("<II", blob):
            if first > last:
                return SequenceRanges()
            ranges.add(first, last)
    return ranges


def _check_months(folder: Path, receipts: Receipts, losses: Losses, found: Found, now_s: float) -> None:
    """A month whose file is gone or has fewer chunks than it had is searched."""
    for name, month in receipts.months.items():
        path = folder / f"raw-{name}.db"
        chunks = _count(path)
        if chunks is not None and chunks >= month.chunks:
            continue
        why = f"{path.name} was deleted or moved"
        if path.is_file():
            why = f"{path.name} was damaged or replaced"
            if chunks is None or not is_intact(path):
                losses.lines.append(recover(path, schema.RAW_MIGRATIONS, now_s).message)
            chunks = _count(path)
        search(folder, month.frames, found, only=name)
        for key, ranges in month.frames.items():
            losses.add(key, why, minus(ranges, found.of(key)))
        month.chunks = chunks or 0


def _count(path: Path) -> int | None:
    """Return the number of chunks, as the index says that knows fewer; None where the file cannot say."""
    if not path.is_file():
        return None
    try:
        db = schema.open_reader(path)
    except (sqlite3.Error, OSError):
        return None
    try:
        return min(int(db.execute(sql).fetchone()[0]) for sql in _COUNTS)
    except sqlite3.Error:
        return None
    finally:
        db.close()


def _check_tail(folder: Path, receipts: Receipts, losses: Losses, found: Found) -> None:
    """What is not in a month yet must be in the tail, byte by byte, or have become chunks just before the end."""
    for key, ranges in receipts.tail.items():
        in_tail = found.frames.get(("", key), SequenceRanges())
        if in_tail.pairs == ranges.pairs and found.sums.get(key, 0) != receipts.sums.get(key, 0):
            losses.lines.append(
                f"not as acknowledged: {counted(ranges.count, 'frame')} of {key[0]}, boot {key[1]}: "
                f"damaged in {schema.CORE_NAME}"
            )
    search(folder, receipts.tail, found)
    for key, ranges in receipts.tail.items():
        losses.add(key, f"{schema.CORE_NAME} or its log lost them", minus(ranges, found.of(key)))


def _check_received(
    folder: Path,
    receipts: Receipts,
    losses: Losses,
    found: Found,
    acknowledged: Mapping[Key, SequenceRanges],
    received: Mapping[Key, SequenceRanges],
) -> dict[Key, SequenceRanges]:
    """Return what may count as received: acknowledged or listed, and not missing."""
    in_doubt: dict[Key, SequenceRanges] = {}
    wanted: dict[Key, SequenceRanges] = {}
    back = 0
    for key in {**acknowledged, **received}:
        known, listed = acknowledged.get(key, SequenceRanges()), received.get(key, SequenceRanges())
        settled = receipts.settled.get(key, SequenceRanges())
        in_doubt[key] = minus(known, listed)
        for first, last in settled.pairs:
            in_doubt[key].remove(first, last)
        unlisted = in_doubt[key].count
        join(in_doubt, key, minus(listed, known).pairs)
        wanted[key] = join({}, key, [*known.pairs, *listed.pairs])
        if in_doubt[key]:
            search(folder, {key: in_doubt[key]}, found)
        gone = minus(in_doubt[key], found.of(key))
        unknown_gone = minus(gone, known)
        acknowledged_gone = minus(gone, unknown_gone)
        losses.add(key, f"{schema.CORE_NAME} or its log lost them", acknowledged_gone)
        losses.add(key, "listed as received, and nowhere", unknown_gone)
        back += unlisted - acknowledged_gone.count
        for first, last in gone.pairs:
            wanted[key].remove(first, last)
        if key in losses.why:
            for first, last in losses.why[key][1].pairs:
                wanted[key].remove(first, last)
    if back:
        losses.stale.append(
            f"{schema.CORE_NAME} is older than what was acknowledged: {counted(back, 'frame')} found in the month "
            "files, minutes and events of that time may be missing"
        )
    return wanted


def _follow(receipts: Receipts, found: Found) -> bool:
    """Let the receipts say where frames are: in the tail, or the month where they were found; tell of a change."""
    tail = {key: ranges for (month, key), ranges in found.frames.items() if not month}
    moved = {place: ranges for place, ranges in found.frames.items() if place[0]}
    is_same = not moved and {k: r.pairs for k, r in tail.items() if r} == {
        k: r.pairs for k, r in receipts.tail.items() if r
    }
    if is_same and all(found.sums.get(key, 0) == receipts.sums.get(key, 0) for key in tail):
        return False
    receipts.tail, receipts.sums = {key: ranges.copy() for key, ranges in tail.items()}, dict(found.sums)
    for (name, key), ranges in moved.items():
        join(receipts.months.setdefault(name, Month()).frames, key, ranges.pairs)
    return True
