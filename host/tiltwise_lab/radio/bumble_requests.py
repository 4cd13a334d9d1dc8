"""The other half of vm/shims/bluetooth.py: a bumble device does what the firmware asks of `bluetooth`.

Events (connected, written, ...) are kept until the VM takes them. A host stack has few buffers: when all are in use,
the next notification is ENOMEM. That is NimBLE; `Stack` makes it as hard as others and as bad days: BTstack refuses
nothing, queues on the heap until the board dies of it, and holds one connection; a host reset makes NimBLE forget its
address.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bumble import att, gatt, gatt_server
from bumble.core import UUID
from bumble.device import Connection

from tiltwise_lab.radio.virtual_radio import RadioLink, make_device

NOTIFY, INDICATE = 16, 17
_CONNECTED, _DISCONNECTED, _WRITTEN, _MTU, _UPDATED = 1, 2, 3, 21, 27
_ENOMEM, _ENOTCONN, _EINVAL = 12, 107, 22
_ETIMEDOUT = 110
WAITED = -1  # in place of an errno: it goes out, after the board has waited for a buffer
_NO_HOST, _NO_ADDRESS = -19, -21  # of advertising after a host reset, as MicroPython passes them on
_NOTE_BYTES = 32  # what a queued notification takes beside its bytes
BUFFERS = 12  # notifications that NimBLE's pool holds, about
_READ, _WRITE_NO_RESPONSE, _WRITE, _NOTIFY, _INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
_PROPERTIES = {
    _READ: gatt.Characteristic.Properties.READ,
    _WRITE_NO_RESPONSE: gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    _WRITE: gatt.Characteristic.Properties.WRITE,
    _NOTIFY: gatt.Characteristic.Properties.NOTIFY,
    _INDICATE: gatt.Characteristic.Properties.INDICATE,
}


class StackDiedError(RuntimeError):
    """A hard fault: the stack filled the heap with notifications and did not look whether there was room."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A Bluetooth stack of a board: connections, and the queued bytes that kill it, if it refuses no notification."""

    places: int = 4
    dies_above: int | None = None
    waits: bool = False  # for a buffer instead of refusing: the board stands still meanwhile


NIMBLE, BTSTACK = Stack(), Stack(places=1, dies_above=12_000)
ZEPHYR = Stack(places=1, waits=True)


def random_address(rng: random.Random) -> str:
    """Return a random static address: the two highest bits are set."""
    octets = [rng.randrange(256) for _ in range(6)]
    octets[0] |= 0xC0
    return ":".join(f"{octet:02X}" for octet in octets)


