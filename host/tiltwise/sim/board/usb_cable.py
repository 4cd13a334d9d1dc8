"""A USB cable to the simulated board, as the supervisor's Connector: it can be pulled, and may drop or double frames.

Time is the caller's: `step(now_s)`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from tiltwise.common import cobs
from tiltwise.link.transport import CABLE, Candidate, Connection, LinkError, Trouble
from tiltwise.sim.board.simulation import Simulation

_LONGEST, _HELD = 512, 4096  # bytes of a packet, and of what waits before it is whole
Came = tuple[str, bytes]


class SimCable:
    """One board at one cable; use it as the connector of a Supervisor.

    Parameters
    ----------
    simulation
        Made with `auto_ack=False, stream=None`: the host asks for the stream and acknowledges.
    seed
        Of what is dropped and doubled.
    """

    def __init__(self, simulation: Simulation, *, seed: int = 1) -> None:
        self.simulation, self.rng = simulation, random.Random(seed)
        self.drop = self.double = 0.0  # shares of frames that do not come, or come twice
        self.is_plugged = True
        self.connections = 0
        self.connection: CableConnection | None = None
        self._set_link(is_connected=False)

    def _set_link(self, *, is_connected: bool) -> None:
        link = self.simulation.board.link
        link.is_connected = is_connected
        if is_connected:
            link.drop()

    async def find(self) -> list[Candidate]:
        """Return the board while it is plugged in."""
        return [Candidate("sim")] if self.is_plugged else []

    async def connect(self, _address: str, /) -> Connection:
        """Open the one connection."""
        if not self.is_plugged:
            raise LinkError(Trouble.ABSENT, "no board on the simulated cable: plug it in")
        self._set_link(is_connected=True)
        self.connections += 1
        self.connection = CableConnection(self)
        return self.connection

    def unplug(self) -> None:
        """Pull the cable with all that is in it; `is_plugged = True` puts it back."""
        self.is_plugged = False
        self.cut()

    def cut(self) -> None:
        """End the connection; the board stays plugged in."""
        self._set_link(is_connected=False)
        if self.connection is not None:
            self.connection.came.put_nowait(None)
            self.connection = None

    def holds(self, connection: CableConnection) -> bool:
        """Tell whether this is the connection of now."""
        return self.connection is connection

    def step(self, now_s: float) -> None:
        """Let the board live until now, and carry what it sent."""
        frames = self.simulation.step(now_s)
        replies = list(self.simulation.replies)
        self._forget_notes()
        if self.connection is None:
            return
        for frame in frames:
            for _ in range((self.rng.random() >= self.drop) + (self.rng.random() < self.double)):
                self.connection.came.put_nowait((CABLE, stuffed(frame)))
        for reply in replies:
            self.connection.came.put_nowait((CABLE, stuffed(reply)))

    def _forget_notes(self) -> None:
        """Empty what the simulated board writes down for tests: a day of it would look like growth."""
        board = self.simulation.board
        board.link.replies.clear()
        board.fed_s.clear()
        board.pins.led_changes.clear()


class CableConnection:
    """One connection of a SimCable; what is put into `came` comes out of the cable, None ends it."""

    is_cable = True
    mtu = 0
    is_connected = True

    def __init__(self, owner: SimCable) -> None:
        self._owner = owner
        self.came: asyncio.Queue[Came | None] = asyncio.Queue()
        self._box = cobs.Unstuffer(_HELD, _LONGEST)

    async def read_info(self) -> bytes:
        """Return nothing: a cable is asked with HELLO."""
        return b""

    async def write_ctrl(self, data: bytes, /) -> None:
        """Hand the board what the host wrote."""
        if not self._owner.holds(self):
            raise LinkError(Trouble.LOST, "the simulated cable is unplugged")
        self._box.put(data)
        while (packet := self._box.take()) is not None:
            self._owner.simulation.send(bytes(packet))

    async def notifications(self) -> AsyncIterator[Came]:
        """Return what comes."""
        return self._stream()

    async def _stream(self) -> AsyncIterator[Came]:
        while (item := await self.came.get()) is not None:
            yield item

    async def close(self) -> None:
        """End the connection."""
        if self._owner.holds(self):
            self._owner.cut()


def stuffed(data: bytes) -> bytes:
    """Return a packet as the cable carries it."""
    out = bytearray(cobs.stuffed_size(len(data)))
    return bytes(out[: cobs.stuff_into(data, len(data), out)])
