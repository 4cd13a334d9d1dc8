"""`tiltwise bench link`: the whole system on a bad link, forged packets, a long run, a year of days.

Samples lost through disconnects, latency, time mapping, time to stream again; what was accepted of what no board or
host of ours said; growth of memory and open files; size and reading times. Before it: link_trial.py. Prints nothing;
returns rows for the tables in app/bench.py.
"""

from __future__ import annotations

import math
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from tiltwise.app.link_trial import Air, Trial
from tiltwise.app.store import Store
from tiltwise.common import wire
from tiltwise.common.auth import Handshake
from tiltwise.common.channel import Channel
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import Mount

T = TypeVar("T")
DISCONNECTS = 1000
OUTAGE_S = (0.1, 600.0)  # shortest and longest, evenly on a logarithmic scale
UP_S = (5.0, 25.0)  # with the link there, between two outages
ROUGH = Air(loss=0.03, twice=0.02, late=0.02)
LARGE_RING, SMALL_RING = 8000, 150  # frames: more than any outage here, and half a minute
FORGED = 1_000_000
SOAK_HOURS, WARM_UP_HOURS = 24.0, 1.0
DAYS, HOURS_A_DAY = 260, 8
_SAID = (b"simboard", 7, 0, 0)  # device id, boot, wishes, granted
_KEY, _OTHER_KEY = bytes(range(1, 33)), bytes(range(2, 34))


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One run. Samples counted; times in s; `exact`: what the host was told is lost is exactly what was."""

    ring: str
    seed: int
    disconnects: int
    hours: float
    samples: int
    lost: int
    told_lost: int
    exact: bool
    age_p50_s: float
    age_p99_s: float
    clock_p95_s: float  # of the absolute error
    clock_bias_s: float  # median: the least delay of the link, which frames alone cannot tell
    reconnect_p50_s: float
    reconnect_p95_s: float


def link_rows(seed: int = 1, disconnects: int = DISCONNECTS) -> Iterator[tuple[float, LinkRow]]:
    """Yield (share done, row): outages within the ring, outages beyond it, and a healthy link."""
    runs: list[tuple[str, int, Air, int]] = [
        ("healthy link", LARGE_RING, Air(), 0),
        (f"small, {SMALL_RING} frames", SMALL_RING, ROUGH, disconnects // 5),
        (f"large, {LARGE_RING} frames", LARGE_RING, ROUGH, disconnects),
    ]
    for k, (name, ring, air, n) in enumerate(runs):
        yield (k + 1) / len(runs), link_row(name, seed=seed, ring_frames=ring, air=air, disconnects=n)


def link_row(
    name: str, *, seed: int, ring_frames: int, air: Air, disconnects: int, up_s: float = 600.0
) -> LinkRow:
    """Run a board and a host through so many outages; without any, for `up_s`."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tiltwise-link-") as folder:
        trial = Trial(Path(folder), seed=seed, ring_frames=ring_frames, air=air)
        for _ in range(disconnects):
            trial.run(rng.uniform(*UP_S))
            trial.outage(math.exp(rng.uniform(math.log(OUTAGE_S[0]), math.log(OUTAGE_S[1]))))
        trial.run(up_s if disconnects == 0 else UP_S[1])
        trial.settle()
        stored = trial.stored()
    return _row(name, seed, disconnects, trial, stored)


def _row(name: str, seed: int, disconnects: int, trial: Trial, stored: set[int]) -> LinkRow:
    first, last = min(stored), max(stored)
    made = {seq for seq in trial.made if first <= seq <= last}
    lost = made - stored
    told = trial.gone - stored
    # The age of every live sample when its angle has been judged: an alert may hang on any of them.
    age_s = np.concatenate(trial.seen.sample_age_s)
    reconnect_s = trial.seen.reconnect_s[1:] or trial.seen.reconnect_s
    return LinkRow(
        ring=name, seed=seed, disconnects=disconnects, hours=trial.now_s / 3600,
        samples=sum(trial.made[seq] for seq in made), lost=sum(trial.made[seq] for seq in lost),
        told_lost=sum(trial.made.get(seq, 0) for seq in told), exact=lost == told and lost <= trial.dropped,
        age_p50_s=float(np.percentile(age_s, 50)), age_p99_s=float(np.percentile(age_s, 99)),
        clock_p95_s=float(np.percentile(np.abs(trial.seen.clock_error_s), 95)),
        clock_bias_s=float(np.median(trial.seen.clock_error_s)),
        reconnect_p50_s=float(np.percentile(reconnect_s, 50)), reconnect_p95_s=float(np.percentile(reconnect_s, 95)),
    )  # fmt: skip


