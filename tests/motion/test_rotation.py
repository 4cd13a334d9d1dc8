"""motion/rotation.py against cases that can be checked by hand, and against its own inverses."""

import math

import numpy as np
import pytest

from tiltwise.motion import rotation
from tiltwise.types import FloatArray

QUARTER = math.sqrt(0.5)  # cos and sin of half a right angle
EPS = 1e-12  # a few last bits of double precision


def random_unit(rng: np.random.Generator, n: int, m: int) -> FloatArray:
    return rotation.normalise(rng.normal(size=(n, m)))


@pytest.mark.parametrize(
    ("axis", "turned"),
    [(0, [1, 0, 0]), (1, [0, 0, -1]), (2, [0, 1, 0])],
    ids=["about x", "about y", "about z"],
)
def test_right_angle_turns_x_by_the_right_hand_rule(axis: int, turned: list[float]) -> None:
    q = np.array([QUARTER, 0.0, 0.0, 0.0])
    q[1 + axis] = QUARTER
    np.testing.assert_allclose(rotation.rotate(q, np.array([1.0, 0.0, 0.0])), turned, atol=EPS)


def test_product_does_the_right_factor_first() -> None:
    about_x = rotation.from_rotation_vector(np.array([math.pi / 2, 0.0, 0.0]))
    about_z = rotation.from_rotation_vector(np.array([0.0, 0.0, math.pi / 2]))
    y = np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(rotation.rotate(rotation.multiply(about_z, about_x), y), [0, 0, 1], atol=EPS)
    np.testing.assert_allclose(rotation.rotate(rotation.multiply(about_x, about_z), y), [-1, 0, 0], atol=EPS)


def test_conjugate_undoes() -> None:
    rng = np.random.default_rng(1)
    q, v = random_unit(rng, 50, 4), rng.normal(size=(50, 3))
    back = rotation.rotate(rotation.conjugate(q), rotation.rotate(q, v))
    np.testing.assert_allclose(back, v, atol=EPS * 10)


def test_rotation_vector_and_quaternion_are_inverse() -> None:
    rng = np.random.default_rng(2)
    vector = random_unit(rng, 200, 3) * rng.uniform(0, math.pi * 0.999, (200, 1))
    vector[0] = 0.0
    vector[1] *= 1e-9
    back = rotation.to_rotation_vector(rotation.from_rotation_vector(vector))
    np.testing.assert_allclose(back, vector, atol=1e-11)


def test_half_a_turn_keeps_the_side_of_its_axis() -> None:
    for axis in (*np.eye(3), *-np.eye(3)):
        np.testing.assert_allclose(
            rotation.to_rotation_vector(np.array([0.0, *axis])), math.pi * axis, atol=EPS * 10
        )


def test_shortest_rotation_maps_one_direction_on_the_other_even_when_opposite() -> None:
    rng = np.random.default_rng(3)
    a = random_unit(rng, 100, 3)
    b = random_unit(rng, 100, 3)
    a[:3], b[:3] = np.eye(3), -np.eye(3)
    turned = rotation.rotate(rotation.from_two_vectors(a, b), a)
    np.testing.assert_allclose(
        turned, b, atol=1e-8
    )  # opposite directions are met to the square root of precision


def test_up_in_sensor_is_the_last_row_of_the_matrix() -> None:
    rng = np.random.default_rng(4)
    q = random_unit(rng, 50, 4)
    expected = rotation.rotate(rotation.conjugate(q), np.tile([0.0, 0.0, 1.0], (50, 1)))
    np.testing.assert_allclose(rotation.up_in_sensor(q), expected, atol=EPS)


def test_angle_is_exact_where_the_arc_cosine_is_not() -> None:
    angles_deg = np.array([1e-7, 1.0, 90.0, 179.999999])
    b = np.stack((np.cos(np.radians(angles_deg)), np.sin(np.radians(angles_deg)), np.zeros(4)), axis=1)
    found = rotation.angle_between_deg(np.array([1.0, 0.0, 0.0]), b)
    np.testing.assert_allclose(found, angles_deg, atol=1e-10)
