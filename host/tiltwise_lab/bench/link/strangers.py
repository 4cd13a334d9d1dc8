"""How soon the owner is in while strangers hold the board's places and fake boards hold the host.

Everything is real but the air: the firmware's sessions and radio, the supervisor, ATT. Hostile centrals connect
without pause, prove nothing and come back as soon as they are sent away, each with its own address or with another
one each time; fake boards advertise the service and let a connection hang. Virtual time; every run has its own seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tiltwise.link.ble import BleConnector
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.supervisor import Supervisor
from tiltwise.link.transport import Candidate, Connection, Connector
from tiltwise_lab.bench.parallel import Show, run_each

_KEY = bytes(range(32))
_BEGIN_S = (3.0, 13.0)  # the owner comes while the strangers are at it
_MOST_S = 120.0
_AGAIN_S = 0.05  # until a stranger that was sent away connects again
_CONNECT_S = 10.0
_MANY = (0, 1, 2, 3, 5, 10)
CASES = (
    *((places, k, 0, False) for places in (4, 3, 1) for k in _MANY),
    *((places, 3, 0, True) for places in (4, 1)),
    *((4, 0, m, False) for m in _MANY[1:]),
    *((places, 10, 10, False) for places in (4, 3, 1)),
)


@dataclass(frozen=True, slots=True)
class StrangersRow:
    """One run: how many centrals and fake boards, and after how many s the owner streams (inf: not in 120 s).

    are_new : whether the centrals have another address each time.
    """

    places: int
    centrals: int
    fakes: int
    are_new: bool
    seed: int
    in_s: float


def strangers_rows(
    cases: Sequence[tuple[int, int, int, bool]], seeds: Sequence[int], show: Show
) -> list[StrangersRow]:
    """Return a row for each case (places, centrals, fakes, are_new) and seed; ModuleNotFoundError without bumble."""
    jobs = [(*case, seed) for case in cases for seed in seeds]
    rows = run_each(_row, jobs, show)
    return sorted(rows, key=lambda r: jobs.index((r.places, r.centrals, r.fakes, r.are_new, r.seed)))


def _row(job: tuple[int, int, int, bool, int]) -> StrangersRow:
    from tiltwise_lab.radio.virtual_time import run_virtually

    places, centrals, fakes, are_new, seed = job
    in_s = run_virtually(_run(places, centrals, fakes, seed, are_new=are_new))
    return StrangersRow(places, centrals, fakes, are_new, seed, in_s)


class _WithFakes:
    """A connector whose looks also find fake boards; connecting to one hangs. Chance says who is stronger."""

    def __init__(self, connector: Connector, fakes: int, rng: random.Random) -> None:
        self._connector, self._fakes, self._rng = connector, fakes, rng

    async def find(self) -> list[Candidate]:
        found = [*(Candidate(f"fake-{k}") for k in range(self._fakes)), *await self._connector.find()]
        self._rng.shuffle(found)
        return found

    async def connect(self, address: str, /) -> Connection:
        if address.startswith("fake-"):
            await asyncio.sleep(1e6)
        return await self._connector.connect(address)


async def _run(places: int, centrals: int, fakes: int, seed: int, *, are_new: bool) -> float:
    from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
    from tiltwise_lab.radio.bleak_backend import Adapter
    from tiltwise_lab.radio.bumble_board import BumbleBoard
    from tiltwise_lab.radio.bumble_requests import BTSTACK, Stack
    from tiltwise_lab.radio.virtual_radio import RadioConditions, RadioLink
    from tiltwise_lab.vm.nodding_motion import NoddingMotion

    rng = random.Random(seed)
    loop = asyncio.get_running_loop()
    link = RadioLink(RadioConditions(lost_advertisements=0.5, rng=rng))
    part = Lsm6dsox(seed=seed)
    stack = BTSTACK if places == 1 else Stack(places)
    board = BumbleBoard(link, [part], NoddingMotion(part), key=_KEY, seed=seed, stack=stack)
    board.power_on()
    adapter = Adapter(link)
    await adapter.power_on()
    strangers = [loop.create_task(_stranger(link, board, k, rng, are_new=are_new)) for k in range(centrals)]
    await asyncio.sleep(rng.uniform(*_BEGIN_S))
    board.check()
    connector: Any = BleConnector(client_backend=adapter.client, scanner_backend=adapter.scanner)
    if fakes:
        connector = _WithFakes(connector, fakes, rng)
    supervisor = Supervisor(connector, [KeyedBoard(board.device_id, "bench", _KEY)], clock=loop.time)
    began_s = loop.time()
    async with supervisor:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MOST_S):
                while not supervisor.is_streaming:
                    await asyncio.sleep(0.02)
        in_s = loop.time() - began_s if supervisor.is_streaming else float("inf")
    for task in strangers:
        task.cancel()
    await asyncio.gather(*strangers, return_exceptions=True)
    adapter.close()
    await board.close()
    return in_s


async def _stranger(link: Any, board: Any, k: int, rng: random.Random, *, are_new: bool) -> None:
    """Connect, hold the place until sent away, come back."""
    from bumble.core import BaseBumbleError
    from bumble.hci import Address

    from tiltwise_lab.radio.bumble_requests import random_address
    from tiltwise_lab.radio.virtual_radio import make_device

    device, controller = make_device(f"stranger {k}", link, f"C0:00:00:00:00:{k:02X}")
    await device.power_on()
    try:
        while True:
            with contextlib.suppress(BaseBumbleError, asyncio.TimeoutError):
                connection = await device.connect(Address(board.bluetooth.address), timeout=_CONNECT_S)
                gone = asyncio.Event()
                connection.on("disconnection", lambda _reason, gone=gone: gone.set())
                await gone.wait()
            await asyncio.sleep(_AGAIN_S * rng.uniform(0.5, 1.5))
            if are_new:
                controller.random_address = Address(random_address(rng))
    finally:
        controller.close()
