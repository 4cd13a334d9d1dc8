"""A bleak backend on the virtual radio, for BleakClient(..., backend=...) and BleakScanner(..., backend=...)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property
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
    from bumble import core
    from bumble.att import ATT_Error
    from bumble.core import AdvertisingData
    from bumble.device import Advertisement, Connection, Peer

    from tiltwise_lab.radio.bumble_adapter import BumbleAdapter
except ModuleNotFoundError as missing:
    if missing.name is None or not missing.name.startswith("bumble"):
        raise
    raise ModuleNotFoundError(
        "the virtual radio needs the package bumble, which is not installed: pip install 'tiltwise[air]'",
        name=missing.name,
    ) from missing

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


class Adapter(BumbleAdapter):
    """An adapter with the backend classes that use it: `client` and `scanner` are for bleak's `backend=`."""

    @cached_property
    def client(self) -> type[VirtualClient]:
        """The class for `BleakClient(..., backend=...)`."""
        return type("VirtualClient", (VirtualClient,), {"adapter": self})

    @cached_property
    def scanner(self) -> type[VirtualScanner]:
        """The class for `BleakScanner(..., backend=...)`."""
        return type("VirtualScanner", (VirtualScanner,), {"adapter": self})

    def needs_power(self) -> None:
        """Raise what bleak raises when Bluetooth is off."""
        if not self.is_on:
            raise BleakBluetoothNotAvailableError(
                "Bluetooth is switched off", BleakBluetoothNotAvailableReason.POWERED_OFF
            )


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
