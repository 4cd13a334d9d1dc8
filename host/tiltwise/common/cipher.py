"""AES-128 in counter mode for what is secret on the air; encryption comes first, the tag is made over its result.

The counter block is `direction u8 | boot u16 | number u32 | zeros | block u8`: a frame, command or reply has its
own number under the keys of its session, so no block is used twice for different bytes (a frame sent again is the
same bytes). The caller gives the block cipher: `aes(key, 1).encrypt(blocks, out)` is MicroPython's
`cryptolib.aes` (ECB), which the host stands in for with a library.
"""

import struct

from tiltwise.common import const

FRAME, COMMAND, REPLY = range(3)  # directions
KEY_SIZE = 16
_BLOCK = const(16)
BUFFER_SIZE = 240  # 15 blocks, more than any frame or command holds


class CounterMode:
    """Makes and removes the encryption of one session; the same call does both.

    `buffers` are two of `BUFFER_SIZE` bytes that one session after the other may use; None: two of its own.
    """

    def __init__(self, aes, key, buffers=None):
        self._aes = aes(key, 1)
        buffers = buffers or (bytearray(BUFFER_SIZE), bytearray(BUFFER_SIZE))
        self._counters = buffers[0]
        self._stream = buffers[1]
        for k in range(BUFFER_SIZE):
            self._counters[k] = 0

    def crypt(self, buffer, start, end, direction, boot, number):
        """Encrypt or decrypt buffer[start:end], 240 bytes at most, where it is."""
        counters, stream = self._counters, self._stream
        for at in range(0, end - start, _BLOCK):
            struct.pack_into("<BHI", counters, at, direction, boot & 0xFFFF, number)
            counters[at + _BLOCK - 1] = at // _BLOCK
        # All blocks, however few are needed: a slice would be memory, and AES is hardware or 10 us a block.
        self._aes.encrypt(counters, stream)
        for k in range(end - start):
            buffer[start + k] ^= stream[k]
