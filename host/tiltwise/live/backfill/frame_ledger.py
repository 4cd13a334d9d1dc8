"""Track which frames of each boot came, which are still to be fetched, and which the board dropped for good.

No I/O: frames and replies of the board in, the next GET and the losses out. Times are UTC s.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.sequence_ranges import SequenceRanges

SETTLED_FRAMES = 4  # a hole so close to the newest frame may still fill by itself
ASK_AGAIN_S = 10.0  # without a frame or an answer
_BOOTS_ROW = "<HII"
_Span = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that the board no longer has; times where the frames beside them are known."""

    boot: int
    first: int
    last: int
    start_s: float | None
    end_s: float | None


@dataclass(slots=True)
class BootRanges:
    """The frames of one boot.

    Attributes
    ----------
    floor : first number that is expected; what the store has from before may lie below it.
    came, gone : frames that arrived or are stored, and frames that the board dropped for good.
    unreported : losses for which no gap was stored yet.
    """

    floor: int | None = None
    newest: int = -1
    came: SequenceRanges = field(default_factory=SequenceRanges)
    gone: SequenceRanges = field(default_factory=SequenceRanges)
    unreported: list[tuple[int, int]] = field(default_factory=list)
    _accounted: SequenceRanges = field(default_factory=SequenceRanges)  # came or gone
    _spans_s: list[_Span] = field(
        default_factory=list
    )  # when the samples of each range of `came` began and ended

    def add(self, first: int, last: int, start_s: float | None = None, end_s: float | None = None) -> None:
        """Enter frames that came, with the time of their samples [start, end) where it is known."""
        self.newest = max(self.newest, last)
        if not self.came.holes(first, last):
            return
        touched = self.came.add(first, last)
        self._accounted.add(first, last)
        joined_first, joined_last = self.came[touched.start]
        starts, ends = [s for s, _ in self._spans_s[touched]], [e for _, e in self._spans_s[touched]]
        starts.insert(int(joined_first < first), start_s)
        ends.insert(len(ends) - int(joined_last > last), end_s)
        known_starts, known_ends = [s for s in starts if s is not None], [e for e in ends if e is not None]
        self._spans_s[touched] = [
            (known_starts[0] if known_starts else None, known_ends[-1] if known_ends else None)
        ]

    def lose(self, first: int, last: int) -> list[tuple[int, int]]:
        """Give up what is missing of a range; return it."""
        lost = self._accounted.holes(max(first, self._expected_from()), min(last, self.newest))
        for pair in lost:
            self.gone.add(*pair)
            self._accounted.add(*pair)
        self.unreported += lost
        return lost

    def holes(self) -> list[tuple[int, int]]:
        """Return what is missing between the floor and the newest frame, oldest first."""
        return self._accounted.holes(self._expected_from(), self.newest)

    def settled(self) -> int | None:
        """Return the last number before the first hole, None when there is none."""
        holes = self.holes()
        last = holes[0][0] - 1 if holes else self.newest
        return last if self.floor is not None and last >= max(self.floor, 0) else None

    def times_round(self, first: int, last: int) -> _Span:
        """Return when the samples before a range ended and those behind it began."""
        runs = list(zip(self.came.pairs, self._spans_s, strict=True))
        ends = [end for (_, b), (_, end) in runs if b < first and end is not None]
        starts = (start for (a, _), (start, _) in runs if a > last and start is not None)
        return (ends[-1] if ends else None), next(starts, None)

    def samples_span(self) -> _Span:
        """Return when the first samples that came began and the last ones ended."""
        starts = [start for start, _ in self._spans_s if start is not None]
        ends = [end for _, end in self._spans_s if end is not None]
        return (starts[0] if starts else None), (ends[-1] if ends else None)

    def _expected_from(self) -> int:
        return self.floor if self.floor is not None else self.came.first or 0


