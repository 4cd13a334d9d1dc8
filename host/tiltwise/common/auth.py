"""Tags that prove a frame or command comes from who holds the key (HMAC-SHA256, RFC 2104, first 8 bytes).

MicroPython ships no `hmac`, so the two hash passes are written out; the inner and outer pads are hashed anew
for each tag because MicroPython hash objects cannot be copied.
"""

import hashlib

_BLOCK = 64  # bytes, block size of SHA-256


def hmac_sha256(key, message):
    """Return the 32-byte HMAC-SHA256 of a message (bytes-like) under a key of any length."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = bytes(key) + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(message)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()


def equal(a, b):
    """Compare two tags in a time that does not depend on where they differ."""
    if len(a) != len(b):
        return False
    difference = 0
    for x, y in zip(a, b):
        difference |= x ^ y
    return difference == 0


class Tagger:
    """Makes and checks the 8-byte tags of one direction of one session."""

    def __init__(self, key):
        if len(key) < 16:
            raise ValueError("a key needs at least 16 bytes, this one has %d" % len(key))
        self._key = bytes(key)

    def tag(self, message):
        """Return the 8-byte tag of a message."""
        return hmac_sha256(self._key, message)[:8]

    def check(self, message, tag):
        """Tell whether the tag belongs to the message."""
        return equal(self.tag(message), bytes(tag))
