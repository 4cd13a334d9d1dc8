"""`tiltwise bench watch`: memory, files, threads and CPU of `tiltwise watch` in real time, measured from outside.

Three processes at once: with the simulated board inside, and fed with recorded frames (the host's share alone), with
a terminal to draw into and without. storage_tables.py prints the rows. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tiltwise.store.files.schema import CORE_NAME
from tiltwise_lab.bench.process_stats import ProcessState, growth, log_mb, read_process, span

MINUTES = 30.0
WARM_UP_SHARE = 0.2  # of the whole time: calibration, first chunks, first reading of everything
_LOOKS, _LOOK_EVERY_S = 10, 5.0  # at least so many, and so often
PROGRAM = (sys.executable, "-c", "from tiltwise.app.cli import main; main()")
_DEADLINE_S = 30.0  # for an end after Ctrl-C
_START_DEADLINE_S = 300.0  # for its imports and its empty store, on the most loaded machine


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One `tiltwise watch` in real time after its warm-up; growth as process_stats.py has it."""

    what: str
    minutes: float
    resident_mb: float
    grown_mb: float
    files: str
    threads: str
    log_mb: float
    cpu_percent: float


@dataclass(slots=True)
class _Watched:
    """A running watch, what it holds at each look, and the thread that reads what it draws."""

    what: str
    store: Path
    process: subprocess.Popen[bytes]
    states: list[tuple[float, ProcessState, float]] = field(default_factory=list)  # s, state, log MB


def watch_rows(minutes: float = MINUTES, seed: int = 1) -> Iterator[tuple[float, WatchRow | None]]:
    """Yield (share done, None) while three programs run side by side, and a row of each at the end."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-watch-") as name:
        folder = Path(name)
        home = quiet_home(folder)
        story_min = max(minutes + 1, 2.0)  # the wearer's shortest
        tape = _record(folder, home, story_min, seed)
        board = f"sim:desk?minutes={story_min:g}&seed={seed}"
        watched = [
            _start("simulated board, terminal", board, folder / "a", home, is_terminal=True),
            _start("recorded frames, terminal", f"replay:{tape}", folder / "b", home, is_terminal=True),
            _start("recorded frames, no terminal", f"replay:{tape}", folder / "c", home, is_terminal=False),
        ]
        try:
            for row in watched:
                _wait_for_store(row)
                _look_on(row, 0.0)
            began_s, every_s = time.monotonic(), min(_LOOK_EVERY_S, minutes * 60 / _LOOKS)
            while (elapsed_s := time.monotonic() - began_s) < minutes * 60:
                select.select([], [], [], min(every_s, max(minutes * 60 - elapsed_s, 0.01)))
                for row in watched:
                    _look_on(row, time.monotonic() - began_s)
                yield min(elapsed_s / minutes / 60, 0.99), None
        finally:
            for row in watched:
                _end(row.process)
        for row in watched:
            yield 1.0, _row(row, minutes)


def quiet_home(folder: Path) -> Path:
    """Return a home with settings that show no notice on the desktop."""
    home = folder / "home"
    home.mkdir()
    (home / "settings.toml").write_text("[alerts]\ndesktop = false\n", encoding="utf-8")
    return home


def environment(home: Path) -> dict[str, str]:
    """Return the variables of a program with this home, in a terminal of 80 columns."""
    return os.environ | {"TILTWISE_HOME": str(home), "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}


def _record(folder: Path, home: Path, minutes: float, seed: int) -> Path:
    """Let the program record a simulated board as fast as it goes."""
    tape = folder / "frames.tw"
    address = f"sim:desk?minutes={minutes:g}&seed={seed}&speed=max"
    command = [*PROGRAM, "watch", address, "--no-store", "--record", str(tape)]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"watch --record ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return tape


def _start(what: str, address: str, store: Path, home: Path, *, is_terminal: bool) -> _Watched:
    """Start a watch; what it draws is read and thrown away, as a terminal would have shown it."""
    command = [*PROGRAM, "watch", address, "--data", str(store)]
    if not is_terminal:
        process = subprocess.Popen(
            command, env=environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return _Watched(what, store, process)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command, env=environment(home), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    threading.Thread(target=_read_all, args=(ours,), daemon=True).start()
    return _Watched(what, store, process)


def _read_all(terminal: int) -> None:
    """Read until the other end is closed, which Linux tells as an error."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass
    os.close(terminal)


def _wait_for_store(row: _Watched) -> None:
    """Wait until the program has made its store: its time begins with its work, not with its imports."""
    began_s = time.monotonic()
    while not (row.store / CORE_NAME).exists():
        waited_s = time.monotonic() - began_s
        if row.process.poll() is not None or waited_s > _START_DEADLINE_S:
            raise RuntimeError(f"watch ({row.what}) has made no store in {waited_s:.0f} s")
        select.select([], [], [], 0.05)


def _look_on(row: _Watched, elapsed_s: float) -> None:
    if row.process.poll() is not None:
        raise RuntimeError(f"watch ({row.what}) ended with {row.process.returncode} after {elapsed_s:.0f} s")
    row.states.append((elapsed_s, read_process(row.process.pid), log_mb(row.store)))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _row(row: _Watched, minutes: float) -> WatchRow:
    states = [state for state in row.states if state[0] >= minutes * 60 * WARM_UP_SHARE] or row.states[-1:]
    began_mb, grown_mb, _ = growth([state.resident_mb for _, state, _ in states])
    seconds = states[-1][0] - states[0][0]
    cpu_s = states[-1][1].cpu_s - states[0][1].cpu_s
    return WatchRow(
        what=row.what, minutes=seconds / 60, resident_mb=began_mb, grown_mb=grown_mb,
        files=span([state.files for _, state, _ in states]),
        threads=span([state.threads for _, state, _ in states]),
        log_mb=max(log for *_, log in states),
        cpu_percent=cpu_s / seconds * 100 if seconds else float("nan"),
    )  # fmt: skip
