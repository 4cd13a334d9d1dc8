"""An orientation in integers turns as one of floats does, to the last bits that it has."""

import math

import numpy as np
import pytest

from tiltwise.common import quaternion_counts as counts
from tiltwise.motion.rotation import multiply, normalise, to_rotation_vector

SEEDS = range(10)
NORM = 6e-5  # its square is a sum of 15-bit numbers


def some(seed):
    """Any orientation in integers, and the same in floats."""
    rng = np.random.default_rng(seed)
    q = [0, 0, 0, 0]
    counts.set_floats(q, *normalise(rng.normal(size=4)).tolist())
    return rng, q, np.array(counts.floats(q))


def apart_rad(q, expected):
    """The angle between an orientation in integers and one in floats."""
    inverse = np.array(counts.floats(q)) * [1, -1, -1, -1]
    return float(np.linalg.norm(to_rotation_vector(normalise(multiply(inverse, expected)))))


def test_one_is_2_to_the_29th_and_nothing_is_cut_off():
    q = [0, 0, 0, 0]
    counts.set_floats(q, 1.0, -0.5, 0.25, 3e-9)
    assert q == [2**29, -(2**28), 2**27, 2]
    assert counts.floats(q) == [1.0, -0.5, 0.25, 2 / 2**29]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("half_rad", [1e-5, 1e-3, 0.0079, 0.0081, 0.02, 0.05, 0.1])
def test_a_step_turns_about_the_sensors_axes(seed, half_rad):
    rng, q, before = some(seed)
    half = half_rad * normalise(rng.normal(size=3))
    step = np.concatenate(([math.cos(half_rad)], half * math.sin(half_rad) / half_rad))
    counts.turn_by(q, *(round(h * counts.ANGLE_ONE) for h in half.tolist()))
    # The orientation is multiplied with thirteen bits, and an angle is in whole millionths of a rad.
    assert apart_rad(q, multiply(before, step)) < 2.5e-6 + 2.5e-4 * half_rad


@pytest.mark.parametrize("half_rad", [0.008, 0.02, 0.1])
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("way", [-1, 1])
def test_many_steps_make_their_sum(half_rad, axis, way):
    q = [counts.ONE, 0, 0, 0]
    h = [0, 0, 0]
    h[axis] = way * round(half_rad * counts.ANGLE_ONE)
    n = 20
    for _ in range(n):
        counts.turn_by(q, *h)
        counts.tilt_by(q, 0.0, 0.0)  # which makes the norm one again
    angle = n * 2 * half_rad
    expected = np.zeros(4)
    expected[0], expected[1 + axis] = math.cos(angle / 2), way * math.sin(angle / 2)
    assert apart_rad(q, expected) < 5e-5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size_rad", [1e-6, 1e-3, 0.02, 0.0299, 0.0301, 0.2])
def test_a_correction_turns_about_the_earths_level_axes(seed, size_rad):
    rng, q, before = some(seed)
    px, py = (size_rad * rng.choice([-1.0, 1.0], size=2) * (1.0, rng.uniform(0.3, 1.0))).tolist()
    counts.tilt_by(q, px, py)
    expected = normalise(multiply(np.array([1.0, px / 2, py / 2, 0.0]), before))
    assert apart_rad(q, expected) < 1.5e-4 * size_rad + 5e-7
    assert np.linalg.norm(counts.floats(q)) == pytest.approx(1.0, abs=NORM if size_rad < 0.03 else 1e-8)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("off", [-0.002, -0.0005, 0.0005, 0.002])
def test_a_norm_that_is_a_little_off_is_put_right(seed, off):
    _, q, before = some(seed)
    q[:] = [round(part * (1 + off)) for part in q]
    counts.tilt_by(q, 0.0, 0.0)
    assert np.linalg.norm(counts.floats(q)) == pytest.approx(1.0, abs=NORM)
    assert apart_rad(q, before) < 4e-7
