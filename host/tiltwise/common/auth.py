"""Tags that prove a frame or command comes from who holds the key (HMAC-SHA256, RFC 2104, first 8 bytes).

Before it: a key set over USB. Around it: wire.py, which writes and checks the tags. MicroPython ships no `hmac`, so
the two hash passes are written out; the padded keys are made once, but hashed anew for each tag, because MicroPython
hash objects cannot be copied.
"""

import hashlib

_BLOCK = 64  # bytes, block size of SHA-256
_LEAST_KEY = 16  # bytes


def _padded(key, pad):
    """Return the key as one block of the hash, each byte mixed with `pad`."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    block = bytearray(_BLOCK)
    block[: len(key)] = key
    for i in range(_BLOCK):
        block[i] ^= pad
    return bytes(block)


def _two_passes(inner_key, outer_key, message):
    """Return the 32 bytes of the hash of the outer key and the hash of the inner key and the message."""
    inner = hashlib.sha256(inner_key)
    inner.update(message)
    outer = hashlib.sha256(outer_key)
    outer.update(inner.digest())
    return outer.digest()


def hmac_sha256(key, message):
    """Return the 32-byte HMAC-SHA256 of a message (bytes-like) under a key of any length."""
    return _two_passes(_padded(key, 0x36), _padded(key, 0x5C), message)


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
        if len(key) < _LEAST_KEY:
            raise ValueError("key of %d bytes, expected at least %d" % (len(key), _LEAST_KEY))
        self._inner_key = _padded(key, 0x36)
        self._outer_key = _padded(key, 0x5C)

    def tag(self, message):
        """Return the 8-byte tag of a message."""
        return _two_passes(self._inner_key, self._outer_key, message)[:8]

    def check(self, message, tag):
        """Tell whether the tag belongs to the message."""
        return equal(self.tag(message), bytes(tag))
