"""Turns and strokes of signals that can be read off by eye."""

import numpy as np
import pytest

from tiltwise.exercise.recorded.turning_points import (
    stroke_lengths,
    top_speed,
    turning_points,
    typical_stroke,
)


@pytest.mark.parametrize(
    ("signal", "turns"),
    [
        ([], []),
        ([7], [0]),
        ([7, 7], [0, 1]),
        ([0, 3, 0], [0, 1, 2]),  # just as far as asked for, both ways
        ([0, 2.9, 0], [0, 2]),
        ([5, 2, 5], [0, 1, 2]),
        ([0, 5, 5, 0], [0, 2, 3]),  # a rest at the top turns when it ends
        ([0, 4, 3, 8, 0], [0, 3, 4]),  # a wobble on the way is none
        ([0, 1, 0, 6, 0], [0, 3, 4]),
        ([10, 5, 6, 0, 9], [0, 3, 4]),  # the lowest of two
        ([0, 10, 6, 8, 5, 9], [0, 1, 4, 5]),  # the same, after a top
        ([0, 10, 0, 4, 2, 8, 0], [0, 1, 2, 5, 6]),
        ([0, -8, 0, -4, -2, -8, 0, -3], [0, 1, 2, 5, 6, 7]),
    ],
)
def test_turns_have_the_least_way_on_both_sides(signal, turns):
    assert turning_points(np.array(signal, float), 3.0).tolist() == turns


@pytest.mark.parametrize(
    ("lengths", "power", "typical", "amount"),
    [
        ([2, 10, 2, 10, 2, 10, 2], 1.0, 10.0, 30.0),
        ([30, 3] + [3] * 9 + [30], 1.5, 30.0, 2 * 30**1.5),  # a few large ones
        ([30, 3] + [3] * 9 + [30], 0.75, 3.0, 12 * 3**0.75),  # or many small ones
        ([8, 10, 9], 0.5, 9.0, 3 * 8**0.5),  # the middle of those at least so long
        ([3], 1.0, 3.0, 3.0),
        ([2.9], 1.0, 0.0, 0.0),
        ([], 1.0, 0.0, 0.0),
    ],
)
def test_the_typical_stroke_is_of_those_that_make_most(lengths, power, typical, amount):
    assert typical_stroke(np.array(lengths, float), 3.0, power) == pytest.approx((typical, amount))


@pytest.mark.parametrize(
    ("line", "returns", "lengths"),
    [
        ([0, 5, 0, -4, 0], False, [5, 9, 4]),
        ([0, 90, 80, 90], False, [90, 10, 10]),
        ([0, 90, 80, 90], True, [10, 10, 10]),  # a turned chair does not come back
        ([0, 10, 0, 90, 80], True, [10, 10, 10, 10]),
        ([0, 10, 0, 90], True, [10, 10, 10]),
        ([[0, 0], [5, 5], [0, 0]], False, [5, 5]),
        ([[0, 0], [5, 6], [0, 1]], False, [5]),  # further in another direction: a glance
    ],
)
def test_strokes_go_from_turn_to_turn(line, returns, lengths):
    signal = np.array(line, float)
    assert stroke_lengths([signal], 3.0, returns=returns).tolist() == lengths
    assert stroke_lengths([signal, signal], 3.0, returns=returns).tolist() == lengths * 2
    assert stroke_lengths([], 3.0).tolist() == []


@pytest.mark.parametrize(
    ("lines", "speed"),
    [
        ([[0, 1, 4, 5, 3, 2, 0]], 2.5),  # 3 up and 2 down
        ([[0, 1, 4, 5, 3, 2, 0], [0, 2, 4]], 2.0),
        ([[4, 2, 1]], 2.0),  # one way only, as far as a stroke
        ([[3.9, 2, 1]], 0.0),
        ([], 0.0),
    ],
)
def test_the_speed_is_the_usual_top_of_the_strokes(lines, speed):
    assert top_speed([np.array(line, float) for line in lines], 3.0) == speed
