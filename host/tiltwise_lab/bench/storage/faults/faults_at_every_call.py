"""`tiltwise bench store`, fourth part: a fault at every file call of opening to erasing and import.

For n = 1 to N the n-th write, fsync, rename or unlink of an operation fails or kills the program; then the store is
opened again. Demanded: whatever was acknowledged is stored or its loss is told, minutes and events survive, and
recording goes on. Runs in a process of its own with failing_calls.py preloaded, which forks for each fault:
`python -m tiltwise_lab.bench.storage.faults.faults_at_every_call FOLDER POINTS SEED`, POINTS 0 for all.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tiltwise.config.settings import Settings
from tiltwise.errors import AppError
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.travel.import_days import find_days, import_days
from tiltwise.offline.travel.import_file import ImportRequest, import_file
from tiltwise.store.erase import KEEP_RAW, erase_all, erase_stretch
from tiltwise.store.files import schema
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store
from tiltwise_lab.bench.storage.faults.failing_calls import FailingCalls, Fault, build
from tiltwise_lab.bench.storage.faults.prepared_stores import (
    FEW_FRAMES,
    FRAMES_OF_BOOTS,
    IMPORTED_DAY_S,
    IMPORTED_FRAMES,
    IMPORTED_MINUTES,
    STEP,
    Note,
    damaged,
    made_frames,
    old_schema,
    present,
    quick_disk,
    record,
    template_to_import,
    template_with_recordings,
    time_s,
    two_boots,
)
from tiltwise_lab.bench.storage.killed_host import T0_S

_MISSING = re.compile(r"^(\d+) acknowledged frames", re.MULTILINE)


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


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to a copy of a template folder, and what may be missing afterwards.

    is_erasing: frames of the older boot may go, then all of them.
    afterwards: looks at what no other operation leaves, and returns what is wrong with it.
    """

    template: Callable[[Path], None]
    run: Callable[[Path, Note], None]
    is_erasing: bool = False
    erases_all: bool = False
    is_short: bool = False
    afterwards: Callable[[Path, list[str]], str] = lambda _folder, _notes: ""


# ---- operations ----


def _open(folder: Path, note: Note) -> None:
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        for line in store.reports:
            note(f"told {line}")


def _record(folder: Path, note: Note) -> None:
    record(folder, 3, 450, note)


def _rebuild(folder: Path, _: Note) -> None:
    rebuild(folder, [folder / "1.tw", folder / "2.tw"], now_s=T0_S)


def _erase_older(folder: Path, note: Note) -> None:
    erase_stretch(folder, round(time_s(1, 0) * 1e6), round(time_s(1, 1000) * 1e6), T0_S)
    note("done")


def _erase_all(folder: Path, note: Note) -> None:
    erase_all(folder, T0_S)
    note("done")


def _retire(folder: Path, note: Note) -> None:
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        store.put_setting(KEEP_RAW, 1)
        store.commit()
        store.retire()
    note("done")


def _import_recording(folder: Path, note: Note) -> None:
    ((boot, n),) = IMPORTED_FRAMES.items()
    request = ImportRequest(file=folder / f"{boot}.tw", store=folder, settings=Settings(), zone="UTC")
    import_file(request, lambda _: None)
    note(f"ack {boot} {made_frames(boot)[n - 1].seq}")


def _import_days(folder: Path, note: Note) -> None:
    import_days(find_days(folder / "days"), folder, lambda _: None)
    note("done")


def _recording_again(folder: Path, _: list[str]) -> str:
    """Import it again: it is whole then, or refused because some of its time is there."""
    with contextlib.suppress(AppError):
        _import_recording(folder, lambda _: None)
        ((boot, n),) = IMPORTED_FRAMES.items()
        found = len(present(folder).get(boot, ()))
        return "" if found == n else f"{found} frames of {n} of the recording when imported again"
    return ""


def _days_again(folder: Path, notes: list[str]) -> str:
    """Expect the day to be there whole or not at all, and whole when imported again."""
    found = _imported_minutes(folder)
    if found not in ((IMPORTED_MINUTES,) if "done" in notes else (0, IMPORTED_MINUTES)):
        return f"{found} minutes of {IMPORTED_MINUTES} imported"
    _import_days(folder, lambda _: None)
    found = _imported_minutes(folder)
    return "" if found == IMPORTED_MINUTES else f"{found} minutes of {IMPORTED_MINUTES} when imported again"


OPERATIONS: dict[str, Operation] = {
    "open after a kill": Operation(two_boots, _open),
    "record: commit and flush": Operation(two_boots, _record),
    "repair core.db": Operation(lambda f: damaged(f, "core.db", "aggregate_start"), _open),
    "repair a month": Operation(lambda f: damaged(f, "raw-2026-02.db", "chunk_time"), _record),
    "migrate": Operation(old_schema, _open),
    "rebuild": Operation(lambda f: template_with_recordings(f, FEW_FRAMES), _rebuild, is_short=True),
    "erase a day": Operation(two_boots, _erase_older, is_erasing=True),
    "erase all": Operation(two_boots, _erase_all, is_erasing=True, erases_all=True),
    "retire a month": Operation(two_boots, _retire, is_erasing=True),
    "import a recording": Operation(template_to_import, _import_recording, afterwards=_recording_again),
    "import days": Operation(template_to_import, _import_days, afterwards=_days_again),
}


