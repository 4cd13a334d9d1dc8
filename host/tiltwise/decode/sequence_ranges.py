"""Sets of frame numbers as ranges."""

from __future__ import annotations

import numpy as np


class SequenceRanges:
    """A growing set of sequence numbers, kept as sorted inclusive ranges: which frames are stored for good."""

    def __init__(self, data: bytes = b"") -> None:
        pairs = np.frombuffer(data, dtype="<u4").reshape(-1, 2).tolist()
        self._pairs: list[list[int]] = [[int(first), int(last)] for first, last in pairs]

    def __contains__(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in reversed(self._pairs))

    def copy(self) -> SequenceRanges:
        """Return an independent copy."""
        return SequenceRanges(self.pack())

    def add(self, first: int, last: int) -> None:
        """Add an inclusive range and join what touches it."""
        if not 0 <= first <= last:
            raise ValueError(f"expected 0 <= first <= last, got {first} and {last}")
        kept = []
        for low, high in self._pairs:
            if high < first - 1 or low > last + 1:
                kept.append([low, high])
            else:
                first, last = min(low, first), max(high, last)
        self._pairs = sorted([*kept, [first, last]])

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The ranges, in order."""
        return [(first, last) for first, last in self._pairs]

    @property
    def settled(self) -> int | None:
        """The last number before the first hole, None when empty: what may be acknowledged."""
        return self._pairs[0][1] if self._pairs else None

    def pack(self) -> bytes:
        """Return the ranges as bytes for `SequenceRanges(data)`."""
        return np.array(self._pairs, dtype="<u4").tobytes()
