"""Bluetooth: registers the services, advertises, and passes the events of its one interrupt to the connections.

Advertising goes on while another connection is possible, so that a stranger who connects does not keep the owner
out; session_manager.py disconnects strangers. Nothing that is advertised tells one board from another: no name, no
number, and where the port can, a new address at each boot and every 15 minutes that nobody is connected.

A real stack fails in ways that only starting it anew mends (docs/protocol.md, Back-pressure): after a host reset
NimBLE has forgotten its address and never advertises again; active(True) may time out; an event may be lost, or the
handler be switched off. None of that is a crash of the firmware, or may leave the board unfindable for ten seconds.
"""

from micropython import const

from tiltwise.common import fragments, wire

from .link_ble import BleLink

PLACES = 4  # connections of the usual NimBLE builds
_CONNECTED = const(1)  # events of the bluetooth module
_DISCONNECTED = const(2)
_WRITTEN = const(3)
_MTU = const(21)
_CTRL_BUFFER = const(256)
_MTU_WANTED = const(247)
_RETRY_MS = const(500)
_FAILURES = const(6)  # to advertise, in a row and with nobody connected: then the radio is started anew
_REFRESH_MS = const(8000)  # advertise anew though nothing happened: a lost event ended it, or a deaf handler
_LONGEST_WAIT_MS = const(60000)  # between attempts to start
_STARTS = const(3)  # attempts to start anew a radio that worked before, until the board itself restarts
_ADVERTISE_US = const(152500)  # as Apple recommends for being found soon
_STALLS = const(3)  # connections in a row that took nothing: then the radio itself is to blame
_TROUBLE = (OSError, MemoryError, ValueError)  # what a radio raises that is not well
_ADDRESS_MS = const(900000)  # as long as the Core Specification recommends for private addresses


