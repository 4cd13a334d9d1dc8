"""What carries a case on the body: the clip for a collar, holders for a neck band and a head band.

Every holder is in the case's own coordinates (z = 0 is the case's underside) and clicks over the ridges of its lid.
Each edge that can touch skin is rounded by `SKIN_RADIUS_MM`.
"""

from __future__ import annotations

from build123d import (
    Axis,
    Box,
    BuildLine,
    BuildSketch,
    Cylinder,
    GeomType,
    Part,
    Plane,
    Polyline,
    Pos,
    Rot,
    extrude,
    fillet,
    make_face,
)

from .components import box, rounded_plate
from .design import CABLE_MM, FIT_MM, RIDGE_LENGTH_MM, RIDGE_MM, RIM_MM, SKIN_RADIUS_MM, Design

ARM_MM = 1.8  # 1.25 are left behind the groove
ARM_CORNER_MM = 3.0
ARM_OVER_MM = 1.4  # how far an arm reaches above the ridge
END_MM = 2.4  # the closed end of the clip: room for the 2 mm radius
FABRIC_MM = 1.6  # room for a collar: knitwear folds to about this
TONGUE_MM = 2.4
TONGUE_WIDTH_MM = 15.0
TONGUE_LENGTH_MM = 32.0
GRIP_MM = 0.7  # how far the bump near the tongue's tip narrows the gap
PLATE_MM = 2.2  # of a band holder: room for the 2 mm radius
WING_MM = 8.0
SLOT_MM = 2.6  # for a band of up to 2 mm
SLOT_EDGE_MM = 3.0


def collar_clip(design: Design) -> Part:
    """Return the clip: two arms hold the case, a tongue goes inside the collar; its closed end looks up (-x)."""
    length, width, _ = design.outer
    inner_x, inner_y = length / 2 + FIT_MM, width / 2 + FIT_MM
    top = design.ridge_z + ARM_OVER_MM
    back, reach = -(inner_x + END_MM), RIDGE_LENGTH_MM / 2 + 1.5
    outline = rounded_plate(reach + 8.0 - back, 2 * (inner_y + ARM_MM), top, 4.5)
    wall = Pos((back + reach + 8.0) / 2, 0, 0) * outline
    wall -= rounded_plate(2 * inner_x, 2 * inner_y, top, design.plan_radius)
    wall -= Pos(reach + 10.0, 0, 0) * box(20.0, 99, top)
    front = [edge for edge in wall.edges().filter_by(Axis.Y) if abs(edge.center().X - reach) < 0.01]
    wall = fillet(front, ARM_CORNER_MM)
    clip = wall + _hook(back, min(length - 3.0, TONGUE_LENGTH_MM)) - _ridge_room(design)
    if -1 in design.cable_ends:
        width, height = (side + 1.0 for side in CABLE_MM)
        clip -= Pos(back, 0, RIM_MM - 0.5) * box(4 * END_MM, width, height)
    return clip


def band_holder(design: Design, band_mm: float, radius_mm: float) -> Part:
    """Return a holder for a band of `band_mm` that runs across the case, curved to a neck or head of `radius_mm`.

    The band passes under the holder, so that fabric touches the skin.
    """
    inner_y = design.outer[1] / 2 + FIT_MM
    half = inner_y + ARM_MM + WING_MM
    length = band_mm + 2 * SLOT_EDGE_MM + 1.0
    outline = Pos(0, 0, -50) * rounded_plate(length, 2 * half, 50, 5.0)
    plate = outline & (_roll(radius_mm + PLATE_MM, length, radius_mm) - _roll(radius_mm, length, radius_mm))
    seat = Pos(0, 0, -PLATE_MM) * box(length - 4.0, 2 * (inner_y + ARM_MM), PLATE_MM)
    under = plate.faces().filter_by(GeomType.CYLINDER).sort_by(lambda face: face.center().Z)
    skin = [face for face in under if face.radius is not None and abs(face.radius - radius_mm) < 0.01]
    plate = fillet([edge for face in skin for edge in face.edges()], SKIN_RADIUS_MM)
    plate += seat - _roll(radius_mm + 0.5, length, radius_mm)
    for side in (-1, 1):
        slot = rounded_plate(band_mm + 1.0, SLOT_MM, 60, 1.2)
        plate -= Pos(0, side * (half - SLOT_EDGE_MM - SLOT_MM / 2), -50) * slot
    top = design.ridge_z + ARM_OVER_MM
    for side in (-1, 1):
        arm = box(RIDGE_LENGTH_MM + 3.0, ARM_MM, top + 1.0)
        corners = [edge for edge in arm.edges().filter_by(Axis.Y) if top / 2 < edge.center().Z]
        plate += Pos(0, side * (inner_y + ARM_MM / 2), -1.0) * fillet(corners, ARM_CORNER_MM)
    return plate - _ridge_room(design)


def _hook(back: float, length: float) -> Part:
    """Return the clip's closed end and tongue as one bent strip, round towards skin and around its tip."""
    low, tip = -(FABRIC_MM + TONGUE_MM), back + length
    with BuildSketch(Plane.XZ) as profile:
        with BuildLine():
            Polyline(
                (back, 4.0),
                (back, low),
                (tip, low),
                (tip, low + TONGUE_MM),
                (back + END_MM, low + TONGUE_MM),
                (back + END_MM, 4.0),
                close=True,
            )
        make_face()
    strip = extrude(profile.sketch, TONGUE_WIDTH_MM / 2, both=True)
    along_y = strip.edges().filter_by(Axis.Y)
    outer = [e for e in along_y if abs(e.center().X - back) < 0.01 and abs(e.center().Z - low) < 0.01]
    strip = fillet(outer, 3.6)
    bend = [e for e in strip.edges().filter_by(Axis.Y) if abs(e.center().X - back - END_MM) < 0.01]
    strip = fillet([e for e in bend if e.center().Z < 0], FABRIC_MM / 2)
    strip = fillet([e for e in strip.edges().filter_by(Axis.Z) if abs(e.center().X - tip) < 0.01], 6.0)
    floor = strip.faces().sort_by(Axis.Z)[0]
    strip = fillet(floor.edges().filter_by(lambda e: back + 4.0 < e.center().X), SKIN_RADIUS_MM)
    grip_y = TONGUE_WIDTH_MM - 7.0
    grip = Pos(tip - 5.0, 0, low + TONGUE_MM - 1.3 + GRIP_MM) * Rot(90, 0, 0) * Cylinder(1.3, grip_y)
    return strip + grip


def _roll(radius: float, length: float, skin_radius: float) -> Part:
    """Return a cylinder along x, its axis `skin_radius` and a plate's thickness below the underside of the case."""
    return Pos(0, 0, -PLATE_MM - skin_radius) * Cylinder(radius, 2 * length, rotation=(0, 90, 0))


def _ridge_room(design: Design) -> Part:
    """Return what the ridges of the lid need inside the arms."""
    side = (RIDGE_MM + FIT_MM / 2) * 2**0.5
    bar = Rot(45, 0, 0) * Box(RIDGE_LENGTH_MM + 0.4, side, side)
    return sum((Pos(0, s * design.outer[1] / 2, design.ridge_z) * bar for s in (-1, 1)), Part())
