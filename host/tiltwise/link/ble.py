"""The radio through bleak: finds boards that advertise our service, connects, subscribes, writes.

A fresh BleakClient for each connection, because old ones keep notifications of the connection before (bleak #2002,
#1969).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
)

from tiltwise.common import wire
from tiltwise.link.transport import CTRL, DATA, Candidate, LinkError, Trouble

SERVICE = wire.uuid128(wire.UUID_SERVICE)
_UUIDS = {CTRL: wire.uuid128(wire.UUID_CTRL), DATA: wire.uuid128(wire.UUID_DATA)}
_INFO = wire.uuid128(wire.UUID_INFO)
SCAN_S = 5.0
SETTLE_S = 0.3  # after the first board: a stronger one may follow
RACE_S = 6.0  # of connecting again at once: of several who answer one advertisement the board takes one
AGAIN_S = 0.03
_MOST_LATEST = 8  # connections; some are made at once, and one of them streams
_LEAST_WRITE = 20  # bytes that any MTU takes
_MOST_WRITE = 244
_ATT_HEADER = 3  # bytes of a packet before what it carries
_OFF = ("powered off", "turned off", "not turned on", "not ready", "notready", "adapter is off")
_GONE = (
    "no bluetooth",
    "serviceunknown",
    "no adapter",
    "not found: adapter",
    "no powered bluetooth",
    "namehasnoowner",
)
_DENIED = ("accessdenied", "not authorized", "permission", "denied", "unauthorized")
_ADVICE = {
    Trouble.TURNED_OFF: "Bluetooth is off: switch it on; tiltwise goes on by itself then",
    Trouble.MISSING: "no usable Bluetooth here (no adapter, or its service does not run): plug one in or start the "
    "service, or use the cable (serial:)",
    Trouble.DENIED: "the system does not let tiltwise use Bluetooth: allow it in the privacy settings (Linux: "
    "join the group bluetooth)",
}


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A board that advertises our service. The address is the system's own, and may change at each boot."""

    address: str
    rssi_dbm: int


class BluetoothError(ValueError):
    """Bluetooth cannot be used here; one line says why."""


async def discover(seconds: float) -> list[Advertisement]:
    """Return the boards that advertised within this time, strongest first; BluetoothError without Bluetooth."""
    try:
        found = await BleakScanner.discover(timeout=seconds, return_adv=True, service_uuids=[SERVICE])
    except _ERRORS as error:
        raise BluetoothError(str(explain(error))) from error
    seen = [Advertisement(device.address, advertisement.rssi) for device, advertisement in found.values()]
    return sorted(seen, key=lambda board: -board.rssi_dbm)


def explain(error: BaseException) -> LinkError:
    """Return the class of what bleak raised, with a line for the user."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        trouble = _REASONS.get(error.reason, Trouble.MISSING)
        return LinkError(trouble, _ADVICE[trouble])
    text = f"{type(error).__name__}: {error}".lower()
    for trouble, signs in ((Trouble.DENIED, _DENIED), (Trouble.TURNED_OFF, _OFF), (Trouble.MISSING, _GONE)):
        if any(sign in text for sign in signs) and "unknownobject" not in text:
            # A board that is gone is "not found" too, but no sign of a missing adapter.
            return LinkError(trouble, _ADVICE[trouble])
    if isinstance(error, FileNotFoundError):  # no D-Bus socket
        return LinkError(Trouble.MISSING, _ADVICE[Trouble.MISSING])
    return LinkError(Trouble.LOST, f"Bluetooth: {error or type(error).__name__}")


_REASONS = {
    BleakBluetoothNotAvailableReason.POWERED_OFF: Trouble.TURNED_OFF,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: Trouble.DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: Trouble.DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: Trouble.DENIED,
}
_ERRORS = (BleakError, OSError, EOFError)


class BleConnector:
    """The radio of this computer, or the backends that tests bring.

    Parameters
    ----------
    client_backend, scanner_backend
        bleak backend classes; None: the system's own.
    scan_s
        Longest look; it ends soon after the first board was seen.
    """

    def __init__(
        self,
        *,
        client_backend: type[Any] | None = None,
        scanner_backend: type[Any] | None = None,
        scan_s: float = SCAN_S,
    ) -> None:
        self._client_backend, self._scanner_backend = client_backend, scanner_backend
        self._scan_s = scan_s
        self._devices: dict[str, Any] = {}  # address -> BLEDevice of the last look
        self._latest: deque[BleConnection] = deque(maxlen=_MOST_LATEST)

    async def find(self) -> list[Candidate]:
        """Return the boards that advertise, strongest first; at once when one is there that streamed just now."""
        ours = next((connection.address for connection in self._latest if connection.has_streamed), "")
        strength: dict[str, int] = {}
        is_seen = asyncio.Event()

        def note(device: Any, advertisement: Any) -> None:
            if SERVICE in advertisement.service_uuids:  # some systems filter, some do not
                self._devices[device.address] = device
                strength[device.address] = advertisement.rssi
                is_seen.set()

        self._devices.clear()
        try:
            async with BleakScanner(note, [SERVICE], backend=self._scanner_backend):
                try:
                    async with asyncio.timeout(self._scan_s):
                        await is_seen.wait()
                        if ours not in strength:
                            await asyncio.sleep(SETTLE_S)
                except TimeoutError:
                    pass  # nobody, or somebody at the last moment: both are answers
        except _ERRORS as error:
            raise explain(error) from error
        if ours in strength:
            self._latest.clear()  # once: another one that imitates it would keep ours from being seen
        return [Candidate(address) for address in sorted(strength, key=lambda a: (a != ours, -strength[a]))]

    async def connect(self, address: str, /) -> BleConnection:
        """Connect to what `find` found; again, without another look, while the board takes others first."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + RACE_S
        while True:
            connection = BleConnection(address, self._devices.get(address, address), self._client_backend)
            try:
                await connection.open()
            except LinkError as error:
                if error.trouble is not Trouble.LOST or connection.is_unknown or loop.time() >= end_s:
                    raise
                await asyncio.sleep(AGAIN_S)
                continue
            self._latest.append(connection)
            return connection