class Radio:
    """All of Bluetooth that the board uses.

    `may_restart`: False where only a reset brings a stuck radio back. `places`: connections that its stack can hold.
    """

    def __init__(self, bluetooth, clock, may_restart=True, places=PLACES):
        self._bluetooth = bluetooth
        self._clock = clock
        self._may_restart = may_restart
        self.ble = bluetooth.BLE()
        self.data = self.ctrl = self._info = 0
        self._shown = b""
        self._unwanted = -1  # a connection too many
        self._stalls = 0
        self._failures = 0  # to advertise, in a row; while it is down: to start
        self._is_up = False
        self._has_worked = False
        self._retry_at = self._addressed_at = clock.ticks_ms()
        self.wants_advertising = True
        self.is_quiet = False  # switched off on purpose
        self.rotates_address = False
        self.tells_mtu = (
            False  # a port that cannot set it sends no event of it either (Zephyr): the host tells it
        )
        self.wants_reset = False  # the radio is stuck, and only a reset of the board is left
        self.restarts = 0
        self.stalls = 0
        self.refusals = 0  # notifications that did not fit
        self.overruns = 0  # writes that no memory was left for
        self.faults = 0  # exceptions in the handler
        self.splitter = fragments.Splitter()  # one for all: a single session has frames
        self.links = tuple([BleLink(self, clock) for _ in range(places)])
        self._start()

    # ---- start ----

    def _start(self):
        """Start the radio; what fails is tried again later, for the cable and the coach work without it."""
        try:
            self._register()
        except _TROUBLE as problem:
            print("tiltwise: the radio does not start:", problem)
            self._failures += 1
            if self._has_worked and self._failures >= _STARTS:
                self.wants_reset = True
            wait_ms = min(_RETRY_MS << min(self._failures, 10), _LONGEST_WAIT_MS)
            self._retry_at = self._clock.ticks_add(self._clock.ticks_ms(), wait_ms)
            return
        self._is_up = self._has_worked = self.wants_advertising = True
        self._failures = 0
        self._retry_at = self._addressed_at = self._clock.ticks_ms()

    def _register(self):
        ble, bluetooth = self.ble, self._bluetooth
        ble.active(True)
        self.rotates_address = self._set("addr_mode", 1)
        self.tells_mtu = self._set("mtu", _MTU_WANTED)
        self._set("rxbuf", 2 * _CTRL_BUFFER)
        self._set("gap_name", "tiltwise")
        ble.irq(self._irq)
        read, write, notify = bluetooth.FLAG_READ, bluetooth.FLAG_WRITE, bluetooth.FLAG_NOTIFY
        uuid, ours = bluetooth.UUID, wire.uuid128
        service = uuid(ours(wire.UUID_SERVICE))
        handles = ble.gatts_register_services(
            (
                (
                    service,
                    (
                        (uuid(ours(wire.UUID_INFO)), read),
                        (uuid(ours(wire.UUID_CTRL)), write | notify),
                        (uuid(ours(wire.UUID_DATA)), notify),
                    ),
                ),
            )
        )
        ((self._info, self.ctrl, self.data),) = handles
        # Zephyr's port appends without a look at the buffer's end, and a stranger could write over the heap: there a
        # command replaces one that was not read yet, and the host asks again.
        ble.gatts_set_buffer(self.ctrl, _CTRL_BUFFER, self.tells_mtu)
        ble.gatts_write(self._info, self._shown)
        # Flags (general discovery, no classic Bluetooth) and the service: 21 of 31 bytes.
        self._payload = b"\x02\x01\x06\x11\x07" + bytes(service)

    def _set(self, name, value):
        """Set what the port knows; False when it does not."""
        try:
            self.ble.config(**{name: value})
        except (OSError, ValueError, TypeError):
            return False
        return True

    # ---- interrupt: copies, nothing else ----

    def _irq(self, event, data):
        """Take an event. MicroPython never calls a handler again that raised (extmod/modbluetooth.c)."""
        try:
            self._on_event(event, data)
        except Exception:  # noqa: BLE001  whatever it was, the board would be deaf
            self.faults += 1

    def _on_event(self, event, data):
        if event == _WRITTEN:
            handle, attribute = data
            if attribute == self.ctrl:
                self._written(handle, attribute)
        elif event == _CONNECTED:
            handle, address_type, address = data
            self.wants_advertising = True  # connecting ended it
            for link in self.links:
                if link.handle < 0:
                    link.on_connect(handle, address_type, address)
                    return
            self._unwanted = handle
        elif event == _DISCONNECTED:
            self.wants_advertising = True
            self._failures = 0  # there was no place, perhaps; now there is
            link = self._of(data[0])
            if link is not None:
                link.on_disconnect()
        elif event == _MTU:
            link = self._of(data[0])
            if link is not None:
                link.on_mtu(data[1])

    def _written(self, handle, attribute):
        """Read now what this peer wrote: the attribute is one for all peers."""
        try:
            data = self.ble.gatts_read(attribute)
        except (OSError, MemoryError):
            self.overruns += 1
            return
        link = self._of(handle)
        if link is not None:
            link.on_write(data)

    def _of(self, handle):
        for link in self.links:
            if link.handle == handle:
                return link
        return None

    # ---- every step ----

    def poll(self):
        """Advertise while another connection is possible; disconnect a peer that is one too many."""
        if self.is_quiet:
            return
        unwanted = self._unwanted
        if unwanted >= 0:
            self._unwanted = -1
            self.cut(unwanted)
        is_due = self._clock.ticks_diff(self._clock.ticks_ms(), self._retry_at) >= 0
        if not self._is_up:
            if is_due and not self.wants_reset:
                self._restart()
        elif self._is_address_old():
            self._restart()
        elif (is_due or (self.wants_advertising and not self._failures)) and self._of(-1) is not None:
            self._advertise()

    def _is_address_old(self):
        """Tell whether a listener has met the same address long enough; a connected peer keeps it."""
        if self.is_anybody_there:
            self._addressed_at = self._clock.ticks_ms()
            return False
        age_ms = self._clock.ticks_diff(self._clock.ticks_ms(), self._addressed_at)
        return self.rotates_address and self._may_restart and age_ms >= _ADDRESS_MS

    def set_quiet(self, is_quiet):
        """Switch the radio off on purpose, or on again; where only a reset starts it anew, it stops to advertise."""
        if is_quiet == self.is_quiet:
            return
        self.is_quiet = is_quiet
        if not is_quiet:
            if self._is_up:
                self.wants_advertising = True
            else:
                self._start()
            return
        try:
            if self._may_restart:
                self._is_up = False
                self.ble.active(False)
            else:
                self.ble.gap_advertise(None)
        except _TROUBLE:
            self.faults += 1  # it was off already

    def _advertise(self):
        self.wants_advertising = False  # before: the call may block, and an event come meanwhile
        wait_ms = _REFRESH_MS
        try:
            self.ble.irq(self._irq)
            self.ble.gap_advertise(_ADVERTISE_US, adv_data=self._payload, connectable=True)
            self._failures = 0
        except _TROUBLE:
            # No connection left, a port that cannot do both, or a stack that has forgotten its address.
            self.wants_advertising = True
            self._failures += 1
            wait_ms = _RETRY_MS
        self._retry_at = self._clock.ticks_add(self._clock.ticks_ms(), wait_ms)
        if self._failures >= _FAILURES and not self.is_anybody_there:
            self._failures = 0
            self._begin_anew()

    @property
    def is_up(self):
        """Tell whether the radio runs."""
        return self._is_up

    @property
    def is_anybody_there(self):
        """Tell whether a peer is connected."""
        return any(link.handle >= 0 for link in self.links)

    def cut(self, handle):
        """End a connection; False when there is none."""
        try:
            return self.ble.gap_disconnect(handle)
        except _TROUBLE:
            return False

    def stalled(self):
        """A peer took nothing for 2 s; the third time in a row the radio is started anew."""
        self.stalls += 1
        self._stalls += 1
        if self._stalls >= _STALLS:
            self._stalls = 0
            self._begin_anew()

    def worked(self):
        """Frames go out: whatever stalled before is over."""
        self._stalls = 0

    def _begin_anew(self):
        """Act on a radio that runs and does not work."""
        self.restarts += 1
        if self._may_restart:
            self._restart()
        else:
            self.wants_reset = True

    def _restart(self):
        self._is_up = False
        for link in self.links:
            link.on_disconnect()
        try:
            self.ble.active(False)
        except _TROUBLE:
            self.faults += 1  # it was off already, or does not answer: starting says the rest
        self._start()

    # ---- what peers may read ----

    def show_info(self, info):
        """Show these bytes as INFO."""
        if info != self._shown:
            self._shown = info
            if not self._is_up:
                return
            try:
                self.ble.gatts_write(self._info, info)
            except _TROUBLE:
                self.refusals += 1  # shown again with the next change
