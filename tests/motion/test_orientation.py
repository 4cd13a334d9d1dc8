"""motion/orientation/estimator.py on motions whose orientation is known exactly."""

import math

import numpy as np
import pytest

from motion.imu_samples import office, still, swing
from tiltwise.motion import rotation
from tiltwise.motion.orientation.estimator import OrientationStage, estimate_motion, estimate_orientation
from tiltwise.motion.orientation.gravity_filter import GravitySettings
from tiltwise.types import FloatArray, ImuBlock


def tilt_error_deg(q: FloatArray, truth: FloatArray) -> FloatArray:
    return rotation.angle_between_deg(rotation.up_in_sensor(q), rotation.up_in_sensor(truth))


@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
@pytest.mark.parametrize("up", [[0, 0, 1], [0, 0, -1], [1, 0, 0], [0, -0.6, 0.8]], ids=str)
def test_still_sensor_shows_its_up_from_the_first_sample_on(up: list[float], offline: bool) -> None:
    t_s, gyr, acc = still(200)
    acc = np.tile(9.81 * np.array(up, dtype=float), (200, 1))
    q = estimate_orientation(t_s, gyr, acc, offline=offline)
    assert rotation.angle_between_deg(rotation.up_in_sensor(q), acc).max() < 1e-6  # rounding only


@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_right_angle_turn_is_found_about_each_axis(axis: int, sign: int, offline: bool) -> None:
    t_s = np.arange(500) / 100
    start = int(2.0 * 100)
    angle = sign * math.pi / 2 * np.clip((t_s - 2.0) / 1.0, 0, 1)
    smooth = sign * math.pi / 2 * (1 - np.cos(np.pi * np.abs(angle) / (math.pi / 2))) / 2
    truth = rotation.from_rotation_vector(smooth[:, None] * np.eye(3)[axis])
    speed = sign * math.pi / 2 * math.pi / 2 * np.sin(np.pi * np.clip(t_s - 2.0, 0, 1))
    gyr = speed[:, None] * np.eye(3)[axis]
    acc = rotation.rotate(rotation.conjugate(truth), np.tile([0.0, 0.0, 9.81], (500, 1)))
    q = estimate_orientation(t_s, gyr, acc, offline=offline)
    turned = rotation.multiply(rotation.conjugate(q[start]), q[-1])
    expected = sign * 90 * np.eye(3)[axis]
    # 0.05 deg: what the filter's freedom to doubt the gyroscope's scale may make of 90 deg of exact data.
    np.testing.assert_allclose(np.degrees(rotation.to_rotation_vector(turned)), expected, atol=0.05)


def test_coning_motion_is_integrated_to_its_closed_form() -> None:
    # An axis of constant tilt that circles 3 times a second: the classical worst case of plain integration.
    t_s, half, speed = np.arange(6000) / 100, math.radians(5.0), 2 * math.pi * 3
    zero = np.zeros_like(t_s)
    truth = rotation.from_rotation_vector(
        2 * half * np.stack((np.cos(speed * t_s), np.sin(speed * t_s), zero), axis=1)
    )
    rate = np.stack(
        (-np.sin(speed * t_s), np.cos(speed * t_s), np.full_like(t_s, -math.tan(half))), axis=1
    ) * (speed * math.sin(2 * half))
    acc = rotation.rotate(rotation.conjugate(truth), np.tile([0.0, 0.0, 9.81], (6000, 1)))
    error = tilt_error_deg(estimate_orientation(t_s, rate, acc), truth)
    assert (
        error[100:].max() < 0.1
    )  # deg; with the newest rate held over the step it is half a step ahead: 1.0


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 104.0])
def test_orientation_belongs_to_the_time_of_its_sample(rate_hz: float) -> None:
    t_s = np.arange(int(40 * rate_hz)) / rate_hz
    truth, gyr, acc = swing(t_s, np.array([0.8, 1.0, 0.6]), np.array([0.7, 0.5, 0.9]))
    error = tilt_error_deg(estimate_orientation(t_s, gyr, acc), truth)
    # Half a step of delay at the 2.5 rad/s reached here would be 0.7 to 2.9 deg.
    assert np.sqrt(np.mean(error**2)) < (0.15 if rate_hz < 30 else 0.05)


def test_jitter_and_lost_samples_are_integrated_over() -> None:
    t_s, truth, gyr, acc = office(6000, seed=5)
    keep = np.random.default_rng(6).random(6000) >= 0.05
    error = tilt_error_deg(estimate_orientation(t_s[keep], gyr[keep], acc[keep]), truth[keep])
    ignored = tilt_error_deg(
        estimate_orientation(np.arange(keep.sum()) / 50, gyr[keep], acc[keep]), truth[keep]
    )
    assert np.sqrt(np.mean(error[1500:] ** 2)) < 0.2  # deg
    assert np.sqrt(np.mean(ignored[1500:] ** 2)) > 0.5  # what the times are worth


