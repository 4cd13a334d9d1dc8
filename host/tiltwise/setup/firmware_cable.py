"""Asks the firmware over its USB cable what only setup asks: to take a key and settings, and whether it streams.

link/board_connection.py speaks the protocol. The steps of a setup are not coroutines, so each question here runs the
event loop until its answer is there; between questions nothing is sent.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tiltwise.common import values, wire
from tiltwise.common.auth import DEVICE_ID_SIZE
from tiltwise.common.frame import Frame, read_frame
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import Info
from tiltwise.link.board_connection import REPLY_S, BoardConnection
from tiltwise.link.board_identity import Hello, KeyedBoard, read_hello
from tiltwise.link.key_care import encoded
from tiltwise.link.serial import SerialConnector
from tiltwise.link.transport import Connection, LinkError, Trouble
from tiltwise.setup.setup_errors import AGAIN, LockedError, SetupError, lost
from tiltwise.text import printable
from tiltwise.types import OrientationBlock

# From the restart to the first answer: USB comes back, MicroPython starts, sensors are looked for.
BOOT_S = 20.0
STREAM_S = 3.0
# A quiet sensor must bring at least half of what is nominal in STREAM_S, or something is badly wrong.
LEAST_SHARE = 0.5
_SAMPLES = 10  # in a frame
_LOOK_S = 0.01
_LATE_S = 0.5  # by our clock, before a board without samples is given up
_CREDITS = 64
_REFUSALS = {
    wire.STATUS_UNSUPPORTED: "it says that it cannot",
    wire.STATUS_BAD_ARGUMENT: "it does not accept the value",
    wire.STATUS_LOCKED: "it wants the key first",
    wire.STATUS_BUSY: "another computer is connected",
    wire.STATUS_FAILED: "it failed: its flash may be full",
}

Connect = Callable[[str], Awaitable[Connection]]
Answer = TypeVar("Answer")


async def open_serial(port: str) -> Connection:
    """Open a serial port; LinkError when the system does not let us."""
    return await SerialConnector(port).connect(port)


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """What came in a few seconds. Rate by the board's own clock; gravity is the median of |acc|."""

    samples: int
    rate_hz: float
    gravity_m_s2: float
    lost_frames: int
    info: Info


