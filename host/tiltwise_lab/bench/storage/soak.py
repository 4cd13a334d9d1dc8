"""`tiltwise bench soak`: a day at high speed, firmware to store, and what it leaves in memory.

The real firmware on a simulated wearer, a cable that is pulled once an hour, the real supervisor, session and
store in one process and one virtual time. All of them count, the simulated board too. Prints nothing; returns
looks at the process for the table in storage_tables.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiltwise.common import wire
from tiltwise.common.frame import Frame, read_frame, unpack_header
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.board.usb_cable import SimCable
from tiltwise.store.writer import Store
from tiltwise.types import Mount
from tiltwise_lab.bench.process_stats import growth, log_mb, read_process, span
from tiltwise_lab.radio.virtual_time import VirtualLoop

HOURS, WARM_UP_H = 24.0, 1.0
STORE_HOURS = 48.0
LOOK_EVERY_S = 300.0
OUT_AT_S, OUT_EVERY_S, OUT_S = 1930.0, 3600.0, 20.0  # the cable is pulled once an hour, between two looks
_STARTED_S = 1_772_000_000.0  # 2026-02-25 06:13:20 UTC
_STEP_S = 0.1
_SETTLE_S = 30.0  # for the last backfill


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the running system, `hours` of virtual time after its start."""

    hours: float
    resident_mb: float
    files: int
    tasks: int
    log_mb: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class SoakRow:
    """A soak in one line, after its warm-up."""

    hours: float
    frames: int
    missing: int  # holes in the numbers of what is stored
    connections: int
    resident_mb: float
    grown_mb: float
    most_mb: float  # the largest above the beginning
    files: str
    tasks: str
    log_mb: float
    cpu_percent: float  # of a core, had it run in real time


@dataclass(slots=True)
class SoakRun:
    """What a soak leaves behind: the looks, and what was stored of what was made."""

    looks: list[Look]
    frames: int = 0
    missing: int = 0
    connections: int = 0


