"""Without nods, forward is taken to be where most of the leaning goes, and that is said."""

import numpy as np
import pytest

from angle_samples import body_orientation, random_rotation, sensor_block, sway, swings
from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.principal_axes import axes_from_movement
from tiltwise.motion.rotation import angle_between_deg, rotate
from tiltwise.types import Mount

UP, LEFT = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
T_S = np.arange(0, 600, 0.1)


@pytest.mark.parametrize("seed", range(6))
def test_a_reading_day_shows_which_way_is_forward(seed: int) -> None:
    rng = np.random.default_rng(seed)
    flexion = (
        12 + sway(T_S, rng, 8.0) + swings(T_S, [100.0, 400.0], [-25.0, -20.0], 20.0)
    )  # also looks up at times
    body = body_orientation(flexion, sway(T_S, rng, 3.0), sway(T_S, rng, 30.0))
    q = random_rotation(rng)
    block = sensor_block(T_S, body, q)
    found = axes_from_movement(block, rotate(q, UP), mount=Mount.HEAD)
    assert found.axes == "movement"
    assert "assumed" in found.notes[0]
    assert found.quality <= 0.5  # an assumption is never as good as a nod
    assert (
        angle_between_deg(rotate(found.q, LEFT), rotate(q, LEFT)) < 15
    )  # deg, sideways sway is a fifth of the leaning
    angles = AnglesStage(found).process(block)
    assert np.median(angles.flexion_deg) == pytest.approx(np.median(flexion), abs=2.0)


def test_hardly_any_leaning_leaves_the_direction_unknown() -> None:
    rng = np.random.default_rng(1)
    body = body_orientation(sway(T_S, rng, 0.5), sway(T_S, rng, 0.5), sway(T_S, rng, 30.0))
    assert axes_from_movement(sensor_block(T_S, body, body[0]), UP, mount=Mount.HEAD).axes == "unknown"


def test_leaning_everywhere_alike_leaves_the_direction_unknown() -> None:
    body = body_orientation(15 * np.sin(T_S), 15 * np.cos(T_S), 0 * T_S)
    q = np.array([1.0, 0, 0, 0])
    assert axes_from_movement(sensor_block(T_S, body, q), UP, mount=Mount.HEAD).axes == "unknown"


@pytest.mark.parametrize(
    ("lean_deg", "share", "back_deg", "quality"),
    [
        (20.0, 1.0, 0.0, 0.5),
        (20.0, 0.8, -10.0, 0.389),  # (0.8 * 20 - 0.2 * 10) of (0.8 * 20 + 0.2 * 10), halved
        (-20.0, 0.8, 10.0, 0.389),  # whichever way: the more leant one is forward
        (20.0, 0.5, -10.0, 0.167),
    ],
)
def test_how_sure_it_is_follows_how_one_sided_the_leaning_is(
    lean_deg: float, share: float, back_deg: float, quality: float
) -> None:
    flexion = np.where(np.arange(len(T_S)) < share * len(T_S), lean_deg, back_deg)
    block = sensor_block(T_S, body_orientation(flexion, 0 * T_S, 0 * T_S), np.array([1.0, 0, 0, 0]))
    found = axes_from_movement(block, UP, mount=Mount.HEAD)
    assert found.quality == pytest.approx(quality, abs=6e-4)
    assert angle_between_deg(rotate(found.q, LEFT), np.sign(lean_deg) * LEFT) < 0.1
