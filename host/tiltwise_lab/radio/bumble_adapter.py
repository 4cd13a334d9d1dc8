"""This computer's Bluetooth on the virtual radio, without bleak: power, scanning, one connection attempt at once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from bumble import hci
from bumble.device import Advertisement, Connection, ConnectionParametersPreferences

from tiltwise_lab.radio.virtual_radio import RadioLink, make_device

ADDRESS = "F0:F1:F2:F3:F4:F5"
# What the Linux kernel asks for: a connection event each 30 to 50 ms, and an end after 420 ms of silence.
KERNEL_INTERVAL_MS, KERNEL_TIMEOUT_MS = 30.0, 420
MTU = 517  # what BlueZ offers; the firmware takes 247


class BumbleAdapter(ABC):
    """One bumble device as a computer's adapter.

    Parameters
    ----------
    link : the virtual radio
    address : of this computer
    interval_ms, timeout_ms : of the connections that it asks for
    mtu : largest packet that it offers; 23: it never asks

    Attributes
    ----------
    is_on : False: Bluetooth is switched off
    """

    def __init__(
        self,
        link: RadioLink,
        address: str = ADDRESS,
        *,
        interval_ms: float = KERNEL_INTERVAL_MS,
        timeout_ms: int = KERNEL_TIMEOUT_MS,
        mtu: int = MTU,
    ) -> None:
        self.device, self._controller = make_device("computer", link, address)
        self.interval_ms, self.timeout_ms, self.mtu = interval_ms, timeout_ms, mtu
        self.is_on = True
        self._scanners = 0
        self._connecting = asyncio.Lock()

    @abstractmethod
    def needs_power(self) -> None:
        """Raise the error of the Bluetooth library in use when Bluetooth is off."""

    async def power_on(self) -> None:
        """Start the device."""
        await self.device.power_on()

    async def switch_off(self) -> None:
        """Switch Bluetooth off, as its owner may at any time: connections end, nothing works."""
        self.is_on = False
        for connection in list(self.device.connections.values()):
            await connection.disconnect()
        if self._scanners:
            await self.device.stop_scanning()

    async def switch_on(self) -> None:
        """Switch it on again."""
        self.is_on = True
        if self._scanners:
            await self.device.start_scanning(filter_duplicates=False)

    def close(self) -> None:
        """End what still runs."""
        self._controller.vanish()

    # ---- for the backend ----

    async def scan(self, on_advertisement: Callable[[Advertisement], None]) -> None:
        """Report advertisements from now on."""
        self.needs_power()
        self.device.on("advertisement", on_advertisement)
        self._scanners += 1
        if self._scanners == 1:
            await self.device.start_scanning(filter_duplicates=False)

    async def stop_scan(self, on_advertisement: Callable[[Advertisement], None]) -> None:
        """Report no more to this one."""
        self.device.remove_listener("advertisement", on_advertisement)
        self._scanners -= 1
        if not self._scanners and self.is_on:
            await self.device.stop_scanning()

    async def connect(self, address: str, timeout_s: float) -> Connection:
        """Connect, as soon as the other one advertises; TimeoutError when it does not."""
        self.needs_power()
        wish = ConnectionParametersPreferences(
            connection_interval_min=self.interval_ms,
            connection_interval_max=self.interval_ms,
            supervision_timeout=self.timeout_ms,
        )
        async with self._connecting:  # a controller makes one connection at a time
            attempt = asyncio.ensure_future(
                self.device.connect(
                    hci.Address(address), connection_parameters_preferences={hci.Phy.LE_1M: wish}
                )
            )
            try:
                return await asyncio.wait_for(asyncio.shield(attempt), timeout_s)
            except BaseException:
                await asyncio.shield(self._abandon(attempt))
                raise

    async def _abandon(self, attempt: asyncio.Future[Connection]) -> None:
        """Leave the controller free for the next attempt."""
        if not attempt.done():
            await self.device.cancel_connection()
        (ended,) = await asyncio.gather(attempt, return_exceptions=True)
        if isinstance(ended, Connection):
            await ended.disconnect()
