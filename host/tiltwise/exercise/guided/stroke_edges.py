"""How long the end of a movement was held, and where a slow movement began and ended, from its trace.

Degrees and seconds. Held is the time within a tenth of the furthest point (at least 1.5 deg: heads are never still).
The end of a slow movement is where its speed dies: near there it falls with the square of the time that is left,
whatever the course, so its square root is a straight line that says when the stroke ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiltwise.types import FloatArray

NEAR_SHARE, NEAR_DEG = 0.1, 1.5  # of the furthest point
_HIGH, _LOW = 0.6, 0.2  # shares of the stroke's greatest speed between which the line is laid
_FAR_SHARE = 0.85  # of the way: the median beyond is the furthest point, whatever trembles
_STROKE_SHARE = 0.14  # of the excursion's greatest speed: slower is no stroke
_LEAST_DEG_S = 2.0
_SMOOTH_S = 0.2


def held_s(trace: Sequence[tuple[float, float]]) -> float:
    """Return how long the end of an excursion was held.

    Parameters
    ----------
    trace
        (t_s, deviation in deg, outward positive) from where the head left its neutral to where it is back.
    """
    if len(trace) < 3:
        return 0.0
    t_s, way = np.array(trace).T
    furthest = float(np.median(way[way >= _FAR_SHARE * np.max(way)]))
    limit = furthest - max(NEAR_SHARE * furthest, NEAR_DEG)
    near = np.flatnonzero(way >= limit)
    first, last = int(near[0]), int(near[-1])
    begins = _crosses_s(t_s, way, first - 1, limit) if first else float(t_s[0])
    ends = _crosses_s(t_s, way, last, limit) if last + 1 < len(t_s) else float(t_s[-1])
    return ends - begins


def _crosses_s(t_s: FloatArray, way_deg: FloatArray, k: int, limit: float) -> float:
    """Return when the way passes a limit between samples k and k + 1."""
    step = float(way_deg[k + 1] - way_deg[k])
    share = (limit - float(way_deg[k])) / step if step else 0.0
    return float(t_s[k] + share * (t_s[k + 1] - t_s[k]))


def arrival_s(t_s: FloatArray, way_deg: FloatArray) -> float:
    """Return when a movement outward arrived at its end; times (n,) and deviations (n,), outward positive."""
    return _end_s(t_s, np.abs(_speed(t_s, way_deg)))


def _speed(t_s: FloatArray, way_deg: FloatArray) -> FloatArray:
    """Return the speed (n,), smoothed over a fifth of a second."""
    speed: FloatArray = np.gradient(way_deg, t_s)
    width = max(round(_SMOOTH_S / float(np.median(np.diff(t_s)))), 1)
    if width == 1:
        return speed
    padded = np.pad(speed, width, mode="edge")
    smooth: FloatArray = np.convolve(padded, np.ones(width) / width, mode="same")[width:-width]
    return smooth


def _end_s(t_s: FloatArray, speed: FloatArray) -> float:
    """Return when the last stroke in a stretch that ends at rest ended; speeds (n,) without sign."""
    limit = max(_STROKE_SHARE * float(np.max(speed)), _LEAST_DEG_S)
    moving = np.flatnonzero(speed >= limit)
    if not len(moving):
        return float(t_s[0])
    last = begin = int(moving[-1])
    while begin > 0 and (
        speed[begin - 1] >= speed[begin] or speed[begin - 1] >= 0.8 * np.max(speed[begin : last + 1])
    ):
        begin -= 1
    fastest = begin + int(np.argmax(speed[begin : last + 1]))
    greatest = float(speed[fastest])
    high_s, low_s = (_falls_s(t_s, speed, fastest, share * greatest) for share in (_HIGH, _LOW))
    slope = (np.sqrt(_HIGH) - np.sqrt(_LOW)) / max(low_s - high_s, 1e-3)
    return min(low_s + float(np.sqrt(_LOW) / slope), float(t_s[-1]))


def _falls_s(t_s: FloatArray, speed: FloatArray, begin: int, limit: float) -> float:
    """Return when the speed first falls to a limit after `begin`, between the samples."""
    below = np.flatnonzero(speed[begin:] <= limit)
    if not len(below):
        return float(t_s[-1])
    k = begin + int(below[0])
    if k == begin:
        return float(t_s[k])
    share = (speed[k - 1] - limit) / max(speed[k - 1] - speed[k], 1e-9)
    return float(t_s[k - 1] + share * (t_s[k] - t_s[k - 1]))
