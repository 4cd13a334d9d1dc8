"""`tiltwise bench link`: the whole system on a bad link, and forged packets.

Samples lost through disconnects, latency, time mapping, time to stream again; what was accepted of what no board
or host of ours said. Prints nothing; returns rows for the tables in link_tables.py.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.common import wire
from tiltwise.common.auth import Handshake
from tiltwise.common.channel import Channel
from tiltwise.types import FloatArray
from tiltwise_lab.bench.link.expected_samples import Losses, TrueTimes, errors_s, losses, stored_utc_s
from tiltwise_lab.bench.link.link_trial import LinkTrial
from tiltwise_lab.bench.parallel import run_in_processes
from tiltwise_lab.radio.lossy_link import Conditions
from tiltwise_lab.radio.virtual_time import run_virtually

DISCONNECTS = 1000
OUTAGE_S = (0.1, 600.0)  # shortest and longest, evenly on a logarithmic scale
UP_S = (5.0, 25.0)  # with the link there, between two outages
PARTS = 4  # runs with seeds of their own that the outages are divided among, so that all cores work
HEALTHY_S = 3 * 3600.0
ROUGH = Conditions(loss=0.03, twice=0.02, late=0.02, lost_answers=0.003)
LARGE_RING, SMALL_RING = 8000, 300  # frames: more than any outage here, and less than a minute
HEALTHY, SMALL, LARGE = "healthy link", "small ring", "large ring"
_PIECES = 20  # of the last stretch, for the progress bar
FORGED = 1_000_000
_SESSION = (b"simboard", 7, 0, 0)  # device id, boot, wishes, granted
_KEY, _OTHER_KEY = bytes(range(1, 33)), bytes(range(2, 34))


@dataclass(frozen=True, slots=True)
class LinkRun:
    """One run in a process of its own. Without outages it lasts `up_s`."""

    name: str
    seed: int
    ring_frames: int
    conditions: Conditions
    outages: int = 0
    up_s: float = UP_S[1]

    @property
    def seconds(self) -> float:
        """How much virtual time it takes, about."""
        mean_s = (OUTAGE_S[1] - OUTAGE_S[0]) / math.log(OUTAGE_S[1] / OUTAGE_S[0])
        return self.outages * (mean_s + sum(UP_S) / 2) + self.up_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run measured. Times in s; errors are of the UTC of a frame's first sample."""

    run: LinkRun
    hours: float
    connections: int
    losses: Losses
    warnings: tuple[str, ...]
    age_s: FloatArray
    compute_s: FloatArray
    alert_age_s: FloatArray
    alert_true_s: FloatArray
    used_error_s: FloatArray  # as the session took it at the moment of use
    live_error_s: FloatArray  # of the same frames, as stored
    backfill_error_s: FloatArray  # of those that came later, as stored
    back_s: FloatArray


