"""Exported minutes of many people to sums a person and day, on DuckDB: out of core, on all cores.

Only columns of numbers are read, so that 14 million minutes take seconds; histograms travel in day digests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiltwise.errors import AppError
from tiltwise.report import aggregate as agg

_PATTERN = "minutes-*.parquet"


@dataclass(frozen=True, slots=True)
class PersonDay:
    """Seconds of one person on one local day at one mount; beyond_s by THRESHOLDS_DEG."""

    person: str
    day: str
    mount: str
    worn_s: float
    upright_s: float
    mean_deg: float
    beyond_s: tuple[float, ...]

    @property
    def percent(self) -> float:
        """Percent of upright time at 20 deg or more, NaN without upright time."""
        down_s = self.beyond_s[agg.THRESHOLDS_DEG.index(20)]
        return down_s / self.upright_s * 100 if self.upright_s > 0 else float("nan")


def has_minutes(folder: Path) -> bool:
    """Tell whether there are exported minutes below a folder."""
    return next(folder.rglob(_PATTERN), None) is not None


def person_days(folder: Path, memory_mb: int = 800) -> list[PersonDay]:
    """Return the sums; a person without a name is called by the folder of the files.

    Raises
    ------
    AppError
        Without duckdb, or where a file cannot be read.
    """
    duckdb = _duckdb()
    beyond = ", ".join(f"sum(beyond_{limit}_deg_s)" for limit in agg.THRESHOLDS_DEG)
    sql = f"""
        SELECT coalesce(nullif(person, ''), parse_path(filename)[-2]) AS who,
               strftime(timezone(zone, CAST(start_utc AS TIMESTAMPTZ)), '%Y-%m-%d') AS day, mount,
               sum(worn_s), sum(upright_s), sum(mean_deg * upright_s) FILTER (upright_s > 0), {beyond}
        FROM read_parquet(?, filename = true, union_by_name = true)
        WHERE sensor = 0 GROUP BY ALL ORDER BY ALL
    """
    try:
        with duckdb.connect(
            config={"memory_limit": f"{memory_mb}MB", "preserve_insertion_order": False}
        ) as db:
            db.execute("SET enable_progress_bar = false")  # it would stand in the JSON
            rows = db.execute(sql, [str(folder / "**" / _PATTERN)]).fetchall()
    except duckdb.Error as error:
        line = " ".join(str(error).split())[:200]
        raise AppError(f"{folder}: exported minutes cannot be read ({line}); export them again") from error
    return [_person_day(row) for row in rows]


def _person_day(row: tuple[Any, ...]) -> PersonDay:
    who, day, mount, worn, upright, moment, *beyond = row
    mean = moment / upright if upright else float("nan")
    return PersonDay(str(who), str(day), str(mount), worn, upright, mean, tuple(map(float, beyond)))


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise AppError("cohorts need duckdb: pip install duckdb") from None
    return duckdb


def groups_of(path: Path | None, people: set[str]) -> Mapping[str, str]:
    """Return the group of each person from a table `person,group`; without one everybody is in one group."""
    import csv

    if path is None:
        return dict.fromkeys(people, "all")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"person", "group"} <= set(rows[0]):
        raise AppError(f"{path}: expected a table with the columns person and group")
    known = {str(row["person"]): str(row["group"]) for row in rows}
    return {person: known[person] for person in people if person in known}
