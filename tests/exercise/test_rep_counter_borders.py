"""Where a repetition ends and something else begins: times, sizes, rests, holes and halves, by known answers."""

import numpy as np
import pytest

from detect.synthetic import angle_block, times, without
from exercise.test_rep_counter import count, excursions
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.rep_counter import RepCounter, RepSettings, _Pairs
from tiltwise.exercise.rep_phases import Phase
from tiltwise.types import RepCompleted, Side


def tilt(t, deg, start_s, move_s=1.0, hold_s=1.0):
    return excursions(t, [deg], start_s=start_s, move_s=move_s, hold_s=hold_s)


@pytest.mark.parametrize(("move_s", "hold_s", "counted"), [(0.25, 0.0, 0), (0.4, 0.3, 1)])
def test_a_movement_of_less_than_the_shortest_time_is_a_jerk(move_s, hold_s, counted):
    t = times(20.0)
    settings = RepSettings(shortest_s=0.8)
    assert (
        len(count("side_tilt", angle_block(t, lateral_deg=tilt(t, 30, 8.0, move_s, hold_s)), settings))
        == counted
    )


@pytest.mark.parametrize(("hold_s", "counted"), [(8.0, 1), (13.0, 0)])
def test_an_excursion_that_lasts_too_long_is_a_posture(hold_s, counted):
    t = times(40.0)
    angle = tilt(t, 30, 5.0, hold_s=hold_s)
    reps = count("side_tilt", angle_block(t, lateral_deg=angle), RepSettings(longest_s=12.0))
    assert len(reps) == counted


def test_what_is_held_and_how_far_is_known_while_it_lasts():
    t = times(12.0)
    counter = RepCounter("side_tilt", EXERCISES["side_tilt"].signal)
    angle = -tilt(t, 30, 4.0, hold_s=4.0)
    seen = {}
    for k in range(0, len(t), 5):
        part = slice(k, k + 5)
        counter.process(angle_block(t[part], lateral_deg=angle[part]))
        seen[round(float(t[part][-1]), 2)] = (
            counter.phase,
            counter.deviation_deg,
            counter.held_s,
            counter.rested_s,
        )
    at = {s: seen[min(seen, key=lambda x: abs(x - s))] for s in (3.0, 7.0, 8.0, 11.5)}
    assert at[3.0][0] is Phase.REST
    assert at[3.0][3] == pytest.approx(3.0, abs=0.3)
    assert at[3.0][2] == 0.0
    phase, deviation, held, rested = at[7.0]
    assert phase is Phase.HOLD
    assert deviation == pytest.approx(30, abs=0.5), "outward, on the side it went to"
    assert held == pytest.approx(2.2, abs=0.25)  # from 90 % of the peak on
    assert rested == 0.0
    assert at[8.0][2] - held == pytest.approx(1.0, abs=0.1)
    assert at[11.5][0] is Phase.REST
    assert at[11.5][2] == 0.0


def test_the_least_excursion_follows_the_last_five_peaks_or_the_range_given():
    signal = EXERCISES["side_tilt"].signal
    assert RepCounter("side_tilt", signal).least_deg == signal.least_deg
    assert RepCounter("side_tilt", signal, RepSettings(range_deg=80.0)).least_deg == 20.0
    assert RepCounter("side_tilt", signal, RepSettings(range_deg=1.0)).least_deg == signal.least_deg
    counter = RepCounter("side_tilt", signal)
    t = times(60.0)
    peaks = [20, 44, 48, 52, 56, 60]
    counter.process(angle_block(t, lateral_deg=excursions(t, peaks, every_s=8.0)))
    assert counter.least_deg == pytest.approx(52 / 4, abs=0.3)  # the median of the last five


