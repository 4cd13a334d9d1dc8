"""The distance behind the joint is felt with its sign and its error, and both decide what a calibration refuses."""

import numpy as np
import pytest

from tiltwise.motion.calibration.alignment import _check_lever, _check_swapped
from tiltwise.motion.calibration.lever_arm import Lever, lever_arm, without_steps
from tiltwise.motion.calibration.sitting_still import CalibrationError
from tiltwise.motion.rotation import conjugate, from_rotation_vector, rotate
from tiltwise.types import FloatArray, Mount, OrientationBlock

G = 9.80665
LEFT, UP = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def nods(
    behind_m: float, above_m: float = 0.0, noise_m_s2: float = 0.0, seconds: float = 8.0
) -> OrientationBlock:
    """Return nods of 20 deg about the left axis by a sensor so far behind and above it; x is forward, z up."""
    t_s = np.arange(0, seconds, 0.02)
    rate = 2 * np.pi * 0.6
    angle = np.radians(10) * (1 - np.cos(rate * t_s))
    omega, alpha = np.radians(10) * rate * np.sin(rate * t_s), np.radians(10) * rate**2 * np.cos(rate * t_s)
    q = from_rotation_vector(angle[:, None] * LEFT)
    # Rigid body at (-behind, 0, above): alpha x r + omega x (omega x r), in axes of the body.
    own = np.stack(
        (alpha * above_m + omega**2 * behind_m, 0 * t_s, alpha * behind_m - omega**2 * above_m), axis=1
    )
    noise = np.random.default_rng(1).normal(0, noise_m_s2, (len(t_s), 3))
    acc = rotate(conjugate(q), np.tile(G * UP, (len(t_s), 1))) + own + noise
    return OrientationBlock(t_s, q, acc)


@pytest.mark.parametrize("behind_m", [-0.1, 0.05, 0.12])
@pytest.mark.parametrize("above_m", [0.0, 0.15])
def test_the_distance_comes_back_with_its_sign(behind_m: float, above_m: float) -> None:
    lever = lever_arm(nods(behind_m, above_m), LEFT, UP)
    assert lever.behind_m == pytest.approx(behind_m, abs=0.004)
    assert 0 <= lever.error_m < 0.005


def test_the_error_is_the_scatter_of_the_estimate() -> None:
    found = [lever_arm(nods(0.1, noise_m_s2=noise), LEFT, UP) for noise in (0.1, 0.4)]
    assert 2 * found[0].error_m < found[1].error_m < 4 * found[0].error_m  # 4 mm are left without noise
    assert abs(found[1].behind_m - 0.1) < 3 * found[1].error_m


def test_too_short_or_too_slow_is_infinitely_uncertain() -> None:
    assert lever_arm(nods(0.1, seconds=1.9), LEFT, UP).error_m == np.inf
    assert lever_arm(nods(0.1, seconds=2.5), LEFT, UP).error_m < 0.1
    still = nods(0.1)
    still = OrientationBlock(
        still.t_s, np.tile([1.0, 0, 0, 0], (len(still.t_s), 1)), np.tile(G * UP, (len(still.t_s), 1))
    )
    assert lever_arm(still, LEFT, UP).error_m == np.inf


def test_single_corrections_are_taken_out_and_a_nod_stays() -> None:
    rate: FloatArray = np.sin(np.arange(200) / 10)
    spoiled = rate.copy()
    spoiled[[50, 120]] += 20.0
    np.testing.assert_allclose(without_steps(spoiled), rate, atol=0.12)
    columns = np.stack((rate, spoiled, -spoiled), axis=1)
    np.testing.assert_array_equal(without_steps(columns)[:, 2], -without_steps(spoiled))


@pytest.mark.parametrize(
    ("behind_m", "error_m", "reason"),
    [
        (0.08, 0.005, None),
        (-0.05, 0.005, "went up instead of down"),
        (-0.05, 0.03, "nodded sideways"),  # two errors say that it may be in front or on the axis
        (0.0, 0.005, "nodded sideways"),
        (0.01, 0.029, None),  # one error says that it may be behind
        (-0.05, 1.0, None),  # too slow to feel
    ],
)
def test_a_lever_is_refused_by_more_than_its_error(
    behind_m: float, error_m: float, reason: str | None
) -> None:
    lever = Lever(behind_m, error_m)
    if reason is None:
        _check_lever(lever, Mount.NECK)
        return
    with pytest.raises(CalibrationError, match=reason):
        _check_lever(lever, Mount.NECK)


def test_a_collar_is_only_told_from_leaning_back() -> None:
    _check_lever(Lever(0.0, 0.005), Mount.COLLAR)
    with pytest.raises(CalibrationError, match="went back instead of forward"):
        _check_lever(Lever(-0.05, 0.005), Mount.COLLAR)


def test_side_tilts_that_lift_more_than_the_nods_by_both_errors_are_swapped() -> None:
    _check_swapped(
        Lever(0.05, 0.005), Lever(0.09, 0.005), "tilt"
    )  # 4 cm more: 2.5 and two of both errors are 4.5
    with pytest.raises(CalibrationError):
        _check_swapped(Lever(0.05, 0.005), Lever(0.1, 0.005), "tilt")
    with pytest.raises(CalibrationError):
        _check_swapped(Lever(0.05, 0.005), Lever(-0.1, 0.005), "tilt")  # to either side
    _check_swapped(Lever(0.1, 0.005), Lever(0.02, 0.005), "tilt")
