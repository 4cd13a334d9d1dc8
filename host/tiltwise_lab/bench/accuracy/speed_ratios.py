"""`tiltwise bench speed`: processor time of our orientation beside VQF's compiled filters, on the same samples.

Processor and not wall time, and the best of the repeats taken in turns, so that other programs disturb both alike.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vqf

from tiltwise.motion.orientation.estimator import OrientationStage, estimate_orientation
from tiltwise_lab.bench.accuracy.processing_speed import RATE_HZ, made_day, offline_path


@dataclass(frozen=True, slots=True)
class RatioRow:
    """What of ours, beside which peer: processor time in s of both, and the goal of their ratio."""

    ours: str
    peer: str
    ours_s: float
    peer_s: float
    goal: float

    @property
    def ratio(self) -> float:
        """Ours per peer."""
        return self.ours_s / self.peer_s


def ratio_rows(hours: float = 8.0, *, repeats: int = 3, seed: int = 1) -> Iterator[tuple[float, RatioRow]]:
    """Yield the share done and a row for each comparison."""
    day = made_day(hours, seed)
    t_s, gyr, acc = day.imu.t_s, day.imu.gyr_rad_s, day.imu.acc_m_s2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.npz"
        np.savez(path, t=t_s, gyr=gyr, acc=acc)
        runs: dict[str, Callable[[], object]] = {
            "VQF": lambda: vqf.VQF(1 / RATE_HZ).updateBatch(gyr, acc),
            "offlineVQF": lambda: vqf.offlineVQF(gyr, acc, None, 1 / RATE_HZ),
            "online orientation": lambda: OrientationStage().process(day.imu),
            "offline orientation": lambda: estimate_orientation(t_s, gyr, acc, offline=True),
            ".npz to summary": lambda: offline_path(path, day.mounting),
        }
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(repeats):
            for name, run in runs.items():
                best[name] = min(best[name], _cpu_s(run))
    pairs = (
        ("online orientation", "VQF", 2.0),
        ("offline orientation", "offlineVQF", 1.2),
        (".npz to summary", "VQF", 3.0),
    )
    for k, (ours, peer, goal) in enumerate(pairs):
        yield (k + 1) / len(pairs), RatioRow(ours, peer, best[ours], best[peer], goal)


def _cpu_s(run: Callable[[], object]) -> float:
    began_s = time.process_time()
    run()
    return time.process_time() - began_s
