"""MicroPython's `bluetooth` module as far as the firmware uses it, its faults, and the air beside it.

Faithful to what bites: attributes are shared by all connections; writes are cut at the buffer's size, and overwrite
unless the buffer appends; what the interrupt is given is only valid inside it; notifying nobody raises; a full radio
raises ENOMEM; a notification longer than the MTU is cut without a word; connecting ends advertising. The methods of
`Air` are the other side: what peers do.

As hard as the real stacks where asked (measured on NimBLE and BTstack): `dies_above` queued bytes instead of refusing
anything, and `most_connections` = 1, as BTstack in MicroPython; `reset_host`, after which NimBLE has forgotten its
address; `fails_to_start`; `inside_advertise`, for a call that blocks and delivers events meanwhile. A handler that
raised is never called again, as in MicroPython (extmod/modbluetooth.c).
"""

from tiltwise.sim.board.simulated_board import SimClock

FLAG_READ, FLAG_WRITE, FLAG_NOTIFY = 0x0002, 0x0008, 0x0010
ENODEV, ENOMEM, EALREADY, EINVAL, ETIMEDOUT = 19, 12, 114, 22, 110
NO_HOST, NO_ADDRESS = (
    -19,
    -21,
)  # of advertising on NimBLE: HCI does not answer; the random address is forgotten
NOTE_BYTES = 32  # what a queued notification takes beside its bytes


class BoardDiedError(BaseException):
    """A hard fault of the stack: nothing in the firmware can catch it."""


class UUID:
    def __init__(self, value):
        if isinstance(value, int):
            self._bytes = value.to_bytes(2, "little")
        else:
            self._bytes = bytes.fromhex(value.replace("-", ""))[::-1]
            assert len(self._bytes) == 16

    def __bytes__(self):
        return self._bytes

    def __eq__(self, other):
        return self._bytes == bytes(other)

    def __hash__(self):
        return hash(self._bytes)


class Attribute:
    def __init__(self, uuid, flags):
        self.uuid, self.flags = uuid, flags
        self.value = b""
        self.room = 20
        self.appends = False


class Peer:
    def __init__(self):
        self.mtu = 23
        self.heard = []  # (attribute handle, bytes)
        self.waiting = []  # the same, in the queue of a stack that refuses nothing


