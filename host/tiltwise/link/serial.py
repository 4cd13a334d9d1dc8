"""Lists the serial ports that a board may be on, and opens one for bytes; everything with pyserial is here.

Before it: the operating system. After it: `tiltwise scan`, `tiltwise doctor`, `tiltwise setup`.
"""

from __future__ import annotations

from dataclasses import dataclass

from serial import Serial
from serial.tools import list_ports

# USB vendors of the boards that firmware/boards/ knows.
VENDORS = {0x2886: "Seeed Studio", 0x303A: "Espressif", 0x2E8A: "Raspberry Pi"}
BAUD = 115200  # of boards with a USB-to-serial chip; USB itself does not care
WRITE_S = 5.0  # a port that takes nothing for so long is dead


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


class SerialBytes:
    """An open serial port: bytes in, bytes out. OSError when it cannot be opened or went away."""

    def __init__(self, path: str) -> None:
        self._port = Serial(path, BAUD, timeout=0, write_timeout=WRITE_S, exclusive=True)

    def read(self, timeout_s: float) -> bytes:
        """Return what came, at most timeout_s later; empty when nothing did."""
        self._port.timeout = timeout_s
        return bytes(self._port.read(max(1, self._port.in_waiting)))

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._port.write(data)

    def close(self) -> None:
        """Let others open the port."""
        self._port.close()
