"""The receipts: what was acknowledged, in files beside the databases, compared with these at each start.

A database can lose what it had made durable and still pass its own checks: its log has a bad sector, a file was
deleted or replaced by an older one. So each commit leaves a line in `receipts.log` and in `receipts.copy.log` before
it is acknowledged: the frames by number, and a running sum of their hashes. Two files, because a disk that goes bad
may take receipts and database at once. Sums do not depend on the order, as frames also come late. When frames become
chunks they move to their month; what is never to be compared (lost on the board, erased, retired) is settled.

A line is handed to the system at each commit and forced to the disk with each minute of chunks: a program that is
killed loses none, and a power cut none that the databases have not kept too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tiltwise.common import wire
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store.acknowledged.twin_log import BEGUN, TwinLog
from tiltwise.store.files.swap import RECEIPTS_NAMES

K = TypeVar("K")
Key = tuple[str, int]  # name of the device, boot
Pairs = list[tuple[int, int]]
_MASK = (1 << 64) - 1
_LONGEST = 1 << 18  # bytes of lines until the files are written anew: about an hour


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
    """What was acknowledged, as the files say it; the methods change both.

    tail: frames that are not in a month file yet, with the sum of their hashes; settled: frames without samples to
    look for. missing_lines are in neither file.
    """

    log: TwinLog
    settled: dict[Key, SequenceRanges] = field(default_factory=dict)
    tail: dict[Key, SequenceRanges] = field(default_factory=dict)
    sums: dict[Key, int] = field(default_factory=dict)
    months: dict[str, Month] = field(default_factory=dict)
    missing_lines: int = 0

    @classmethod
    def load(cls, folder: Path) -> Receipts:
        """Read the receipts of a folder; OSError when that is refused."""
        log = TwinLog([folder / name for name in RECEIPTS_NAMES])
        receipts = cls(log, missing_lines=log.missing)
        for line in log.lines:
            try:
                receipts._replay(*line)
            except (ValueError, TypeError):
                receipts.missing_lines += 1
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
            case _ if what == BEGUN:
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
        """Add frames of the tail and the sum of their hashes, and what the board has lost; `hand_over` writes it."""
        join(self.tail, key, pairs)
        join(self.settled, key, lost)
        self.sums[key] = (self.sums.get(key, 0) + added) & _MASK
        # What is lost is urgent: nothing else can tell it from frames that are missing.
        self.log.put(("tail", *key, pairs, lost, self.sums[key]), is_urgent=bool(lost))

    def chunked(self, moved: Mapping[tuple[str, Key], SequenceRanges], added: Mapping[str, int]) -> None:
        """Move the tail to its months, which have so many chunks more; durable when this returns."""
        for month, chunks in added.items():
            self.months.setdefault(month, Month()).chunks += chunks
        for (month, key), ranges in moved.items():
            kept = self.months[month]
            join(kept.frames, key, ranges.pairs)
            self.log.put(("month", month, kept.chunks, *key, ranges.pairs))
        self.tail.clear()
        self.sums.clear()
        self.log.put(("chunked",))
        self.log.flush(is_durable=True)
        if self.log.size > _LONGEST:
            self.rewrite()

    def retired(self, month: str) -> None:
        """Settle the frames of a month that is about to be deleted; durable when this returns."""
        self._settle_month(month)
        self.log.put(("retired", month))
        self.log.flush(is_durable=True)

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
        """Write the files anew with what they come to."""
        self.log.rewrite(self._records())

    def _records(self) -> Iterator[tuple[object, ...]]:
        for key in {**self.settled, **self.tail}:
            tail = self.tail.get(key, SequenceRanges()).pairs
            settled = self.settled.get(key, SequenceRanges()).pairs
            yield "tail", *key, tail, settled, self.sums.get(key, 0)
        for name, month in self.months.items():
            for key, ranges in month.frames.items():
                yield "month", name, month.chunks, *key, ranges.pairs

    def hand_over(self) -> None:
        """Hand to the system what was noted; files that were deleted are written anew. OSError keeps what is not."""
        try:
            self.log.flush()
            self.log.check_places()
        except FileNotFoundError:
            self.log.close()
            self.rewrite()  # all of it is known here

    def close(self) -> None:
        """Close the files; the next line opens them again."""
        self.log.close()
