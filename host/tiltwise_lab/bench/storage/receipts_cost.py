"""`tiltwise bench receipts`: what receipts and safe commits cost a live session, in CPU and in bytes to the disk.

The frames of a simulated wearer go through a session into two stores, in turns: the store as it is, and one that
trusts its database (no receipts, no look at names, no reading back, no early checkpoint). Every 30 s of session time
what the system still holds is forced to the disk, as Linux does by itself, so that hours in minutes write no less.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import Command
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.acknowledged.found_frames import read_tail
from tiltwise.store.staging import BootFrames
from tiltwise.store.writer import Committed, Store
from tiltwise.types import Mount

HOURS, ROUNDS = 0.5, 3
_STARTED_S = 1_772_000_000.0  # 2026-02-25 06:13:20 UTC
_WRITTEN_BACK_S = 30.0  # Linux's vm.dirty_expire_centisecs


@dataclass(frozen=True, slots=True)
class CostRow:
    """One kind of store, medians of some rounds: CPU s of session and commits, and MB to the disk, per hour."""

    what: str
    rounds: int
    session_cpu_s: float
    commit_cpu_s: float
    written_mb: float
    write_calls: int


class _Timed(Store):
    """The store as it is, with the CPU time of its commits."""

    commit_s = 0.0

    def commit(self) -> Committed:
        began_s = time.thread_time()
        try:
            return super().commit()
        finally:
            self.commit_s += time.thread_time() - began_s


class _Trusting(_Timed):
    """A store that takes for granted that what was committed is there."""

    def _check_places(self) -> None:
        return

    def _hand_receipts_over(self) -> None:
        return

    def _settle(self, staged: list[BootFrames], after: list[SequenceRanges]) -> None:
        self._rows.clear()
        for boot, ranges in zip(staged, after, strict=True):
            if boot.staged:
                self._tail.extend([f.utc_us for f in boot.staged.values()])
            self.n_stored += len(boot.staged)
            boot.settle(ranges)

    def _flush(self) -> str | None:
        if rows := self._tail.rows():
            self._raw.add(read_tail(rows)[1], self._now_s())
            self._tail.drop(rows)
        return None


STORES = {"with receipts, as it is": _Timed, "trusting its database": _Trusting}


def cost_rows(
    hours: float = HOURS, rounds: int = ROUNDS, seed: int = 1
) -> Iterator[tuple[float, CostRow | None]]:
    """Yield (share done, None) on the way and a row for each kind of store at the end; OSError without /proc."""
    frames = _frames(hours, seed)
    found: dict[str, list[CostRow]] = {what: [] for what in STORES}
    for k in range(rounds):
        for what, kind in STORES.items():
            found[what].append(_run(what, kind, frames, hours))
        yield (k + 1) / rounds, None
    for what, rows in found.items():
        middle = CostRow(
            what, rounds, median(r.session_cpu_s for r in rows), median(r.commit_cpu_s for r in rows),
            median(r.written_mb for r in rows), round(median(r.write_calls for r in rows)),
        )  # fmt: skip
        yield 1.0, middle


def _frames(hours: float, seed: int) -> list[tuple[float, bytes]]:
    """Return what a board sends to a session that acknowledges, with the times of arrival."""
    simulation = Simulation("desk", seed=seed, minutes=hours * 60, auto_ack=False)
    session = open_session(Worn(mount=Mount.NECK), started_utc_s=_STARTED_S, device="cost")
    frames = []
    for received_s, frame in simulation:
        frames.append((received_s, bytes(frame)))
        for event in session.receive(received_s, frame):
            if isinstance(event, Command):
                simulation.send(event.data)
    return frames


def _run(what: str, kind: type[_Timed], frames: Sequence[tuple[float, bytes]], hours: float) -> CostRow:
    with tempfile.TemporaryDirectory(prefix="tiltwise-cost-") as name:
        store = kind(Path(name), min_free_bytes=0)
        session = open_session(Worn(mount=Mount.NECK), started_utc_s=_STARTED_S, device="cost", store=store)
        cpu_s, written_back_s = 0.0, 0.0
        written, calls = _io()
        for received_s, frame in frames:
            began_s = time.thread_time()
            session.receive(received_s, frame)
            cpu_s += time.thread_time() - began_s
            if received_s - written_back_s > _WRITTEN_BACK_S:
                written_back_s = received_s
                _write_back(Path(name))
        after, calls_after = _io()
        session.finish()
    return CostRow(
        what, 1, cpu_s / hours, store.commit_s / hours, (after - written) / hours / 1e6,
        round((calls_after - calls) / hours),
    )  # fmt: skip


def _write_back(folder: Path) -> None:
    for path in folder.iterdir():
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _io() -> tuple[int, int]:
    """Return the bytes that this process has caused to be written to a disk, and its calls that write."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(fields["write_bytes"]), int(fields["syscw"])
