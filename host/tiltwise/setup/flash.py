"""Puts MicroPython itself onto a blank ESP32, with esptool as a program.

The image is looked at first: a file for another chip, a .uf2 or half a download is refused before anything is
erased.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tiltwise.link.serial import Port
from tiltwise.setup.setup_errors import SetupError, explain_flashing
from tiltwise.setup.tools import Tools

_MAGIC = 0xE9  # first byte of every ESP image
# Chip number at byte 12 of the image -> (name for esptool, where the boot loader lies). From esptool's targets.
_CHIPS = {
    0: ("esp32", 0x1000),
    2: ("esp32s2", 0x1000),
    5: ("esp32c3", 0x0),
    9: ("esp32s3", 0x0),
    12: ("esp32c2", 0x0),
    13: ("esp32c6", 0x0),
    16: ("esp32h2", 0x0),
    18: ("esp32p4", 0x2000),
    23: ("esp32c5", 0x2000),
}
_LEAST_BYTES = 500_000  # MicroPython for the smallest of them has more than a megabyte
FLASH_S = 600.0  # 2 MB at 115200 baud take four minutes


@dataclass(frozen=True, slots=True)
class Image:
    """A MicroPython file for one kind of chip."""

    path: Path
    chip: str
    offset: int


def read_image(path: Path) -> Image:
    """Look at a MicroPython file; SetupError when it is none for an ESP32."""
    if path.suffix.lower() == ".uf2":
        raise SetupError(
            f"{path.name}: a .uf2 is copied by hand: hold BOOTSEL while plugging the Pico in, drop the file onto the "
            "drive that appears, then run setup without --micropython"
        )
    with path.open("rb") as file:
        head = file.read(16)
    if len(head) < 16 or head[0] != _MAGIC or path.stat().st_size < _LEAST_BYTES:
        raise SetupError(
            f"{path.name}: not a complete MicroPython file for an ESP32: take the .bin for your board "
            "from micropython.org/download"
        )
    number = struct.unpack_from("<H", head, 12)[0]
    if number not in _CHIPS:
        raise SetupError(
            f"{path.name}: for chip {number}, which this version does not know: use esptool by hand"
        )
    return Image(path, *_CHIPS[number])


def flash(
    image: Image,
    port: str,
    tools: Tools,
    list_ports: Callable[[], Sequence[Port]],
    is_openable: Callable[[], bool | None],
) -> None:
    """Erase the chip and write MicroPython; esptool refuses another chip, and checks what it wrote."""
    command = [
        *tools.esptool,
        "--chip", image.chip, "--port", port, "--baud", "460800",
        _write_command(), "--erase-all", hex(image.offset), str(image.path),
    ]  # fmt: skip
    result = tools.run(command, FLASH_S)
    if result.code != 0:
        raise explain_flashing(
            result.text or "Timed out waiting for packet", port, list_ports(), is_openable()
        )


def _write_command() -> str:
    """Return how esptool calls writing: with a dash since version 5."""
    try:
        major = int(metadata.version("esptool").split(".")[0])
    except (metadata.PackageNotFoundError, ValueError):
        major = 5
    return "write-flash" if major >= 5 else "write_flash"
