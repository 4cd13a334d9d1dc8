"""An open session as one end sees it: commands, replies and frames with tags, counters and, if agreed, encryption.

Used by host_session.py on the board and by the link on the host. Counters only rise: a command or reply with a
counter received before is refused, so a repeated one needs a new number.
"""

import struct

from tiltwise.common import cipher, wire
from tiltwise.common.auth import Tagger

_HEAD = struct.calcsize(wire.COMMAND_HEADER)


class ReplayError(wire.WireError):
    """The counter was received before: a replay."""


class Channel:
    """One end of a session.

    Parameters
    ----------
    shared
        auth.Handshake of the session.
    is_host
        Which end this is.
    aes
        Block cipher as cipher.py wants it; None: nothing is encrypted.
    buffers
        Of the cipher, where memory is short: made once, for one session after the other.
    """

    def __init__(self, shared, is_host, aes=None, buffers=None):
        commands = Tagger(shared.session_key(b"commands"))
        replies = Tagger(shared.session_key(b"replies"))
        self._frames = Tagger(shared.session_key(b"frames"))
        self._ours, self._theirs = (commands, replies) if is_host else (replies, commands)
        self._we_are, self._they_are = (
            (cipher.COMMAND, cipher.REPLY) if is_host else (cipher.REPLY, cipher.COMMAND)
        )
        self._cipher = None
        if aes is not None:
            key = shared.session_key(b"encryption")[: cipher.KEY_SIZE]
            self._cipher = cipher.CounterMode(aes, key, buffers)
        self._sent = 0
        self._heard = 0

    @property
    def is_encrypted(self):
        """Tell whether payloads are encrypted."""
        return self._cipher is not None

    def pack(self, request_id, opcode, payload=b""):
        """Return the bytes of the next command or reply."""
        self._sent += 1
        if self._cipher is not None:
            payload = bytearray(payload)
            self._cipher.crypt(payload, 0, len(payload), self._we_are, 0, self._sent)
        return wire.pack_command(request_id, opcode, self._sent, payload, self._ours)

    def open(self, data):
        """Return (request_id, opcode, payload) of a command or reply; raise WireError, ReplayError."""
        if not _HEAD + wire.TAG_SIZE <= len(data) <= wire.MAX_COMMAND:
            raise wire.WireError("command of %d bytes" % len(data))
        request_id, opcode, counter, payload = wire.open_command(data, self._theirs)
        if counter <= self._heard:
            raise ReplayError("counter %d after %d: heard before" % (counter, self._heard))
        self._heard = counter
        if self._cipher is not None:
            payload = bytearray(payload)
            self._cipher.crypt(payload, 0, len(payload), self._they_are, 0, counter)
            payload = bytes(payload)
        return request_id, opcode, payload

    def seal(self, frame, size, scratch):
        """Tag a frame of `size` bytes and return the buffer to send: the frame, or `scratch` with it encrypted."""
        if self._cipher is None:
            wire.seal(frame, size, self._frames)
            return frame
        for k in range(size):
            scratch[k] = frame[k]
        scratch[1] |= wire.FLAG_ENCRYPTED
        _crypt_frame(self._cipher, scratch, size)
        wire.seal(scratch, size, self._frames)
        return scratch

    def open_frame(self, frame):
        """Return a frame as the board made it, with a checksum in place of the tag; raise WireError."""
        if len(frame) < wire.HEADER_SIZE + wire.TAG_SIZE:
            raise wire.WireError("frame of %d bytes" % len(frame))
        if not frame[1] & wire.FLAG_AUTHENTICATED:
            raise wire.WireError("frame without an authentication tag on a link that has a key")
        wire.check_tag(frame, self._frames, True)
        plain = bytearray(frame)
        if plain[1] & wire.FLAG_ENCRYPTED:
            if self._cipher is None:
                raise wire.WireError("encrypted frame in a session without encryption")
            _crypt_frame(self._cipher, plain, len(plain))
            plain[1] &= ~wire.FLAG_ENCRYPTED & 0xFF
        elif self._cipher is not None:
            raise wire.WireError("frame in clear in a session with encryption")
        wire.seal(plain, len(plain))
        return bytes(plain)


def _crypt_frame(counter_mode, frame, size):
    _, _, boot, seq = struct.unpack_from("<BBHI", frame, 0)
    counter_mode.crypt(frame, wire.HEADER_SIZE, size - wire.TAG_SIZE, cipher.FRAME, boot, seq)
