"""The three cases as numbers: how large, what lies where, how thick, how tight. All lengths in mm, all masses in g.

x runs along the case with the USB socket at +x, z away from the skin: z = 0 is the side that faces the skin.
"""

from __future__ import annotations

from dataclasses import dataclass

from build123d import Part, Pos, Rot

from hardware.facts import value

from . import components
from .components import Component

WALL_MIN_MM = 1.2  # three lines of a 0.4 mm nozzle
SKIN_RADIUS_MM = 2.0  # of every edge that can touch skin
GAP_MM = 0.3  # around bought parts: prints and boards vary by a tenth or two
CLOSE_MM = 0.2  # between parts that can give way along the case: the room of three of them adds up
FIT_MM = 0.15  # between printed parts that slide into each other, on each side
ROOF_GAP_MM = 0.3  # above the tallest part
SWELL_MM = 0.5  # above a pouch cell: it grows thicker with age
FLOOR_MM = ROOF_MM = WALL_MM = WALL_MIN_MM
CELL_TAPE_MM = 0.2  # double-sided, under the cell: it lies above the rounding between floor and wall
RIM_MM = 2.6  # height of the base's edge, where the lid begins
RAIL_MM = 1.65  # 1.25 are left behind a snap pocket
SNAP_MM = 0.25  # overlap of a snap bump on the lid and the base's rail
SNAP_LENGTH_MM = 5.0
RIDGE_MM = 0.45  # on the lid's long sides: a holder's arms click over it
RIDGE_LENGTH_MM = 14.0
POST_MM = 1.5
CABLE_MM = (4.4, 2.4)  # width and height of the way out for a four-wire cable
TAPE_MM = 0.2  # double-sided, under the motor
FOAM_MM = 1.0  # the same of stiff foam: a motor near a wall keeps clear of the rounding between wall and roof


@dataclass(frozen=True, slots=True)
class Placement:
    """A bought part and where it lies: its centre, the height of its underside, its turn about z in degrees."""

    component: Component
    x: float
    y: float
    z: float
    turn_deg: float = 0.0

    @property
    def solid(self) -> Part:
        return Pos(self.x, self.y, self.z) * Rot(0, 0, self.turn_deg) * self.component.solid


@dataclass(frozen=True, slots=True)
class Design:
    """One case. `half_x` and `half_y` are half the inside; the rails stand on the base along the long sides.

    `feet` are posts (x, y, from, to) under the corners of the boards, `stops` (x, y, from) come down from the roof.
    `usb` is the socket's centre (y, z), `usb_from` where it begins along x when the roof is open over it, `ring` the
    centre of the motor (x, y); `cable_ends` are the ends (-1, +1) with a way out.
    """

    name: str
    title: str
    half_x: float
    half_y: float
    roof_z: float
    rail_top: float
    snap_z: float
    ridge_z: float
    placements: tuple[Placement, ...]
    usb: tuple[float, float] | None = None
    usb_from: float | None = None
    deck_z: float | None = None
    feet: tuple[tuple[float, float, float, float], ...] = ()
    stops: tuple[tuple[float, float, float], ...] = ()
    ring: tuple[float, float] | None = None
    cable_ends: tuple[int, ...] = ()
    rail_spans: tuple[tuple[float, float], ...] = ()  # pieces of each rail along x; none: one of full length
    plan_radius: float = 3.2
    snap_mm: float = SNAP_MM
    snap_xs: tuple[float, ...] = (-9.0, 9.0)

    @property
    def outer(self) -> tuple[float, float, float]:
        """Length, width and height over all, without a holder."""
        return 2 * (self.half_x + WALL_MM), 2 * (self.half_y + WALL_MM), self.roof_z + ROOF_MM


def zero_wire() -> Design:
    """XIAO nRF52840 Sense over a 130 mAh cell, motor beside the board: nothing but cell and motor is soldered."""
    board, cell, motor, driver = (
        components.xiao("xiao_nrf52840"),
        components.cell("cell_130"),
        components.motor(),
        components.driver(),
    )
    length, usb = value("xiao_nrf52840", "length"), value("xiao_nrf52840", "usb_overhang")
    half_x = value("cell_130", "length") / 2 + GAP_MM
    half_y = value("xiao_nrf52840", "width") / 2 + GAP_MM
    board_x = half_x - CLOSE_MM - length / 2
    cell_z = FLOOR_MM + CELL_TAPE_MM
    board_z = cell_z + value("cell_130", "height") + 0.7  # swelling, or the solder of the cell's wires
    pcb_top = board_z + value("xiao_nrf52840", "pcb_thickness")
    roof_z = pcb_top + components.SHIELD_MM[2] + ROOF_GAP_MM  # the socket stands in an opening of the roof
    radius = value("motor", "diameter") / 2
    motor_x, motor_y = board_x - length / 2 - 0.15 - radius, radius + 0.35 - half_y
    corners = _corners(board_x, length / 2 - 1.9)  # under D0, 5V, D6 and D7, where nothing is soldered
    foot_y = half_y - FIT_MM - RAIL_MM + POST_MM / 2
    return Design(
        name="zero_wire",
        title="XIAO nRF52840 Sense, 130 mAh",
        half_x=half_x,
        half_y=half_y,
        roof_z=roof_z,
        rail_top=board_z - 1.0,
        snap_z=board_z - 1.65,
        ridge_z=7.8,
        placements=(
            Placement(cell, 0, 0, cell_z),
            Placement(board, board_x, 0, board_z),
            Placement(motor, motor_x, motor_y, roof_z - FOAM_MM - value("motor", "height")),
            Placement(driver, motor_x, half_y - 0.5 - components.DRIVER_MM[1] / 2, board_z - 0.2),
        ),
        usb=(0.0, pcb_top + value("xiao_nrf52840", "usb_height") / 2),
        usb_from=board_x + length / 2 + usb - components.USB_DEPTH_MM,
        feet=tuple((x, side * foot_y, FLOOR_MM, board_z) for x in corners for side in (-1, 1)),
        stops=tuple((x, side * foot_y, pcb_top + 0.1) for x in corners for side in (-1, 1)),
        ring=(motor_x, motor_y),
        snap_xs=(-7.2, 8.6),
        rail_spans=(
            (-11.2, corners[0] + POST_MM / 2),
            (4.6, corners[1]),
        ),  # a piece for each snap, with a foot in it
        plan_radius=3.2,
    )