# ---- what nobody said ----


@dataclass(frozen=True, slots=True)
class ForgedRow:
    """Packets of one kind that must not pass, how many there were, and how many passed."""

    kind: str
    tried: int
    accepted: int


def _channels(key: bytes, host_key: bytes, nonce: bytes) -> tuple[Channel, Channel]:
    """Return what board and host hold of a session between them; with one key it is the same session."""
    board, host = Handshake(key, *_SAID, nonce, bytes(16)), Handshake(host_key, *_SAID, nonce, bytes(16))
    return Channel(board, is_host=False), Channel(host, is_host=True)


def _a_frame(seq: int) -> bytearray:
    frame = bytearray(wire.frame_size(wire.ORIENT, 10))
    wire.pack_header_into(frame, wire.ORIENT, 0, 7, seq, 10 * seq, 2000 * seq, 10, 0, 5)
    return frame


def _sealed(channel: Channel, seq: int) -> bytes:
    frame = _a_frame(seq)
    sealed: bytearray = channel.seal(frame, len(frame), bytearray(len(frame)))
    return bytes(sealed)


def forged_rows(seed: int = 1, n: int = FORGED) -> Iterator[tuple[float, ForgedRow]]:
    """Yield (share done, row) for each way to say what was not said; n packets together."""
    kinds = _forgeries(random.Random(seed))
    for k, (kind, attempt) in enumerate(kinds.items()):
        tried = n // len(kinds)
        accepted = sum(attempt() for _ in range(tried))
        yield (k + 1) / len(kinds), ForgedRow(kind, tried, accepted)


def _forgeries(rng: random.Random) -> dict[str, Callable[[], bool]]:
    """Return attempts by name; each returns whether it was believed."""
    board, host = _channels(_KEY, _KEY, b"n" * 16)
    old_board, _ = _channels(_KEY, _KEY, b"o" * 16)
    stranger_board, stranger = _channels(_OTHER_KEY, _OTHER_KEY, b"n" * 16)
    frames = [_sealed(board, k) for k in range(64)]
    old_frames = [_sealed(old_board, k) for k in range(64)]
    commands = [host.pack(0x20 + k, wire.OP_MOTOR, b"\1\2") for k in range(64)]
    for command in commands:
        board.open(command)
    replies = [board.pack(0x20 + k, wire.OP_MOTOR | wire.REPLY, b"\0") for k in range(64)]
    for reply in replies:
        host.open(reply)

    def changed(data: bytes) -> bytes:
        out = bytearray(data)
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        return bytes(out) if rng.random() < 0.8 else bytes(out[: rng.randrange(len(out))])

    def sealed_by_stranger() -> bytes:
        return _sealed(stranger_board, rng.getrandbits(32))

    def checksummed() -> bytes:
        frame = _a_frame(rng.getrandbits(32))
        wire.seal(frame, len(frame))
        return bytes(frame)

    def wild() -> bytes:
        return rng.randbytes(rng.randint(1, wire.MAX_COMMAND))

    return {
        "frame, changed or cut": lambda: _believes(host.open_frame, changed(rng.choice(frames))),
        "frame, of an earlier session": lambda: _believes(host.open_frame, rng.choice(old_frames)),
        "frame, of another key": lambda: _believes(host.open_frame, sealed_by_stranger()),
        "frame, with a checksum for a tag": lambda: _believes(host.open_frame, checksummed()),
        "frame, any bytes": lambda: _believes(host.open_frame, wild()),
        "command, changed or cut": lambda: _believes(board.open, changed(rng.choice(commands))),
        "command, replayed": lambda: _believes(board.open, rng.choice(commands)),
        "command, of another key": lambda: _believes(board.open, stranger.pack(0x40, wire.OP_MOTOR, b"\1\2")),
        "command, any bytes": lambda: _believes(board.open, wild()),
        "reply, changed or cut": lambda: _believes(host.open, changed(rng.choice(replies))),
        "reply, replayed": lambda: _believes(host.open, rng.choice(replies)),
        "reply, a command of ours sent back": lambda: _believes(
            host.open, host.pack(0x41, wire.OP_MOTOR, b"\1")
        ),
    }


