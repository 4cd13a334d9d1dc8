"""A day's aggregates, episodes, alerts and gaps become one summary: shares, percentiles, runs, breaks, missing time.

All times in s on one axis (the app passes UTC epoch seconds), angles in degrees, shares in percent. Time that was
not seen, not worn, spent walking or lying is reported as such and enters no angle figure: it is never good
posture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from tiltwise.exercise.rest_tilt import RestComparison
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import Activity, EpisodeEnded, FloatArray, Mount, RepCompleted

ENOUGH_WEAR_S = (
    4 * 3600.0
)  # short recordings pull P10 up and P90 down, doi:10.1186/1471-2288-12-190 has full shifts
_BREAK_MINUTES = 2  # one minute alone is a walk to the printer or a dropped packet, not a break
NOT_RECORDED = "not recorded"
_LEAST_MISSING_S = 2.0  # of a minute, in samples lost one by one and clocks that are still being learnt


@dataclass(frozen=True, slots=True)
class Gap:
    """No samples in [start_s, end_s), and why."""

    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Break:
    """The neck was out of its working posture in [start_s, end_s); is_active when most of it was walking."""

    start_s: float
    end_s: float
    is_active: bool


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day. `minutes` are the merged aggregates, `total` their sum (None on a day without samples).

    percent_above_deg counts posture time (upright, not walking) at or beyond each angle. percentiles_deg is
    (P10, P50, P90) of the same time, NaN without any; is_short says there is too little wear to read much into them.
    eva_percent is (7, 7), percent of the time in runs. limit_use is the largest share of an ISO 11226 holding time
    used by one run (1.0 = all of it). gaps hold every missing stretch between first and last sample, with its reason.
    upper_back is the same of a second sensor, on the collar; the angles here are then the neck's own.
    """

    start_s: float
    end_s: float
    mount: Mount
    minutes: tuple[Aggregate, ...]
    total: Aggregate | None
    percent_above_deg: dict[int, float]
    percentiles_deg: tuple[float, float, float]
    mean_deg: float
    eva_percent: FloatArray
    limit_use: float
    longest_bout_s: float
    episodes: tuple[EpisodeEnded, ...] = ()
    alerts_s: tuple[float, ...] = ()  # given, by the host or the sensor alone
    alerts_alone: int = 0  # of these, given by the sensor alone
    alerts_held_back: int = 0  # due and not given, not even late
    moves_suggested: int = 0  # another posture, or some steps
    moves_done: int = 0  # of those due, seen by the sensor
    reps: tuple[RepCompleted, ...] = ()
    breaks: tuple[Break, ...] = ()
    gaps: tuple[Gap, ...] = ()
    is_short: bool = True
    upper_back: DaySummary | None = None
    relative_to: str = (
        ""  # the posture taken for neutral, where nobody said that it was upright: no verdict then
    )
    shoulders_raised: int = 0  # brisk raises that no drop followed; an estimate
    shoulder_checks: tuple[RestComparison, ...] = ()  # "raise, drop, compare", in order of time

    @property
    def worn_s(self) -> float:
        """Seconds on the body."""
        return 0.0 if self.total is None else self.total.worn_s

    @property
    def posture_s(self) -> float:
        """Seconds upright and not walking: the base of every percentage."""
        return 0.0 if self.total is None else self.total.posture_s

    def seconds(self, activity: Activity) -> float:
        """Return the seconds of one activity."""
        return 0.0 if self.total is None else self.total.seconds(activity)


def summarise_day(
    minutes: Sequence[Aggregate],
    *,
    start_s: float,
    end_s: float,
    mount: Mount,
    episodes: Sequence[EpisodeEnded] = (),
    alerts_s: Sequence[float] = (),
    alerts_alone: int = 0,
    alerts_held_back: int = 0,
    moves_suggested: int = 0,
    moves_done: int = 0,
    reps: Sequence[RepCompleted] = (),
    gaps: Sequence[Gap] = (),
    upper_back: Sequence[Aggregate] = (),
    relative_to: str = "",
    shoulders_raised: int = 0,
    shoulder_checks: Sequence[RestComparison] = (),
) -> DaySummary:
    """Add up the rows that start in [start_s, end_s); rows of the same minute are merged first."""
    rows, total = _merged(minutes, start_s, end_s)
    histogram = np.zeros(agg.N_FLEXION) if total is None else total.flexion_s.sum(axis=0)
    return DaySummary(
        start_s,
        end_s,
        mount,
        tuple(rows),
        total,
        percent_above_deg=percent_above(histogram),
        percentiles_deg=_percentiles(histogram),
        mean_deg=_mean(histogram),
        eva_percent=_percent(np.zeros(agg.EVA_SHAPE) if total is None else total.eva_s),
        limit_use=0.0 if total is None else total.limit_use,
        longest_bout_s=0.0 if total is None else total.bout_s,
        episodes=tuple(episodes),
        alerts_s=tuple(alerts_s),
        alerts_alone=alerts_alone,
        alerts_held_back=alerts_held_back,
        moves_suggested=moves_suggested,
        moves_done=moves_done,
        reps=tuple(reps),
        breaks=tuple(_breaks(rows)),
        gaps=tuple(_all_gaps(rows, gaps)),
        is_short=total is None or total.worn_s < ENOUGH_WEAR_S,
        upper_back=_upper_back(upper_back, start_s, end_s),
        relative_to=relative_to,
        shoulders_raised=shoulders_raised,
        shoulder_checks=tuple(shoulder_checks),
    )


