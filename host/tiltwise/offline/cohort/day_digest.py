"""A person's day, or the days of many, in about 2 kB that add up exactly: whole milliseconds in fixed classes.

What sites send each other in place of anyone's minutes: histograms of the angle (1 deg), its speed, EVA and activity.
A combined digest says of how many people and days it is; shares and percentiles of it are those of the pooled data,
to the degree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiltwise.errors import AppError
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import ACTIVITIES, FloatArray, Mount

FORMAT = "tiltwise day digest"
VERSION = 1
_SIZES = {
    "flexion_ms": agg.N_FLEXION,
    "rate_ms": agg.N_RATE,
    "eva_ms": agg.EVA_SHAPE[0] * agg.EVA_SHAPE[1],
    "activity_ms": len(ACTIVITIES),
}
_MOST_BYTES = 1 << 20
_MOST_MS = 2**53  # sums beyond it are not whole in every language that reads JSON


@dataclass(frozen=True, slots=True)
class Digest:
    """Milliseconds by class, and of whom: a person and a day, or counts of people and days for many."""

    person: str
    day: str
    mount: str
    people: int
    days: int
    tables: Mapping[str, NDArray[np.int64]]

    @property
    def flexion_s(self) -> FloatArray:
        """Upright seconds in each degree from -90, (210,)."""
        return self.tables["flexion_ms"] / 1000

    @property
    def worn_s(self) -> float:
        """Seconds on the body."""
        worn = [k for k, activity in enumerate(ACTIVITIES) if activity.value != "not_worn"]
        return float(self.tables["activity_ms"][worn].sum()) / 1000


def digest_of(total: Aggregate, *, person: str, day: str, mount: Mount) -> Digest:
    """Return the digest of the merged minutes of a day."""
    sums = (total.flexion_s.sum(axis=0), total.rate_s, total.eva_s.ravel(), total.activity_s)
    tables = {name: np.rint(each * 1000).astype(np.int64) for name, each in zip(_SIZES, sums, strict=True)}
    return Digest(person, day, str(mount), 1, 1, tables)


def combine(digests: Iterable[Digest], name: str) -> Digest:
    """Return the sum of digests of one mount, as those of a group called `name`; ValueError without any."""
    parts = list(digests)
    mounts = {each.mount for each in parts}
    if len(mounts) != 1:
        raise ValueError(f"expected digests of one mount, came {', '.join(sorted(mounts)) or 'none'}")
    people = sum(each.people for each in parts if not each.person) + len(
        {e.person for e in parts if e.person}
    )
    tables = {key: np.sum([each.tables[key] for each in parts], axis=0) for key in _SIZES}
    return Digest("", name, mounts.pop(), people, sum(each.days for each in parts), tables)


def digest_bytes(digest: Digest) -> bytes:
    """Return a digest as JSON: each table from its first full class to its last."""
    tables = {}
    for name, table in digest.tables.items():
        full = np.flatnonzero(table)
        first, end = (int(full[0]), int(full[-1]) + 1) if len(full) else (0, 0)
        tables[name] = {"first": first, "ms": table[first:end].tolist()}
    about = {
        "format": FORMAT,
        "version": VERSION,
        "person": digest.person,
        "day": digest.day,
        "mount": digest.mount,
    }
    counts = {"people": digest.people, "days": digest.days}
    return (json.dumps(about | counts | tables, separators=(",", ":")) + "\n").encode()


def read_digest(path: Path) -> Digest:
    """Read a digest; AppError names the file that is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"larger than {_MOST_BYTES} bytes")
        values = json.loads(path.read_bytes())
        if not isinstance(values, dict) or (values.get("format"), values.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"expected {FORMAT!r}, version {VERSION}")
        tables = {name: _table(values[name], size, name) for name, size in _SIZES.items()}
        people, days = (int(values[name]) for name in ("people", "days"))
        if not (1 <= people <= 10**9 and 1 <= days <= 10**9):
            raise ValueError("people, days: expected counts from 1")
        return Digest(
            str(values["person"]), str(values["day"]), str(Mount(values["mount"])), people, days, tables
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AppError(f"{path}: not a day digest ({error}); export it again") from error


def _table(values: Mapping[str, object], size: int, name: str) -> NDArray[np.int64]:
    first, ms = values["first"], values["ms"]
    if not isinstance(first, int) or not isinstance(ms, list) or first < 0 or first + len(ms) > size:
        raise ValueError(f"{name}: expected up to {size} classes")
    if not all(isinstance(each, int) and 0 <= each < _MOST_MS for each in ms):
        raise ValueError(f"{name}: expected whole milliseconds")
    table = np.zeros(size, dtype=np.int64)
    table[first : first + len(ms)] = ms
    return table
