"""`tiltwise bench store`: the store after kill -9 and power cuts, and a session while the disk has a fault.

Counts acknowledged samples that were lost, damaged databases, and the time until recording works again.
storage_tables.py prints the rows.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tiltwise.common.frame import unpack_header
from tiltwise.live.wearer.live_events import Command, LiveWarning
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.store.files import swap
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert
from tiltwise_lab.bench.storage import fsync_recorder
from tiltwise_lab.bench.storage.fault_injection import STORE_FAULTS, Begin, broken
from tiltwise_lab.bench.storage.killed_host import BOOT_S, T0_S, calibrated_session, frames_of, run_host

KILLS, CUTS = 300, 100
_SECONDS = 90.0  # of frames that a host has; it is killed long before
_LONGEST_S = 2.0  # from the start of a host to its kill
_BEGIN, _END = 50, 250  # frames of 0.2 s: when a trouble begins and ends


@dataclass(slots=True)
class FaultRow:
    """What became of the store. Samples are counted; times in s, from the start of a process to its first commit."""

    fault: str
    seed: int
    points: int = 0
    acknowledged: int = 0
    lost: int = 0
    damaged: int = 0
    restarts_s: list[float] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class StoreFaultRow:
    """A session while the store refuses: messages shown, alerts given meanwhile, samples missing at the end."""

    trouble: str
    message: str
    messages: int
    alerts: int
    resumed: bool
    lost: int


def fault_rows(
    seed: int = 1, kills: int = KILLS, cuts: int = CUTS
) -> Iterator[tuple[float, FaultRow | None]]:
    """Yield (share done, None) on the way, and a row of the kills and one of the power cuts."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-faults-") as name:
        for share, row in kill_rows(Path(name) / "kills", seed, kills):
            yield 0.7 * share, row
        yield 1.0, cut_row(Path(name) / "cuts", seed, cuts)


def kill_rows(folder: Path, seed: int, kills: int) -> Iterator[tuple[float, FaultRow | None]]:
    """Kill a host at random moments, start the next one on what it left, and count what is gone."""
    row = FaultRow(
        "kill -9", seed, note="again: from opening the store with the program loaded, to the first ACK"
    )
    if not hasattr(os, "fork"):
        row.note = "not run: needs fork (Linux, macOS)"
        yield 1.0, row
        return
    rng = random.Random(seed)
    folder.mkdir()
    for boot in range(1, kills + 1):
        notes = _run_and_kill(folder, boot, rng.uniform(0, _LONGEST_S))
        _count_losses(row, folder / "store", boot, notes)
        yield boot / kills, None
    row.damaged += broken(folder / "store")
    yield 1.0, row


