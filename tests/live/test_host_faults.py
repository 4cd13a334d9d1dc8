"""What happens to the computer: killed at each step of a commit, out of memory, a store that others hold."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live.feed import commands, stored_seqs
from live.feed import warnings as warnings_of
from store.store_frames import T0_S, frame, opened, utc_s
from tiltwise.common import wire
from tiltwise.live.open_session import Worn, open_session
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.store import staging
from tiltwise.store.files import schema
from tiltwise.store.writer import Store
from tiltwise.types import Mount
from tiltwise_lab.bench.storage.killed_host import calibrated_session, frames_of

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork (Linux, macOS)")


def in_a_process_of_its_own(work: Callable[[int], None]) -> tuple[str, int]:
    """Fork, let the child work with a file to write notes to, and return the notes and how it ended."""
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(into)
        with contextlib.suppress(BaseException):
            work(out)
            os._exit(0)
        os._exit(1)
    os.close(out)
    with os.fdopen(into, "rb") as notes:
        said = notes.read().decode()
    return said, os.waitpid(child, 0)[1]


def acknowledged(notes: str) -> int:
    """Return the last number that was acknowledged, -1 for none; a torn last line counts for nothing."""
    whole = notes[: notes.rfind("\n") + 1].split()
    return int(whole[-1]) if whole else -1


class Counted(sqlite3.Connection):
    """Kills its process before the statement of this number, counted over all connections."""

    done = 0
    fatal: int | None = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.set_trace_callback(self._count)

    @staticmethod
    def _count(_statement: str) -> None:
        Counted.done += 1
        if Counted.done == Counted.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def write(folder: Path, notes: int, fatal: int | None) -> None:
    """Commit in three steps, of which the second spans a minute and makes chunks; note what was acknowledged."""
    connect = sqlite3.connect
    Counted.done, Counted.fatal = 0, fatal
    sqlite3.connect = lambda *a, **k: connect(*a, **{**k, "factory": Counted})  # type: ignore[assignment]
    store = Store(folder, min_free_bytes=0)
    session = store.begin_session("b", 7, zone="UTC", mount=Mount.NECK, started_s=T0_S)
    for seqs in (range(50), range(50, 340), range(340, 350)):
        store.append(session, opened([frame(k) for k in seqs]), [utc_s(k) for k in seqs])
        settled = store.commit().settled[session]
        os.write(notes, b"%d\n" % settled)
    store.close()
    if fatal is None:
        os.write(notes, b"statements %d\n" % Counted.done)


@needs_fork
def test_kill_9_before_every_statement_of_every_commit_loses_nothing(tmp_path: Path) -> None:
    said, _ = in_a_process_of_its_own(lambda notes: write(tmp_path / "whole", notes, None))
    statements = int(said.split()[-1])
    assert statements > 40
    for fatal in range(1, statements + 1):
        folder = tmp_path / str(fatal)
        notes, ended = in_a_process_of_its_own(lambda out, to=folder, n=fatal: write(to, out, n))  # type: ignore[misc]
        assert os.WTERMSIG(ended) == signal.SIGKILL, "the number of statements is not the same each time"
        with Store(folder, min_free_bytes=0) as store:
            assert store.reports == [], fatal
            session = store.begin_session("b", 7, zone="UTC", mount=Mount.NECK, started_s=T0_S)
            store.append(session, opened([frame(350)]), [utc_s(350)])
            store.commit()
        assert stored_seqs(folder) >= {*range(acknowledged(notes) + 1), 350}, fatal
        for path in folder.glob("*.db"):
            with contextlib.closing(sqlite3.connect(path)) as db:
                assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def live_within(folder: Path, notes: int) -> None:
    """Record, and after 20 s get no more memory than there is at that moment."""
    import resource

    session = calibrated_session(Store(folder, min_free_bytes=0), 1)
    hoard: list[bytes] = []
    for k, received in enumerate(frames_of(1, 80.0)):
        if k == 100:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE"),) * 2)
            for size in (1 << 20, 1 << 14, 1 << 10):
                with contextlib.suppress(MemoryError):
                    while True:
                        hoard.append(bytes(size))
        for command in commands(session.receive(0.2 * k, received)):
            _, opcode, _, payload = wire.open_command(command)
            if opcode == wire.OP_ACK:
                os.write(notes, b"%d\n" % struct.unpack("<HIH", payload)[1])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_limit_of_memory_that_is_met_damages_nothing(tmp_path: Path) -> None:
    notes, ended = in_a_process_of_its_own(lambda out: live_within(tmp_path, out))
    assert ended != 0, "the limit was not met"
    last = acknowledged(notes)
    assert last > 80
    assert stored_seqs(tmp_path) >= set(range(last + 1))
    store = Store(tmp_path, min_free_bytes=0)
    assert store.reports == []
    session = calibrated_session(store, 2)
    for k, received in enumerate(frames_of(2, 5.0)):
        session.receive(0.2 * k, received)
    session.finish()
    assert session.unsaved == ""


def test_a_disk_that_refuses_for_hours_costs_a_stated_amount_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert staging._MOST_STAGED * 250 < 64e6, "bytes of frames that wait in memory"
    monkeypatch.setattr(staging, "_MOST_STAGED", 1000)
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("b", 7, zone="UTC", mount=Mount.NECK, started_s=T0_S)
        for seq in range(3000):
            store.append(session, opened([frame(seq)]), [utc_s(seq)])
        assert store.commit().frames == 1000
        assert store.append(session, opened([frame(0)]), [utc_s(0)]) == 1, "what was given up may come again"
        store.commit()
    assert stored_seqs(tmp_path) == {0, *range(2000, 3000)}


@pytest.mark.parametrize("fetches", [False, True], ids=["plain", "fetching"])
def test_a_store_that_is_held_from_the_first_frame_on_is_told_once_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetches: bool
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 5)
    upright = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)
    session = open_session(
        Worn(mount=Mount.NECK, mounting=upright),
        started_utc_s=T0_S,
        device="clip",
        store=Store(tmp_path, min_free_bytes=0),
        fetches=fetches,
    )
    other = sqlite3.connect(tmp_path / "core.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    if fetches:
        boots = b"\0" + struct.pack("<HII", 1, 0, 3)
        session.receive(0.0, bytes(wire.pack_command(0x20, wire.OP_BOOTS | wire.REPLY, 0, boots)))
    warnings: list[str] = []
    acks: list[int] = []
    frames = frames_of(1, 40.0)
    for k, received in enumerate(frames):
        if k == 100:
            assert set(acks) == {wire.NOTHING_STORED}
            other.close()
        update = session.receive(0.2 * k, received)
        warnings += warnings_of(update)
        sent = [wire.open_command(command) for command in commands(update)]
        acks += [struct.unpack("<HIH", body)[1] for _, opcode, _, body in sent if opcode == wire.OP_ACK]
    session.finish()
    assert session.unsaved == ""
    assert len(warnings) == 2, "once that it cannot, once that it can again"
    assert acks[-1] > 150
    assert stored_seqs(tmp_path) == set(range(len(frames)))
