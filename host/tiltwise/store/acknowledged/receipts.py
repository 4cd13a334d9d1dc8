"""The receipts: a second file with what was acknowledged, compared with the databases at each start.

A database can lose what it had made durable and still pass its own checks: its log has a bad sector, a file was
deleted or replaced by an older one. So each commit leaves a line in `receipts.log` before it is acknowledged: the
frames by number, and a running sum of their hashes. Sums do not depend on the order, as frames also come late. When
frames become chunks they move to their month; what is never to be compared (lost on the board, erased, retired) is
settled.

A line is CRC-32 and JSON. It is handed to the system at each commit and forced to the disk with each minute of
chunks: a program that is killed loses none, and a power cut none that the databases have not kept too.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tiltwise.common import wire
from tiltwise.config.atomic_file import whole_file
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store.files.swap import RECEIPTS_NAME

K = TypeVar("K")
Key = tuple[str, int]  # name of the device, boot
Pairs = list[tuple[int, int]]
_MASK = (1 << 64) - 1
_BEGINS = re.compile(rb"[0-9a-f]{0,8}$|[0-9a-f]{8} ")
_LONGEST = 1 << 18  # bytes of lines until the file is written anew: about an hour


def digest(frames: Iterable[bytes]) -> int:
    """Return the sum of the 64-bit hashes of frames, without their tags, which the store replaces by checksums."""
    total = 0
    for frame in frames:
        flags = frame[1] & ~wire.FLAG_AUTHENTICATED & 0xFF
        body = bytes((frame[0], flags)) + frame[2 : -wire.TAG_SIZE]
        total += int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "little")
    return total & _MASK


def minus(ranges: SequenceRanges, other: SequenceRanges) -> SequenceRanges:
    """Return what of `ranges` is not in `other`."""
    rest = ranges.copy()
    for first, last in other.pairs:
        rest.remove(first, last)
    return rest


def join(into: dict[K, SequenceRanges], key: K, pairs: Iterable[tuple[int, int]]) -> SequenceRanges:
    """Add ranges to those of a key and return these."""
    ranges = into.setdefault(key, SequenceRanges())
    for first, last in pairs:
        ranges.add(first, last)
    return ranges


@dataclass(slots=True)
class Month:
    """What a month file holds: number of chunks, and the frames of each device and boot."""

    chunks: int = 0
    frames: dict[Key, SequenceRanges] = field(default_factory=dict)


@dataclass(slots=True)
class Receipts:
    """What was acknowledged, as the file says it; the methods change both.

    tail: frames that are not in a month file yet, with the sum of their hashes; settled: frames without samples to
    look for. damaged_lines were skipped.
    """

    path: Path
    is_new: bool = False
    settled: dict[Key, SequenceRanges] = field(default_factory=dict)
    tail: dict[Key, SequenceRanges] = field(default_factory=dict)
    sums: dict[Key, int] = field(default_factory=dict)
    months: dict[str, Month] = field(default_factory=dict)
    damaged_lines: int = 0
    is_torn: bool = (
        False  # the last line is cut off, or lines were skipped: write it anew before adding to it
    )
    _pending: bytearray = field(default_factory=bytearray)
    _file: int = -1
    _size: int = 0
    _is_urgent: bool = False

    @classmethod
    def load(cls, folder: Path) -> Receipts:
        """Read the receipts of a folder; OSError when that is refused."""
        receipts = cls(folder / RECEIPTS_NAME)
        try:
            data = receipts.path.read_bytes()
        except FileNotFoundError:
            receipts.is_new = True
            return receipts
        *lines, torn = data.split(b"\n")
        for line in lines:
            try:
                crc32, text = line[:8], line[9:]
                if int(crc32, 16) != zlib.crc32(text):
                    raise ValueError("checksum")
                receipts._replay(*json.loads(text))
            except (ValueError, TypeError, KeyError):
                receipts.damaged_lines += 1
        if (not data) or (torn and not _BEGINS.match(torn)):
            receipts.damaged_lines += 1  # a kill leaves the beginning of a line, nothing else
        receipts._size = len(data)
        receipts.is_torn = bool(torn) or receipts.damaged_lines > 0
        return receipts

    def _replay(self, what: str, *values: Any) -> None:
        match what:
            case "tail":
                device, boot, pairs, lost, total = values
                join(self.tail, (device, boot), pairs)
                join(self.settled, (device, boot), lost)
                self.sums[device, boot] = total
            case "month":
                month, chunks, device, boot, pairs = values
                kept = self.months.setdefault(month, Month())
                kept.chunks = chunks
                join(kept.frames, (device, boot), pairs)
            case "begun":
                pass
            case "chunked":
                self.tail.clear()
                self.sums.clear()
            case "retired":
                self._settle_month(*values)
            case _:
                raise ValueError(what)

    def acknowledged(self) -> dict[Key, SequenceRanges]:
        """Return everything that was acknowledged or settled."""
        found: dict[Key, SequenceRanges] = {}
        for part in (self.settled, self.tail, *(month.frames for month in self.months.values())):
            for key, ranges in part.items():
                join(found, key, ranges.pairs)
        return found

    def note(self, key: Key, pairs: Pairs, lost: Pairs, added: int) -> None:
        """Add frames of the tail and the sum of their hashes, and what the board has lost; `flush` writes it."""
        join(self.tail, key, pairs)
        join(self.settled, key, lost)
        self.sums[key] = (self.sums.get(key, 0) + added) & _MASK
        self._put("tail", *key, pairs, lost, self.sums[key])
        self._is_urgent = self._is_urgent or bool(
            lost
        )  # nothing else can tell these from frames that are missing

    def chunked(self, moved: Mapping[tuple[str, Key], SequenceRanges], added: Mapping[str, int]) -> None:
        """Move the tail to its months, which have so many chunks more; durable when this returns."""
        for month, chunks in added.items():
            self.months.setdefault(month, Month()).chunks += chunks
        for (month, key), ranges in moved.items():
            kept = self.months[month]
            join(kept.frames, key, ranges.pairs)
            self._put("month", month, kept.chunks, *key, ranges.pairs)
        self.tail.clear()
        self.sums.clear()
        self._put("chunked")
        self.flush(is_durable=True)
        if self._size > _LONGEST:
            self.rewrite()

    def retired(self, month: str) -> None:
        """Settle the frames of a month that is about to be deleted; durable when this returns."""
        self._settle_month(month)
        self._put("retired", month)
        self.flush(is_durable=True)

    def _settle_month(self, month: str) -> None:
        for key, ranges in self.months.pop(month, Month()).frames.items():
            join(self.settled, key, ranges.pairs)

    def forget(self, key: Key, pairs: Pairs) -> None:
        """Take frames out that are not there any more; `rewrite` makes it durable."""
        for part in (self.settled, self.tail, *(month.frames for month in self.months.values())):
            for first, last in pairs:
                if key in part:
                    part[key].remove(first, last)
        if not self.tail.get(key):
            self.tail.pop(key, None)
            self.sums.pop(key, None)

    def rewrite(self) -> None:
        """Write the file anew with what it comes to, in one go."""
        self._pending.clear()
        self._put("begun")  # an empty file is a damaged one
        for key in {**self.settled, **self.tail}:
            tail = self.tail.get(key, SequenceRanges()).pairs
            self._put(
                "tail", *key, tail, self.settled.get(key, SequenceRanges()).pairs, self.sums.get(key, 0)
            )
        for name, month in self.months.items():
            for key, ranges in month.frames.items():
                self._put("month", name, month.chunks, *key, ranges.pairs)
        with whole_file(self.path, is_private=True) as file:
            file.write(self._pending)
        self._size = 0
        self.is_torn = False
        self._pending.clear()
        self.close()

    def _put(self, *record: object) -> None:
        text = json.dumps(record, separators=(",", ":")).encode()
        self._pending += b"%08x %s\n" % (zlib.crc32(text), text)

    def flush(self, *, is_durable: bool = False) -> None:
        """Hand the lines to the system, and force them to the disk if asked; OSError keeps what is not written."""
        if self._file < 0:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while self._pending:
            written = os.write(self._file, self._pending)
            del self._pending[:written]
            self._size += written
        if is_durable or self._is_urgent:
            os.fsync(self._file)
            self._is_urgent = False

    def is_in_place(self) -> bool:
        """Tell whether the file that is written still has its name."""
        if self._file < 0:
            return True
        mine, there = os.fstat(self._file), self.path.stat()
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
