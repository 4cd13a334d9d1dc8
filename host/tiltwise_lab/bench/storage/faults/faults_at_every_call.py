"""`tiltwise bench faults`, first part: a fault at every file call of opening to erasing and import.

For n = 1 to N the n-th write, fsync, rename or unlink of an operation fails or kills the program; then the store is
opened again. Demanded: whatever was acknowledged is stored or its loss is told, minutes and events survive, and
recording goes on. Runs in a process of its own with failing_calls.py preloaded, which forks for each fault:
`python -m tiltwise_lab.bench.storage.faults.faults_at_every_call FOLDER POINTS SEED FAULT...`, POINTS 0 for all.
"""

from __future__ import annotations

import gc
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tiltwise.errors import AppError
from tiltwise.store.files import schema
from tiltwise.store.writer import Store
from tiltwise_lab.bench.storage.faults.failing_calls import FailingCalls, Fault, build
from tiltwise_lab.bench.storage.faults.prepared_stores import (
    FEW_FRAMES,
    FRAMES_OF_BOOTS,
    STEP,
    made_frames,
    present,
    quick_disk,
    record,
)
from tiltwise_lab.bench.storage.faults.tried_operations import OPERATIONS, Operation
from tiltwise_lab.bench.storage.killed_host import T0_S

_MISSING = re.compile(r"^(?:not as acknowledged: )?(\d+) (?:acknowledged )?frames? of ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CallRow:
    """One operation and kind of fault: N calls, points tried, and what went wrong at them (seed of the sample).

    A short write and a full disk are tried at calls that write: at others they are nothing, or the next write's.
    """

    operation: str
    fault: str
    calls: int
    points: int
    failures: list[str] = field(default_factory=list)


def _events(folder: Path) -> int:
    db = schema.open_reader(folder / schema.CORE_NAME)
    try:
        return int(db.execute("SELECT count(*) FROM event").fetchone()[0])
    finally:
        db.close()


def check(folder: Path, operation: Operation, before: Mapping[int, set[int]], notes: list[str]) -> str:
    """Open what a fault left, and return what is wrong with it, or an empty text."""
    acknowledged = {boot: set(seqs) for boot, seqs in before.items()}
    for line in notes:
        if line.startswith("ack "):
            boot, last = map(int, line.split()[1:])
            acknowledged[boot] = {frame.seq for frame in made_frames(boot) if frame.seq <= last}
    record(folder, 9, STEP, notes.append)
    told = dict.fromkeys(line.removeprefix("told ") for line in notes if line.startswith("told "))
    found = present(folder)
    lost = {boot: seqs - found.get(boot, set()) for boot, seqs in acknowledged.items()}
    if operation.is_erasing:
        erasable = set(before) if operation.erases_all else {1}
        partly = [b for b in erasable if lost[b] and found.get(b)]
        if partly or ("done" in notes and any(found.get(b) for b in erasable)):
            return f"erased in part: {partly or erasable}"
        lost = {boot: seqs for boot, seqs in lost.items() if boot not in erasable}
    n_lost, n_told = sum(map(len, lost.values())), sum(map(int, _MISSING.findall("\n".join(told))))
    if n_lost > n_told:
        return f"{n_lost} acknowledged frames lost, {n_told} told: {list(told)}"
    if not operation.is_erasing and not operation.is_short and _events(folder) < 18:
        return f"{_events(folder)} events of 18 there"
    if len(found.get(9, ())) != STEP:
        return f"{len(found.get(9, ()))} frames of {STEP} stored afterwards"
    return operation.afterwards(folder, notes)


@dataclass(frozen=True, slots=True)
class _Run:
    """What an operation noted in a process of its own; where it came to its end, its calls and which were writes."""

    notes: list[str]
    calls: int
    writes: list[int]

    @property
    def is_bad(self) -> bool:
        """Tell whether it did not come to its end."""
        return any(line == "refused" or line.startswith("defect") for line in self.notes)

    def places(self, fault: Fault) -> list[int]:
        """Return where a fault of this kind is worth a try."""
        return self.writes if fault in (Fault.FULL, Fault.SHORT) else list(range(1, self.calls + 1))


def _run_forked(calls: FailingCalls, operation: Operation, folder: Path, n: int, fault: Fault) -> _Run:
    """Run an operation in a forked process with one fault."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)

        def note(line: str) -> None:
            os.write(theirs, line.encode() + b"\n")

        calls.arm(n, fault, folder)
        try:
            operation.run(folder, note)
        except (AppError, OSError):
            note("refused")
        except BaseException:  # noqa: BLE001  a defect, which is the finding
            note("defect " + traceback.format_exc(limit=-3).replace("\n", " | "))
        note(f"writes {calls.calls} {' '.join(map(str, calls.writes()))}")
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as pipe:
        notes = pipe.read().splitlines()
    os.waitpid(child, 0)
    made = [list(map(int, line.split()[1:])) for line in notes if line.startswith("writes ")]
    return _Run(notes, made[-1][0], made[-1][1:]) if made else _Run(notes, 0, [])


class Trials:
    """One operation on copies of its template, once undisturbed and then with faults.

    Raises
    ------
    RuntimeError
        When the template does not hold what was recorded, or the operation is refused without a fault.
    """

    def __init__(self, calls: FailingCalls, operation: Operation, folder: Path) -> None:
        self._calls, self._operation = calls, operation
        self._template, self._copy = folder / f"template-{id(operation.template)}", folder / "trial"
        if not self._template.exists():
            operation.template(self._template)
        self._before = self._whole(FEW_FRAMES if operation.is_short else FRAMES_OF_BOOTS)
        self._undisturbed = self._run(0, Fault.COUNT)
        if self._undisturbed.is_bad:
            raise RuntimeError(f"without any fault: {self._undisturbed.notes}")

    def _fresh(self) -> Path:
        shutil.rmtree(self._copy, ignore_errors=True)
        return Path(shutil.copytree(self._template, self._copy))

    def _whole(self, n: Mapping[int, int]) -> dict[int, set[int]]:
        """Return what the template holds; its damage is repaired in a copy first."""
        Store(self._fresh(), min_free_bytes=0, now_s=lambda: T0_S).close()
        found = {boot: {frame.seq for frame in made_frames(boot)[: n[boot]]} for boot in n}
        if present(self._copy) != found:
            raise RuntimeError("a template does not hold what was recorded")
        return found

    def _run(self, n: int, fault: Fault) -> _Run:
        return _run_forked(self._calls, self._operation, self._fresh(), n, fault)

    def row(self, name: str, fault: Fault, points: int, rng: random.Random) -> CallRow:
        """Try a fault at each call where it differs, or at some of them."""
        places = self._undisturbed.places(fault)
        chosen = sorted(rng.sample(places, points)) if 0 < points < len(places) else places
        wrong = [(n, self._try(n, fault)) for n in chosen]
        failures = [f"call {n}: {text}" for n, text in wrong if text]
        return CallRow(name, fault.name.lower(), self._undisturbed.calls, len(chosen), failures)

    def _try(self, n: int, fault: Fault) -> str:
        notes = self._run(n, fault).notes
        defect = next((line for line in notes if line.startswith("defect")), "")
        try:
            return defect or check(self._copy, self._operation, self._before, notes)
        except Exception as error:  # noqa: BLE001  whatever it is, the store did not open or read
            return f"{type(error).__name__}: {error}"


def call_rows(
    points: int = 0, seed: int = 1, faults: Sequence[Fault] = tuple(Fault)[1:]
) -> Iterator[tuple[float, CallRow]]:
    """Yield (share done, row) of each operation and fault; points 0: every call."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-calls-", dir=quick_disk()) as name:
        library = build(Path(name))
        command = [
            sys.executable,
            "-m",
            __name__,
            name,
            str(points),
            str(seed),
            *(str(int(f)) for f in faults),
        ]
        environment = os.environ | {"LD_PRELOAD": str(library)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            total = len(OPERATIONS) * len(faults)
            for k, line in enumerate(process.stdout, start=1):
                yield k / total, CallRow(**json.loads(line))
        if process.returncode:
            raise RuntimeError(f"the process with failing calls ended with {process.returncode}")


def main() -> None:
    """Try everything and print a line of JSON a row."""
    folder, (points, seed, *faults) = Path(sys.argv[1]), map(int, sys.argv[2:])
    calls, rng = FailingCalls(), random.Random(seed)
    for boot in (1, 2, 3, 9):
        made_frames(boot)  # once, for all forks
    gc.freeze()
    for name, operation in OPERATIONS.items():
        trials = Trials(calls, operation, folder)
        for fault in faults:
            print(json.dumps(asdict(trials.row(name, Fault(fault), points, rng))), flush=True)


if __name__ == "__main__":
    main()
