"""A Mounting is a value: it survives storing, refuses nonsense, and says how differently a sensor sits."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from angle_samples import about, random_rotation
from tiltwise.motion.calibration.mounting import (
    Mounting,
    mounting_from_axes,
    mounting_from_up,
    remount_change_deg,
    remount_verdict,
)
from tiltwise.motion.rotation import angle_between_deg, multiply, rotate
from tiltwise.stored_values import convert
from tiltwise.types import Mount

UP, LEFT = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def _mounting(q: np.ndarray, axes: str = "nod") -> Mounting:
    return mounting_from_axes(rotate(q, UP), rotate(q, LEFT), mount=Mount.HEAD, axes=axes)


@pytest.mark.parametrize("seed", range(20))
def test_axes_give_back_the_rotation_they_came_from(seed: int) -> None:
    q = random_rotation(np.random.default_rng(seed))
    found = _mounting(q)
    for axis in np.eye(3):
        assert angle_between_deg(rotate(found.q, axis), rotate(q, axis)) < 1e-6


def test_a_left_axis_that_is_not_quite_level_is_made_level() -> None:
    found = mounting_from_axes(UP, np.array([0.0, 1.0, 0.3]), mount=Mount.HEAD, axes="nod")
    np.testing.assert_allclose(found.q, [1, 0, 0, 0], atol=1e-12)


def test_a_vertical_left_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="nearly vertical"):
        mounting_from_axes(UP, np.array([0.0, 0.1, 1.0]), mount=Mount.HEAD, axes="nod")


def test_up_alone_keeps_up_and_knows_no_direction() -> None:
    found = mounting_from_up(np.array([0.0, -9.81, 0.0]), mount=Mount.NECK)
    np.testing.assert_allclose(found.up_sensor, [0, -1, 0], atol=1e-12)
    assert found.axes == "unknown"
    assert not found.has_direction


@pytest.mark.parametrize("up", [np.zeros(3), np.array([0, np.nan, 1.0]), np.ones(4)])
def test_a_neutral_that_is_no_direction_is_refused(up: np.ndarray) -> None:
    with pytest.raises(ValueError, match="3 finite numbers"):
        mounting_from_up(up, mount=Mount.HEAD)


def test_json_brings_back_an_equal_mounting() -> None:
    q = random_rotation(np.random.default_rng(5))
    stored = mounting_from_axes(
        rotate(q, UP), rotate(q, LEFT), mount=Mount.COLLAR, axes="tilt", quality=0.7, notes=("a note",)
    )
    assert convert(json.loads(json.dumps(asdict(stored))), Mounting) == stored


@pytest.mark.parametrize(
    "change",
    [
        {"mount": "hat"},
        {"q_sensor_from_body": [1, 0, 0]},
        {"q_sensor_from_body": [0, 0, 0, 0]},
        {"q_sensor_from_body": "wxyz"},
        {"q_sensor_from_body": [float("nan"), 0, 0, 0]},
        {"axes": "guess"},
        {"quality": 3},
        {"quality": None},
        {"notes": 5},
    ],
)
def test_a_damaged_stored_mounting_is_refused_by_its_key(change: dict[str, object]) -> None:
    values = asdict(mounting_from_up(UP, mount=Mount.HEAD)) | change
    with pytest.raises(ValueError, match=next(iter(change)).split("_")[0]):  # the key, or what it has to be
        convert(values, Mounting)


@pytest.mark.parametrize(
    ("degrees", "verdict"), [(4, "same"), (14, "realign"), (40, "refuse"), (180, "refuse")]
)
def test_remounting_is_judged_by_its_angle(degrees: float, verdict: str) -> None:
    q = random_rotation(np.random.default_rng(1))
    change = remount_change_deg(_mounting(q), _mounting(multiply(q, about((0.6, 0.0, 0.8), degrees))))
    assert change == pytest.approx(degrees, abs=1e-5)
    assert remount_verdict(change) == verdict


def test_remounting_counts_only_tilt_when_no_direction_is_known() -> None:
    turned = _mounting(about((0, 0, 1), 50.0), "unknown")
    assert remount_change_deg(_mounting(np.array([1.0, 0, 0, 0])), turned) == pytest.approx(0, abs=1e-6)


def test_a_change_that_is_not_a_number_is_refused() -> None:
    assert remount_verdict(float("nan")) == "refuse"
