"""Draw where each wire goes on a XIAO board and on the motor's driver: pictures/soldering_*.svg, from wiring/*.yml.

Pads lie as in the maker's footprints (facts.csv); the connections are those that tests compare with the firmware.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hardware.facts import value
from hardware.wearing import LINE, text

HERE = Path(__file__).parent
BUILDS = {"zero_wire": "xiao_nrf52840", "esp32s3": "xiao_esp32s3", "budget": "xiao_esp32c3"}
PX = 13.0  # to the millimetre
PITCH_MM, FIRST_MM = 2.54, 2.88  # castellated pads: spacing, and the first from the edge with the socket
LEFT = ("D0", "D1", "D2", "D3", "D4", "D5", "D6")  # seen from the parts' side with the socket up, from above
RIGHT = ("5V", "GND", "3V3", "D10", "D9", "D8", "D7")
COLOURS = {
    "RD": "#d02020", "BK": "#202020", "BU": "#2060d0", "YE": "#c8a000", "WH": "#909090", "GN": "#208040",
    "OG": "#e07000", "GY": "#707070",
}  # fmt: skip
BOARD, PAD, PAPER = "#2a4f6f", "#e8c65a", "white"
WIDTH, HEIGHT = 1080, 610
BOARD_TOP = 96.0

Wire = tuple[str, str, str]  # from, to, colour


def wires(build: str) -> list[Wire]:
    """Return the connections of a build as ("U1.D2", "Q1.G", colour)."""
    data: dict[str, Any] = yaml.safe_load((HERE / f"wiring/{build}.yml").read_text(encoding="utf-8"))
    found = []
    for first, cable, last in data["connections"]:
        (((start, (pin,)),), ((name, _),), ((end, (other,)),)) = first.items(), cable.items(), last.items()
        found.append((f"{start}.{pin}", f"{end}.{other}", data["cables"][name]["colors"][0]))
    return found


def at_pad(found: list[Wire], pin: str) -> list[tuple[str, str]]:
    """Return what is joined to a pin, each with its wire's colour."""
    ends = [(other, colour) for start, other, colour in found if start == pin]
    return ends + [(start, colour) for start, other, colour in found if other == pin]


def line(points: list[tuple[float, float]], colour: str, width: float = 3.0) -> str:
    """Return a wire."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"/>'


def block(x: float, y: float, width: float, height: float, fill: str, radius: float = 3.0) -> str:
    """Return a rounded rectangle by its upper left corner."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:.1f}" '
        f'fill="{fill}" stroke="{LINE}" stroke-width="1.2"/>'
    )


def board(left: float, kind: str, title: str, columns: tuple[tuple[str, ...], tuple[str, ...]]) -> list[str]:
    """Return a board with its socket up and its pads in two columns, without wires."""
    length, width = value(kind, "length") * PX, value(kind, "width") * PX
    usb = value(kind, "usb_width") * PX
    parts = [
        text(left + width / 2, 66, title, 15, weight="bold"),
        block(left + (width - usb) / 2, BOARD_TOP - value(kind, "usb_overhang") * PX, usb, 60, "#c9ced4", 8),
        block(left, BOARD_TOP, width, length, BOARD, value(kind, "corner_radius") * PX),
        text(left + width / 2, BOARD_TOP + 16, "USB", 12).replace("#222", PAPER),
    ]
    for column, names in enumerate(columns):
        for row, name in enumerate(names):
            y = pad_y(row)
            parts.append(block(left + column * (width - 18), y - 10, 18, 20, PAD))
            x, anchor = (left + 24, "start") if column == 0 else (left + width - 24, "end")
            parts.append(text(x, y + 5, name, 13, anchor).replace("#222", PAPER))
    return parts


def pad_y(row: int) -> float:
    """Return the height of a castellated pad in the drawing."""
    return BOARD_TOP + (FIRST_MM + row * PITCH_MM) * PX


