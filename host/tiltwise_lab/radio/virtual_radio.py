"""A virtual radio for bumble devices: paced connection events, back-pressure, range loss, a supervision timeout.

Added to bumble's own link: data leaves only at connection events, a few packets in each, and its completion is
reported then, so that sending too much is refused; unknown commands get an answer; a public address works.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field

from bumble import hci, ll
from bumble.controller import Connection, Controller, LegacyAdvertiser
from bumble.core import InvalidArgumentError, PhysicalTransport
from bumble.crypto.cryptography import e as encrypt
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, TransportSink, TransportSource

_BUFFERS = 8  # packets that a controller holds, as usual ones
_LONGEST = 251  # bytes of a packet with data length extension
_UNIT_S, _TIMEOUT_UNIT_S, _ADVERTISING_UNIT_S = 1.25e-3, 10e-3, 0.625e-3
_MOST_DELAY_S = 10e-3  # that an advertiser adds at random to each interval
_COMMAND, _VENDOR = 1, 0x3F  # H4 packet type; group of commands
_LE_ENCRYPT = 0x2017
_ENHANCED = 1 << 9  # of the LE event mask: connections are told by the enhanced event


@dataclass(slots=True)
class RadioConditions:
    """What the air does; may be changed at any time."""

    packets_per_event: int = 4  # in each direction
    is_in_range: bool = True
    lost_events: float = 0.0  # share of connection events that carry nothing
    lost_advertisements: float = 0.0  # share that nobody hears: a scanner listens to one channel at a time
    rng: random.Random = field(default_factory=lambda: random.Random(1))


class RadioLink(LocalLink):
    """The air between controllers: out of range, nothing is heard."""

    def __init__(self, conditions: RadioConditions | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conditions = conditions or RadioConditions()

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Pass it on while in range."""
        conditions = self.conditions
        if not conditions.is_in_range or sender_controller not in self.controllers:
            return
        others = sorted(self.controllers - {sender_controller}, key=lambda controller: controller.name)
        conditions.rng.shuffle(others)  # who answers first is connected: chance, not the order of power-on
        for controller in others:
            is_advertisement = isinstance(packet, ll.AdvInd)
            if is_advertisement and conditions.rng.random() < conditions.lost_advertisements:
                continue
            asyncio.get_running_loop().call_soon(controller.on_ll_advertising_pdu, packet)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Name the sender as the connection knows it: the stock link always takes its random address."""
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Pass it on while in range, if the other one is still there."""
        if not self.conditions.is_in_range:
            return
        try:
            super().send_ll_control_pdu(sender_address, receiver_address, packet)
        except InvalidArgumentError:
            return  # without power: its silence ends the connection

    def hears(self, connection: Connection) -> bool:
        """Tell whether the other end of a connection is in range and still holds it."""
        if not self.conditions.is_in_range:
            return False
        other = self.find_le_controller(connection.peer_address)
        return other is not None and connection.self_address in other.le_connections


class _Advertiser(LegacyAdvertiser):
    """Advertises at the interval that was asked for; the stock one takes its units of 0.625 ms for ms."""

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        rng = self.controller.conditions.rng  # type: ignore[attr-defined]
        wait_s = self.advertising_interval_min * _ADVERTISING_UNIT_S + rng.uniform(0, _MOST_DELAY_S)
        self.timer_handle = asyncio.get_running_loop().call_later(wait_s, self._on_timer_fired)


