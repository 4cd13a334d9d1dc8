"""The wearer obeys physics and the sign table, and is the same person however its time is cut."""

import numpy as np
import pytest

from tiltwise.motion import rotation
from tiltwise.sim.body.minimum_jerk import Move, Profiles
from tiltwise.sim.body.person import draw
from tiltwise.sim.body.segments import CHANNELS, Body, ripples
from tiltwise.sim.body.wearer import Wearer, tilt_angles_deg
from tiltwise.types import ACTIVITIES, Activity, FloatArray, Mount

GRAVITY_M_S2 = 9.80665
UP = np.array([0.0, 0.0, 1.0])


def angle_between_rotations_deg(p: FloatArray, q: FloatArray) -> FloatArray:
    rest = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(p), q))
    return np.degrees(np.linalg.norm(rest, axis=-1))


@pytest.mark.parametrize("mount", list(Mount))
def test_integrated_angular_velocity_reproduces_the_orientation(mount: Mount) -> None:
    wearer = Wearer("demo", seed=3, mount=mount)
    step_s = 1e-3
    t = np.arange(310.0, 345.0, step_s)  # standing up, walking and turning are in here
    true = wearer.motion(t)
    middle = wearer.imu(t[:-1] + step_s / 2).gyr_rad_s
    q = true.q_earth_from_sensor[0]
    for increment in rotation.from_rotation_vector(middle * step_s):
        q = rotation.multiply(q, increment)
    # Midpoint rule: the error of one step is about step^3 |d2w/dt2| / 24, 35 s of it stay far below 1e-3 deg.
    assert angle_between_rotations_deg(q, true.q_earth_from_sensor[-1]) < 1e-3


@pytest.mark.parametrize("mount", list(Mount))
@pytest.mark.parametrize("scenario", ["walking", "exercises", "lying", "remount"])
def test_specific_force_is_the_second_derivative_of_the_path_plus_gravity(
    scenario: str, mount: Mount
) -> None:
    wearer = Wearer(scenario, seed=5, mount=mount)
    step_s = 1e-3
    t = np.arange(2.0, 110.0, 0.173)
    before, now, after = (wearer.motion(t + k * step_s) for k in (-1, 0, 1))
    acc = (before.position_m - 2 * now.position_m + after.position_m) / step_s**2
    force = rotation.rotate(rotation.conjugate(now.q_earth_from_sensor), acc + GRAVITY_M_S2 * UP)
    # Central difference: step^2 / 12 times the fourth derivative, and rounding of metres / step^2 at 1e-9.
    np.testing.assert_allclose(force, now.acc_m_s2, atol=5e-3)


def test_orientation_and_angles_agree_with_the_mounting() -> None:
    wearer = Wearer("remount", seed=2, mount=Mount.HEAD, soft_tissue=0.0)
    true = wearer.motion(np.array([3.0, 40.0, wearer.truth().removals[0].end_s + 5.0]))
    for k, t_s in enumerate(true.t_s):
        body = rotation.multiply(true.q_earth_from_sensor[k], wearer.q_sensor_from_body(float(t_s)))
        assert angle_between_rotations_deg(body, true.q_earth_from_body[k]) < 1e-9


def test_lying_still_on_the_desk_measures_gravity_and_no_rotation() -> None:
    wearer = Wearer("remount", seed=1)
    removal = wearer.truth().removals[0]
    still = wearer.imu(np.linspace(removal.still_start_s + 0.01, removal.still_end_s - 0.01, 500))
    np.testing.assert_allclose(still.gyr_rad_s, 0.0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(still.acc_m_s2, axis=1), GRAVITY_M_S2, atol=1e-9)
    worn_up = wearer.imu(np.array([3.0])).acc_m_s2[0]
    assert rotation.angle_between_deg(worn_up, still.acc_m_s2[0]) > 30  # gravity in another direction


def moved(**targets: float) -> dict[str, FloatArray]:
    """Return the truth of each mount after the channels went to these targets, without small motions."""
    person = draw(np.random.default_rng(0))
    moves = {name: [Move(0.0, 1.0, value)] for name, value in targets.items()}
    body, small = Body(person), ripples(person, np.random.default_rng(0))
    t = np.array([2.0])
    x = body.coordinates(Profiles(CHANNELS, moves, {})(t), small, t)
    trunk = body.trunk(x)
    return {m: np.stack(body.segment(m, trunk, x).q_earth_from_link, axis=-1) for m in Mount}


