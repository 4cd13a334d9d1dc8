"""The cable through pyserial: lists the ports that a board may be on, opens one, reads it in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from serial import Serial
from serial.tools import list_ports

from tiltwise.errors import reason_of
from tiltwise.link.transport import CABLE, Candidate, LinkError, Trouble

# USB vendors of the boards that firmware/boards/ knows.
VENDORS = {0x2886: "Seeed Studio", 0x303A: "Espressif", 0x2E8A: "Raspberry Pi"}
BAUD = 115200  # of boards with a USB-to-serial chip; USB itself does not care
READ_S = 0.1  # of one read; closing waits for it
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


class BytePort(Protocol):
    """What is used of an open port."""

    def read(self, timeout_s: float) -> bytes:
        """Return what came, at most timeout_s later; OSError when the port is gone."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Close it."""


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


class SerialConnector:
    """The board on a port, or, without one, on the ports of our boards' makers.

    Parameters
    ----------
    port
        Its path, or empty to look by USB id each time, so that a board that comes back under another name is found.
    find_ports, open_port
        Those of this module, or what tests bring.
    """

    def __init__(
        self,
        port: str = "",
        *,
        find_ports: Callable[[], list[Port]] = ports,
        open_port: Callable[[str], BytePort] = SerialBytes,
    ) -> None:
        self._port, self._find_ports, self._open_port = port, find_ports, open_port

    async def find(self) -> list[Candidate]:
        """Return the ports to try."""
        if self._port:
            return [Candidate(self._port)]
        try:
            found = await asyncio.to_thread(self._find_ports)
        except OSError as error:
            raise LinkError(Trouble.LOST, f"cannot list serial ports ({reason_of(error)})") from error
        return [Candidate(port.path) for port in found if port.maker]

    async def connect(self, address: str, /) -> SerialConnection:
        """Open a port; LinkError of the class of what the system says."""
        try:
            port = await asyncio.to_thread(self._open_port, address)
        except (OSError, ValueError) as error:
            raise explain(error, address) from error
        return SerialConnection(port)


def explain(error: Exception, path: str) -> LinkError:
    """Return the class of what opening a port raised, with a line for the user."""
    text = str(error).lower()
    number = getattr(error, "errno", None)
    if isinstance(error, PermissionError) or number == errno.EACCES or "permission" in text:
        return LinkError(
            Trouble.DENIED, f"may not open {path}: on Linux join the group dialout, then log in again"
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "lock" in text or "access is denied" in text:
        return LinkError(Trouble.BUSY, f"another program has {path} open: close it there")
    return LinkError(Trouble.ABSENT, f"no board at {path}: plug it in")


class SerialConnection:
    """An open port, read by a thread of its own, because pyserial has no waiting that works on all systems."""

    is_cable = True
    mtu = 0

    def __init__(self, port: BytePort) -> None:
        self._port = port
        self._came: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="serial reader", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Tell whether the port still reads."""
        return self._thread.is_alive() and not self._is_closed.is_set()

    async def read_info(self) -> bytes:
        """Nothing: over a cable HELLO is asked."""
        return b""

    async def write_ctrl(self, data: bytes, /) -> None:
        """Write; LinkError when the port is gone."""
        try:
            await asyncio.to_thread(self._port.write, data)
        except (OSError, ValueError) as error:
            raise LinkError(Trouble.LOST, f"the cable was unplugged ({reason_of(error)})") from error

    async def notifications(self) -> AsyncIterator[tuple[str, bytes]]:
        """Begin to read, and return what comes."""
        self._thread.start()
        return self._stream()

    async def _stream(self) -> AsyncIterator[tuple[str, bytes]]:
        while (data := await self._came.get()) is not None:
            yield CABLE, data

    def _read(self) -> None:
        """In the thread: hand over what comes until the port is closed or gone."""
        try:
            while not self._is_closed.is_set():
                data = self._port.read(READ_S)
                if data:
                    self._hand_over(data)
        except (
            OSError,
            ValueError,
            TypeError,
        ):  # unplugged; pyserial raises TypeError for a port closed while read
            pass  # the end of the stream says so
        self._is_closed.set()
        self._hand_over(None)

    def _hand_over(self, data: bytes | None) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._came.put_nowait, data)

    async def close(self) -> None:
        """Let others open the port; the thread ends within READ_S."""
        self._is_closed.set()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, 10 * READ_S)
        with contextlib.suppress(OSError, ValueError):  # unplugged: closed already
            self._port.close()
        self._came.put_nowait(None)
