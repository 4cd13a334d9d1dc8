"""A stroke is the part of a way that is quick beside its own top speed; speeds here are deg a sample."""

import numpy as np
import pytest

from tiltwise.exercise.recorded.movement_strokes import strokes_of


def strokes(*speeds, least_deg=5.0):
    line = np.cumsum([0.0, *speeds])
    columns = np.column_stack((line, np.arange(len(line)), -line))
    return strokes_of(columns, least_deg)


UP = (4.0, 4.0, 0.5, 0.5, 3.0, 3.0)


@pytest.mark.parametrize(
    ("speeds", "ends"),
    [
        ((0, 0, 1, 4, 4, 1, 0, 0), [(2, 6)]),  # a quarter of the top speed still belongs to it
        ((0, 0, 0.9, 4, 4, 0.9, 0, 0), [(3, 5)]),
        (UP, [(0, 2), (4, 6)]),
        ((*UP, *(-v for v in UP)), [(0, 2), (4, 6), (6, 8), (10, 12)]),
        ((2.5, 2.5), [(0, 2)]),  # just as far as asked for
        ((2.4, 2.5), []),
        ((20.0,), []),  # one sample to the next is no stroke
        ((1.0, 1.0, 20.0), [(2, 3)]),
    ],
)
def test_strokes_are_the_quick_parts(speeds, ends):
    assert [(one.first, one.last) for one in strokes(*speeds)] == ends


def test_a_stroke_has_its_way_in_each_direction_and_its_time():
    out, back = strokes(0, 6, 6, 0, 0, -3, -3, -3, 0)
    assert [out.way_deg.tolist(), back.way_deg.tolist()] == [[12.0, 2.0, -12.0], [-9.0, 3.0, 9.0]]
    assert [out.lasting_s, back.lasting_s] == pytest.approx([0.04, 0.06])  # at 50 Hz


def test_the_smaller_of_two_quick_parts_may_be_none():
    assert [(one.first, one.last) for one in strokes(*UP, least_deg=8.0)] == [(0, 2)]
