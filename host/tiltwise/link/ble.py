"""Looks for boards on the air through bleak; the streaming link is not in this version.

Before it: the operating system's Bluetooth. After it: `tiltwise scan`, `tiltwise doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bleak import BleakScanner
from bleak.exc import BleakError

from tiltwise.common import wire


@dataclass(frozen=True, slots=True)
class Seen:
    """A board that advertises our service. The address is the system's own, and may change at each boot."""

    address: str
    rssi_dbm: int


class BluetoothError(ValueError):
    """Bluetooth cannot be used here; one line says why."""


async def discover(seconds: float) -> list[Seen]:
    """Return the boards that advertised within this time, strongest first; BluetoothError without Bluetooth."""
    try:
        found = await BleakScanner.discover(
            timeout=seconds, return_adv=True, service_uuids=[wire.SERVICE_UUID]
        )
    except (BleakError, OSError, EOFError) as error:
        raise BluetoothError(
            f"Bluetooth is not usable here ({error}): switch it on, or use sim: and replay:"
        ) from error
    seen = [Seen(device.address, advertisement.rssi) for device, advertisement in found.values()]
    return sorted(seen, key=lambda board: -board.rssi_dbm)