class FirmwareCable:
    """The firmware on a serial port. What goes wrong after the port is open is a SetupError.

    Parameters
    ----------
    port
        Path of the serial port.
    connect
        Opens it; LinkError when the system does not let us.
    event_loop
        Makes the event loop; None: asyncio's own.
    now_s
        The clock of a simulated board, which is faster than the event loop's; None: the event loop's.
    """

    def __init__(
        self,
        port: str,
        connect: Connect,
        event_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self._port, self._now_s = port, now_s
        self._frames: list[bytes] = []
        self._runner = asyncio.Runner(loop_factory=event_loop)
        try:
            self._runner.run(self._open(connect))
        except BaseException:
            self._runner.close()
            raise

    def close(self) -> None:
        """Let others open the port."""
        try:
            self._runner.run(self._connection.close())
        finally:
            self._runner.close()

    def hello(self, most_s: float = BOOT_S) -> Hello:
        """Ask who is there until it answers, for so long at most."""
        return self._run(self._hello(most_s))

    def prove(self, board: KeyedBoard) -> bool:
        """Open a session with a board's key, in place of another computer's; False: it has another key or none."""
        return self._run(self._prove(board))

    def provision(self, key: bytes, host: str = "") -> None:
        """Give the board the key of this computer, in place of the session's, or of all where it was not proved.

        LockedError: it wants its button held.
        """
        reply = self._run(self._board.ask(wire.OP_PROVISION, key + encoded(host)))
        if reply.status == wire.STATUS_LOCKED:
            raise LockedError(
                "the board has the key of another computer: let that one invite this one (tiltwise keys invite), or "
                "hold its button and run the same command again; what it has recorded for the other one is wiped then"
            )
        if reply.status != wire.STATUS_OK:
            raise self._refusal(reply.status, "set the key")

    def configure(self, index: int, value: int | str) -> None:
        """Set the setting of this number, and read it back."""
        self._expect_ok(wire.OP_SETCFG, bytes([index]) + values.pack_value(value), "keep a setting")
        kept = values.unpack_value(self._expect_ok(wire.OP_GETCFG, bytes([index]), "tell a setting"))
        if kept != value:
            raise SetupError(f"the board kept {kept!r} instead of {value!r}: run the same command again")

    def setting(self, index: int) -> int | str:
        """Return the setting of this number."""
        return values.unpack_value(self._expect_ok(wire.OP_GETCFG, bytes([index]), "tell a setting"))

    def check_stream(self, seconds: float = STREAM_S) -> StreamCheck:
        """Stream for a few seconds and judge what comes; SetupError says what is missing."""
        self._frames.clear()
        self._run(self._board.start(wire.ORIENT, _SAMPLES))
        self._run(asyncio.sleep(seconds))
        frames = self._frames.copy()
        self._expect_ok(wire.OP_STOP, b"", "stop streaming")
        return judge(frames, seconds)

    # ---- for the self-test ----

    def self_test(self, part: int) -> tuple[int, bytes]:
        """Return status and answer of SELFTEST."""
        reply = self._run(self._board.ask(wire.OP_SELFTEST, bytes([part])))
        return reply.status, reply.body

    def start(self, frame_type: int) -> None:
        """Let it stream until `stop`."""
        self._frames.clear()
        self._run(self._board.start(frame_type, _SAMPLES))

    def stop(self) -> None:
        """End the stream."""
        self._expect_ok(wire.OP_STOP, b"", "stop streaming")

    def buzz(self) -> bool:
        """Ask for an alert of the motor at full strength; False when there is none, or it may not now."""
        reply = self._run(self._board.ask(wire.OP_MOTOR, bytes((wire.MOTOR_ALERT, 5))))
        return reply.status == wire.STATUS_OK

    def listen(self, seconds: float) -> list[bytes]:
        """Return the frames of the next seconds of the board's time, acknowledged; fewer when it says no time."""
        return self._run(self._listen_for(seconds))

    def wait(self, seconds: float) -> None:
        """Let seconds of the board's time pass."""
        self.listen(seconds)

    async def _listen_for(self, seconds: float) -> list[bytes]:
        """Listen until frames cover the seconds by the board's clock; one that sends none gets as long by ours."""
        now_s = asyncio.get_running_loop().time if self._now_s is None else self._now_s
        began_s = now_s()
        first_s: float | None = None
        at = 0
        while now_s() - began_s < seconds + _LATE_S:
            await asyncio.sleep(_LOOK_S if self._now_s is None else 0)
            for data in self._frames[at:]:
                device_s = read_frame(data).device_s
                first_s = device_s if first_s is None else first_s
                if device_s - first_s >= seconds:
                    return await self._taken()
            at = len(self._frames)
        return await self._taken()

    async def _taken(self) -> list[bytes]:
        """Take the frames, and acknowledge them, or the board would stop after its credits."""
        frames, self._frames = self._frames, []
        if frames:
            newest = read_frame(frames[-1])
            await self._board.ask(wire.OP_ACK, struct.pack("<HIH", newest.boot, newest.seq, _CREDITS))
        return frames

    # ---- in the event loop ----

    async def _open(self, connect: Connect) -> None:
        self._connection = await connect(self._port)
        self._board = self._protocol(())
        stream = await self._connection.notifications()
        self._listening = asyncio.get_running_loop().create_task(self._listen(stream))

    def _protocol(self, keys: Sequence[KeyedBoard]) -> BoardConnection:
        return BoardConnection(
            self._connection.write_ctrl, keys, is_cable=True, may_take_over=lambda _open_s: True
        )

    async def _listen(self, stream: AsyncIterator[tuple[str, bytes]]) -> None:
        async for where, data in stream:
            self._frames += [item.data for item in self._board.feed(where, data) if isinstance(item, Frame)]

    async def _hello(self, most_s: float) -> Hello:
        try:
            reply = await self._board.ask(wire.OP_HELLO, tries=round(most_s / REPLY_S))
        except LinkError as error:
            if _is_unplugged(error):
                raise
            raise SetupError(
                "the firmware does not answer after the restart: unplug the board, plug it in, then run the same "
                "command again; if that does not help, `mpremote` and Ctrl-D show what it prints at the start"
            ) from error
        hello = read_hello(reply.body, (wire.PROTOCOL,))
        if len(hello.device_id) != DEVICE_ID_SIZE:
            raise SetupError(
                f"device id of {len(hello.device_id)} bytes, expected {DEVICE_ID_SIZE}: update tiltwise, {AGAIN}"
            )
        return hello

    async def _prove(self, board: KeyedBoard) -> bool:
        self._board = self._protocol([board])
        try:
            await self._board.open(b"")
        except LinkError as error:
            if error.trouble is not Trouble.UNKNOWN_BOARD:
                raise
        return self._board.known is not None

    def _expect_ok(self, opcode: int, payload: bytes, what: str) -> bytes:
        """Return the answer to a command; SetupError says that the board did not `what`, and why."""
        reply = self._run(self._board.ask(opcode, payload))
        if reply.status == wire.STATUS_OK:
            return reply.body
        raise self._refusal(reply.status, what)

    def _refusal(self, status: int, what: str) -> SetupError:
        reason = _REFUSALS.get(status, f"status {status}")
        return SetupError(f"the board did not {what}: {reason}; unplug it, plug it in, {AGAIN}")

    def _run(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            return self._runner.run(self._unless_unplugged(question))
        except LinkError as error:
            if _is_unplugged(error):
                raise lost(self._port, "talking to the firmware") from error
            raise SetupError(f"{self._port}: {error}; unplug the board, plug it in, {AGAIN}") from error

    async def _unless_unplugged(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for an answer, or until nothing can come any more."""
        asking = asyncio.ensure_future(question)
        await asyncio.wait((asking, self._listening), return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        asking.cancel()
        self._listening.result()
        raise lost(self._port, "talking to the firmware")


def _is_unplugged(error: LinkError) -> bool:
    """Tell what the system said about the port from what the board did not say."""
    return isinstance(error.__cause__, OSError)


def described(hello: Hello) -> str:
    """Return who answered, fit for a terminal."""
    version = ".".join(map(str, hello.firmware))
    return f"firmware {version} on {printable(hello.model)}, {hello.imus} IMU"


def judge(frames: list[bytes], seconds: float) -> StreamCheck:
    """Decode the frames of a few seconds; SetupError when they are not what a working sensor sends."""
    decoder = Decoder()
    items = [*decoder.feed_many(frames), *decoder.flush()]
    info = decoder.info
    blocks = [item for item in items if isinstance(item, OrientationBlock) and item.sensor == 0]
    t_s = np.concatenate([block.t_s for block in blocks] or [np.empty(0)])
    # A board whose sensor never answered has no scale to tell, and sends no INFO.
    if info is None or len(t_s) < LEAST_SHARE * seconds * info.orient_rate_hz:
        wanted = "" if info is None else f", expected {seconds * info.orient_rate_hz:.0f}"
        raise SetupError(
            f"{len(t_s)} samples in {seconds:.0f} s{wanted}: the sensor does not answer; check 3V3, GND, SDA and SCL "
            "of the IMU, then run the same command again"
        )
    acc = np.concatenate([block.acc_m_s2 for block in blocks])
    return StreamCheck(
        samples=len(t_s),
        rate_hz=float((len(t_s) - 1) / (t_s[-1] - t_s[0])),
        gravity_m_s2=float(np.median(np.linalg.norm(acc, axis=1))),
        lost_frames=decoder.stats.missing_frames,
        info=info,
    )