def read_boots(body: bytes) -> list[tuple[int, int, int]]:
    """Return (boot, oldest, newest) of each boot in an answer to BOOTS, the present one first; half a row is none."""
    size = struct.calcsize(_BOOTS_ROW)
    return list(struct.iter_unpack(_BOOTS_ROW, body[: len(body) // size * size]))


class FrameLedger:
    """The frames of all boots of one board, and the GET that is under way."""

    def __init__(self) -> None:
        self.boots: dict[int, BootRanges] = {}
        self.present: int | None = None  # the boot that BOOTS named first; None before any answer
        self._held: dict[int, tuple[int, int]] = {}
        self._asked: tuple[int, int, int] | None = None
        self._asked_s = 0.0

    def boot(self, boot: int) -> BootRanges:
        """Return the frames of a boot."""
        return self.boots.setdefault(boot, BootRanges())

    def on_frame(self, frame: Frame, span_s: tuple[float, float] | None, now_s: float) -> None:
        """Enter a frame; with samples, their time [start, end)."""
        start_s, end_s = span_s or (None, None)
        self.boot(frame.boot).add(frame.seq, frame.seq, start_s, end_s)
        if self._asked is not None:
            boot, first, last = self._asked
            if boot == frame.boot and first <= frame.seq <= last:
                self._asked_s = now_s

    def on_boots(
        self, body: bytes, known: Mapping[int, list[tuple[int, int]]], ended_s: Mapping[int, float | None]
    ) -> list[Loss]:
        """Take a reply to BOOTS; return what is lost by it. Asking begins again.

        Parameters
        ----------
        known : by boot the ranges of frames that the store has from before.
        ended_s : by boot when the samples of the last of these ended.
        """
        self._asked, self._held, losses = None, {}, []
        for boot, oldest, newest in read_boots(body):
            if not self._held:
                self.present = boot
            self._held[boot] = (oldest, newest)
            ranges = self.boot(boot)
            if ranges.floor is None:
                stored = known.get(boot, [])
                for first, last in stored:
                    ranges.add(first, last, None, ended_s.get(boot) if last == stored[-1][1] else None)
                ranges.floor = min(oldest, stored[0][0]) if stored else oldest
            if newest >= oldest:
                ranges.newest = max(ranges.newest, newest)
            losses += self._lose(boot, [(0, oldest - 1)])
        return losses

    def on_get_done(self, body: bytes) -> tuple[int, list[Loss]]:
        """Take a GET_DONE; return its boot and what is lost by it.

        Raises
        ------
        wire.WireError
            When the body is cut short; what was asked for is then asked for again.
        """
        size = struct.calcsize(wire.GET_DONE_BODY)
        n = body[size - 1] if len(body) >= size else 0
        if len(body) < size + 8 * n:
            raise wire.WireError(f"GET_DONE of {len(body)} bytes, expected {size + 8 * n}")
        (boot,) = struct.unpack_from("<H", body)
        gone: Iterable[tuple[int, int]] = struct.iter_unpack("<II", body[size : size + 8 * n])
        if self._asked is not None and self._asked[0] == boot:
            self._asked = None
        return boot, self._lose(boot, gone)

    def on_get_refused(self) -> list[Loss]:
        """Take a refusal of the GET under way: the board no longer has what was asked for."""
        asked, self._asked = self._asked, None
        return [] if asked is None else self._lose(asked[0], [asked[1:]])

    def next_get(self, now_s: float) -> tuple[int, int, int] | None:
        """Return (boot, first, last) to ask for now, earlier boots first; None while one is under way."""
        if self._asked is not None and now_s - self._asked_s < ASK_AGAIN_S:
            return None
        self._asked = None
        for boot in [
            *(b for b in self._held if b != self.present),
            *(b for b in self._held if b == self.present),
        ]:
            ranges = self.boots[boot]
            limit = ranges.newest - (SETTLED_FRAMES if boot == self.present else 0)
            for first, last in ranges.holes():
                if first <= limit:
                    self._asked, self._asked_s = (boot, first, last), now_s
                    return self._asked
        return None

    def is_whole(self, boot: int) -> bool:
        """Tell whether nothing of this boot is still to be fetched."""
        return not self.boot(boot).holes()

    def is_gone(self, boot: int, seq: int) -> bool:
        """Tell whether the board dropped this frame."""
        return seq in self.boot(boot).gone

    def gaps(self, boot: int) -> list[Loss]:
        """Return the losses of a boot that is whole, each once, with their times, now that these are known."""
        ranges = self.boot(boot)
        lost, ranges.unreported = ranges.unreported, []
        return [Loss(boot, first, last, *ranges.times_round(first, last)) for first, last in lost]

    def _lose(self, boot: int, ranges: Iterable[tuple[int, int]]) -> list[Loss]:
        """Give up what is missing of these ranges; each loss is returned once."""
        lost = [pair for first, last in ranges for pair in self.boot(boot).lose(first, last)]
        return [Loss(boot, first, last, None, None) for first, last in lost]
