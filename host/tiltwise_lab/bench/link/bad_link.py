"""`tiltwise bench link`: the whole system on a bad link.

Samples lost through disconnects, latency, time mapping, time to stream again. link_tables.py prints the outcomes.
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
    # The folder is made here: a process that is stopped would leave its own behind.
    with tempfile.TemporaryDirectory(prefix="tiltwise-link-") as name:
        jobs = [(run, Path(name, str(k))) for k, run in enumerate(wanted)]
        return run_in_processes(_run_job, jobs, show, weights=weights, processes=processes)


def _run_job(job: tuple[LinkRun, Path], show: Callable[[float], None]) -> Outcome:
    run, folder = job
    folder.mkdir()
    return run_virtually(_run(run, folder, show))


def run_link(run: LinkRun, show: Callable[[float], None]) -> Outcome:
    """Run a board and a host through the outages of a run in virtual time, and compare with the truth."""
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
