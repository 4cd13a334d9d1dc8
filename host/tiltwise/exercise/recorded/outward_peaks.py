"""A signal with its centre -> the turns that lie away from it: where a movement began and how far it went (deg)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.exercise.recorded.centre_path import KeyPoint, Point, centre_path
from tiltwise.exercise.recorded.turning_points import IntArray, rest_within, turning_points
from tiltwise.types import FloatArray

_MANY = 3  # make a set


@dataclass(frozen=True, slots=True)
class Peak:
    """A turn away from the centre: index in the stretch, sign, size, and where the neighbouring turns are."""

    stretch: int
    index: int
    before: int
    after: int
    sign: float
    size_deg: float
    centre_deg: float
    is_whole: bool  # it began and it came back


def outward_peaks(number: int, line: FloatArray, least_deg: float, scale_deg: float) -> list[Peak]:
    """Return the turns of a line (n,), deg, that lie away from its centre."""
    turns = turning_points(line, least_deg)
    points = _key_points(line, turns, scale_deg)
    centre = centre_path(points, scale_deg)
    peaks = []
    for k, (point, middle) in enumerate(zip(points, centre.tolist(), strict=True)):
        before, after = max(k - 1, 0), min(k + 1, len(points) - 1)
        if point.kind is Point.END:
            inner = after if k == 0 else before
            middle = float(centre[inner])
        sign = {Point.HIGH: 1.0, Point.LOW: -1.0}.get(point.kind, 1.0 if point.level_deg > middle else -1.0)
        size = sign * (point.level_deg - middle)
        is_cut = point.kind is Point.END and size > sign * (points[inner].level_deg - middle)
        if size > 0.0 and (is_cut or point.kind in (Point.HIGH, Point.LOW)):
            edges = points[before].index, points[after].index
            peaks.append(Peak(number, point.index, *edges, sign, size, middle, not is_cut))
    return peaks


def _key_points(line: FloatArray, turns: IntArray, scale_deg: float) -> list[KeyPoint]:
    points = [KeyPoint(0, float(line[0]), Point.END)]
    for first, last in zip(turns[:-1].tolist(), turns[1:].tolist(), strict=True):
        rest = rest_within(line[first : last + 1], scale_deg)
        if rest is not None:
            near = np.abs(line[first : last + 1] - rest)
            points.append(KeyPoint(first + int(np.argmin(near)), rest, Point.PAUSE))
        if last < len(line) - 1:
            kind = Point.HIGH if line[last] > line[first] else Point.LOW
            points.append(KeyPoint(last, float(line[last]), kind))
    points.append(KeyPoint(len(line) - 1, float(line[-1]), Point.END))
    return points


def edges_of(line: FloatArray, peak: Peak) -> tuple[int, int]:
    """Return first and last index of a movement in a line (n,), deg: a tenth from its centre, or where it turns."""
    near = peak.sign * (line[peak.before : peak.after + 1] - peak.centre_deg) <= 0.1 * peak.size_deg
    at = peak.index - peak.before
    left, right = np.flatnonzero(near[:at]), np.flatnonzero(near[at:])
    start = peak.before + int(left[-1]) if len(left) else peak.before
    end = peak.index + int(right[0]) if len(right) else peak.after
    return start, end


def typical_size(peaks: list[Peak], least_deg: float) -> float:
    """Return the size of a typical excursion: the median of those that make up most, in number times size.

    One that was cut off, or a single bow to the floor, does not measure the others.
    """
    sizes = np.sort([p.size_deg for p in peaks if p.is_whole and p.size_deg >= least_deg])[::-1]
    if not len(sizes):
        return 0.0
    amount = np.arange(1, len(sizes) + 1) * sizes
    best = int(np.argmax(amount))
    if best == 0 and len(sizes) >= _MANY and amount[_MANY - 1 :].max() > amount[0] / 2:
        best = _MANY - 1 + int(np.argmax(amount[_MANY - 1 :]))  # one chair turned, and a set beside it
    return float(np.median(sizes[: best + 1]))