# ---- one point ----


def _rows(folder: Path) -> tuple[int, int]:
    db = schema.open_reader(folder / schema.CORE_NAME)
    try:
        events, gaps = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("event", "gap"))
        return int(events), int(gaps)
    finally:
        db.close()


def _imported_minutes(folder: Path) -> int:
    with StoreReader(folder) as reader:
        return len(reader.day(datetime.fromtimestamp(IMPORTED_DAY_S, UTC).date(), "UTC").minutes)


def check(folder: Path, operation: Operation, before: Mapping[int, set[int]], notes: list[str]) -> str:
    """Open what a fault left, and return what is wrong with it, or an empty text."""
    acknowledged = {boot: set(seqs) for boot, seqs in before.items()}
    for line in notes:
        if line.startswith("ack "):
            boot, last = map(int, line.split()[1:])
            acknowledged[boot] = {frame.seq for frame in made_frames(boot) if frame.seq <= last}
    told = [line.removeprefix("told ") for line in notes if line.startswith("told ")]
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        told += [line for line in store.reports if line not in told]
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
        return f"{n_lost} acknowledged frames lost, {n_told} told: {told}"
    if not operation.is_erasing and not operation.is_short and _rows(folder)[0] < 17:
        return f"{_rows(folder)[0]} events of 17 left"
    return operation.afterwards(folder, notes) or _goes_on(folder)


def _goes_on(folder: Path) -> str:
    """Record again, and return what is wrong with that."""
    record(folder, 9, STEP)
    n = len(present(folder, time_s(9, 0), time_s(9, STEP)).get(9, ()))
    return "" if n == STEP else f"{n} frames of {STEP} stored afterwards"


@dataclass(frozen=True, slots=True)
class _Run:
    """What an operation noted in a process of its own; where it came to its end, its calls and which were writes."""

    notes: list[str]
    calls: int
    writes: list[int]

    def places(self, fault: Fault) -> list[int]:
        """Return where a fault of this kind is worth a try."""
        return self.writes if fault in (Fault.FULL, Fault.SHORT) else list(range(1, self.calls + 1))


def _run_point(calls: FailingCalls, operation: Operation, folder: Path, n: int, fault: Fault) -> _Run:
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


def try_operation(
    calls: FailingCalls, name: str, fault: Fault, folder: Path, points: int, rng: random.Random
) -> CallRow:
    """Try an operation with a fault at each of its calls, or at some of them."""
    operation = OPERATIONS[name]
    template = folder / f"template-{list(OPERATIONS).index(name)}"
    if not template.exists():
        operation.template(template)
    trial = folder / "trial"
    shutil.copytree(template, trial)
    before = _before(template, folder, FEW_FRAMES if operation.is_short else FRAMES_OF_BOOTS)
    undisturbed = _run_point(calls, operation, trial, 0, Fault.COUNT)
    failures = [line for line in undisturbed.notes if line.startswith("defect")]
    places = undisturbed.places(fault)
    chosen = sorted(rng.sample(places, points)) if 0 < points < len(places) else places
    for n in chosen:
        shutil.rmtree(trial)
        shutil.copytree(template, trial)
        notes = _run_point(calls, operation, trial, n, fault).notes
        wrong = next((line for line in notes if line.startswith("defect")), "")
        try:
            wrong = wrong or check(trial, operation, before, notes)
        except Exception as error:  # noqa: BLE001  whatever it is, the store did not open or read
            wrong = f"{type(error).__name__}: {error}"
        failures += [f"call {n}: {wrong}"] if wrong else []
    shutil.rmtree(trial)
    return CallRow(name, fault.name.lower(), undisturbed.calls, len(chosen), failures)


def _before(template: Path, folder: Path, n: Mapping[int, int]) -> dict[int, set[int]]:
    """Return what a template holds; its damage is repaired in a copy first."""
    copy = folder / "before"
    shutil.copytree(template, copy)
    Store(copy, min_free_bytes=0, now_s=lambda: T0_S).close()
    found = {boot: {frame.seq for frame in made_frames(boot)[: n[boot]]} for boot in n}
    if present(copy) != found:
        raise RuntimeError(f"the template {template.name} does not hold what was recorded")
    shutil.rmtree(copy)
    return found


def call_rows(points: int = 0, seed: int = 1) -> Iterator[tuple[float, CallRow]]:
    """Yield (share done, row) of each operation and fault; points 0: every call."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-calls-", dir=quick_disk()) as name:
        library = build(Path(name))
        command = [sys.executable, "-m", __name__, name, str(points), str(seed)]
        environment = os.environ | {"LD_PRELOAD": str(library)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            total = len(OPERATIONS) * (len(Fault) - 1)
            for k, line in enumerate(process.stdout, start=1):
                yield k / total, CallRow(**json.loads(line))
        if process.returncode:
            raise RuntimeError(f"the process with failing calls ended with {process.returncode}")


def main() -> None:
    """Try everything and print a line of JSON a row."""
    folder, points, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    calls, rng = FailingCalls(), random.Random(seed)
    for name in OPERATIONS:
        for fault in list(Fault)[1:]:
            print(json.dumps(asdict(try_operation(calls, name, fault, folder, points, rng))), flush=True)


if __name__ == "__main__":
    main()
