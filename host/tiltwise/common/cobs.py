"""Packets in a stream of bytes: consistent overhead byte stuffing (Cheshire and Baker 1999, doi:10.1109/90.769765).

A packet is stuffed so that it holds no zero byte, and stands between two zero bytes. Whatever is cut off, lost or
mixed in between costs the packets it touches and no other. The cable carries frames and commands like this, the
radio commands and replies.
"""

from tiltwise.common import const

_RUN = const(254)  # bytes that one code byte covers


def stuffed_size(n):
    """Return the most bytes that a packet of n bytes becomes, both zeros included."""
    return n + n // _RUN + 3


def stuff_into(source, n, target):
    """Write the first n bytes of `source` as a packet at the start of `target`; return how many bytes it takes."""
    target[0] = 0
    code_at = 1
    k = 2
    for i in range(n):
        byte = source[i]
        if byte:
            target[k] = byte
            k += 1
        if not byte or k - code_at > _RUN:
            target[code_at] = k - code_at
            code_at = k
            k += 1
    target[code_at] = k - code_at
    target[k] = 0
    return k + 1


def unstuff(buffer, n):
    """Unstuff the first n bytes, which lie between two zeros, in place; return how many are left, -1: damaged."""
    read = 0
    write = 0
    while read < n:
        code = buffer[read]
        end = read + code
        if end > n:
            return -1
        read += 1
        while read < end:
            buffer[write] = buffer[read]
            write += 1
            read += 1
        if read < n and code <= _RUN:
            buffer[write] = 0
            write += 1
    return write


class Unstuffer:
    """Takes bytes as they come, hands out packets; all memory is made at once.

    `put` may be called in an interrupt while `take` runs: each has its own end of the ring.

    Parameters
    ----------
    room
        Bytes that wait for `take`, a power of two; what does not fit is dropped and counted.
    longest
        Stuffed bytes of a packet; longer ones are dropped and counted.
    """

    def __init__(self, room, longest):
        self._ring = bytearray(room)
        self._mask = room - 1
        self._head = 0  # next to write
        self._tail = 0  # next to read
        self._packet = bytearray(longest)
        self._n = 0
        self._is_long = False
        self.dropped = 0  # bytes
        self.bad = 0  # packets

    def clear(self):
        """Forget what came so far."""
        self._tail = self._head
        self._n = 0
        self._is_long = False

    def put(self, data):
        """Take bytes."""
        ring, mask, head = self._ring, self._mask, self._head
        n = len(data)
        room = (self._tail - head - 1) & mask
        if n > room:
            self.dropped += n - room
            n = room
        if head + n <= mask:
            ring[head : head + n] = data if n == len(data) else data[:n]
        else:
            for k in range(n):
                ring[(head + k) & mask] = data[k]
        self._head = (head + n) & mask

    def take(self):
        """Return the next packet as bytes, None when none is complete."""
        ring, mask, packet = self._ring, self._mask, self._packet
        longest = len(packet)
        tail, head, n = self._tail, self._head, self._n
        while tail != head:
            byte = ring[tail]
            tail = (tail + 1) & mask
            if byte:
                if n < longest:
                    packet[n] = byte
                    n += 1
                else:
                    self._is_long = True
            elif n:
                done = self._end(n)
                n = 0
                if done is not None:
                    self._tail, self._n = tail, 0
                    return done
        self._tail, self._n = tail, n
        return None

    def _end(self, n):
        """Return the packet of n stuffed bytes, None for a bad one."""
        size = -1 if self._is_long else unstuff(self._packet, n)
        self._is_long = False
        if size <= 0:
            self.bad += 1
            return None
        return bytes(memoryview(self._packet)[:size])
