"""A change is told only beyond what the person's own repeats make of measuring."""

from dataclasses import replace

import pytest

from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach_events import Round
from tiltwise.exercise.guided.range_progress import (
    CHANGE_FACTOR,
    changes,
    detectable_change,
    newest_ranges,
    range_tests,
    ranges_of,
    side_line,
    side_lines,
)
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.types import Mount, RepCompleted, Side

DAY_S = 86400.0


def record(start_s, peaks, *, exercise="range_down", side=Side.NONE, mount=Mount.HEAD):
    reps = tuple(RepCompleted(k, exercise, side, k, k, k, peak, 0.0) for k, peak in enumerate(peaks))
    return ExerciseRecord(
        exercise, mount, start_s, start_s + 20.0, True, True, 3, {side: len(peaks)}, reps=reps
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


@pytest.mark.parametrize(("apart_s", "tests"), [(1800.0, 1), (1801.0, 2)])
def test_half_an_hour_after_the_end_of_the_last_part_a_test_is_another(apart_s, tests):
    turned = record(20.0 + apart_s, [70.0, 70.0], exercise="range_turns", side=Side.RIGHT)
    found = range_tests([turned, record(0.0, [50.0, 50.0])])  # in no order
    assert len(found) == tests
    assert found[0].start_s == 0.0
    assert newest_ranges(found) == {Direction.DOWN: 50.0, Direction.TURN_RIGHT: 70.0}


def test_the_same_direction_twice_makes_two_tests_and_the_newest_is_the_range():
    found = range_tests([record(0.0, [50.0, 50.0]), record(60.0, [54.0, 54.0])])
    assert [test.range_deg for test in found] == [{Direction.DOWN: 50.0}, {Direction.DOWN: 54.0}]
    assert newest_ranges(found) == {Direction.DOWN: 54.0}


def test_places_are_kept_apart_and_the_newest_place_is_taken():
    records = [record(0.0, [50.0, 50.0]), record(9000.0, [40.0, 40.0], mount=Mount.NECK)]
    assert [test.mount for test in range_tests(records)] == [Mount.NECK]
    assert [test.range_deg[Direction.DOWN] for test in range_tests(records, Mount.HEAD)] == [50.0]
    assert range_tests([]) == range_tests([record(0.0, [50.0, 50.0], exercise="head_down")]) == []


@pytest.mark.parametrize(("apart_s", "repeats"), [(DAY_S, 1), (DAY_S + 1.0, 0)])
def test_a_repeat_is_within_a_day(apart_s, repeats):
    known = detectable_change(
        range_tests([record(0.0, [50.0, 50.0]), record(apart_s, [56.0, 56.0])]), Direction.DOWN
    )
    assert known.repeats == repeats
    sem = ((18.0 + 27.0) / 4) ** 0.5 if repeats else 3.0  # 6 deg apart: half the square, and three usual ones
    assert known.deg == pytest.approx(1.96 * 2**0.5 * sem)


def test_a_loss_is_told_like_a_gain_and_in_the_order_of_directions():
    first = [record(0.0, [50.0, 50.0]), record(30.0, [60.0, 60.0], exercise="range_back")]
    later = [record(9 * DAY_S, [30.0, 30.0]), record(9 * DAY_S + 30.0, [60.0, 60.0], exercise="range_back")]
    down, back = changes(range_tests(first + later))
    assert (down.direction, down.change_deg, down.tests, down.words) == (
        Direction.DOWN,
        -20.0,
        2,
        "less by 20 deg",
    )
    assert (back.change_deg, back.words) == (0.0, "no change that can be told (below 8 deg)")
    exactly = replace(down, newest_deg=50.0 + down.detectable.deg, first_deg=50.0)
    assert not replace(exactly, newest_deg=50.0, first_deg=50.0 - down.detectable.deg + 0.001).is_clear


def test_the_right_side_may_be_the_weaker_one():
    assert (
        side_line("right", "left", -9.0, 8.0) == "right moves 9 deg less, more than measuring makes (8 deg)"
    )
    assert side_line("right", "left", -8.0, 8.0).startswith("right and left differ by 8 deg, within")
    turned = {Direction.TURN_RIGHT: 50.0, Direction.TURN_LEFT: 70.0}
    assert side_lines(turned) == ["turn right moves 20 deg less, more than measuring makes (8 deg)"]
    assert side_lines({Direction.RIGHT: 40.0}) == []
