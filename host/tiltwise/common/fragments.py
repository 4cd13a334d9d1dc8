"""Frames that do not fit one notification, in pieces: a header byte, then as many bytes as go.

    bit 7 first, bit 6 last, bits 0-5 number of the fragment in its frame, from 0

A frame that fits goes whole. The two cannot be mixed up: a whole frame begins with its version and type, 0x10 to
0x1F, and a fragment has bit 7 or 6, or, in the middle of a frame of 244 bytes at the smallest payload of 20, a
number of 11 at most. A lost fragment costs its frame, which is asked for again.
"""

from tiltwise.common import const, wire

FIRST = 0x80
LAST = 0x40
_NUMBER = const(0x3F)
_WHOLE = const(0x10)  # version 1 in the upper half
_SIZES = const(16)


class Splitter:
    """Keeps one frame until its last fragment has gone out, for the `owner` who brought it last."""

    def __init__(self):
        self._frame = bytearray(wire.MAX_FRAME + wire.SEALED_GROWS)
        self._piece = bytearray(wire.MAX_FRAME + wire.SEALED_GROWS)
        self._views = {}  # of the piece, by size: made once, for there are few sizes
        self._owner = None
        self._size = 0
        self._sent = 0
        self._next = 0
        self._number = 0

    def is_empty(self, owner):
        """Tell whether nothing of this owner's is left to send."""
        return self._sent >= self._size or self._owner is not owner

    def clear(self, owner):
        """Forget the rest of this owner's frame."""
        if self._owner is owner:
            self._sent = self._size = 0

    def take(self, owner, frame, n):
        """Begin with the first n bytes of a frame, which may be overwritten afterwards; another's rest is dropped."""
        kept = self._frame
        self._owner = owner
        for k in range(n):
            kept[k] = frame[k]
        self._size = n
        self._sent = self._number = 0

    def piece(self, payload):
        """Return the next fragment of at most `payload` bytes, valid until the next call; `done` moves on."""
        n = min(payload - 1, self._size - self._sent)
        piece, frame, sent = self._piece, self._frame, self._sent
        piece[0] = self._number & _NUMBER
        if sent == 0:
            piece[0] |= FIRST
        if sent + n == self._size:
            piece[0] |= LAST
        for k in range(n):
            piece[k + 1] = frame[sent + k]
        self._next = sent + n
        return self._view(n + 1)

    def _view(self, n):
        view = self._views.get(n)
        if view is None:
            if len(self._views) == _SIZES:
                self._views.clear()
            view = self._views[n] = memoryview(self._piece)[:n]
        return view

    def done(self):
        """The last piece has gone out."""
        self._sent = self._next
        self._number += 1


class Joiner:
    """Puts frames together from notifications."""

    def __init__(self):
        self._parts = bytearray()
        self._number = -1  # expected next, -1: none
        self.broken = 0  # frames given up because a fragment was missing

    def feed(self, data):
        """Return the frame that this notification completes, None when there is none."""
        if not data:
            return None
        head = data[0]
        if head >> 4 == _WHOLE >> 4:
            self._give_up()
            return bytes(data)
        if head & FIRST:
            self._give_up()
            self._parts = bytearray()
            self._number = 0
        if (
            head & _NUMBER != self._number
            or len(self._parts) + len(data) - 1 > wire.MAX_FRAME + wire.SEALED_GROWS
        ):
            self._give_up()
            return None
        self._parts.extend(data[1:])
        self._number += 1
        if not head & LAST:
            return None
        self._number = -1
        return bytes(self._parts)

    def _give_up(self):
        if self._number >= 0:
            self.broken += 1
            self._number = -1
