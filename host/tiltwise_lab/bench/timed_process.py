"""Python in a process of its own, so that its time and its memory are its own. Times in s, memory in MB."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

_TIMED = (
    "import time, json, resource\n{setup}\nbegan, before = time.perf_counter(), time.process_time()\n{code}\n"
    "took, cpu = time.perf_counter() - began, time.process_time() - before\n"
    "print(json.dumps([took, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, n]))"
)
_PATIENCE_S = 3600


@dataclass(frozen=True, slots=True)
class Timed:
    """Wall and processor time, the most memory, and what the code left in `n`; NaN where it failed."""

    wall_s: float = float("nan")
    cpu_s: float = float("nan")
    most_mb: float = float("nan")
    n: int = 0


def timed_process(code: str, setup: str = "") -> Timed:
    """Run code that leaves a count in `n`; what setup takes before it is in the memory, not in the time."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code=code, setup=setup)],
        capture_output=True, text=True, check=False, timeout=_PATIENCE_S,
    )  # fmt: skip
    return Timed(*json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else Timed()