def test_bias_is_found_without_rest() -> None:
    t_s, truth, gyr, acc = office(9000, seed=7)
    result = estimate_motion(t_s, gyr + np.radians(0.6), acc)
    np.testing.assert_allclose(np.degrees(result.bias_rad_s[-1]), 1.0, atol=0.1)  # deg/s
    assert tilt_error_deg(result.q_earth_from_sensor, truth)[3000:].max() < 0.5


@pytest.mark.parametrize("bias_deg_s", [(2.0, -2.5, 0.4), (1.0, 1.8, -2.5)])
def test_a_large_bias_is_found_at_rest_to_a_hundredth(bias_deg_s: tuple[float, float, float]) -> None:
    # Over a window of 1.5 s it turns the strapdown frame by 5 deg, past what a first-order step describes.
    t_s, gyr, acc = still(1500)
    acc[:] = 9.81 * np.array([0.6, 0.0, 0.8])
    result = estimate_motion(t_s, gyr + np.radians(bias_deg_s), acc)
    np.testing.assert_allclose(np.degrees(result.bias_rad_s[-1]), bias_deg_s, atol=0.01)
    assert (
        rotation.angle_between_deg(rotation.up_in_sensor(result.q_earth_from_sensor), acc)[500:].max() < 0.03
    )


def hops(tilt_deg: float, contact: float) -> tuple[ImuBlock, FloatArray]:
    """Return a minute of hopping at 1.7 Hz with a tilted, unturned 4 g sensor, and the true up.

    Each landing is half a sine over this share of the time, as high as it has to be for a mean of 1 g.
    """
    rng = np.random.default_rng(1)
    t_s = np.arange(6240) / 104
    phase = 1.7 * t_s % 1
    force = np.where(phase < contact, math.pi / 2 / contact * np.sin(np.pi * phase / contact), 0.0)
    force[t_s < 5] = 1.0
    up = np.array([math.sin(math.radians(tilt_deg)), 0.0, math.cos(math.radians(tilt_deg))])
    unit = 4 * 9.80665 / 32768
    acc = 9.80665 * force[:, None] * up + rng.normal(0, 0.02, (6240, 3))
    counts = np.clip(np.round(acc / unit), -32768, 32767)
    return ImuBlock(t_s, rng.normal(0, 0.002, (6240, 3)), counts * unit), up


@pytest.mark.parametrize(("tilt_deg", "contact"), [(35, 0.25), (35, 0.2), (20, 0.2)])
def test_landings_beyond_the_accelerometer_s_range_are_not_gravity(tilt_deg: float, contact: float) -> None:
    """Taken as measured they tilted the estimate by 5 to 13 deg."""
    block, up = hops(tilt_deg, contact)
    found = rotation.up_in_sensor(OrientationStage().process(block).q_earth_from_sensor)
    assert rotation.angle_between_deg(found, np.tile(up, (len(found), 1)))[block.t_s > 5].max() < 4.5


def test_slow_droop_is_not_taken_for_bias() -> None:
    # A head that sinks by 0.8 deg/s for 20 s, with the tremor of a quiet person.
    rng = np.random.default_rng(8)
    t_s = np.arange(3000) / 50
    angle = np.radians(0.8) * np.clip(t_s - 20, 0, 20)
    gyr = rng.normal(0, 0.003, (3000, 3))
    gyr[:, 1] += np.radians(0.8) * ((t_s > 20) & (t_s < 40))
    truth = rotation.from_rotation_vector(angle[:, None] * np.array([0.0, 1.0, 0.0]))
    acc = rotation.rotate(rotation.conjugate(truth), np.tile([0.0, 0.0, 9.81], (3000, 1)))
    result = estimate_motion(t_s, gyr, acc + rng.normal(0, 0.02, (3000, 3)))
    assert tilt_error_deg(result.q_earth_from_sensor, truth).max() < 0.3  # deg
    assert np.degrees(np.abs(result.bias_rad_s[1000:, 1])).max() < 0.1  # deg/s


@pytest.mark.parametrize("gap_s", [2.0, 30.0])
def test_after_a_gap_the_new_direction_is_found_quickly(gap_s: float) -> None:
    t_s, truth, gyr, acc = office(6000, seed=9)
    keep = (t_s < 60) | (t_s > 60 + gap_s)
    t_s, truth, gyr, acc = t_s[keep], truth[keep], gyr[keep], acc[keep]
    error = tilt_error_deg(estimate_orientation(t_s, gyr, acc), truth)
    after = t_s - (60 + gap_s)
    assert error[(after > 1) & (after < 5)].max() < 3.0  # deg
    assert error[after > 5].max() < 0.5
    uncertainty = estimate_motion(t_s, gyr, acc).uncertainty_deg
    at = int(np.argmax(after > 0))
    assert uncertainty[at + 1] > 5 * uncertainty[at - 1]  # the estimate knows that it does not know


def test_heading_does_not_jump_where_tilt_is_corrected() -> None:
    t_s, truth, gyr, acc = office(3000, seed=10)
    q = estimate_orientation(t_s, gyr, acc)
    step = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(q[:-1]), q[1:]))
    true_step = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(truth[:-1]), truth[1:]))
    assert np.degrees(np.abs(step - true_step)[500:].max()) < 0.3  # deg in one step


