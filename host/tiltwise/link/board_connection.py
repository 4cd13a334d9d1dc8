"""One connection as the host speaks it: bytes in, opened frames and answers out; commands with their answers.

`Codec` is without I/O and clock: COBS, fragments, tags, counters. `BoardConnection` proves the key and asks, over any
`write`, in the time of the running event loop. Nothing that needs the key leaves before the board has proved that
it holds it, and no frame passes before both have.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tiltwise.common import cobs, wire
from tiltwise.common.auth import NONCE_SIZE, AuthError, HostHandshake
from tiltwise.common.channel import Channel
from tiltwise.common.fragments import Joiner
from tiltwise.link.aes import Aes
from tiltwise.link.board_identity import Hello, KeyedBoard, read_hello
from tiltwise.link.transport import CABLE, CTRL, BusyError, LinkError, Trouble

TRIES = 3
REPLY_S = 1.0
PINGS = 8  # at connect; the fastest of them tells how late the frames are
_TIME = "<q"  # us of the clock of received_s
_ROOM = 1 << 15
_LONGEST = 512  # bytes of a stuffed packet
_CTRL_C = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: to a command of ours, or a GET_DONE that nobody waits for."""

    request_id: int
    opcode: int  # without wire.REPLY
    status: int
    body: bytes


class Codec:
    """Bytes of the link to frames and replies, commands to bytes. Bad bytes are counted in `bad`, never raised.

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

    def feed(self, where: str, data: bytes) -> list[bytes | Reply]:
        """Take what came, return frames (bytes) and replies in order."""
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

    def _packets(self, data: bytes, *, may_hold_frames: bool) -> list[bytes | Reply]:
        found: list[bytes | Reply] = []
        for at in range(0, len(data), _ROOM // 2):
            self._unstuffer.put(data[at : at + _ROOM // 2])
            while (packet := self._unstuffer.take()) is not None:
                is_frame = may_hold_frames and wire.is_frame(packet)
                found += self._frame(packet) if is_frame else self._reply(packet)
        return found

    def _frame(self, frame: bytes) -> list[bytes | Reply]:
        try:
            if self.channel is not None:
                return [self.channel.open_frame(frame)]
            if self.is_free:
                wire.open_frame(frame)
                return [bytes(frame)]
        except wire.WireError as error:
            self.bad[str(error)] += 1
            return []
        self.bad["frame of a board that has proved nothing"] += 1
        return []

    def _reply(self, packet: bytes) -> list[bytes | Reply]:
        try:
            if self.channel is not None:
                request_id, opcode, answer = self.channel.open(packet)
            else:
                request_id, opcode, _, answer = wire.open_command(packet)
        except wire.WireError as error:
            self.bad[str(error)] += 1
            return []
        if not opcode & wire.REPLY or not answer:
            self.bad["not a reply"] += 1
            return []
        return [Reply(request_id, opcode & ~wire.REPLY, answer[0], bytes(answer[1:]))]


class BoardConnection:
    """A board at the other end of a connection.

    Parameters
    ----------
    write
        Sends bytes; may hang, so it is cut off when the answer would be late.
    keys
        The boards that may be at the other end.
    is_cable
        What kind of link it is.
    may_take_over
        Asked with the age in s of the session that holds the board: whether to end it.
    aes
        The block cipher, for boards that can encrypt too; None: nothing is encrypted.
    now_s
        The clock of received_s, for what PING carries; None: that of the running loop.
    """

    def __init__(
        self,
        write: Callable[[bytes], Awaitable[None]],
        keys: Sequence[KeyedBoard],
        *,
        is_cable: bool = False,
        may_take_over: Callable[[int], bool] = lambda _open_s: False,
        aes: Aes | None = None,
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self._write, self._keys, self._is_cable, self._aes = write, keys, is_cable, aes
        self._now_s = now_s
        self._may_take_over = may_take_over
        self.codec = Codec()
        self.known: KeyedBoard | None = None  # who it is, once proved
        self._waiting: dict[int, tuple[int, asyncio.Future[Reply]]] = {}
        # BlueZ refuses a write while another is under way, and bleak tries it again later: two at once would change
        # places, and the board takes the one that comes late for replayed.
        self._writing = asyncio.Lock()

    def feed(self, where: str, data: bytes) -> list[bytes | Reply]:
        """Take what came; return frames and the replies that no `ask` waits for."""
        left: list[bytes | Reply] = []
        for item in self.codec.feed(where, data):
            if isinstance(item, Reply):
                opcode, future = self._waiting.get(item.request_id, (None, None))
                if future is not None and opcode == item.opcode:
                    if not future.done():
                        future.set_result(item)
                    continue
            left.append(item)
        return left

    async def ask(self, opcode: int, payload: bytes = b"", *, tries: int = TRIES) -> Reply:
        """Send a command, again each second with a new counter; LinkError when nobody answers."""
        request_id = self.codec.next_id()
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = (opcode, future)
        try:
            for _ in range(tries):
                try:
                    async with asyncio.timeout(REPLY_S):
                        async with self._writing:
                            await self._write(self.codec.pack(request_id, opcode, payload))
                        return await asyncio.shield(future)  # for the next try
                except TimeoutError:
                    continue
        finally:
            self._waiting.pop(request_id, None)
        raise LinkError(Trouble.LOST, f"the board did not answer {tries} times in {tries * REPLY_S:g} s")

    # ---- the proof ----

    async def open(self, info: bytes) -> Hello:
        """Prove the key both ways; `info` is what INFO said, or empty to ask. LinkError says who refuses."""
        if not info:
            info = (await self.ask(wire.OP_HELLO)).body
        hello = read_hello(info)
        if hello.state == wire.STATE_NEEDS_SETUP:
            if not self._is_cable:
                raise LinkError(Trouble.STRANGER, "a board without a key: plug it in and run tiltwise setup")
            self.codec.is_free = True
            return hello
        try:
            await self._prove(wishes=0)
        except BusyError as error:
            if not self._may_take_over(error.open_s):
                raise
            await self._prove(wire.WISH_TAKE_OVER)
        return hello

    async def _prove(self, wishes: int) -> None:
        """Exchange proofs; they cover what is wished and granted, so nobody between can take the encryption out."""
        wishes |= 0 if self._aes is None else wire.WISH_ENCRYPTION
        nonce = secrets.token_bytes(NONCE_SIZE)
        reply = await self.ask(wire.OP_AUTH1, struct.pack(wire.AUTH1_BODY, nonce, wishes))
        if reply.status != wire.STATUS_OK:
            raise _refusal(reply, "the board refuses to be asked for its proof")
        known, handshake, proof = self._recognise(nonce, wishes, reply.body)
        reply = await self.ask(wire.OP_AUTH2, proof)
        if reply.status != wire.STATUS_OK:
            raise _refusal(reply, f"{known.name} refuses our proof", known.name)
        aes = self._aes if handshake.granted & wire.FEATURE_ENCRYPTION else None
        self.codec.channel = Channel(handshake.shared, is_host=True, aes=aes)
        self.known = known

    def _recognise(self, nonce: bytes, wishes: int, body: bytes) -> tuple[KeyedBoard, HostHandshake, bytes]:
        """Find the key that the board proved to hold: one answer is enough to try them all."""
        for known in self._keys:
            handshake = HostHandshake(known.key, known.device_id, nonce, wishes)
            try:
                return known, handshake, handshake.prove(body)
            except AuthError:
                continue
        names = ", ".join(known.name for known in self._keys) or "none"
        raise LinkError(
            Trouble.STRANGER,
            f"a board near does not prove any key that was looked for ({names}): not yours, or set up anew by "
            "another computer; plug your board in and run tiltwise setup",
        )

    # ---- the session ----

    async def identity(self) -> Reply:
        """Return the answer to HELLO, which in a session and over the cable ends with the device id."""
        return await self.ask(wire.OP_HELLO)

    async def ping(self, *, tries: int = TRIES) -> Reply:
        """Ask for the board's time; the answer begins with ours, so that who reads it needs nothing else."""
        now_s = asyncio.get_running_loop().time if self._now_s is None else self._now_s
        return await self.ask(wire.OP_PING, pack_time(now_s()), tries=tries)

    async def start(self, frame_type: int, samples: int) -> None:
        """Begin the live stream; LinkError when the board will not."""
        reply = await self.ask(wire.OP_START, bytes((frame_type, samples)))
        if reply.status != wire.STATUS_OK:
            raise _refusal(reply, "the board does not start to stream")


