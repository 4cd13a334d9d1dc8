"""Which position a set of movements starts from and returns to, as it wanders: key points -> centre at each.

Nobody says where the middle is, and it moves: people slump, chairs turn, a heading drifts. The path found is the one
with the least to explain (dynamic programming, Viterbi 1967): turns are far out from it or back at it, pauses on the
way lie on it, a recording begins and ends near it, and it moves little, or rarely and then at once. Angles in
degrees; costs are unitless, 1 is about one movement that makes no sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from tiltwise.types import FloatArray

_LEVELS_PER_SCALE = 16
_MOST_LEVELS = 400
# A shift of x scales costs x^1.5 / (x^1.5 + 0.2): drift is cheap, and one turn of the chair cheaper than two halves.
_SHIFT_POWER = 1.5
_SHIFT = 0.2
_AWAY = 0.1  # the squared distance (scales) at which an end off the centre, or a turn beyond it, costs a half
_HALFWAY = 1.0  # the slope of the cost of a turn that is neither out nor back: 0.2 at a fifth of the scale
# This far out, in scales, a turn is certainly one of the movement: nearly half of a way from side to side.
_OUT = 0.4
# A side reached without a stop in the middle: the simpler story is that it is the middle. Less in a long set, where
# all of them together must not outweigh that it began and ended in the middle.
_NO_STOP, _ALL_WITHOUT_STOP = 0.04, 0.5
_END = 1.5  # weight of an end: more than a shift, or a chair turned at once would be the first movement
_PAUSE = 0.25  # weight of a pause: some holds give way for a while and look like one


class Point(Enum):
    """What a key point of the signal is."""

    END = auto()  # first or last sample of a stretch
    HIGH = auto()
    LOW = auto()
    PAUSE = auto()  # a rest between two turns


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A point of the signal that says something about the centre: its index and its level in degrees."""

    index: int
    level_deg: float
    kind: Point


def centre_path(points: list[KeyPoint], scale_deg: float) -> FloatArray:
    """Return the centre at each key point, (n,) deg, for movements of about `scale_deg`."""
    levels = np.array([point.level_deg for point in points])
    n = round(float(np.ptp(levels)) / scale_deg * _LEVELS_PER_SCALE) + 2
    grid = np.linspace(levels.min(), levels.max(), min(n, _MOST_LEVELS))
    shift = (np.abs(grid[:, None] - grid) / scale_deg) ** _SHIFT_POWER
    shift /= shift + _SHIFT
    no_stop = min(_NO_STOP, _ALL_WITHOUT_STOP / len(points))
    cost = _cost(points[0], grid, scale_deg, no_stop)
    back = np.zeros((len(points), len(grid)), dtype=np.int64)
    rows = np.arange(len(grid))
    for k, point in enumerate(points[1:], start=1):
        total = cost + shift
        back[k] = np.argmin(total, axis=1)
        cost = total[rows, back[k]] + _cost(point, grid, scale_deg, no_stop)
    chosen = np.empty(len(points), dtype=np.int64)
    chosen[-1] = int(np.argmin(cost))
    for k in range(len(points) - 1, 0, -1):
        chosen[k - 1] = back[k, chosen[k]]
    return grid[chosen]


def _cost(point: KeyPoint, centre_deg: FloatArray, scale_deg: float, no_stop: float) -> FloatArray:
    """What it costs to have the centre at these levels when the signal has this point."""
    away = (point.level_deg - centre_deg) / scale_deg
    if point.kind in (Point.END, Point.PAUSE):
        squared = np.square(away)
        return (_PAUSE if point.kind is Point.PAUSE else _END) * squared / (squared + _AWAY)
    outward = away if point.kind is Point.HIGH else -away
    inside = np.square(np.minimum(outward, 0.0))
    between = _HALFWAY * np.clip(np.minimum(outward, _OUT - outward), 0.0, None)
    return inside / (inside + _AWAY) + between + no_stop * (outward > _OUT / 2)
