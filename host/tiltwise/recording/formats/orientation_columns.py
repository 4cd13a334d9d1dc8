"""Columns of orientation by the names that exporters give them: quaternion, rotation matrix, or roll, pitch and yaw.

All are taken as earth from sensor with z up, as Xsens, Movella, Android, CoreMotion and VQF write them; a minus
before the first column of `--columns quat=-W:X:Y:Z` takes the inverse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from tiltwise.motion.rotation import conjugate, multiply, normalise
from tiltwise.types import FloatArray

_QUATERNION = re.compile(
    r"(?:.*quat(?:ernion)?|.*ornt|.*orientation|.*rotationvector|q|rot)_?q?_?([wxyz0-3])"
)
_MATRIX = re.compile(r".*(?:mat|dcm|rotationmatrix)_?m?([1-3])_?([1-3])")
_EULER = {"roll": 0, "pitch": 1, "yaw": 2, "heading": 2}
_AXES = {"w": 0, "x": 1, "y": 2, "z": 3, "0": 0, "1": 1, "2": 2, "3": 3}


@dataclass(frozen=True, slots=True)
class OrientationColumns:
    """Positions of 4 (w, x, y, z), 9 (row by row) or 3 columns (roll, pitch, yaw), and what that is in words."""

    columns: tuple[int, ...]
    is_rad: bool = False  # of roll, pitch and yaw
    is_inverse: bool = False

    @property
    def words(self) -> str:
        """What the columns are."""
        return {4: "quaternion", 9: "rotation matrix", 3: "roll, pitch and yaw"}[len(self.columns)]


def find_orientation(names: list[str], units: list[str] | None = None) -> OrientationColumns | None:
    """Return the first whole set of orientation columns, None when there is none."""
    bare = [re.sub(r"[(\[][^\d)\]]+[)\]]", "", name).lower() for name in names]
    plain = [re.sub(r"[^a-z0-9]+", "_", name).strip("_") for name in bare]
    groups: dict[str, dict[int, int]] = {}
    matrix: dict[int, int] = {}
    euler: dict[int, int] = {}
    for k, name in enumerate(plain):
        if match := _QUATERNION.fullmatch(name):
            groups.setdefault(name[: match.start(1)], {}).setdefault(_AXES[match[1]], k)
        elif match := _MATRIX.fullmatch(name):
            matrix.setdefault(3 * (int(match[1]) - 1) + int(match[2]) - 1, k)
        for word, axis in _EULER.items():
            if word in name.split("_"):
                euler.setdefault(axis, k)
    for group in groups.values():
        if len(group) == 4:
            return OrientationColumns(tuple(group[axis] for axis in range(4)))
    if len(matrix) == 9:
        return OrientationColumns(tuple(matrix[cell] for cell in range(9)))
    if len(euler) == 3:
        stated = " ".join(names[k] + (units[k] if units else "") for k in euler.values()).lower()
        return OrientationColumns(tuple(euler[axis] for axis in range(3)), is_rad="rad" in stated)
    return None


def quaternions(found: OrientationColumns, values: FloatArray) -> FloatArray:
    """Return q_earth_from_sensor (n, 4) of the table (n, columns); NaN where a row is no rotation."""
    cells = values[:, found.columns]
    with np.errstate(invalid="ignore", divide="ignore"):
        if len(found.columns) == 4:
            norm = np.sqrt(np.sum(cells * cells, axis=1, keepdims=True))
            q = np.where(np.abs(norm - 1) < 0.1, cells / norm, np.nan)
        elif len(found.columns) == 9:
            q = _of_matrix(cells.reshape(-1, 3, 3))
        else:
            q = _of_euler(cells if found.is_rad else np.radians(cells))
    return conjugate(q) if found.is_inverse else q


def _of_matrix(m: FloatArray) -> FloatArray:
    """Return the quaternion of rotation matrices (n, 3, 3), by the largest of four ways so that none divides by 0."""
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    yz, zx, xy = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    sum_xy, sum_zx, sum_yz = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    ways = np.stack(
        (
            np.stack((1 + xx + yy + zz, yz, zx, xy), axis=1),
            np.stack((yz, 1 + xx - yy - zz, sum_xy, sum_zx), axis=1),
            np.stack((zx, sum_xy, 1 - xx + yy - zz, sum_yz), axis=1),
            np.stack((xy, sum_zx, sum_yz, 1 - xx - yy + zz), axis=1),
        ),
        axis=1,
    )
    size = np.stack((1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz), axis=1)
    best = ways[np.arange(len(m)), np.argmax(np.nan_to_num(size), axis=1)]
    is_rotation = np.abs(np.sum(m * m, axis=(1, 2)) - 3) < 0.3
    return np.where(is_rotation[:, None], normalise(best), np.nan)


def _of_euler(angles: FloatArray) -> FloatArray:
    """Return the quaternion of roll, pitch, yaw (n, 3) in rad, turned in the order yaw, pitch, roll (aerospace)."""
    half = angles / 2
    zero = np.zeros(len(half))
    roll = np.stack((np.cos(half[:, 0]), np.sin(half[:, 0]), zero, zero), axis=1)
    pitch = np.stack((np.cos(half[:, 1]), zero, np.sin(half[:, 1]), zero), axis=1)
    yaw = np.stack((np.cos(half[:, 2]), zero, zero, np.sin(half[:, 2])), axis=1)
    return multiply(multiply(yaw, pitch), roll)
