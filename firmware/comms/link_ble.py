"""One Bluetooth connection: commands in, frames and answers out, through the attributes that ble_radio.py
registered.

The interrupt handler of ble_radio.py only copies into memory made at boot (`on_connect`, `on_write`, ...); everything
else happens in `poll`. ENOMEM means that the radio's own buffers are full: the frame is offered again, and a peer
that takes nothing for 2 s is disconnected. BTstack never says so, but copies each notification to the heap: `window`
bounds what is on the way, whatever the stack. A frame that does not fit a notification goes in fragments. A frame of
the usual size allocates nothing here.
"""

from micropython import const

from tiltwise.common import cobs, wire

from .link import Link

STALL_MS = 2000  # without progress
_GONE_MS = const(2000)  # after asking for the end of a connection: then it counts as ended
_ROOM = const(256)  # a command of the longest, or six as hosts send them; who sends more repeats it
_FULL = (11, 12, 16, 105)  # EAGAIN, ENOMEM, EBUSY, ENOBUFS: not now
_WORKS = const(300)  # notifications without a stall: more than any stack has buffers for
_HEADER = const(3)  # bytes of a notification that are not payload


class BleLink(Link):
    """A place for one connection."""

    peer = "ble"
    window = 8  # frames: what a controller buffers; 24 filled the heap of a Pico W when the signal faded

    def __init__(self, radio, clock):
        self._radio = radio
        self._clock = clock
        # Of the connection, -1: none. Never None, because the interrupt may change it at any time.
        self.handle = -1
        self.connections = 0
        self._address = bytearray(7)
        self._seen = 0  # value of `connections` that poll has dealt with
        self._inbox = cobs.Unstuffer(_ROOM, cobs.stuffed_size(wire.MAX_COMMAND))
        self._came_at = 0
        self._answer = bytearray(cobs.stuffed_size(wire.MAX_COMMAND))
        self._answer_view = memoryview(self._answer)
        self._answer_size = 0
        self._answer_sent = 0
        self._is_stalled = False
        self._stalled_at = 0
        self._is_leaving = False
        self._left_at = 0
        self.mtu_payload = 20
        self._sent = 0  # notifications since it connected

    # ---- called by the interrupt ----

    def on_connect(self, handle, address_type, address):
        """A peer is there; its address is only valid now."""
        self._address[0] = address_type
        self._address[1:7] = address
        self.mtu_payload = 20
        self._inbox.clear()
        self.connections += 1
        self.handle = handle

    def on_disconnect(self):
        """The peer is gone."""
        self.handle = -1

    def on_mtu(self, mtu):
        """The peer agreed on the size of packets."""
        self.mtu_payload = min(max(mtu, 23), 247) - _HEADER

    def on_write(self, data):
        """Bytes of a command came."""
        self._inbox.put(data)
        self._came_at = self._clock.ticks_us()

    # ---- called by the session ----

    @property
    def is_connected(self):
        """Tell whether the peer that `poll` saw is still there."""
        return self.handle >= 0 and self._seen == self.connections and not self._is_leaving

    @property
    def damaged(self):
        """Return the number of invalid packets."""
        return self._inbox.bad

    @property
    def address(self):
        """Return type and address of the peer."""
        return bytes(self._address)

    def poll(self):
        """Take note of a new peer, send on what is left, send away who takes nothing."""
        self._radio.poll()
        if self._seen != self.connections:
            self._seen = self.connections
            self._forget()
        if self.handle < 0:
            return
        now = self._clock.ticks_ms()
        if self._is_leaving:
            if self._clock.ticks_diff(now, self._left_at) >= _GONE_MS:
                self._lost()  # nobody told of the end
            return
        self._pump()
        if self._is_stalled and self._clock.ticks_diff(now, self._stalled_at) >= STALL_MS:
            self.reset()

    def reset(self):
        """End a connection on which nothing moves; the third in a row lets the radio start anew."""
        radio = self._radio
        restarts = radio.restarts
        self.disconnect()
        radio.stalled()
        if self.log is not None:
            self.log(wire.EVENT_LINK_STALL, radio.stalls)
            if radio.restarts != restarts:
                self.log(wire.EVENT_RADIO_RESTART, radio.restarts)

    def _forget(self):
        self._radio.splitter.clear(self)
        self._answer_size = self._answer_sent = 0
        self._is_stalled = self._is_leaving = False
        self._sent = 0

    def receive(self):
        """Return the next command; None while an answer waits, so that a flood of commands waits too."""
        if self._answer_sent < self._answer_size or not self.is_connected:
            return None
        return self._inbox.take()

    def waited_us(self):
        """Return how long ago the last bytes came."""
        return max(self._clock.ticks_diff(self._clock.ticks_us(), self._came_at), 0)

    def is_idle(self):
        """Tell whether answers and fragments have gone out."""
        return self._answer_sent >= self._answer_size and self._radio.splitter.is_empty(self)

    def send(self, buffer, n):
        """Send a frame; True when it is out, or kept until its last fragment is out."""
        if not self.is_idle():
            return False
        if n <= self.mtu_payload:
            # A usual frame fills its slot of the ring, and needs no object to be passed on.
            return self._notify(self._radio.data, buffer if n == len(buffer) else memoryview(buffer)[:n])
        self._radio.splitter.take(self, buffer, n)
        self._pump()
        return True

    def reply(self, data):
        """Send an answer, in pieces if need be."""
        if self._answer_sent < self._answer_size:
            return False
        self._answer_size = cobs.stuff_into(data, len(data), self._answer)
        self._answer_sent = 0
        self._pump()
        return True

    def _pump(self):
        """Send pieces as long as the radio takes them; answers first."""
        while self._answer_sent < self._answer_size:
            end = min(self._answer_sent + self.mtu_payload, self._answer_size)
            if not self._notify(self._radio.ctrl, self._answer_view[self._answer_sent : end]):
                return
            self._answer_sent = end
        splitter = self._radio.splitter
        while not splitter.is_empty(self):
            if not self._notify(self._radio.data, splitter.piece(self.mtu_payload)):
                return
            splitter.done()

    def _notify(self, attribute, data):
        """Give one notification to the radio; False when it cannot take it."""
        handle = self.handle
        if handle < 0 or self._seen != self.connections:
            return False
        try:
            self._radio.ble.gatts_notify(handle, attribute, data)
        except OSError as problem:
            if abs(problem.args[0]) in _FULL:
                self._refused()
            else:
                # ENOTCONN as 107, 128 or -128, by port: the event of the end is late, or was lost. Whatever else it
                # is, a connection that is forgotten but not ended would hold one of the few there are.
                self.disconnect()
            return False
        except (MemoryError, ValueError):
            self._refused()
            return False
        self._is_stalled = False
        self._sent += 1
        if self._sent == _WORKS:
            self._radio.worked()
        return True

    def _refused(self):
        self._radio.refusals += 1
        if not self._is_stalled:
            self._is_stalled = True
            self._stalled_at = self._clock.ticks_ms()

    def _lost(self):
        self.handle = -1
        self._radio.wants_advertising = True

    def disconnect(self):
        """Send the peer away."""
        if self.handle < 0 or self._is_leaving:
            return
        self._is_leaving = True
        self._left_at = self._clock.ticks_ms()
        if not self._radio.cut(self.handle):
            self._lost()

    def publish(self, info):
        """Show the HELLO_START in the INFO characteristic."""
        self._radio.show_info(info)
