"""Everything that gets printed: of which case or holder, how it lies on the bed, where it can touch skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import trimesh
from build123d import Part
from numpy.typing import NDArray

from . import shell
from .design import FIT_MM, FLOOR_MM, SKIN_RADIUS_MM, Design, designs
from .holders import (
    ARM_MM,
    FABRIC_MM,
    PLATE_MM,
    SLOT_EDGE_MM,
    SLOT_MM,
    TONGUE_MM,
    WING_MM,
    band_holder,
    collar_clip,
)
from .meshes import mesh

Points = NDArray[np.float64]
NECK_RADIUS_MM, NECK_BAND_MM = 60.0, 25.0  # a neck of 38 cm around
HEAD_RADIUS_MM, HEAD_BAND_MM = (
    85.0,
    25.0,
)  # the back of a head of 57 cm around is a little flatter than a circle of it


@dataclass(frozen=True, slots=True)
class Printed:
    """One part to print: `up` is the direction that looks up on the bed, `supports` what the slicer must add."""

    name: str
    design: Design
    part: Part
    up: tuple[float, float, float]
    supports: str
    is_skin: Callable[[Points], NDArray[np.bool_]] | None = None

    @property
    def is_holder(self) -> bool:
        return self.name.endswith(("clip", "band"))


def _base_skin(design: Design) -> Callable[[Points], NDArray[np.bool_]]:
    """Return where a base can touch: its underside and rounded edge, not the hollow inside."""

    def is_skin(points: Points) -> NDArray[np.bool_]:
        inside = (np.abs(points[:, 0]) < design.half_x + 0.1) & (np.abs(points[:, 1]) < design.half_y + 0.1)
        return np.asarray(
            (points[:, 2] < SKIN_RADIUS_MM - 0.05) & ~(inside & (points[:, 2] > FLOOR_MM - 0.05))
        )

    return is_skin


def _is_tongue_skin(points: Points) -> NDArray[np.bool_]:
    return np.asarray(points[:, 2] < SKIN_RADIUS_MM - FABRIC_MM - TONGUE_MM - 0.05)


def _band_skin(design: Design, radius_mm: float) -> Callable[[Points], NDArray[np.bool_]]:
    """Return where a band holder can touch: its hollow side but the slots, whose edges lie under the band."""
    half = design.outer[1] / 2 + FIT_MM + ARM_MM + WING_MM

    def is_skin(points: Points) -> NDArray[np.bool_]:
        away = np.hypot(points[:, 1], points[:, 2] + PLATE_MM + radius_mm)
        inset = half - np.abs(points[:, 1])
        is_slot = (inset > SLOT_EDGE_MM - 0.1) & (inset < SLOT_EDGE_MM + SLOT_MM + 0.1)
        return np.asarray((away < radius_mm + SKIN_RADIUS_MM - 0.05) & ~is_slot)

    return is_skin


@cache
def everything() -> tuple[Printed, ...]:
    """Return all printed parts; takes some seconds, once."""
    items: list[Printed] = []
    for design in designs():
        for name, part in shell.printed(design).items():
            up = (0.0, 0.0, -1.0) if name == "lid" else (0.0, 0.0, 1.0)
            skin = _base_skin(design) if name == "base" else None
            items.append(Printed(f"{design.name}-{name}", design, part, up, _SUPPORTS[name], skin))
        items += _holders(design)
    return tuple(items)


def named(name: str) -> Printed:
    """Return one part by its name, as `zero_wire-base`."""
    return next(item for item in everything() if item.name == name)


@cache
def surface(name: str) -> trimesh.Trimesh:
    """Return the surface of one part."""
    return mesh(named(name).part)


def case_of(design_name: str) -> dict[str, Part]:
    """Return the printed parts of one case: base, lid and, where there is one, deck."""
    return {
        item.name.split("-")[1]: item.part
        for item in everything()
        if item.design.name == design_name and not item.is_holder
    }


_SUPPORTS = {
    "base": "none: the rounded edge prints on the bed's first layers",
    "lid": "none: lies on its roof",
    "deck": "none",
    "clip": "lies on its side: between the arms and under the tongue",
    "neck_band": "under the seat and the wings",
    "head_band": "under the seat and the wings",
}


def _holders(design: Design) -> list[Printed]:
    bands = (("neck_band", NECK_BAND_MM, NECK_RADIUS_MM), ("head_band", HEAD_BAND_MM, HEAD_RADIUS_MM))
    clip = Printed(
        f"{design.name}-clip",
        design,
        collar_clip(design),
        (0.0, 1.0, 0.0),
        _SUPPORTS["clip"],
        _is_tongue_skin,
    )
    return [clip] + [
        Printed(
            f"{design.name}-{name}",
            design,
            band_holder(design, band, radius),
            (0.0, 0.0, 1.0),
            _SUPPORTS[name],
            _band_skin(design, radius),
        )
        for name, band, radius in bands
    ]
