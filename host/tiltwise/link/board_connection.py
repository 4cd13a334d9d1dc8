"""One connection to a board: prove the key both ways, then ask commands and await their replies.

Nothing that needs the key leaves before the board has proved that it holds it, and no frame passes before both have.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from tiltwise.common import wire
from tiltwise.common.auth import NONCE_SIZE, AuthError, HostHandshake
from tiltwise.common.channel import Channel
from tiltwise.common.frame import Frame
from tiltwise.link.board_identity import Hello, KeyedBoard, read_hello
from tiltwise.link.commands import Reply
from tiltwise.link.packet_codec import Codec
from tiltwise.link.transport import BusyError, LinkError, Trouble

TRIES = 3
REPLY_S = 1.0
PINGS = 8  # at connect; the fastest of them tells how late the frames are
_TIME = "<q"  # us of the clock of received_s


@dataclass(slots=True)
class _Question:
    """A command that waits for its reply; each try has a counter of its own, 0 outside a session."""

    opcode: int
    reply: asyncio.Future[Reply]
    counters: list[int] = field(default_factory=list)

    def is_answered_by(self, reply: Reply) -> bool:
        return reply.opcode == self.opcode and reply.about in self.counters


class BoardConnection:
    """Speaks with the board at the other end of a connection.

    Parameters
    ----------
    write
        Sends bytes; may hang, so it is cut off when the reply would be late.
    keys
        The boards that may be at the other end.
    is_cable
        What kind of link it is.
    may_take_over
        Asked with the age in s of the session that holds the board: whether to end it.
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
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self._write, self._keys, self._is_cable = write, keys, is_cable
        self._now_s = now_s
        self._may_take_over = may_take_over
        self.codec = Codec()
        self.known: KeyedBoard | None = None  # who it is, once proved
        self._waiting: dict[int, _Question] = {}
        # BlueZ refuses a write while another is under way, and bleak tries it again later: two at once would change
        # places, and the board takes the one that comes late for replayed.
        self._writing = asyncio.Lock()

    def feed(self, where: str, data: bytes) -> list[Frame | Reply]:
        """Take what came; return frames and the replies that no `ask` waits for."""
        left: list[Frame | Reply] = []
        for item in self.codec.feed(where, data):
            if isinstance(item, Reply):
                question = self._waiting.get(item.request_id)
                if question is not None and question.is_answered_by(item):
                    if not question.reply.done():
                        question.reply.set_result(item)
                    continue
            left.append(item)
        return left

    async def ask(self, opcode: int, payload: bytes = b"", *, tries: int = TRIES) -> Reply:
        """Send a command, again each second with a new counter; LinkError when nobody answers."""
        request_id = self.codec.next_id()
        question = self._waiting[request_id] = _Question(opcode, asyncio.get_running_loop().create_future())
        try:
            for _ in range(tries):
                try:
                    async with asyncio.timeout(REPLY_S):
                        async with self._writing:
                            packet = self.codec.pack(request_id, opcode, payload)
                            question.counters.append(self.codec.sealed)
                            await self._write(packet)
                        return await asyncio.shield(question.reply)  # for the next try
                except TimeoutError:
                    continue
        finally:
            self._waiting.pop(request_id, None)
        raise LinkError(Trouble.LOST, f"the board did not answer {tries} times in {tries * REPLY_S:g} s")

    # ---- the proof ----

    async def open(self, info: bytes) -> Hello:
        """Prove the key both ways; `info` is what INFO said, short or empty to ask. LinkError says who refuses."""
        if not info:
            info = (await self.ask(wire.OP_HELLO)).body
        hello = read_hello(info, (wire.PROTOCOL,))
        if hello.state == wire.STATE_NEEDS_SETUP:
            if not self._is_cable:
                raise LinkError(
                    Trouble.UNKNOWN_BOARD, "a board without a key: plug it in and run tiltwise setup"
                )
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
        """Exchange proofs; they cover what is wished, and everything that follows is encrypted."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        reply = await self.ask(wire.OP_AUTH1, struct.pack(wire.AUTH1_BODY, nonce, wishes))
        if not reply.is_ok:
            raise _refusal(reply, "the board refuses to be asked for its proof")
        known, handshake, proof = self._recognise(nonce, wishes, reply.body)
        reply = await self.ask(wire.OP_AUTH2, proof)
        if not reply.is_ok:
            raise _refusal(reply, f"{known.name} refuses our proof", known.name)
        self.codec.channel = Channel(handshake.shared, is_host=True)
        self.known = replace(known, key=handshake.key)

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
            Trouble.UNKNOWN_BOARD,
            f"a board near does not prove any key that was looked for ({names}): not yours, or set up anew by "
            "another computer; plug your board in and run tiltwise setup",
        )

    # ---- the session ----

    async def identity(self) -> Reply:
        """Return the answer to HELLO, which in a session and over the cable ends with the device id."""
        return await self.ask(wire.OP_HELLO)

    async def tell_mtu(self, hello: Hello, mtu: int) -> None:
        """Tell the size of packets to a board whose radio does not learn it; one that refuses sends small ones."""
        if mtu and hello.features & wire.FEATURE_ASKS_MTU:
            await self.ask(wire.OP_MTU, struct.pack("<H", mtu))

    async def ping(self, *, tries: int = TRIES) -> Reply:
        """Ask for the board's time; the answer begins with ours, so that who reads it needs nothing else."""
        now_s = asyncio.get_running_loop().time if self._now_s is None else self._now_s
        return await self.ask(wire.OP_PING, pack_time(now_s()), tries=tries)

    async def start(self, frame_type: int, samples: int) -> None:
        """Begin the live stream; LinkError when the board will not."""
        reply = await self.ask(wire.OP_START, bytes((frame_type, samples)))
        if not reply.is_ok:
            raise _refusal(reply, "the board does not start to stream")


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


class LinkLiveness:
    """When one connection last brought something, and how many PINGs for its clock are still due."""

    def __init__(self, now_s: float) -> None:
        self.frame_s = self.live_s = self.answered_s = now_s
        self.pings_due = PINGS
