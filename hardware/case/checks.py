"""What must be true of a case before anybody prints it: room, walls, print, soft edges, mass. Lengths in mm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import trimesh
from build123d import Part
from numpy.typing import NDArray

from hardware.facts import value

from .design import FIT_MM, FLOOR_MM, RAIL_MM, WALL_MM, Design

Floats = NDArray[np.float64]
Points = NDArray[np.float64]

OVERHANG_DEG = 45.0  # steeper than this from the vertical prints without support
FACING = -0.9  # cosine between two surfaces that are the two sides of one wall
SHARP_RAD = np.radians(30.0)  # triangles of a rounding turn by at most half of this
ROUNDED_MM = 2.1  # height of the rounded edges on the bed
SAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Clearance:
    """How near two things come, and the volume in mm3 in which they overlap: 0 unless the design is wrong."""

    first: str
    second: str
    distance: float
    overlap: float


def overlap(first: Part, second: Part) -> float:
    """Return the common volume of two solids in mm3."""
    common = first & second
    return float(getattr(common, "volume", 0.0) or 0.0)


def clearances(design: Design, parts: Mapping[str, Part]) -> list[Clearance]:
    """Return every pair of printed part with bought part, and of bought parts with each other."""
    bought = {place.component.name: place.solid for place in design.placements}
    names = list(bought)
    pairs = [(a, parts[a], b, bought[b]) for a in parts for b in bought]
    pairs += [(a, bought[a], b, bought[b]) for i, a in enumerate(names) for b in names[:i]]
    return [
        Clearance(a, b, first.distance_to(second), overlap(first, second)) for a, first, b, second in pairs
    ]


def mass_g(part: Part) -> float:
    """Return the mass of a printed part, solid, in PETG."""
    return float(part.volume) * value("petg", "density") / 1000


def total_mass_g(design: Design, parts: Mapping[str, Part]) -> float:
    """Return the mass of a case with all that is in it."""
    bought = sum(place.component.mass_g for place in design.placements)
    return bought + sum(mass_g(part) for part in parts.values()) + value("wires", "mass")


def centre_of_mass(design: Design, parts: Mapping[str, Part]) -> Floats:
    """Return the centre of mass (3,) in mm; bought parts count as if each were of one material."""
    rows = [(mass_g(part), part.center()) for part in parts.values()]
    rows += [(place.component.mass_g, place.solid.center()) for place in design.placements]
    masses = np.array([mass for mass, _ in rows])
    points = np.array([(at.X, at.Y, at.Z) for _, at in rows])
    return np.asarray(np.einsum("n,ni->i", masses, points) / masses.sum())


@cache  # the tests and the report ask for the same ones
def thinnest_wall(surface: trimesh.Trimesh, seed: int = 0) -> tuple[float, Floats]:
    """Return the least thickness found and where: rays into the material, to the other side of the same wall."""
    points, faces = trimesh.sample.sample_surface(surface, SAMPLES, seed=seed)
    normals = surface.face_normals[faces]
    through = _first_hit(surface, points - normals * 1e-3, -normals)
    least = int(np.argmin(through))
    return float(through[least]), np.asarray(points[least])


def overhang_mm2(surface: trimesh.Trimesh, up: tuple[float, float, float], above_mm: float = 0.05) -> float:
    """Return the area that hangs over by more than `OVERHANG_DEG` when printed with `up` upwards, in mm2.

    Nothing lower than `above_mm` over the bed counts: `ROUNDED_MM` leaves out a rounded edge that lies on the bed,
    whose first layers step outwards by less than a line's width each.
    """
    direction = np.asarray(up) / np.linalg.norm(up)
    height = surface.triangles_center @ direction
    down = surface.face_normals @ direction
    hangs = (down < -np.sin(np.radians(OVERHANG_DEG))) & (height > height.min() + above_mm)
    return float(surface.area_faces[hangs].sum())


def sharp_edges(surface: trimesh.Trimesh, is_skin: Callable[[Points], NDArray[np.bool_]]) -> Points:
    """Return the middles (n, 3) of convex edges sharper than a rounding, where `is_skin` says that skin may touch."""
    sharp = (surface.face_adjacency_angles > SHARP_RAD) & surface.face_adjacency_convex
    middles = surface.vertices[surface.face_adjacency_edges[sharp]].mean(axis=1)
    return np.asarray(middles[is_skin(middles)])


def least_radius(part: Part, is_skin: Callable[[Points], NDArray[np.bool_]]) -> float:
    """Return the smallest radius of the round faces that lie where skin may touch, in mm."""
    radii = [np.inf]
    for face in part.faces():
        at = face.center()
        if is_skin(np.array([[at.X, at.Y, at.Z]]))[0]:
            radii += [
                r for r in (face.radius, (face.radii or (None,))[-1]) if r is not None
            ]  # a torus: its minor one
    return float(min(radii))


def snap_strain(design: Design) -> tuple[float, float]:
    """Return the strain when the lid clicks on: shared by rail and lid's wall, and if the rail took it all.

    Both are cantilevers, strain 1.5 t d / L^2; they share d as (L / t)^3. The corners of the lid stiffen its wall,
    so the truth lies between the two.
    """
    rail, wall = design.snap_z - FLOOR_MM, design.roof_z - design.snap_z
    soft_rail, soft_wall = (rail / RAIL_MM) ** 3, (wall / WALL_MM) ** 3
    of_wall = design.snap_mm * soft_wall / (soft_rail + soft_wall)
    shared = max(1.5 * WALL_MM * of_wall / wall**2, 1.5 * RAIL_MM * (design.snap_mm - of_wall) / rail**2)
    return shared, 1.5 * RAIL_MM * design.snap_mm / rail**2


def snap_play() -> float:
    """Return the play of the closed case: what a bump has around it in its pocket."""
    return FIT_MM


def _first_hit(surface: trimesh.Trimesh, origins: Points, directions: Points) -> Floats:
    """Return for each ray the way to the first surface that faces it (Moeller and Trumbore), inf if there is none."""
    triangles = surface.triangles
    edge1, edge2 = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    found = np.full(len(origins), np.inf)
    for start in range(0, len(origins), 100):
        rays = slice(start, start + 100)
        direction = directions[rays, None]
        p = np.cross(direction, edge2[None])
        det = np.einsum("nfi,fi->nf", p, edge1)
        with np.errstate(divide="ignore", invalid="ignore"):
            t0 = origins[rays, None] - triangles[None, :, 0]
            u = np.einsum("nfi,nfi->nf", t0, p) / det
            q = np.cross(t0, edge1[None])
            v = np.einsum("nfi,nfi->nf", q, np.broadcast_to(direction, q.shape)) / det
            way = np.einsum("nfi,fi->nf", q, edge2) / det
            facing = np.einsum("ni,fi->nf", -directions[rays], surface.face_normals) < FACING
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (way > 1e-2) & facing
        found[rays] = np.where(hit, way, np.inf).min(axis=1)
    return found
