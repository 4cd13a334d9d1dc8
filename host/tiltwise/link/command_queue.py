"""Commands that wait for the board: newer ones replace older ones, and MOTOR is sent at once or never.

Between them goes a PING after some frames: the board sends few without a word from us.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from tiltwise.common import wire
from tiltwise.link.board_connection import BoardConnection
from tiltwise.link.commands import Reply
from tiltwise.link.transport import LinkError

HEARD_FRAMES = 4  # half of what the board sends without a word (firmware/comms/link_ble.py)
_ANSWERED = (wire.OP_GET, wire.OP_GETCFG, wire.OP_SETCFG, wire.OP_SILENCE, wire.OP_TARE, wire.OP_REBOOT)
MOTOR_S = 0.5  # a late tick would be misleading, so drop it
_TOO_LATE = Reply(wire.LEAST_REQUEST_ID, wire.OP_MOTOR, wire.STATUS_FAILED, b"")  # in the board's place


class CommandQueue:
    """The commands of one supervisor.

    Parameters
    ----------
    clock
        Seconds.
    on_reply
        Gets the replies that somebody waits for: to those in _ANSWERED and to MOTOR.
    """

    def __init__(self, clock: Callable[[], float], on_reply: Callable[[Reply], None]) -> None:
        self._clock, self._on_reply = clock, on_reply
        self._waiting: deque[tuple[int, bytes, float]] = deque()  # opcode, payload, when it was handed over
        self._has_commands = asyncio.Event()
        self._frames = 0  # since the last command

    def put(self, opcode: int, payload: bytes, *, can_play: bool) -> None:
        """Add a command; a newer ACK of its boot, or GET, replaces a waiting one.

        A MOTOR command that cannot be played now is answered with STATUS_FAILED.
        """
        if opcode == wire.OP_MOTOR and not can_play:
            self._on_reply(_TOO_LATE)
            return
        if opcode in (wire.OP_ACK, wire.OP_GET):
            boot = payload[:2] if opcode == wire.OP_ACK else b""
            self._waiting = deque(c for c in self._waiting if c[0] != opcode or not c[1].startswith(boot))
        if opcode == wire.OP_MOTOR:  # what is felt goes before what is stored
            self._waiting.appendleft((opcode, payload, self._clock()))
        else:
            self._waiting.append((opcode, payload, self._clock()))
        self._has_commands.set()

    def clear(self) -> None:
        """Drop what waits: it was meant for an earlier connection."""
        for opcode, _, _ in self._waiting:
            if opcode == wire.OP_MOTOR:
                self._on_reply(_TOO_LATE)
        self._waiting.clear()
        self._has_commands.clear()

    def note_frame(self) -> None:
        """Note that a frame came."""
        self._frames += 1
        if self._frames == HEARD_FRAMES:
            self._has_commands.set()

    async def send_all(self, peer: BoardConnection) -> None:
        """Send what comes, for ever; LinkError when the board does not answer."""
        while True:
            while self._waiting:
                opcode, payload, handed_s = self._waiting.popleft()
                self._frames = 0
                if opcode == wire.OP_MOTOR:
                    self._on_reply(await self._play(peer, payload, handed_s))
                    continue
                reply = await peer.ask(opcode, payload)
                if opcode in _ANSWERED:
                    self._on_reply(reply)
            if self._frames >= HEARD_FRAMES:
                self._frames = 0
                await peer.ping()  # its answer would be one of many: nobody is told
                continue
            self._has_commands.clear()
            await self._has_commands.wait()

    async def _play(self, peer: BoardConnection, payload: bytes, handed_s: float) -> Reply:
        """Ask for a pattern of the motor once: asked again, it might be played twice."""
        if self._clock() - handed_s > MOTOR_S:
            return _TOO_LATE
        try:
            return await peer.ask(wire.OP_MOTOR, payload, tries=1)
        except LinkError:  # a dead link is noticed by whoever needs it
            return _TOO_LATE
        except asyncio.CancelledError:  # the link ended meanwhile
            self._on_reply(_TOO_LATE)
            raise
