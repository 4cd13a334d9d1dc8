"""Which frames of each boot came, which are still to be fetched, and which are gone for good, with their times.

A book without I/O: frames and answers of the board in, the next GET and the losses out. Times are UTC s and go
with the runs of frames, so that a loss has a beginning and an end.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tiltwise.common import wire

SETTLED_FRAMES = 4  # a hole so close to the newest frame may still fill by itself
ASK_AGAIN_S = 10.0  # without a frame or an answer
_BOOTS_ROW = "<HII"


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that the board no longer has; times where the frames beside them are known."""

    boot: int
    first: int
    last: int
    start_s: float | None
    end_s: float | None


@dataclass(slots=True)
class _Run:
    first: int
    last: int
    start_s: float | None = None
    end_s: float | None = None


@dataclass(slots=True)
class BootRanges:
    """One boot. `floor` is the first number that is expected; what is known from the store came before."""

    floor: int | None = None
    newest: int = -1
    runs: list[_Run] = field(default_factory=list)
    gone: list[tuple[int, int]] = field(default_factory=list)  # lost for good, in order
    untold: list[tuple[int, int]] = field(default_factory=list)  # of these, without a gap yet

    def add(self, first: int, last: int, start_s: float | None = None, end_s: float | None = None) -> None:
        """Enter frames, joining the runs that they touch."""
        self.newest = max(self.newest, last)
        at = bisect_right(self.runs, first, key=lambda run: run.first)
        if at and self.runs[at - 1].last >= first - 1:
            at -= 1
            run = self.runs[at]
            if last <= run.last:
                return
            run.last, run.end_s = last, end_s if end_s is not None else run.end_s
            run.start_s = start_s if run.start_s is None else run.start_s
        else:
            run = _Run(first, last, start_s, end_s)
            self.runs.insert(at, run)
        while at + 1 < len(self.runs) and self.runs[at + 1].first <= run.last + 1:
            after = self.runs.pop(at + 1)
            run.start_s = after.start_s if run.start_s is None else run.start_s
            if after.last > run.last:
                run.last, run.end_s = after.last, after.end_s if after.end_s is not None else run.end_s

    def holes(self) -> list[tuple[int, int]]:
        """Return what is missing between the floor and the newest frame, oldest first."""
        found, expected = [], self.floor if self.floor is not None else self.runs[0].first if self.runs else 0
        for first, last in sorted([*((run.first, run.last) for run in self.runs), *self.gone]):
            if first > expected:
                found.append((expected, first - 1))
            expected = max(expected, last + 1)
        if expected <= self.newest:
            found.append((expected, self.newest))
        return found

    def settled(self) -> int | None:
        """Return the last number before the first hole, None when there is none."""
        holes = self.holes()
        last = holes[0][0] - 1 if holes else self.newest
        return last if self.floor is not None and last >= max(self.floor, 0) else None

    def times_round(self, first: int, last: int) -> tuple[float | None, float | None]:
        """Return when the samples before a range ended and those behind it began."""
        ends = [run.end_s for run in self.runs if run.last < first and run.end_s is not None]
        starts = (run.start_s for run in self.runs if run.first > last and run.start_s is not None)
        return (ends[-1] if ends else None), next(starts, None)


def read_boots(body: bytes) -> list[tuple[int, int, int]]:
    """Return (boot, oldest, newest) of each boot in an answer to BOOTS, the present one first; half a row is none."""
    size = struct.calcsize(_BOOTS_ROW)
    return list(struct.iter_unpack(_BOOTS_ROW, body[: len(body) // size * size]))


class FrameLedger:
    """The books of all boots of one board, and the GET that is under way."""

    def __init__(self) -> None:
        self.boots: dict[int, BootRanges] = {}
        self.present: int | None = None  # the boot that BOOTS named first; None before any answer
        self._held: dict[int, tuple[int, int]] = {}
        self._asked: tuple[int, int, int] | None = None
        self._asked_s = 0.0

    def book(self, boot: int) -> BootRanges:
        """Return the book of a boot."""
        return self.boots.setdefault(boot, BootRanges())

    def note(self, boot: int, seq: int, span: tuple[float, float] | None, now_s: float) -> None:
        """Enter a frame; with samples, their time [start, end)."""
        start_s, end_s = span or (None, None)
        self.book(boot).add(seq, seq, start_s, end_s)
        if self._asked is not None and self._asked[0] == boot and self._asked[1] <= seq <= self._asked[2]:
            self._asked_s = now_s

    def told_boots(
        self, body: bytes, known: Mapping[int, list[tuple[int, int]]], ended_s: Mapping[int, float | None]
    ) -> list[Loss]:
        """Take an answer to BOOTS; return what is lost by it. Asking begins anew.

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
            book = self.book(boot)
            if book.floor is None:
                for first, last in known.get(boot, []):
                    book.add(first, last, None, ended_s.get(boot) if last == known[boot][-1][1] else None)
                book.floor = min(oldest, known[boot][0][0]) if known.get(boot) else oldest
            if newest >= oldest:
                book.newest = max(book.newest, newest)
            losses += self._lose(boot, [(a, min(b, oldest - 1)) for a, b in book.holes() if a < oldest])
        return losses

    def done(self, body: bytes) -> tuple[int, list[Loss]]:
        """Take a GET_DONE; return its boot and what is lost by it. One cut short says nothing: it is asked again.

        Raises
        ------
        wire.WireError
            When the body is not one.
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

    def refused(self) -> list[Loss]:
        """The board does not know what was asked for: it is lost."""
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
            book = self.boots[boot]
            limit = book.newest - (SETTLED_FRAMES if boot == self.present else 0)
            for first, last in book.holes():
                if first <= limit:
                    self._asked, self._asked_s = (boot, first, last), now_s
                    return self._asked
        return None

    def is_whole(self, boot: int) -> bool:
        """Tell whether nothing of this boot is still to be fetched."""
        return not self.book(boot).holes()

    def is_gone(self, boot: int, seq: int) -> bool:
        """Tell whether the board could not keep this frame."""
        return any(first <= seq <= last for first, last in self.book(boot).gone)

    def gaps(self, boot: int) -> list[Loss]:
        """Return the losses of a boot that is whole, each once, with their times, now that these are known."""
        book = self.book(boot)
        told, book.untold = book.untold, []
        return [Loss(boot, first, last, *book.times_round(first, last)) for first, last in told]

    def _lose(self, boot: int, ranges: Iterable[tuple[int, int]]) -> list[Loss]:
        """Strike ranges out, as far as they are holes; each loss is told once."""
        book, losses = self.book(boot), []
        for first, last in ranges:
            for a, b in book.holes():
                low, high = max(a, first), min(b, last)
                if low <= high:
                    losses.append(Loss(boot, low, high, None, None))
        lost = [(loss.first, loss.last) for loss in losses]
        book.gone, book.untold = sorted([*book.gone, *lost]), [*book.untold, *lost]
        return losses