def link_runs(seed: int = 1, scale: float = 1.0) -> list[LinkRun]:
    """Return the runs: a healthy link; outages beyond a small ring; outages within a large one."""
    found = [LinkRun(HEALTHY, seed, LARGE_RING, Conditions(), up_s=max(600.0, HEALTHY_S * scale))]
    for name, ring, outages in ((SMALL, SMALL_RING, DISCONNECTS // 5), (LARGE, LARGE_RING, DISCONNECTS)):
        n = max(PARTS, round(outages * scale))
        found += [LinkRun(name, seed + k, ring, ROUGH, n // PARTS + (k < n % PARTS)) for k in range(PARTS)]
    return found


def link_outcomes(
    wanted: Sequence[LinkRun], show: Callable[[float], None], *, processes: int | None = None
) -> list[Outcome]:
    """Run the plans side by side; `show` gets the share that is done."""
    weights = [run.seconds for run in wanted]
    with tempfile.TemporaryDirectory(
        prefix="tiltwise-link-"
    ) as name:  # here, for who is stopped leaves it behind
        jobs = [(run, Path(name, str(k))) for k, run in enumerate(wanted)]
        return run_in_processes(_run_job, jobs, show, weights=weights, processes=processes)


def _run_job(job: tuple[LinkRun, Path], show: Callable[[float], None]) -> Outcome:
    run, folder = job
    folder.mkdir()
    return run_virtually(_run(run, folder, show))


def run_link(run: LinkRun, show: Callable[[float], None]) -> Outcome:
    """Run a board and a host through so many outages in virtual time, and compare with the truth."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-link-") as name:
        return run_virtually(_run(run, Path(name), show))


async def _run(run: LinkRun, folder: Path, show: Callable[[float], None]) -> Outcome:
    loop = asyncio.get_running_loop()
    trial = LinkTrial(folder, seed=run.seed, ring_frames=run.ring_frames, conditions=run.conditions)
    rng = random.Random(run.seed)
    async with trial:
        for _ in range(run.outages):
            await trial.pass_time(rng.uniform(*UP_S))
            await trial.outage(math.exp(rng.uniform(*np.log(OUTAGE_S))))
            show(min(loop.time() / run.seconds, 1.0))
        for _ in range(_PIECES):
            await trial.pass_time(run.up_s / _PIECES)
            show(min(loop.time() / run.seconds, 1.0))
        await trial.settle()
        settled = trial.settled()
        hours = loop.time() / 3600
    return _outcome(run, trial, settled, hours)


def _outcome(run: LinkRun, trial: LinkTrial, settled: list[tuple[int, int]], hours: float) -> Outcome:
    board, host = trial.board_log, trial.host_log
    times, stored = TrueTimes(trial, board), stored_utc_s(trial)
    later = {seq: utc_s for seq, utc_s in stored.items() if seq not in host.came_live}
    at_once = {seq: utc_s for seq, utc_s in stored.items() if seq in host.came_live}
    return Outcome(
        run, hours, trial.supervisor.connections, losses(trial, times, stored, settled),
        warnings=tuple(dict.fromkeys(trial.warnings)),
        age_s=np.array(host.age_s, dtype=float), compute_s=np.array(host.compute_s, dtype=float),
        alert_age_s=np.array(host.alert_age_s), alert_true_s=np.array([] if run.outages else host.alert_true_s),
        used_error_s=errors_s(times, board, host.used), live_error_s=errors_s(times, board, at_once),
        backfill_error_s=errors_s(times, board, later), back_s=np.array(host.back_s),
    )  # fmt: skip


# ---- forged packets ----


@dataclass(frozen=True, slots=True)
class ForgedRow:
    """Packets of one kind that must not pass, how many there were, and how many passed."""

    kind: str
    tried: int
    accepted: int


def _channels(key: bytes, host_key: bytes, nonce: bytes) -> tuple[Channel, Channel]:
    """Return what board and host hold of a session between them; with one key it is the same session."""
    board, host = (
        Handshake(key, *_SESSION, nonce, bytes(16)),
        Handshake(host_key, *_SESSION, nonce, bytes(16)),
    )
    return Channel(board, is_host=False), Channel(host, is_host=True)


def _a_frame(seq: int) -> bytearray:
    frame = bytearray(wire.frame_size(wire.ORIENT, 10))
    wire.pack_header_into(frame, wire.ORIENT, 0, 7, seq, 10 * seq, 2000 * seq, 10, 0, 5)
    return frame


def _sealed(channel: Channel, seq: int) -> bytes:
    frame = _a_frame(seq)
    sealed: bytearray = channel.seal(frame, len(frame), bytearray(len(frame)))
    return bytes(sealed)


def forged_rows(
    seed: int = 1,
    n: int = FORGED,
    show: Callable[[float], None] = lambda _share: None,
    *,
    processes: int | None = None,
) -> list[ForgedRow]:
    """Return a row for each way to say what was not said; n packets together."""
    kinds = list(_forgeries(random.Random(seed)))
    jobs = [(kind, seed, n // len(kinds) + (k < n % len(kinds))) for k, kind in enumerate(kinds)]
    return run_in_processes(_forge, jobs, show, weights=[1.0] * len(jobs), processes=processes)


def _forge(job: tuple[str, int, int], show: Callable[[float], None]) -> ForgedRow:
    kind, seed, n = job
    attempt = _forgeries(random.Random(seed))[kind]
    accepted = 0
    for k in range(n):
        accepted += attempt()
        if k % 1000 == 0:
            show(k / n)
    return ForgedRow(kind, n, accepted)


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
