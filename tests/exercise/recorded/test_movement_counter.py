"""A declared exercise is counted without a neutral or a known mounting, at any speed and size people have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from movement_samples import bumps, count, head, times, whole
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.recorded.movement_counter import (
    LeftOut,
    MovementCount,
    MovementSettings,
    count_movements,
)
from tiltwise.exercise.recorded.movement_signal import Movements
from tiltwise.exercise.recorded.set_search import SetSearch
from tiltwise.types import Side

LEFT, BACK = np.array([0.0, 1.0, 0.0]), np.array([-1.0, 0.0, 0.0])


@pytest.mark.parametrize("lasting_s", [0.4, 0.6, 0.9, 2.0, 6.0])
@pytest.mark.parametrize("size_deg", [7.0, 15.0, 45.0])
def test_tilts_count_at_any_speed_and_size(lasting_s: float, size_deg: float) -> None:
    every_s = 1.1 * lasting_s
    t = times(4.0 + 10 * every_s)
    tilt = bumps(t, [size_deg, -size_deg] * 5, 2.0, every_s, lasting_s)
    found = count("side_tilt", head(t, tilt=tilt), plus=LEFT)
    assert whole(found) == [Side.RIGHT, Side.LEFT] * 5
    assert [rep.peak_s for rep in found.reps] == pytest.approx(
        [2.0 + k * every_s + lasting_s / 2 for k in range(10)], abs=0.15 + 0.05 * lasting_s
    )


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_the_mounting_need_not_be_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mount = Rotation.from_rotvec(rng.normal(0.0, 1.5, 3))
    t = times(40.0)
    tilt = bumps(t, [30.0, -28.0] * 4, 3.0, 4.0, 2.5)
    found = count("side_tilt", head(t, tilt=tilt, flexion=3.0 * np.sin(t / 7), mount=mount))
    sides = whole(found)
    assert sides in (
        [Side.LEFT, Side.RIGHT] * 4,
        [Side.RIGHT, Side.LEFT] * 4,
    )  # which is which, nobody has shown
    nods = count("head_down", head(t, flexion=np.abs(tilt), mount=mount))
    assert len(whole(nods)) == 8


@pytest.mark.parametrize("cycles", [5, 20, 40])
def test_swinging_from_side_to_side_without_a_stop_counts_both_sides(cycles: int) -> None:
    t = times(4.0 * cycles)
    found = count("side_tilt", head(t, tilt=30.0 * np.sin(2 * np.pi * t / 4.0)), plus=LEFT)
    assert whole(found) == [Side.RIGHT, Side.LEFT] * cycles


def test_all_to_one_side_are_as_many_as_all_in_turn() -> None:
    t = times(30.0)
    one_side = head(t, tilt=bumps(t, [30.0] * 6, 3.0, 4.0, 2.5))
    assert whole(count("side_tilt", one_side, plus=LEFT)) == [Side.RIGHT] * 6
    then_the_other = head(t, tilt=bumps(t, [30.0] * 3 + [-25.0] * 3, 3.0, 4.0, 2.5))
    assert whole(count("side_tilt", then_the_other, plus=LEFT)) == [Side.RIGHT] * 3 + [Side.LEFT] * 3


def test_a_head_that_is_never_still_is_counted() -> None:
    t = times(30.0)
    sway = 3.0 * np.sin(2 * np.pi * t / 3.1) + 2.0 * np.sin(2 * np.pi * t / 1.3)
    found = count("side_tilt", head(t, tilt=sway + bumps(t, [32.0] * 5, 5.5, 4.4, 3.2), flexion=sway))
    assert len(whole(found)) == 5


@pytest.mark.parametrize("chair_deg", [90.0, -90.0, 40.0])
@pytest.mark.parametrize("rest_s", [1.5, 4.0, 24.0])
def test_a_turned_chair_is_no_repetition(chair_deg: float, rest_s: float) -> None:
    t = times(40.0 + rest_s)
    chair = chair_deg * np.clip((t - 8.0) / 2.0, 0.0, 1.0)
    turns = bumps(t, [60.0, -60.0] * 2, 10.0 + rest_s, 6.0, 4.0)
    found = count("rotations", head(t, turn=chair + turns))
    assert whole(found) == [Side.RIGHT, Side.LEFT] * 2
    assert [rep.peak_deg for rep in found.reps] == pytest.approx([60.0] * 4, abs=4.0)


def test_a_drifting_heading_is_no_turn() -> None:
    t = times(60.0)
    found = count("rotations", head(t, turn=0.8 * t + bumps(t, [40.0, -40.0] * 6, 3.0, 4.5, 3.0)))
    assert whole(found) == [Side.RIGHT, Side.LEFT] * 6


def test_one_movement_alone_is_one_repetition() -> None:
    t = times(1.4)
    assert len(whole(count("clasped_nod", head(t, flexion=bumps(t, [40.0], 0.0, 1.0, 1.4))))) == 1
    t = times(12.0)
    assert len(whole(count("clasped_nod", head(t, flexion=bumps(t, [40.0], 4.0, 1.0, 4.0))))) == 1


def test_movements_about_another_axis_are_left_out_and_counted() -> None:
    t = times(40.0)
    tilt = bumps(t, [30.0, -30.0] * 3, 3.0, 4.0, 2.5)
    glances = bumps(t, [28.0, 28.0, 28.0], 28.0, 3.0, 2.0)
    found = count("side_tilt", head(t, tilt=tilt + 0.8 * glances, flexion=glances), plus=LEFT)
    assert len(whole(found)) == 6
    assert found.left_out.other_axis == 3


def test_too_small_movements_are_left_out_and_counted() -> None:
    t = times(40.0)
    found = count(
        "head_down", head(t, flexion=bumps(t, [40.0, 40.0, 40.0, 6.0, 40.0], 3.0, 7.0, 4.0)), plus=BACK
    )
    assert len(whole(found)) == 4
    t = times(10.0)
    assert count("head_down", head(t, flexion=bumps(t, [1.5] * 3, 1.0, 3.0, 2.0))).reps == ()


def test_a_hold_is_timed_and_does_not_split() -> None:
    t = times(40.0)
    hold = np.interp(t, [3, 4.5, 9.5, 11, 16, 17.5, 22.5, 24], [0, 35, 33, 0, 0, 35, 33, 0])
    sag = 5.0 * np.sin(2 * np.pi * t / 2.0) * ((t > 5.0) & (t < 9.0))
    found = count("head_down", head(t, flexion=hold + sag), plus=BACK)
    assert len(whole(found)) == 2
    assert found.reps[1].hold_s == pytest.approx(5.3, abs=0.4)


def test_a_pair_is_back_and_then_down() -> None:
    t = times(60.0)
    angle = bumps(t, [-25.0, 35.0] * 3, 3.0, 6.0, 5.0)
    assert len(whole(count("singing_snake", head(t, flexion=angle), plus=BACK))) == 3
    assert len(whole(count("singing_snake", head(t, flexion=angle)))) == 3


def test_a_gap_loses_its_repetition_only_and_says_so() -> None:
    t = times(40.0)
    movements = head(t, flexion=bumps(t, [40.0] * 6, 3.0, 5.0, 4.0))
    use = (t < 14.5) | (t > 15.3)
    cut = Movements(t[use], movements.up_sensor[use], movements.right_turn_deg[use])
    found = count("head_down", cut, plus=BACK)
    assert len(whole(found)) == 5
    assert found.left_out.cut_off == 2  # what it was before the gap, and after


def test_nothing_is_counted_in_nothing() -> None:
    empty = Movements(np.empty(0), np.empty((0, 3)), np.empty(0))
    assert count("side_tilt", empty).reps == ()
    t = times(5.0)
    assert count("rotations", head(t)).reps == ()


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("phase", [0.0, 1.6, 3.1, 4.7])
def test_small_slow_tilts_count_while_the_middle_wanders_as_far(phase: float, sign: float) -> None:
    t = times(84.0)
    wander = 4.0 * np.sin(2 * np.pi * t / 25.0 + phase)
    tilt = bumps(t, [sign * 9.0] * 10, 2.0, 8.0, 4.5)
    side = Side.RIGHT if sign > 0 else Side.LEFT
    assert whole(count("side_tilt", head(t, tilt=tilt + wander), plus=LEFT)) == [side] * 10


def test_many_small_tilts_are_the_set_before_three_large_nods() -> None:
    t = times(60.0)
    nods = bumps(t, [35.0] * 3, 3.0, 2.5, 2.0)
    tilt = bumps(t, [9.0, -8.0] * 6, 14.0, 3.0, 2.0)
    assert len(whole(count("side_tilt", head(t, tilt=tilt, flexion=nods)))) == 12


def nods(*peaks_deg: float, lasting_s: float = 1.5, **settings: float) -> MovementCount:
    t = times(4.0 + 3.0 * len(peaks_deg))
    movements = head(t, flexion=bumps(t, list(peaks_deg), 2.0, 3.0, lasting_s))
    signal = EXERCISES["head_down"].signal
    assert signal is not None
    return count_movements(
        "head_down", signal, movements, plus_axis=BACK, settings=MovementSettings(**settings)
    )


@pytest.mark.parametrize(("size_deg", "partial", "too_small"), [(11.0, 1, 0), (9.0, 0, 1)])
def test_a_share_of_the_usual_size_is_partial_and_less_is_none(
    size_deg: float, partial: int, too_small: int
) -> None:
    found = nods(25.0, 25.0, 25.0, size_deg, 25.0, partial_share=0.4)
    assert len(whole(found)) == 4
    assert sum(rep.is_partial for rep in found.reps) == partial
    assert found.left_out.too_small == too_small
    assert found.typical_deg == pytest.approx(25.0, abs=1.0)  # without tremor, and so a little less


def test_what_is_too_short_or_too_long_is_counted_by_its_reason() -> None:
    usual = nods(*[30.0] * 4)
    assert (len(usual.reps), usual.left_out.total) == (4, 0)
    short, long = nods(*[30.0] * 4, shortest_s=1.6), nods(*[30.0] * 4, longest_s=1.0)
    assert (len(short.reps), short.left_out.too_short, short.left_out.total) == (0, 4, 4)
    assert (len(long.reps), long.left_out.too_long, long.left_out.total) == (0, 4, 4)
    lasting_s = [rep.end_s - rep.start_s for rep in usual.reps]
    at_the_limits = nods(*[30.0] * 4, shortest_s=min(lasting_s), longest_s=max(lasting_s))
    assert (len(at_the_limits.reps), at_the_limits.left_out.total) == (4, 0)
    assert LeftOut(1, 2, 4, 8, 16, 32).total == 63
    assert LeftOut().total == 0


def test_only_the_side_that_is_asked_for_counts_where_it_is_known() -> None:
    found = nods(30.0, -30.0, 30.0, -30.0, 30.0)
    assert [round(rep.peak_s) for rep in found.reps] == [3, 9, 15]
    assert {rep.side for rep in found.reps} == {Side.NONE}
    assert [rep.peak_deg for rep in found.reps] == pytest.approx([30.0] * 3, abs=2.0)


@pytest.mark.parametrize(("turned", "others"), [(1.7, 0), (2.4, 1)])
def test_a_tilt_that_turns_twice_as_far_is_another_movement(turned: float, others: int) -> None:
    t = times(24.0)
    tilt = bumps(t, [20.0] * 5, 2.0, 4.0, 2.5)
    turn = bumps(t, [0.0, 0.0, 20.0 * turned, 0.0, 0.0], 2.0, 4.0, 2.5)
    found = count("side_tilt", head(t, tilt=tilt, turn=turn), plus=LEFT)
    assert found.left_out.other_axis == others
    assert len(found.reps) == 5 - others


@pytest.mark.parametrize(("is_turn", "unrest_deg"), [(False, 16.0), (True, 31.0)])
def test_unrest_is_the_third_quartile_of_what_goes_across(is_turn: bool, unrest_deg: float) -> None:
    """Strokes of 4 to 20 deg beside a tilt; beside a turn also those of 24 to 40 deg about the third axis."""
    search = SetSearch([], is_turn=is_turn, least_deg=3.0, smooth_s=0.1)
    beside, third = (
        np.concatenate(([0.0], np.cumsum(np.array(strokes) * [1.0, -1.0, 1.0, -1.0, 1.0])))
        for strokes in ([4.0, 8.0, 12.0, 16.0, 20.0], [24.0, 28.0, 32.0, 36.0, 40.0])
    )
    along = np.array([0.0, 90.0] * 3)
    assert search._unrest([np.column_stack((along, beside, third))]) == pytest.approx(unrest_deg)
    assert search._unrest([np.column_stack((along, 0 * beside, 0 * third))]) == 0.0
    assert search._unrest([]) == 0.0
