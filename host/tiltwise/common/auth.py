"""Mutual proof of the key, and tags of commands and frames (HMAC-SHA256, RFC 2104, first 8 bytes).

Host and board prove to each other that they hold the key without sending it:

    host -> board   AUTH1: host nonce, wishes
    board -> host   board nonce, boot, features granted, board proof = HMAC(key, "D" | said)[:16]
    host -> board   AUTH2: host proof = HMAC(key, "H" | said)[:16]
    said            version u8 | device id 8 | boot u32 | wishes u8 | granted u8 | host nonce 16 | board nonce 16

Keys of the session are HMAC(key, name | host nonce | board nonce), one for each purpose, so that nothing of one
can be taken for another. There is no forward secrecy: who learns the key reads what was recorded before.

MicroPython ships no `hmac`, so the two hash passes are written out; the padded keys are made once, but hashed
anew for each tag, because MicroPython hash objects cannot be copied.
"""

import hashlib
import struct

from tiltwise.common import const, wire

KEY_SIZE = 32
NONCE_SIZE = 16
PROOF_SIZE = 16
DEVICE_ID_SIZE = 8

_BLOCK = const(64)  # bytes, block size of SHA-256
_LEAST_KEY = const(16)  # bytes
_TAG = const("8s")  # takes the first wire.TAG_SIZE bytes of a longer text


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

    def tag_into(self, buffer, end):
        """Write the tag of the first `end` bytes of a buffer behind them; a memoryview spares the copy."""
        # On a board 400 bytes, which hashlib needs: two hash objects (128 each), two results (64), the view (16).
        struct.pack_into(_TAG, buffer, end, _two_passes(self._inner_key, self._outer_key, buffer[:end]))

    def check(self, message, tag):
        """Tell whether the tag belongs to the message."""
        return equal(self.tag(message), bytes(tag))


class AuthError(ValueError):
    """The other side does not hold the key, or its message is invalid."""


class Handshake:
    """What both sides know after AUTH1: the proofs of both, and the keys of the session."""

    def __init__(self, key, device_id, boot, wishes, granted, host_nonce, board_nonce):
        if len(key) != KEY_SIZE:
            raise ValueError("key of %d bytes, expected %d" % (len(key), KEY_SIZE))
        said = struct.pack("<B8sIBB", wire.VERSION, bytes(device_id), boot, wishes, granted)
        self._key = key
        self._nonces = bytes(host_nonce) + bytes(board_nonce)
        self._said = said + self._nonces

    def board_proof(self):
        """Return the proof that only a board with the key can make."""
        return hmac_sha256(self._key, b"D" + self._said)[:PROOF_SIZE]

    def host_proof(self):
        """Return the proof that only a host with the key can make."""
        return hmac_sha256(self._key, b"H" + self._said)[:PROOF_SIZE]

    def session_key(self, name):
        """Return the 32-byte key of this session for one purpose."""
        return hmac_sha256(self._key, name + self._nonces)


class BoardHandshake:
    """The board's side: one attempt of one host."""

    def __init__(self, key, device_id, boot, features):
        self._key = key
        self._device_id = device_id
        self._boot = boot
        self._features = features
        self.wishes = 0
        self.granted = 0
        self.shared = None

    def answer(self, request, nonce):
        """Return the reply to AUTH1 with a fresh 16-byte nonce; None when the request is not one."""
        if len(request) != struct.calcsize(wire.AUTH1_BODY):
            return None
        host_nonce, wishes = struct.unpack(wire.AUTH1_BODY, request)
        self.wishes = wishes
        self.granted = wishes & wire.WISH_ENCRYPTION & self._features
        self.shared = Handshake(
            self._key, self._device_id, self._boot, wishes, self.granted, host_nonce, nonce
        )
        return struct.pack(wire.AUTH1_REPLY_BODY, nonce, self._boot, self.granted, self.shared.board_proof())

    def accepts(self, proof):
        """Tell whether AUTH2 proves that the host holds the key."""
        return self.shared is not None and equal(proof, self.shared.host_proof())


class HostHandshake:
    """The host's side: `request` -> AUTH1, its reply -> `prove` -> AUTH2.

    Parameters
    ----------
    key, device_id
        As set and answered by PROVISION: 32 and 8 bytes.
    nonce
        16 fresh random bytes.
    wishes
        wire.WISH_*; what was granted is in `granted` after `prove`.
    """

    def __init__(self, key, device_id, nonce, wishes=0):
        self._key = key
        self._device_id = device_id
        self._nonce = nonce
        self._wishes = wishes
        self.boot = 0
        self.granted = 0
        self.shared = None

    def request(self):
        """Return the payload of AUTH1."""
        return struct.pack(wire.AUTH1_BODY, self._nonce, self._wishes)

    def prove(self, reply):
        """Check the reply to AUTH1 (without its status) and return the payload of AUTH2; raise AuthError."""
        size = struct.calcsize(wire.AUTH1_REPLY_BODY)
        if len(reply) != size:
            raise AuthError("reply of %d bytes to AUTH1, expected %d: update tiltwise" % (len(reply), size))
        nonce, self.boot, self.granted, proof = struct.unpack(wire.AUTH1_REPLY_BODY, reply)
        shared = Handshake(
            self._key, self._device_id, self.boot, self._wishes, self.granted, self._nonce, nonce
        )
        if not equal(proof, shared.board_proof()):
            raise AuthError("the board does not hold our key: not our board, or set up anew by another host")
        self.shared = shared
        return shared.host_proof()
