"""`tiltwise bench faults`, second part: whole stores with damaged bytes, pages, lengths and files.

A store as a killed program leaves it (months, core.db with a log, both files of receipts) is damaged in one to three
places of one, two or three files, opened for writing, and read. Demanded: no error that is not one line, and no
acknowledged frame that is missing in silence: told is the number, or that chunks or lines of receipts cannot be read.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tiltwise.recording.tw_file import RecordingError, read_frames
from tiltwise.store.files import schema
from tiltwise.store.files.swap import incidents
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store, StoreError
from tiltwise_lab.bench.storage.faults.prepared_stores import (
    FRAMES_OF_BOOTS,
    numbers,
    quick_disk,
    record,
    template_with_recordings,
)
from tiltwise_lab.bench.storage.killed_host import T0_S

SEEDS = range(101, 111)  # 1 to 3 found what was mended since
STORES = 1001  # of each seed: 143 of each kind
_PAGE = 512  # a sector
_SEVERAL = {"two files": 2, "three files": 3}  # of databases, log and receipts
KINDS = ("core.db", "core.db-wal", "month", "receipts.log", "recording", *_SEVERAL)  # what is damaged
_IN_DOUBT = ("cannot be compared", "damaged chunks")  # what lines say that give no number
_MISSING = re.compile(r"^(?:not as acknowledged: )?(\d+) (?:acknowledged )?frames? of ", re.MULTILINE)


@dataclass(slots=True)
class FuzzRow:
    """Stores of a seed damaged in one kind of file: how many lost frames, how many told it, and defects."""

    seed: int
    what: str
    stores: int = 0
    with_losses: int = 0
    told: int = 0
    failures: list[str] = field(default_factory=list)


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _sector(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data)) // _PAGE * _PAGE
    size = min(_PAGE * rng.choice((1, 8)), len(data) - at)
    data[at : at + size] = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))


def _swap(data: bytearray, rng: random.Random) -> None:
    """Let two pages change places, as a confused disk does."""
    pages = max(len(data) // 4096, 1)
    a, b = (4096 * rng.randrange(pages) for _ in range(2))
    data[a : a + 4096], data[b : b + 4096] = data[b : b + 4096], data[a : a + 4096]


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _grow(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.randint(1, 5000))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _sector, _swap, _cut, _grow)


def damage(path: Path, rng: random.Random) -> str:
    """Damage a file in one to three places, or remove it; return how."""
    if rng.random() < 0.05:
        path.unlink()
        return "removed"
    data, done = bytearray(path.read_bytes()), []
    for _ in range(rng.randint(1, 3)):
        if data:
            mutation = rng.choice(MUTATIONS)
            mutation(data, rng)
            done.append(mutation.__name__)
    path.write_bytes(data)
    return " ".join(done)


def fuzz_rows(stores: int = STORES, seeds: Sequence[int] = SEEDS) -> Iterator[tuple[float, FuzzRow | None]]:
    """Yield (share done, None) on the way, and at the end of each seed its rows, one for each kind of file."""
    with tempfile.TemporaryDirectory(prefix="tiltwise-fuzz-", dir=quick_disk()) as name:
        template, trial = Path(name) / "template", Path(name) / "trial"
        template_with_recordings(template)
        files = {path.name: path.read_bytes() for path in template.iterdir()}
        for done, seed in enumerate(seeds):
            rows, rng = [FuzzRow(seed, what) for what in KINDS], random.Random(seed)
            for k in range(stores):
                trial.mkdir()
                for file, data in files.items():
                    (trial / file).write_bytes(data)
                case = rng.randrange(2**32)
                _try(rows[k % len(rows)], trial, random.Random(case), case)
                shutil.rmtree(trial)
                if k % 50 == 0:
                    yield (done + k / stores) / len(seeds), None
            yield from (((done + 1) / len(seeds), row) for row in rows)


def _files(folder: Path, what: str, rng: random.Random) -> list[Path]:
    match what:
        case "month":
            return [rng.choice(sorted(folder.glob("raw-*.db")))]
        case "recording":
            return [rng.choice(sorted(folder.glob("*.tw")))]
        case what if what in _SEVERAL:
            names = (schema.CORE_NAME, f"{schema.CORE_NAME}-wal", "raw-*.db", "receipts*.log")
            return rng.sample(sorted(path for name in names for path in folder.glob(name)), _SEVERAL[what])
    return [folder / what]


def _try(row: FuzzRow, folder: Path, rng: random.Random, case: int) -> None:
    row.stores += 1
    how = {path.name: damage(path, rng) for path in _files(folder, row.what, rng)}
    try:
        wrong = _read_recordings(folder) if row.what == "recording" else _open_and_read(row, folder, rng)
    except Exception as error:  # noqa: BLE001  the finding
        wrong = f"defect {type(error).__name__}: {error}"
    if wrong:
        row.failures.append(f"case {case} {how}: {wrong}")


def _read_recordings(folder: Path) -> str:
    """Read recordings: what is missing was counted as damaged or cut off, or the file is refused."""
    for boot, n in FRAMES_OF_BOOTS.items():
        path = folder / f"{boot}.tw"
        if not path.exists():
            continue
        try:
            found = read_frames(path)
        except RecordingError as error:
            if "\n" in str(error):
                return "an error of several lines"
            continue
        if (
            len(found.frames) < n
            and not found.damaged_records
            and not found.is_torn
            and not _is_cut_clean(path)
        ):
            return f"{n - len(found.frames)} frames missing in silence"
    return ""


def _is_cut_clean(path: Path) -> bool:
    """Tell whether a file ends just behind a record: nothing in it can say that there was more."""
    return path.read_bytes().endswith((b"\0", b"\n"))


def _open_and_read(row: FuzzRow, folder: Path, rng: random.Random) -> str:
    """Open and close every other one, record, read; return what is wrong."""
    said: list[str] = []
    try:
        if rng.random() < 0.5:
            Store(folder, min_free_bytes=0, now_s=lambda: T0_S).close()
        record(folder, 9, 50)
        said += _messages(folder)
        with StoreReader(folder) as reader:
            found = numbers(reader.frames(0.0, 4e9))
            if found and reader.damaged_chunks:
                said.append("damaged chunks")
            for day in reader.days():
                reader.day(day)
                reader.totals(day, date(day.year, day.month, day.day))
    except StoreError as error:
        said.append(str(error))
        return "an error of several lines" if "\n" in str(error) else ""
    lost = sum(n - len(found.get(boot, ())) for boot, n in FRAMES_OF_BOOTS.items())
    n_told = sum(map(int, _MISSING.findall("\n".join(said))))
    row.with_losses += lost > 0
    row.told += lost > 0 and bool(said)
    if lost > n_told and not any(sign in line for line in said for sign in _IN_DOUBT):
        return f"{lost} frames lost, {n_told} told: {said}"
    if len(found.get(9, ())) != 50:
        return f"{len(found.get(9, ()))} frames of 50 stored afterwards"
    return ""


def _messages(folder: Path) -> list[str]:
    return [each.line for each in incidents(folder)]


def summary(rows: Sequence[FuzzRow]) -> tuple[int, int, int, int]:
    """Return how many stores there were, with losses, with losses that were told, and failures."""
    failures = sum(len(row.failures) for row in rows)
    return sum(r.stores for r in rows), sum(r.with_losses for r in rows), sum(r.told for r in rows), failures
