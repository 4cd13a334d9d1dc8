"""A computer with Bluetooth, as a bumble device: connects to a board over real ATT, proves the key, takes frames.

It is the smallest host that does what the protocol asks for; the host that people run is link/ble.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from bumble.core import UUID, BaseBumbleError
from bumble.device import Connection, ConnectionParametersPreferences, Device, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.hci import Address, Phy

from tiltwise.common import auth, cobs, fragments, wire
from tiltwise.common.channel import Channel
from tiltwise_lab.radio.virtual_radio import RadioLink, make_device

ADDRESS = "F0:F1:F2:F3:F4:F5"
REPLY_S = 5.0
CONNECT_S = 10.0
_ROOM = 1024
_HEARD_FRAMES = 4  # then a command: the board sends eight frames without one


class RefusedError(RuntimeError):
    """The board answered a command with a status other than OK."""


@dataclass(slots=True)
class Received:
    """What came over the air so far."""

    frames: list[bytes] = field(default_factory=list)
    damaged: int = 0  # frames whose tag is wrong
    notifications: int = 0


class RadioHost:
    """The central; one connection at a time.

    Parameters
    ----------
    link : the air
    key : 32 bytes; None: only HELLO and what needs no proof
    device_id : of the board
    address : of this computer
    on_frame : told of each opened frame
    """

    def __init__(
        self,
        link: RadioLink,
        key: bytes | None = None,
        device_id: bytes = bytes(8),
        address: str = ADDRESS,
        on_frame: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self.device: Device
        self.device, self._controller = make_device("computer", link, address)
        self._key = key
        self._device_id = device_id
        self._on_frame = on_frame
        self._rng = random.Random(5)
        self._ids = itertools.cycle(range(1, 256))
        self.received = Received()
        self.connection: Connection | None = None
        self.gone = asyncio.Event()
        self.joiner = fragments.Joiner()
        self._reset()

    def _reset(self) -> None:
        self.channel: Channel | None = None
        self._inbox = cobs.Unstuffer(_ROOM, cobs.stuffed_size(wire.MAX_COMMAND))
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._counter = 0
        self._acked: tuple[int, int] | None = None
        self._unanswered = 0  # frames since the last command
        self._writing = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None

    async def power_on(self) -> None:
        """Switch the radio on."""
        await self.device.power_on()

    def close(self) -> None:
        """End what still runs."""
        self._controller.close()

    # ---- connection ----

    async def connect(
        self, board_address: str, *, interval_ms: float = 30.0, mtu: int = 247, timeout_ms: int = 2000
    ) -> Peer:
        """Connect, agree on the packet size, find the services, listen to replies and frames."""
        wish = ConnectionParametersPreferences(
            connection_interval_min=interval_ms,
            connection_interval_max=interval_ms,
            supervision_timeout=timeout_ms,
        )
        connection = await self.device.connect(
            Address(board_address),
            connection_parameters_preferences={Phy.LE_1M: wish},
            timeout=CONNECT_S,
        )
        self._reset()
        self.gone.clear()
        self.connection = connection
        connection.on("disconnection", self._on_gone)
        peer = Peer(connection)
        if mtu > 23:
            await asyncio.wait_for(peer.request_mtu(mtu), REPLY_S)
        await asyncio.wait_for(peer.discover_services(), CONNECT_S)
        await asyncio.wait_for(peer.discover_characteristics(), CONNECT_S)
        self.info = _find(peer, wire.UUID_INFO)
        self.ctrl = _find(peer, wire.UUID_CTRL)
        self.data = _find(peer, wire.UUID_DATA)
        await asyncio.wait_for(peer.subscribe(self.ctrl, self._on_ctrl), REPLY_S)
        await asyncio.wait_for(peer.subscribe(self.data, self._on_data), REPLY_S)
        return peer

    def _on_gone(self, _reason: int) -> None:
        self.connection = None
        self.gone.set()

    async def disconnect(self) -> None:
        """Leave."""
        if self.connection is not None:
            await self.connection.disconnect()

    # ---- commands ----

    async def command(self, opcode: int, payload: bytes = b"") -> bytes:
        """Send a command and return the answer without its status; raise RefusedError, TimeoutError."""
        request_id = next(self._ids)
        if self.channel is None:
            self._counter += 1
            data = wire.pack_command(request_id, opcode, self._counter, payload)
        else:
            data = self.channel.pack(request_id, opcode, payload)
        future = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        self._unanswered = 0
        async with self._writing:
            await self.write(data)
        answer: bytes = await asyncio.wait_for(future, REPLY_S)
        if answer[0] != wire.STATUS_OK:
            raise RefusedError(f"command {opcode}: status {answer[0]}")
        return answer[1:]

    async def write(self, data: bytes) -> None:
        """Write a packet to CTRL, in pieces that fit."""
        assert self.connection is not None
        stuffed = bytearray(cobs.stuffed_size(len(data)))
        size = cobs.stuff_into(data, len(data), stuffed)
        step = self.connection.att_mtu - 3
        for start in range(0, size, step):
            piece = bytes(stuffed[start : min(start + step, size)])
            await asyncio.wait_for(self.ctrl.write_value(piece, with_response=True), REPLY_S)

    async def prove(self, wishes: int = 0) -> None:
        """Prove the key both ways; afterwards all commands and frames carry tags."""
        assert self._key is not None
        nonce = bytes(self._rng.randrange(256) for _ in range(auth.NONCE_SIZE))
        handshake = auth.HostHandshake(self._key, self._device_id, nonce, wishes)
        proof = handshake.prove(await self.command(wire.OP_AUTH1, handshake.request()))
        await self.command(wire.OP_AUTH2, proof)
        self.channel = Channel(handshake.shared, True)

    async def start(self, frame_type: int = wire.ORIENT, samples: int = 10) -> None:
        """Ask for live frames."""
        await self.command(wire.OP_START, bytes((frame_type, samples)))

    async def acknowledge(self, boot: int, seq: int, credits: int = 64) -> None:
        """Say that all frames up to this one are stored."""
        await self.command(wire.OP_ACK, struct.pack("<HIH", boot, seq, credits))

    async def get(self, boot: int, first: int, last: int) -> None:
        """Ask for frames again; they come as frames."""
        await self.command(wire.OP_GET, struct.pack("<HII", boot, first, last))

    # ---- what comes ----

    def _on_ctrl(self, data: bytes) -> None:
        self._inbox.put(bytes(data))
        packet = self._inbox.take()
        while packet is not None:
            self._on_reply(packet)
            packet = self._inbox.take()

    def _on_reply(self, packet: bytes) -> None:
        try:
            if self.channel is None:
                request_id, _, _, payload = wire.open_command(packet)
            else:
                request_id, _, payload = self.channel.open(packet)
        except wire.WireError:
            self.received.damaged += 1
            return
        future = self._waiting.pop(request_id, None)
        if future is not None and not future.done():
            future.set_result(bytes(payload))

    def _on_data(self, data: bytes) -> None:
        self.received.notifications += 1
        frame = self.joiner.feed(bytes(data))
        if frame is None or self.channel is None:
            return
        try:
            frame = self.channel.open_frame(frame)
        except wire.WireError:
            self.received.damaged += 1
            return
        self.received.frames.append(frame)
        self._on_frame(frame)
        self._unanswered += 1
        if self._unanswered >= _HEARD_FRAMES and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        """Let the board know that its frames arrive; a connection that is gone needs no word."""
        with contextlib.suppress(TimeoutError, AssertionError, RefusedError, BaseBumbleError):
            await self.command(wire.OP_PING, bytes(8))


def _find(peer: Peer, short: int) -> CharacteristicProxy[bytes]:
    found = peer.get_characteristics_by_uuid(_uuid(short))
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} characteristics {short:04x} in the board's table, expected 1")
    return found[0]


def _uuid(short: int) -> UUID:
    return UUID(wire.uuid128(short))
