"""A person's day, or the days of many, in about 2 kB that add up exactly: whole milliseconds in fixed classes.

What sites send each other in place of anyone's minutes: histograms of the angle (0.2 deg), its speed, EVA, activity.
A combined digest says of how many people and days it is; shares and percentiles of it are those of the pooled data,
percentiles to 0.2 deg. The file is JSON; `tables` are the classes in the order of _SIZES as 64 bit numbers, the
lowest bytes of all first, then the next ones, deflated (zlib), in base64. Version 1 had lists, and whole degrees.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltwise.errors import AppError
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import ACTIVITIES, FloatArray, Mount

FORMAT = "tiltwise day digest"
VERSION = 2
_OF_CLASS = 2  # bins of a minute in a class of the angle: 0.1 deg each would make it larger than 2 kB
_SIZES = {
    "flexion_ms": agg.N_FLEXION // _OF_CLASS,
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
        """Upright seconds in the bins of Aggregate, (2100,): even within a class."""
        return np.repeat(self.tables["flexion_ms"] / (1000 * _OF_CLASS), _OF_CLASS)

    @property
    def worn_s(self) -> float:
        """Seconds on the body."""
        worn = [k for k, activity in enumerate(ACTIVITIES) if activity.value != "not_worn"]
        return float(self.tables["activity_ms"][worn].sum()) / 1000


def digest_of(total: Aggregate, *, person: str, day: str, mount: Mount) -> Digest:
    """Return the digest of the merged minutes of a day."""
    flexion_s = total.flexion_s.sum(axis=0).reshape(-1, _OF_CLASS).sum(axis=1)
    sums = (flexion_s, total.rate_s, total.eva_s.ravel(), total.activity_s)
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
    """Return a digest as it is written: under 2 kB for a day."""
    row = np.concatenate([digest.tables[name] for name in _SIZES]).astype("<u8")
    planes = zlib.compress(row.view(np.uint8).reshape(-1, 8).T.tobytes(), 9)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "person": digest.person,
        "day": digest.day,
        "mount": digest.mount,
    }
    counts = {"people": digest.people, "days": digest.days}
    tables = {"tables": base64.b64encode(planes).decode("ascii")}
    return (json.dumps(about | counts | tables, separators=(",", ":")) + "\n").encode()


def read_digest(path: Path) -> Digest:
    """Read a digest; AppError names the file that is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"larger than {_MOST_BYTES} bytes")
        values = json.loads(path.read_bytes())
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"expected {FORMAT!r}")
        tables = _tables(values)
        people, days = (int(values[name]) for name in ("people", "days"))
        if not (1 <= people <= 10**9 and 1 <= days <= 10**9):
            raise ValueError("people, days: expected counts from 1")
        return Digest(
            str(values["person"]), str(values["day"]), str(Mount(values["mount"])), people, days, tables
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, zlib.error) as error:
        raise AppError(f"{path}: not a day digest ({error}); export it again") from error


def _tables(values: Mapping[str, Any]) -> dict[str, NDArray[np.int64]]:
    """Return the tables of either version."""
    if values.get("version") == 1:
        return _tables_of_version_1(values)
    if values.get("version") != VERSION:
        raise ValueError(f"expected version {VERSION}")
    size = 8 * sum(_SIZES.values())
    inflate = zlib.decompressobj()
    planes = inflate.decompress(base64.b64decode(str(values["tables"]), validate=True), size + 1)
    if len(planes) != size or not inflate.eof:
        raise ValueError(f"tables: expected {size} bytes")
    row = np.frombuffer(planes, np.uint8).reshape(8, -1).T.copy().view("<u8")[:, 0]
    if row.max() >= _MOST_MS:
        raise ValueError("tables: expected whole milliseconds")
    parts = np.split(row.astype(np.int64), np.cumsum(list(_SIZES.values()))[:-1])
    return dict(zip(_SIZES, parts, strict=True))


def _tables_of_version_1(values: Mapping[str, Any]) -> dict[str, NDArray[np.int64]]:
    """Return lists of numbers as tables, their whole degrees spread evenly, to the millisecond."""
    times = _SIZES["flexion_ms"] // (agg.FLEXION_MAX_DEG - agg.FLEXION_MIN_DEG)
    sizes = _SIZES | {"flexion_ms": _SIZES["flexion_ms"] // times}
    tables = {name: _table(values[name], size, name) for name, size in sizes.items()}
    before = (tables["flexion_ms"][:, None] * np.arange(times + 1)) // times  # ms until each part of a degree
    return tables | {"flexion_ms": np.diff(before, axis=1).ravel()}


def _table(values: Mapping[str, object], size: int, name: str) -> NDArray[np.int64]:
    first, ms = values["first"], values["ms"]
    if not isinstance(first, int) or not isinstance(ms, list) or first < 0 or first + len(ms) > size:
        raise ValueError(f"{name}: expected up to {size} classes")
    if not all(isinstance(each, int) and 0 <= each < _MOST_MS for each in ms):
        raise ValueError(f"{name}: expected whole milliseconds")
    table = np.zeros(size, dtype=np.int64)
    table[first : first + len(ms)] = ms
    return table
