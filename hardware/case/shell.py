"""Base, lid and deck of a case, from a `Design`: printed parts, closed by four snap bumps, no screws."""

from __future__ import annotations

from build123d import Align, Axis, Box, Cylinder, Part, Pos, Rot, fillet

from .components import ON_FLOOR, box, rounded_plate
from .design import (
    CABLE_MM,
    FIT_MM,
    FLOOR_MM,
    GAP_MM,
    POST_MM,
    RAIL_MM,
    RIDGE_LENGTH_MM,
    RIDGE_MM,
    RIM_MM,
    SKIN_RADIUS_MM,
    SNAP_LENGTH_MM,
    WALL_MIN_MM,
    WALL_MM,
    Design,
)

TOP_RADIUS_MM = 2.0
TOP_INSIDE_MM = 0.8  # radius inside the lid's upper edge, so that the wall is as thick there as elsewhere
FLOOR_INSIDE_MM = 0.8  # the same above the rounded edge of the base
RAIL_SETBACK_MM = 2.4  # the rails end before the rounded corners of the lid
USB_GAP_MM = 0.2
RING_MM = 2.2  # height of the wall around the motor
RING_WALL_MM = 1.25
WIRE_HOLE_MM = (6.0, 2.6)
WIRE_HOLE_X_MM = 9.0


def base(design: Design) -> Part:
    """Return the half that faces the skin: floor, rim, rails with the snap pockets, feet for the boards."""
    length, width, _ = design.outer
    body = rounded_plate(length, width, RIM_MM, design.plan_radius)
    body = fillet(body.faces().sort_by(Axis.Z)[0].edges(), SKIN_RADIUS_MM)
    body -= _cell_room(design)
    rail_y = design.half_y - FIT_MM - RAIL_MM / 2
    whole = design.half_x - RAIL_SETBACK_MM
    for side in (-1, 1):
        for start, end in design.rail_spans or ((-whole, whole),):
            body += _rail(design, side, start, end)
    if design.deck_z is None:
        for x, y, low, high in design.feet:
            body += Pos(x, y, low) * box(POST_MM, POST_MM, high - low)
    for side in (-1, 1):
        for x in design.snap_xs:
            pocket = _bar(SNAP_LENGTH_MM + 0.6, design.snap_mm + FIT_MM)
            body -= Pos(x, side * (rail_y + RAIL_MM / 2), design.snap_z) * pocket
    if design.usb and design.usb_from is not None:
        body += _below_usb(design, design.usb, -FIT_MM, 3.3 / 2 + USB_GAP_MM)
    return body


def deck(design: Design) -> Part | None:
    """Return the plate between cell and boards, which keeps solder away from the pouch; None where there is none."""
    if design.deck_z is None:
        return None
    length, width = (2 * (side - FIT_MM - 0.1) for side in (design.half_x, design.half_y))
    plate = Pos(0, 0, design.deck_z) * rounded_plate(length, width, WALL_MIN_MM, _inside_radius(design))
    plate -= Pos(WIRE_HOLE_X_MM, 3.2 - design.half_y, design.deck_z) * box(*WIRE_HOLE_MM, WALL_MIN_MM)
    for x, y, low, high in design.feet:
        plate += Pos(x, y, low) * box(POST_MM, POST_MM, high - low)
    return plate


def lid(design: Design) -> Part:
    """Return the outer half: walls and roof, the way in for USB, stops above the boards, ridges for a holder."""
    length, width, height = design.outer
    body = Pos(0, 0, RIM_MM) * rounded_plate(length, width, height - RIM_MM, design.plan_radius)
    body = fillet(body.faces().sort_by(Axis.Z)[-1].edges(), TOP_RADIUS_MM)
    room = rounded_plate(2 * design.half_x, 2 * design.half_y, design.roof_z, _inside_radius(design))
    body -= fillet(room.faces().sort_by(Axis.Z)[-1].edges(), TOP_INSIDE_MM)
    for side in (-1, 1):
        for x in design.snap_xs:
            body += Pos(x, side * design.half_y, design.snap_z) * _bar(
                SNAP_LENGTH_MM, design.snap_mm + FIT_MM
            )
        body += Pos(0, side * width / 2, design.ridge_z) * _bar(RIDGE_LENGTH_MM, RIDGE_MM)
    for x, y, low in design.stops:
        body += Pos(x, y, low) * box(POST_MM, POST_MM, design.roof_z - low + 0.3)
    if design.ring:
        body += _motor_ring(design, design.ring)
    if design.usb:
        body -= _usb_way(design, design.usb)
        if design.usb_from is not None:
            body -= _below_usb(design, design.usb, 0.0, 0.0)
    for end in design.cable_ends:
        body -= Pos(end * (design.half_x + WALL_MM / 2), 0, RIM_MM) * box(3 * WALL_MM, *CABLE_MM)
    return body


