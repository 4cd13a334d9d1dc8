"""A bleak backend on the virtual air, for BleakClient(..., backend=...) and BleakScanner(..., backend=...)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from bleak.uuids import normalize_uuid_str

try:
    from bumble import core, hci
    from bumble.att import ATT_Error
    from bumble.core import AdvertisingData
    from bumble.device import Advertisement, Connection, ConnectionParametersPreferences, Peer

    from tiltwise_lab.radio.virtual_radio import RadioLink, make_device
except ModuleNotFoundError as missing:
    if missing.name is None or not missing.name.startswith("bumble"):
        raise
    raise ModuleNotFoundError(
        "the virtual radio needs the package bumble, which is not installed: pip install 'tiltwise[air]'",
        name=missing.name,
    ) from missing

ADDRESS = "F0:F1:F2:F3:F4:F5"
# What the Linux kernel asks for: a connection event each 30 to 50 ms, and an end after 420 ms of silence.
KERNEL_INTERVAL_MS, KERNEL_TIMEOUT_MS = 30.0, 420
MTU = 517  # what BlueZ offers; the firmware takes 247
_LEAST_MTU = 23
_UUID_LISTS = (
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)
_PROPERTIES = (
    ("broadcast", 0x01),
    ("read", 0x02),
    ("write-without-response", 0x04),
    ("write", 0x08),
    ("notify", 0x10),
    ("indicate", 0x20),
)
T = TypeVar("T")


class Adapter:
    """This computer's Bluetooth: one bumble device, and the backend classes that use it.

    Parameters
    ----------
    link : the air
    address : of this computer
    interval_ms, timeout_ms : of the connections that it asks for
    mtu : largest packet that it offers; 23: it never asks

    Attributes
    ----------
    client, scanner : for bleak's `backend=`
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
        self.client: type[VirtualClient] = type("VirtualClient", (VirtualClient,), {"adapter": self})
        self.scanner: type[VirtualScanner] = type("VirtualScanner", (VirtualScanner,), {"adapter": self})

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

    def needs_power(self) -> None:
        """Raise what bleak raises when Bluetooth is off."""
        if not self.is_on:
            raise BleakBluetoothNotAvailableError(
                "Bluetooth is switched off", BleakBluetoothNotAvailableReason.POWERED_OFF
            )

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