class Air:
    """The module, the one BLE object, and all peers."""

    FLAG_READ, FLAG_WRITE, FLAG_NOTIFY = FLAG_READ, FLAG_WRITE, FLAG_NOTIFY
    UUID = UUID

    def __init__(self, knows_address_mode=True, not_connected=-128, dies_above=None, most_connections=4):
        self._active = False
        self._knows_address_mode = knows_address_mode
        self._not_connected = not_connected
        self.settings = {}
        self.attributes = {}
        self.peers = {}
        self.advertised = None
        self.most_connections = most_connections
        self.dies_above = dies_above  # queued bytes; None: the stack refuses when it is full
        self.is_deaf = False  # nothing leaves the radio: nobody is there, or its callback is stuck
        self.fails_to_start = 0  # times that active(True) still times out
        self.starts_at = 0  # calls until HCI answers again
        self.has_address = True
        self.inside_advertise = None  # called while gap_advertise blocks
        self.advertise_calls = 0
        self.room = None  # notifications that fit before ENOMEM; None: any number
        self.queued = 0
        self.starts = 0
        self.refuses_disconnect = False
        self._irq = None
        self._next_handle = 0

    # ---- module and BLE ----

    def BLE(self):  # noqa: N802
        return self

    def active(self, on=None):
        if on is None:
            return self._active
        if on and self.fails_to_start:
            self.fails_to_start -= 1
            raise OSError(ETIMEDOUT)
        if on and not self._active:
            self.starts += 1
            self.has_address = True
            self.attributes = {}
            self.queued = 0
        if not on:
            self.peers = {}
            self.advertised = None
        self._active = on
        return on

    def _needs_active(self):
        if not self._active:
            raise OSError(ENODEV)

    def config(self, **values):
        self._needs_active()
        for name, value in values.items():
            if name == "addr_mode" and not self._knows_address_mode:
                raise OSError(EINVAL)
            if name not in ("addr_mode", "mtu", "rxbuf", "gap_name"):
                raise ValueError("unknown config param")
            self.settings[name] = value

    def irq(self, handler):
        self._irq = handler

    def gatts_register_services(self, services):
        self._needs_active()
        handles, handle = [], 9
        for _, characteristics in services:
            row = []
            for uuid, flags in characteristics:
                handle += 3
                self.attributes[handle] = Attribute(uuid, flags)
                row.append(handle)
            handles.append(tuple(row))
        return tuple(handles)

    def gatts_set_buffer(self, handle, n, append=False):
        self.attributes[handle].room, self.attributes[handle].appends = n, append

    def gatts_write(self, handle, data, send_update=False):
        self._needs_active()
        self.attributes[handle].value = bytes(data)
        if send_update:
            for peer in self.peers.values():
                peer.heard.append((handle, bytes(data)))

    def gatts_read(self, handle):
        self._needs_active()
        attribute = self.attributes[handle]
        value = attribute.value
        if attribute.appends:
            attribute.value = b""
        return value

    def gatts_notify(self, connection, handle, data):
        self._needs_active()
        if not isinstance(connection, int):
            raise TypeError("can't convert to int")
        peer = self.peers.get(connection)
        if peer is None:
            raise OSError(self._not_connected)
        if self.dies_above is not None:
            peer.waiting.append((handle, bytes(data)[: peer.mtu - 3]))
            if not self.is_deaf:
                self.deliver(peer)
            if sum(NOTE_BYTES + len(packet) for _, packet in peer.waiting) > self.dies_above:
                raise BoardDiedError("the heap is full of notifications")
            return
        if self.room is not None:
            if self.queued >= self.room:
                raise OSError(ENOMEM)
            self.queued += 1
        assert len(data) > 0, "an empty notification looks like the end of the file to BlueZ"
        peer.heard.append((handle, bytes(data)[: peer.mtu - 3]))

    def gap_advertise(self, interval_us, adv_data=None, resp_data=None, connectable=True):  # noqa: ARG002
        self._needs_active()
        self.advertise_calls += 1
        if self.starts_at:
            self.starts_at -= 1
            raise OSError(NO_HOST)
        if not self.has_address:
            raise OSError(NO_ADDRESS)
        if len(self.peers) >= self.most_connections:
            raise OSError(ENOMEM)
        assert adv_data is None or len(adv_data) <= 31
        self.advertised = None if interval_us is None else bytes(adv_data)
        if self.inside_advertise is not None:
            self.inside_advertise()

    def gap_disconnect(self, connection):
        self._needs_active()
        if connection not in self.peers:
            return False
        if not self.refuses_disconnect:
            self.leave(connection)
        return True

    # ---- the air ----

    def _tell(self, event, *data):
        """Call the interrupt; views are dead afterwards."""
        views = [memoryview(item) if isinstance(item, bytes) else item for item in data]
        self._call(event, tuple(views))
        for view in views:
            if isinstance(view, memoryview):
                view.release()

    def _call(self, event, data):
        if self._irq is None:
            return
        try:
            self._irq(event, data)
        except Exception:  # noqa: BLE001  as MicroPython does
            self._irq = None  # and never called again

    def deliver(self, peer):
        """What waits reaches its peer."""
        peer.heard += peer.waiting
        peer.waiting = []

    def reset_host(self, calls=0):
        """NimBLE resets its host: all connections end, and for so many calls HCI does not answer."""
        for connection in list(self.peers):
            self.leave(connection)
        self.advertised = None
        self.has_address = False
        self.starts_at = calls

    def handle_of(self, uuid):
        return next(handle for handle, attribute in self.attributes.items() if attribute.uuid == UUID(uuid))

    def come(self, address=b"\1\2\3\4\5\6", mtu=None):
        """A peer connects, if somebody advertises; return its connection."""
        if self.advertised is None:
            raise ConnectionError("nobody advertises")
        if len(self.peers) >= self.most_connections:
            raise ConnectionError("no connection left")
        connection = next(k for k in range(99) if k not in self.peers)  # numbers are used again at once
        self.advertised = None
        self.peers[connection] = Peer()
        self._tell(1, connection, 1, address)
        if mtu is not None:
            self.peers[connection].mtu = mtu
            self._tell(21, connection, mtu)
        return connection

    def leave(self, connection, tells=True):
        """A connection ends; the event may get lost."""
        del self.peers[connection]
        if tells:
            self._tell(2, connection, 1, b"\1\2\3\4\5\6")

    def write(self, connection, handle, data):
        """A peer writes, as it comes out of the stack: cut at the buffer's size."""
        attribute = self.attributes[handle]
        before = attribute.value if attribute.appends else b""
        attribute.value = (before + data)[: attribute.room]
        self._call(3, (connection, handle))

    def drain(self, n=None):
        """The radio gets rid of what it holds."""
        self.queued = 0 if n is None else max(0, self.queued - n)


__all__ = ["Air", "SimClock"]
