"""One minute of neck angles as a small mergeable row, and the figures that follow from a sum of such rows.

Times in s (on any one axis; the app passes UTC epoch seconds), angles in degrees. Durations are counted in whole
microseconds, so sums are exact and rows merge in any order to the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import ACTIVITIES, Activity, FloatArray, Mount

MINUTE_S = 60
FLEXION_MIN_DEG, FLEXION_MAX_DEG = (
    -90,
    120,
)  # beyond what a neck does; the end bins hold whatever lies outside
BINS_PER_DEG = 10  # a percentile lies in its bin, so that it is good to 0.1 deg
N_FLEXION = (FLEXION_MAX_DEG - FLEXION_MIN_DEG) * BINS_PER_DEG
FLEXION_EDGES_DEG: FloatArray = FLEXION_MIN_DEG + np.arange(N_FLEXION + 1) / BINS_PER_DEG
FLEXION_CENTRES_DEG: FloatArray = (FLEXION_EDGES_DEG[:-1] + FLEXION_EDGES_DEG[1:]) / 2
RATE_EDGES_DEG_S: FloatArray = np.concatenate(([0.0], np.geomspace(0.25, 1000.0, 24)))  # 43 % steps
N_RATE = len(RATE_EDGES_DEG_S) - 1
# Practical grid after Mathiassen & Winkel 1991, doi:10.1080/00140139108964889; a 1 s grid has no 0-1 s class.
EVA_ANGLE_EDGES_DEG = (0.0, 10.0, 20.0, 30.0, 45.0, 60.0)
EVA_DURATION_EDGES_S = (3.0, 7.0, 15.0, 31.0, 63.0, 127.0)
EVA_SHAPE = (len(EVA_ANGLE_EDGES_DEG) + 1, len(EVA_DURATION_EDGES_S) + 1)
HELD, MOVING = 0, 1  # rows of the flexion histogram: sitting or standing still, and moving about on the spot
THRESHOLDS_DEG = (15, 20, 30, 45, 60)
BASE = "worn, upright and not walking"  # the time that every angle figure is of, of a file and of a day
SPELL_DEG = 20.0  # of the longest spell: the limit of RULA, in which a day's figures are told
ALGORITHM = 3  # stored with each row; raise it when the numbers of a row change for the same samples


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What one minute held; every array counts seconds.

    Walking, lying and not-worn time is in `activity_s` only: the angles there are not a sitting posture, and they
    enter no histogram. `flexion_s` is (2, 2100): rows HELD and MOVING, bins of 0.1 deg from -90. `rate_s` is (24,)
    over RATE_EDGES_DEG_S. `eva_s` is (7, 7) angle class x duration class, each run counted where it ends; `limit_use`
    is the largest share of the ISO 11226 holding time that a run in this minute had used; `bout_s` is the longest
    run at or beyond SPELL_DEG so far. (Rows of algorithm 1 have there the run beyond the first angle of ISO 11226;
    those up to 2 had bins of 1 deg, which are spread evenly over the ten.)
    `lateral_deg` and `rotation_deg` are the (least, greatest) angle, NaN without posture time; rotation is relative
    to a drifting zero, so only its span means something.
    """

    start_s: float
    activity_s: FloatArray
    flexion_s: FloatArray
    rate_s: FloatArray
    eva_s: FloatArray
    limit_use: float = 0.0
    bout_s: float = 0.0
    lateral_deg: tuple[float, float] = (np.nan, np.nan)
    rotation_deg: tuple[float, float] = (np.nan, np.nan)

    @property
    def covered_s(self) -> float:
        """Seconds with samples, whatever the wearer did."""
        return float(self.activity_s.sum())

    @property
    def posture_s(self) -> float:
        """Seconds upright and not walking: those whose angles count."""
        return float(self.flexion_s.sum())

    @property
    def worn_s(self) -> float:
        """Seconds on the body."""
        return self.covered_s - self.seconds(Activity.NOT_WORN)

    def seconds(self, activity: Activity) -> float:
        """Return the seconds of one activity."""
        return float(self.activity_s[ACTIVITIES.index(activity)])

    def percentiles_deg(self, *percent: float) -> FloatArray:
        """Return flexion percentiles (len(percent),) in deg of this minute's posture time, NaN without any."""
        return histogram_percentiles(self.flexion_s.sum(axis=0), FLEXION_EDGES_DEG, percent)


