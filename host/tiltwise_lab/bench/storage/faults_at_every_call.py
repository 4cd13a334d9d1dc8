"""`tiltwise bench store`, fourth part: a fault at every file call of opening, recording, repairing, erasing.

For n = 1 to N the n-th write, fsync, rename or unlink of an operation fails or kills the program; then the store is
opened again. Demanded: whatever was acknowledged is stored or its loss is told, minutes and events survive, and
recording goes on. Runs in a process of its own with failing_calls.py preloaded, which forks for each fault:
`python -m tiltwise_lab.bench.storage.faults_at_every_call FOLDER POINTS SEED`, POINTS 0 for all.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tiltwise.common.frame import Frame, read_frame
from tiltwise.config.settings import RuleSetting
from tiltwise.errors import AppError
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.store.erase import KEEP_RAW, erase_all, erase_stretch
from tiltwise.store.files import schema
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, Mount, PostureKind
from tiltwise_lab.bench.storage.failing_calls import FailingCalls, Fault, build
from tiltwise_lab.bench.storage.killed_host import T0_S, frames_of

MONTH_S = 40 * 86400.0  # the older boot lies in an earlier month
STEP = 50  # frames of 0.2 s a commit: each sixth commit writes chunks
_DEVICE = "faulted host"
_MISSING = re.compile(r"^(\d+) acknowledged frames", re.MULTILINE)
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CallRow:
    """One operation and kind of fault: N calls, points tried, and what went wrong at them (seed of the sample)."""

    operation: str
    fault: str
    calls: int
    points: int
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to a copy of a template folder, and what may be missing afterwards.

    is_erasing: frames of the older boot may go, then all of them.
    """

    template: Callable[[Path], None]
    run: Callable[[Path, Note], None]
    is_erasing: bool = False
    erases_all: bool = False
    is_short: bool = False


@cache
def _frames(boot: int) -> list[Frame]:
    return [read_frame(data) for data in frames_of(boot, 90.0)]


def _time_s(boot: int, k: int) -> float:
    return T0_S - (MONTH_S if boot == 1 else 0.0) + 1000.0 * boot + 0.2 * k


def record(folder: Path, boot: int, n: int, note: Note = lambda _: None, *, is_closed: bool = True) -> Store:
    """Store n frames of a boot, an event and a gap a commit, and note each acknowledgement as `ack BOOT SEQ`."""
    store = Store(folder, min_free_bytes=0, now_s=lambda: T0_S)
    for line in store.reports:
        note(f"told {line}")
    session = store.begin_session(
        _DEVICE,
        boot,
        zone="UTC",
        mount=Mount.NECK,
        started_s=_time_s(boot, 0),
        first_seq=_frames(boot)[0].seq,
    )
    for first in range(0, n, STEP):
        chosen = _frames(boot)[first : min(first + STEP, n)]
        start_s = _time_s(boot, first)
        store.append(session, chosen, [_time_s(boot, k) for k in range(first, first + len(chosen))])
        store.put_events(session, [EpisodeAlert(5.0, PostureKind.FORWARD_FLEXION, 0.0, 31.0)], start_s)
        store.put_gap(session, start_s + 1.0, start_s + 1.2, "lost on the way")
        try:
            done = store.commit()
        except OSError:
            continue  # as the session does: try again with the next
        note(f"ack {boot} {done.settled[session]}")
    if is_closed:
        store.close()
    return store


# ---- templates: what lies there before ----


FRAMES_OF_BOOTS = {1: 400, 2: 430}  # frames of the two boots
_N_SHORT = {1: 60, 2: 70}  # where each frame goes through a session


def _two_boots(folder: Path, n: Mapping[int, int] = FRAMES_OF_BOOTS) -> None:
    """A boot of an earlier month, closed, and one that was killed: chunks, a tail and a log."""
    made = folder.with_name(folder.name + "-live")
    record(made, 1, n[1])
    store = record(made, 2, n[2], is_closed=False)
    shutil.copytree(made, folder)
    store.close()
    shutil.rmtree(made)


def _damaged(folder: Path, file: str, table: str) -> None:
    """Two boots, closed, with one page of an index overwritten: every row of the tables can still be read."""
    record(folder, 1, FRAMES_OF_BOOTS[1])
    record(folder, 2, FRAMES_OF_BOOTS[2])
    (path,) = folder.glob(file)
    db = sqlite3.connect(path)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    db.close()
    with path.open("r+b") as opened:
        opened.seek(4096 * (page - 1))
        opened.write(b"\xa5" * 4096)


def _old_schema(folder: Path) -> None:
    """Two boots in a store of schema version 1."""
    folder.mkdir()
    schema.open_writer(folder / schema.CORE_NAME, schema.CORE_MIGRATIONS[:1]).close()
    newest, schema.CORE_MIGRATIONS = schema.CORE_MIGRATIONS, schema.CORE_MIGRATIONS[:1]
    try:
        record(folder, 1, FRAMES_OF_BOOTS[1])
        record(folder, 2, FRAMES_OF_BOOTS[2])
    finally:
        schema.CORE_MIGRATIONS = newest