class BleConnection:
    """One BleakClient, used once."""

    is_cable = False

    def __init__(self, address: str, device: Any, backend: type[Any] | None) -> None:
        self.address = address
        self.has_streamed = False  # DATA came: a board does that after the proofs only
        self.is_unknown = False  # the system has forgotten this address: only another look helps
        self._came: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._client = BleakClient(device, self._ended, winrt={"use_cached_services": False}, backend=backend)

    def _ended(self, _client: BleakClient) -> None:
        self._came.put_nowait(None)

    async def open(self) -> None:
        """Connect; LinkError when it fails."""
        try:
            await self._client.connect()
        except _ERRORS as error:
            self.is_unknown = isinstance(error, BleakDeviceNotFoundError)
            await self.close()
            raise explain(error) from error

    @property
    def is_connected(self) -> bool:
        """What the system thinks."""
        return self._client.is_connected

    @property
    def mtu(self) -> int:
        """ATT MTU: what a write may hold, and the three bytes before it; 23 while nobody knows better."""
        characteristic = self._client.services.get_characteristic(_UUIDS[DATA])
        size = 0 if characteristic is None else characteristic.max_write_without_response_size
        return max(size, _LEAST_WRITE) + _ATT_HEADER

    async def read_info(self) -> bytes:
        """Read INFO; a board without it is one of another version, or the system remembers an older one."""
        try:
            return bytes(await self._client.read_gatt_char(_INFO))
        except _ERRORS as error:
            raise explain(error) from error

    async def write_ctrl(self, data: bytes, /) -> None:
        """Write in pieces that fit; each waits for the board's word that it came."""
        try:
            characteristic = self._client.services.get_characteristic(_UUIDS[CTRL])
            if characteristic is None:
                raise LinkError(
                    Trouble.LOST, "the board shows no CTRL: forget it in the system's Bluetooth list"
                )
            size = min(max(characteristic.max_write_without_response_size, _LEAST_WRITE), _MOST_WRITE)
            for at in range(0, len(data), size):
                await self._client.write_gatt_char(characteristic, data[at : at + size], response=True)
        except _ERRORS as error:
            raise explain(error) from error

    async def notifications(self) -> AsyncIterator[tuple[str, bytes]]:
        """Subscribe to CTRL, then DATA, and return what comes."""
        try:
            for where in (CTRL, DATA):
                await self._client.start_notify(_UUIDS[where], self._taker(where))
        except _ERRORS as error:
            raise explain(error) from error
        return self._stream()

    def _taker(self, where: str) -> Any:
        def take(_characteristic: Any, data: bytearray) -> None:
            if data:
                self.has_streamed |= where == DATA
                self._came.put_nowait((where, bytes(data)))

        return take

    async def _stream(self) -> AsyncIterator[tuple[str, bytes]]:
        while (item := await self._came.get()) is not None:
            yield item

    async def close(self) -> None:
        """Disconnect; what the system says to that changes nothing."""
        with contextlib.suppress(*_ERRORS):
            await self._client.disconnect()
        self._came.put_nowait(None)
