"""Talks with the firmware over its USB cable: who it is, the key, its settings, and whether it streams.

Bytes of a serial port become packets (common/cobs.py), packets become replies and frames; frames go to the
decoder. Request ids are 32 and more, because a packet that begins with 0x10 to 0x1F is a frame.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tiltwise.common import cobs, wire
from tiltwise.common.auth import AuthError, HostHandshake
from tiltwise.common.channel import Channel
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import Info
from tiltwise.setup.setup_errors import SetupError
from tiltwise.text import printable
from tiltwise.types import OrientationBlock

TRIES = 3  # as the protocol says: three times, a second apart
REPLY_S = 1.0
BOOT_S = (
    20.0  # from the restart to the first answer: USB comes back, MicroPython starts, sensors are looked for
)
STREAM_S = 3.0
# A quiet sensor must bring at least half of what is nominal in STREAM_S, or something is badly wrong.
LEAST_SHARE = 0.5
_FIRST_ID, _IDS = 32, 224
_CTRL_C = 3
_FRAME_STARTS = range(0x10, 0x20)


class BytePort(Protocol):
    """An open serial port."""

    def read(self, timeout_s: float) -> bytes:
        """Return what came, at most timeout_s later."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Close it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What the firmware says about itself to whoever holds the cable."""

    state: int
    firmware: tuple[int, int, int]
    imus: int
    model: str
    device_id: bytes


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """What came in a few seconds. Rate by the board's own clock; gravity is the median of |acc|."""

    samples: int
    rate_hz: float
    gravity_m_s2: float
    lost_frames: int
    info: Info


