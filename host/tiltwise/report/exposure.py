"""Neck angles with real sample times, in any cuts, become one-minute aggregates (exposure.Aggregate).

Angles in degrees, times in s on one axis. Each sample counts for the time until the next one; where that is longer
than `max_gap_s` it counts for nothing, so a gap is a gap. Durations are summed in whole microseconds and angles on
the 1 s grid in whole microdegrees, so every count is the same for any cut of the data.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.hindsight import Hindsight
from tiltwise.report.runs import RunTracker, Seconds
from tiltwise.types import ACTIVITIES, Activity, ActivityChanged, FloatArray, Mount

_IntArray = NDArray[np.int64]
_US = 1_000_000
_MINUTE_US = agg.MINUTE_S * _US
_SLICE = 16384  # samples worked on at once: they fit the processor's cache, twice as fast as a whole day
_HISTOGRAM_ROW: NDArray[np.int64] = np.array(  # row of flexion_s by activity code, -1 for none
    [{Activity.STILL: agg.HELD, Activity.MOVING: agg.MOVING}.get(a, -1) for a in ACTIVITIES]
)


@dataclass(frozen=True, slots=True)
class ExposureSettings:
    """mount chooses the ISO 11226 limits; max_gap_s is the longest time one sample may stand for.

    next_day_s tells of a time when the next day begins, where no run goes on; None: there are no days.
    """

    mount: Mount = Mount.NECK
    max_gap_s: float = 0.5  # five samples at the slowest rate a board sends
    next_day_s: Callable[[float], float] | None = None


@dataclass(slots=True)
class _Row:
    """Sums of one minute so far, in microseconds."""

    activity: FloatArray = field(default_factory=lambda: np.zeros(len(ACTIVITIES)))
    flexion: FloatArray = field(default_factory=lambda: np.zeros((2, agg.N_FLEXION)))
    rate: FloatArray = field(default_factory=lambda: np.zeros(agg.N_RATE))
    lateral: tuple[float, float] = (np.inf, -np.inf)
    rotation: tuple[float, float] = (np.inf, -np.inf)


@dataclass(frozen=True, slots=True)
class _Samples:
    """Samples whose duration is known: times in us, angles in deg, codes, durations in us (float, whole)."""

    t_us: _IntArray
    flexion: FloatArray
    lateral: FloatArray
    rotation: FloatArray
    rate: FloatArray
    code: _IntArray
    dt_us: FloatArray


class ExposureAccumulator:
    """Adds up samples into minutes that start at whole multiples of 60 s of the time axis it is given.

    `process` and `finish` return the minutes that are complete; `snapshot` returns the others as they stand, so
    that a store can replace them every second.
    """

    def __init__(self, settings: ExposureSettings | None = None) -> None:
        self.settings = settings or ExposureSettings()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._rows: dict[int, _Row] = {}
        self._last: tuple[int, float, float, float, float, int] | None = None
        self._runs = RunTracker(self.settings.mount, self.settings.next_day_s)
        self._hindsight = Hindsight()
        self._newest_s = -np.inf

    def process(
        self,
        t_s: FloatArray,
        flexion_deg: FloatArray,
        activity: NDArray[np.int8],
        *,
        lateral_deg: FloatArray | None = None,
        rotation_deg: FloatArray | None = None,
        rate_deg_s: FloatArray | None = None,
        inclination_deg: FloatArray | None = None,
        changes: Sequence[ActivityChanged] = (),
    ) -> list[Aggregate]:
        """Add samples, each array (n,), and return the minutes that are complete now.

        A sample is counted HOLD_S later, when it is known what the wearer was doing then.

        Parameters
        ----------
        t_s : s, not decreasing, also from call to call.
        flexion_deg : deg; where it is NaN the time counts (worn, its activity), but enters no angle figure.
        activity : index into types.ACTIVITIES.
        lateral_deg, rotation_deg : deg, optional.
        rate_deg_s : deg/s, optional; without it the speed histogram stays empty.
        inclination_deg : deg, optional: shows a sensor that is being taken off.
        changes : of the activity, as its detector tells them, times on this axis.

        Raises
        ------
        ValueError
            When time runs backwards or an activity code is unknown.
        """
        nothing = np.full(len(t_s), np.nan)
        given = (lateral_deg, rotation_deg, rate_deg_s, inclination_deg)
        *columns, inclination = (nothing if c is None else c for c in given)
        _check(t_s, activity, self._newest_s)
        self._newest_s = float(t_s[-1]) if len(t_s) else self._newest_s
        held = np.stack((t_s, flexion_deg, *columns))
        self._add(*self._hindsight.process(held, activity, inclination, changes))
        return self._take(self._runs.settled_minute)

    def finish(self) -> list[Aggregate]:
        """Close the open run and return the remaining minutes; the accumulator is empty afterwards."""
        self._add(*self._hindsight.finish())
        self._runs.close()
        rows = self._take(None)
        self.reset()
        return rows

    def snapshot(self) -> list[Aggregate]:
        """Return the minutes that are still open as they stand, without ending them."""
        now = copy.deepcopy(self)
        now._add(*now._hindsight.finish())
        return [row for minute in sorted(now._rows) if (row := now._aggregate(minute)).covered_s > 0]

    def _add(self, columns: FloatArray, activity: NDArray[np.int8]) -> None:
        """Count settled samples: (5, n) times, flexion, lateral, rotation and rate, and their codes (n,)."""
        for start in range(0, len(activity), _SLICE):
            part = slice(start, start + _SLICE)
            t_s, *rest = columns[:, part]
            samples = self._with_durations(t_s, rest, activity[part].astype(np.int64))
            if len(samples.t_us):
                self._count(samples)
                self._runs.feed(_second_sums(samples))

    def _with_durations(self, t_s: FloatArray, columns: list[FloatArray], code: _IntArray) -> _Samples:
        """Join the carried sample to the block and give every sample but the newest its duration."""
        t_us = np.rint(t_s * _US).astype(np.int64)
        if self._last is not None:
            t_us = np.concatenate(([self._last[0]], t_us))
            columns = [np.concatenate(([v], c)) for v, c in zip(self._last[1:5], columns, strict=True)]
            code = np.concatenate(([self._last[5]], code))
        dt = np.diff(t_us)
        flexion, lateral, rotation, rate = (c[:-1] for c in columns)
        ends = [float(c[-1]) for c in columns]
        self._last = (int(t_us[-1]), ends[0], ends[1], ends[2], ends[3], int(code[-1]))
        valid = dt <= self.settings.max_gap_s * _US
        return _Samples(
            t_us[:-1], flexion, lateral, rotation, rate, code[:-1], np.where(valid, dt, 0).astype(float)
        )

    def _count(self, s: _Samples) -> None:
        """Add the durations to the histograms of their minutes."""
        minutes = s.t_us // _MINUTE_US
        new = np.concatenate(([True], minutes[1:] != minutes[:-1]))
        local, numbers = np.cumsum(new) - 1, minutes[new]
        n, row = len(numbers), _HISTOGRAM_ROW[s.code]
        posture = (row >= 0) & (s.dt_us > 0) & ~np.isnan(s.flexion)
        activity = _sums(local, s.code, s.dt_us, n, len(ACTIVITIES))
        weight = np.where(posture, s.dt_us, 0.0)
        cell = np.maximum(row, 0) * agg.N_FLEXION + agg.flexion_bin(np.nan_to_num(s.flexion))
        flexion = _sums(local, cell, weight, n, 2 * agg.N_FLEXION).reshape(n, 2, agg.N_FLEXION)
        rate = self._rates(local, s.rate, weight, n)
        starts = np.flatnonzero(new)
        lateral = _extremes(s.lateral, posture, starts)
        rotation = _extremes(s.rotation, posture, starts)
        for k, minute in enumerate(numbers.tolist()):
            out = self._rows.setdefault(minute, _Row())
            out.activity += activity[k]
            out.flexion += flexion[k]
            out.rate += rate[k]
            out.lateral = (min(out.lateral[0], lateral[0][k]), max(out.lateral[1], lateral[1][k]))
            out.rotation = (min(out.rotation[0], rotation[0][k]), max(out.rotation[1], rotation[1][k]))

    @staticmethod
    def _rates(local: _IntArray, rate: FloatArray, weight: FloatArray, n: int) -> FloatArray:
        """Return the speed histograms (n, N_RATE)."""
        if np.isnan(rate).all():
            return np.zeros((n, agg.N_RATE))
        bins = np.clip(np.searchsorted(agg.RATE_EDGES_DEG_S, rate, side="right") - 1, 0, agg.N_RATE - 1)
        return _sums(local, bins, np.where(np.isnan(rate), 0.0, weight), n, agg.N_RATE)

    def _take(self, before: int | None) -> list[Aggregate]:
        """Remove and return the rows before a minute, all for None."""
        done = sorted(m for m in self._rows if before is None or m < before)
        rows = [self._aggregate(minute) for minute in done]
        for minute in done:
            del self._rows[minute]
            self._runs.results.pop(minute, None)
        return [row for row in rows if row.covered_s > 0]

    def _aggregate(self, minute: int) -> Aggregate:
        row, runs = self._rows[minute], self._runs.results.get(minute)
        return Aggregate(
            start_s=float(minute * agg.MINUTE_S),
            activity_s=row.activity / _US,
            flexion_s=row.flexion / _US,
            rate_s=row.rate / _US,
            eva_s=np.zeros(agg.EVA_SHAPE) if runs is None else runs.eva_s.copy(),
            limit_use=0.0 if runs is None else runs.limit_use,
            bout_s=0.0 if runs is None else runs.bout_s,
            lateral_deg=_span_or_nan(row.lateral),
            rotation_deg=_span_or_nan(row.rotation),
        )


def _check(t_s: FloatArray, code: NDArray[np.int8], newest_s: float) -> None:
    """Raise ValueError when time runs backwards or an activity code is unknown."""
    if len(t_s) and np.diff(t_s, prepend=newest_s).min() < 0:
        raise ValueError("sample times must not run backwards: start a new accumulator for older data")
    if len(code) and (code.min() < 0 or code.max() >= len(ACTIVITIES)):
        raise ValueError(f"activity codes lie in 0..{len(ACTIVITIES) - 1}, got {code.min()}..{code.max()}")


def _sums(local: _IntArray, column: _IntArray, weight: FloatArray, n: int, width: int) -> FloatArray:
    """Return weights summed into an (n, width) table; whole numbers, hence exact in any order."""
    table = np.bincount(local * width + column, weights=weight, minlength=n * width)
    return np.asarray(table, dtype=np.float64).reshape(n, width)


def _extremes(values: FloatArray, use: NDArray[np.bool_], starts: _IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest used value of each minute, +-infinity where there is none."""
    use = use & ~np.isnan(values)
    low = np.minimum.reduceat(np.where(use, values, np.inf), starts)
    return low, np.maximum.reduceat(np.where(use, values, -np.inf), starts)


def _span_or_nan(span: tuple[float, float]) -> tuple[float, float]:
    return span if span[0] <= span[1] else (np.nan, np.nan)


def _second_sums(s: _Samples) -> Seconds:
    """Return per whole second: posture time in us, and angle x time in udeg us."""
    second = s.t_us // _US
    new = np.concatenate(([True], second[1:] != second[:-1]))
    local, n = np.cumsum(new) - 1, int(new.sum())
    weight = np.where((_HISTOGRAM_ROW[s.code] >= 0) & ~np.isnan(s.flexion), s.dt_us, 0.0)
    angle = np.rint(np.nan_to_num(s.flexion) * 1e6)
    return Seconds(
        second[new],
        _sums(local, np.zeros_like(local), weight, n, 1)[:, 0],
        _sums(local, np.zeros_like(local), weight * angle, n, 1)[:, 0],
    )
