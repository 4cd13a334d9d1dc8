"""What each stroke of a set was: out to a side, back, or none of the exercise. The story with the least to explain.

Dynamic programming (Viterbi 1967) over where the head is: in the middle, or out on a side. A stroke from one place to
another is compared with the way that the person's own repetitions go, in three directions and in its time; a stroke
that leads nowhere should be small. Nothing is said about the middle itself, so it may wander. Costs are unitless.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.exercise.recorded.movement_strokes import Stroke
from tiltwise.types import FloatArray

MIDDLE, PLUS, MINUS = 0, 1, -1
_SPREAD = 0.35  # of the size: a stroke that is off by so much costs a half
_TEMPO = 0.8  # what a stroke of quite another pace costs at most
_TEMPO_SPREAD = float(np.log(2.0))  # a stroke of twice or half the time costs half of that
_END = 1.0  # a recording that begins or ends away from the middle
_CUT = 0.3  # a gap that begins or ends there
_THROUGH = 1.4  # from side to side is twice the way, and may be off by so much more
THROUGH_S = 1.8  # and takes so much longer
# A side reached without a stop in the middle: the simpler story is that it is the middle. Less in a long set, where
# all of them together must not outweigh that it began and ended in the middle.
_NO_STOP, _ALL_WITHOUT_STOP = 0.04, 0.3


@dataclass(frozen=True, slots=True)
class Pattern:
    """How the person's repetitions go: the way out to each side, (3,) deg, in how long; size, and weights (3,).

    What is none of the exercise is small beside `beside_deg`.
    """

    out_deg: dict[int, FloatArray]
    stroke_s: float
    scale_deg: float
    beside_deg: float
    weights: FloatArray


def stroke_path(
    strokes: list[Stroke], pattern: Pattern, in_all: int, *, is_first: bool, is_last: bool
) -> tuple[list[int], list[float], float]:
    """Return where the head was around the strokes of a stretch, what each costs, and all there is left to explain.

    `in_all` is the number of strokes in the recording, of which it is the first or the last stretch.
    """
    places = [MIDDLE, *pattern.out_deg]
    some = range(len(places))
    costs = _costs(strokes, pattern, min(_NO_STOP, _ALL_WITHOUT_STOP / max(in_all, 1))).tolist()
    begin, end = (_END if is_first else _CUT), (_END if is_last else _CUT)
    total, back = [begin * (place != MIDDLE) for place in places], []
    for cost in costs:  # a few places: plain numbers are quicker than arrays
        ways = [[total[old] + cost[old][new] for old in some] for new in some]
        total = [min(way) for way in ways]
        back.append([way.index(least) for way, least in zip(ways, total, strict=True)])
    total = [least + end * (place != MIDDLE) for least, place in zip(total, places, strict=True)]
    at = total.index(min(total))
    path, each = [at], []
    for came, cost in zip(reversed(back), reversed(costs), strict=True):
        path.append(came[path[-1]])
        each.append(cost[path[-1]][path[-2]])
    return [places[at] for at in reversed(path)], each[::-1], min(total)


def _costs(strokes: list[Stroke], pattern: Pattern, no_stop: float) -> FloatArray:
    """Return what each stroke costs from each place to each, (n, places, places)."""
    where = np.array([np.zeros(3), *pattern.out_deg.values()])
    ways = where[None] - where[:, None]
    stays = np.eye(len(where), dtype=bool)
    is_through = ~stays
    is_through[0], is_through[:, 0] = False, False
    found = np.array([stroke.way_deg for stroke in strokes]).reshape(-1, 1, 1, 3)
    weights = np.where(
        stays[..., None], [1.0, 0.0, 0.0], pattern.weights
    )  # what goes elsewhere is no exercise
    scales = np.where(stays, pattern.beside_deg, pattern.scale_deg * np.where(is_through, _THROUGH, 1.0))
    off = np.sum(np.square((found - ways) * weights), axis=-1) / (_SPREAD * scales) ** 2
    lasting = np.array([stroke.lasting_s for stroke in strokes]).reshape(-1, 1, 1)
    usual_s = pattern.stroke_s * np.where(is_through, THROUGH_S, 1.0)
    pace = np.square(np.log(lasting / usual_s) / _TEMPO_SPREAD) * ~stays
    cost: FloatArray = off / (1.0 + off) + _TEMPO * pace / (1.0 + pace) + no_stop * is_through
    return cost
