"""Frames that were acknowledged and are gone, with the reason and the line that tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.store.acknowledged.receipts import Key
from tiltwise.text import counted

_SHOWN = 6  # ranges of a boot that a line names


@dataclass(slots=True)
class Losses:
    """Frames that were acknowledged and are gone, with the reason."""

    why: dict[Key, tuple[str, SequenceRanges]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)  # said only where nothing else explains it

    def add(self, key: Key, why: str, ranges: SequenceRanges) -> None:
        if ranges:
            kept = self.why.setdefault(key, (why, SequenceRanges()))[1]
            for first, last in ranges.pairs:
                kept.add(first, last)

    def told(self) -> list[str]:
        return [*self.lines, *(_line(key, why, ranges) for key, (why, ranges) in self.why.items())]


def _line(key: Key, why: str, ranges: SequenceRanges) -> str:
    shown = ", ".join(f"{a}-{b}" if a < b else f"{a}" for a, b in ranges.pairs[:_SHOWN])
    more = (
        f" and {counted(len(ranges.pairs) - _SHOWN, 'more stretch', 'more stretches')}"
        if len(ranges.pairs) > _SHOWN
        else ""
    )
    is_or_are = "is" if ranges.count == 1 else "are"
    return (
        f"{counted(ranges.count, 'acknowledged frame')} of {key[0]} {is_or_are} missing ({why}): "
        f"boot {key[1]}, frames {shown}{more}; "
        "the board is asked for them again, what it has no more becomes a gap"
    )