def in_sums(summary: DaySummary) -> DaySummary:
    """Return a summary without its minutes."""
    back = summary.upper_back
    return replace(summary, minutes=(), upper_back=None if back is None else in_sums(back))


def _merged(
    minutes: Sequence[Aggregate], start_s: float, end_s: float
) -> tuple[list[Aggregate], Aggregate | None]:
    rows = agg.merge_by_minute([row for row in minutes if start_s <= row.start_s < end_s])
    return rows, agg.merge(rows) if rows else None


def _percentiles(histogram: FloatArray) -> tuple[float, float, float]:
    p10, p50, p90 = agg.histogram_percentiles(histogram, agg.FLEXION_EDGES_DEG, (10, 50, 90)).tolist()
    return p10, p50, p90


def _upper_back(minutes: Sequence[Aggregate], start_s: float, end_s: float) -> DaySummary | None:
    return summarise_day(minutes, start_s=start_s, end_s=end_s, mount=Mount.COLLAR) if minutes else None


def percent_above(histogram_s: FloatArray) -> dict[int, float]:
    """Return the percentage of the time at or beyond each of THRESHOLDS_DEG; histogram_s (2100,) as in Aggregate."""
    total = float(histogram_s.sum())
    above = agg.above_s(histogram_s)
    return {
        limit: seconds / total * 100 if total > 0 else float("nan")
        for limit, seconds in zip(agg.THRESHOLDS_DEG, above, strict=True)
    }


def _mean(histogram_s: FloatArray) -> float:
    """Return the mean angle, good to a fraction of the bins."""
    total = float(histogram_s.sum())
    return float(histogram_s @ agg.FLEXION_CENTRES_DEG) / total if total > 0 else float("nan")


def _percent(table: FloatArray) -> FloatArray:
    total = float(table.sum())
    return table / total * 100 if total > 0 else table


def _breaks(rows: list[Aggregate]) -> list[Break]:
    """Return runs of at least two minutes that were mostly walking, lying, not worn or not recorded."""
    breaks: list[Break] = []
    working = [row for row in rows if row.posture_s > agg.MINUTE_S / 2]
    for before, after in pairwise(working):
        start, end = before.start_s + agg.MINUTE_S, after.start_s
        if end - start >= _BREAK_MINUTES * agg.MINUTE_S:
            walked = sum(r.seconds(Activity.WALKING) for r in rows if start <= r.start_s < end)
            breaks.append(Break(start, end, is_active=walked > (end - start) / 2))
    return breaks


def _all_gaps(rows: list[Aggregate], known: Sequence[Gap]) -> list[Gap]:
    """Return the known gaps and, for missing time that none of them explains, gaps without a reason."""
    if not rows:
        return sorted(known, key=lambda gap: gap.start_s)
    first_s, last_s = rows[0].start_s, rows[-1].start_s + agg.MINUTE_S
    found = [
        Gap(max(gap.start_s, first_s), min(gap.end_s, last_s), gap.reason)
        for gap in known
        if gap.start_s < last_s and gap.end_s > first_s
    ]
    for before, after in pairwise(rows):
        start, end = before.start_s + agg.MINUTE_S, after.start_s
        is_known = any(gap.start_s < end and gap.end_s > start for gap in known)
        if end > start and not is_known:
            found.append(Gap(start, end, NOT_RECORDED))
    return sorted([*found, *_gaps_within_minutes(rows[1:-1], known)], key=lambda gap: gap.start_s)


def _gaps_within_minutes(rows: list[Aggregate], known: Sequence[Gap]) -> list[Gap]:
    """Return what is missing of minutes between others: where in its minute is not known, at its end say."""
    found = []
    for row in rows:
        end_s = row.start_s + agg.MINUTE_S
        inside = (min(gap.end_s, end_s) - max(gap.start_s, row.start_s) for gap in known)
        missing_s = agg.MINUTE_S - row.covered_s - sum(s for s in inside if s > 0)
        if missing_s > _LEAST_MISSING_S:
            found.append(Gap(end_s - missing_s, end_s, NOT_RECORDED))
    return found
