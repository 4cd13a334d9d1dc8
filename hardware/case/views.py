"""The pictures of the README, drawn from the same solids that get printed: closed, open, exploded, step by step.

Meshes have the names of the parts: base, lid, deck, holder, and what wiring and parts list call the bought ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from build123d import Part, Pos, Rot

from . import catalogue
from .design import Design, designs
from .meshes import triangles
from .raster import Mesh

LID = (0.62, 0.80, 0.86)
BASE = (0.95, 0.95, 0.93)
DECK = (0.88, 0.84, 0.74)
HOLDER = (0.46, 0.51, 0.57)
COLOURS = {"base": BASE, "lid": LID, "deck": DECK}


PARTS = {
    "lid": "lid",
    "M1": "coin motor",
    "U1": "XIAO board",
    "U2": "IMU breakout",
    "Q1 D1 R1": "motor driver",
    "BT1": "cell",
    "base": "base",
    "deck": "deck",
}
IN_LID = {"lid": "lid on its roof", "U1": "board, parts down", "M1": "motor on 1 mm of foam tape"}
IN_BASE = {
    "Q1 D1 R1": "motor driver, in tape",
    "BT1": "cell on 0.2 mm of tape",
    "base": "base, four feet for the board",
}
CLOSING = {
    "lid": "lid with board and motor",
    "Q1 D1 R1": "motor driver",
    "BT1": "cell",
    "base": "base: four clicks",
}
ON_BED = {
    "base": "base",
    "lid": "lid",
    "clip": "collar clip, on its side",
    "neck": "neck band",
    "head": "head band",
}


@dataclass(frozen=True, slots=True)
class View:
    """One picture: its file name, what it shows, and from where (degrees)."""

    name: str
    meshes: list[Mesh]
    azimuth_deg: float
    elevation_deg: float
    size: tuple[int, int] = (900, 640)
    labels: dict[str, str] = field(default_factory=dict)  # name of a mesh -> words beside the picture


def views() -> Iterable[View]:
    """Yield all pictures, one after the other: each takes seconds."""
    zero, large, pod = designs()
    yield View("collar_clip", [*_closed(zero), *_holder(zero, "clip")], 60, 28)
    yield View("collar_clip_back", [*_closed(zero), *_holder(zero, "clip")], 60, -28)
    yield View("neck_band", [*_closed(zero), *_holder(zero, "neck_band")], 50, 32)
    yield View("head_band_back", [*_closed(zero), *_holder(zero, "head_band")], 40, -38)
    yield View(
        "zero_wire_exploded", _exploded(zero, "clip"), 50, 22, (900, 1000), PARTS | {"holder": "collar clip"}
    )
    holder = {"holder": "neck band holder"}
    yield View("esp32s3_exploded", _exploded(large, "neck_band"), 50, 22, (900, 1000), PARTS | holder)
    yield View("esp32s3", [*_closed(large), *_holder(large, "clip")], 60, 28)
    yield View("pod", [*_closed(pod), *_holder(pod, "head_band")], 130, 30)
    yield View("step_lid", _in_lid(zero), 50, 48, labels=IN_LID)
    yield View("step_base", _in_base(zero), 50, 35, labels=IN_BASE)
    yield View("step_close", _closing(zero), 50, 20, labels=CLOSING)
    yield View("print_plate", _plate(zero), -60, 40, (1000, 620), ON_BED)


def _mesh(part: Part, colour: tuple[float, float, float], name: str = "") -> Mesh:
    return Mesh(triangles(part), colour, name)


def _closed(design: Design) -> list[Mesh]:
    return [_mesh(part, COLOURS[name]) for name, part in catalogue.case_of(design.name).items()] + _bought(
        design
    )


def _bought(design: Design, lift: float = 0.0, only: str = "") -> list[Mesh]:
    return [
        _mesh(Pos(0, 0, lift) * place.solid, place.component.colour, place.component.name)
        for place in design.placements
        if not only or place.component.name in only
    ]


def _holder(design: Design, name: str, lift: float = 0.0) -> list[Mesh]:
    return [_mesh(Pos(0, 0, lift) * catalogue.named(f"{design.name}-{name}").part, HOLDER, "holder")]


def _exploded(design: Design, holder: str) -> list[Mesh]:
    """Return everything pulled apart along z, in the order in which it goes together."""
    parts = catalogue.case_of(design.name)
    meshes = _holder(design, holder, -16) + [_mesh(parts["base"], BASE, "base")] + _bought(design, 9, "BT1")
    if "deck" in parts:
        meshes.append(_mesh(Pos(0, 0, 16) * parts["deck"], DECK, "deck"))
    rest = "U1 U2 Q1 D1 R1"
    meshes += _bought(design, 23, rest) + _bought(design, 26, "M1")
    above = 50 if "deck" in parts else 38
    return [*meshes, _mesh(Pos(0, 0, above) * parts["lid"], LID, "lid")]


def _in_lid(design: Design) -> list[Mesh]:
    """Return the lid on its roof with motor and board in it."""
    over = Rot(180, 0, 0)
    lid = _mesh(over * catalogue.case_of(design.name)["lid"], LID, "lid")
    inside = [p for p in design.placements if p.component.name in ("U1", "M1")]
    return [lid] + [_mesh(over * p.solid, p.component.colour, p.component.name) for p in inside]


def _in_base(design: Design) -> list[Mesh]:
    return [
        _mesh(catalogue.case_of(design.name)["base"], BASE, "base"),
        *_bought(design, 0, "BT1"),
        *_bought(design, 0, "Q1 D1 R1"),
    ]


def _closing(design: Design) -> list[Mesh]:
    lid = _mesh(Pos(0, 0, 9) * catalogue.case_of(design.name)["lid"], LID, "lid")
    return [lid, *_in_base(design), *_bought(design, 9, "U1 M1")]


def _plate(design: Design) -> list[Mesh]:
    """Return the five parts of the zero-wire build as they lie on the printer's bed."""
    base, lid, clip, neck, head = (
        catalogue.named(f"{design.name}-{name}").part
        for name in ("base", "lid", "clip", "neck_band", "head_band")
    )
    turned = [base, Rot(180, 0, 0) * lid, Rot(90, 0, 0) * clip, neck, head]
    spots = ((-24, 22), (24, 22), (-46, -26), (0, -26), (46, -26))
    colours = (BASE, LID, HOLDER, HOLDER, HOLDER)
    meshes = []
    for part, (x, y), colour, name in zip(turned, spots, colours, ON_BED, strict=True):
        low = part.bounding_box().min.Z
        meshes.append(_mesh(Pos(x, y, -low) * part, colour, name))
    return meshes
