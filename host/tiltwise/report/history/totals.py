"""Minutes become sums of hours, days or months: seconds worn, upright, and beyond each angle.

Times in s, angles in degrees. Sums only, so that any parts add up to the whole; every share is of upright time
(worn, not walking, not lying), as in DaySummary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from operator import add

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate

LOOKING_DOWN_DEG = 20  # RULA's and REBA's highest class of neck flexion begins here


@dataclass(frozen=True, slots=True)
class Totals:
    """Seconds with samples, worn, upright, moving; angle x time in deg s; seconds at or beyond each angle."""

    covered_s: float = 0.0
    worn_s: float = 0.0
    posture_s: float = 0.0
    moving_s: float = 0.0
    moment_deg_s: float = 0.0
    above_s: tuple[float, ...] = (0.0,) * len(agg.THRESHOLDS_DEG)

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.covered_s + other.covered_s,
            self.worn_s + other.worn_s,
            self.posture_s + other.posture_s,
            self.moving_s + other.moving_s,
            self.moment_deg_s + other.moment_deg_s,
            tuple(map(add, self.above_s, other.above_s)),
        )

    @property
    def mean_deg(self) -> float:
        """Mean angle of the upright time, NaN without any."""
        return self.moment_deg_s / self.posture_s if self.posture_s > 0 else nan

    @property
    def down_s(self) -> float:
        """Seconds at or beyond LOOKING_DOWN_DEG."""
        return self.beyond_s(LOOKING_DOWN_DEG)

    def beyond_s(self, limit_deg: int) -> float:
        """Return the seconds at or beyond one of THRESHOLDS_DEG."""
        return self.above_s[agg.THRESHOLDS_DEG.index(limit_deg)]

    def percent(self, limit_deg: int = LOOKING_DOWN_DEG) -> float:
        """Return the share of upright time at or beyond an angle, in percent, NaN without upright time."""
        return self.beyond_s(limit_deg) / self.posture_s * 100 if self.posture_s > 0 else nan


def totals_of(row: Aggregate) -> Totals:
    """Return the sums of one minute, or of many merged."""
    histogram = row.flexion_s.sum(axis=0)
    moment = float(histogram @ agg.FLEXION_CENTRES_DEG)
    moving_s = float(row.flexion_s[agg.MOVING].sum())
    return Totals(
        row.covered_s, row.worn_s, float(histogram.sum()), moving_s, moment, tuple(agg.above_s(histogram))
    )


def sum_by(minutes: Iterable[Aggregate], key_of: Callable[[float], str]) -> dict[str, Totals]:
    """Return the sums of the minutes that share a key, in the order in which the keys come.

    Parameters
    ----------
    minutes
        In order of time.
    key_of
        From the time at which a minute starts, in s, to its hour, day or month.
    """
    groups: dict[str, list[Aggregate]] = {}
    for row in minutes:
        groups.setdefault(key_of(row.start_s), []).append(row)
    return {key: totals_of(agg.merge(rows)) for key, rows in groups.items()}


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation (n - 1) of values, NaN where there are too few; NaN values are left out."""
    known = [value for value in values if value == value]
    if not known:
        return nan, nan
    mean = sum(known) / len(known)
    if len(known) < 2:
        return mean, nan
    return mean, sqrt(sum((value - mean) ** 2 for value in known) / (len(known) - 1))
