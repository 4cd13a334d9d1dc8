"""Memory (MB), CPU (s), open files and threads of a process, from /proc on Linux.

soak.py reads this process, watch_process.py a `tiltwise watch` of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One look at a process: resident memory, open files, threads, CPU time of itself and the kernel for it."""

    resident_mb: float
    files: int
    threads: int
    cpu_s: float


def unavailable_reason() -> str:
    """Return why processes cannot be looked at here, an empty text when they can."""
    return "" if Path("/proc/self/statm").exists() else "needs /proc (Linux)"


def read_process(pid: int) -> ProcessState:
    """Return the state of a process; OSError when it has ended."""
    folder = Path("/proc") / str(pid)
    pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
    # The name stands in brackets and may hold spaces: count from behind the last bracket (proc(5)).
    fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system, threads = int(fields[11]), int(fields[12]), int(fields[17])
    return ProcessState(
        resident_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        files=sum(1 for _ in (folder / "fd").iterdir()),
        threads=threads,
        cpu_s=(user + system) / os.sysconf("SC_CLK_TCK"),
    )


def log_mb(folder: Path) -> float:
    """Return the size of the write-ahead logs of a store, MB."""
    return sum(path.stat().st_size for path in folder.glob("*-wal")) / 1e6


def growth(values: Sequence[float]) -> tuple[float, float, float]:
    """Return (where it began, what it grew by, the largest above the beginning) of values in order of time.

    Beginning and end are medians of the first and the last tenth, so that one look in the middle of a commit is no
    growth.
    """
    tenth = max(1, len(values) // 10)
    began = median(values[:tenth])
    return began, median(values[-tenth:]) - began, max(values) - began


def span(values: Sequence[int]) -> str:
    """Return the least and the greatest of some numbers, one number when they are the same."""
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"
