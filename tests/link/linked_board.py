"""A connector to the real sessions, radio and frames of the firmware, in virtual time, and its faults."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

from radio_bench import CTRL, DATA, Board
from tiltwise.common import wire
from tiltwise.link import transport as seam
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.transport import Candidate, LinkError, Trouble
from wire_host import DEVICE, KEY

OURS = KeyedBoard(DEVICE, "back", KEY)
OTHERS = KeyedBoard(b"board-02", "other", bytes(range(2, 34)))
STEP_S = 0.01


class Faults:
    """What goes wrong on the way; all off at first."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.find_error: LinkError | None = None
        self.connect_hangs = False
        self.close_hangs = False
        self.info_hangs = False
        self.subscribe_hangs = False
        self.write_hangs = False
        self.is_silent = False  # connected, and nothing comes
        self.no_callback = False  # the end of a connection is not told
        self.data_lost = False  # DATA is not subscribed any more: CCCD lost
        self.doubled = False
        self.drop = 0.0
        self.reorder = 0  # notifications of DATA that are shuffled among themselves
        self.damage = 0.0


class BoardConnector:
    """Finds and connects to one board made by radio_bench; `others` are boards found before it."""

    def __init__(self, board: Board, faults: Faults, *, mtu: int = 247, others: tuple[Any, ...] = ()) -> None:
        self.board, self.faults, self.mtu, self.others = board, faults, mtu, others
        self.open: list[BoardConnection] = []
        self.made = 0
        self.in_range = True

    async def find(self) -> list[Candidate]:
        await asyncio.sleep(0.1)
        if self.faults.find_error is not None:
            raise self.faults.find_error
        found = [Candidate(f"other-{k}") for k in range(len(self.others))]
        is_there = self.in_range and self.board.air.advertised is not None
        return [*found, *([Candidate("ours")] if is_there else [])]

    async def connect(self, address: str, /) -> Any:
        if address.startswith("other-"):
            return self.others[int(address[6:])]()
        if self.faults.connect_hangs:
            await asyncio.sleep(1e6)
        await asyncio.sleep(0.05)
        if not self.in_range or self.board.air.advertised is None:
            raise LinkError(Trouble.LOST, "not there any more")
        self.made += 1
        connection = BoardConnection(self)
        self.open.append(connection)
        return connection

    def cut(self) -> None:
        """The radio loses the connection, on both sides."""
        for connection in self.open:
            connection.lose()
        self.open.clear()


class BoardConnection:
    """One connection to it."""

    is_cable = False

    def __init__(self, owner: BoardConnector) -> None:
        self._owner, self._faults = owner, owner.faults
        self.mtu = owner.mtu
        self._air = owner.board.air
        self._handle = self._air.come(mtu=owner.mtu)
        self._peer = self._air.peers[self._handle]  # the number is used again as soon as it is free
        self._came: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._held: list[bytes] = []
        self.is_connected = True
        self.written: list[bytes] = []
        self.frames: list[bytes] = []  # what went over DATA, as it was on the air

    async def read_info(self) -> bytes:
        if self._faults.info_hangs:
            await asyncio.sleep(1e6)
        await asyncio.sleep(0.02)
        return self._air.attributes[self._air.handle_of(wire.uuid128(wire.UUID_INFO))].value

    async def write_ctrl(self, data: bytes, /) -> None:
        if self._faults.write_hangs:
            await asyncio.sleep(1e6)
        self.written.append(data)
        await asyncio.sleep(0.015)
        if not self.is_connected or not self._is_there():
            raise LinkError(Trouble.LOST, "not connected")
        if self._faults.is_silent:
            return
        for at in range(0, len(data), self._owner.mtu - 3):
            self._air.write(self._handle, self._air.handle_of(CTRL), data[at : at + self._owner.mtu - 3])

    async def notifications(self) -> AsyncIterator[tuple[str, bytes]]:
        if self._faults.subscribe_hangs:
            await asyncio.sleep(1e6)
        return self._stream()

    async def _stream(self) -> AsyncIterator[tuple[str, bytes]]:
        while (item := await self._came.get()) is not None:
            yield item

    def carry(self) -> None:
        """Bring over what the board notified."""
        if not self.is_connected:
            return
        if not self._is_there():
            self.lose()
            return
        heard, self._peer.heard = self._peer.heard, []
        faults, ctrl, data = self._faults, self._air.handle_of(CTRL), self._air.handle_of(DATA)
        self.frames += [packet for handle, packet in heard if handle == data and wire.is_frame(packet)]
        for handle, packet in heard:
            if faults.is_silent or (
                handle == data and (faults.data_lost or faults.rng.random() < faults.drop)
            ):
                continue
            if handle == data and faults.rng.random() < faults.damage:
                at = faults.rng.randrange(len(packet))
                packet = packet[:at] + bytes([packet[at] ^ 1 << faults.rng.randrange(8)]) + packet[at + 1 :]
            if handle == data and faults.reorder:
                self._held.append(packet)
                if len(self._held) >= faults.reorder:
                    faults.rng.shuffle(self._held)
                    for held in self._held:
                        self._give(seam.DATA, held)
                    self._held.clear()
            elif handle in (ctrl, data):
                self._give(seam.CTRL if handle == ctrl else seam.DATA, packet)

    def _give(self, where: str, packet: bytes) -> None:
        for _ in range(1 + self._faults.doubled):
            self._came.put_nowait((where, packet))

    def lose(self) -> None:
        if self.is_connected:
            self.is_connected = False
            if self._is_there():
                self._air.leave(self._handle)
            if not self._faults.no_callback:
                self._came.put_nowait(None)

    def _is_there(self) -> bool:
        return self._air.peers.get(self._handle) is self._peer

    async def close(self) -> None:
        if self._faults.close_hangs:
            await asyncio.sleep(120)
        self.lose()


async def run_board(connector: BoardConnector, frames_hz: float = 5.0) -> None:
    """Let the board live: its steps, and frames at a rate. A task to be cancelled."""
    made = 0.0
    while True:
        await asyncio.sleep(STEP_S)
        made += frames_hz * STEP_S
        while made >= 1:
            made -= 1
            connector.board.make(1)
        connector.board.run()
        for connection in list(connector.open):
            connection.carry()


@contextlib.asynccontextmanager
async def living(connector: BoardConnector, frames_hz: float = 5.0) -> AsyncIterator[None]:
    """Run the board beside the body."""
    task = asyncio.get_running_loop().create_task(run_board(connector, frames_hz))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
