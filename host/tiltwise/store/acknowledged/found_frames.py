"""Which frames are there: in the tail of core.db, and in the chunks of the months where a search is asked for."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store.acknowledged.receipts import Key, digest, join, minus
from tiltwise.store.files import schema
from tiltwise.store.files.codec import StoredFrame, unpack_chunk, unpack_columns, unpack_tail
from tiltwise.store.files.raw_files import month_of, raw_files

_UNREADABLE = (ValueError, IndexError, struct.error, zlib.error, wire.WireError)  # what damaged blobs raise


@dataclass(slots=True)
class Found:
    """Frames that are there: by month ("" for the tail) and key, and of the tail the sums of their hashes."""

    frames: dict[tuple[str, Key], SequenceRanges] = field(default_factory=dict)
    sums: dict[Key, int] = field(default_factory=dict)

    def of(self, key: Key) -> SequenceRanges:
        """Return what was found of a device and boot, wherever."""
        all_of: dict[Key, SequenceRanges] = {}
        for (_, each), ranges in self.frames.items():
            if each == key:
                join(all_of, key, ranges.pairs)
        return all_of.get(key, SequenceRanges())


def read_tail(rows: Iterable[tuple[object, ...]]) -> tuple[Found, dict[tuple[str, str], list[StoredFrame]]]:
    """Return what tail rows (id, device, times, frames) hold: what was found, and the frames by month and device."""
    found, frames = Found(), dict[tuple[str, str], list[StoredFrame]]()
    for _, device, times, data in rows:
        try:
            stored = unpack_tail(times, data)  # type: ignore[arg-type]
            heads = [read_frame(each.data) for each in stored]
        except _UNREADABLE:
            continue  # its frames are missing, then
        for each, head in zip(stored, heads, strict=True):
            key = (str(device), head.boot)
            ranges = found.frames.setdefault(("", key), SequenceRanges())
            if head.seq in ranges:
                continue
            ranges.add(head.seq, head.seq)
            found.sums[key] = (found.sums.get(key, 0) + digest([each.data])) & ((1 << 64) - 1)
            frames.setdefault((month_of(each.utc_us), str(device)), []).append(each)
    return found, frames


def search(folder: Path, wanted: Mapping[Key, SequenceRanges], found: Found, *, only: str = "") -> None:
    """Look for what is wanted and not found yet in the chunks of all months, or of one."""
    for path in reversed(raw_files(folder)):
        month = path.stem.removeprefix("raw-")
        if only and month != only:
            continue
        for key, ranges in wanted.items():
            missing = minus(ranges, found.of(key))
            if not missing:
                continue
            there = SequenceRanges()
            for seq in _chunk_numbers(path, key, missing):
                there.add(seq, seq)
            hits = [pair for first, last in missing.pairs for pair in there.within(first, last)]
            if hits:
                join(found.frames, (month, key), hits)


def _chunk_numbers(path: Path, key: Key, missing: SequenceRanges) -> Iterator[int]:
    sql = "SELECT crc32, data FROM chunk WHERE device = ? AND boot = ? AND seq0 <= ? AND seq1 >= ?"
    first, last = missing.pairs[0][0], missing.pairs[-1][1]
    try:
        db = schema.open_reader(path)
    except (sqlite3.Error, OSError):
        return
    try:
        for crc32, data in db.execute(sql, (*key, last, first)):
            if zlib.crc32(data) != crc32:
                continue
            columns = unpack_columns(data)
            if columns is not None:
                yield from map(int, columns.frame["seq"])
            else:
                yield from (read_frame(each.data).seq for each in unpack_chunk(key[1], data))
    except (sqlite3.Error, TypeError, *_UNREADABLE):
        return  # what lies behind is missing, then
    finally:
        db.close()
