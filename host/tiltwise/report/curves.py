"""Summaries and samples become the numbers that a picture draws; arrays in, arrays out, no drawing here.

Times in s, angles in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import ACTIVITIES, FloatArray

CLASS_EDGES_DEG = (-90, 0, 15, 20, 30, 45, 60, 120)
_ENOUGH_S = 10.0  # posture time below which a minute's percentiles say nothing
_MOST_POINTS = 2400  # twice the pixels across: more than this becomes its envelope
_GAP_STEPS = 10.0  # a step this many times the usual one breaks the line


def minute_band(minutes: Sequence[Aggregate]) -> tuple[FloatArray, FloatArray]:
    """Return step edges (n,) in s and P10, P50, P90 (3, n) in deg of each minute, NaN where there is too little."""
    nothing = np.full(3, np.nan)
    rows = [row.percentiles_deg(10, 50, 90) if row.posture_s >= _ENOUGH_S else nothing for row in minutes]
    return _steps(minutes, rows, nothing)


def activity_steps(minutes: Sequence[Aggregate]) -> tuple[FloatArray, FloatArray]:
    """Return step edges (n,) in s and the share of each minute in each activity (5, n), 0 where nothing is known."""
    return _steps(minutes, [row.activity_s / agg.MINUTE_S for row in minutes], np.zeros(len(ACTIVITIES)))


def _steps(
    minutes: Sequence[Aggregate], rows: Sequence[FloatArray], missing: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return both edges of every minute with its values, and `missing` across minutes that are not there."""
    edges, values = [], []
    for k, (minute, row) in enumerate(zip(minutes, rows, strict=True)):
        end_s = minute.start_s + agg.MINUTE_S
        edges += [minute.start_s, end_s]
        values += [row, row]
        if k + 1 < len(minutes) and minutes[k + 1].start_s > end_s:
            edges += [end_s, minutes[k + 1].start_s]
            values += [missing, missing]
    return np.array(edges), np.array(values).reshape(-1, len(missing)).T


def line(t: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return points (m,) that draw a line of (n,), units kept: many become two of each pixel, gaps become NaN."""
    if len(t) > _MOST_POINTS:
        cuts = np.linspace(0, len(t), _MOST_POINTS // 2 + 1).astype(int)[:-1]
        low = np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), cuts)
        high = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), cuts)
        ends = np.stack((low, high), axis=1)
        ends[low > high] = np.nan
        t, values = np.repeat(t[cuts], 2), ends.ravel()
    step = np.diff(t)
    usual = float(np.median(step[step > 0])) if (step > 0).any() else 0.0
    breaks = np.flatnonzero(step > _GAP_STEPS * usual) + 1
    return np.insert(t, breaks, t[breaks]), np.insert(values, breaks, np.nan)


def class_seconds(total: Aggregate) -> FloatArray:
    """Return the time (2, 7) in s in each angle class, rows HELD and MOVING."""
    starts = np.array(CLASS_EDGES_DEG[:-1]) - agg.FLEXION_MIN_DEG
    return np.asarray(np.add.reduceat(total.flexion_s, starts, axis=1), dtype=np.float64)


def cumulative_percent(histogram_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return angles (m,) in deg and the percent of the time below each, from the first full bin to the last."""
    below = np.concatenate(([0.0], np.cumsum(histogram_s))) / histogram_s.sum() * 100
    full = np.flatnonzero(histogram_s)
    part = slice(int(full[0]), int(full[-1]) + 2)
    return agg.FLEXION_EDGES_DEG[part], below[part]