def esp32s3() -> Design:
    """XIAO ESP32-S3 and an LSM6DSOX breakout over a 500 mAh cell, a deck between boards and cell."""
    board, imu = components.xiao("xiao_esp32s3"), components.breakout()
    length, width = value("xiao_esp32s3", "length"), value("xiao_esp32s3", "width")
    (imu_length, imu_height), imu_width = components.breakout_size(), value("lsm6dsox", "width")
    half_x = (length + imu_width + 3 * 0.4) / 2
    half_y = value("cell_500", "width") / 2 + 0.5 + RAIL_MM + FIT_MM
    deck_z = FLOOR_MM + CELL_TAPE_MM + value("cell_500", "height") + SWELL_MM
    board_z = deck_z + WALL_MIN_MM + 0.8  # solder joints and wires under the boards
    roof_z = board_z + max(value("xiao_esp32s3", "height"), imu_height) + ROOF_GAP_MM
    board_x, board_y = half_x - 0.4 - length / 2, -half_y + 0.5 + width / 2
    imu_x = -half_x + 0.4 + imu_width / 2
    motor_x, motor_y = board_x - 2.0, board_y + width / 2 + 0.7 + value("motor", "diameter") / 2
    driver = Placement(components.driver(), board_x + 6.0, motor_y + 1.0, board_z, 90)
    pcb_top = board_z + value("xiao_esp32s3", "pcb_thickness")
    board_corners = tuple(
        (x, board_y + side * (width / 2 - 0.9))
        for x in _corners(board_x, length / 2 - 1.1)
        for side in (-1, 1)
    )
    imu_corners = tuple(
        (imu_x + a * (imu_width / 2 - 1.4), b * (imu_length / 2 - 1.4)) for a in (-1, 1) for b in (-1, 1)
    )
    return Design(
        name="esp32s3",
        title="XIAO ESP32-S3 with LSM6DSOX breakout, 500 mAh",
        half_x=half_x,
        half_y=half_y,
        roof_z=roof_z,
        rail_top=deck_z,
        snap_z=FLOOR_MM + 3.6,
        ridge_z=9.5,
        placements=(
            Placement(components.cell("cell_500"), 0, 0, FLOOR_MM + CELL_TAPE_MM),
            Placement(board, board_x, board_y, board_z),
            Placement(imu, imu_x, 0, board_z, 90),
            Placement(components.motor(), motor_x, motor_y, roof_z - TAPE_MM - value("motor", "height")),
            driver,
        ),
        usb=(board_y, pcb_top + value("xiao_esp32s3", "usb_height") / 2),
        deck_z=deck_z,
        feet=tuple((x, y, deck_z + WALL_MIN_MM, board_z) for x, y in (*board_corners, *imu_corners)),
        stops=tuple((x, y, pcb_top + 0.1) for x, y in board_corners)
        + tuple((x, y, board_z + value("lsm6dsox", "pcb_thickness") + 0.1) for x, y in imu_corners),
        ring=(motor_x, motor_y),
        cable_ends=(-1,),
        snap_xs=(-12.0, 12.0),
    )


def pod() -> Design:
    """The second sensor alone: the same breakout, its cable leaving at one end."""
    imu = components.breakout("U3")
    (length, height), width = components.breakout_size(), value("lsm6dsox", "width")
    half_x = length / 2 + 0.9
    half_y = width / 2 + GAP_MM + RAIL_MM + FIT_MM
    board_z = FLOOR_MM + 0.8
    roof_z = board_z + height + ROOF_GAP_MM
    corners = tuple((a * (length / 2 - 1.4), b * (width / 2 - 1.4)) for a in (-1, 1) for b in (-1, 1))
    return Design(
        name="pod",
        title="Second sensor: LSM6DSOX breakout on a cable",
        half_x=half_x,
        half_y=half_y,
        roof_z=roof_z,
        rail_top=roof_z - 1.4,
        snap_z=FLOOR_MM + 2.6,
        ridge_z=5.4,
        placements=(Placement(imu, 0, 0, board_z),),
        feet=tuple((x, y, FLOOR_MM, board_z) for x, y in corners),
        stops=tuple((x, y, board_z + value("lsm6dsox", "pcb_thickness") + 0.1) for x, y in corners),
        cable_ends=(-1,),
        snap_xs=(-7.0, 7.0),
        snap_mm=0.15,  # its walls are too low to bend further
    )


def designs() -> tuple[Design, ...]:
    """Return all cases."""
    return zero_wire(), esp32s3(), pod()


def _corners(centre: float, reach: float) -> tuple[float, float]:
    return centre - reach, centre + reach