@pytest.mark.parametrize(("rest_s", "is_new"), [(10.0, False), (20.0, True)])
def test_a_rest_elsewhere_is_a_new_neutral_only_after_a_while(rest_s, is_new):
    """From 14 deg a tilt of 16 deg more: counted from the new neutral, else the 14 deg had begun one."""
    t = times(60.0)
    base = np.interp(t, [5.0, 25.0, 26.0 + rest_s + 10.0], [0.0, 3.9, 3.9])  # too slow and small to leave for
    counter = RepCounter("head_down", EXERCISES["head_down"].signal)
    counter.process(angle_block(t, flexion_deg=base))
    assert counter.phase is Phase.REST
    assert abs(counter.deviation_deg) < 0.5, "a near rest is followed"
    away = RepCounter("side_tilt", EXERCISES["side_tilt"].signal, RepSettings(near_deg=1.0))
    t = times(rest_s + 5.0)
    leans = np.interp(t, [2.0, 5.0], [0.0, 3.0])
    away.process(angle_block(t, lateral_deg=leans))
    assert (abs(away.deviation_deg) < 0.2) == is_new


@pytest.mark.parametrize(("hole_s", "counted"), [(0.4, 1), (0.7, 0)])
def test_a_hole_in_a_repetition_longer_than_half_a_second_drops_it(hole_s, counted):
    t = times(20.0)
    block = without(angle_block(t, lateral_deg=tilt(t, 30, 8.0)), 9.3, 9.3 + hole_s)
    assert len(count("side_tilt", block)) == counted


@pytest.mark.parametrize(("hole_s", "is_known"), [(4.0, True), (7.0, False)])
def test_after_a_long_hole_the_neutral_is_what_comes_next(hole_s, is_known):
    t = times(20.0)
    flexion = np.where(t < 8.0, 0.0, 12.0)
    counter = RepCounter("head_down", EXERCISES["head_down"].signal)
    block = without(angle_block(t, flexion_deg=flexion), 8.0 - hole_s / 2, 8.0 + hole_s / 2)
    end = block.t_s < 8.0 + hole_s / 2 + 0.3
    counter.process(angle_block(block.t_s[end], flexion_deg=block.flexion_deg[end]))
    assert (abs(counter.deviation_deg) > 6.0) == is_known


def half(side, start_s, end_s, is_partial=False, peak_deg=30.0):
    return RepCompleted(
        end_s, "look_back", side, start_s, (start_s + end_s) / 2, end_s, peak_deg, 0.5, is_partial
    )


def test_two_halves_are_one_repetition_from_the_start_of_the_first_to_the_end_of_the_second():
    (whole,) = _Pairs(15.0).join([half(Side.LEFT, 1, 3), half(Side.RIGHT, 5, 8)])
    assert (whole.t_s, whole.start_s, whole.end_s, whole.side, whole.is_partial) == (
        8,
        1,
        8,
        Side.NONE,
        False,
    )
    for first, second in ((True, False), (False, True)):
        (whole,) = _Pairs(15.0).join([half(Side.LEFT, 1, 3, first), half(Side.RIGHT, 5, 8, second)])
        assert whole.is_partial


def test_a_half_without_the_other_is_partial_when_that_is_known():
    pairs = _Pairs(15.0)
    assert pairs.join([half(Side.RIGHT, 0, 1)]) == [], "a second half alone is nothing"
    assert pairs.join([half(Side.LEFT, 1, 3)]) == []
    (alone,) = pairs.join([half(Side.LEFT, 5, 7)])
    assert (alone.t_s, alone.start_s, alone.end_s, alone.side, alone.is_partial) == (7, 1, 3, Side.NONE, True)
    (whole,) = pairs.join([half(Side.RIGHT, 22, 24)])  # 15 s after the first half ended
    assert (whole.start_s, whole.is_partial) == (5, False)
    assert pairs.join([half(Side.LEFT, 30, 31)]) == []
    (late,) = pairs.join([half(Side.RIGHT, 46.1, 48)])
    assert (late.start_s, late.end_s, late.is_partial) == (30, 31, True)
    assert pairs.join([half(Side.RIGHT, 50, 51)]) == [], "it was used up"
