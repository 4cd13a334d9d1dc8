"""How long `cohort` takes over many people's minutes beside pandas reading everything, and federated percentiles.

The Parquet files are made here with the columns that the query reads and the others of an export; each measurement is
a process of its own, so that its memory is its own. Times in s, memory in MB, percentiles in deg.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.offline.cohort.cohort_figures import figures_of_digests
from tiltwise.offline.cohort.day_digest import Digest, combine, digest_bytes, digest_of
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import Mount
from tiltwise_lab.bench.exposure.checked_days import random_day, summary_of
from tiltwise_lab.bench.timed_process import timed_process

_OURS = (
    "from pathlib import Path\nfrom tiltwise.offline.cohort.cohort_days import person_days\n"
    "days = person_days(Path({folder!r}))\nn = len(days)"
)
_PANDAS = (
    "import pandas\nfrom pathlib import Path\n"
    "files = sorted(Path({folder!r}).rglob('minutes-*.parquet'))\n"
    "frame = pandas.concat([pandas.read_parquet(f) for f in files])\n"
    "day = pandas.to_datetime(frame.start_utc, utc=True).dt.tz_convert('UTC').dt.date\n"
    "n = len(frame.groupby(['person', day, 'mount'])[['worn_s', 'upright_s', 'beyond_20_deg_s']].sum())"
)
_SIZED_DAYS = 10


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One way over all files: seconds, MB at most, days found; NaN where its library is missing."""

    way: str
    minutes: int
    seconds: float
    most_mb: float
    person_days: int


@dataclass(frozen=True, slots=True)
class FederatedRow:
    """Groups of sites combined by digests, against the pooled samples; bytes of the largest of some random days."""

    people: int
    digest_bytes: int
    worst_deg: float


def cohort_rows(people: int, days: int, minutes: int = 480) -> Iterator[tuple[float, CohortRow]]:
    """Yield the share done and a row for each way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in range(people):
            _write_person(folder / f"p{k:04d}", k, days, minutes)
        for share, (way, code) in enumerate(
            (("cohort (DuckDB)", _OURS), ("pandas, everything", _PANDAS)), start=1
        ):
            done = timed_process(code.format(folder=str(folder)))
            yield share / 2, CohortRow(way, people * days * minutes, done.wall_s, done.most_mb, done.n)


def _write_person(folder: Path, seed: int, days: int, minutes: int) -> None:
    """Write one file of all days of a person: the query does not care, and 30,000 files would measure the disk."""
    import pyarrow
    import pyarrow.parquet

    rng = np.random.default_rng(seed)
    n = days * minutes
    day, minute = np.divmod(np.arange(n), minutes)
    start = np.datetime64("2026-03-02T08:00:00") + (day * 1440 + minute).astype("timedelta64[m]")
    mean = rng.normal(rng.uniform(5, 30), 8, n)
    share = 1 / (1 + np.exp(-(mean[:, None] - np.array([15, 20, 30, 45, 60])) / 3))
    columns: dict[str, object] = {
        "person": pyarrow.DictionaryArray.from_arrays(np.zeros(n, np.int32), [folder.name]).cast("string"),
        "mount": pyarrow.DictionaryArray.from_arrays(np.zeros(n, np.int32), ["head"]).cast("string"),
        "zone": pyarrow.DictionaryArray.from_arrays(np.zeros(n, np.int32), ["UTC"]).cast("string"),
        "sensor": np.zeros(n, np.int64),
        "start_utc": pyarrow.array(np.char.add(start.astype(str), "+00:00")),
        "worn_s": np.full(n, 60.0),
        "upright_s": rng.uniform(30, 60, n).round(3),
        "mean_deg": mean,
    }
    for k, limit in enumerate((15, 20, 30, 45, 60)):
        columns[f"beyond_{limit}_deg_s"] = (share[:, k] * 30).round(3)
    for name in (
        "recorded_s",
        "still_s",
        "moving_s",
        "walking_s",
        "p10_deg",
        "p50_deg",
        "p90_deg",
        "limit_use",
    ):
        columns[name] = rng.random(n)
    folder.mkdir(parents=True)
    pyarrow.parquet.write_table(
        pyarrow.table(columns), folder / "minutes-2026-03-02.parquet", compression="zstd"
    )


def federated_row(people: int, sites: int = 20, seed: int = 1) -> FederatedRow:
    """Return how far percentiles from digests of sites are from those of all samples."""
    rng = np.random.default_rng(seed)
    pooled, digests = [], []
    for k in range(people):
        angles = rng.normal(rng.uniform(0, 35), rng.uniform(3, 12), 400).clip(-89, 119)
        pooled.append(angles)
        digests.append(made_digest(angles, k))
    by_site = [combine(digests[k::sites], f"site {k}") for k in range(sites)]
    (whole, _), *_ = figures_of_digests([combine(by_site, "all")], {})[0]
    wanted = np.percentile(np.concatenate(pooled), (10, 50, 90))
    worst_deg = float(np.abs(np.array(whole.percentiles_deg) - wanted).max())
    return FederatedRow(people, max(map(_digest_size, range(_SIZED_DAYS))), worst_deg)


def _digest_size(seed: int) -> int:
    total = summary_of(*random_day(seed)).total
    assert total is not None
    return len(digest_bytes(digest_of(total, person="p", day="2026-03-02", mount=Mount.HEAD)))


def made_digest(angles: np.ndarray, number: int) -> Digest:
    """Return the digest of a second at each angle (n,), deg, of person `number`."""
    flexion = np.zeros((2, agg.N_FLEXION))
    flexion[0] = np.bincount(agg.flexion_bin(angles), minlength=agg.N_FLEXION)
    times = np.array([flexion.sum(), 0.0, 0.0, 0.0, 0.0])
    row = Aggregate(0.0, times, flexion, np.zeros(agg.N_RATE), np.zeros(agg.EVA_SHAPE))
    return digest_of(row, person=f"p{number}", day="2026-03-02", mount=Mount.HEAD)