def _stuffed(data: bytes | bytearray) -> bytes:
    out = bytearray(cobs.stuffed_size(len(data)))
    return bytes(out[: cobs.stuff_into(data, len(data), out)])


def pack_time(now_s: float) -> bytes:
    """Return the 8 bytes that PING carries and gets back: the host's time."""
    return struct.pack(_TIME, round(now_s * 1e6))


def read_ping(body: bytes) -> tuple[float, int, int] | None:
    """Return (when it was sent in s of the host, ticks when it came to the board, and when it left) or None.

    None: a board without a clock to tell still answers.
    """
    if len(body) != struct.calcsize(_TIME) + 8:
        return None
    sent_us, came, left = struct.unpack(_TIME + "II", body)
    return sent_us / 1e6, came, left


def _refusal(reply: Reply, line: str, name: str = "the board") -> LinkError:
    """Turn a status into an error of its class."""
    if reply.status == wire.STATUS_BUSY and len(reply.body) >= 4:
        open_s, heard_s = struct.unpack_from("<HH", reply.body)
        return BusyError(
            f"another program or computer holds {name}: since {_ago(open_s)}, last heard {_ago(heard_s)} ago; "
            "close it there, or use --takeover",
            open_s,
            heard_s,
        )
    if reply.status == wire.STATUS_LOCKED:
        return LinkError(Trouble.LOST, f"{line}: it wants the key first")
    wait = f", wait {reply.body[0]} s" if reply.status == wire.STATUS_FAILED and reply.body else ""
    return LinkError(Trouble.LOST, f"{line} (status {reply.status}{wait})")


def _ago(seconds: int) -> str:
    return (
        f"{seconds} s"
        if seconds < 120
        else f"{seconds // 60} min"
        if seconds < 7200
        else f"{seconds // 3600} h"
    )
