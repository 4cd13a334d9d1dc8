"""Encryption of a session: XOR with SHA-256 of a key and a counter, which both sides have without a library.

The stream for one packet is SHA-256(key 32 | direction u8 | number u32 | block u8), block after block of 32 bytes.
All its inputs have the same length, and no number is used twice under the keys of a session, so no stream is used
for different bytes. Encryption comes first, the tag is made over its result.
"""

import hashlib
import struct

FRAME, COMMAND, REPLY = range(3)  # directions
_KEY_SIZE = 32


class Stream:
    """Makes and removes the encryption of one session; the same call does both."""

    def __init__(self, key):
        if len(key) != _KEY_SIZE:
            raise ValueError("key of %d bytes, expected %d" % (len(key), _KEY_SIZE))
        self._block = bytearray(key) + bytearray(6)

    def crypt(self, buffer, at, end, direction, number):
        """Encrypt or decrypt buffer[at:end] where it is."""
        block = self._block
        struct.pack_into("<BIB", block, _KEY_SIZE, direction, number, 0)
        while at < end:
            for mask in hashlib.sha256(block).digest():
                if at == end:
                    return
                buffer[at] ^= mask
                at += 1
            block[_KEY_SIZE + 5] += 1
