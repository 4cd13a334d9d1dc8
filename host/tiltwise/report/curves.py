"""Summaries and samples become the numbers that a picture draws; arrays in, arrays out, no drawing here.

Times in s, angles in degrees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import ACTIVITIES, FloatArray


class LocalTime(Protocol):
    """What is asked of a datetime: this folder knows no clock of its own."""

    @property
    def hour(self) -> int:
        """Return the hour, 0 to 23."""

    @property
    def minute(self) -> int:
        """Return the minute."""

    @property
    def second(self) -> int:
        """Return the second."""

    def utcoffset(self) -> object:
        """Return how far it is from UTC."""

    def strftime(self, text: str, /) -> str:
        """Return it in words."""


CLASS_EDGES_DEG = (-90, 0, 15, 20, 30, 45, 60, 120)
_ENOUGH_S = 10.0  # posture time below which a minute's percentiles say nothing
_MOST_POINTS = 2400  # twice the pixels across: more than this becomes its envelope
_TICK_STEPS_S = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800)
_MOST_TICKS = 13
_LEAST_APART = 0.75  # of a step: where the clock is set back, two marks could come closer
_LEAST_HOLE_S = 0.5
_QUARTER_S = 900  # all zones are whole quarters of an hour from UTC
_GAP_STEPS = 10.0  # a step this many times the usual one breaks the line


def tick_step_s(span_s: float) -> int:
    """Return how many seconds lie between two marks of a time axis that spans so many."""
    return next((s for s in _TICK_STEPS_S if span_s / s <= _MOST_TICKS), _TICK_STEPS_S[-1])


def hole_edges(t_s: FloatArray) -> list[tuple[float, float]]:
    """Return the stretches without samples between times (n,) in s: longer than half a second and ten steps."""
    step = np.diff(t_s)
    usual = float(np.median(step[step > 0])) if (step > 0).any() else 0.0
    holes = np.flatnonzero(step > max(_LEAST_HOLE_S, _GAP_STEPS * usual))
    return [(float(t_s[k]), float(t_s[k + 1])) for k in holes]


def clock_ticks(
    start_s: float, end_s: float, local: Callable[[float], LocalTime]
) -> tuple[list[float], list[str]]:
    """Return times in UTC s at round local times, and their labels, in order of time.

    `local` gives the wearer's clock at a UTC time. Where the clock is set within the stretch each label names its
    zone: an hour that comes twice is told apart, and one that is skipped is seen to be.
    """
    step_s = tick_step_s(end_s - start_s)
    every_s = min(step_s, _QUARTER_S)
    found: list[tuple[float, LocalTime]] = []
    for t in np.arange(-(-start_s // every_s) * every_s, end_s + 1e-6, every_s).tolist():
        clock = local(t)
        is_apart = not found or t - found[-1][0] > step_s * _LEAST_APART
        if (clock.hour * 3600 + clock.minute * 60 + clock.second) % step_s == 0 and is_apart:
            found.append((t, clock))
    is_set = local(start_s).utcoffset() != local(end_s).utcoffset()
    text = ("%H:%M" if step_s >= 60 else "%H:%M:%S") + (" %Z" if is_set else "")
    return [t for t, _ in found], [clock.strftime(text) for _, clock in found]


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
    starts = agg.flexion_bin(np.array(CLASS_EDGES_DEG[:-1]))
    return np.asarray(np.add.reduceat(total.flexion_s, starts, axis=1), dtype=np.float64)


def cumulative_percent(histogram_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return angles (m,) in deg and the percent of the time below each, from the first full bin to the last."""
    below = np.concatenate(([0.0], np.cumsum(histogram_s))) / histogram_s.sum() * 100
    full = np.flatnonzero(histogram_s)
    part = slice(int(full[0]), int(full[-1]) + 2)
    return agg.FLEXION_EDGES_DEG[part], below[part]
