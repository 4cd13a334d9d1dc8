"""Mutual proof of a key, and tags of commands and frames (HMAC-SHA256, RFC 2104, first 8 bytes).

Each host has a key of its own, and a board knows up to four. Both sides prove that they hold it without sending it:

    host -> board   AUTH1: host nonce, wishes
    board -> host   board nonce, four proofs = HMAC(key of a host, "D" | said)[:8]; random bytes where there is no key
    host -> board   AUTH2: place of its key u8, host proof = HMAC(key, "H" | said)[:16]
    said            protocol u8 | device id 8 | wishes u8 | host nonce 16 | board nonce 16

Who listens learns neither which host it is nor how many there are. Keys of the session are HMAC(key, name | host
nonce | board nonce), one for each purpose, so that nothing of one can be taken for another. The key itself is
replaced by `next_key` now and then (RATCHET), and the one before is forgotten on both sides: who learns a key
cannot read what was recorded under the earlier ones.

MicroPython ships no `hmac`, so the two hash passes are written out; the padded keys are made once, but hashed
anew for each tag, because MicroPython hash objects cannot be copied.
"""

import hashlib
import struct

from tiltwise.common import const, wire

KEY_SIZE = 32
NONCE_SIZE = 16
PROOF_SIZE = 16  # of the host
BOARD_PROOF_SIZE = 8
MOST_KEYS = 4
DEVICE_ID_SIZE = 8

_BLOCK = const(64)  # bytes, block size of SHA-256
_LEAST_KEY = const(16)  # bytes
_AHEAD = const(4)  # keys that the board may be further on: an answer to RATCHET was lost
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


def next_key(key):
    """Return the key that takes this one's place; the way back is as hard as breaking the hash."""
    return hmac_sha256(key, b"next")


def key_check(key):
    """Return 8 bytes by which both sides tell whether they mean the same key."""
    return hmac_sha256(key, b"check")[:8]


class Handshake:
    """What both sides know after AUTH1: the proofs of both, and the keys of the session."""

    def __init__(self, key, device_id, wishes, host_nonce, board_nonce):
        if len(key) != KEY_SIZE:
            raise ValueError("key of %d bytes, expected %d" % (len(key), KEY_SIZE))
        self._key = key
        self._nonces = bytes(host_nonce) + bytes(board_nonce)
        self._said = struct.pack("<B8sB", wire.PROTOCOL, bytes(device_id), wishes) + self._nonces

    def board_proof(self):
        """Return the proof that only a board with the key can make."""
        return hmac_sha256(self._key, b"D" + self._said)[:BOARD_PROOF_SIZE]

    def host_proof(self):
        """Return the proof that only a host with the key can make."""
        return hmac_sha256(self._key, b"H" + self._said)[:PROOF_SIZE]

    def session_key(self, name):
        """Return the 32-byte key of this session for one purpose."""
        return hmac_sha256(self._key, name + self._nonces)


class BoardHandshake:
    """The board's side: one attempt of one host. `keys` are those of all hosts, at most MOST_KEYS."""

    def __init__(self, keys, device_id):
        self._keys = keys
        self._device_id = device_id
        self._request = None
        self.wishes = 0
        self.place = -1  # of the key that was proved
        self.shared = None

    def answer(self, request, nonce, filler):
        """Return the reply to AUTH1 with a fresh 16-byte nonce; None when the request is not one.

        `filler` has 32 random bytes: where there is no key, they stand for a proof.
        """
        if len(request) != struct.calcsize(wire.AUTH1_BODY):
            return None
        host_nonce, self.wishes = struct.unpack(wire.AUTH1_BODY, request)
        self._request = (self._device_id, self.wishes, host_nonce, nonce)
        proofs = bytearray(filler)
        for k, key in enumerate(self._keys):
            at = k * BOARD_PROOF_SIZE
            proofs[at : at + BOARD_PROOF_SIZE] = Handshake(key, *self._request).board_proof()
        return struct.pack(wire.AUTH1_REPLY_BODY, nonce, bytes(proofs))

    def accepts(self, payload):
        """Tell whether AUTH2 proves that the host holds one of the keys; then `place` and `shared` are set."""
        if self._request is None or len(payload) != struct.calcsize(wire.AUTH2_BODY):
            return False
        place, proof = struct.unpack(wire.AUTH2_BODY, payload)
        if place >= len(self._keys):
            return False
        shared = Handshake(self._keys[place], *self._request)
        if not equal(proof, shared.host_proof()):
            return False
        self.place = place
        self.shared = shared
        return True


class HostHandshake:
    """The host's side: `request` -> AUTH1, its reply -> `prove` -> AUTH2.

    Parameters
    ----------
    key, device_id
        As set and answered by PROVISION: 32 and 8 bytes.
    nonce
        16 fresh random bytes.
    wishes
        wire.WISH_*.

    Attributes
    ----------
    key
        After `prove` the one that the board holds: ours, or one of those that follow it.
    """

    def __init__(self, key, device_id, nonce, wishes=0):
        self.key = key
        self._device_id = device_id
        self._nonce = nonce
        self._wishes = wishes
        self.shared = None

    def request(self):
        """Return the payload of AUTH1."""
        return struct.pack(wire.AUTH1_BODY, self._nonce, self._wishes)

    def prove(self, reply):
        """Check the reply to AUTH1 (without its status) and return the payload of AUTH2; raise AuthError."""
        size = struct.calcsize(wire.AUTH1_REPLY_BODY)
        if len(reply) != size:
            raise AuthError("reply of %d bytes to AUTH1, expected %d: update tiltwise" % (len(reply), size))
        nonce, proofs = struct.unpack(wire.AUTH1_REPLY_BODY, reply)
        key = self.key
        for _ in range(_AHEAD + 1):
            shared = Handshake(key, self._device_id, self._wishes, self._nonce, nonce)
            wanted = shared.board_proof()
            for place in range(MOST_KEYS):
                at = place * BOARD_PROOF_SIZE
                if equal(proofs[at : at + BOARD_PROOF_SIZE], wanted):
                    self.key = key
                    self.shared = shared
                    return struct.pack(wire.AUTH2_BODY, place, shared.host_proof())
            key = next_key(key)
        raise AuthError("the board does not hold our key: not our board, or set up anew by another host")
