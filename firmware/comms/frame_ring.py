"""Frames wait here until the host has stored them: slots of one size, made once, the oldest dropped when full.

Frames are not copied. Whoever makes frames borrows one buffer for good; `put` takes the buffer that was filled and
returns another one to fill next.
"""

from array import array

from micropython import const

from tiltwise.common import wire

_PIECE = const(16)  # slots


class FrameRing:
    """A queue of `count` frames of up to `size` bytes, in rising order of sequence number."""

    def __init__(self, count, size):
        self._slots = []
        for at in range(0, count, _PIECE):  # in pieces: one block would take the largest hole there is
            memory = memoryview(bytearray(min(count - at, _PIECE) * size))
            for start in range(0, len(memory), size):
                self._slots.append(memory[start : start + size])
        self._sizes = array("H", [0] * count)
        self._seqs = array("I", [0] * count)
        self._first = 0
        self.capacity = count
        self.slot_size = size
        self.used = 0
        self.lost = 0  # frames dropped before anybody acknowledged them

    def lend_buffer(self):
        """Return a new buffer for one producer of frames, which swaps it for another one in each `put`."""
        return memoryview(bytearray(self.slot_size))

    def put(self, buffer, size, seq):
        """Take a filled buffer and return the one to fill next."""
        if self.used == self.capacity:
            self._drop_oldest()
            # The next frame in line tells of the loss.
            wire.set_flags(self._slots[self._first] if self.used else buffer, wire.FLAG_LOSS_BEFORE)
        k = (self._first + self.used) % self.capacity
        free = self._slots[k]
        self._slots[k] = buffer
        self._sizes[k] = size
        self._seqs[k] = seq
        self.used += 1
        return free

    def _drop_oldest(self):
        self._first = (self._first + 1) % self.capacity
        self.used -= 1
        self.lost += 1

    def free_to(self, seq):
        """Free all frames up to this sequence number."""
        while self.used and self._seqs[self._first] <= seq:
            self._first = (self._first + 1) % self.capacity
            self.used -= 1

    def find(self, seq):
        """Return the position of the first frame with this or a later sequence number; `used` when there is none."""
        low, high = 0, self.used
        while low < high:
            middle = (low + high) >> 1
            if self._seqs[(self._first + middle) % self.capacity] < seq:
                low = middle + 1
            else:
                high = middle
        return low

    def seq_at(self, position):
        """Return the sequence number at a position from `find`."""
        return self._seqs[(self._first + position) % self.capacity]

    def frame_at(self, position):
        """Return the buffer at a position; its first `size_at` bytes are the frame."""
        return self._slots[(self._first + position) % self.capacity]

    def size_at(self, position):
        """Return how many bytes of the buffer at a position are the frame."""
        return self._sizes[(self._first + position) % self.capacity]