def printed(design: Design) -> dict[str, Part]:
    """Return the printed parts of a case by name, each in its place."""
    parts = {"base": base(design), "lid": lid(design)}
    plate = deck(design)
    if plate is not None:
        parts["deck"] = plate
    return parts


def _cell_room(design: Design) -> Part:
    """Return the hollow of the base, rounded at the floor as the outside is."""
    room = rounded_plate(2 * design.half_x, 2 * design.half_y, RIM_MM, _inside_radius(design))
    return Pos(0, 0, FLOOR_MM) * fillet(room.faces().sort_by(Axis.Z)[0].edges(), FLOOR_INSIDE_MM)


def _rail(design: Design, side: int, start: float, end: float) -> Part:
    """Return a piece of the rail on one long side (-1, +1); below the lid it is one with the wall."""
    inner = design.half_y - FIT_MM - RAIL_MM
    x, low = (start + end) / 2, 0.4  # into the floor, where its edge is rounded
    rail = Pos(x, side * (inner + RAIL_MM / 2), FLOOR_MM - low) * box(
        end - start, RAIL_MM, design.rail_top - FLOOR_MM + low
    )
    foot = Pos(x, side * (inner + design.half_y) / 2, FLOOR_MM - low) * box(
        end - start, design.half_y - inner, RIM_MM - FLOOR_MM + low
    )
    return rail + foot


def _inside_radius(design: Design) -> float:
    return design.plan_radius - WALL_MM


def _bar(length: float, depth: float) -> Part:
    """Return a bar along x that stands on its edge: it comes out of a wall by `depth` at 45 degrees, so it prints."""
    side = depth * 2**0.5
    return Rot(45, 0, 0) * Box(length, side, side)


def _usb_way(design: Design, centre: tuple[float, float]) -> Part:
    """Return the way in for a plug; where the roof is open over the socket it goes on through it."""
    width, height = 9.0 + 2 * USB_GAP_MM, 3.3 + 2 * USB_GAP_MM
    way = Pos(design.half_x + WALL_MM / 2, *centre) * Box(3 * WALL_MM, width, height)
    way = fillet(way.edges().filter_by(Axis.X), 1.4)
    if design.usb_from is None:
        return way
    start, end = design.usb_from - USB_GAP_MM, design.half_x + 3 * WALL_MM
    window = Box(end - start, width, 2 * height, align=(Align.MIN, Align.CENTER, Align.MIN))
    return way + Pos(start, *centre) * window


def _below_usb(design: Design, centre: tuple[float, float], wider: float, below: float) -> Part:
    """Return the end wall up to `below` under the middle of an open socket: the base has it instead of the lid.

    So the board with its socket goes straight into the lid, and the base shuts the way out.
    """
    y, z = centre
    wall = box(WALL_MM, 9.0 + 2 * USB_GAP_MM + 2 * wider, z - below - RIM_MM)
    return Pos(design.half_x + WALL_MM / 2, y, RIM_MM) * wall


def _motor_ring(design: Design, centre: tuple[float, float]) -> Part:
    """Return two arcs beside the motor, so that it does not walk off its tape; open along x for board and wires."""
    inner = 5.0 + GAP_MM / 2
    ring = Cylinder(inner + RING_WALL_MM, RING_MM, align=ON_FLOOR) - Cylinder(inner, RING_MM, align=ON_FLOOR)
    ring -= box(30, 8.0, RING_MM)
    return Pos(*centre, design.roof_z - RING_MM + 0.1) * ring
