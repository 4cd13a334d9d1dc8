"""docs/conventions.md says which movement has which sign; every row is turned and looked at."""

import re
from pathlib import Path

import numpy as np
import pytest

from angle_samples import RATE_HZ, about, random_rotation, sensor_block
from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.motion.calibration.sitting_still import angular_velocity
from tiltwise.motion.rotation import conjugate, rotate
from tiltwise.types import Mount

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"
ROW = re.compile(r"^\| ([^|]+) \| ([+-])([xyz]) \| (\w+_deg) ([+-]) \| ([XYZ]) ([+-]) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))
EXTENT_DEG = {
    "x": (30.0, 75.0),
    "y": (30.0, 90.0),
    "z": (30.0, 90.0),
}  # a 90 deg side tilt has no defined angle
ALL_ANGLES = ("flexion_deg", "lateral_deg", "rotation_deg")


def test_the_table_has_its_six_movements() -> None:
    assert len({movement for movement, *_ in ROWS}) == 6


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("extent", [0, 1])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_movement_has_the_signs_of_its_row(row: tuple[str, ...], extent: int, seed: int) -> None:
    _, gyr_sign, axis, angle, angle_sign, isb_axis, isb_sign = row
    turn_deg = EXTENT_DEG[axis][extent]
    q = random_rotation(np.random.default_rng(seed))
    t_s = np.arange(0, 3, 1 / RATE_HZ)
    unit = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}[axis]
    block = sensor_block(t_s, about(unit, float(f"{gyr_sign}1") * np.interp(t_s, [1, 2], [0, turn_deg])), q)

    omega = rotate(conjugate(q), angular_velocity(block))[75]  # half way
    assert omega["xyz".index(axis)] == pytest.approx(float(f"{gyr_sign}1") * np.radians(turn_deg), rel=1e-6)

    mounting = mounting_from_axes(
        rotate(q, np.array([0.0, 0.0, 1.0])),
        rotate(q, np.array([0.0, 1.0, 0.0])),
        mount=Mount.HEAD,
        axes="nod",
    )
    angles = AnglesStage(mounting).process(block)
    assert getattr(angles, angle)[-1] == pytest.approx(float(f"{angle_sign}1") * turn_deg, abs=0.1)  # deg
    for other in ALL_ANGLES:
        if other != angle and not (turn_deg > 80 and other == "lateral_deg"):
            assert abs(getattr(angles, other)[-1]) < 0.1
    # ISB's X is forward like ours, its Y is our z (up), its Z is to the right: our -y.
    same_axis, sign = {"x": ("X", 1), "y": ("Z", -1), "z": ("Y", 1)}[axis]
    assert (isb_axis, int(f"{isb_sign}1")) == (same_axis, sign * int(f"{gyr_sign}1"))
