"""The sources that app adds to link's: `sim:SCENARIO?seed=1&...`, a wearer; `ble:`, `ble:NAME`, `serial:PORT`.

With `face=out` the simulated sensors lie in their case like those of our boards, and the ritual knows it.

Import this module before an address is parsed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType

from tiltwise.config.address import Address, AddressError, number, register, speed, whole_number
from tiltwise.config.sensor_keys import known_boards
from tiltwise.link.aes import load_aes
from tiltwise.link.source import Chunk, Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.scenario import SCENARIOS
from tiltwise.text import printable
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


def _mount(text: str) -> str:
    names = ", ".join(mount.value for mount in Mount)
    if text not in set(Mount):
        raise ValueError(f"one of {names}")
    return text


def _sensors(text: str) -> int:
    if text not in ("1", "2"):
        raise ValueError("1 or 2")
    return int(text)


def _face(text: str) -> str:
    if text not in ("any", "out"):
        raise ValueError("any or out")
    return text


def _open_sim(address: Address) -> Source:
    options = address.options
    minutes = options.get("minutes")
    is_pair = options.get("sensors", 1) == 2
    if is_pair and options.get("mount") == Mount.COLLAR:
        raise AddressError(
            "sensors=2 is one at mount=neck or head and one on the collar: leave mount=collar out"
        )
    try:
        simulation = Simulation(
            address.target or "desk",
            seed=int(options.get("seed", 1)),
            minutes=None if minutes is None else float(minutes),
            mount=str(options.get("mount", Mount.NECK.value)),
            two_sensors=is_pair,
            sensor_axes=str(options.get("face", "any")),
            auto_ack=False,
        )
    except ValueError as error:
        raise AddressError(str(error)) from error
    faces_out = options.get("face") == "out"
    return SimSource(simulation, faces_out=faces_out, speed=float(options.get("speed", 1.0)))


def _open_ble(address: Address) -> Source:
    from tiltwise.link.ble import BleConnector  # here: bleak takes a third of a second to load

    boards = known_boards()
    wanted = [board for board in boards if address.target in ("", board.name, board.device_id.hex())]
    if not wanted:
        names = ", ".join(board.name for board in boards)
        have = f"this computer has the keys of {names}" if names else "this computer has no board's key yet"
        raise AddressError(
            f"no key for {printable(address.target) or 'any board'}: {have}; plug the board in and run tiltwise setup"
        )
    what = printable(address.target) if address.target else "the board"
    return Supervisor(BleConnector(), wanted, what=what, take_over=_takes_over(address), aes=load_aes())


def _open_serial(address: Address) -> Source:
    from tiltwise.link.serial import SerialConnector

    what = f"a board at {printable(address.target)}" if address.target else "a board on USB"
    connector = SerialConnector(address.target)
    return Supervisor(connector, known_boards(), what=what, take_over=_takes_over(address), aes=load_aes())


def _takes_over(address: Address) -> bool:
    return address.options.get("takeover", 0) == 1


register("ble", _open_ble, options={"takeover": whole_number(0, 1)}, example="ble:NAME")
register("serial", _open_serial, options={"takeover": whole_number(0, 1)}, example="serial:/dev/ttyACM0")
register(
    "sim",
    _open_sim,
    options={
        "minutes": number(0.1, 24 * 60),
        "seed": whole_number(),
        "speed": speed,
        "mount": _mount,
        "sensors": _sensors,
        "face": _face,
    },
    example="sim:desk?minutes=5&seed=1&speed=20",
)

__all__ = ["SCENARIOS", "SimSource"]