class RadioController(Controller):
    """A controller whose data goes out at connection events.

    Parameters
    ----------
    name : for logs
    link : the air
    address : random static address
    source, sink : HCI transport to a host; None: `make_device` attaches a bumble host
    public_address : the address that is burnt in, if a host uses one
    """

    def __init__(
        self,
        name: str,
        link: RadioLink,
        address: str,
        *,
        source: TransportSource | None = None,
        sink: TransportSink | None = None,
        public_address: str | None = None,
    ) -> None:
        super().__init__(name, host_source=source, host_sink=sink, link=link, public_address=public_address)
        self.random_address = hci.Address(address)
        self.conditions = link.conditions
        self.radio_link = link
        self.le_legacy_advertiser = _Advertiser(self)
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
        if isinstance(packet, hci.HCI_LE_Connection_Complete_Event):
            if packet.status == 0:
                packet = self._as_asked(packet)
                self._begin(packet)
            packet = self._as_unmasked(packet)
        elif isinstance(packet, hci.HCI_LE_Connection_Update_Complete_Event) and packet.status == 0:
            timing = packet.connection_interval * _UNIT_S, packet.supervision_timeout * _TIMEOUT_UNIT_S
            self._timing[packet.connection_handle] = timing
        elif isinstance(packet, hci.HCI_Disconnection_Complete_Event):
            self._end(packet.connection_handle)
        super().send_hci_packet(packet)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give the attempt up and say how it ended; the stock controller only says yes, and goes on trying."""
        attempt = self.pending_le_connection
        if attempt is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        ended = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=attempt.peer_address_type,
            peer_address=attempt.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, ended)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

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

    def _as_unmasked(self, event: hci.HCI_LE_Connection_Complete_Event) -> hci.HCI_Packet:
        """Tell it by the event that the host chose: Linux waits for that one, and gives up after 4 s."""
        if not self.le_event_mask & _ENHANCED:
            return event
        return hci.HCI_LE_Enhanced_Connection_Complete_Event(
            status=event.status,
            connection_handle=event.connection_handle,
            role=event.role,
            peer_address_type=event.peer_address_type,
            peer_address=event.peer_address,
            local_resolvable_private_address=hci.Address.ANY_RANDOM,
            peer_resolvable_private_address=hci.Address.ANY_RANDOM,
            connection_interval=event.connection_interval,
            peripheral_latency=event.peripheral_latency,
            supervision_timeout=event.supervision_timeout,
            central_clock_accuracy=event.central_clock_accuracy,
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
            if not self.radio_link.hears(connection):
                silent_s += interval_s
                if silent_s >= timeout_s:
                    self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
                    return
                continue
            silent_s = 0.0
            if self.conditions.lost_events and self.conditions.rng.random() < self.conditions.lost_events:
                continue
            self._one_event(handle, connection)

    def _one_event(self, handle: int, connection: Connection) -> None:
        waiting = self._waiting[handle]
        n = min(len(waiting), self.conditions.packets_per_event)
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

    def vanish(self) -> None:
        """Lose power: nobody is told, peers hear silence."""
        self.close()
        self.le_legacy_advertiser.stop()
        self.le_connections.clear()
        self.radio_link.controllers.discard(self)

    # ---- commands ----

    def on_packet(self, packet: bytes) -> None:
        """Answer what the stock controller cannot parse: a host waits for each answer."""
        if packet[0] == _COMMAND:
            opcode = int.from_bytes(packet[1:3], "little")
            if opcode >> 10 == _VENDOR:
                self._answer(opcode, bytes((hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR,)))
                return
            if opcode == _LE_ENCRYPT:
                self._answer(opcode, b"\0" + encrypt(bytes(packet[4:20]), bytes(packet[20:36])))
                return
        super().on_packet(packet)

    def _answer(self, opcode: int, parameters: bytes) -> None:
        event = bytes((4, 0x0E, 3 + len(parameters), 1)) + opcode.to_bytes(2, "little") + parameters
        assert self.host is not None  # a command came from it
        asyncio.get_running_loop().call_soon(self.host.on_packet, event)

    def on_hci_command(self, command: hci.HCI_Command) -> hci.HCI_StatusReturnParameters:
        """Refuse a command that is not known; the stock controller forgets to when it is an asynchronous one."""
        refused = super().on_hci_command(command)
        if isinstance(command, hci.HCI_SyncCommand):
            return refused
        self._send_hci_command_status(hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR, command.op_code)
        return None  # type: ignore[return-value]  # what the caller expects of an asynchronous command


def make_device(name: str, link: RadioLink, address: str) -> tuple[Device, RadioController]:
    """Return a bumble device on this air with a random static address, and its controller."""
    controller = RadioController(name, link, address)
    host = Host(controller, AsyncPipeSink(controller))
    return Device(config=DeviceConfiguration(name=name, address=hci.Address(address)), host=host), controller
