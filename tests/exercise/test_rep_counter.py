"""Repetitions of known number, side, size and hold are counted; what is none is not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import RATE_HZ, angle_block, cut, times, without
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.rep_counter import RepCounter, RepSettings
from tiltwise.exercise.rep_phases import TRANSITIONS, Phase, SampleCue
from tiltwise.types import ACTIVITIES, Activity, Side


def excursions(t, peaks_deg, *, start_s=3.0, every_s=6.0, move_s=1.2, hold_s=1.0):
    """An angle that goes out to each peak in turn, stays, and comes back, smoothly."""
    angle = np.zeros(len(t))
    for k, peak in enumerate(peaks_deg):
        begin = start_s + k * every_s
        knots = np.array([begin, begin + move_s, begin + move_s + hold_s, begin + 2 * move_s + hold_s])
        share = np.interp(t, knots, [0.0, 1.0, 1.0, 0.0])
        angle += peak * share * share * (3 - 2 * share)
    return angle


def count(exercise, block, settings=None, activity=None):
    counter = RepCounter(exercise, EXERCISES[exercise].signal, settings)
    return counter.process(block, activity)


def test_side_tilts_are_counted_by_side_with_peak_and_hold():
    t = times(40.0)
    block = angle_block(t, lateral_deg=excursions(t, [30, -32, 34, -28, 30], hold_s=2.0))
    reps = count("side_tilt", block)
    assert [r.side for r in reps] == [Side.RIGHT, Side.LEFT, Side.RIGHT, Side.LEFT, Side.RIGHT]
    assert [r.peak_deg for r in reps] == pytest.approx([30, 32, 34, 28, 30], abs=0.5)
    assert [r.start_s for r in reps] == pytest.approx([3, 9, 15, 21, 27], abs=0.5)
    # The hold counts from 90 % of the peak on, which the movement reaches 0.2 s early and leaves 0.2 s late.
    assert [r.hold_s for r in reps] == pytest.approx([2.4] * 5, abs=0.2)
    assert not any(r.is_partial for r in reps)


@pytest.mark.parametrize("sway_deg", [2.5, 5.0])
def test_a_tilt_begins_where_the_head_sets_off_not_where_a_slow_sway_began(sway_deg):
    """Below and beyond where an excursion is noticed; the sway takes 4 s and stays for 3 s."""
    t = times(30.0)
    sway = np.interp(t, [8.0, 12.0, 15.0, 17.0], [0.0, sway_deg, sway_deg, 0.0])
    tilts = excursions(t, [30 - sway_deg, -30], start_s=15.0, every_s=8.0)
    reps = count("side_tilt", angle_block(t, lateral_deg=sway + tilts))
    assert [r.side for r in reps] == [Side.RIGHT, Side.LEFT]
    assert [r.start_s for r in reps] == pytest.approx([15.0, 23.0], abs=0.5)


def test_swaying_while_slumped_is_no_side_tilt():
    t = times(40.0)
    tilts = excursions(t, [12, -12, 12, -12, 12], hold_s=2.0)
    assert count("side_tilt", angle_block(t, lateral_deg=tilts, flexion_deg=np.full(len(t), 38.0))) == []
    assert len(count("side_tilt", angle_block(t, lateral_deg=tilts, flexion_deg=np.full(len(t), 12.0)))) == 5


def test_going_straight_from_one_side_to_the_other_counts_both():
    t = times(40.0)
    block = angle_block(t, lateral_deg=30 * np.sin(2 * np.pi * t / 8))
    assert len(count("side_tilt", block)) in (9, 10)  # the last one may not have come back


def test_a_quarter_of_the_persons_own_range_is_needed():
    t = times(30.0)
    block = angle_block(t, flexion_deg=excursions(t, [40, 9, 40, 9]))
    reps = count("head_down", block, RepSettings(range_deg=50.0))
    assert [r.is_partial for r in reps] == [False, True, False, True]
    assert len(count("head_down", block, RepSettings(range_deg=20.0))) == 4


def test_small_movements_are_partial_and_smaller_ones_nothing():
    t = times(20.0)
    block = angle_block(t, flexion_deg=excursions(t, [6, 3]), ripple_deg=0.2)
    reps = count("head_down", block)
    assert [(r.is_partial, round(r.peak_deg)) for r in reps] == [(True, 6)]


def test_a_jerk_is_no_repetition():
    t = times(10.0)
    block = angle_block(t, flexion_deg=excursions(t, [30], move_s=0.08, hold_s=0.0))
    assert count("head_down", block) == []


@pytest.mark.parametrize("lasting_s", [0.5, 0.6, 0.8])
def test_brisk_nods_count(lasting_s):
    t = times(20.0)
    angle = sum(
        excursions(t, [25], start_s=2.0 + 1.2 * k, move_s=lasting_s / 2, hold_s=0.0) for k in range(8)
    )
    assert len(count("head_down", angle_block(t, flexion_deg=angle))) == 8


def test_a_hold_that_sags_and_recovers_is_one_repetition():
    t = times(30.0)
    angle = excursions(t, [40], hold_s=10.0) - excursions(t, [8], start_s=8.0)
    assert len(count("chin_to_chest_hold", angle_block(t, flexion_deg=angle))) == 1


def test_a_drifting_neutral_is_followed():
    t = times(120.0)
    drift = 0.15 * t  # 18 deg in two minutes, far more than a six-axis heading drifts
    block = angle_block(t, rotation_deg=drift + excursions(t, [50, -50] * 9))
    reps = count("rotations", block)
    assert len(reps) == 18
    assert [r.side for r in reps] == [Side.RIGHT, Side.LEFT] * 9


def test_a_new_posture_is_no_repetition():
    t = times(200.0)
    flexion = np.where((t > 10) & (t < 120), 25.0, 0.0)
    smooth = np.convolve(flexion, np.ones(50) / 50, mode="same")
    assert count("head_down", angle_block(t, flexion_deg=smooth)) == []


def test_bending_the_other_way_is_not_counted():
    t = times(30.0)
    assert count("head_down", angle_block(t, flexion_deg=excursions(t, [-30, -30]))) == []


def test_the_snake_is_a_pair_and_half_of_it_is_partial():
    t = times(60.0)
    angle = excursions(t, [-25, 35, -25, -25, 35])
    reps = count("singing_snake", angle_block(t, flexion_deg=angle))
    assert [(r.is_partial, r.side) for r in reps] == [
        (False, Side.NONE),
        (True, Side.NONE),
        (False, Side.NONE),
    ]
    assert reps[0].end_s - reps[0].start_s == pytest.approx(9.4, abs=0.8)


def test_saying_no_needs_a_bowed_head():
    t = times(30.0)
    turns = excursions(t, [25, -25, 25, -25])
    upright = count("clasped_no", angle_block(t, rotation_deg=turns))
    bowed = count("clasped_no", angle_block(t, rotation_deg=turns, flexion_deg=30.0))
    assert [r.is_partial for r in upright] == [True] * 4
    assert [r.is_partial for r in bowed] == [False] * 4


def test_a_head_lift_counts_only_lying_down():
    t = times(30.0)
    lifts = excursions(t, [20, 20, 20], every_s=8.0, hold_s=3.0)
    assert len(count("supine_head_lift", angle_block(t, flexion_deg=-90.0 + lifts))) == 3
    assert count("supine_head_lift", angle_block(t, flexion_deg=lifts)) == []


def test_nothing_is_counted_while_walking_or_not_worn():
    t = times(30.0)
    block = angle_block(t, flexion_deg=excursions(t, [40, 40]))
    for activity in (Activity.WALKING, Activity.NOT_WORN):
        codes = np.full(len(t), ACTIVITIES.index(activity), dtype=np.int8)
        assert count("head_down", block, activity=codes) == []


def test_a_gap_in_a_repetition_drops_it_and_the_next_one_counts():
    t = times(20.0)
    block = angle_block(t, flexion_deg=excursions(t, [40, 40]))
    reps = count("head_down", without(block, 4.5, 5.6))
    assert [r.peak_s for r in reps] == pytest.approx([10.7], abs=0.6)


def test_after_a_hole_in_a_hold_the_neutral_is_where_it_was():
    t = times(60.0)
    block = angle_block(t, lateral_deg=excursions(t, [35, -30, 32], start_s=10.0, every_s=8.0, hold_s=4.0))
    for start_s in (12.0, 5.0):  # within the hold of the first one, and from before it: too long to remember
        reps = count("side_tilt", without(block, start_s, 13.0))
        assert [(r.side, round(r.peak_deg / 5) * 5) for r in reps][-2:] == [(Side.LEFT, 30), (Side.RIGHT, 30)]
        assert all(r.start_s >= 12.9 for r in reps)


def test_a_hole_is_no_rest():
    t = times(40.0)
    block = angle_block(t, flexion_deg=excursions(t, [40, 40], start_s=24.0, hold_s=0.5))
    reps = count("head_down", without(block, 2.0, 25.3))  # longer than a new rest, and it ends at the peak
    assert [r.peak_deg for r in reps] == pytest.approx([40], abs=2)


def test_a_bowed_head_that_turns_makes_no_side_tilt():
    t = times(40.0)
    turn = excursions(t, [50, -50, 50, -50])
    seen = np.degrees(np.arcsin(np.sin(np.radians(turn)) * np.sin(np.radians(20.0))))  # bowed by 20 deg
    assert 14 < seen.max() < 16
    assert count("side_tilt", angle_block(t, lateral_deg=seen, rotation_deg=turn, flexion_deg=20.0)) == []
    # Necks turn a little when they tilt, by half of it at most.
    tilts = excursions(t, [30, -30, 30, -30])
    block = angle_block(t, lateral_deg=tilts, rotation_deg=0.5 * tilts, flexion_deg=20.0)
    assert len(count("side_tilt", block)) == 4


def test_the_table_leaves_every_phase_and_comes_back_to_rest():
    for phase in Phase:
        if phase is not Phase.REST:
            assert TRANSITIONS[phase, SampleCue.LOST] is Phase.REST
            assert TRANSITIONS[phase, SampleCue.RETURNED] is Phase.REST
    assert set(TRANSITIONS.values()) == set(Phase)


@settings(max_examples=8)
@given(st.lists(st.integers(0, round(60 * RATE_HZ)), max_size=12), st.integers(0, 2**32 - 1))
def test_any_cut_gives_the_same_repetitions(cuts, seed):
    rng = np.random.default_rng(seed)
    t = times(60.0)
    angle = excursions(t, rng.uniform(-45, 45, 9)) + np.interp(
        t, np.arange(61), rng.normal(scale=2.0, size=61)
    )
    block = without(angle_block(t, lateral_deg=angle), 20.0, 20.0 + rng.random())
    block = replace(block, lateral_deg=np.where((t_ := block.t_s) > 58.0, np.nan, block.lateral_deg))
    assert len(t_) == len(block.lateral_deg)
    counter = RepCounter("side_tilt", EXERCISES["side_tilt"].signal)
    parts = [rep for piece in cut(block, cuts) for rep in counter.process(piece)]
    assert parts == count("side_tilt", block)
