"""Sets of frame numbers as ranges: which frames came, are missing, or are stored for good."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np


class SequenceRanges:
    """A set of sequence numbers >= 0, kept as sorted inclusive ranges that do not touch.

    Parameters
    ----------
    data
        What `pack` returned; empty for an empty set.

    Examples
    --------
    >>> came = SequenceRanges()
    >>> came.add(0, 4), came.add(7, 9)
    (slice(0, 0, None), slice(1, 1, None))
    >>> came.holes(0, 12), 8 in came
    ([(5, 6), (10, 12)], True)
    """

    def __init__(self, data: bytes = b"") -> None:
        pairs = np.frombuffer(data, dtype="<u4").reshape(-1, 2)
        self._firsts: list[int] = pairs[:, 0].tolist()
        self._lasts: list[int] = pairs[:, 1].tolist()

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._firsts, seq) - 1
        return at >= 0 and seq <= self._lasts[at]

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __getitem__(self, place: int) -> tuple[int, int]:
        return self._firsts[place], self._lasts[place]

    def copy(self) -> SequenceRanges:
        """Return an independent copy."""
        return SequenceRanges(self.pack())

    def add(self, first: int, last: int) -> slice:
        """Add an inclusive range and join what touches it; return the places of the ranges that it replaced."""
        if not 0 <= first <= last:
            raise ValueError(f"expected 0 <= first <= last, got {first} and {last}")
        touched = slice(bisect_left(self._lasts, first - 1), bisect_right(self._firsts, last + 1))
        if touched.start < touched.stop:
            first = min(first, self._firsts[touched.start])
            last = max(last, self._lasts[touched.stop - 1])
        self._firsts[touched], self._lasts[touched] = [first], [last]
        return touched

    def remove(self, first: int, last: int) -> int:
        """Take an inclusive range out and return how many numbers of it were in the set."""
        at, end = self._overlap(first, last)
        removed = self.within(first, last)
        rest = [
            (a, b)
            for low, high in zip(self._firsts[at:end], self._lasts[at:end], strict=True)
            for a, b in ((low, min(high, first - 1)), (max(low, last + 1), high))
            if a <= b
        ]
        self._firsts[at:end], self._lasts[at:end] = [a for a, _ in rest], [b for _, b in rest]
        return sum(b - a + 1 for a, b in removed)

    def keep_newest(self, n_ranges: int) -> None:
        """Forget the oldest ranges beyond this number."""
        del self._firsts[:-n_ranges], self._lasts[:-n_ranges]

    def within(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the ranges inside an inclusive range, cut at its ends."""
        at, end = self._overlap(first, last)
        pairs = zip(self._firsts[at:end], self._lasts[at:end], strict=True)
        return [(max(low, first), min(high, last)) for low, high in pairs]

    def holes(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return what of an inclusive range is not in the set, in order."""
        found = []
        for low, high in self.within(first, last):
            if low > first:
                found.append((first, low - 1))
            first = high + 1
        return [*found, (first, last)] if first <= last else found

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The ranges, in order."""
        return list(zip(self._firsts, self._lasts, strict=True))

    @property
    def count(self) -> int:
        """How many numbers are in the set."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    @property
    def first(self) -> int | None:
        """The lowest number, None when empty."""
        return self._firsts[0] if self._firsts else None

    @property
    def settled(self) -> int | None:
        """The last number before the first hole, None when empty: what may be acknowledged."""
        return self._lasts[0] if self._lasts else None

    def pack(self) -> bytes:
        """Return the ranges as bytes for `SequenceRanges(data)`."""
        return np.array(self.pairs, dtype="<u4").tobytes()

    def _overlap(self, first: int, last: int) -> tuple[int, int]:
        """Return the places [at, end) of the ranges that share numbers with an inclusive range."""
        at = bisect_left(self._lasts, first)
        return at, max(bisect_right(self._firsts, last), at)
