"""The zero of a rotation, at its borders: rests of 1 s near it, of 20 s anywhere, and speeds about 5 deg/s."""

import numpy as np
import pytest

from tiltwise.motion.angles.neck_angles import AnglesSettings, AnglesStage
from tiltwise.motion.angles.rotation_zero import RotationZero
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.types import FloatArray, Mount, OrientationBlock

STEP_S = 0.1


def rotation(
    heading_deg: list[float], speed_deg_s: list[float], zero: RotationZero | None = None
) -> FloatArray:
    t_s = np.arange(len(heading_deg)) * STEP_S
    return (zero or RotationZero()).process(t_s, np.array(heading_deg), np.array(speed_deg_s))


def test_the_first_sample_is_zero_and_a_movement_is_told_from_there() -> None:
    assert rotation([40.0, 50.0, 35.0], [9.0, 9.0, 9.0]).tolist() == [0.0, 10.0, -5.0]


@pytest.mark.parametrize(("speed_deg_s", "is_still"), [(4.9, True), (5.0, False)])
def test_still_is_below_five_degrees_a_second(speed_deg_s: float, is_still: bool) -> None:
    heading = [0.0, *[6.0] * 30]
    found = rotation(heading, [9.0, *[speed_deg_s] * 30])
    assert (found[-1] == 0.0) == is_still


@pytest.mark.parametrize(
    ("away_deg", "is_near"), [(10.0, True), (-10.0, True), (10.1, False), (-10.1, False)]
)
def test_a_rest_of_one_second_within_ten_degrees_is_the_new_zero(away_deg: float, is_near: bool) -> None:
    found = rotation([0.0, *[away_deg] * 20], [9.0, *[0.0] * 20])
    assert found[:11].tolist() == [0.0, *[away_deg] * 10], "for a second it is a turn"
    assert found[11:].tolist() == [0.0 if is_near else away_deg] * 10


def test_a_held_turn_is_straight_ahead_after_twenty_seconds_and_not_before() -> None:
    found = rotation([0.0, *[40.0] * 210], [9.0, *[0.0] * 210])
    assert set(found[1:201]) == {40.0}
    assert set(found[201:]) == {0.0}


def test_a_rest_that_moves_on_begins_anew() -> None:
    speeds = [9.0, *[0.0] * 9, 9.0, *[0.0] * 9]
    assert set(rotation([0.0, *[6.0] * 19], speeds)[1:]) == {6.0}, "twice nine tenths are no second"


def test_the_zero_goes_with_a_heading_that_drifts_at_rest() -> None:
    zero = RotationZero()
    drift = [0.1 * k for k in range(100)]
    assert rotation(drift, [0.0] * 100, zero)[10:].tolist() == [0.0] * 90
    assert rotation([12.0], [9.0], zero).tolist() == pytest.approx([12.0 - 9.9])


@pytest.mark.parametrize("cut", [1, 5, 11, 12, 15])
def test_a_cut_within_a_rest_changes_nothing(cut: int) -> None:
    heading, speed = np.array([0.0, *[6.0] * 20]), np.array([9.0, *[0.0] * 20])
    t_s = np.arange(21) * STEP_S
    zero = RotationZero()
    parts = [zero.process(t_s[a], heading[a], speed[a]) for a in (slice(0, cut), slice(cut, None))]
    np.testing.assert_array_equal(np.concatenate(parts), rotation(heading.tolist(), speed.tolist()))


@pytest.mark.parametrize("cut", range(1, 45))
def test_a_cut_between_rests_and_movements_changes_nothing(cut: int) -> None:
    heading = np.array([*[0.0] * 12, 2.0, 4.0, *[6.0] * 6, 20.0, *[40.0] * 12, 44.0, *[46.0] * 11])
    speed = np.array([*[0.0] * 12, 9.0, 9.0, *[0.0] * 6, 9.0, *[0.0] * 12, 9.0, *[0.0] * 11])
    t_s = np.arange(len(heading)) * STEP_S
    zero = RotationZero()
    parts = [zero.process(t_s[a], heading[a], speed[a]) for a in (slice(0, cut), slice(cut, None))]
    np.testing.assert_array_equal(np.concatenate(parts), rotation(heading.tolist(), speed.tolist()))


def stage(**values: float) -> AnglesStage:
    mounting = mounting_from_axes(np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), mount=Mount.HEAD, axes="nod")
    return AnglesStage(mounting, AnglesSettings(rate_hz=50.0, **values))


def turned(t_s: list[float], deg: list[float]) -> OrientationBlock:
    half = np.radians(deg) / 2
    q = np.stack((np.cos(half), np.sin(half), 0 * half, 0 * half), axis=1)
    return OrientationBlock(np.array(t_s), q, np.tile([1.0, 2.0, 9.80665 + 2.0], (len(t_s), 1)))


def test_the_rate_is_the_angle_since_the_sample_before_whatever_the_sign_of_the_quaternion() -> None:
    block = turned([0.0, 0.02, 0.04, 0.06], [0.0, 1.0, 3.0, 3.0])
    block.q_earth_from_sensor[2] *= -1
    assert stage().process(block).rate_deg_s == pytest.approx([0.0, 50.0, 100.0, 0.0], abs=1e-6)


def test_forces_are_told_along_up_without_gravity_and_in_length() -> None:
    angles = stage().process(turned([0.0], [0.0]))
    assert angles.up_acc_m_s2[0] == pytest.approx(2.0)
    assert angles.acc_norm_m_s2[0] == pytest.approx((1 + 4 + 11.80665**2) ** 0.5)
    tilted = stage().process(turned([0.0], [90.0]))  # about x: up is y of the sensor
    assert tilted.up_acc_m_s2[0] == pytest.approx(2.0 - 9.80665)


@pytest.mark.parametrize(("gap_s", "is_smoothed"), [(0.5, True), (0.51, False)])
def test_a_hole_longer_than_half_a_second_starts_anew(gap_s: float, is_smoothed: bool) -> None:
    first, second = turned([0.0, 0.02], [0.0, 0.0]), turned([0.02 + gap_s], [30.0])
    whole = stage()
    whole.process(first)
    after = whole.process(second)
    assert (after.rate_deg_s[0] > 0) == is_smoothed
    assert (abs(after.lateral_deg[0]) < 29.9) == is_smoothed
    whole.reset()
    assert abs(whole.process(second).lateral_deg[0]) == pytest.approx(30.0)
