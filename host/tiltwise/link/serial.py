"""Lists the serial ports that a board may be on, through pyserial; the streaming link is not in this version.

Before it: the operating system. After it: `tiltwise scan`, `tiltwise doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports

# USB vendors of the boards that firmware/boards/ knows.
VENDORS = {0x2886: "Seeed Studio", 0x303A: "Espressif", 0x2E8A: "Raspberry Pi"}


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port. `maker` is empty when its USB vendor is none of ours."""

    path: str
    name: str
    maker: str


def ports() -> list[Port]:
    """Return the USB serial ports of this computer, likely boards first."""
    found = [
        Port(port.device, port.description or "", VENDORS.get(port.vid, ""))
        for port in list_ports.comports()
        if port.vid is not None
    ]
    return sorted(found, key=lambda port: (not port.maker, port.path))
