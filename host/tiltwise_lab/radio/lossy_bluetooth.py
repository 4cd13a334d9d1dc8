"""MicroPython's `bluetooth` module on a fast, simple radio: packets leave at connection events, the pool fills up.

It models what decides about delivery (paced events, few buffers, ENOMEM, disconnections noticed late) and no bits, so
that a day passes in minutes; virtual_radio.py is the detailed one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tiltwise_lab.radio.gatt_values import Uuid, Value

INTERVAL_S = 0.03  # between connection events
PACKETS_PER_EVENT = 4
BUFFERS = 12  # notifications that NimBLE's pool holds, about
_CONNECTED, _DISCONNECTED, _WRITTEN, _MTU = 1, 2, 3, 21  # events
_ENOMEM, _ENODEV, _ENOTCONN = 12, 19, 128
_MOST_CONNECTIONS = 4
_FIRST_HANDLE = 12
_PEER = bytes((2, 2, 3, 4, 5, 0xC6))

Handler = Callable[[int, tuple[Any, ...]], None]
OnSent = Callable[[float, int, bytes], None]


class BoardConnectionEnd:
    """One connection as the board's controller has it.

    Parameters
    ----------
    phase_s : of its connection events
    on_sent : called with the time at which a notification leaves, its attribute and its bytes
    on_cut : called when the board ends the connection
    """

    def __init__(self, phase_s: float, on_sent: OnSent, on_cut: Callable[[], None]) -> None:
        self.is_heard = True  # False: out of range, nothing leaves any more
        self.on_cut = on_cut
        self._phase_s, self._on_sent = phase_s, on_sent
        self._leaves_s: deque[float] = deque()  # of what the pool holds
        self._event, self._in_event = -1, 0  # the last one that is used, and by how many

    def next_event_s(self, now_s: float) -> float:
        """Return when the next connection event is."""
        return self._phase_s + math.ceil((now_s - self._phase_s) / INTERVAL_S) * INTERVAL_S

    def take(self, now_s: float, attribute: int, data: bytes) -> bool:
        """Take a notification; False when the pool is full."""
        while self._leaves_s and self._leaves_s[0] <= now_s:
            self._leaves_s.popleft()
        if len(self._leaves_s) >= BUFFERS:
            return False
        if not self.is_heard:
            self._leaves_s.append(math.inf)
            return True
        event = math.ceil((now_s - self._phase_s) / INTERVAL_S)
        if event <= self._event:
            is_full = self._in_event >= PACKETS_PER_EVENT
            event, self._in_event = self._event + is_full, 0 if is_full else self._in_event
        else:
            self._in_event = 0
        self._event, self._in_event = event, self._in_event + 1
        leaves_s = self._phase_s + event * INTERVAL_S
        self._leaves_s.append(leaves_s)
        self._on_sent(leaves_s, attribute, data)
        return True


class LossyBluetooth:
    """The module, its one BLE object, and the board's end of all connections.

    Parameters
    ----------
    now_s : the board's own time, at which it calls
    """

    FLAG_READ, FLAG_WRITE_NO_RESPONSE, FLAG_WRITE, FLAG_NOTIFY, FLAG_INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
    UUID = Uuid

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._is_active = False
        self._handler: Handler = lambda _event, _data: None
        self._values: dict[int, Value] = {}
        self._handles: dict[str, int] = {}
        self.connections: dict[int, BoardConnectionEnd] = {}
        self.advertised: bytes | None = None
        self.refused = 0  # notifications, for want of a buffer

    # ---- what the firmware calls ----

    def BLE(self) -> LossyBluetooth:  # noqa: N802
        """There is one radio."""
        return self

    def active(self, on: bool | None = None) -> bool:
        """Switch the radio, or tell whether it is on."""
        if on is False:
            self.advertised = None
            for handle in list(self.connections):
                self.connections.pop(handle).on_cut()
        self._is_active = self._is_active if on is None else on
        return self._is_active

    def config(self, **_values: Any) -> None:
        """Set some settings; none of them matters here."""
        self._needs_active()

    def irq(self, handler: Handler) -> None:
        """Set who is told of events."""
        self._handler = handler

    def gap_advertise(
        self,
        interval_us: int | None,
        adv_data: bytes | None = None,
        *,
        resp_data: bytes | None = None,  # noqa: ARG002
        connectable: bool = True,  # noqa: ARG002
    ) -> None:
        """Advertise, or stop with None."""
        self._needs_active()
        if len(self.connections) >= _MOST_CONNECTIONS:
            raise OSError(_ENOMEM, "no place for another connection")
        self.advertised = None if interval_us is None else bytes(adv_data or b"")

    def gap_disconnect(self, connection: int) -> bool:
        """End a connection; False when there is none."""
        self._needs_active()
        if connection not in self.connections:
            return False
        self.connections[connection].on_cut()
        self.end(connection)
        return True

    def gatts_register_services(
        self, services: Iterable[tuple[Uuid, Sequence[tuple[Uuid, int]]]]
    ) -> tuple[tuple[int, ...], ...]:
        """Replace the table; return the handles of the values."""
        self._needs_active()
        self._values, self._handles, rows = {}, {}, []
        for _, characteristics in services:
            row = []
            for uuid, _flags in characteristics:
                handle = _FIRST_HANDLE + 3 * len(self._values)
                self._values[handle], self._handles[uuid.text] = Value(), handle
                row.append(handle)
            rows.append(tuple(row))
        return tuple(rows)

    def gatts_set_buffer(self, handle: int, n: int, append: bool = False) -> None:
        """Set how much a value may hold, and whether writes are appended."""
        self._values[handle].room, self._values[handle].appends = n, append

    def gatts_read(self, handle: int) -> bytes:
        """Return a value; one that is appended to is empty afterwards."""
        return self._values[handle].read()

    def gatts_write(self, handle: int, data: bytes, send_update: bool = False) -> None:  # noqa: ARG002
        """Set what a central reads; our host does not subscribe to the battery."""
        self._needs_active()
        self._values[handle].data = bytes(data)

    def gatts_notify(self, connection: int, handle: int, data: bytes | bytearray | memoryview) -> None:
        """Send a notification now; OSError with ENOMEM when the radio holds too many."""
        self._needs_active()
        end = self.connections.get(connection)
        if end is None:
            raise OSError(_ENOTCONN, "not connected")
        if not end.take(self._now_s(), handle, bytes(data)):
            self.refused += 1
            raise OSError(_ENOMEM, "no buffer is free")

    def _needs_active(self) -> None:
        if not self._is_active:
            raise OSError(_ENODEV, "the radio is off")

    # ---- the other end ----

    def handle_of(self, uuid: str) -> int:
        """Return the handle of an attribute."""
        return self._handles[uuid.lower()]

    def value_of(self, uuid: str) -> bytes:
        """Return what a central reads."""
        return self._values[self.handle_of(uuid)].data

    def begin(self, end: BoardConnectionEnd, mtu: int) -> int:
        """A central connects, which ends advertising; return the number of the connection."""
        connection = next(k for k in range(_MOST_CONNECTIONS) if k not in self.connections)
        self.advertised = None
        self.connections[connection] = end
        self._emit(_CONNECTED, connection, 1, _PEER)
        self._emit(_MTU, connection, mtu)
        return connection

    def end(self, connection: int) -> None:
        """The controller notices that a connection has ended."""
        if self.connections.pop(connection, None) is not None:
            self._emit(_DISCONNECTED, connection, 1, _PEER)

    def write(self, connection: int, uuid: str, data: bytes) -> None:
        """A central wrote."""
        handle = self.handle_of(uuid)
        self._values[handle].write(data)
        self._emit(_WRITTEN, connection, handle)

    def _emit(self, event: int, *items: Any) -> None:
        """Call the interrupt; views are dead afterwards."""
        views = [memoryview(item) if isinstance(item, bytes) else item for item in items]
        self._handler(event, tuple(views))
        for view in views:
            if isinstance(view, memoryview):
                view.release()
