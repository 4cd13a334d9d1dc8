"""Strokes are told by how this person's repetitions go, and the story with the least to explain is taken."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tiltwise.exercise.recorded.movement_strokes import Stroke, strokes_of
from tiltwise.exercise.recorded.set_pattern import Found, _middle, find_set
from tiltwise.exercise.recorded.stroke_path import MIDDLE, MINUS, PLUS, Pattern, stroke_path
from tiltwise.types import FloatArray

RATE_HZ = 50.0
BOTH = [(PLUS,), (MINUS,), (PLUS, MINUS)]


def pattern(size_deg: float = 20.0, stroke_s: float = 1.0) -> Pattern:
    out = {side: np.array([side * size_deg, 0.0, 0.0]) for side in (PLUS, MINUS)}
    return Pattern(out, stroke_s, size_deg, size_deg, np.array([1.0, 0.6, 0.6]))


def strokes(*ways_deg: float | tuple[float, float, float], lasting_s: float = 1.0) -> list[Stroke]:
    ways = [np.array(way if isinstance(way, tuple) else (way, 0.0, 0.0)) for way in ways_deg]
    return [Stroke(k, k + 1, way, lasting_s) for k, way in enumerate(ways)]


def path(*ways_deg: float | tuple[float, float, float], lasting_s: float = 1.0) -> list[int]:
    some = strokes(*ways_deg, lasting_s=lasting_s)
    return stroke_path(some, pattern(), len(some), is_first=True, is_last=True)[0]


def course(levels_deg: list[float], every_s: float, stroke_s: float) -> FloatArray:
    """Rests at these levels, and strokes of a raised cosine between them, (n, 3) deg along the first column."""
    t = np.arange(0.0, every_s * len(levels_deg), 1 / RATE_HZ)
    line = np.full(len(t), levels_deg[0])
    for k, (before, after) in enumerate(pairwise(levels_deg)):
        x = np.clip((t - every_s * (k + 1)) / stroke_s, 0.0, 1.0)
        line += (after - before) * (0.5 - 0.5 * np.cos(np.pi * x))
    return np.column_stack((line, np.zeros_like(line), np.zeros_like(line)))


def test_out_and_back_on_either_side() -> None:
    assert path(19.0, -21.0, -18.0, 20.0) == [MIDDLE, PLUS, MIDDLE, MINUS, MIDDLE]


def test_one_stroke_from_side_to_side_is_the_end_of_one_and_the_beginning_of_the_next() -> None:
    assert path(20.0, -39.0, 41.0, -20.0) == [MIDDLE, PLUS, MINUS, PLUS, MIDDLE]


def test_what_is_small_or_goes_elsewhere_is_none_of_the_exercise() -> None:
    assert path(20.0, -20.0, 6.0, -6.0, 20.0, -20.0) == [0, PLUS, 0, 0, 0, PLUS, 0]
    assert path(20.0, -20.0, (9.0, 40.0, 0.0), (-9.0, -40.0, 0.0)) == [0, PLUS, 0, 0, 0]


@pytest.mark.parametrize(("lasting_s", "counts"), [(1.0, True), (0.2, False)])
def test_of_two_doubtful_movements_the_one_at_the_usual_pace_counts(lasting_s: float, counts: bool) -> None:
    some = [*strokes(20.0, -20.0), *strokes(11.0, -11.0, lasting_s=lasting_s)]
    told, _, _ = stroke_path(some, pattern(), 4, is_first=True, is_last=True)
    assert (told[3] == PLUS) is counts


def test_who_begins_in_the_middle_and_always_goes_one_way_uses_one_side() -> None:
    """The strokes between are the same as those of the other side around a middle that is out there."""
    found = find_set([course([0.0, *([20.0, 0.0] * 4)], 2.0, 1.0)], 20.0, BOTH)
    assert found.paths == [[MIDDLE, *([PLUS, MIDDLE] * 4)]]
    assert found.pattern.out_deg[PLUS][0] == pytest.approx(18.5, abs=1.5)  # without the slow ends of a stroke
    assert found.pattern.stroke_s == pytest.approx(0.84, abs=0.05)


def test_the_weaker_side_has_a_size_of_its_own() -> None:
    found = find_set([course([0.0, *([20.0, 0.0, -11.0, 0.0] * 3)], 2.0, 1.0)], 20.0, BOTH)
    assert found.paths == [[MIDDLE, *([PLUS, MIDDLE, MINUS, MIDDLE] * 3)]]
    ratio = found.pattern.out_deg[MINUS][0] / found.pattern.out_deg[PLUS][0]
    assert ratio == pytest.approx(-11.0 / 20.0, abs=0.02)


def test_a_stroke_is_the_quick_part_between_holds_that_give_way() -> None:
    columns = course([0.0, 20.0, 20.0, 0.0], 4.0, 1.0)
    columns[:, 0] += 0.5 * np.arange(len(columns)) / RATE_HZ  # deg/s
    out, back = strokes_of(columns, 8.0)
    assert [out.first / RATE_HZ, back.first / RATE_HZ] == pytest.approx([4.08, 12.08], abs=0.06)
    assert [out.way_deg[0], back.way_deg[0]] == pytest.approx([19.2, -18.3], abs=0.7)


def test_what_a_talking_head_does_all_the_time_is_no_set_beside_larger_turns() -> None:
    """Eight strokes of 5 deg among eighty of 2.4: more and more alike, and smaller than any exercise."""
    talk = course([0.0, 2.4] * 20, 0.6, 0.3)
    columns = np.concatenate([talk, course([0.0, 5.0, 0.0, -5.0] * 2, 4.0, 1.5), talk])
    talked, turned = (find_set([columns], 4.4, BOTH, least_deg) for least_deg in (0.0, 3.0))
    assert talked.pattern.scale_deg == pytest.approx(2.4, abs=0.2)
    assert turned.pattern.scale_deg == pytest.approx(4.9, abs=0.2)
    assert sum(before != after for before, after in pairwise(turned.paths[0])) == 8


@pytest.mark.parametrize(
    ("way_deg", "lasting_s", "cost"),
    [
        (20.0, 1.0, 0.0),
        (27.0, 1.0, 0.5),  # off by 0.35 of its size
        ((20.0, 7.0 / 0.6, 0.0), 1.0, 0.5),  # what goes with it weighs less
        ((20.0, 0.0, -7.0 / 0.6), 1.0, 0.5),
        (20.0, 2.0, 0.4),  # half of what a pace can cost
        (20.0, 0.5, 0.4),
        (27.0, 2.0, 0.9),
    ],
)
def test_a_stroke_costs_what_sets_it_apart_from_the_usual_way(way_deg, lasting_s, cost) -> None:
    some = [*strokes(way_deg, lasting_s=lasting_s), *strokes(-20.0)]
    at_once = Pattern(pattern().out_deg, 1.0, 20.0, 2.0, pattern().weights)  # whatever stays small is none
    told, costs, total = stroke_path(some, at_once, 2, is_first=True, is_last=True)
    assert told == [MIDDLE, PLUS, MIDDLE]
    assert [*costs, total] == pytest.approx([cost, 0.0, cost])


@pytest.mark.parametrize(
    ("way_deg", "in_all", "cost"), [(-40.0, 3, 0.04), (-40.0, 30, 0.01), (-40.0 - 0.35 * 28.0, 3, 0.54)]
)
def test_from_side_to_side_is_less_sure_and_slower(way_deg: float, in_all: int, cost: float) -> None:
    some = [*strokes(20.0), *strokes(way_deg, lasting_s=1.8), *strokes(20.0)]
    told, costs, _ = stroke_path(some, pattern(), in_all, is_first=True, is_last=True)
    assert told == [MIDDLE, PLUS, MINUS, MIDDLE]
    assert costs == pytest.approx([0.0, cost, 0.0])


@pytest.mark.parametrize(
    ("is_first", "is_last", "way_deg", "told", "total"),
    [
        (True, False, 20.0, [MIDDLE, PLUS], 0.3),  # a gap that begins out there
        (True, True, 20.0, [MIDDLE, MIDDLE], 400.0 / 449.0),  # less than the 1 of an end out there
        (False, True, -20.0, [PLUS, MIDDLE], 0.3),
    ],
)
def test_a_stretch_may_begin_or_end_out_there(is_first, is_last, way_deg, told, total) -> None:
    found, _, cost = stroke_path(strokes(way_deg), pattern(), 9, is_first=is_first, is_last=is_last)
    assert (found, cost) == (told, pytest.approx(total))
    assert stroke_path([], pattern(), 0, is_first=is_first, is_last=is_last) == ([MIDDLE], [], 0.0)


def test_the_strength_of_a_set_is_of_its_strokes_that_are_well_explained() -> None:
    some = Found([strokes(16.0, -16.0, 3.0)], pattern(16.0), [[0, 1, 0, 0]], [[0.1, 0.75, 0.2]], 1.05)
    assert some.strength == pytest.approx(0.8 * 16.0**0.7)


def test_the_middle_of_some_ways_is_that_of_each_direction() -> None:
    rows = [np.array(row) for row in ([1.0, 10.0], [3.0, 20.0], [2.0, 60.0])]
    assert _middle(rows).tolist() == [2.0, 20.0]
    assert _middle([*rows, np.array([9.0, 30.0])]).tolist() == [2.5, 25.0]


@pytest.mark.parametrize(("aside_deg", "looked_at"), [(6.0, True), (4.0, False)])
def test_strokes_below_a_quarter_of_the_size_are_not_looked_at(aside_deg: float, looked_at: bool) -> None:
    found = find_set([course([0.0, *([20.0, 0.0] * 3), aside_deg, 0.0], 2.0, 1.0)], 20.0, BOTH)
    told = [MIDDLE, *([PLUS, MIDDLE] * 3)]
    assert found.paths == [[*told, MIDDLE, MIDDLE] if looked_at else told]


def test_one_movement_to_a_side_measures_it() -> None:
    found = find_set([course([0.0, *([20.0, 0.0] * 3), -13.0, 0.0], 2.0, 1.0)], 20.0, [(PLUS, MINUS)])
    assert found.paths == [[MIDDLE, *([PLUS, MIDDLE] * 3), MINUS, MIDDLE]]
    ratio = found.pattern.out_deg[MINUS][0] / found.pattern.out_deg[PLUS][0]
    assert ratio == pytest.approx(-13.0 / 20.0, abs=0.02)
