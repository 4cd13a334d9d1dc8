"""`tiltwise bench days`: random days, firmware to store; how many seconds are in no minute and no gap, or in two.

The real firmware on a simulated wearer at a cable, the real supervisor, session and store in one virtual time. Each
day has its seed, from which come its hour, its calibration and what happens: the wearer is away, the board is
off, both, the program is stopped, frames are lost or come twice, a sensor is silent, somebody calibrates anew.
Prints nothing; returns rows for the table in storage_tables.py.

Seconds are counted twice: by `tiltwise data --check`, and here from the rows of the database with other code and
without a tolerance.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.link.supervisor import Supervisor
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.board.usb_cable import SimCable
from tiltwise.store.overview import check_store
from tiltwise.store.writer import Store
from tiltwise.types import Mount
from tiltwise_lab.bench.parallel import Show, run_in_processes
from tiltwise_lab.radio.virtual_time import run_virtually

DAYS = 100
_MIDNIGHT_S = 1_772_064_000.0  # 2026-02-26 00:00 UTC
_STEP_S = 0.1
_EVENTS = 4
_SETTLE_S = 45.0  # for the last backfill
_COARSE = "one-minute summaries of the board"


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day: seconds that are nowhere or in two places by `data --check`, and the worst minute by our own count."""

    seed: int
    minutes: float
    happened: str
    unexplained_s: float
    double_s: float
    worst_minute_s: float


class _Life:
    """A board, its cable, and a program that is stopped and started again on the same store."""

    def __init__(self, folder: Path, rng: random.Random, seed: int) -> None:
        self._folder, self._rng = folder, rng
        self._simulation = Simulation("desk", seed=seed, minutes=60, auto_ack=False, stream=None)
        self.cable = SimCable(self._simulation, seed=seed)
        self._loop = asyncio.get_running_loop()
        near_midnight = rng.random() < 1 / 3
        self._started_s = _MIDNIGHT_S + (-rng.uniform(60, 400) if near_midnight else rng.uniform(3e4, 6e4))
        up = mounting_from_axes(np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), mount=Mount.NECK, axes="nod")
        self._worn = Worn(mount=Mount.NECK, mounting=up if rng.random() < 0.7 else None)
        self._pumping = self._loop.create_task(self._pump())
        self._program: asyncio.Task[None] | None = None
        self.session: LiveSession | None = None

    async def _pump(self) -> None:
        while True:
            await asyncio.sleep(_STEP_S)
            self.cable.step(self._loop.time())

    def start(self) -> None:
        start_s = self._loop.time()
        self.session = open_session(
            self._worn,
            started_utc_s=self._started_s + start_s,
            device="day",
            store=Store(self._folder, min_free_bytes=0),
            fetches=True,
        )
        source = Supervisor(self.cable, (), clock=lambda: self._loop.time() - start_s)
        self._program = self._loop.create_task(run_live(source, self.session, lambda *_: None))

    async def stop(self) -> None:
        if self._program is not None:
            self._program.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._program
        self._program = None

    async def close(self) -> None:
        await self.stop()
        self._pumping.cancel()

    # ---- what happens ----

    async def away(self) -> None:
        self.cable.unplug()
        await asyncio.sleep(self._rng.uniform(1, 150))
        self.cable.is_plugged = True

    async def off(self) -> None:
        was_plugged = self.cable.is_plugged
        self.cable.unplug()
        self._simulation.board.is_asleep = True
        await asyncio.sleep(self._rng.uniform(1, 90))
        self._simulation.board.restart()
        self.cable.is_plugged = was_plugged

    async def away_and_off(self) -> None:
        self.cable.unplug()
        await asyncio.sleep(self._rng.uniform(1, 100))
        await self.off()
        await asyncio.sleep(self._rng.uniform(1, 100))
        self.cable.is_plugged = True

    async def stopped(self) -> None:
        await self.stop()
        if self._rng.random() < 0.3:
            await self.off()
        await asyncio.sleep(self._rng.uniform(1, 90))
        self.start()

    async def bad_link(self) -> None:
        self.cable.drop, self.cable.double = self._rng.uniform(0, 0.3), self._rng.uniform(0, 0.2)
        await asyncio.sleep(self._rng.uniform(5, 60))
        self.cable.drop = self.cable.double = 0.0

    async def silent_sensor(self) -> None:
        bus = self._simulation.board.bus
        bus.unplug(self._simulation.board.addresses[0])
        await asyncio.sleep(self._rng.uniform(1, 40))
        bus.plug(self._simulation.board.addresses[0])

    async def recalibrate(self) -> None:
        if self.session is not None:
            self.session.recalibrate()
        await asyncio.sleep(self._rng.uniform(1, 40))


