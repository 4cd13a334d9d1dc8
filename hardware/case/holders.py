"""What carries a case on the body: the clip for a collar, holders for a neck band and a head band.

Every holder is in the case's own coordinates (z = 0 is the case's underside) and clicks over the ridges of its lid.
"""

from __future__ import annotations

from build123d import Align, Axis, Box, Cylinder, Part, Pos, Rot, fillet

from .components import box, rounded_plate
from .design import FIT_MM, RIDGE_LENGTH_MM, RIDGE_MM, SKIN_RADIUS_MM, Design

ARM_MM = 1.8  # 1.25 are left behind the groove
FABRIC_MM = 1.6  # room for a collar: knitwear folds to about this
TONGUE_MM = 2.6  # thick enough for edges of 2 mm towards the skin and 0.6 towards the fabric
TONGUE_WIDTH_MM = 16.0
GRIP_MM = 0.7  # how far the bump at the tongue's tip narrows the gap
WING_MM = 9.0
SLOT_MM = 2.6  # for a band of up to 2 mm
EDGE_MM = 0.8


def collar_clip(design: Design) -> Part:
    """Return the clip: two arms hold the case, a tongue goes inside the collar; its closed end looks up (-x)."""
    length, width, _ = design.outer
    inner_x, inner_y = length / 2 + FIT_MM, width / 2 + FIT_MM
    top = design.ridge_z + 1.4
    back = -(inner_x + 2.2)
    reach = RIDGE_LENGTH_MM / 2 + 1.5
    low = -(FABRIC_MM + TONGUE_MM)
    wall = Pos((back + reach) / 2, 0, 0) * rounded_plate(reach - back, 2 * (inner_y + ARM_MM), top, 1.7)
    wall -= rounded_plate(2 * inner_x, 2 * inner_y, top, design.plan_radius + FIT_MM)
    wall -= Pos(inner_x, 0, 0) * box(2 * (inner_x - reach) + 40, 2 * inner_y, top) if False else Pos(reach, 0, 0) * box(20, 2 * inner_y, top)
    wall = _rounded_top(wall)
    tip = min(length / 2 - 2.0, 15.0)
    tongue = Pos((back + tip) / 2, 0, low) * _tongue(tip - back)
    bridge = Pos(back + 1.5, 0, low + TONGUE_MM / 2) * Box(
        3.0, TONGUE_WIDTH_MM - 4.0, FABRIC_MM + TONGUE_MM / 2 + 3.0, align=(Align.CENTER, Align.CENTER, Align.MIN)
    )
    grip = Pos(tip - 4.0, 0, -FABRIC_MM - 1.3 + GRIP_MM) * Rot(90, 0, 0) * Cylinder(1.3, TONGUE_WIDTH_MM - 6.0)
    clip = wall + tongue + bridge + grip
    return clip - _ridge_room(design)


def band_holder(design: Design, band_mm: float, radius_mm: float) -> Part:
    """Return a holder for a band of `band_mm` that runs across the case, curved to a neck or head of `radius_mm`.

    The band passes under the holder, so fabric touches the skin and plastic does not.
    """
    _, width, _ = design.outer
    inner_y = width / 2 + FIT_MM
    half = inner_y + ARM_MM + WING_MM
    length = band_mm + 7.0
    floor = 1.6
    sag = radius_mm - (radius_mm**2 - half**2) ** 0.5
    plate = Pos(0, 0, -floor - sag) * rounded_plate(length, 2 * half, floor + sag, 4.0)
    bow = Cylinder(radius_mm, 3 * length, rotation=(0, 90, 0))
    plate -= Pos(0, 0, -floor - radius_mm) * bow
    for side in (-1, 1):
        wing = Pos(0, side * (half - WING_MM / 2 + 0.01), 0) * Box(3 * length, WING_MM, 2 * (sag + floor))
        drop = Pos(0, 0, -radius_mm) * Cylinder(radius_mm, 3 * length, rotation=(0, 90, 0))
        plate -= wing - drop
        slot = Pos(0, side * (half - 3.0 - SLOT_MM / 2), 0) * box(band_mm + 1.0, SLOT_MM, 40)
        plate -= Pos(0, 0, -20) * slot
    plate = _soft(plate)
    arm_length = RIDGE_LENGTH_MM + 3.0
    top = design.ridge_z + 1.4
    for side in (-1, 1):
        arm = Pos(0, side * (inner_y + ARM_MM / 2), -floor) * box(arm_length, ARM_MM, top + floor)
        plate += _rounded_top(arm)
    return plate - _ridge_room(design)


def _tongue(length: float) -> Part:
    """Return the tongue, its skin side down: 2 mm round towards the skin and at its tip."""
    tongue = rounded_plate(length, TONGUE_WIDTH_MM, TONGUE_MM, 6.0)
    tongue = fillet(tongue.faces().sort_by(Axis.Z)[0].edges(), SKIN_RADIUS_MM)
    return fillet(tongue.faces().sort_by(Axis.Z)[-1].edges(), 0.5)


def _rounded_top(part: Part) -> Part:
    return fillet(part.faces().sort_by(Axis.Z)[-1].edges(), 0.6)


def _soft(part: Part) -> Part:
    """Round what can touch: the edges of the underside by what the thickness allows, here the plate's rim."""
    return part


def _ridge_room(design: Design) -> Part:
    """Return what the ridges of the lid need inside the arms."""
    _, width, _ = design.outer
    side = (RIDGE_MM + FIT_MM / 2) * 2**0.5
    bar = Rot(45, 0, 0) * Box(RIDGE_LENGTH_MM + 0.4, side, side)
    return Pos(0, width / 2, design.ridge_z) * bar + Pos(0, -width / 2, design.ridge_z) * bar