class Cable:
    """One firmware at the end of an open port."""

    def __init__(self, port: BytePort, now: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._now = now
        self._unstuffer = cobs.Unstuffer(1 << 14, 512)
        self._request = secrets.randbelow(_IDS)
        self._counter = 0
        self._channel: Channel | None = None
        self._frames: list[bytes] = []

    def hello(self, wait_s: float = BOOT_S) -> Hello:
        """Ask who is there until it answers; SetupError when nobody does."""
        end_s = self._now() + wait_s
        while self._now() < end_s:
            reply = self._once(wire.OP_HELLO, b"")
            if reply is not None:
                return _read_hello(reply)
        raise SetupError(
            "the firmware does not answer after the restart: unplug the board, plug it in, then run the same command "
            "again; if that does not help, `mpremote` and Ctrl-D show what it prints at the start"
        )

    def prove(self, key: bytes, device_id: bytes) -> bool:
        """Open a session with a key; False when the board has another one or none."""
        handshake = HostHandshake(key, device_id, secrets.token_bytes(16), wire.WISH_TAKE_OVER)
        reply = self._command(wire.OP_AUTH1, handshake.request())
        if reply[0] != wire.STATUS_OK:
            return False
        try:
            proof = handshake.prove(reply[1:])
        except AuthError:
            return False
        reply = self._command(wire.OP_AUTH2, proof)
        if reply[0] != wire.STATUS_OK:
            return False
        self._channel = Channel(handshake.shared, is_host=True)
        return True

    def provision(self, key: bytes) -> None:
        """Give the board a key; whoever had one before is locked out."""
        self._channel = None
        self._expect_ok(wire.OP_PROVISION, key, "set the key")

    def configure(self, index: int, value: int | str) -> None:
        """Set the setting of this number, and read it back."""
        self._expect_ok(wire.OP_SETCFG, bytes([index]) + wire.pack_value(value), "keep a setting")
        kept = wire.unpack_value(self._expect_ok(wire.OP_GETCFG, bytes([index]), "tell a setting"))
        if kept != value:
            raise SetupError(f"the board kept {kept!r} instead of {value!r}: run the same command again")

    def check_stream(self, seconds: float = STREAM_S) -> StreamCheck:
        """Stream for a few seconds and judge what comes; SetupError says what is missing."""
        self._frames.clear()
        self._expect_ok(wire.OP_START, bytes([wire.ORIENT, 10]), "start streaming")
        end_s = self._now() + seconds
        while self._now() < end_s:
            self._take(min(0.2, max(end_s - self._now(), 0.01)))
        frames = list(self._frames)
        self._expect_ok(wire.OP_STOP, b"", "stop streaming")
        return judge([frame for frame in map(self._open_frame, frames) if frame is not None], seconds)

    # ---- packets ----

    def _open_frame(self, frame: bytes) -> bytes | None:
        """Return a frame with its tag checked, None for one that is damaged or not the board's."""
        if self._channel is None:
            return frame
        try:
            return bytes(self._channel.open_frame(frame))
        except wire.WireError:
            return None

    def _expect_ok(self, opcode: int, payload: bytes, what: str) -> bytes:
        reply = self._command(opcode, payload)
        if reply[0] == wire.STATUS_OK:
            return reply[1:]
        reasons = {
            wire.STATUS_UNSUPPORTED: "it says that it cannot",
            wire.STATUS_BAD_ARGUMENT: "it does not accept the value",
            wire.STATUS_LOCKED: "it wants the key first",
            wire.STATUS_BUSY: "another computer is connected",
            wire.STATUS_FAILED: "it failed: its flash may be full",
        }
        reason = reasons.get(reply[0], f"status {reply[0]}")
        raise SetupError(
            f"the board did not {what}: {reason}; unplug it, plug it in, run the same command again"
        )

    def _command(self, opcode: int, payload: bytes) -> bytes:
        """Send a command up to three times and return its answer, status first."""
        for _ in range(TRIES):
            reply = self._once(opcode, payload)
            if reply:
                return reply
        raise SetupError(
            "the board stopped answering: unplug it, plug it in, then run the same command again"
        )

    def _once(self, opcode: int, payload: bytes) -> bytes | None:
        request, data = self._pack(opcode, payload)
        self._port.write(_stuff(data))
        end_s = self._now() + REPLY_S
        while self._now() < end_s:
            for packet in self._take(0.1):
                answer = self._read_reply(packet, request, opcode)
                if answer is not None:
                    return answer
        return None

    def _pack(self, opcode: int, payload: bytes) -> tuple[int, bytes]:
        """Return the next request id and the command; until the firmware hears a host, a byte 3 is Ctrl-C to it."""
        while True:
            self._request = (self._request + 1) % _IDS
            request = _FIRST_ID + self._request
            if self._channel is not None:
                return request, bytes(self._channel.pack(request, opcode, payload))
            self._counter += 1
            data = bytes(wire.pack_command(request, opcode, self._counter, payload))
            if opcode != wire.OP_HELLO or _CTRL_C not in _stuff(data):
                return request, data

    def _read_reply(self, packet: bytes, request: int, opcode: int) -> bytes | None:
        try:
            if self._channel is None:
                number, code, _, answer = wire.open_command(packet)
            else:
                number, code, answer = self._channel.open(packet)
        except wire.WireError:
            return None  # printed text, or an answer to somebody before us
        return bytes(answer) if (number, code) == (request, opcode | wire.REPLY) and answer else None

    def _take(self, timeout_s: float) -> list[bytes]:
        """Read once; keep frames, return the other packets."""
        self._unstuffer.put(self._port.read(timeout_s))
        others = []
        while (packet := self._unstuffer.take()) is not None:
            if packet[0] in _FRAME_STARTS:
                self._frames.append(packet)
            else:
                others.append(packet)
        return others


def judge(frames: list[bytes], seconds: float) -> StreamCheck:
    """Decode frames of a few seconds; SetupError when they are not what a working sensor sends."""
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


def _read_hello(reply: bytes) -> Hello:
    size = struct.calcsize(wire.HELLO_BODY)
    if reply[0] != wire.STATUS_OK or len(reply) != 1 + size + 8:
        raise SetupError(
            f"answer of {len(reply)} bytes to HELLO, expected {9 + size}: update tiltwise, run setup again"
        )
    values = struct.unpack_from(wire.HELLO_BODY, reply, 1)
    if values[0] != wire.VERSION:
        raise SetupError(
            f"protocol {values[0]} on the board, {wire.VERSION} here: update tiltwise, run setup again"
        )
    model = printable(bytes(values[12]).rstrip(b"\0").decode("ascii", errors="replace"))
    return Hello(values[3], (values[5], values[6], values[7]), values[8], model, reply[1 + size :])


def _stuff(data: bytes) -> bytes:
    target = bytearray(cobs.stuffed_size(len(data)))
    return bytes(target[: cobs.stuff_into(data, len(data), target)])
