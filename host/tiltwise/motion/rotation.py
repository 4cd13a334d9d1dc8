"""Quaternions (w, x, y, z), unit norm, named q_a_from_b: q_a_from_b * q_b_from_c = q_a_from_c.

Everything is written as explicit arithmetic on columns, because `block @ R.T` gives last-bit differences that
depend on the block's length, and cutting the data must not change a result.
"""

from __future__ import annotations

import numpy as np

from tiltwise.types import FloatArray

IDENTITY: FloatArray = np.array([1.0, 0.0, 0.0, 0.0])
IDENTITY.flags.writeable = False
_SMALL2 = 0.01  # rad^2: the first term that the series leave out is 3e-17


def multiply(p: FloatArray, q: FloatArray) -> FloatArray:
    """Return the quaternion product p * q, shapes (..., 4) that broadcast."""
    return np.stack(_product(np.moveaxis(p, -1, 0), np.moveaxis(q, -1, 0)), axis=-1)


def multiply_rows(p: FloatArray, q: FloatArray) -> FloatArray:
    """Return the quaternion product p * q of (4, n): `multiply` where samples lie along the last axis."""
    return np.stack(_product(p, q))


def _product(p: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    (pw, px, py, pz), (qw, qx, qy, qz) = p, q
    return (
        pw * qw - px * qx - py * qy - pz * qz,
        pw * qx + px * qw + py * qz - pz * qy,
        pw * qy - px * qz + py * qw + pz * qx,
        pw * qz + px * qy - py * qx + pz * qw,
    )


def conjugate(q: FloatArray) -> FloatArray:
    """Return the inverse rotation of unit quaternions (..., 4)."""
    return q * np.array([1.0, -1.0, -1.0, -1.0])


def normalise(q: FloatArray) -> FloatArray:
    """Return quaternions or vectors (..., m) scaled to unit length."""
    return q / np.sqrt(np.sum(q * q, axis=-1, keepdims=True))


def rotate(q_a_from_b: FloatArray, v_b: FloatArray) -> FloatArray:
    """Return vectors (..., 3), given in axes b, in axes a; their unit stays."""
    return np.stack(_rotated(np.moveaxis(q_a_from_b, -1, 0), np.moveaxis(v_b, -1, 0)), axis=-1)


def rotate_rows(q_a_from_b: FloatArray, v_b: FloatArray) -> FloatArray:
    """Return vectors (3, n) by quaternions (4, n): `rotate` where samples lie along the last axis."""
    return np.stack(_rotated(q_a_from_b, v_b))


def _rotated(q: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    (w, x, y, z), (vx, vy, vz) = q, v
    tx, ty, tz = 2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)
    return (
        vx + w * tx + (y * tz - z * ty),
        vy + w * ty + (z * tx - x * tz),
        vz + w * tz + (x * ty - y * tx),
    )


def up_in_sensor(q_earth_from_sensor: FloatArray) -> FloatArray:
    """Return the earth's z axis in sensor axes, (..., 3): what a still accelerometer points along."""
    q = q_earth_from_sensor
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    up = np.empty((*q.shape[:-1], 3))
    up[..., 0], up[..., 1], up[..., 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return up


def up_from_angles_deg(flexion_deg: FloatArray, lateral_deg: FloatArray) -> FloatArray:
    """Return the neutral-relative up vector in body axes, (n, 3), that flexion and lateral tilt (n,) describe."""
    flexion, lateral = np.radians(flexion_deg), np.radians(lateral_deg)
    plane = np.cos(lateral)
    return np.stack((-plane * np.sin(flexion), np.sin(lateral), plane * np.cos(flexion)), axis=-1)


def from_rotation_vector(vector_rad: FloatArray) -> FloatArray:
    """Return the quaternions (..., 4) of rotation vectors (..., 3): axis times angle in rad."""
    angle = np.sqrt(np.sum(vector_rad * vector_rad, axis=-1, keepdims=True))
    return np.concatenate((np.cos(angle / 2), vector_rad * np.sinc(angle / (2 * np.pi)) / 2), axis=-1)


def from_small_rotation_rows(half_rad: FloatArray) -> FloatArray:
    """Return the quaternions (4, n) of halves of rotation vectors (3, n), where samples lie along the last axis.

    By the series of sine and cosine, to rounding while all are small, which costs a quarter of the functions.
    """
    x, y, z = half_rad
    angle2 = x * x + y * y + z * z
    q = np.empty((4, len(x)))
    if angle2.max(initial=0.0) < _SMALL2:
        q[0] = 1 - angle2 * (1 / 2 - angle2 * (1 / 24 - angle2 * (1 / 720 - angle2 * (1 / 40320))))
        sinc = 1 - angle2 * (1 / 6 - angle2 * (1 / 120 - angle2 * (1 / 5040 - angle2 * (1 / 362880))))
    else:
        angle = np.sqrt(angle2)
        np.cos(angle, out=q[0])
        sinc = np.sinc(angle / np.pi)
    np.multiply(half_rad, sinc, out=q[1:])
    return q


def to_rotation_vector(q: FloatArray) -> FloatArray:
    """Return the rotation vectors (..., 3) in rad, of length at most pi, of unit quaternions (..., 4)."""
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.sqrt(np.sum(q[..., 1:] ** 2, axis=-1, keepdims=True))
    angle = 2 * np.arctan2(sine, q[..., :1])
    return q[..., 1:] * np.where(sine > 1e-12, angle / np.where(sine > 1e-12, sine, 1.0), 2.0)


def from_two_vectors(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the shortest rotation (..., 4) that turns direction a into direction b; both (..., 3)."""
    a, b = np.broadcast_arrays(normalise(a), normalise(b))
    w = 1 + np.sum(a * b, axis=-1, keepdims=True)
    q = np.concatenate((w, _cross(a, b)), axis=-1)
    if (opposite := w[..., 0] < 1e-9).any():
        any_normal = np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        about = np.concatenate((np.zeros_like(w), _cross(a, any_normal)), axis=-1)
        q = np.where(opposite[..., None], about, q)
    return normalise(q)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cross product of (..., 3); numpy's own is four times slower."""
    (ax, ay, az), (bx, by, bz) = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    return np.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=-1)


def angle_between_deg(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the unsigned angle (...,) in degrees between vectors (..., 3), accurate near 0 and 180."""
    ax, ay, az, bx, by, bz = (v[..., k] for v in (a, b) for k in range(3))
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    angle: FloatArray = np.degrees(np.arctan2(np.sqrt(x * x + y * y + z * z), ax * bx + ay * by + az * bz))
    return angle
