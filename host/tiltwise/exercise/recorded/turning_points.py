"""Where an angle turns round: a signal -> its turning points and the strokes between them.

Units are the signal's own (degrees here). Everything looks ahead: for whole recordings, not for a live stream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray

IntArray = NDArray[np.int64]


def turning_points(signal: FloatArray, least: float) -> IntArray:
    """Return the indices of the ends of a signal (n,) and of its turns, those with a way of `least` on both sides.

    Maxima and minima alternate. The first and last index are 0 and n - 1, whatever the signal does there.
    """
    if len(signal) < 2:
        return np.arange(len(signal))
    slope = np.sign(np.diff(signal))
    moving = np.flatnonzero(slope)
    turns = moving[1:][slope[moving[1:]] != slope[moving[:-1]]]
    kept = _with_hysteresis([0, *turns.tolist(), len(signal) - 1], signal, least)
    return np.array([0, *(k for k in kept if 0 < k < len(signal) - 1), len(signal) - 1])


def _with_hysteresis(candidates: list[int], signal: FloatArray, least: float) -> list[int]:
    """Return the turns after which the signal goes back by `least`, of candidates in order."""
    kept: list[int] = []
    low = high = candidates[0]
    values = signal[candidates].tolist()
    low_value = high_value = values[0]
    way = 0
    for index, value in zip(candidates, values, strict=True):
        if value > high_value:
            high, high_value = index, value
        if value < low_value:
            low, low_value = index, value
        if way >= 0 and high_value - value >= least:
            kept.append(high)
            way, low, low_value = -1, index, value
        elif way <= 0 and value - low_value >= least:
            kept.append(low)
            way, high, high_value = 1, index, value
    return kept


def typical_stroke(lengths: FloatArray, least: float, power: float) -> tuple[float, float]:
    """Return the length (deg) of a typical one of strokes (m,), and how much there is of it, or zeros.

    A set is many like strokes: the length is chosen at which (strokes at least so long) times (length to some power)
    is largest. With a small power the hundreds of small strokes of a head that talks win, with a large one the two of
    a glance; the typical stroke is the median of those at least so long.
    """
    length = np.sort(lengths)[::-1]
    if not len(length) or length[0] < least:
        return 0.0, 0.0
    amount = np.arange(1, len(length) + 1) * length**power
    best = int(np.argmax(amount))
    return float(np.median(length[: best + 1])), float(amount[best])


def stroke_lengths(lines: list[FloatArray], least: float, *, returns: bool = False) -> FloatArray:
    """Return the lengths of the strokes between the turns of some signals, (m,).

    A signal (n, k) turns where its first column does; what goes further in the others is left out: a glance, or talk.
    With `returns` none is longer than both its neighbours: who turns the chair goes far and does not come back.
    """
    found = [np.empty(0)]
    for line in lines:
        columns = line.reshape(len(line), -1)
        moves = np.abs(np.diff(columns[turning_points(columns[:, 0], least)], axis=0))
        ways = moves[:, 0]
        if returns:
            ways = np.minimum(ways, np.maximum(np.append(ways[1:], 0.0), np.insert(ways[:-1], 0, 0.0)))
        found.append(ways[np.all(moves <= moves[:, :1], axis=1)])
    return np.concatenate(found)


def top_speed(lines: list[FloatArray], least: float) -> float:
    """Return the greatest speed (deg a sample) within strokes of lines (n,): the median, or 0."""
    speeds: list[float] = []
    for line in lines:
        turns = turning_points(line, least)
        if len(turns) > 2 or (len(turns) == 2 and abs(line[-1] - line[0]) >= least):
            speed = np.abs(np.diff(line))
            speeds += np.maximum.reduceat(speed, turns[:-1]).tolist()
    return float(np.median(speeds)) if speeds else 0.0
