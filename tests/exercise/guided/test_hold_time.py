"""How long the end of a movement was held, on traces of straight pieces."""

import pytest

from tiltwise.exercise.guided.hold_time import held_s


@pytest.mark.parametrize(
    ("trace", "held"),
    [
        ([(0, 0), (1, 40)], 0.0),
        ([(0, 0), (1, 10), (2, 0)], 0.3),  # within 1.5 deg: from 0.85 to 1.15 s
        ([(0, 0), (1, 40), (3, 40), (4, 0)], 2.2),  # within a tenth
        ([(0, 40), (2, 40), (3, 0)], 2.1),  # from the first sample on
        ([(0, 0), (1, 40), (2, 40)], 1.1),  # to the last one
        ([(0, 0), (1, 40), (2, 20), (3, 40), (4, 0)], 2.2),  # a dip ends no hold
        ([(0, 0), (1, 44), (2, 50), (3, 44), (4, 44), (5, 0)], 3.2),  # a tremble is not its furthest point
        ([(0, 0), (1, 34), (2, 40), (3, 34), (4, 0)], 2.2),  # what reaches 85 % of it counts for that: 34
        ([(0, 0), (1, 33.6), (2, 40), (3, 33.6), (4, 0)], 1.25),  # less does not: within 4 of 40
        ([(10, 0), (11, 40), (13, 40), (14, 0)], 2.2),
    ],
)
def test_held_is_the_time_near_the_end_of_the_movement(trace, held):
    assert held_s(trace) == pytest.approx(held)