def template_with_recordings(folder: Path, frames: Mapping[int, int] = FRAMES_OF_BOOTS) -> None:
    """Two boots, and recordings of them."""
    _two_boots(folder, frames)
    for boot, n in frames.items():
        header = recording_header(
            started=datetime.fromtimestamp(_time_s(boot, 0), UTC), address="ble:", device=_DEVICE, zone="UTC",
            mount=Mount.NECK, rule=RuleSetting(),
        )  # fmt: skip
        with RecordingWriter(folder / f"{boot}.tw", header, start_s=0.0) as writer:
            for k, frame in enumerate(_frames(boot)[:n]):
                writer.write(0.2 * k, frame.data)


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
    erase_stretch(folder, round(_time_s(1, 0) * 1e6), round(_time_s(1, 1000) * 1e6), T0_S)
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


OPERATIONS: dict[str, Operation] = {
    "open after a kill": Operation(_two_boots, _open),
    "record: commit and flush": Operation(_two_boots, _record),
    "repair core.db": Operation(lambda f: _damaged(f, "core.db", "aggregate_start"), _open),
    "repair a month": Operation(lambda f: _damaged(f, "raw-2026-02.db", "chunk_time"), _record),
    "migrate": Operation(_old_schema, _open),
    "rebuild": Operation(lambda f: template_with_recordings(f, _N_SHORT), _rebuild, is_short=True),
    "erase a day": Operation(_two_boots, _erase_older, is_erasing=True),
    "erase all": Operation(_two_boots, _erase_all, is_erasing=True, erases_all=True),
    "retire a month": Operation(_two_boots, _retire, is_erasing=True),
}


# ---- one point ----


def present(folder: Path) -> dict[int, set[int]]:
    """Return the numbers of the stored frames by boot."""
    found: dict[int, set[int]] = {}
    with StoreReader(folder) as reader:
        for stored in reader.frames(0.0, 4e9):
            head = read_frame(stored.data)
            found.setdefault(head.boot, set()).add(head.seq)
    return found


def _rows(folder: Path) -> tuple[int, int]:
    db = schema.open_reader(folder / schema.CORE_NAME)
    try:
        events, gaps = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("event", "gap"))
        return int(events), int(gaps)
    finally:
        db.close()


def check(folder: Path, operation: Operation, before: Mapping[int, set[int]], notes: list[str]) -> str:
    """Open what a fault left, and return what is wrong with it, or an empty text."""
    acknowledged = {boot: set(seqs) for boot, seqs in before.items()}
    for line in notes:
        if line.startswith("ack "):
            boot, last = map(int, line.split()[1:])
            acknowledged[boot] = {frame.seq for frame in _frames(boot) if frame.seq <= last}
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
    return _goes_on(folder)


def _goes_on(folder: Path) -> str:
    """Record again, and return what is wrong with that."""
    record(folder, 9, STEP)
    n = len(present(folder).get(9, ()))
    return "" if n == STEP else f"{n} frames of {STEP} stored afterwards"


def _run_point(
    calls: FailingCalls, operation: Operation, folder: Path, n: int, fault: Fault
) -> tuple[list[str], int]:
    """Run an operation in a forked process with one fault; return its notes, and the calls that it made."""
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
        note(f"calls {calls.calls}")
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as pipe:
        notes = pipe.read().splitlines()
    os.waitpid(child, 0)
    made = [int(line.split()[1]) for line in notes if line.startswith("calls ")]
    return notes, made[-1] if made else 0


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
    before = _before(template, folder, _N_SHORT if operation.is_short else FRAMES_OF_BOOTS)
    notes, n_calls = _run_point(calls, operation, trial, 0, Fault.COUNT)
    failures = [line for line in notes if line.startswith("defect")]
    places = range(1, n_calls + 1)
    chosen = sorted(rng.sample(places, points)) if 0 < points < n_calls else list(places)
    for n in chosen:
        shutil.rmtree(trial)
        shutil.copytree(template, trial)
        notes, _ = _run_point(calls, operation, trial, n, fault)
        wrong = next((line for line in notes if line.startswith("defect")), "")
        try:
            wrong = wrong or check(trial, operation, before, notes)
        except Exception as error:  # noqa: BLE001  whatever it is, the store did not open or read
            wrong = f"{type(error).__name__}: {error}"
        failures += [f"call {n}: {wrong}"] if wrong else []
    shutil.rmtree(trial)
    return CallRow(name, fault.name.lower(), n_calls, len(chosen), failures)


def _before(template: Path, folder: Path, n: Mapping[int, int]) -> dict[int, set[int]]:
    """Return what a template holds; its damage is repaired in a copy first."""
    copy = folder / "before"
    shutil.copytree(template, copy)
    Store(copy, min_free_bytes=0, now_s=lambda: T0_S).close()
    found = {boot: {frame.seq for frame in _frames(boot)[: n[boot]]} for boot in n}
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


def quick_disk() -> str | None:
    """Return a folder in memory, where fsync costs nothing; the faults are the same."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def main() -> None:
    """Try everything and print a line of JSON a row."""
    folder, points, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    calls, rng = FailingCalls(), random.Random(seed)
    for name in OPERATIONS:
        for fault in list(Fault)[1:]:
            print(json.dumps(asdict(try_operation(calls, name, fault, folder, points, rng))), flush=True)


if __name__ == "__main__":
    main()
