"""A change is told only beyond what the person's own repeats make of measuring."""

from dataclasses import replace

import pytest

from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach_events import Round
from tiltwise.exercise.guided.range_progress import (
    CHANGE_FACTOR,
    changes,
    detectable_change,
    range_tests,
    ranges_of,
    side_lines,
)
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.types import Mount, RepCompleted, Side

DAY_S = 86400.0


def record(start_s, peaks, *, exercise="range_down", side=Side.NONE):
    reps = tuple(RepCompleted(k, exercise, side, k, k, k, peak, 0.0) for k, peak in enumerate(peaks))
    return ExerciseRecord(
        exercise, Mount.HEAD, start_s, start_s + 20.0, True, True, 3, {side: len(peaks)}, reps=reps
    )


def test_without_repeats_a_usual_error_stands_in():
    tests = range_tests([record(0.0, [50.0, 51.0, 52.0])])
    known = detectable_change(tests, Direction.DOWN)
    assert known.deg == pytest.approx(8.3, abs=0.05)  # 1.96 * sqrt(2) * 3
    assert known.repeats == 0


def test_repeats_within_a_day_teach_the_persons_own():
    values = [50.0, 51.0, 50.0, 51.0, 50.0, 51.0, 50.0]
    tests = range_tests([record(3000.0 * k, [v, v]) for k, v in enumerate(values)])
    known = detectable_change(tests, Direction.DOWN)
    assert known.repeats == 6
    assert known.deg == pytest.approx(CHANGE_FACTOR * ((6 * 0.5 + 3 * 9.0) / 9) ** 0.5)


@pytest.mark.parametrize(
    ("newest", "words"), [(57.0, "no change that can be told"), (60.0, "more by 10 deg")]
)
def test_nothing_below_the_smallest_detectable_change_is_a_gain(newest, words):
    tests = range_tests([record(0.0, [50.0, 50.0]), record(30 * DAY_S, [newest, newest])])
    (change,) = changes(tests)
    assert change.words.startswith(words)


def test_one_repetition_is_no_test_and_parts_of_one_session_are_one():
    assert not range_tests([record(0.0, [50.0])])
    turned = record(60.0, [70.0, 70.0], exercise="range_turns", side=Side.RIGHT)
    (test,) = range_tests([record(0.0, [50.0, 50.0]), turned])
    assert test.range_deg == {Direction.DOWN: 50.0, Direction.TURN_RIGHT: 70.0}


def test_which_side_moves_less_is_said_with_the_measuring_error():
    near = side_lines({Direction.RIGHT: 40.0, Direction.LEFT: 36.0})
    far = side_lines({Direction.RIGHT: 40.0, Direction.LEFT: 28.0})
    assert near == ["right and left differ by 4 deg, within what measuring makes (8 deg)"]
    assert far == ["left moves 12 deg less, more than measuring makes (8 deg)"]


def test_a_record_that_measures_no_angle_has_no_range():
    assert ranges_of(record(0.0, [50.0, 50.0], exercise="of_an_older_version")) == {}
    assert ranges_of(record(0.0, [50.0, 50.0], exercise="self_massage")) == {}


def test_the_gain_is_of_the_last_two_still_presses_and_nothing_is_lost_unless_said():
    ends = [(40.0, True), (50.0, True), (70.0, False), (54.0, True)]
    rounds = tuple(
        Round(k, Side.NONE, k, None, deg, 0, 0, 0, still, 0, 0) for k, (deg, still) in enumerate(ends)
    )
    pressed = replace(
        record(0.0, [], exercise="head_down_pir"), rounds=rounds, barriers={Side.NONE: [38.0, 40.0]}
    )
    assert pressed.gain_deg(Side.NONE) == 52.0 - 38.0
    assert pressed.gain_deg(Side.LEFT) is None
    assert replace(pressed, barriers={Side.NONE: [38.0]}).gain_deg(Side.NONE) is None
    assert pressed.lost_s == 0.0