def top_side(found: list[Wire], kind: str, left: float) -> list[str]:
    """Return the side with the parts and what goes to its pads."""
    width = value(kind, "width") * PX
    parts = board(left, kind, "from the side with the parts", (LEFT, RIGHT))
    for column, names in enumerate((LEFT, RIGHT)):
        for row, name in enumerate(names):
            ends = at_pad(found, f"U1.{name}")
            if ends:
                edge, away = (left, -1) if column == 0 else (left + width, 1)
                y, colour = pad_y(row), COLOURS[ends[0][1]]
                parts.append(line([(edge, y), (edge + 34 * away, y)], colour))
                words = ", ".join(end.replace(".", " ") for end, _ in ends)
                anchor = "end" if away < 0 else "start"
                parts += _lines(edge + 40 * away, y + 5, words, anchor)
    return parts


def _lines(x: float, y: float, words: str, anchor: str, most: int = 22) -> list[str]:
    """Return words as one line, or two where they are long."""
    if len(words) <= most:
        return [text(x, y, words, 13, anchor)]
    cut = words.rfind(", ", 0, most) + 1
    return [text(x, y - 8, words[:cut], 13, anchor), text(x, y + 8, words[cut + 1 :], 13, anchor)]


def underside(kind: str, left: float) -> list[str]:
    """Return the side with the pads of the cell, mirrored as one sees it."""
    width = value(kind, "width") * PX
    parts = board(left, kind, "from below", (RIGHT, LEFT))
    x = left + width - value(kind, "bat_from_d0_side") * PX
    for name, colour, column in (("plus", "RD", 44.0), ("minus", "BK", 72.0)):
        y = BOARD_TOP + value(kind, f"bat_{name}_from_usb") * PX
        parts.append(block(x - 16, y - 7, 32, 14, PAD))
        end = BOARD_TOP + value(kind, "length") * PX + 0.7 * column - 12
        parts.append(line([(x - 16, y), (x - column, y), (x - column, end)], COLOURS[colour]))
        sign = "+" if name == "plus" else "-"
        parts.append(text(x - column + 8, end, f"BAT{sign} to the cell's {sign}, last of all", 13, "start"))
    return parts


def driver(left: float, top: float) -> list[str]:
    """Return transistor, resistor and diode soldered to each other, and where their wires go."""
    x, y = left + 330, top + 36
    title = "the motor's driver: Q1 with R1 across its two legs, the diode D1 beside it"
    return [
        text(left, top - 2, title, 15, "start", "bold"),
        line([(x, y - 18), (x, y), (x + 150, y), (x + 150, y + 26)], COLOURS["BU"]),
        block(x - 34, y, 68, 40, "#333", 4),
        text(x, y + 25, "Q1", 13).replace("#222", PAPER),
        line([(x - 22, y + 40), (x - 22, y + 62), (x - 90, y + 62)], COLOURS["OG"]),
        line([(x + 22, y + 40), (x + 22, y + 92), (x - 90, y + 92)], COLOURS["BK"]),
        block(x - 20, y + 54, 40, 16, "#9a7b4f", 2),
        text(x + 30, y + 67, "R1 10 kOhm", 13, "start"),
        text(x - 30, y + 52, "G", 13), text(x + 32, y + 52, "S", 13), text(x + 12, y - 6, "D", 13),
        text(x - 96, y + 67, "gate, from the board", 13, "end"),
        text(x - 96, y + 97, "GND of the board", 13, "end"),
        line([(x, y - 18), (x - 90, y - 18)], COLOURS["BU"]),
        text(x - 96, y - 13, "motor, blue wire", 13, "end"),
        block(x + 132, y + 26, 36, 44, "#333", 4), block(x + 132, y + 58, 36, 7, "#ddd", 0),
        text(x + 178, y + 46, "diode D1", 13, "start"), text(x + 178, y + 66, "band", 13, "start"),
        line([(x + 150, y + 70), (x + 150, y + 92), (x + 236, y + 92)], COLOURS["RD"]),
        text(x + 242, y + 97, "cell +, with the motor's red wire", 13, "start"),
    ]  # fmt: skip


def drawing(build: str) -> str:
    """Return the drawing of one build."""
    kind = BUILDS[build]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(WIDTH / 2, 30, f"What is soldered where: {build}", 18, weight="bold"),
        *top_side(wires(build), kind, 190.0),
        *underside(kind, 650.0),
        *driver(40.0, BOARD_TOP + value(kind, "length") * PX + 60),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    for name in BUILDS:
        (HERE / f"pictures/soldering_{name}.svg").write_text(drawing(name), encoding="utf-8")
