"""Rotations of the guided benches, columns of quaternions (w, x, y, z): ours are not the counter's, and not slow.

Shapes are (4, n) for rotations and (3, n) for vectors; a rotation of (4, 1) holds throughout.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray


def about(axis: Literal["x", "y", "z"], angle_deg: NDArray[np.floating[Any]]) -> FloatArray:
    """Return the rotations (4, n) by angles (n,) about an axis."""
    half = np.radians(angle_deg) / 2
    turned = np.zeros((4, len(half)))
    turned[0], turned[1 + "xyz".index(axis)] = np.cos(half), np.sin(half)
    return turned


def one_after_other(*rotations: FloatArray) -> FloatArray:
    """Return the product of rotations, (4, n); the last one is the first to be done."""
    product, *others = rotations
    for q in others:
        w, x, y, z = product
        product = np.stack((
            w * q[0] - x * q[1] - y * q[2] - z * q[3],
            w * q[1] + x * q[0] + y * q[3] - z * q[2],
            w * q[2] - x * q[3] + y * q[0] + z * q[1],
            w * q[3] + x * q[2] - y * q[1] + z * q[0],
        ))  # fmt: skip
    return product


def backwards(q: FloatArray) -> FloatArray:
    """Return the opposite rotations."""
    return q * np.array([[1.0], [-1.0], [-1.0], [-1.0]])


def applied(q: FloatArray, v: FloatArray) -> FloatArray:
    """Return vectors (3, n) turned."""
    twice = 2 * np.cross(q[1:], v, axis=0)
    turned: FloatArray = v + q[0] * twice + np.cross(q[1:], twice, axis=0)
    return turned


def speed_rad_s(q: FloatArray, rate_hz: float) -> FloatArray:
    """Return the angular velocity (3, n) in the turned axes, as a gyroscope has it; the last one stays."""
    w, *xyz = one_after_other(backwards(q[:, :-1]), q[:, 1:])
    # The angle of a step is small: of twice the vector part, what its sine leaves out is put back.
    vector = np.array(xyz) * np.sign(w)
    size = np.sqrt((vector**2).sum(axis=0))
    step = 2 * vector * np.where(size > 1e-9, np.arcsin(np.minimum(size, 1.0)) / np.maximum(size, 1e-9), 1.0)
    return np.hstack((step, step[:, -1:])) * rate_hz