def _believes(opens: Callable[[bytes], object], data: bytes) -> bool:
    try:
        opens(data)
    except wire.WireError:
        return False
    return True


# ---- a long run ----


@dataclass(frozen=True, slots=True)
class SoakRow:
    """A long run at high speed: growth of memory in MB and open files after the warm-up, CPU at real speed."""

    hours: float
    grown_mb: float
    files_before: int
    files_after: int
    wal_mb: float
    cpu_percent: float


def soak_rows(
    seed: int = 1, hours: float = SOAK_HOURS, warm_up: float = WARM_UP_HOURS
) -> Iterator[tuple[float, SoakRow]]:
    """Yield (1.0, row) of a healthy link; the CPU share is that of board and host together at real speed."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-soak-") as folder:
        trial = Trial(Path(folder), seed=seed, ring_frames=300, air=Air())
        _soak(trial, warm_up)
        mb, files, cpu_s = _resident_mb(), _open_files(), time.process_time()
        _soak(trial, hours)
        cpu_s = time.process_time() - cpu_s
        grown, after = _resident_mb() - mb, _open_files()
        wal = sum(path.stat().st_size for path in Path(folder).glob("*-wal")) / 1e6
        trial.settle()
    yield 1.0, SoakRow(hours, grown, files, after, wal, cpu_s / (hours * 3600) * 100)


def _soak(trial: Trial, hours: float) -> None:
    for _ in range(max(1, round(hours * 60))):
        trial.run(60.0)
        trial.made.clear()  # the bench's own notes must not count as growth
        trial.seen.sample_age_s.clear()
        trial.seen.clock_error_s.clear()


def _resident_mb() -> float:
    """Return the memory that this process holds; NaN where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else -1


# ---- a year ----


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year of days in the store: size of angles and events, and how long reading takes."""

    days: int
    size_mb: float
    day_s: float
    year_s: float
    list_s: float


def year_rows(seed: int = 1, days: int = DAYS) -> Iterator[tuple[float, YearRow]]:
    """Yield (1.0, row) of so many days of 8 h; raw samples are in month files and are not read for this."""
    rng = np.random.default_rng(seed)
    start_s = datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()
    with tempfile.TemporaryDirectory(prefix="tiltwise-year-") as name:
        folder = Path(name)
        with Store(folder, min_free_bytes=0) as store:
            session = store.begin_session(
                "year", 1, zone="Europe/Berlin", mount=Mount.NECK, started_s=start_s
            )
            for day in range(days):
                first_s = start_s + 86400 * (day + day // 5 * 2)
                store.put_aggregates(
                    session, [_minute(first_s + 60 * m, rng) for m in range(HOURS_A_DAY * 60)]
                )
                store.commit()
        size = (folder / "core.db").stat().st_size
        with Store.open_readonly(folder) as reader:
            found, list_s = _timed(reader.days)
            _, year_s = _timed(lambda: reader.totals(found[0], found[-1]))
            _, day_s = _timed(lambda: reader.day(found[len(found) // 2]))
    yield 1.0, YearRow(len(found), size / 1e6, day_s, year_s, list_s)


def _timed(read: Callable[[], T]) -> tuple[T, float]:
    began_s = time.perf_counter()
    value = read()
    return value, time.perf_counter() - began_s


def _minute(start_s: float, rng: np.random.Generator) -> Aggregate:
    """Return a plausible minute of sitting."""
    flexion = np.zeros((2, agg.N_FLEXION))
    bins = rng.normal(18, 4, 600).astype(int) - agg.FLEXION_MIN_DEG
    flexion[0] = np.bincount(bins, minlength=agg.N_FLEXION) * 0.1
    activity = np.array([flexion.sum(), 0, 0, 0, 0])
    rate = np.full(agg.N_RATE, activity.sum() / agg.N_RATE)
    return Aggregate(
        start_s, activity, flexion, rate, np.zeros(agg.EVA_SHAPE), 0.1, 12.0, (-3.0, 4.0), (-2.0, 2.0)
    )