@pytest.mark.parametrize("channel", ["head_flex", "head_flex+", "trunk_flex"])
def test_looking_down_is_positive_flexion(channel: str) -> None:
    flexion, lateral, inclination = tilt_angles_deg(moved(**{channel: 30.0})[Mount.HEAD])
    assert (flexion[0], lateral[0], inclination[0]) == pytest.approx((30.0, 0.0, 30.0))


def test_looking_up_is_negative_flexion() -> None:
    assert tilt_angles_deg(moved(head_flex=-30.0)[Mount.HEAD])[0][0] == pytest.approx(-30.0)


def test_right_tilt_is_positive_lateral_and_leans_to_the_right() -> None:
    q = moved(head_lat=30.0)[Mount.HEAD]
    assert tilt_angles_deg(q)[1][0] == pytest.approx(30.0)
    assert rotation.rotate(q, UP)[0][1] < 0  # y points left: the crown goes right


def test_right_rotation_turns_the_nose_to_the_right() -> None:
    nose = rotation.rotate(moved(head_rot=30.0)[Mount.HEAD], np.array([1.0, 0.0, 0.0]))[0]
    assert nose == pytest.approx([np.cos(np.pi / 6), -0.5, 0.0])


def test_head_motion_reaches_the_neck_in_part_and_the_collar_not_at_all() -> None:
    flexion = {m: tilt_angles_deg(q)[0][0] for m, q in moved(head_flex=40.0).items()}
    assert 20.0 <= flexion[Mount.NECK] <= 28.0
    assert flexion[Mount.COLLAR] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("sign", "side"), [(1, "right"), (-1, "left")])
def test_rotation_truth_is_positive_to_the_right(sign: int, side: str) -> None:
    wearer = Wearer("exercises", seed=4, mount=Mount.HEAD)
    turns = [r for r in wearer.truth().repetitions if r.exercise == "rotations" and r.side == side]
    assert len(turns) == 5
    for turn in turns:
        at = wearer.motion(np.array([turn.start_s, turn.peak_s])).rotation_deg
        assert sign * (at[1] - at[0]) > 40.0