class _Host:
    """Board, cable, supervisor, session and store on one virtual loop."""

    def __init__(self, folder: Path, seed: int, hours: float, out_at_s: float) -> None:
        self.folder, self._out_at_s = folder, out_at_s
        minutes = hours * 60 + 5  # the story outlasts the run
        self.simulation = Simulation("desk", seed=seed, minutes=minutes, auto_ack=False, stream=None)
        self.cable = SimCable(self.simulation, seed=seed)
        self.session = open_session(
            Worn(mount=Mount.NECK),
            started_utc_s=_STARTED_S,
            device="soak",
            store=Store(folder, min_free_bytes=0),
            fetches=True,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        source = Supervisor(self.cable, (), clock=loop.time)
        live = run_live(source, self.session, lambda *_: None)
        self._tasks = [loop.create_task(each) for each in (self._pump(), self._pull(), live)]

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_STEP_S)
            self.cable.step(loop.time())

    async def _pull(self) -> None:
        await asyncio.sleep(self._out_at_s)
        while True:
            self.cable.unplug()
            await asyncio.sleep(OUT_S)
            self.cable.is_plugged = True
            await asyncio.sleep(OUT_EVERY_S - OUT_S)

    async def wait(self, seconds: float) -> int:
        """Let time pass; return how many tasks there are beside this one. A part that ended early is an error."""
        await asyncio.sleep(seconds)
        for task in self._tasks:
            if task.done():
                task.result()
                raise RuntimeError("the soak ended by itself")
        return len(asyncio.all_tasks()) - 1

    async def stop(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _stored(folder: Path, hours: float) -> set[int]:
    """Return the numbers of the frames that a reader finds, hour by hour."""
    found: set[int] = set()
    with Store.open_readonly(folder) as reader:
        for hour in range(int(hours) + 2):
            start_s = _STARTED_S - 60 + 3600 * hour
            found |= {unpack_header(f.data)[3] for f in reader.frames(start_s, start_s + 3600)}
    return found


def soak_looks(
    seed: int = 1, hours: float = HOURS, *, every_s: float = LOOK_EVERY_S, out_at_s: float = OUT_AT_S
) -> Iterator[tuple[float, Look | SoakRun]]:
    """Yield (share done, look) every five virtual minutes, and at the end the whole run."""
    looks: list[Look] = []
    with tempfile.TemporaryDirectory(prefix="tiltwise-soak-") as name:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            host = _Host(Path(name), seed, hours, out_at_s)
            runner.run(host.start())
            n = max(2, round(hours * 3600 / every_s))
            for k in range(n):
                tasks = runner.run(host.wait(every_s))
                looks.append(_look(host, (k + 1) * every_s / 3600, tasks))
                yield (k + 1) / n, looks[-1]
            host.cable.is_plugged = True
            runner.run(host.wait(_SETTLE_S))
            runner.run(host.stop())
        stored = _stored(Path(name), hours)
    holes = max(stored) + 1 - min(stored) - len(stored)
    yield 1.0, SoakRun(looks, len(stored), holes, host.cable.connections)


def _look(host: _Host, hours: float, tasks: int) -> Look:
    state = read_process(os.getpid())
    return Look(hours, state.resident_mb, state.files, tasks, log_mb(host.folder), state.cpu_s)


def soak_row(run: SoakRun, warm_up_h: float = WARM_UP_H) -> SoakRow:
    """Return a run in one line; what happened in the warm-up does not count."""
    looks = [look for look in run.looks if look.hours >= warm_up_h] or run.looks[-1:]
    began_mb, grown_mb, most_mb = growth([look.resident_mb for look in looks])
    seconds = (looks[-1].hours - looks[0].hours) * 3600
    cpu_s = looks[-1].cpu_s - looks[0].cpu_s
    return SoakRow(
        hours=looks[-1].hours, frames=run.frames, missing=run.missing, connections=run.connections,
        resident_mb=began_mb, grown_mb=grown_mb, most_mb=most_mb,
        files=span([look.files for look in looks]), tasks=span([look.tasks for look in looks]),
        log_mb=max(look.log_mb for look in looks), cpu_percent=cpu_s / seconds * 100 if seconds else float("nan"),
    )  # fmt: skip


# ---- the store alone ----


@dataclass(frozen=True, slots=True)
class StoreSoakRow:
    """Commits of many hours into one store, after the first of them; MB, and kB of both files of receipts."""

    hours: float
    commits: int
    resident_mb: float
    grown_mb: float
    files: str
    log_mb: float
    receipts_kb: float
    others: str  # how many files there are in the folder


def store_soak(hours: float = STORE_HOURS) -> Iterator[tuple[float, StoreSoakRow | None]]:
    """Commit a frame each second of `hours`, as a session does; yield (share, None), and the row at the end."""
    looks = []
    with tempfile.TemporaryDirectory(prefix="tiltwise-soak-") as name:
        folder = Path(name)
        with Store(folder, min_free_bytes=0, now_s=lambda: _STARTED_S) as store:
            session = store.begin_session("soak", 1, zone="UTC", mount=Mount.NECK, started_s=_STARTED_S)
            for second in range(n := round(hours * 3600)):
                at_s = _STARTED_S + second
                store.append(session, [_frame(second)], [at_s])
                if second % 60 == 0:
                    store.put_clock_fit(session, float(second), at_s, 1.0)
                if store.commit().settled[session] != second:
                    raise RuntimeError(f"frame {second} was not settled")
                if second % round(LOOK_EVERY_S) == 0:
                    looks.append((second / 3600, read_process(os.getpid()), log_mb(folder), *_sizes(folder)))
                    yield second / n, None
    after = [look for look in looks if look[0] >= min(WARM_UP_H, hours / 4)]
    began_mb, grown_mb, _ = growth([state.resident_mb for _, state, *_ in after])
    yield 1.0, StoreSoakRow(
        hours, n, began_mb, grown_mb, span([state.files for _, state, *_ in after]),
        max(look[2] for look in after), max(look[3] for look in after), span([look[4] for look in after]),
    )  # fmt: skip


def _sizes(folder: Path) -> tuple[float, int]:
    """Return the kB of the receipts, and how many files there are."""
    files = list(folder.iterdir())
    return sum(path.stat().st_size for path in files if path.name.startswith("receipts")) / 1e3, len(files)


def _frame(seq: int) -> Frame:
    """Return frame number `seq` of a sensor that lies still: ten samples."""
    samples = bytes(10 * wire.SAMPLE_SIZES[wire.RAW])
    buffer = bytearray(wire.HEADER_SIZE + len(samples) + wire.TAG_SIZE)
    wire.pack_header_into(buffer, wire.RAW, 0, 1, seq, 10 * seq, 1000 * seq, 10, 0, 0)
    wire.seal(buffer, len(buffer))
    return read_frame(bytes(buffer))
