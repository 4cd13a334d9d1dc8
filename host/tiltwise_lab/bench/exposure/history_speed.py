"""How long a person waits for a day, a month and a year of a stored year, and how large a report is.

The commands run as typed, in processes of their own, on a year of 260 days of 8 h of minutes. Times in s.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path
from statistics import median

import numpy as np

from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.store.writer import Store
from tiltwise.types import Mount

DAYS, HOURS = 260, 8
_REPEATS = 3
_LAST = datetime(2026, 11, 20, 8, tzinfo=UTC)
_COMMANDS = (
    ("day plot", ("day", "2026-11-20"), 0.7),
    ("week plot", ("week", "2026-11-20"), nan),
    ("month plot", ("month", "2026-10"), nan),
    ("year plot", ("year", "2026"), 1.5),
    ("month report", ("report", "--from", "2026-10-01", "--to", "2026-10-31"), 4.0),
)


@dataclass(frozen=True, slots=True)
class WaitRow:
    """One command: median wall time and least processor time of the repeats in s, kB of what it wrote, goal in s."""

    what: str
    median_s: float
    best_cpu_s: float
    written_kb: float
    goal_s: float


def wait_rows(days: int = DAYS, repeats: int = _REPEATS) -> Iterator[tuple[float, WaitRow]]:
    """Yield the share done and a row for each command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_year(folder / "store", days)
        for k, (what, arguments, goal_s) in enumerate(_COMMANDS):
            out = folder / ("out.html" if arguments[0] == "report" else "out.png")
            walls, cpus = [], []
            for _ in range(repeats):
                began, before = time.perf_counter(), _children_cpu_s()
                _run(arguments, folder / "store", out)
                walls.append(time.perf_counter() - began)
                cpus.append(_children_cpu_s() - before)
            row = WaitRow(what, median(walls), min(cpus), out.stat().st_size / 1e3, goal_s)
            yield (k + 1) / len(_COMMANDS), row


def month_report(folder: Path, days: int = DAYS) -> Path:
    """Write a store and the report of a month of it into a folder, and return the page."""
    _write_year(folder / "store", days)
    page = folder / "month.html"
    _run(_COMMANDS[-1][1], folder / "store", page)
    return page


def _run(arguments: Sequence[str], store: Path, out: Path) -> None:
    command = [sys.executable, "-m", "tiltwise", *arguments, "--data", str(store), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)


def _children_cpu_s() -> float:
    """Return the processor time of the commands so far; 0 where the system does not tell (Windows)."""
    times = os.times()
    return times.children_user + times.children_system


def _write_year(folder: Path, days: int) -> None:
    rng = np.random.default_rng(1)
    t = np.arange(0, HOURS * 3600 + 1.0)
    with Store(folder, min_free_bytes=0) as store:
        for k in reversed(range(days)):
            start_s = (_LAST - timedelta(days=k + k // 5 * 2)).timestamp()
            bent = np.repeat(rng.random(len(t) // 300 + 1) < rng.uniform(0.05, 0.5), 300)[: len(t)]
            angle = 8 + 4 * np.sin(t / 900) + rng.normal(0, 1.5, len(t)) + 22 * bent
            exposure = ExposureAccumulator(ExposureSettings(mount=Mount.HEAD, max_gap_s=1.5))
            rows = exposure.process(start_s + t, angle, np.zeros(len(t), dtype=np.int8)) + exposure.finish()
            session = store.begin_session("year", k + 1, zone="UTC", mount=Mount.HEAD, started_s=start_s)
            store.put_aggregates(session, rows)
            store.commit()
