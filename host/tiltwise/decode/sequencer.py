"""Put frames in the order in which the board made them; drop duplicates, remember what is missing.

A frame that comes early waits until the ones before it arrive or WINDOW frames wait; then the missing ones are
recorded, to be fetched again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tiltwise.common import wire
from tiltwise.decode.frame_table import FrameTable, IntArray
from tiltwise.decode.sequence_ranges import SequenceRanges

# Frames that may wait for an earlier one. Radio and cable keep order, so a hole is nearly always a loss, and
# waiting delays every alert: 4 frames of 10 samples are 0.8 s at 50 Hz.
WINDOW = 4
_MOD = 1 << 32
# Ranges kept per boot. A link that loses every third frame makes 50,000 in a day; more is not worth fetching.
_MAX_RANGES = 1 << 16


@dataclass(frozen=True, slots=True)
class MissingRange:
    """Frames that did not arrive, first and last included, as a GET command asks for them."""

    boot: int
    first: int
    last: int


@dataclass(slots=True)
class _Boot:
    """What is known of one boot. Sequence numbers are unwrapped, so they only grow."""

    next_seq: int
    missing: SequenceRanges = field(default_factory=SequenceRanges)

    def skip_to(self, seq: int) -> None:
        self.missing.add(self.next_seq, seq - 1)
        self.missing.keep_newest(_MAX_RANGES)
        self.next_seq = seq

    def unwrap(self, seq: int) -> int:
        """Return the unwrapped number nearest to the expected one."""
        return self.next_seq + (seq - self.next_seq + _MOD // 2) % _MOD - _MOD // 2


@dataclass(slots=True)
class Sequencer:
    """Puts frames in order; counts duplicates, late ones and lost ones."""

    duplicates: int = 0
    late: int = 0
    lost: int = 0
    boot: int | None = None
    _boots: dict[int, _Boot] = field(default_factory=dict)
    _waiting: dict[int, int] = field(default_factory=dict)  # unwrapped seq -> row of the table at hand
    _released: list[int] = field(default_factory=list)

    def order(self, table: FrameTable, n_waiting: int) -> tuple[IntArray, IntArray]:
        """Return (rows to decode now, rows that must wait); the first n_waiting rows are those that waited before.

        The waiting rows must be the first rows of the next call's table, in the order returned.
        """
        boot, seq = table.boot, table.seq
        follows = (np.diff(boot) == 0) & (np.diff(seq) % _MOD == 1)
        run_ends = np.append(np.flatnonzero(~follows) + 1, len(seq)).tolist()
        self._waiting = dict(zip(self._waiting, range(n_waiting), strict=True))
        out: list[IntArray] = []
        row, run = n_waiting, 0
        while row < len(seq):
            while run_ends[run] <= row:
                run += 1
            if not self._waiting and boot[row] == self.boot and self._is_next(int(seq[row])):
                out.append(np.arange(row, run_ends[run]))
                self._boots[int(boot[row])].next_seq += run_ends[run] - row
                row = run_ends[run]
            else:
                self._step(row, int(boot[row]), int(seq[row]), table)
                out.append(self._take_released())
                row += 1
        rows = np.concatenate(out) if out else np.zeros(0, dtype=np.int64)
        return rows, np.array(list(self._waiting.values()), dtype=np.int64)

    def flush(self) -> IntArray:
        """Return the waiting rows (m,) in order, as counted in the last order() call's second answer."""
        self._waiting = dict(zip(self._waiting, range(len(self._waiting)), strict=True))
        while self._waiting:
            self._give_up()
        return self._take_released()

    def missing(self) -> tuple[MissingRange, ...]:
        """Return what did not arrive, oldest first."""
        return tuple(
            piece
            for boot, known in self._boots.items()
            for start, end in known.missing.pairs
            for piece in _pieces(boot, start, end)
        )

    def forget_missing(self, boot: int, first: int, last: int) -> int:
        """Take frames off the list that the board no longer has; return how many were on it."""
        known = self._boots.get(boot)
        if known is None:
            return 0
        start = known.unwrap(first)
        return known.missing.remove(start, start + (last - first) % _MOD)

    def contiguous(self) -> tuple[int, int] | None:
        """Return (boot, seq) up to which nothing of the present boot is missing: what may be acknowledged."""
        if self.boot is None:
            return None
        known = self._boots[self.boot]
        expected = known.next_seq if known.missing.first is None else known.missing.first
        return self.boot, (expected - 1) % _MOD

    def _is_next(self, seq: int) -> bool:
        assert self.boot is not None
        return self._boots[self.boot].next_seq % _MOD == seq

    def _take_released(self) -> IntArray:
        rows, self._released = np.array(self._released, dtype=np.int64), []
        return rows

    def _step(self, row: int, boot: int, seq: int, table: FrameTable) -> None:
        """Decide about one frame: release it, let it wait, or drop it."""
        if boot not in self._boots:
            if table.flags[row] & wire.FLAG_BACKFILL and self.boot is not None:
                self.late += 1  # from before this session: for the store, not for the live stream
                return
            while self._waiting:
                self._give_up()
            self.boot, self._boots[boot] = boot, _Boot(seq)
        known = self._boots[boot]
        number = known.unwrap(seq)
        if boot == self.boot and number == known.next_seq:
            self._release(row, number)
        elif boot == self.boot and number > known.next_seq:
            self._wait(row, number)
        else:
            self._drop(row, number, known, is_info=boot == self.boot and table.frame_type[row] == wire.INFO)

    def _drop(self, row: int, number: int, known: _Boot, *, is_info: bool) -> None:
        if known.missing.remove(number, number):
            self.late += 1
            self.lost -= 1
        else:
            self.duplicates += 1
        if is_info:  # holds no samples, so its place does not matter, and samples may be waiting for it
            self._released.append(row)

    def _wait(self, row: int, number: int) -> None:
        if number in self._waiting:
            self.duplicates += 1
            return
        self._waiting[number] = row
        if len(self._waiting) > WINDOW:
            self._give_up()

    def _release(self, row: int, number: int) -> None:
        """Release a row and the waiting ones that follow it without a hole."""
        assert self.boot is not None
        known = self._boots[self.boot]
        self._released.append(row)
        known.next_seq = number + 1
        while known.next_seq in self._waiting:
            self._released.append(self._waiting.pop(known.next_seq))
            known.next_seq += 1

    def _give_up(self) -> None:
        """Record the hole before the earliest waiting frame and go on from there."""
        assert self.boot is not None
        number = min(self._waiting)
        known = self._boots[self.boot]
        self.lost += number - known.next_seq
        known.skip_to(number)
        self._release(self._waiting.pop(number), number)


def _pieces(boot: int, start: int, end: int) -> list[MissingRange]:
    """Return an unwrapped range as wire numbers, in two where it crosses the wrap."""
    first, last = start % _MOD, end % _MOD
    if first <= last:
        return [MissingRange(boot, first, last)]
    return [MissingRange(boot, first, _MOD - 1), MissingRange(boot, 0, last)]
