"""Stored exercise records -> ranges of motion, how far sides differ, and whether anything changed. Degrees.

A change is told only beyond the person's own smallest detectable change (95 %: 1.96 * sqrt(2) * SEM), which is
learned from tests that were repeated within a day, the sensor taken off and put on between them included. Until there
are some, the standard error of measurement is taken for 3 deg (2.3 to 4.1: Fletcher and Bandy 2008; 1.5 to 2.9: Anwar
2022), and that figure keeps the weight of three repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import median

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.directions import PAIRS, Direction, direction_of
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.types import Mount, Side

USUAL_SEM_DEG = 3.0
_USUAL_WEIGHT = 3  # repeats
_REPEAT_S = (
    24 * 3600.0
)  # two tests within a day are a repeat: nobody gains range overnight that can be told from this
_SESSION_S = 1800.0  # range exercises so close together are one test
_LEAST_REPS = 2
CHANGE_FACTOR = 1.96 * sqrt(2)


@dataclass(frozen=True, slots=True)
class RangeTest:
    """One test of the range of motion: the median of its repetitions in each direction."""

    start_s: float
    mount: Mount
    range_deg: dict[Direction, float]


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest change that can be told from measuring, and from how many repeats it was learned."""

    deg: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Change:
    """How a direction moved from the first tests to the newest: a gain or loss only beyond what can be detected."""

    direction: Direction
    first_deg: float
    newest_deg: float
    detectable: Detectable
    tests: int

    @property
    def change_deg(self) -> float:
        """The newest minus the first."""
        return self.newest_deg - self.first_deg

    @property
    def is_clear(self) -> bool:
        """Whether it is larger than measuring alone makes it."""
        return abs(self.change_deg) > self.detectable.deg

    @property
    def words(self) -> str:
        """The change in words."""
        if not self.is_clear:
            return f"no change that can be told (below {self.detectable.deg:.0f} deg)"
        return f"{'more' if self.change_deg > 0 else 'less'} by {abs(self.change_deg):.0f} deg"


def range_tests(records: Iterable[ExerciseRecord], mount: Mount | None = None) -> list[RangeTest]:
    """Return the tests in order of time, of one place; without one, of that of the newest test."""
    tested = sorted((r for r in records if _is_range(r) and r.reps), key=lambda record: record.start_s)
    if not tested:
        return []
    mount = mount or tested[-1].mount
    tests: list[RangeTest] = []
    last_s = float("-inf")
    for record in (record for record in tested if record.mount is mount):
        found = ranges_of(record)
        if tests and record.start_s - last_s <= _SESSION_S and not set(found) & set(tests[-1].range_deg):
            tests[-1].range_deg.update(found)
        elif found:
            tests.append(RangeTest(record.start_s, mount, found))
        last_s = record.end_s
    return tests


def _is_range(record: ExerciseRecord) -> bool:
    exercise = EXERCISES.get(record.exercise)
    return exercise is not None and exercise.is_range


def ranges_of(record: ExerciseRecord) -> dict[Direction, float]:
    """Return the range in each direction of a record, from at least two repetitions."""
    exercise = EXERCISES.get(record.exercise)
    found: dict[Direction, float] = {}
    if exercise is None or exercise.signal is None:
        return found
    for side in Side:
        peaks, direction = record.peaks_deg(side), direction_of(exercise.signal, side)
        if direction is not None and len(peaks) >= _LEAST_REPS:
            found[direction] = median(peaks)
    return found


def newest_ranges(tests: Sequence[RangeTest]) -> dict[Direction, float]:
    """Return the newest range in each direction."""
    found: dict[Direction, float] = {}
    for test in tests:
        found.update(test.range_deg)
    return found


def detectable_change(tests: Sequence[RangeTest], direction: Direction) -> Detectable:
    """Return the person's own smallest detectable change of a direction."""
    known = [test for test in tests if direction in test.range_deg]
    differences = [
        after.range_deg[direction] - before.range_deg[direction]
        for before, after in pairwise(known)
        if after.start_s - before.start_s <= _REPEAT_S
    ]
    variance = sum(d * d / 2 for d in differences) + _USUAL_WEIGHT * USUAL_SEM_DEG**2
    sem = sqrt(variance / (len(differences) + _USUAL_WEIGHT))
    return Detectable(CHANGE_FACTOR * sem, len(differences))


def changes(tests: Sequence[RangeTest]) -> list[Change]:
    """Return how each direction changed, from the first test to the newest, in the order of Direction."""
    found = []
    for direction in Direction:
        values = [test.range_deg[direction] for test in tests if direction in test.range_deg]
        if values:
            detectable = detectable_change(tests, direction)
            found.append(Change(direction, values[0], values[-1], detectable, len(values)))
    return found


def side_lines(range_deg: dict[Direction, float], tests: Sequence[RangeTest] = ()) -> list[str]:
    """Return a sentence for each pair of sides: which moves less, and whether that can be told from measuring."""
    lines = []
    for right, left in PAIRS:
        if right in range_deg and left in range_deg:
            limit = max(detectable_change(tests, right).deg, detectable_change(tests, left).deg)
            lines.append(side_line(str(right), str(left), range_deg[right] - range_deg[left], limit))
    return lines


def side_line(right: str, left: str, difference_deg: float, limit_deg: float) -> str:
    """Return which of two sides moves less; a difference within the measuring error is called that."""
    less = left if difference_deg > 0 else right
    if abs(difference_deg) <= limit_deg:
        return (
            f"{right} and {left} differ by {abs(difference_deg):.0f} deg, within what measuring makes "
            f"({limit_deg:.0f} deg)"
        )
    return f"{less} moves {abs(difference_deg):.0f} deg less, more than measuring makes ({limit_deg:.0f} deg)"