@pytest.mark.parametrize("scenario", ["demo", "desk", "exercises"])
def test_any_cut_of_time_gives_the_same_numbers(scenario: str) -> None:
    wearer = Wearer(scenario, seed=8)
    t = np.arange(60.0, 120.0, 1 / 104)
    cuts = np.sort(np.random.default_rng(1).integers(0, len(t), 40))
    whole = wearer.motion(t)
    parts = [wearer.motion(part) for part in np.split(t, cuts) if len(part)]
    for name in ("q_earth_from_sensor", "gyr_rad_s", "acc_m_s2", "position_m", "flexion_deg", "rotation_deg"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(joined, getattr(whole, name), rtol=0, atol=1e-9)
    imu = wearer.imu(t)
    np.testing.assert_array_equal(imu.gyr_rad_s, whole.gyr_rad_s)
    np.testing.assert_array_equal(imu.acc_m_s2, whole.acc_m_s2)


def test_the_seed_decides_everything() -> None:
    t = np.arange(0.0, 60.0, 0.1)
    first, again, other = (Wearer("desk", seed=seed).motion(t) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.acc_m_s2, again.acc_m_s2)
    assert np.max(np.abs(first.flexion_deg - other.flexion_deg)) > 1.0


def test_another_mount_is_the_same_story() -> None:
    neck, head = (Wearer("demo", seed=1, mount=mount) for mount in (Mount.NECK, Mount.HEAD))
    t = np.arange(0.0, 300.0, 1.0)
    np.testing.assert_array_equal(neck.motion(t).head_inclination_deg, head.motion(t).head_inclination_deg)


@pytest.mark.parametrize("seed", range(6))
def test_walking_bounces_the_trunk_like_a_person_and_the_head_less(seed: int) -> None:
    wearer = Wearer("walking", seed=seed)
    walking = next(s for s in wearer.truth().spans if s.activity is Activity.WALKING)
    t = np.arange(walking.start_s + 3, walking.start_s + 19, 1 / 104)

    def vertical(mount: Mount) -> FloatArray:
        true = wearer.motion(t, mount)
        return rotation.rotate(true.q_earth_from_sensor, true.acc_m_s2)[:, 2] - GRAVITY_M_S2

    trunk, head = vertical(Mount.COLLAR), vertical(Mount.HEAD)
    peak = np.percentile(np.abs(trunk), 99)
    assert 1.0 < peak < 4.5  # accelerometry at the trunk in easy walking: some 0.2 to 0.4 g
    assert np.std(head) < 0.95 * np.std(trunk)
    spectrum = np.abs(np.fft.rfft(trunk * np.hanning(len(t))))
    strongest_hz = np.fft.rfftfreq(len(t), 1 / 104)[np.argmax(spectrum)]
    assert 1.6 < strongest_hz < 2.1  # steps per second


@pytest.mark.parametrize("seed", range(4))
def test_sitting_still_to_calibrate_is_still_but_alive(seed: int) -> None:
    wearer = Wearer("calibration", seed=seed, mount=Mount.COLLAR)
    calibration = wearer.truth().calibrations[0]
    t = np.arange(calibration.neutral_start_s, calibration.neutral_end_s, 1 / 104)
    up = wearer.imu(t).acc_m_s2
    spread = rotation.angle_between_deg(up, np.mean(up, axis=0))
    assert calibration.neutral_end_s - calibration.neutral_start_s > 2.5
    assert 0.02 < np.max(spread) < 3.4  # breathing shows; the capture gate of 3.4 deg is met


def test_breathing_ripples_the_upper_back() -> None:
    wearer = Wearer("upright", seed=6, mount=Mount.COLLAR)
    t = np.arange(60.0, 240.0, 0.1)
    tilt = wearer.motion(t).upper_back_tilt_deg
    spectrum = np.abs(np.fft.rfft((tilt - tilt.mean()) * np.hanning(len(t)))) * 4 / len(t)
    hz = np.fft.rfftfreq(len(t), 0.1)
    breath = spectrum[(hz > 0.18) & (hz < 0.32)].max()
    assert 0.25 < breath < 2.0  # amplitude in deg


def test_soft_tissue_moves_the_part_more_on_a_collar_than_on_a_head_band() -> None:
    t = np.arange(20.0, 280.0, 0.5)

    def slip_deg(mount: Mount) -> float:
        wearer = Wearer("upright", seed=1, mount=mount)
        true = wearer.motion(t)
        ideal = rotation.multiply(true.q_earth_from_body, rotation.conjugate(wearer.q_sensor_from_body(20.0)))
        return float(np.sqrt(np.mean(angle_between_rotations_deg(ideal, true.q_earth_from_sensor) ** 2)))

    head, collar = slip_deg(Mount.HEAD), slip_deg(Mount.COLLAR)
    assert 0.1 < head < 1.0
    assert 2 * head < collar < 5.0


def test_a_part_without_soft_tissue_does_not_slip() -> None:
    wearer = Wearer("upright", seed=1, mount=Mount.COLLAR, soft_tissue=0.0)
    true = wearer.motion(np.array([30.0, 60.0]))
    body = rotation.multiply(true.q_earth_from_sensor, wearer.q_sensor_from_body(30.0))
    assert np.max(angle_between_rotations_deg(body, true.q_earth_from_body)) < 1e-9


def test_body_axes_without_misalignment_are_the_body_itself() -> None:
    wearer = Wearer("upright", sensor_axes="body", misalignment_deg=0.0)
    assert wearer.q_sensor_from_body(10.0) == pytest.approx(rotation.IDENTITY)


def test_neck_flexion_is_head_minus_upper_back() -> None:
    true = Wearer("reading", seed=2).motion(np.arange(30.0, 60.0, 0.1))
    np.testing.assert_allclose(true.neck_flexion_deg, true.head_inclination_deg - true.upper_back_tilt_deg)


def test_angles_are_unknown_while_the_part_is_off() -> None:
    wearer = Wearer("remount", seed=1)
    removal = wearer.truth().removals[0]
    off, on = wearer.motion(np.array([removal.still_start_s + 1, 5.0])).flexion_deg
    assert np.isnan(off)
    assert np.isfinite(on)
    codes = wearer.motion(np.array([removal.still_start_s + 1])).activity
    assert ACTIVITIES[codes[0]] is Activity.NOT_WORN


@pytest.mark.parametrize(
    "arguments",
    [
        {"scenario": "flying"},
        {"minutes": 0.1},
        {"minutes": float("nan")},
        {"mount": "knee"},
        {"sensor_axes": "up"},
    ],
)
def test_nonsense_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Wearer(**arguments)  # type: ignore[arg-type]
