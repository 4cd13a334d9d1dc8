"""The cable: frames and commands as COBS packets over USB serial, beside whatever is printed there.

    UsbLink(sys.stdin.buffer, sys.stdout.buffer, clock, can_read, can_write)

A cable does not tell whether a host listens: a host counts as there while it talks. One that talks and does not read
must not stop the sampling. MicroPython's `write` waits for such a host: 0.5 s for every 64 bytes (TinyUSB: ESP32-S3,
Pico), or 0.2 s (USB-serial-JTAG: ESP32-C3). POLLOUT tells beforehand on a Pico; an ESP32 says at any time that it can
write. So a packet goes out in pieces of 64 bytes, the rest of it in a later step, and a piece that had to wait is
followed by four times as long without one: at most a fifth of the time goes by waiting, and a second at once, which
the FIFO of every part but an MPU-6050 outlasts.
"""

from micropython import const

from tiltwise.common import cobs, wire

from .link import Link

SILENCE_MS = 12000  # hosts acknowledge every second, and ping when there is nothing to acknowledge
_BYTES_PER_POLL = const(256)
_ROOM = const(512)
_PIECE = const(64)  # a full-speed USB packet
_QUICK_MS = const(20)  # 64 bytes over a UART at 115200 baud take 6
_PAUSES = const(4)  # times as long as a piece had to wait


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
        largest = wire.frame_size(wire.ORIENT, wire.MAX_SAMPLES) + wire.SEALED_GROWS
        self._out = bytearray(cobs.stuffed_size(largest))
        self._view = memoryview(self._out)
        self._pieces = [self._view[k : k + _PIECE] for k in range(0, len(self._out) - _PIECE + 1, _PIECE)]
        self._at = 0  # of the packet in _out: what is written, and where it ends
        self._end = 0
        self._pause_ms = 0  # no writing for so long after _paused_at
        self._paused_at = 0
        self._heard_at = 0
        self._came_at = 0
        self.is_connected = False
        self.connections = 0

    @property
    def damaged(self):
        """Return the number of invalid packets: a terminal, or a broken cable."""
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
                self.disconnect()
            else:
                self._write_on()
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
        """Take a frame and write what the port takes of it now; False while it has not taken all of the last one."""
        if not self.is_connected or not self._write_on() or not self._may_write():
            return False
        self._at = 0
        self._end = cobs.stuff_into(buffer, n, self._out)
        self._write_on()
        return True

    def _write_on(self):
        """Write what is left, piece by piece, until the port makes us wait; True when nothing is left."""
        while self._at < self._end:
            if not self._may_write():
                return False
            piece = self._next_piece()
            began = self._clock.ticks_ms()
            try:
                written = self._writer.write(piece)
            except OSError:
                written = 0
            now = self._clock.ticks_ms()
            took = self._clock.ticks_diff(now, began)
            if took > _QUICK_MS:
                self._pause_ms = _PAUSES * took
                self._paused_at = now
            self._at += len(piece) if written is None else written
            if written is not None and written < len(piece):
                return False
        return True

    def _may_write(self):
        if self._pause_ms:
            if self._clock.ticks_diff(self._clock.ticks_ms(), self._paused_at) < self._pause_ms:
                return False
            self._pause_ms = 0
        return self._can_write is None or self._can_write()

    def _next_piece(self):
        """Return what comes next of the packet; whole pieces are made once, the last one is not."""
        at = self._at
        if at % _PIECE == 0 and at + _PIECE <= self._end:
            return self._pieces[at // _PIECE]
        return self._view[at : min(at + _PIECE, self._end)]

    def is_idle(self):
        """Tell whether the last packet is written."""
        return self._at >= self._end

    def reply(self, data):
        """Send an answer."""
        return self.send(data, len(data))

    def disconnect(self):
        """A cable cannot be cut; the host has to talk again to be there. Half a packet is passed over by it."""
        self.is_connected = False
        self._end = 0
