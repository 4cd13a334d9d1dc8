"""A repetition of two sides: the first, and the second soon after it."""

import pytest

from tiltwise.exercise.recorded.movement_pairs import paired
from tiltwise.types import RepCompleted, Side

LEFT, RIGHT = Side.LEFT, Side.RIGHT


def reps(*some):
    """Movements of 2 s from (side, start_s) on, partial if there is a third value."""
    return [
        RepCompleted(s + 2.5, "snake", side, s, s + 1.0, s + 2.0, 20.0, 0.5, bool(more))
        for side, s, *more in some
    ]


@pytest.mark.parametrize(
    ("some", "first", "joined"),
    [
        ([], -1.0, []),
        ([(LEFT, 0), (RIGHT, 3), (LEFT, 6), (RIGHT, 9)], -1.0, [(0, 5, False), (6, 11, False)]),
        ([(LEFT, 0), (RIGHT, 17)], -1.0, [(0, 19, False)]),  # 15 s after the first half
        ([(LEFT, 0), (RIGHT, 17.5)], -1.0, [(0, 2, True)]),
        ([(RIGHT, 0), (LEFT, 3), (RIGHT, 6)], -1.0, [(3, 8, False)]),  # a second half alone is none
        ([(RIGHT, 0), (LEFT, 3), (RIGHT, 6)], 1.0, [(0, 5, False), (6, 8, True)]),
        ([(RIGHT, 0), (LEFT, 3)], None, [(0, 5, False)]),  # unknown sides: the first comes first
        ([(LEFT, 0), (RIGHT, 3)], None, [(0, 5, False)]),
        ([(LEFT, 0), (LEFT, 3), (RIGHT, 6)], -1.0, [(0, 2, True), (3, 8, False)]),
        ([(LEFT, 0, True), (RIGHT, 3), (LEFT, 6), (RIGHT, 9, True)], -1.0, [(0, 5, True), (6, 11, True)]),
    ],
)
def test_halves_are_joined(some, first, joined):
    found = paired(reps(*some), first)
    assert [(rep.start_s, rep.end_s, rep.is_partial) for rep in found] == joined
    assert {rep.side for rep in found} <= {Side.NONE}


def test_a_pair_is_known_with_its_second_half_and_has_the_peak_of_its_first():
    (rep,) = paired(reps((LEFT, 0), (RIGHT, 3)), -1.0)
    assert (rep.t_s, rep.peak_s, rep.hold_s) == (5.5, 1.0, 0.5)
