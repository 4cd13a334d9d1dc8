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
    """Takes bytes as they come, hands out packets.

    `put` may be called in an interrupt while `take` runs: it allocates nothing, and each has its own end of the ring.

    Parameters
    ----------
    room
        Bytes that wait for `take`, a power of two above `longest`; what does not fit is dropped and counted.
    longest
        Stuffed bytes of a packet; longer ones are dropped and counted.
    """

    def __init__(self, room, longest):
        self._ring = bytearray(room)
        self._mask = room - 1
        self._longest = longest
        self._head = 0  # next to write
        self._tail = 0  # where the packet under way begins
        self._at = 0  # next to look at
        self._is_long = False
        self.dropped = 0  # bytes
        self.bad = 0  # packets

    def clear(self):
        """Forget what came so far."""
        self._tail = self._at = self._head
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
        ring, mask, longest = self._ring, self._mask, self._longest
        tail, at, head = self._tail, self._at, self._head
        done = None
        while at != head and done is None:
            is_end = not ring[at]
            if is_end:
                done = self._end(tail, (at - tail) & mask)
            at = (at + 1) & mask
            if is_end:
                tail = at
            elif (at - tail) & mask > longest:
                self._is_long = True
                tail = at
        self._tail, self._at = tail, at
        return done

    def _end(self, tail, n):
        """Return the packet of the n stuffed bytes from `tail` on; None for none, or a bad one."""
        is_long, self._is_long = self._is_long, False
        if not n and not is_long:
            return None
        ring, mask = self._ring, self._mask
        packet = bytearray(n)
        for k in range(n):
            packet[k] = ring[(tail + k) & mask]
        size = -1 if is_long else unstuff(packet, n)
        if size <= 0:
            self.bad += 1
            return None
        return bytes(memoryview(packet)[:size])
