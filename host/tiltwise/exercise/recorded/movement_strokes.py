"""Strokes of a movement: the stretches in which it really goes somewhere, between rests, holds and slow drift.

A level says little when the middle wanders by as much as a small movement; a stroke is quick beside that wandering.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tiltwise.exercise.recorded.movement_signal import GRID_HZ
from tiltwise.exercise.recorded.turning_points import turning_points
from tiltwise.types import FloatArray

_CORE = 0.25  # a stroke ends where it is slower than this share of its own top speed


@dataclass(frozen=True, slots=True)
class Stroke:
    """First and last index in its stretch, how far it went in each column, (3,) deg, and how long it took."""

    first: int
    last: int
    way_deg: FloatArray
    lasting_s: float


def strokes_of(columns: FloatArray, least_deg: float) -> list[Stroke]:
    """Return the strokes of at least so much along the first column of (n, 3), deg, in the order of time."""
    line = columns[:, 0]
    rising = {True: line, False: -line}
    ends = sorted(
        pair
        for first, last in pairwise(turning_points(line, least_deg).tolist())
        for pair in _within(rising[bool(line[last] > line[first])], first, last, least_deg)
    )
    return [Stroke(a, b, columns[b] - columns[a], (b - a) / GRID_HZ) for a, b in ends]


def _within(rising: FloatArray, first: int, last: int, least_deg: float) -> Iterator[tuple[int, int]]:
    """Yield the quick parts of a way up from one turn to the next, the quickest first, then what is left."""
    if last - first < 2 or rising[last] - rising[first] < least_deg:
        return
    speed = np.diff(rising[first : last + 1])
    top = int(np.argmax(speed))
    slow = np.flatnonzero(speed < _CORE * speed[top])
    at = int(np.searchsorted(slow, top))
    start = first + (int(slow[at - 1]) + 1 if at else 0)
    end = first + (int(slow[at]) if at < len(slow) else len(speed))
    if rising[end] - rising[start] >= least_deg:
        yield start, end
    yield from _within(rising, first, start, least_deg)
    yield from _within(rising, end, last, least_deg)
