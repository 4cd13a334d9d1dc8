"""Which way the case faces: forward must lie where its inner side points, within what a crooked case explains."""

import numpy as np
import pytest

from tiltwise.motion.calibration.case_axes import FACES, LEAST_LEVEL, MOST_OFF_DEG, face_axis, off_facing_deg
from tiltwise.motion.calibration.guided_calibration import find_guided_calibration
from tiltwise.motion.calibration.sitting_still import CalibrationError
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import Mount

UP = np.array([0.0, 0.0, 1.0])
BACK = np.array([-1.0, 0.0, 0.0])


def left_turned(deg: float) -> np.ndarray:
    """The left axis of somebody whose forward is turned by so much about "up"."""
    return np.array([-np.sin(np.radians(deg)), np.cos(np.radians(deg)), 0.0])


@pytest.mark.parametrize("deg", [-170.0, -45.0, 0.0, 20.0, 90.0])
def test_the_angle_between_nods_and_case_is_signed_about_up(deg: float) -> None:
    off_deg, most_deg = off_facing_deg(left_turned(deg), UP, BACK)
    assert off_deg == pytest.approx(deg, abs=1e-9)
    assert most_deg == pytest.approx(MOST_OFF_DEG)


def test_a_leaning_case_may_be_further_off_and_a_flat_one_faces_nowhere() -> None:
    leaning = np.array([-np.cos(np.radians(40)), 0.0, np.sin(np.radians(40))])
    assert off_facing_deg(left_turned(0), UP, leaning)[1] == pytest.approx(
        MOST_OFF_DEG / np.cos(np.radians(40))
    )
    flat = np.array([-0.9 * LEAST_LEVEL, 0.0, 1.0])
    assert np.isnan(off_facing_deg(left_turned(0), UP, flat)).all()


def test_faces_are_the_six_sensor_axes() -> None:
    assert len({tuple(face_axis(name)) for name in FACES}) == 6
    assert face_axis("-y").tolist() == [0.0, -1.0, 0.0]
    with pytest.raises(ValueError, match="expected one of"):
        face_axis("up")


@pytest.mark.parametrize("mount", list(Mount))
def test_the_right_ritual_agrees_with_its_case_and_with_no_other(mount: Mount) -> None:
    """A case 30 deg crooked on each axis is accepted; the same case believed to face the other way is not."""
    for seed in range(6):
        wearer = Wearer("upright", seed=seed, minutes=0.5, mount=mount, misalignment_deg=30.0)
        block = OrientationStage().process(wearer.imu(np.arange(0, 25, 0.02)))
        found = find_guided_calibration([block], mount=mount, outward=wearer.outward())
        assert found.q_sensor_from_body == find_guided_calibration([block], mount=mount).q_sensor_from_body
        with pytest.raises(CalibrationError, match="off where the case faces"):
            find_guided_calibration([block], mount=mount, outward=-wearer.outward())


def test_a_case_of_ours_has_z_away_from_the_skin() -> None:
    wearer = Wearer("upright", seed=1, minutes=0.5, sensor_axes="out", misalignment_deg=0.0)
    np.testing.assert_allclose(wearer.outward(), [0, 0, 1], atol=1e-12)
    block = OrientationStage().process(wearer.imu(np.arange(0, 25, 0.02)))
    assert find_guided_calibration([block], mount=Mount.NECK, outward=face_axis("+z")).notes == ()
