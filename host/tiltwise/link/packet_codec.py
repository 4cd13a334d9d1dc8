"""The packets of a link: COBS, fragments, tags and counters; no I/O and no clock."""

from __future__ import annotations

import re
import secrets
from collections import Counter

from tiltwise.common import cobs, wire
from tiltwise.common.channel import Channel
from tiltwise.common.fragments import Joiner
from tiltwise.common.frame import Frame, open_frame
from tiltwise.link.commands import Reply, as_reply, read_reply
from tiltwise.link.transport import CABLE, CTRL

_ROOM = 1 << 15
_LONGEST = 512  # bytes of a stuffed packet
_CTRL_C = 3
_DIGITS = re.compile(r"\d+")  # kinds are counted: each number would make a new one


class Codec:
    """Turns bytes of the link into frames and replies, and commands into bytes. Bad bytes are counted in `bad`.

    Frames come out as the board made them, with a checksum in place of the tag; before `channel` is set they are
    dropped, unless `is_free` (the cable of a board without a key).
    """

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.is_free = False
        self.bad: Counter[str] = Counter()
        self._unstuffer = cobs.Unstuffer(_ROOM, _LONGEST)
        self._joiner = Joiner()
        self._request_id = wire.LEAST_REQUEST_ID + secrets.randbelow(0x100 - wire.LEAST_REQUEST_ID)
        self._counter = 0
        self._last: dict[str, bytes] = {}

    @property
    def sealed(self) -> int:
        """Return the counter of the last command in the session, 0 outside one."""
        return 0 if self.channel is None else self.channel.sent

    def next_id(self) -> int:
        """Return a fresh request id; a reply with it never begins like a frame."""
        self._request_id += 1
        if self._request_id > 0xFF:
            self._request_id = wire.LEAST_REQUEST_ID
        return self._request_id

    def pack(self, request_id: int, opcode: int, payload: bytes) -> bytes:
        """Return a command with a new counter, stuffed for the wire.

        Until the firmware has heard a host, MicroPython takes a byte 3 on the cable for Ctrl-C: HELLO holds none.
        """
        if self.channel is not None:
            return _stuffed(self.channel.pack(request_id, opcode, payload))
        while True:
            self._counter += 1
            packet = _stuffed(wire.pack_command(request_id, opcode, self._counter, payload))
            if opcode != wire.OP_HELLO or _CTRL_C not in packet:
                return packet

    def feed(self, where: str, data: bytes) -> list[Frame | Reply]:
        """Take what came, return frames and replies in order."""
        if where == CABLE:
            return self._packets(data, may_hold_frames=True)
        # BlueZ may give each notification twice after a reconnect, which would tear what comes in pieces; pieces
        # that are the same by nature do not follow each other, for each packet has its own number and tag.
        if self._last.get(where) == data:
            self.bad["notification twice"] += 1
            return []
        self._last[where] = data
        if where == CTRL:
            return self._packets(data, may_hold_frames=False)
        frame = self._joiner.feed(data)
        return [] if frame is None else self._frame(frame)

    def _packets(self, data: bytes, *, may_hold_frames: bool) -> list[Frame | Reply]:
        found: list[Frame | Reply] = []
        for at in range(0, len(data), _ROOM // 2):
            self._unstuffer.put(data[at : at + _ROOM // 2])
            while (packet := self._unstuffer.take()) is not None:
                is_frame = may_hold_frames and wire.is_frame(packet)
                found += self._frame(packet) if is_frame else self._reply(packet)
        return found

    def _frame(self, data: bytes) -> list[Frame | Reply]:
        if self.channel is None and not self.is_free:
            self.bad["frame of a board that has proved nothing"] += 1
            return []
        try:
            plain = bytes(data if self.channel is None else self.channel.open_frame(data))
            return [Frame(plain, open_frame(plain))]
        except wire.WireError as error:
            self.bad[_DIGITS.sub("N", str(error))] += 1
            return []

    def _reply(self, packet: bytes) -> list[Frame | Reply]:
        try:
            if self.channel is None:
                return [read_reply(packet)]
            return [as_reply(*self.channel.open(packet), about=self.channel.about)]
        except wire.WireError as error:
            self.bad[_DIGITS.sub("N", str(error))] += 1
            return []


def _stuffed(data: bytes | bytearray) -> bytes:
    out = bytearray(cobs.stuffed_size(len(data)))
    return bytes(out[: cobs.stuff_into(data, len(data), out)])
