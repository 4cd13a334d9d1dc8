"""Strokes that have been told -> ways out and back, on a line of straight pieces that can be read off by eye."""

import numpy as np
import pytest

from tiltwise.exercise.recorded.movement_excursions import Excursion, edges_of, excursions
from tiltwise.exercise.recorded.movement_strokes import Stroke
from tiltwise.exercise.recorded.set_pattern import Found
from tiltwise.exercise.recorded.stroke_path import MIDDLE, MINUS, PLUS, Pattern

# Out and back by 20, aside by 6, and from 30 through to -10; deg at samples.
KNOTS = {0: 0, 10: 0, 20: 20, 30: 20, 40: 0, 50: 0, 60: 6, 70: 0, 80: 0, 90: 30, 110: -10, 120: 0, 130: 0}
LINE = np.interp(np.arange(131), [*KNOTS], [*KNOTS.values()])
STROKES = [(10, 20), (30, 40), (50, 60), (60, 70), (80, 90), (90, 110), (110, 120)]


def found(ends, path, costs):
    strokes = [Stroke(a, b, np.array([LINE[b] - LINE[a], 0.0, 0.0]), (b - a) / 50.0) for a, b in ends]
    out = {PLUS: np.array([30.0, 0.0, 0.0]), MINUS: np.array([-10.0, 0.0, 0.0])}
    return Found([strokes], Pattern(out, 0.2, 30.0, 30.0, np.ones(3)), [path], [costs], 0.0)


def test_each_movement_has_its_turn_size_and_surroundings():
    told = found(STROKES, [0, PLUS, 0, 0, 0, PLUS, MINUS, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert excursions(0, LINE, told) == [
        Excursion(0, 20, 5, 45, 1.0, 20.0, 0.0, True, True, pytest.approx(0.15)),
        Excursion(0, 60, 45, 75, 1.0, 6.0, 0.0, True, False, 0.0),  # none of the exercise, and back
        Excursion(0, 90, 75, 120, 1.0, 30.0, pytest.approx(0.0), True, True, pytest.approx(0.55)),
        Excursion(0, 110, 80, 125, -1.0, 10.0, pytest.approx(0.0), True, True, pytest.approx(0.65)),
    ]


def test_who_is_out_where_the_recording_begins_or_ends_did_no_whole_movement():
    began = excursions(0, LINE[15:45], found([(15, 25)], [PLUS, MIDDLE], [0.2]))
    assert [(one.before, one.is_whole, one.size_deg, one.index) for one in began] == [(0, False, 20.0, 5)]
    ends = excursions(0, LINE[:26], found([(10, 20)], [MIDDLE, PLUS], [0.2]))
    assert [(one.after, one.is_whole, one.size_deg, one.index) for one in ends] == [(25, False, 20.0, 20)]
    never_moved = excursions(0, LINE[20:31], found([], [PLUS], []))
    assert [(one.before, one.after, one.size_deg, one.centre_deg, one.cost) for one in never_moved] == [
        (0, 10, 0.0, 20.0, 0.0)
    ]


def test_a_movement_beside_the_exercise_comes_back_by_more_than_half():
    half = [Stroke(50, 60, np.array([6.0, 0, 0]), 0.2), Stroke(60, 65, np.array([-3.0, 0, 0]), 0.1)]
    told = found([], [MIDDLE] * 3, [0.0, 0.0])
    told.strokes[0][:] = half
    assert excursions(0, LINE, told) == []
    half[1].way_deg[0] = -3.1
    assert [one.index for one in excursions(0, LINE, told)] == [60]


def test_an_exercise_between_parts_what_is_beside_it():
    told = found([(50, 60), (10, 20), (30, 40), (60, 70)], [0, 0, PLUS, 0, 0], [0.0] * 4)
    assert [one.is_told for one in excursions(0, LINE, told)] == [True]


def test_a_movement_begins_and_ends_a_tenth_from_its_centre_or_where_it_turns():
    whole = Excursion(0, 20, 5, 45, 1.0, 20.0, 0.0, True, True, 0.0)
    assert edges_of(LINE, whole) == (11, 39)
    assert edges_of(-LINE, Excursion(0, 20, 5, 45, -1.0, 20.0, 0.0, True, True, 0.0)) == (11, 39)
    assert edges_of(LINE, Excursion(0, 20, 14, 34, 1.0, 20.0, 0.0, True, True, 0.0)) == (14, 34)