def test_uncertainty_tells_the_size_of_the_error() -> None:
    ratios = []
    for seed in range(5):
        t_s, truth, gyr, acc = office(6000, seed=seed)
        result = estimate_motion(t_s, gyr, acc)
        error = tilt_error_deg(result.q_earth_from_sensor, truth)[1000:]
        ratios.append(np.sqrt(np.mean(error**2) / np.mean(result.uncertainty_deg[1000:] ** 2)))
    # Made-up data lack the velocities that the filter allows for, so that it is rather too careful.
    assert 0.05 < np.mean(ratios) < 1.0


def test_clipped_gyroscope_is_flagged_and_doubted() -> None:
    t_s = np.arange(2000) / 100
    _truth, gyr, acc = swing(t_s, np.array([0.5, 3.0, 0.2]), np.array([0.31, 0.97, 0.23]))
    limit = math.radians(400.0)
    clipped = np.clip(gyr, -limit, limit)
    result = estimate_motion(t_s, clipped, acc)
    is_clipped = (np.abs(gyr) > limit).any(axis=1)
    assert is_clipped.sum() > 100
    assert not result.is_saturated[~is_clipped].any()
    assert result.is_saturated[is_clipped].mean() > 0.95
    assert not estimate_motion(t_s, gyr, acc).is_saturated.any()
    assert result.uncertainty_deg[-1] > 2 * estimate_motion(t_s, gyr, acc).uncertainty_deg[-1]


def test_stage_repeats_after_reset_and_keeps_the_block_s_fields() -> None:
    t_s, _, gyr, acc = office(500, seed=11)
    stage = OrientationStage()
    block = ImuBlock(t_s, gyr, acc, sensor=1)
    first = stage.process(block)
    stage.reset()
    np.testing.assert_array_equal(stage.process(block).q_earth_from_sensor, first.q_earth_from_sensor)
    assert first.sensor == 1
    assert first.gyr_rad_s is gyr
    assert first.acc_m_s2 is acc


def test_empty_block_gives_an_empty_answer() -> None:
    empty = ImuBlock(np.empty(0), np.empty((0, 3)), np.empty((0, 3)))
    assert OrientationStage().process(empty).q_earth_from_sensor.shape == (0, 4)


@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
@pytest.mark.parametrize("gap_s", [6.0, 300.0, 7200.0])
def test_the_first_sample_after_a_gap_shows_where_the_head_is_then(gap_s: float, offline: bool) -> None:
    """A gyroscope off by 0.5 deg/s would turn by 150 deg over five minutes of no samples."""
    rng = np.random.default_rng(4)
    t = np.arange(0, 40, 0.04)
    t_s = np.concatenate((t, t + t[-1] + gap_s))
    bent = np.radians(np.where(t_s < 39.99, 5.0, 30.0))
    up = np.stack((np.sin(bent), np.zeros(len(t_s)), np.cos(bent)), axis=1)
    acc = 9.81 * up + rng.normal(0, 0.03, up.shape)
    gyr = np.radians([0.5, -0.4, 0.3]) + rng.normal(0, 0.002, up.shape)
    q = estimate_orientation(t_s, gyr, acc, offline=offline)
    after = rotation.angle_between_deg(rotation.up_in_sensor(q), up)[len(t) : len(t) + 5]
    assert after.max() < 1.5  # deg; 45 before


@pytest.mark.parametrize("delay_s", [-0.002, 0.002])
def test_an_accelerometer_that_lags_the_gyroscope_is_noticed(delay_s: float) -> None:
    """Who is pushed along with each turn to and fro has a mean force 0.4 deg off the vertical, to either side."""
    t_s = np.arange(6000) / 100
    phase, moves = 2 * np.pi * 1.5 * (t_s - 10), t_s > 10

    def force_at(when_s: FloatArray) -> FloatArray:
        there = 2 * np.pi * 1.5 * (when_s - 10)
        side = np.where(when_s % 10 < 5, -10.0, 10.0)
        push, zero = np.where(when_s > 10, side * np.cos(there), 0.0), np.zeros_like(when_s)
        turn = np.stack((zero, zero, np.where(when_s > 10, 0.7 * np.sin(there), 0.0)), axis=1)
        back = rotation.conjugate(rotation.from_rotation_vector(turn))
        return rotation.rotate(back, np.stack((zero, push, zero + 9.81), axis=1))

    gyr = np.where(moves, 0.7 * 2 * np.pi * 1.5 * np.cos(phase), 0.0)[:, None] * np.eye(3)[2]

    def error2(lag_s: float, settings: GravitySettings) -> float:
        result = estimate_motion(t_s, gyr, force_at(t_s - lag_s), offline=True, settings=settings)
        up = rotation.up_in_sensor(result.q_earth_from_sensor)
        return float(np.mean(rotation.angle_between_deg(up, np.array([0.0, 0.0, 1.0]))[1500:] ** 2))

    sure = GravitySettings(acc_delay_s=1e-9)
    without = error2(0.0, sure)
    assert error2(delay_s, GravitySettings()) - without < 0.5 * (error2(delay_s, sure) - without)
