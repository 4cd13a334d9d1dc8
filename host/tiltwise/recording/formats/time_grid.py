"""Stamps of loggers to the times of samples: their unit, their order, and the even grid that an IMU samples on.

A radio logger stamps what arrives: ten samples a fraction of a millisecond apart and then a pause, three with one
stamp, or each with the delay of its packet. The IMU behind it samples evenly, so where all stamps lie within the
pauses of one line, the line is the better time.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray

# Stamps this near an even grid come from an IMU that samples evenly, and a computer that rounds or hesitates.
_GRID_S = 6e-4
_PER_S = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_SPAN = 100  # samples over which the period is taken: long against a burst, short against a loss
_UNEVEN = 0.25  # of a period: a step that differs by more is not jitter that an orientation may ignore
_MOST_UNEVEN = 0.05  # share of such steps from which on the stamps are those of a logger
_FOLLOWED = 500  # samples in a piece when the clock behind the stamps drifts or single samples are lost
_EPOCH_S = 10 * 86_400.0  # no recording is that long: further from the middle is another epoch
_LATEST_START_S = 400_000.0  # t0 on the wire wraps after 119 h; later starts are wall clock times
_SWAP_S = 2.0  # rows in wrong order by less were swapped; by more a new recording begins


def unit_of_times(t: FloatArray, named: str = "") -> str:
    """Return the unit (s, ms ...) in which the times (n,) make 9 to 2000 samples a second: the named one first."""
    known = t[np.isfinite(t)]
    period = _period(known if np.all(known[1:] >= known[:-1]) else np.sort(known))
    for unit in dict.fromkeys(filter(None, (named, *_PER_S))):
        if period > 0 and 9 <= _PER_S[unit] / period <= 2000:
            return unit
    return named or "s"


def of_one_epoch(t_s: FloatArray) -> NDArray[np.bool_]:
    """Return which times (n,), s, are within ten days of the middle one: others are of a clock that was not set."""
    return np.asarray(np.abs(t_s - np.median(t_s)) < _EPOCH_S) if len(t_s) else np.zeros(0, dtype=bool)


def rows_where(
    is_good: NDArray[np.bool_], t: FloatArray, gyr: FloatArray, acc: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rows of t (n,), s, and two signals (n, 3) of any unit; all of them uncopied, for copies take long."""
    return (t, gyr, acc) if is_good.all() else (t[is_good], gyr[is_good], acc[is_good])


def from_zero(t_s: FloatArray, notes: list[str]) -> FloatArray:
    """Let wall clock times begin at 0: the wire counts 119 hours, and floats keep their microseconds."""
    if len(t_s) == 0 or 0 <= t_s[0] <= _LATEST_START_S:
        return t_s
    notes.append(f"times begin at {t_s[0]:.10g}: counted from there")
    return t_s - t_s[0]


def swapped(t_s: FloatArray) -> int | None:
    """Return how many of the times (n,), s, stand after a later one; None when one goes further back than a swap."""
    back = np.maximum.accumulate(t_s) - t_s if len(t_s) else t_s
    return None if len(t_s) and back.max() > _SWAP_S else int(np.count_nonzero(back > 0))


def grown(t_s: FloatArray) -> NDArray[np.bool_]:
    """Return which times (n,), s, are later than all before."""
    if len(t_s) == 0:
        return np.zeros(0, dtype=bool)
    before = np.concatenate(([-np.inf], np.maximum.accumulate(t_s)[:-1]))
    return np.asarray(t_s > before)


def even_times(t_s: FloatArray) -> tuple[FloatArray, str]:
    """Return the even times (n,), s, that growing or equal stamps (n,) stand for, and what was done."""
    if len(t_s) < 3:
        return t_s, ""
    straight = _line(t_s, np.arange(len(t_s)))
    if np.abs(straight - t_s).max() <= _GRID_S:
        return _from(straight, t_s), ""
    period = _period(t_s)
    step = np.diff(t_s)
    if period <= 0:
        return t_s, ""
    longest = float(np.quantile(step, 0.99))
    is_gap = step > 1.6 * max(longest, period)
    is_uneven = (np.abs(step - period) > _UNEVEN * period) & ~is_gap
    if np.count_nonzero(is_uneven) <= _MOST_UNEVEN * len(step):
        return t_s, ""
    edges = [0, *(np.flatnonzero(is_gap) + 1).tolist(), len(t_s)]
    even = np.concatenate([_piece(t_s[a:b], longest + period) for a, b in pairwise(edges)])
    if np.quantile(np.abs(even - t_s), 0.99) > longest + period or np.any(np.diff(even) <= 0):
        return t_s, ""
    return _from(even, t_s), _words(step, period)


def _period(t: FloatArray) -> float:
    """Return the time between samples, whatever the bursts: the median over a hundred of them."""
    span = min(_SPAN, len(t) - 1)
    if span < 1:
        return 0.0
    over = t[span:] - t[:-span]
    middle = float(np.median(over))
    near = over[np.abs(over - middle) <= 0.5 * abs(middle)]  # bursts do not divide a hundred: their mean does
    return float(near.mean()) / span if len(near) else middle / span


def _line(t: FloatArray, k: NDArray[np.int_]) -> FloatArray:
    """Return the straight line through times (least squares)."""
    index = k - k.mean()
    # np.dot would start a thread for each core, which costs more than it saves.
    square = float(np.einsum("i,i", index, index))
    slope = float(np.einsum("i,i", index, t - t.mean())) / square if square else 0.0
    return np.asarray(t.mean() + slope * index)


def _piece(t: FloatArray, most_s: float) -> FloatArray:
    """Return even times between two gaps: one line, or one a few hundred samples long after the other."""
    if len(t) < 3:
        return t
    straight = _line(t, np.arange(len(t)))
    if np.abs(straight - t).max() <= most_s or len(t) < 2 * _FOLLOWED:
        return straight
    knots = np.linspace(0, len(t), len(t) // _FOLLOWED + 1).astype(int)
    middles = np.array([(a + b - 1) / 2 for a, b in pairwise(knots)])
    means = np.array([t[a:b].mean() for a, b in pairwise(knots)])
    k = np.arange(len(t), dtype=np.float64)
    slopes = np.diff(means) / np.diff(middles)
    which = np.clip(np.searchsorted(middles, k) - 1, 0, len(slopes) - 1)
    return np.asarray(means[which] + slopes[which] * (k - middles[which]))


def _from(even: FloatArray, t_s: FloatArray) -> FloatArray:
    """Move the grid so that it begins where the stamps do when they begin at 0, and never before 0."""
    return even + (t_s[0] - even[0] if t_s[0] == 0 else max(0.0, -float(even[0])) if t_s[0] >= 0 else 0.0)


def _words(step: FloatArray, period: float) -> str:
    """Say how the stamps came."""
    rate = f"put on an even grid of {1 / period:.4g} Hz"
    is_short = step < 0.2 * period
    pauses = np.flatnonzero(~is_short)
    if np.count_nonzero(is_short) > 0.3 * len(step) and len(pauses) > 1:
        n = int(np.median(np.diff(pauses)))
        apart_ms = float(np.median(step[is_short])) * 1000
        how = f"{n} at a time" + (f", {apart_ms:.2g} ms apart" if apart_ms > 0 else " with one stamp")
        return f"stamps come {how}, as radio loggers write them: {rate}"
    jitter_ms = float(np.std(step)) / np.sqrt(2) * 1000
    return f"stamps jitter by {jitter_ms:.1f} ms: {rate}"