_HAPPENS: dict[str, Callable[[_Life], Awaitable[None]]] = {
    "away": _Life.away,
    "off": _Life.off,
    "away and off": _Life.away_and_off,
    "stopped": _Life.stopped,
    "bad link": _Life.bad_link,
    "silent sensor": _Life.silent_sensor,
    "recalibrated": _Life.recalibrate,
}


def live_day(folder: Path, seed: int) -> tuple[float, str]:
    """Live the day of a seed into a store; return its minutes and what happened."""
    rng = random.Random(seed)

    async def main() -> tuple[float, str]:
        life, happened = _Life(folder, rng, seed), []
        life.start()
        for _ in range(_EVENTS):
            await asyncio.sleep(rng.uniform(5, 70))
            name = rng.choice(list(_HAPPENS))
            happened.append(name)
            await _HAPPENS[name](life)
        await asyncio.sleep(_SETTLE_S)
        await life.close()
        return asyncio.get_running_loop().time() / 60, ", ".join(happened)

    return run_virtually(main())


def residuals_s(folder: Path) -> list[float]:
    """Return for each minute between the first and the last how many seconds are nowhere (+) or in two places (-).

    From the database alone: samples of a minute plus the gaps over it, of which summaries of the board are a part.
    """
    db = sqlite3.connect(f"file:{folder / 'core.db'}?mode=ro", uri=True)
    with contextlib.closing(db):
        minutes = db.execute(
            "SELECT start_us / 1e6, covered_s, info FROM aggregate a JOIN session s ON s.id = a.session_id "
            "WHERE sensor = 0"
        ).fetchall()
        gaps = db.execute("SELECT start_us / 1e6, end_us / 1e6 FROM gap").fetchall()
    sampled: dict[float, float] = {}
    summed: dict[float, float] = {}
    for start_s, covered_s, info in minutes:
        of = summed if _COARSE in info else sampled
        of[start_s] = of.get(start_s, 0.0) + covered_s
    starts = sorted({*sampled, *summed})
    found = []
    for start_s in np.arange(starts[0] + 60, starts[-1], 60.0).tolist() if starts else []:
        in_gaps = sum(max(0.0, min(b, start_s + 60) - max(a, start_s)) for a, b in gaps)
        found.append(60 - sampled.get(start_s, 0.0) - max(in_gaps, summed.get(start_s, 0.0)))
    return found


def _day_row(seed: int, show: Show) -> DayRow:
    with tempfile.TemporaryDirectory() as folder:
        minutes, happened = live_day(Path(folder), seed)
        results = [day.result for day in check_store(Path(folder))]
        worst_s = max(residuals_s(Path(folder)), key=abs, default=0.0)
    show(1.0)
    return DayRow(
        seed,
        minutes,
        happened,
        sum(r.unexplained_s for r in results),
        sum(r.double_s for r in results),
        worst_s,
    )


def day_rows(days: int, show: Show, done: Callable[[DayRow], None]) -> list[DayRow]:
    """Live so many days, of seeds from 1 on; done gets each as soon as it is lived."""
    return run_in_processes(_day_row, range(1, days + 1), show, weights=[1.0] * days, done=done)