def _run_and_kill(folder: Path, boot: int, after_s: float) -> list[str]:
    """Run a host in a forked process, kill it, and return its notes."""
    path = folder / "notes"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    began_s = time.monotonic()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            run_host(folder / "store", file, boot, _SECONDS, began_s)
        os._exit(0)
    select.select([], [], [], after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(file)
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _count_losses(row: FaultRow, store: Path, boot: int, notes: list[str]) -> None:
    """Add one point: what was acknowledged, and what of it is there."""
    row.points += 1
    firsts = [line.split()[1] for line in notes if line.startswith("first ")]
    row.restarts_s += [int(us) / 1e6 for us in firsts]
    row.damaged += sum(line.startswith("recovered ") and line != "recovered 0" for line in notes)
    last = max((int(line.split()[2]) for line in notes if line.startswith("ack ")), default=-1)
    if last < 0:
        return
    present = stored(store, boot)
    for frame in frames_of(boot, _SECONDS)[: last + 1]:
        _, _, _, seq, _, _, n, _, _ = unpack_header(frame)
        row.acknowledged += n
        row.lost += 0 if seq in present else n


def stored(folder: Path, boot: int) -> set[int]:
    """Return the numbers of the frames of a boot that a reader finds."""
    first_s = T0_S + BOOT_S * boot
    with Store.open_readonly(folder) as reader:
        headers = [unpack_header(f.data) for f in reader.frames(first_s - 10, first_s + BOOT_S - 10)]
    return {header[3] for header in headers if header[2] == boot}


def cut_row(folder: Path, seed: int, cuts: int, *, seconds: float = _SECONDS) -> FaultRow:
    """Cut the power at random moments of two days' recordings, and count what is gone."""
    row = FaultRow("power cut", seed)
    row.note = fsync_recorder.unavailable_reason()
    if row.note:
        row.note = f"not run: {row.note}"
        return row
    row.note = "what was fsynced survives, and any half of the sectors of the next fsync"
    rng = random.Random(seed)
    folder.mkdir()
    library = fsync_recorder.build(folder)
    command = [
        sys.executable,
        "-m",
        "tiltwise_lab.bench.storage.killed_host",
        str(folder / "store"),
        str(folder / "run" / "notes"),
    ]
    syncs = fsync_recorder.run_watched([*command, "1", str(seconds)], library, folder / "run")
    points = (
        rng.sample(range(len(syncs)), cuts) if cuts <= len(syncs) else rng.choices(range(len(syncs)), k=cuts)
    )
    for k, at in enumerate(points):
        left = folder / f"left-{k}"
        fsync_recorder.after_cut(syncs, at, folder / "store", left, rng)
        _count_after_cut(row, left, list(syncs[at].notes_before))
        shutil.rmtree(left)
    return row


def _count_after_cut(row: FaultRow, left: Path, notes: list[str]) -> None:
    """Start on what a cut left: record again, and look for what had been acknowledged."""
    began_s = time.monotonic()
    with Store(left, min_free_bytes=0) as store:
        # Receipts are forced to the disk now and then only: that a cut tore some is told. The frames are what counts.
        row.damaged += sum(not line.startswith(swap.RECEIPTS_NAMES) for line in store.reports)
        session = calibrated_session(store, 2)
        for j, frame in enumerate(frames_of(2, 4.0)):
            if any(isinstance(event, Command) for event in session.receive(0.2 * j, frame)):
                break
        row.restarts_s.append(time.monotonic() - began_s)
    _count_losses(row, left, 1, [line for line in notes if line.startswith("ack ")])
    row.damaged += broken(left)


# ---- trouble while recording ----


def store_fault_rows() -> Iterator[tuple[float, StoreFaultRow]]:
    """Yield (share done, row): each trouble begins and ends in the middle of a session."""
    for k, (name, begin) in enumerate(STORE_FAULTS.items()):
        with tempfile.TemporaryDirectory(prefix="tiltwise-trouble-") as folder:
            yield (k + 1) / len(STORE_FAULTS), store_fault_row(name, begin, Path(folder))


def store_fault_row(name: str, begin: Begin, folder: Path) -> StoreFaultRow:
    """Run a session of 70 s with a trouble from 10 to 50 s; the alert is due in between."""
    store = Store(folder, min_free_bytes=0)
    session = calibrated_session(store, 1, rule_s=20.0)
    messages: list[str] = []
    alerts, end = 0, None
    for k, frame in enumerate(_leaning_frames()):
        if k == _BEGIN:
            end = begin(store, folder)
        if k == _END and end is not None:
            end()
        events = session.receive(0.2 * k, frame)
        messages += [event.text for event in events if isinstance(event, LiveWarning)]
        alerts += sum(isinstance(event, EpisodeAlert) for event in events) if _BEGIN <= k < _END else 0
    session.finish()
    recovered = list(store.reports)
    refused = [line for line in messages if not line.startswith("storing again") and line not in recovered]
    resumed = session.unsaved == "" and (
        not refused or any(line.startswith("storing again") for line in messages)
    )
    present = stored(folder, 1)
    heads = [unpack_header(frame) for frame in _leaning_frames()]
    lost = sum(head[6] for head in heads if head[3] not in present)
    resumed = resumed and broken(folder) == 0
    message = (refused or recovered or [""])[0].replace(str(folder), "FOLDER")
    return StoreFaultRow(name, message, len(refused) + len(recovered), alerts, resumed, lost)


def _leaning_frames() -> list[bytes]:
    """Return 70 s of somebody who leans 35 deg forward after 5 s and stays there."""
    rng = np.random.default_rng(5)
    t_s = np.arange(3500) / 50
    ramp = np.clip((t_s - 5) / 2, 0, 1)
    sway = 0.6 * np.sin(2 * np.pi * 0.25 * t_s) + 0.4 * np.sin(2 * np.pi * 1.1 * t_s)  # who breathes wears it
    angle = np.radians(35 * ramp * ramp * (3 - 2 * ramp) + sway)
    nothing = np.zeros(len(t_s))
    acc = 9.80665 * np.stack((-np.sin(angle), nothing, np.cos(angle)), axis=1)
    gyr = np.stack((nothing, np.gradient(angle, t_s), nothing), axis=1)
    noise = rng.normal(0, 1, (2, len(t_s), 3))
    return pack_imu_frames(t_s, gyr + 0.002 * noise[0], acc + 0.02 * noise[1], rate_hz=50.0)
