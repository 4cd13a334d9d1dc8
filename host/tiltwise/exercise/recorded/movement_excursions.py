"""Strokes and where the head was around them -> the ways out and back: where each began and how far it went (deg)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tiltwise.exercise.recorded.movement_strokes import Stroke
from tiltwise.exercise.recorded.set_pattern import Found
from tiltwise.exercise.recorded.stroke_path import MIDDLE
from tiltwise.types import FloatArray

_MARGIN = 0.5  # of a stroke's time, before and after it: it begins and ends slowly
_BACK = 0.5  # a movement that is none of the exercise comes back by this share at least


@dataclass(frozen=True, slots=True)
class Excursion:
    """A way out and back: its stretch, index of the furthest point and of the ends, sign, size and where it began."""

    stretch: int
    index: int
    before: int
    after: int
    sign: float
    size_deg: float
    centre_deg: float
    is_whole: bool  # it began and it came back
    is_told: bool  # its strokes are those of the exercise
    cost: float  # how unlike the others its strokes are, the mean of both (stroke_path.py)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way out, or back turned round in time: the stroke, and the level in the middle."""

    stroke: Stroke
    middle_deg: float
    cost: float = 0.0


def excursions(stretch: int, line: FloatArray, found: Found) -> list[Excursion]:
    """Return the movements along a line (n,), deg, whose strokes have been told."""
    strokes, path = found.strokes[stretch], found.paths[stretch]
    some = [
        _excursion(
            stretch, line, _Way(a, line[a.first]), _Way(b, line[b.last]), float(np.sign(a.way_deg[0])), False
        )
        for a, b in _beside(strokes, path)
    ]
    out: _Way | None = None
    for stroke, cost, (before, after) in zip(strokes, found.costs[stretch], pairwise(path), strict=True):
        if before == after:
            continue
        if before != MIDDLE:
            back = _Way(
                stroke,
                line[stroke.last] if after == MIDDLE else _between(line, stroke, before, after, found),
                cost,
            )
            some.append(_excursion(stretch, line, out, back, float(before), True))
            out = None
        if after != MIDDLE:
            out = _Way(
                stroke,
                line[stroke.first] if before == MIDDLE else _between(line, stroke, before, after, found),
                cost,
            )
    if path[-1] != MIDDLE:
        some.append(_excursion(stretch, line, out, None, float(path[-1]), True))
    return sorted(some, key=lambda excursion: excursion.index)


def _between(line: FloatArray, stroke: Stroke, before: int, after: int, found: Found) -> float:
    """Return the level of the middle on a way from one side to the other."""
    first, second = (abs(float(found.pattern.out_deg[side][0])) for side in (before, after))
    share = first / (first + second)
    return float((1.0 - share) * line[stroke.first] + share * line[stroke.last])


def _beside(strokes: list[Stroke], path: list[int]) -> Iterator[tuple[Stroke, Stroke]]:
    """Yield the ways out and back in the middle that are none of the exercise."""
    held: Stroke | None = None
    for stroke, (before, after) in zip(strokes, pairwise(path), strict=True):
        if before != MIDDLE or after != MIDDLE:
            held = None
        elif held is not None and -stroke.way_deg[0] / held.way_deg[0] > _BACK:
            yield held, stroke
            held = None
        else:
            held = stroke


def _excursion(
    stretch: int, line: FloatArray, out: _Way | None, back: _Way | None, sign: float, is_told: bool
) -> Excursion:
    """Put together a way out and one back; None where the recording began or ended outside."""
    before = 0 if out is None else out.stroke.first - round(_MARGIN * (out.stroke.last - out.stroke.first))
    after = (
        len(line) - 1
        if back is None
        else back.stroke.last + round(_MARGIN * (back.stroke.last - back.stroke.first))
    )
    first = 0 if out is None else out.stroke.first
    last = len(line) - 1 if back is None else back.stroke.last
    index = first + int(np.argmax(sign * line[first : last + 1]))
    ways = [way for way in (out, back) if way is not None]
    levels = [way.middle_deg for way in ways]
    centre = float(np.mean(levels)) if levels else float(line[index])
    size = sign * (float(line[index]) - centre)
    return Excursion(
        stretch,
        index,
        max(before, 0),
        min(after, len(line) - 1),
        sign,
        size,
        centre,
        len(levels) > 1,
        is_told,
        float(np.mean([way.cost for way in ways])) if ways else 0.0,
    )


def edges_of(line: FloatArray, excursion: Excursion) -> tuple[int, int]:
    """Return first and last index of a movement in a line (n,), deg: a tenth from its centre, or where it turns."""
    before, after, at = excursion.before, excursion.after, excursion.index - excursion.before
    outward = excursion.sign * (line[before : after + 1] - excursion.centre_deg)
    near = outward <= 0.1 * excursion.size_deg
    left, right = np.flatnonzero(near[:at]), np.flatnonzero(near[at:])
    start = before + int(left[-1]) if len(left) else before
    end = excursion.index + int(right[0]) if len(right) else after
    return start, end