class VirtualScanner(BaseBleakScanner):
    """What BleakScanner does, on an adapter."""

    adapter: ClassVar[Adapter]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",  # noqa: ARG002  # advertisements say all there is
        **_kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Start scanning."""
        self.seen_devices = {}
        await self.adapter.scan(self._on_advertisement)

    async def stop(self) -> None:
        """Stop scanning."""
        await self.adapter.stop_scan(self._on_advertisement)

    def _on_advertisement(self, received: Advertisement) -> None:
        data = received.data
        lists: list[Any] = [row for kind in _UUID_LISTS for row in data.get_all(kind)]
        uuids = list(dict.fromkeys(_uuid(uuid) for row in lists for uuid in row))
        if not self.is_allowed_uuid(uuids):
            return
        name: Any = data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME)
        makers: list[Any] = data.get_all(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA)
        advertisement = AdvertisementData(
            local_name=name,
            manufacturer_data={company: bytes(data) for company, data in makers},
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=received.rssi,
            platform_data=(received,),
        )
        address = received.address.to_string(False)
        device = self.create_or_update_device(address, address, name, received.address, advertisement)
        self.call_detection_callbacks(device, advertisement)


class VirtualClient(BaseBleakClient):
    """What BleakClient does, on an adapter."""

    adapter: ClassVar[Adapter]

    def __init__(
        self, address_or_ble_device: BLEDevice | str, services: set[str] | None = None, **kwargs: Any
    ):
        super().__init__(
            address_or_ble_device,
            disconnected_callback=kwargs.get("disconnected_callback"),
            timeout=kwargs.get("timeout", 10.0),
        )
        self._wanted = services
        self._connection: Connection | None = None
        self._listeners: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """The address: the board advertises no name."""
        return self.address

    @property
    def mtu_size(self) -> int:
        """Largest packet of this connection."""
        return _LEAST_MTU if self._connection is None else self._connection.att_mtu

    @property
    def is_connected(self) -> bool:
        """Tell whether the connection stands."""
        return self._connection is not None

    # ---- connection ----

    async def connect(self, pair: bool = False, **_kwargs: Any) -> None:
        """Connect and read the table of services; BleakError or TimeoutError."""
        if self._connection is not None:
            raise BleakError("Client is already connected")
        if pair:
            raise NotImplementedError("the virtual air does not pair: the protocol does not rely on it")
        try:
            connection = await self.adapter.connect(self.address, self._timeout)
        except core.ConnectionError as error:
            raise BleakDeviceNotFoundError(self.address, f"connecting failed: {error}") from error
        self._connection = connection
        connection.on("disconnection", self._on_gone)
        try:
            await asyncio.wait_for(self._do(self._discover(Peer(connection))), self._timeout)
        except BaseException:
            callback, self._disconnected_callback = self._disconnected_callback, None
            await self.disconnect()
            self._disconnected_callback = callback
            raise

    async def _discover(self, peer: Peer) -> None:
        if self.adapter.mtu > _LEAST_MTU:
            await peer.request_mtu(self.adapter.mtu)
        table = BleakGATTServiceCollection()
        await peer.discover_services()
        for service in peer.services:
            if self._wanted and _uuid(service.uuid) not in self._wanted:
                continue
            shown = BleakGATTService(service, service.handle, _uuid(service.uuid))
            table.add_service(shown)
            for found in await service.discover_characteristics():
                properties: Any = [name for name, bit in _PROPERTIES if int(found.properties) & bit]
                characteristic = BleakGATTCharacteristic(
                    found, found.handle, _uuid(found.uuid), properties, lambda: self.mtu_size - 3, shown
                )
                table.add_characteristic(characteristic)
                for descriptor in await found.discover_descriptors():
                    kind = _uuid(descriptor.type)
                    table.add_descriptor(
                        BleakGATTDescriptor(descriptor, descriptor.handle, kind, characteristic)
                    )
        self.services = table

    def _on_gone(self, _reason: int) -> None:
        self._connection = None
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        """Leave; nothing when nobody is there."""
        if self._connection is not None:
            await self._connection.disconnect()

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Not here."""
        raise NotImplementedError("the virtual air does not pair: the protocol does not rely on it")

    async def unpair(self) -> None:
        """Nothing was kept."""

    # ---- attributes ----

    async def _do(self, request: Awaitable[T]) -> T:
        """Await a request to the peer; what bumble raises becomes what bleak raises."""
        try:
            return await request
        except ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except (core.ProtocolError, core.InvalidStateError) as error:
            raise BleakError(str(error)) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # bumble cancels the request of a connection that ends.
            raise BleakError("disconnected") from None

    def _needs_connection(self) -> None:
        if self._connection is None:
            raise BleakError("Not connected")

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_kwargs: Any) -> bytearray:
        """Read a value."""
        self._needs_connection()
        return bytearray(await self._do(characteristic.obj.read_value()))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_kwargs: Any) -> bytearray:
        """Read a descriptor."""
        self._needs_connection()
        return bytearray(await self._do(descriptor.obj.read_value()))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a value; with a response when it is there."""
        self._needs_connection()
        await self._do(characteristic.obj.write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor."""
        self._needs_connection()
        await self._do(descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: Any
    ) -> None:
        """Subscribe."""
        self._needs_connection()

        def on_data(data: bytes) -> None:
            callback(bytearray(data))

        self._listeners[characteristic.handle] = on_data
        await self._do(characteristic.obj.subscribe(on_data))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe."""
        self._needs_connection()
        listener = self._listeners.pop(characteristic.handle)
        await self._do(characteristic.obj.unsubscribe(listener))


def _uuid(uuid: core.UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))
