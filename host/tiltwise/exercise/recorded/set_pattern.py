"""The strokes of a recording -> how this person's repetitions go, and which strokes they are made of.

Found together, in turns: the strokes that fit give the way, the time and the size, with which they are told again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import numpy as np

from tiltwise.exercise.recorded.movement_strokes import Stroke, strokes_of
from tiltwise.exercise.recorded.stroke_path import MIDDLE, MINUS, PLUS, THROUGH_S, Pattern, stroke_path
from tiltwise.types import FloatArray

_ROUNDS = 5
_ALIKE = (0.6, 1.6)  # strokes that tell the pace at first, in sizes
_A_FEW = 2  # strokes on a side measure it
# A side whose movements reach less of the other's is measured by it: people reach two thirds as far.
_USED = 0.5
_LEAST = 0.25  # smaller strokes, in sizes, are not looked at
_DOUBTFUL = 0.5  # a stroke that leaves so much to explain does not speak for the set
# Many alike are a set, before a few large ones: glances, or nods to calibrate.
_STRENGTH_POWER = 0.7
_OTHER_SIDE = 0.6  # a movement to the other side, if there is any, explains as much at least
_WEIGHTS_AT_FIRST = (1.0, 0.5, 0.5)
_WEIGHTS = (1.0, 0.6, 0.6)  # sizes along the movement are steadier than what goes with it


@dataclass(frozen=True, slots=True)
class Found:
    """The strokes of each stretch, where the head was around them, their pattern, and what is left to explain."""

    strokes: list[list[Stroke]]
    pattern: Pattern
    paths: list[list[int]]
    costs: list[list[float]]
    cost: float

    @property
    def strength(self) -> float:
        """How much of a set it is: strokes of the exercise that are well explained, larger ones more."""
        told = sum(
            max(0.0, 1.0 - cost / _DOUBTFUL)
            for path, some in zip(self.paths, self.costs, strict=True)
            for (before, after), cost in zip(pairwise(path), some, strict=True)
            if before != after
        )
        return told * self.pattern.scale_deg**_STRENGTH_POWER


def find_set(
    columns: list[FloatArray], scale_deg: float, ways: list[tuple[int, ...]], least_deg: float = 0.0
) -> Found:
    """Return the simplest explanation of stretches (n, 3), deg, by strokes of about `scale_deg` in the first column.

    It is the simplest with any of these choices of sides; a stroke may be one way out, or from one side to the other.
    One by strokes below `least_deg` is taken only if there is no other: a head that talks makes many that are alike.
    """
    stretches = _strokes(columns, scale_deg / 2)
    guesses = [
        _settled(stretches, _guess(stretches, share * scale_deg, scale_deg, sides))
        for share in (1.0, 0.5)
        for sides in ways
    ]
    size_deg = _simplest(guesses, least_deg).pattern.scale_deg
    stretches = _strokes(columns, size_deg)
    settled = [_settled(stretches, _guess(stretches, size_deg, size_deg, sides)) for sides in ways]
    return _simplest(settled, least_deg)


def _simplest(some: list[Found], least_deg: float) -> Found:
    large = [found for found in some if found.pattern.scale_deg >= least_deg]
    return min(large or some, key=_told_simply)


def _told_simply(found: Found) -> float:
    return found.cost + _OTHER_SIDE * len(found.pattern.out_deg)


def _strokes(columns: list[FloatArray], scale_deg: float) -> list[list[Stroke]]:
    return [strokes_of(some, _LEAST * scale_deg) for some in columns]


def _guess(
    stretches: list[list[Stroke]], scale_deg: float, beside_deg: float, sides: tuple[int, ...]
) -> Pattern:
    strokes = [stroke for some in stretches for stroke in some]
    low, high = _ALIKE
    alike = [s.lasting_s for s in strokes if low < abs(s.way_deg[0]) / scale_deg < high]
    out = {side: np.array([side * scale_deg, 0.0, 0.0]) for side in sides}
    stroke_s = median(alike or [s.lasting_s for s in strokes] or [1.0])
    return Pattern(out, stroke_s, scale_deg, beside_deg, np.array(_WEIGHTS_AT_FIRST))


def _settled(stretches: list[list[Stroke]], pattern: Pattern) -> Found:
    found = _explained(stretches, pattern)
    for _ in range(_ROUNDS):
        better = _explained(stretches, _learned(stretches, found))
        if better.paths == found.paths:
            return better
        found = better
    return found


def _explained(stretches: list[list[Stroke]], pattern: Pattern) -> Found:
    in_all = sum(len(some) for some in stretches)
    last = len(stretches) - 1
    paths = [
        stroke_path(some, pattern, in_all, is_first=k == 0, is_last=k == last)
        for k, some in enumerate(stretches)
    ]
    return Found(
        stretches,
        pattern,
        [path for path, _, _ in paths],
        [costs for _, costs, _ in paths],
        sum(cost for _, _, cost in paths),
    )


def _learned(stretches: list[list[Stroke]], found: Found) -> Pattern:
    """Return the pattern of the strokes that were taken for the exercise."""
    old = found.pattern
    outs: dict[int, list[FloatArray]] = {PLUS: [], MINUS: []}
    lasting: list[float] = []
    for some, path in zip(stretches, found.paths, strict=True):
        for stroke, (before, after) in zip(some, pairwise(path), strict=True):
            if before == after:
                continue
            is_through = MIDDLE not in (before, after)
            lasting.append(stroke.lasting_s / (THROUGH_S if is_through else 1.0))
            share = 0.5 if is_through else 1.0
            if after != MIDDLE:
                outs[after].append(share * stroke.way_deg)
            if before != MIDDLE:
                outs[before].append(-share * stroke.way_deg)
    if not lasting:
        return old
    out = _out_deg(old, outs)
    scale_deg = max(abs(float(way[0])) for way in out.values())
    return replace(
        old, out_deg=out, stroke_s=median(lasting), scale_deg=scale_deg, weights=np.array(_WEIGHTS)
    )


def _out_deg(old: Pattern, outs: dict[int, list[FloatArray]]) -> dict[int, FloatArray]:
    known = {side: _middle(outs[side]) for side in old.out_deg if len(outs[side]) >= _A_FEW}
    known = {side: way for side, way in known.items() if side * way[0] > 0}
    if not known:
        return old.out_deg
    largest = max(abs(float(way[0])) for way in known.values())
    other = np.array([largest, 0.0, 0.0])
    return {
        side: known[side] if side in known and abs(known[side][0]) >= _USED * largest else side * other
        for side in old.out_deg
    }


def _middle(rows: list[FloatArray]) -> FloatArray:
    """Return the median of each column, (k,) of some rows (k,)."""
    ranked = np.sort(rows, axis=0)
    middle: FloatArray = (ranked[(len(rows) - 1) // 2] + ranked[len(rows) // 2]) / 2
    return middle
