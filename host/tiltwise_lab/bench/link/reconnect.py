"""How soon frames flow again after a fade: the unmodified supervisor and firmware on the virtual radio.

In virtual time 30 tries take seconds. Every try has its own seed: another moment of the fade, other lost
advertisements and events.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.link.ble import BleConnector
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.supervisor import Supervisor

if TYPE_CHECKING:
    from tiltwise_lab.radio.virtual_radio import RadioConditions

FADE_S = 1.0
LOST_EVENTS, LOST_ADVERTISEMENTS = 0.03, 0.5  # 3 % of frames; a scanner that listens half of the time
_FIRST_S, _MOST_S = 60.0, 120.0  # until it streams at first; until it streams again
_STEADY_S, _JITTER_S = 11.0, 2.0  # of streaming before the fade
_ACK_S = 1.0
_SETTLE_S = 2.0
_KEY = bytes(range(32))


@dataclass(frozen=True, slots=True)
class ReconnectRow:
    """One fade."""

    seed: int
    fade_s: float
    was_lost: bool  # the fade outlasted the supervision timeout
    back_s: float  # from the return of the signal to the first frame that was measured after it


def reconnect_rows(
    tries: int = 30, *, seed: int = 1, fade_s: float = FADE_S
) -> Iterator[tuple[float, ReconnectRow]]:
    """Yield (share done, row) for each try; ModuleNotFoundError without bumble."""
    from tiltwise_lab.radio.virtual_time import run_virtually

    for k in range(tries):
        yield (k + 1) / tries, run_virtually(_fade(seed + k, fade_s))


class _Flow:
    """Receives the supervisor's frames and acknowledges them while it is entered; knows the newest one's time."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.newest_s = -1.0  # device time of the newest live frame
        self._seq: tuple[int, int] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> _Flow:
        self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._acknowledge())]
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _receive(self) -> None:
        async for chunk in self._supervisor.chunks():
            if not wire.is_frame(chunk.data):
                continue
            frame = read_frame(chunk.data)
            if not frame.is_backfill:
                self.newest_s = max(self.newest_s, frame.device_s)
                self._seq = frame.boot, frame.seq

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(_ACK_S)
            if self._seq is not None and self._supervisor.is_streaming:
                payload = struct.pack("<HIH", *self._seq, 64)
                await self._supervisor.send(bytes(wire.pack_command(0x20, wire.OP_ACK, 0, payload)))

    async def until(self, device_s: float) -> None:
        """Wait for a frame measured at this device time or later."""
        while self.newest_s < device_s:
            await asyncio.sleep(0.005)


async def _fade(seed: int, fade_s: float) -> ReconnectRow:
    from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
    from tiltwise_lab.radio.bleak_backend import Adapter
    from tiltwise_lab.radio.bumble_board import BumbleBoard
    from tiltwise_lab.radio.virtual_radio import RadioConditions, RadioLink
    from tiltwise_lab.vm.nodding_motion import NoddingMotion

    rng = random.Random(seed)
    loop = asyncio.get_running_loop()
    conditions = RadioConditions(lost_events=LOST_EVENTS, lost_advertisements=LOST_ADVERTISEMENTS, rng=rng)
    link = RadioLink(conditions)
    part = Lsm6dsox(seed=seed)
    board = BumbleBoard(link, [part], NoddingMotion(part), key=_KEY, seed=seed)
    board.power_on()
    adapter = Adapter(link)
    await adapter.power_on()
    connector = BleConnector(client_backend=adapter.client, scanner_backend=adapter.scanner)
    supervisor = Supervisor(connector, [KeyedBoard(board.device_id, "bench", _KEY)], clock=loop.time)
    steady_s = _STEADY_S + rng.uniform(0, _JITTER_S)
    async with supervisor, _Flow(supervisor) as flow:
        was_lost, back_s = await _lose_range(conditions, supervisor, flow, steady_s, fade_s)
    adapter.close()
    await board.close()
    return ReconnectRow(seed, fade_s, was_lost, back_s)


async def _lose_range(
    conditions: RadioConditions, supervisor: Supervisor, flow: _Flow, steady_s: float, fade_s: float
) -> tuple[bool, float]:
    """Stream, fade, come back; return whether the connection was lost, and after how many s frames flow again."""
    loop = asyncio.get_running_loop()
    await asyncio.wait_for(flow.until(0.0), _FIRST_S)
    await asyncio.sleep(steady_s)
    before = supervisor.connections
    conditions.is_in_range = False
    await asyncio.sleep(fade_s)
    conditions.is_in_range = True
    back_s = loop.time()
    await asyncio.wait_for(flow.until(back_s), _MOST_S)
    seconds = loop.time() - back_s
    await asyncio.sleep(_SETTLE_S)  # the supervisor counts a connection after its first frames
    return supervisor.connections > before, seconds
