"""Known turns give known angles, whatever the mounting; no cut and no gap changes more than it should."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angle_samples import (
    RATE_HZ,
    about,
    body_orientation,
    random_rotation,
    sensor_block,
    swings,
)
from tiltwise.motion.angles.neck_angles import (
    AnglesSettings,
    AnglesStage,
)
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.motion.rotation import from_rotation_vector, rotate
from tiltwise.types import AngleBlock, FloatArray, Mount, OrientationBlock

FIELDS = (
    "inclination_deg",
    "flexion_deg",
    "lateral_deg",
    "rotation_deg",
    "rate_deg_s",
    "up_acc_m_s2",
    "acc_norm_m_s2",
)
NEUTRAL = np.array([1.0, 0.0, 0.0, 0.0])


def _stage(q: FloatArray = NEUTRAL, mount: Mount = Mount.HEAD, **values: float) -> AnglesStage:
    up, left = rotate(q, np.array([0.0, 0.0, 1.0])), rotate(q, np.array([0.0, 1.0, 0.0]))
    return AnglesStage(mounting_from_axes(up, left, mount=mount, axes="nod"), AnglesSettings(**values))


def _held(flexion: float = 0.0, lateral: float = 0.0, turn: float = 0.0, n: int = 50) -> OrientationBlock:
    t_s = np.arange(n) / RATE_HZ
    return sensor_block(t_s, body_orientation(*(np.full(n, a) for a in (flexion, lateral, turn))), NEUTRAL)


def _cut(block: OrientationBlock, edges: list[int]) -> list[OrientationBlock]:
    marks = [0, *sorted(edges), len(block.t_s)]
    return [
        OrientationBlock(block.t_s[a:b], block.q_earth_from_sensor[a:b], block.acc_m_s2[a:b])
        for a, b in pairwise(marks)
    ]


def _whole(stage: AnglesStage, parts: list[OrientationBlock]) -> dict[str, FloatArray]:
    blocks = [stage.process(part) for part in parts]
    return {name: np.concatenate([getattr(block, name) for block in blocks]) for name in FIELDS}


def _lively(n: int, seed: int) -> OrientationBlock:
    """Large movements in all directions, two gaps, a few samples without an orientation."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(n) / RATE_HZ
    t_s = t_s + np.where(t_s > t_s[n // 3], 0.7, 0.0) + np.where(t_s > t_s[n // 2], 40.0, 0.0)
    vector = np.stack(
        [1.4 * np.sin(rng.uniform(0.2, 2) * t_s + rng.uniform(0, 6)) for _ in range(3)], axis=-1
    )
    vector *= np.clip(np.sin(0.4 * t_s), 0, 1)[:, None]  # with rests between
    block = sensor_block(t_s, from_rotation_vector(vector), random_rotation(rng))
    q = block.q_earth_from_sensor.copy()
    q[n // 4 : n // 4 + 3] = np.nan
    return OrientationBlock(t_s, q, block.acc_m_s2)


@pytest.mark.parametrize("flexion", [-60.0, -20.0, 0.0, 30.0, 90.0, 120.0])
def test_flexion_is_the_turn_about_the_left_axis(flexion: float) -> None:
    angles = _stage().process(_held(flexion=flexion))
    np.testing.assert_allclose(angles.flexion_deg, flexion, atol=1e-6)
    np.testing.assert_allclose(angles.inclination_deg, abs(flexion), atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_tilted_mounting_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    t_s = np.arange(500) / RATE_HZ
    body = body_orientation(30 * np.sin(t_s), 20 * np.sin(1.3 * t_s), 40 * np.sin(0.7 * t_s))
    q = random_rotation(rng)
    plain = _whole(_stage(), [sensor_block(t_s, body, NEUTRAL)])
    mounted = _whole(_stage(q), [sensor_block(t_s, body, q)])
    for name in FIELDS:
        np.testing.assert_allclose(mounted[name], plain[name], atol=1e-6, err_msg=name)


def test_turning_on_the_spot_changes_neither_flexion_nor_tilt() -> None:
    t_s = np.arange(1000) / RATE_HZ
    spinning = body_orientation(np.full(1000, 25.0), np.full(1000, 10.0), 90 * t_s)
    angles = _stage().process(sensor_block(t_s, spinning, NEUTRAL))
    np.testing.assert_allclose(angles.flexion_deg, angles.flexion_deg[0], atol=1e-6)
    np.testing.assert_allclose(angles.lateral_deg, angles.lateral_deg[0], atol=1e-6)
    assert angles.rotation_deg[-1] == pytest.approx(90 * t_s[-1], abs=6)  # deg; lags by 45 ms of 90 deg/s


@settings(max_examples=40)
@given(st.lists(st.integers(0, 900), max_size=40), st.integers(0, 5))
def test_any_cuts_give_the_same_angles(edges: list[int], seed: int) -> None:
    block = _lively(900, seed)
    whole, pieces = _whole(_stage(), [block]), _whole(_stage(), _cut(block, edges))
    for name in FIELDS:
        np.testing.assert_allclose(pieces[name], whole[name], rtol=0, atol=1e-9, err_msg=name)


def test_sample_by_sample_gives_the_same_angles() -> None:
    block = _lively(400, 7)
    whole, pieces = _whole(_stage(), [block]), _whole(_stage(), _cut(block, list(range(1, 400))))
    for name in FIELDS:
        np.testing.assert_allclose(pieces[name], whole[name], rtol=0, atol=1e-9, err_msg=name)


def test_nothing_is_smoothed_across_a_gap() -> None:
    before, after = _held(flexion=0), _held(flexion=40)
    later = OrientationBlock(after.t_s + 10.0, after.q_earth_from_sensor, after.acc_m_s2)
    whole = _whole(_stage(), [before, later])
    np.testing.assert_allclose(whole["flexion_deg"], [0.0] * 50 + [40.0] * 50, atol=1e-6)
    assert np.max(whole["rate_deg_s"]) < 1e-6


def test_time_that_runs_backwards_starts_anew() -> None:
    whole = _whole(_stage(), [_held(flexion=0), _held(flexion=40)])
    np.testing.assert_allclose(whole["flexion_deg"][50:], 40.0, atol=1e-6)


def test_samples_without_orientation_give_nan_and_harm_no_others() -> None:
    block = _held(flexion=20)
    q = block.q_earth_from_sensor.copy()
    q[20:23] = np.nan
    angles = _stage().process(OrientationBlock(block.t_s, q, block.acc_m_s2))
    assert np.all(np.isnan(angles.flexion_deg[20:23]))
    np.testing.assert_allclose(np.delete(angles.flexion_deg, [20, 21, 22]), 20.0, atol=1e-6)


def test_an_empty_block_gives_an_empty_block() -> None:
    angles = _stage().process(OrientationBlock(np.empty(0), np.empty((0, 4)), np.empty((0, 3))))
    assert isinstance(angles, AngleBlock)
    assert all(len(getattr(angles, name)) == 0 for name in FIELDS)


def test_angles_lag_by_the_stated_delay() -> None:
    stage = _stage(rate_hz=RATE_HZ)
    t_s = np.arange(500) / RATE_HZ
    slow = 20 * np.sin(2 * np.pi * 0.2 * t_s)
    angles = stage.process(sensor_block(t_s, body_orientation(slow, 0 * slow, 0 * slow), NEUTRAL))
    delayed = 20 * np.sin(2 * np.pi * 0.2 * (t_s - stage.settings.delay_s))
    np.testing.assert_allclose(angles.flexion_deg[100:], delayed[100:], atol=0.05)  # deg
    assert stage.settings.delay_s < 0.05


@pytest.mark.parametrize("rate_hz", [10.0, 25.0, 104.0])
def test_the_rate_is_measured_when_it_is_not_told(rate_hz: float) -> None:
    t_s = np.arange(400) / rate_hz
    block = sensor_block(t_s, body_orientation(20 * np.sin(2 * t_s), 0 * t_s, 0 * t_s), NEUTRAL)
    told, measured = _whole(_stage(rate_hz=rate_hz), [block]), _whole(_stage(), [block])
    late = slice(int(1.5 * rate_hz), None)  # the first samples pass unfiltered, then the filter has to settle
    np.testing.assert_allclose(measured["flexion_deg"][late], told["flexion_deg"][late], atol=0.05)  # deg


def test_a_steep_head_has_no_side_tilt_and_one_lying_on_its_side_no_flexion() -> None:
    steep = _stage().process(_held(flexion=85))
    assert np.all(np.isnan(steep.lateral_deg))
    np.testing.assert_allclose(steep.flexion_deg, 85, atol=1e-6)
    side = _stage().process(_held(lateral=88))
    assert np.all(np.isnan(side.flexion_deg))
    np.testing.assert_allclose(side.inclination_deg, 88, atol=1e-6)


def test_flexion_beyond_upside_down_does_not_smear_over_the_wrap() -> None:
    t_s = np.arange(600) / RATE_HZ
    over = np.minimum(60 * t_s, 200)
    flexion = (
        _stage().process(sensor_block(t_s, body_orientation(over, 0 * over, 0 * over), NEUTRAL)).flexion_deg
    )
    assert flexion[-1] == pytest.approx(-160, abs=0.01)
    assert np.all((flexion > -0.1) | (flexion < -155))


def test_rate_and_vertical_acceleration_are_those_of_the_movement() -> None:
    t_s = np.arange(500) / RATE_HZ
    angles = _stage().process(sensor_block(t_s, body_orientation(50 * t_s, 0 * t_s, 0 * t_s), NEUTRAL))
    np.testing.assert_allclose(angles.rate_deg_s[1:], 50.0, atol=1e-6)
    lifted = _held(flexion=30)
    up = rotate(about((0, 1, 0), -30.0), np.array([0.0, 0.0, 1.0]))
    moved = _stage().process(
        OrientationBlock(lifted.t_s, lifted.q_earth_from_sensor, lifted.acc_m_s2 + 0.7 * up)
    )
    np.testing.assert_allclose(moved.up_acc_m_s2, 0.7, atol=1e-6)
    np.testing.assert_allclose(moved.acc_norm_m_s2, 9.80665 + 0.7, atol=1e-6)


def _rotation(turn: FloatArray, t_s: FloatArray) -> FloatArray:
    block = sensor_block(t_s, body_orientation(0 * t_s, 0 * t_s, turn), NEUTRAL)
    return _stage().process(block).rotation_deg


def test_heading_drift_does_not_reach_the_rotation() -> None:
    t_s = np.arange(0, 600, 1 / RATE_HZ)
    rotation = _rotation(0.5 * t_s + swings(t_s, [300.0, 304.0], [60.0, -60.0], 2.0), t_s)
    before = (t_s > 5) & (t_s < 299)
    assert np.max(np.abs(rotation[before])) < 0.1
    turns = rotation[(t_s > 300) & (t_s < 307)]
    assert np.max(turns) == pytest.approx(60, abs=2)  # deg: 2 s of a drift of 0.5 deg/s, and the low-pass
    assert np.min(turns) == pytest.approx(-60, abs=4)  # deg: drift since the rest before


def test_a_held_turn_stays_a_turn_and_becomes_straight_ahead_only_after_long() -> None:
    t_s = np.arange(0, 60, 1 / RATE_HZ)
    rotation = _rotation(np.interp(t_s, [0, 5, 6.5, 60], [0, 0, 50, 50]), t_s)
    held = (t_s > 7) & (t_s < 25)
    np.testing.assert_allclose(rotation[held], 50, atol=0.1)
    np.testing.assert_allclose(rotation[t_s > 28], 0, atol=0.01)


def test_coming_back_nearly_straight_is_zero_after_a_rest() -> None:
    t_s = np.arange(0, 20, 1 / RATE_HZ)
    rotation = _rotation(np.interp(t_s, [0, 5, 6, 7, 20], [0, 0, 50, 6, 6]), t_s)
    assert rotation[int(7.5 * RATE_HZ)] == pytest.approx(6, abs=0.1)
    np.testing.assert_allclose(rotation[t_s > 8.5], 0, atol=1e-9)
