"""Solids as triangles: for STL files, for the checks on meshes and for the pictures."""

from __future__ import annotations

import numpy as np
import trimesh
from build123d import Part
from numpy.typing import NDArray

CHORD_MM = 0.03  # how far a triangle may miss the true surface
TURN_RAD = 0.25


def mesh(part: Part) -> trimesh.Trimesh:
    """Return the surface of a solid as one mesh with shared corners, in mm."""
    corners, faces = part.tessellate(CHORD_MM, TURN_RAD)
    points = np.array([(v.X, v.Y, v.Z) for v in corners])
    surface = trimesh.Trimesh(points, np.array(faces), process=True)
    surface.merge_vertices(digits_vertex=5)
    surface.update_faces(surface.nondegenerate_faces())
    return surface


def triangles(part: Part) -> NDArray[np.float64]:
    """Return the triangles (n, 3, 3) of a solid, in mm."""
    return np.asarray(mesh(part).triangles)