def flexion_bin(angle_deg: FloatArray | float) -> NDArray[np.int64]:
    """Return the bins of `Aggregate.flexion_s` in which angles lie, of the same shape."""
    bins = np.floor(np.asarray(angle_deg) * BINS_PER_DEG).astype(np.int64) - FLEXION_MIN_DEG * BINS_PER_DEG
    return np.clip(bins, 0, N_FLEXION - 1)


def in_bins(flexion_s: FloatArray) -> FloatArray:
    """Return `Aggregate.flexion_s` (2, 2100) of its values in a row (4200,), or of those of 1 deg (420,)."""
    rows = flexion_s.reshape(2, -1)
    times = N_FLEXION // rows.shape[1]
    return rows if times == 1 else np.repeat(rows / times, times, axis=1)


def above_s(histogram_s: FloatArray) -> list[float]:
    """Return the seconds at or beyond each of THRESHOLDS_DEG in a histogram of flexion (2100,)."""
    return [float(histogram_s[int(flexion_bin(limit)) :].sum()) for limit in THRESHOLDS_DEG]


def merge(rows: list[Aggregate]) -> Aggregate:
    """Return the sum of rows of any minutes; it starts with the earliest."""
    if not rows:
        raise ValueError("expected at least one aggregate to merge, got none")
    return Aggregate(
        start_s=min(row.start_s for row in rows),
        activity_s=_sum(row.activity_s for row in rows),
        flexion_s=_sum(row.flexion_s for row in rows),
        rate_s=_sum(row.rate_s for row in rows),
        eva_s=_sum(row.eva_s for row in rows),
        limit_use=max(row.limit_use for row in rows),
        bout_s=max(row.bout_s for row in rows),
        lateral_deg=_span([row.lateral_deg for row in rows]),
        rotation_deg=_span([row.rotation_deg for row in rows]),
    )


def _sum(tables: Iterable[FloatArray]) -> FloatArray:
    """Return the sum of tables, added one to the other: a stack of the 10,000 minutes of a month is 300 MB."""
    first, *others = tables
    total = first.copy()
    for table in others:
        total += table
    return total


def merge_by_minute(rows: list[Aggregate]) -> list[Aggregate]:
    """Return the rows in order with those of the same minute (two sessions, a backfill) added together."""
    groups: dict[float, list[Aggregate]] = {}
    for row in rows:
        groups.setdefault(row.start_s, []).append(row)
    return [group[0] if len(group) == 1 else merge(group) for _, group in sorted(groups.items())]


def _span(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the least and greatest of (least, greatest) pairs, ignoring NaN pairs."""
    known = [pair for pair in pairs if pair[0] == pair[0]]
    if not known:
        return (np.nan, np.nan)
    return (min(low for low, _ in known), max(high for _, high in known))


def histogram_percentiles(weights: FloatArray, edges: FloatArray, percent: tuple[float, ...]) -> FloatArray:
    """Return percentiles of a histogram, even within each bin; NaN when it is empty.

    Parameters
    ----------
    weights : (n,) time or counts in each bin.
    edges : (n + 1,) ascending bin edges.
    percent : percentiles wanted, 0 to 100.
    """
    total = float(weights.sum())
    if total <= 0:
        return np.full(len(percent), np.nan)
    above = np.cumsum(weights)
    wanted = (
        np.clip(np.asarray(percent) / 100, 1e-12, 1.0) * above[-1]
    )  # above 0, so that empty bins never match
    index = np.searchsorted(above, wanted, side="left")
    inside = np.clip(1 - (above[index] - wanted) / weights[index], 0.0, 1.0)
    return edges[index] + inside * (edges[index + 1] - edges[index])


def iso_11226_limit_min(angle_deg: FloatArray, mount: Mount) -> FloatArray:
    """Return the holding time (n,) in minutes that ISO 11226:2000 accepts at each angle, infinite below its first.

    Head inclination: 8 min at 25 deg falling to 1 min at 85. Trunk inclination: 4 min at 20 deg falling to 1 at 60.
    A sensor on the collar sees the upper back only, which stands in for the trunk. Beyond the last angle, where the
    standard accepts nothing, the last minute is used so that a use can still be stated.
    """
    first, last, longest = (20.0, 60.0, 4.0) if mount is Mount.COLLAR else (25.0, 85.0, 8.0)
    inside = np.clip(angle_deg, first, last)
    limit = longest - (longest - 1) * (inside - first) / (last - first)
    return np.where(angle_deg < first, np.inf, limit)
