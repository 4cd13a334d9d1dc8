"""The cable: frames and commands as COBS packets over USB serial, beside whatever is printed there.

Before it: session.py. After it: the host's serial port. board.py gives the streams, and switches Ctrl-C off
(`micropython.kbd_intr(-1)`), because a packet may hold any byte but zero:

    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    UsbLink(sys.stdin.buffer, sys.stdout.buffer, clock, lambda: poller.poll(0))

A cable does not tell whether a host listens, and writing to nobody can block: a host counts as there while it
talks.
"""

from micropython import const

from tiltwise.common import cobs, wire

from .link import Link

SILENCE_MS = 12000  # hosts acknowledge every second, and ping when there is nothing to acknowledge
_BYTES_PER_POLL = const(256)
_ROOM = const(512)


class UsbLink(Link):
    """A host at the other end of the cable."""

    peer = "usb"

    def __init__(self, reader, writer, clock, can_read, can_write=None):
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._can_read = can_read
        self._can_write = can_write
        self._inbox = cobs.Unstuffer(_ROOM, cobs.stuffed_size(wire.MAX_COMMAND))
        self._first = None  # packet that made the connection
        self._byte = bytearray(1)
        self._out = bytearray(cobs.stuffed_size(wire.frame_size(wire.ORIENT, wire.MAX_SAMPLES)))
        self._view = memoryview(self._out)
        self._heard_at = 0
        self._came_at = 0
        self.is_connected = False
        self.connections = 0

    @property
    def damaged(self):
        """Return how many packets were none: a terminal, or a broken cable."""
        return self._inbox.bad

    def poll(self):
        """Read what came; without blocking, so byte by byte."""
        for _ in range(_BYTES_PER_POLL):
            if not self._can_read() or not self._reader.readinto(self._byte):
                break
            self._inbox.put(self._byte)
            self._came_at = self._clock.ticks_us()
        if self.is_connected:
            if self._clock.ticks_diff(self._clock.ticks_ms(), self._heard_at) > SILENCE_MS:
                self.is_connected = False
        else:
            self._first = self._inbox.take()
            if self._first is not None:
                self._heard()
                self.connections += 1

    def _heard(self):
        self.is_connected = True
        self._heard_at = self._clock.ticks_ms()

    def receive(self):
        """Return the next packet, None when there is none."""
        packet = self._first
        if packet is None:
            packet = self._inbox.take()
        self._first = None
        if packet is not None:
            self._heard()
        return packet

    def waited_us(self):
        """Return how long ago the last byte came."""
        return max(self._clock.ticks_diff(self._clock.ticks_us(), self._came_at), 0)

    def send(self, buffer, n):
        """Send a frame; False when the port does not take it."""
        if not self.is_connected or (self._can_write is not None and not self._can_write()):
            return False
        size = cobs.stuff_into(buffer, n, self._out)
        try:
            written = self._writer.write(self._view[:size])
        except OSError:
            return False
        return written is None or written == size  # a torn packet is passed over by the host

    def reply(self, data):
        """Send an answer."""
        return self.send(data, len(data))

    def disconnect(self):
        """A cable cannot be cut; the host has to talk again to be there."""
        self.is_connected = False
