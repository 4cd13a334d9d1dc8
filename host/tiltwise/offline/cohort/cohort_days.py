"""Exported minutes of many people to sums a person and day, on DuckDB: out of core, on all cores.

Only columns of numbers are read, so that 14 million minutes take seconds; histograms travel in day digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from pathlib import Path
from typing import Any

from tiltwise.errors import AppError
from tiltwise.report import aggregate as agg

_PATTERN = "minutes-*.parquet"
# (person, day, mount) and seconds worn, upright, mean angle times upright (deg s), beyond each of THRESHOLDS_DEG
DaySums = tuple[tuple[str, str, str], tuple[float, ...]]


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


def minute_files(folder: Path) -> list[Path]:
    """Return the files of exported minutes below a folder."""
    return sorted(folder.rglob(_PATTERN))


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
    return merged_days(day_sums([str(folder / "**" / _PATTERN)], memory_mb))


def day_sums(files: Sequence[str], memory_mb: int = 800) -> list[DaySums]:
    """Return sums of some files (or patterns); those of one day in two lists of files add up in `merged_days`."""
    duckdb = _duckdb()
    beyond = ", ".join(f"sum(beyond_{limit}_deg_s)" for limit in agg.THRESHOLDS_DEG)
    sql = f"""
        SELECT coalesce(nullif(person, ''), parse_path(filename)[-2]) AS who,
               strftime(timezone(zone, CAST(start_utc AS TIMESTAMPTZ)), '%Y-%m-%d') AS day, mount,
               sum(worn_s), sum(upright_s),
               coalesce(sum(mean_deg * upright_s) FILTER (upright_s > 0), 0), {beyond}
        FROM read_parquet(?, filename = true, union_by_name = true)
        WHERE sensor = 0 GROUP BY ALL ORDER BY ALL
    """
    try:
        with duckdb.connect(
            config={"memory_limit": f"{memory_mb}MB", "preserve_insertion_order": False}
        ) as db:
            db.execute("SET enable_progress_bar = false")  # it would stand in the JSON
            rows = db.execute(sql, [list(files)]).fetchall()
    except duckdb.Error as error:
        line = " ".join(str(error).split())[:200]
        raise AppError(f"exported minutes cannot be read ({line}); export them again") from error
    return [((str(who), str(day), str(mount)), tuple(map(float, sums))) for who, day, mount, *sums in rows]


def merged_days(rows: Iterable[DaySums]) -> list[PersonDay]:
    """Add up the sums of each person, day and mount."""
    whole: dict[tuple[str, str, str], tuple[float, ...]] = {}
    for key, sums in rows:
        before = whole.get(key)
        whole[key] = sums if before is None else tuple(map(add, before, sums))
    return [_person_day(key, whole[key]) for key in sorted(whole)]


def _person_day(key: tuple[str, str, str], sums: tuple[float, ...]) -> PersonDay:
    worn, upright, moment, *beyond = sums
    return PersonDay(*key, worn, upright, moment / upright if upright else float("nan"), tuple(beyond))


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
