"""`tiltwise bench store`, second part: time from starting the killed program again to its first durable frame.

Measured from the start of the interpreter until another process reads the new session from the database.
storage_tables.py prints the rows.
"""

from __future__ import annotations

import math
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiltwise.store.writer import Store, StoreError
from tiltwise_lab.bench.process_stats import read_process, unavailable_reason
from tiltwise_lab.bench.storage.watch_process import PROGRAM, environment, quiet_home

RESTARTS = 30
_MOST_S = 2.0  # from the first commit to the kill
_POLL_S = 0.002
_DEADLINE_S = 300.0  # a starved machine is slow, not broken
_IMPORTS = {  # what Python runs, beside the program's own start
    "python alone": "pass",
    "and numpy": "import numpy",
    "and scipy.signal": "import numpy, scipy.signal",
    "and all that watch imports": "import tiltwise.app.cli, tiltwise.app.watch",
}
_IMPORT_RUNS = 5


@dataclass(frozen=True, slots=True)
class StartRow:
    """What was started, after how many s it was ready, and the CPU time that it took (NaN where nobody tells)."""

    what: str
    seconds: float
    cpu_s: float


def start_rows(seed: int = 1, restarts: int = RESTARTS) -> Iterator[tuple[float, StartRow]]:
    """Yield (share done, row): imports alone, then the program after each kill."""
    n = len(_IMPORTS) * _IMPORT_RUNS + restarts
    done = 0
    for what, code in _IMPORTS.items():
        for _ in range(_IMPORT_RUNS):
            done += 1
            yield done / n, StartRow(what, *_import_s(code))
    for seconds, cpu_s in restart_seconds(seed, restarts):
        done += 1
        yield done / n, StartRow("watch after kill -9", seconds, cpu_s)


def _import_s(code: str) -> tuple[float, float]:
    before, began_s = os.times(), time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True)
    seconds, after = time.monotonic() - began_s, os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, cpu_s


def restart_seconds(seed: int, restarts: int) -> Iterator[tuple[float, float]]:
    """Yield (time, CPU time) to the first durable frame of each start after a kill; the very first does not count."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tiltwise-restart-") as name:
        folder = Path(name)
        home = quiet_home(folder)
        for k in range(restarts + 1):
            took = _run_and_kill(folder / "store", home, seed + k, rng.uniform(0, _MOST_S))
            if k > 0:
                yield took


def _run_and_kill(store: Path, home: Path, seed: int, more_s: float) -> tuple[float, float]:
    before = _devices(store)
    began_s = time.monotonic()
    command = [*PROGRAM, "watch", f"sim:desk?minutes=60&seed={seed}", "--data", str(store)]
    with subprocess.Popen(
        command, env=environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        try:
            while _devices(store) == before:
                if child.poll() is not None or time.monotonic() - began_s > _DEADLINE_S:
                    how = "committed nothing" if child.poll() is None else f"ended with {child.returncode}"
                    raise RuntimeError(
                        f"watch {how} in {time.monotonic() - began_s:.0f} s: {_stderr_of(child)}"
                    )
                select.select([], [], [], _POLL_S)
            seconds = time.monotonic() - began_s
            cpu_s = math.nan if unavailable_reason() else read_process(child.pid).cpu_s
            select.select([], [], [], more_s)
        finally:
            child.kill()
    return seconds, cpu_s


def _stderr_of(child: subprocess.Popen[bytes]) -> str:
    child.kill()
    return child.communicate()[1].decode(errors="replace").strip()[-300:]


def _devices(store: Path) -> int:
    """Return how many devices a reader finds; a run on a simulated board is a device of its own."""
    if not (store / "core.db").exists():
        return 0
    try:
        with Store.open_readonly(store) as reader:
            return len(reader.devices())
    except StoreError:  # the file is there, its tables are not yet
        return 0
