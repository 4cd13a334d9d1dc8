"""A simulated wearer and board as a source: the frames come at their own pace, like those of a real board."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType

from tiltwise.link.source import Chunk
from tiltwise.sim.board.simulation import Simulation
from tiltwise.types import Mount

_TURN_EVERY = 8  # frames: at full speed other tasks get a turn this often


class SimSource:
    """A simulated wearer and board as a Source; virtual time is the clock of its chunks.

    Parameters
    ----------
    simulation
        What to run; its board waits for our acknowledgements.
    faces_out
        Sensor +z points away from the skin, as our boards have it.
    speed
        Virtual seconds in a second; 0 is as fast as possible.
    clock, sleep
        Monotonic seconds and a pause; tests give their own.
    """

    def __init__(
        self,
        simulation: Simulation,
        *,
        faces_out: bool = False,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.simulation, self.faces_out = simulation, faces_out
        self._speed, self._clock, self._sleep = speed, clock, sleep

    @property
    def duration_s(self) -> float:
        """Length of the story in virtual seconds."""
        return self.simulation.duration_s

    @property
    def mount(self) -> Mount:
        """Where the simulated wearer wears it."""
        return self.simulation.mounts[0]

    async def __aenter__(self) -> SimSource:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Give the frames at their pace."""
        start_s = self._clock()
        for k, (virtual_s, frame) in enumerate(self.simulation):
            wait_s = virtual_s / self._speed - (self._clock() - start_s) if self._speed > 0 else 0.0
            if wait_s > 0:
                await self._sleep(wait_s)
            elif k % _TURN_EVERY == 0:
                await self._sleep(0)
            yield Chunk(virtual_s, frame)

    async def send(self, command: bytes, /) -> None:
        """Hand a command to the simulated board."""
        self.simulation.send(command)
