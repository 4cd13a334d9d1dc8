"""What goes into a case, as solids with their mass: boards, cells, motor, wiring; sizes from hardware/facts.csv.

Each solid stands on z = 0 with its centre at x = y = 0; a board's USB socket looks along +x.
"""

from __future__ import annotations

from dataclasses import dataclass

from build123d import Align, Axis, Box, Cylinder, Part, Pos, fillet

from hardware.facts import value

ON_FLOOR = (Align.CENTER, Align.CENTER, Align.MIN)
USB_DEPTH_MM = (
    7.3  # of the socket along the board; only the outside counts, the inside is taken up by the board
)
USB_RADIUS_MM = 1.2  # of the shell's long edges
DRIVER_MM = (8.0, 5.0, 2.0)
# The metal lid over the chip, generous: its height is a catalogue figure, and no drawing of it was found.
SHIELD_MM = (9.5, 11.0, value("xiao_nrf52840", "shield_height") + 0.4)


@dataclass(frozen=True, slots=True)
class Component:
    """A bought part: its solid in mm and its mass in g; `name` is the reference that wiring and parts list use."""

    name: str
    solid: Part
    mass_g: float
    colour: tuple[float, float, float]


def box(length: float, width: float, height: float) -> Part:
    """Return a box that stands on z = 0, in mm."""
    return Box(length, width, height, align=ON_FLOOR)


def rounded_plate(length: float, width: float, height: float, radius: float) -> Part:
    """Return a plate with rounded corners, standing on z = 0, in mm."""
    plate = box(length, width, height)
    return fillet(plate.edges().filter_by(Axis.Z), radius)


def xiao(kind: str) -> Component:
    """Return a XIAO board (`xiao_nrf52840` or `xiao_esp32s3`): printed circuit, USB-C socket, shield."""
    length, width, thickness = (value(kind, name) for name in ("length", "width", "pcb_thickness"))
    board = rounded_plate(length, width, thickness, value(kind, "corner_radius"))
    usb_x = length / 2 + value(kind, "usb_overhang") - USB_DEPTH_MM / 2
    usb = box(USB_DEPTH_MM, value(kind, "usb_width"), value(kind, "usb_height"))
    usb = fillet(usb.edges().filter_by(Axis.X), USB_RADIUS_MM)
    shield = box(*SHIELD_MM)
    solid = board + Pos(usb_x, 0, thickness) * usb + Pos(-3.0, 0, thickness) * shield
    return Component("U1", solid, value(kind, "mass"), (0.16, 0.30, 0.42))


def cell(kind: str) -> Component:
    """Return a pouch cell at its largest size by the data sheet."""
    solid = box(value(kind, "length"), value(kind, "width"), value(kind, "height"))
    return Component("BT1", solid, value(kind, "mass"), (0.72, 0.72, 0.76))


def motor() -> Component:
    """Return the coin motor."""
    solid = Cylinder(value("motor", "diameter") / 2, value("motor", "height"), align=ON_FLOOR)
    return Component("M1", solid, value("motor", "mass"), (0.80, 0.65, 0.25))


def breakout(name: str = "U2") -> Component:
    """Return the breakout of the IMU: board and its two sockets for the four-wire cable, one at each end along x."""
    length, width, thickness = (value("lsm6dsox", key) for key in ("length", "width", "pcb_thickness"))
    over_sockets, height = breakout_size()
    socket = box(4.2, 6.2, height - thickness)
    solid = rounded_plate(length, width, thickness, 2.5)
    for side in (-1, 1):
        solid += Pos(side * (over_sockets / 2 - 2.1), 0, thickness) * socket
    return Component(name, solid, value("lsm6dsox", "mass"), (0.20, 0.20, 0.22))


def breakout_size() -> tuple[float, float]:
    """Return length and height of the IMU's breakout over its sockets, in mm."""
    names = ("length", "socket_overhang", "pcb_thickness", "socket_height")
    length, overhang, thickness, socket = (value("lsm6dsox", name) for name in names)
    return length + 2 * overhang, thickness + socket


def driver() -> Component:
    """Return transistor, diode and resistor of the motor, soldered to each other and wrapped in tape."""
    return Component("Q1 D1 R1", box(*DRIVER_MM), value("driver", "mass"), (0.25, 0.25, 0.25))
