"""Pictures of meshes without a screen: a depth buffer in numpy, shaded, with outlines where surfaces break.

parts in mm -> projection -> triangles into the buffer -> light and outlines -> pixels (n, m, 3)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMOOTHING = 2  # the buffer is this many times larger than the picture
LIGHTS = (((0.25, 0.80, 0.60), 0.55), ((-0.75, 0.15, 0.65), 0.28))  # towards them, as the camera sees it
AMBIENT = 0.36
OUTLINE_MM = 0.9  # a jump in depth that is drawn as an edge
OUTLINE_TURN = 0.80  # cosine between two neighbouring surfaces that is drawn as an edge
PAPER = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles (n, 3, 3) in mm, a colour, and a name to find it by in the picture."""

    triangles: Floats
    colour: tuple[float, float, float]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels (height, width, 3) in 0 to 1, and for each mesh that shows a pixel (x, y) in the middle of it."""

    pixels: Floats
    spots: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Buffer:
    """What is nearest at each pixel: its depth, normal, colour, and the number of its mesh."""

    depth: Floats
    normal: Floats
    colour: Floats
    owner: NDArray[np.int16]


def view(azimuth_deg: float, elevation_deg: float) -> Floats:
    """Return the rotation (3, 3) to a camera: rows are right, up and towards the viewer."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    towards = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    return np.asarray(np.stack([right, np.cross(towards, right), towards]))


def picture(meshes: list[Mesh], camera: Floats, width: int, height: int, margin: float = 0.05) -> Picture:
    """Return a picture that the parts fill."""
    w, h = width * SMOOTHING, height * SMOOTHING
    seen = [np.einsum("ij,nkj->nki", camera, mesh.triangles) for mesh in meshes]
    corners = np.concatenate([t.reshape(-1, 3) for t in seen])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = (1 - 2 * margin) * min(w / (high[0] - low[0]), h / (high[1] - low[1]))
    middle = (low + high) / 2
    buffer = _Buffer(
        depth=np.full((h, w), -np.inf),
        normal=np.zeros((h, w, 3)),
        colour=np.ones((h, w, 3)) * PAPER,
        owner=np.full((h, w), -1, dtype=np.int16),
    )
    for number, (mesh, triangles) in enumerate(zip(meshes, seen, strict=True)):
        _draw(triangles, mesh.colour, number, scale, middle, buffer)
    pixels = _shade(buffer.depth, buffer.normal, buffer.colour)
    smooth = pixels.reshape(height, SMOOTHING, width, SMOOTHING, 3).mean(axis=(1, 3))
    return Picture(np.asarray(np.clip(smooth, 0, 1)), _spots(meshes, buffer.owner))


def _spots(meshes: list[Mesh], owner: NDArray[np.int16]) -> dict[str, tuple[int, int]]:
    """Return for each named mesh that shows the pixel of its own that is nearest to the middle of what shows."""
    spots = {}
    for number, mesh in enumerate(meshes):
        y, x = np.nonzero(owner == number)
        if mesh.name and len(x):
            nearest = int(np.argmin((x - x.mean()) ** 2 + (y - y.mean()) ** 2))
            spots[mesh.name] = (int(x[nearest]) // SMOOTHING, int(y[nearest]) // SMOOTHING)
    return spots


def _draw(
    triangles: Floats,
    tint: tuple[float, float, float],
    number: int,
    scale: float,
    middle: Floats,
    buffer: _Buffer,
) -> None:
    h, w = buffer.depth.shape
    across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    length = np.linalg.norm(across, axis=1)
    kept = (length > 1e-9) & (across[:, 2] > 0)
    normals = across[kept] / length[kept, None]
    points = triangles[kept]
    xs = (points[:, :, 0] - middle[0]) * scale + w / 2
    ys = h / 2 - (points[:, :, 1] - middle[1]) * scale
    for x, y, z, n in zip(xs, ys, points[:, :, 2], normals, strict=True):
        left, right = max(int(np.floor(x.min())), 0), min(int(np.ceil(x.max())) + 1, w)
        top, bottom = max(int(np.floor(y.min())), 0), min(int(np.ceil(y.max())) + 1, h)
        if left >= right or top >= bottom:
            continue
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
        if area == 0:
            continue
        gx, gy = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
        b1 = ((gx - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (gy - y[0])) / area
        b2 = ((x[1] - x[0]) * (gy - y[0]) - (gx - x[0]) * (y[1] - y[0])) / area
        far = z[0] + b1 * (z[1] - z[0]) + b2 * (z[2] - z[0])
        patch = (slice(top, bottom), slice(left, right))
        hit = (b1 >= -1e-6) & (b2 >= -1e-6) & (b1 + b2 <= 1 + 1e-6) & (far > buffer.depth[patch])
        buffer.depth[patch][hit] = far[hit]
        buffer.normal[patch][hit] = n
        buffer.colour[patch][hit] = tint
        buffer.owner[patch][hit] = number


def _shade(depth: Floats, normal: Floats, colour: Floats) -> Floats:
    light = np.full(depth.shape, AMBIENT)
    for direction, strength in LIGHTS:
        towards = np.asarray(direction) / np.linalg.norm(direction)
        light += strength * np.clip(np.einsum("hwi,i->hw", normal, towards), 0, 1)
    drawn = np.isfinite(depth)
    pixels = np.where(drawn[..., None], colour * light[..., None], colour)
    pixels[_outline(depth, normal)] *= 0.35
    return pixels


def _outline(depth: Floats, normal: Floats) -> NDArray[np.bool_]:
    """Return where neighbouring pixels belong to surfaces that do not go on in each other."""
    flat = np.where(np.isfinite(depth), depth, -1e3)
    edge = np.zeros(depth.shape, bool)
    for axis in (0, 1):
        jump = np.abs(np.diff(flat, axis=axis)) > OUTLINE_MM
        both = np.isfinite(np.take(depth, range(1, depth.shape[axis]), axis=axis)) & np.isfinite(
            np.take(depth, range(depth.shape[axis] - 1), axis=axis)
        )
        first = np.take(normal, range(1, depth.shape[axis]), axis=axis)
        second = np.take(normal, range(depth.shape[axis] - 1), axis=axis)
        turn = both & (np.einsum("hwi,hwi->hw", first, second) < OUTLINE_TURN)
        found = jump | turn
        pad = ((0, 1), (0, 0)) if axis == 0 else ((0, 0), (0, 1))
        edge |= np.pad(found, pad)
    return edge
