"""What the supervisor asks of a radio or a cable, and what can go wrong there, by class.

A Connector finds and opens; a Connection carries bytes. Implemented by link/ble.py and link/serial.py, and by
fakes in tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

CTRL, DATA, CABLE = (
    "ctrl",
    "data",
    "cable",
)  # where bytes came: a characteristic of the radio, or the one stream


class Trouble(Enum):
    """Classes of trouble; each has its own waiting time (supervisor.py)."""

    ABSENT = "absent"  # nobody advertises, or no port is there
    LOST = "lost"  # a connection failed or ended
    TURNED_OFF = "turned off"  # the adapter is off
    MISSING = "missing"  # the computer has no Bluetooth, or its service does not run
    DENIED = "denied"  # the system does not let us
    UNKNOWN_BOARD = "unknown board"  # a board whose key we do not have
    BUSY = "busy"  # another host holds the board
    VERSION = "version"  # another major protocol version


class LinkError(ValueError):
    """The link cannot be used now; one line says why and what to do."""

    def __init__(self, trouble: Trouble, line: str) -> None:
        super().__init__(line)
        self.trouble = trouble


class BusyError(LinkError):
    """Another session holds the board: since open_s, last heard heard_s ago."""

    def __init__(self, line: str, open_s: int, heard_s: int) -> None:
        super().__init__(Trouble.BUSY, line)
        self.open_s, self.heard_s = open_s, heard_s


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be our board: the system's own address of it, which is only good for connecting."""

    address: str


class Connection(Protocol):
    """One connection, used once. All its methods may hang: the supervisor limits their time."""

    is_cable: bool

    @property
    def mtu(self) -> int:
        """ATT MTU in bytes as this side knows it, for boards that do not learn it; 0 on a cable."""

    @property
    def is_connected(self) -> bool:
        """What the system thinks; it may be wrong, so nothing depends on it being true."""

    async def read_info(self) -> bytes:
        """Return HELLO_BODY from INFO; empty on a cable, where HELLO is asked."""

    async def write_ctrl(self, data: bytes, /) -> None:
        """Send bytes to CTRL, cut as the link needs it."""

    async def notifications(self) -> AsyncIterator[tuple[str, bytes]]:
        """Subscribe to CTRL and DATA, and return what comes; that ends when the connection does."""

    async def close(self) -> None:
        """End the connection; closing twice is fine."""


class Connector(Protocol):
    """Finds boards and connects to them."""

    async def find(self) -> list[Candidate]:
        """Return what is there now, the likeliest first."""

    async def connect(self, address: str, /) -> Connection:
        """Open a fresh connection."""
