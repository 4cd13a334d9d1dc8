"""An open session as one end sees it: commands, replies and frames, encrypted, with tags and counters.

Used by host_session.py on the board and by the link on the host. What passes is

    frame            SEALED_FRAME u8 | number u32 | encrypted: header and payload | tag 8
    command, reply   SEALED_COMMAND u8 | counter u32 | encrypted: request id u8, opcode u8, about u32, payload | tag 8

so a listener learns how long something is and how many there were. Counters of commands and replies only rise: one
that was received before is refused, so a repeated command needs a new number. `about` of a reply is the counter of
the command that it answers. Frames are known by what is in them, and come in any order.
"""

import struct

from tiltwise.common import wire
from tiltwise.common.auth import Tagger
from tiltwise.common.cipher import COMMAND, FRAME, REPLY, Stream

_OUTER = "<BI"  # kind, number
_OUTER_SIZE = struct.calcsize(_OUTER)
_INNER = "<BBI"  # request id, opcode, about
_INNER_SIZE = struct.calcsize(_INNER)


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

    Attributes
    ----------
    sent
        Counter of the last command or reply that was packed.
    about
        On the host: counter of the command that the last opened reply answers.
    """

    def __init__(self, shared, is_host):
        commands = Tagger(shared.session_key(b"commands"))
        replies = Tagger(shared.session_key(b"replies"))
        self._frames = Tagger(shared.session_key(b"frames"))
        self._ours, self._theirs = (commands, replies) if is_host else (replies, commands)
        self._we_are, self._they_are = (COMMAND, REPLY) if is_host else (REPLY, COMMAND)
        self._stream = Stream(shared.session_key(b"encryption"))
        self._packets = 0  # frames sealed
        self._heard = 0
        self._is_host = is_host
        self.sent = 0
        self.about = 0

    def pack(self, request_id, opcode, payload=b""):
        """Return the bytes of the next command, or of a reply to the last command that was opened."""
        self.sent += 1
        data = bytearray(_OUTER_SIZE + _INNER_SIZE + len(payload) + wire.TAG_SIZE)
        struct.pack_into(_OUTER, data, 0, wire.SEALED_COMMAND, self.sent)
        about = 0 if self._is_host else self._heard
        struct.pack_into(_INNER, data, _OUTER_SIZE, request_id, opcode, about)
        end = len(data) - wire.TAG_SIZE
        data[_OUTER_SIZE + _INNER_SIZE : end] = payload
        self._stream.crypt(data, _OUTER_SIZE, end, self._we_are, self.sent)
        data[end:] = self._ours.tag(memoryview(data)[:end])
        return bytes(data)

    def open(self, data):
        """Return (request_id, opcode, payload) of a command or reply; raise WireError, ReplayError."""
        if not _OUTER_SIZE + _INNER_SIZE + wire.TAG_SIZE <= len(data) <= wire.MAX_COMMAND:
            raise wire.WireError("command of %d bytes" % len(data))
        kind, counter = struct.unpack_from(_OUTER, data, 0)
        if kind != wire.SEALED_COMMAND:
            raise wire.WireError("command in clear in a session")
        wire.check_tag(data, self._theirs, True)
        if counter <= self._heard:
            raise ReplayError("counter %d after %d: heard before" % (counter, self._heard))
        self._heard = counter
        plain = bytearray(data)
        end = len(plain) - wire.TAG_SIZE
        self._stream.crypt(plain, _OUTER_SIZE, end, self._they_are, counter)
        request_id, opcode, self.about = struct.unpack_from(_INNER, plain, _OUTER_SIZE)
        return request_id, opcode, bytes(memoryview(plain)[_OUTER_SIZE + _INNER_SIZE : end])

    def seal(self, frame, size, out):
        """Encrypt a frame of `size` bytes into `out`, with room for wire.SEALED_GROWS more; return the new size."""
        self._packets += 1
        struct.pack_into(_OUTER, out, 0, wire.SEALED_FRAME, self._packets)
        end = size - wire.TAG_SIZE
        for k in range(end):
            out[_OUTER_SIZE + k] = frame[k]
        end += _OUTER_SIZE
        self._stream.crypt(out, _OUTER_SIZE, end, FRAME, self._packets)
        self._frames.tag_into(out, end)
        return end + wire.TAG_SIZE

    def open_frame(self, data):
        """Return a frame as the board made it, with a checksum in place of the tag; raise WireError."""
        if len(data) < _OUTER_SIZE + wire.HEADER_SIZE + wire.TAG_SIZE:
            raise wire.WireError("frame of %d bytes" % len(data))
        kind, number = struct.unpack_from(_OUTER, data, 0)
        if kind != wire.SEALED_FRAME:
            raise wire.WireError("frame in clear in a session")
        wire.check_tag(data, self._frames, True)
        plain = bytearray(data)
        end = len(plain) - wire.TAG_SIZE
        self._stream.crypt(plain, _OUTER_SIZE, end, FRAME, number)
        frame = plain[_OUTER_SIZE:]
        wire.seal(frame, len(frame))
        return bytes(frame)
