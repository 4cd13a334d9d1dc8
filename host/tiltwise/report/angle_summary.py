"""A whole file's angle becomes the figures that `tiltwise analyze` prints: percentiles, mean, percent above.

Angles in degrees, times in s. Offline only: it looks at all samples at once and never makes events. Every figure is
weighted by real time, so a jittering or changing rate does not bend it, and gaps count for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.report.aggregate import THRESHOLDS_DEG
from tiltwise.types import FloatArray

_LEAST_GAP_S = 0.5  # as exposure.ExposureSettings
_GAP_STEPS = 5.0  # slow files: a gap is more than this many ordinary steps


@dataclass(frozen=True, slots=True)
class AngleSummary:
    """Figures of one angle over its valid time, in degrees; NaN when there is none."""

    p10: float
    p50: float
    p90: float
    mean: float
    percent_above_deg: Mapping[str, float]
    valid_s: float


def durations_s(t_s: FloatArray) -> FloatArray:
    """Return how long each sample (n,) stands, in s: until the next one, nothing at a gap or a step back.

    The last sample stands for one ordinary step, so that n evenly spaced samples stand for n steps.
    """
    step = np.diff(t_s)
    ordinary = float(np.median(step)) if len(step) else 0.0
    longest = max(_LEAST_GAP_S, _GAP_STEPS * ordinary)
    return np.append(np.where((step > 0) & (step <= longest), step, 0.0), max(ordinary, 0.0))[: len(t_s)]


def summarise_samples(
    t_s: FloatArray, angle_deg: FloatArray, use: NDArray[np.bool_] | None = None
) -> AngleSummary:
    """Return time-weighted figures of an angle.

    Parameters
    ----------
    t_s : (n,) s.
    angle_deg : (n,) deg; NaN is not valid time.
    use : (n,) bool, optional; False excludes a sample (walking, lying, not worn).

    Returns
    -------
    AngleSummary
        percent_above_deg has the keys "15", "20", "30", "45", "60": percent of the valid time at or beyond.
    """
    valid = ~np.isnan(angle_deg) if use is None else ~np.isnan(angle_deg) & use
    weight = np.where(valid, durations_s(t_s), 0.0)
    total = float(weight.sum())
    if total <= 0:
        nothing = float("nan")
        return AngleSummary(
            nothing, nothing, nothing, nothing, {str(k): nothing for k in THRESHOLDS_DEG}, 0.0
        )
    above = {
        str(limit): float(weight[valid & (angle_deg >= limit)].sum()) / total * 100
        for limit in THRESHOLDS_DEG
    }
    p10, p50, p90 = _weighted_percentiles(angle_deg[weight > 0], weight[weight > 0], (10, 50, 90))
    mean = float(np.sum(np.where(weight > 0, angle_deg, 0.0) * weight)) / total
    return AngleSummary(p10, p50, p90, mean, above, total)


def _weighted_percentiles(values: FloatArray, weight: FloatArray, percent: tuple[float, ...]) -> list[float]:
    """Return the percentiles of values that stand for different times."""
    order = np.argsort(values, kind="stable")
    ordered, cumulated = values[order], np.cumsum(weight[order])
    middle = (cumulated - weight[order] / 2) / cumulated[-1] * 100  # a sample sits in the middle of its share
    return [float(np.interp(p, middle, ordered)) for p in percent]
