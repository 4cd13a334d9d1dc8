"""What a wearer did is known some seconds later; those seconds then count as what they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltwise.report.hindsight import Hindsight, known_later
from tiltwise.types import ACTIVITIES, Activity, ActivityChanged, FloatArray

T_S = np.arange(0, 120, 0.1)
STILL, WALKING, LYING, NOT_WORN = (
    ACTIVITIES.index(a) for a in (Activity.STILL, Activity.WALKING, Activity.LYING, Activity.NOT_WORN)
)


def later(angle_deg: FloatArray | float, *changes: ActivityChanged) -> FloatArray:
    code = np.full(len(T_S), STILL, dtype=np.int8)
    for change in changes:
        code[change.t_s <= T_S] = ACTIVITIES.index(change.activity)
    return known_later(T_S, code, angle_deg * np.ones(len(T_S)), changes)


@pytest.mark.parametrize("activity", [Activity.WALKING, Activity.LYING, Activity.NOT_WORN])
def test_what_began_before_it_was_known_counts_from_its_beginning(activity: Activity) -> None:
    codes = later(np.where(T_S < 50, 10.0, 30.0), ActivityChanged(62.0, activity, 50.0))
    np.testing.assert_array_equal(codes == ACTIVITIES.index(activity), T_S >= 50.0)
    np.testing.assert_array_equal(codes == STILL, T_S < 50.0)


def test_more_than_half_a_minute_is_never_taken_back() -> None:
    codes = later(np.where(T_S < 5, 10.0, 30.0), ActivityChanged(62.0, Activity.NOT_WORN, 5.0))
    np.testing.assert_array_equal(codes == NOT_WORN, T_S >= 32.0)


def test_a_sensor_that_settles_on_a_table_was_off_since_it_lay_there() -> None:
    settling = np.where(T_S < 50, 10.0, 55.0 + np.exp(-(T_S - 50.0) / 2.0))
    codes = later(settling, ActivityChanged(68.0, Activity.NOT_WORN, 56.0))
    np.testing.assert_array_equal(codes == NOT_WORN, T_S >= 50.0)


def test_angles_beyond_anatomy_before_it_is_known_to_be_off_are_taken_back() -> None:
    angle = np.where((T_S > 50) & (T_S < 80), 127.0, 20.0)  # taken off at 50 s
    codes = later(angle, ActivityChanged(62.0, Activity.NOT_WORN))
    np.testing.assert_array_equal(codes == STILL, T_S <= 50)


def test_the_way_to_a_table_is_taken_back_though_the_sensor_settles_slowly_there() -> None:
    angle = np.select([T_S < 50, T_S < 53], [10.0, 127.0], 101.0 + 2.0 * np.exp(-(T_S - 53.0) / 2.0))
    codes = later(angle, ActivityChanged(76.0, Activity.NOT_WORN, 59.0))
    np.testing.assert_array_equal(codes == STILL, T_S < 50)


def test_what_lies_between_the_first_such_angle_and_knowing_goes_too() -> None:
    angle = np.where((T_S > 50) & (T_S < 51), 127.0, 20.0)
    np.testing.assert_array_equal(later(angle, ActivityChanged(60.0, Activity.LYING)) == STILL, T_S <= 50)


def test_putting_it_on_is_taken_back_until_the_last_such_angle() -> None:
    angle = np.where(T_S < 35, 100.0, 10.0)
    changes = ActivityChanged(0.0, Activity.NOT_WORN), ActivityChanged(30.0, Activity.STILL)
    np.testing.assert_array_equal(later(angle, *changes) == STILL, T_S >= 35)


def test_a_deep_bend_of_a_wearer_stays() -> None:
    """Picking something up from the floor inclines a head by 130 deg; nobody took the sensor off."""
    angle = np.where((T_S > 20) & (T_S < 23), 130.0, 10.0)
    assert (later(angle) == STILL).all()
    np.testing.assert_array_equal(later(angle, ActivityChanged(100.0, Activity.NOT_WORN)) == STILL, T_S < 100)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(T_S)), max_size=12), st.integers(0, 2**16), st.floats(0.0, 2.0))
def test_any_cut_and_news_ahead_of_the_samples_give_the_same(
    cuts: list[int], seed: int, ahead_s: float
) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, T_S[-1], 8))  # what is told after the last sample, nobody hears
    changes = [
        ActivityChanged(float(t), ACTIVITIES[k], float(t - rng.uniform(0, 25)) if k in (2, 3, 4) else None)
        for t, k in zip(times, rng.integers(0, 5, 8).tolist(), strict=True)
    ]
    code = np.zeros(len(T_S), dtype=np.int8)
    for change in changes:
        code[change.t_s <= T_S] = ACTIVITIES.index(change.activity)
    angle = np.where(rng.random(len(T_S)) < 0.02, 100.0, 10.0)
    expected = known_later(T_S, code, angle, changes)
    hindsight, found, done = Hindsight(), [], 0
    for part in np.split(np.arange(len(T_S)), sorted(cuts)):
        until_s = T_S[part[-1]] + ahead_s if len(part) else -1.0
        told = [c for c in changes[done:] if c.t_s <= until_s]
        done += len(told)
        found.append(hindsight.process(T_S[part][None], code[part], angle[part], told)[1])
    np.testing.assert_array_equal(np.concatenate([*found, hindsight.finish()[1]]), expected)
