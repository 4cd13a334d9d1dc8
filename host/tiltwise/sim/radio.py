"""A virtual air for bumble devices: paced connection events, back-pressure, range loss, a supervision timeout.

Before it: vtime.py. After it: sim/vm/radio_board.py (the firmware's side) and radio_host.py (the computer's side).
bumble's own controller delivers at once and without limit, and tells a peripheral a fixed interval. Here data leaves
only at connection events, some packets an event, and its completion is told then: who sends too much is refused.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field

from bumble import hci, ll
from bumble.controller import Connection, Controller
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

_BUFFERS = 8  # packets that a controller holds, as usual ones
_LONGEST = 251  # bytes of a packet with data length extension
_UNIT_S, _TIMEOUT_UNIT_S = 1.25e-3, 10e-3


@dataclass(slots=True)
class Air:
    """What the air does; may be changed at any time."""

    packets_per_event: int = 4  # in each direction
    is_in_range: bool = True
    lost_events: float = 0.0  # share of connection events that carry nothing
    rng: random.Random = field(default_factory=lambda: random.Random(1))


class RadioLink(LocalLink):
    """The air between controllers: out of range, no advertisement is heard."""

    def __init__(self, air: Air | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.air = air or Air()

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Pass it on while in range."""
        if self.air.is_in_range:
            super().send_advertising_pdu(sender_controller, packet)


class RadioController(Controller):
    """A controller whose data goes out at connection events."""

    def __init__(self, name: str, link: RadioLink, address: str) -> None:
        super().__init__(name, link=link)
        self.random_address = hci.Address(address)
        self.air = link.air
        self.le_acl_data_packet_length = self.acl_data_packet_length = _LONGEST
        self.total_num_le_acl_data_packets = self.total_num_acl_data_packets = _BUFFERS
        self.supported_max_tx_octets = self.supported_max_rx_octets = _LONGEST
        self.supported_max_tx_time = self.supported_max_rx_time = 2120
        self._waiting: dict[int, deque[hci.HCI_AclDataPacket]] = {}
        self._events: dict[int, asyncio.Task[None]] = {}
        self._timing: dict[int, tuple[float, float]] = {}  # interval and supervision timeout in s
        self._indication: ll.ConnectInd | None = None

    # ---- connections ----

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        """Remember what the central asked for: the stock controller tells the peripheral something else."""
        self._indication = packet
        super().on_le_connect_ind(packet)
        self._indication = None

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Look at what the host is told about connections, and put the timing right."""
        if isinstance(packet, hci.HCI_LE_Connection_Complete_Event) and packet.status == 0:
            packet = self._as_asked(packet)
            self._begin(packet)
        elif isinstance(packet, hci.HCI_LE_Connection_Update_Complete_Event) and packet.status == 0:
            timing = packet.connection_interval * _UNIT_S, packet.supervision_timeout * _TIMEOUT_UNIT_S
            self._timing[packet.connection_handle] = timing
        elif isinstance(packet, hci.HCI_Disconnection_Complete_Event):
            self._end(packet.connection_handle)
        super().send_hci_packet(packet)

    def _as_asked(self, packet: hci.HCI_LE_Connection_Complete_Event) -> hci.HCI_LE_Connection_Complete_Event:
        asked = self._indication
        if asked is None:
            return packet
        return hci.HCI_LE_Connection_Complete_Event(
            status=packet.status,
            connection_handle=packet.connection_handle,
            role=packet.role,
            peer_address_type=packet.peer_address_type,
            peer_address=packet.peer_address,
            connection_interval=asked.interval,
            peripheral_latency=asked.latency,
            supervision_timeout=asked.timeout,
            central_clock_accuracy=0,
        )

    def _begin(self, packet: hci.HCI_LE_Connection_Complete_Event) -> None:
        handle = packet.connection_handle
        timing = packet.connection_interval * _UNIT_S, packet.supervision_timeout * _TIMEOUT_UNIT_S
        self._timing[handle] = timing
        self._waiting[handle] = deque()
        self._events[handle] = asyncio.get_running_loop().create_task(self._run_events(handle))

    def _end(self, handle: int) -> None:
        self._waiting.pop(handle, None)
        task = self._events.pop(handle, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    # ---- data ----

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Keep the host's packet until an event takes it."""
        waiting = self._waiting.get(packet.connection_handle)
        if waiting is not None:
            waiting.append(packet)

    async def _run_events(self, handle: int) -> None:
        silent_s = 0.0
        while True:
            interval_s, timeout_s = self._timing[handle]
            await asyncio.sleep(interval_s)
            connection = self.find_connection_by_handle(handle)
            if connection is None:
                return
            if not self.air.is_in_range:
                silent_s += interval_s
                if silent_s >= timeout_s:
                    self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
                    return
                continue
            silent_s = 0.0
            if self.air.lost_events and self.air.rng.random() < self.air.lost_events:
                continue
            self._one_event(handle, connection)

    def _one_event(self, handle: int, connection: Connection) -> None:
        waiting = self._waiting[handle]
        n = min(len(waiting), self.air.packets_per_event)
        if not n:
            return
        for _ in range(n):
            connection.assembler.feed_packet(waiting.popleft())
        done = hci.HCI_Number_Of_Completed_Packets_Event(
            connection_handles=[handle], num_completed_packets=[n]
        )
        super().send_hci_packet(done)

    def close(self) -> None:
        """End what still runs."""
        for task in self._events.values():
            task.cancel()
        self._events.clear()


def make_device(name: str, link: RadioLink, address: str) -> tuple[Device, RadioController]:
    """Return a bumble device on this air with a random static address, and its controller."""
    controller = RadioController(name, link, address)
    host = Host(controller, AsyncPipeSink(controller))
    return Device(config=DeviceConfiguration(name=name, address=hci.Address(address)), host=host), controller