class BluetoothModule:
    """One board's radio. `wake` is called when an event waits.

    Parameters
    ----------
    link : the air
    seed : of its addresses; another one at each boot
    stack : its limits
    """

    def __init__(self, link: RadioLink, seed: int = 1, stack: Stack = NIMBLE) -> None:
        self.stack = stack
        self.fails_to_start = 0  # times that switching on still times out
        self.is_stuck = False  # every notification waits, for ever where none is refused
        self.most_queued = 0  # bytes
        self._silent_calls = 0  # until HCI answers again
        self._has_address = True
        self._sizes: deque[int] = deque(maxlen=4096)  # of the notifications sent last
        self._stuck: list[int] = []
        self.address = random_address(random.Random(seed))
        self.device, self.controller = make_device("board", link, self.address)
        self.events: deque[tuple[int, list[Any]]] = deque()
        self.wake: Callable[[], None] = lambda: None
        self.refuse_next = 0  # notifications to answer with ENOMEM, whatever the link does
        self.refused = 0
        self.waits = 0  # notifications that found no buffer free and waited for one
        self.notified = 0
        self.advertisements: list[bytes] = []  # payloads so far
        self._connections: dict[int, Connection] = {}
        self._characteristics: dict[int, gatt.Characteristic[bytes]] = {}
        self._settings: dict[str, Any] = {}
        self._answers: dict[str, Callable[..., Any]] = {
            "active": self._do_active,
            "config": self._do_config,
            "get_config": self._do_get_config,
            "advertise": self._do_advertise,
            "disconnect": self._do_disconnect,
            "services": self._do_services,
            "value": self._do_value,
        }
        self._jobs: asyncio.Queue[Awaitable[None]] = asyncio.Queue()
        self._worker = asyncio.get_running_loop().create_task(self._work())
        self.device.on("connection", self._on_connection)

    @property
    def is_connected(self) -> bool:
        """Tell whether a central is connected."""
        return bool(self._connections)

    async def close(self) -> None:
        """End what still runs."""
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            if asyncio.iscoroutine(job):
                job.close()
        self.controller.close()

    def vanish(self) -> None:
        """Lose power: no peer is notified."""
        self._worker.cancel()
        self.controller.vanish()

    async def _work(self) -> None:
        """Do what takes time, one after the other: the firmware's calls return at once."""
        while True:
            await (await self._jobs.get())

    # ---- questions ----

    def answer(self, question: dict[str, Any]) -> Any:
        """Answer a question of shims/bluetooth.py."""
        arguments = {name: value for name, value in question.items() if name != "ble"}
        return self._answers[question["ble"]](**arguments)

    def reset_host(self, silent_calls: int = 0) -> None:
        """Lose all connections and, until it is switched off and on, the random address; first HCI is silent."""
        self._silent_calls, self._has_address = silent_calls, False
        for connection in list(self._connections.values()):
            self._jobs.put_nowait(connection.disconnect())
        self._jobs.put_nowait(self.device.stop_advertising())

    def _do_active(self, on: bool) -> Any:
        if on and self.fails_to_start:
            self.fails_to_start -= 1
            return {"errno": _ETIMEDOUT}
        self._has_address = True
        self.is_stuck = False
        self._stuck.clear()
        self._jobs.put_nowait(self.device.power_on() if on else self._switch_off())
        return None

    async def _switch_off(self) -> None:
        for connection in list(self._connections.values()):
            await connection.disconnect()
        await self.device.stop_advertising()
        await self.device.power_off()

    def _do_config(self, values: dict[str, Any]) -> None:
        self._settings |= values
        if "mtu" in values:
            self.device.gatt_server.max_mtu = values["mtu"]

    def _do_get_config(self, name: str) -> Any:
        if name == "mac":
            return [1, self.address.replace(":", "").lower()]
        return self._settings.get(name, 0)

    def _do_advertise(self, interval_us: int | None, data: str | None, more: str | None) -> Any:
        if self._silent_calls:
            self._silent_calls -= 1
            return {"errno": _NO_HOST}
        if not self._has_address:
            return {"errno": _NO_ADDRESS}
        if len(self._connections) >= self.stack.places:
            return {"errno": _ENOMEM}
        self._jobs.put_nowait(
            self._advertise(interval_us, bytes.fromhex(data or ""), bytes.fromhex(more or ""))
        )
        return None

    async def _advertise(self, interval_us: int | None, data: bytes, more: bytes) -> None:
        await self.device.stop_advertising()
        if interval_us is None:
            return
        self.advertisements.append(data)
        await self.device.start_advertising(
            advertising_data=data,
            scan_response_data=more,
            advertising_interval_min=interval_us / 1000,
            advertising_interval_max=interval_us / 1000,
        )

    def _do_disconnect(self, connection: int) -> bool:
        found = self._connections.get(connection)
        if found is not None:
            self._jobs.put_nowait(found.disconnect())
        return found is not None

    def _do_services(self, table: list[list[Any]]) -> list[list[int]]:
        if self._characteristics:  # the radio was started anew: the table is replaced
            server = self.device.gatt_server = gatt_server.Server(self.device)
            server.max_mtu = self._settings.get("mtu", server.max_mtu)
            self.device.add_default_services()
            self._characteristics = {}
        handles = []
        for service_uuid, rows in table:
            characteristics = [self._characteristic(text, flags) for text, flags in rows]
            self.device.add_service(gatt.Service(UUID(service_uuid), characteristics))
            handles.append([characteristic.handle for characteristic in characteristics])
            self._characteristics |= {c.handle: c for c in characteristics}
        return handles

    def _characteristic(self, uuid: str, flags: int) -> gatt.Characteristic[bytes]:
        properties = gatt.Characteristic.Properties(0)
        for flag, name in _PROPERTIES.items():
            if flags & flag:
                properties |= name
        permissions = gatt.Characteristic.READABLE | gatt.Characteristic.WRITEABLE
        made: gatt.Characteristic[bytes] = gatt.Characteristic(UUID(uuid), properties, permissions, b"")
        made.on("write", lambda connection, value: self._on_write(connection, made.handle, value))
        return made

    def _do_value(self, handle: int, data: str, update: bool) -> None:
        characteristic = self._characteristics[handle]
        characteristic.value = bytes.fromhex(data)
        if update:
            job = self.device.notify_subscribers(characteristic, characteristic.value)
            self._jobs.put_nowait(job)

    # ---- notifications: at once, in order ----

    def send(self, connection: int, handle: int, data: bytes) -> tuple[int, bytes]:
        """Send a notification, subscribed or not, as MicroPython does; return (errno, nothing)."""
        found = self._connections.get(connection)
        if found is None:
            return _ENOTCONN, b""
        if handle not in self._characteristics:
            return _EINVAL, b""
        queue = self.device.host.le_acl_packet_queue
        pending = 0 if queue is None else queue.pending
        if self.stack.dies_above is not None:
            self._queue_on_heap(len(data), pending)
            if self.is_stuck:
                return 0, b""
        elif self.is_stuck or self.refuse_next or (pending >= BUFFERS and not self.stack.waits):
            self.refuse_next = max(self.refuse_next - 1, 0)
            self.refused += 1
            return _ENOMEM, b""
        must_wait = self.stack.waits and pending >= BUFFERS
        self.waits += must_wait
        self.notified += 1
        value = data[: found.att_mtu - 3]
        pdu = att.ATT_Handle_Value_Notification(attribute_handle=handle, attribute_value=value)
        self.device.gatt_server.send_gatt_pdu(found, bytes(pdu))
        return (WAITED if must_wait else 0), b""

    def _queue_on_heap(self, size: int, pending: int) -> None:
        """Take one more notification of a stack that refuses none; StackDiedError when the heap is full."""
        (self._stuck if self.is_stuck else self._sizes).append(_NOTE_BYTES + size)
        waiting = list(self._sizes)[len(self._sizes) - min(pending, len(self._sizes)) :]
        self.most_queued = max(self.most_queued, sum(waiting) + sum(self._stuck))
        assert self.stack.dies_above is not None
        if sum(waiting) + sum(self._stuck) > self.stack.dies_above:
            raise StackDiedError(f"{sum(waiting) + sum(self._stuck)} bytes of notifications queued")

    # ---- events ----

    def _emit(self, event: int, *items: Any) -> None:
        self.events.append((event, list(items)))
        self.wake()

    def _on_connection(self, connection: Connection) -> None:
        handle = connection.handle
        self._connections[handle] = connection
        peer = bytes(connection.peer_address)[::-1].hex()
        self._emit(_CONNECTED, handle, int(connection.peer_address.address_type), peer)
        gone = handle, int(connection.peer_address.address_type), peer

        def on_gone(_reason: int) -> None:
            self._connections.pop(handle, None)
            self._stuck.clear()  # with the connection, as far as the sources say
            self._emit(_DISCONNECTED, *gone)

        connection.on("disconnection", on_gone)
        connection.on("connection_att_mtu_update", lambda: self._emit(_MTU, handle, connection.att_mtu))
        connection.on("connection_parameters_update", lambda: self._on_update(connection))

    def _on_update(self, connection: Connection) -> None:
        parameters = connection.parameters
        interval = round(parameters.connection_interval / 1.25)
        timeout = round(parameters.supervision_timeout / 10)
        self._emit(_UPDATED, connection.handle, interval, parameters.peripheral_latency, timeout, 0)

    def _on_write(self, connection: att.Bearer, handle: int, value: bytes) -> None:
        if isinstance(connection, Connection):
            self._emit(_WRITTEN, connection.handle, handle, bytes(value).hex())
