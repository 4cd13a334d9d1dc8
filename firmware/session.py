"""Talks with one host: takes its commands, sends live frames within its credits, sends missing ones again.

Before it: outbox.py with the frames, a link with the commands. After it: the link.
A frame leaves the outbox only when the host says that it has stored it (ACK). Frames are sealed when they are sent,
because flags and key belong to the sending. `tagger` makes and checks the tags; without one they are checksums.

    command  payload                     answer (after a status byte)
    START    type u8, samples u8         -
    STOP     -                           -
    ACK      boot u16, seq u32, credits u16   -
    GET      boot u16, from u32, to u32  oldest and newest number held u32, u32; then the frames, FLAG_BACKFILL
"""

import struct

from tiltwise.common import wire

from . import config

_OK = bytes([wire.STATUS_OK])
_UNSUPPORTED = bytes([wire.STATUS_UNSUPPORTED])
_BAD_ARGUMENT = bytes([wire.STATUS_BAD_ARGUMENT])


class Session:
    """The host's side of the outbox. `on_start(frame_type, samples)` is called when a stream begins."""

    def __init__(self, link, outbox, on_start, tagger=None):
        self._link = link
        self._outbox = outbox
        self._on_start = on_start
        self._tagger = tagger
        self._handlers = {
            wire.OP_START: self._start,
            wire.OP_STOP: self._stop,
            wire.OP_ACK: self._ack,
            wire.OP_GET: self._get,
        }
        self._stream = None  # (frame type, samples a frame) while streaming
        self._live = 0  # next number to send live
        self._limit = 0  # first number the host has not asked for yet
        self._again = 1  # numbers to send again: from `_again` to `_again_to`
        self._again_to = 0
        self._counter = 0  # of replies
        self.retries = 0
        self.bad_commands = 0

    @property
    def is_streaming(self):
        """Tell whether a host wants live frames."""
        return self._stream is not None

    def step(self):
        """Take all commands that came, then send some frames; return True when there is more to send."""
        self._link.poll()
        if not self._link.is_connected:
            self._stream = None
            self._again_to = self._again - 1
            return False
        data = self._link.receive()
        while data is not None:
            self._command(data)
            data = self._link.receive()
        for _ in range(config.FRAMES_PER_STEP):
            live = self._stream is not None and self._live < self._limit and self._send(self._live, False)
            again = self._again <= self._again_to and self._send(self._again, True)
            if not live and not again:
                return False
        return True

    # ---- sending ----

    def _send(self, seq, is_again):
        """Send the first frame with this or a later number; False when there is none or the link is full."""
        ring = self._outbox.find(seq)
        if ring is None:
            if is_again:
                self._again_to = self._again - 1
            return False
        position = ring.find(seq)
        seq = ring.seq_at(position)
        if seq > self._again_to if is_again else seq >= self._limit:
            if is_again:
                self._again_to = self._again - 1
            return False
        frame = ring.frame_at(position)
        frame[1] = frame[1] & ~wire.FLAG_BACKFILL & 0xFF | (wire.FLAG_BACKFILL if is_again else 0)
        size = wire.seal(frame, ring.size_at(position), self._tagger)
        if not self._link.send(frame, size):
            self.retries += 1
            return False
        if is_again:
            self._again = seq + 1
        else:
            self._live = seq + 1
        return True

    # ---- commands ----

    def _command(self, data):
        try:
            request_id, opcode, _, payload = wire.open_command(data, self._tagger)
        except wire.WireError:
            self.bad_commands += 1  # a host that is meant repeats its command
            return
        handler = self._handlers.get(opcode)
        answer = _UNSUPPORTED if handler is None else handler(payload)
        self._counter += 1
        self._link.reply(
            wire.pack_command(request_id, opcode | wire.REPLY, self._counter, answer, self._tagger)
        )

    def _start(self, payload):
        if len(payload) != 2:
            return _BAD_ARGUMENT
        frame_type, samples = payload
        if frame_type not in wire.SAMPLE_SIZES or not 1 <= samples <= config.SAMPLES_PER_FRAME:
            return _BAD_ARGUMENT
        stream = (frame_type, samples)
        if self._stream != stream:  # a repeated START changes nothing
            self._stream = stream
            self._live = self._outbox.next_seq
            self._limit = self._live + config.CREDITS
            self._on_start(frame_type, samples)
        return _OK

    def _stop(self, payload):
        if payload:
            return _BAD_ARGUMENT
        self._stream = None
        self._again_to = self._again - 1
        return _OK

    def _ack(self, payload):
        if len(payload) != 8:
            return _BAD_ARGUMENT
        boot, seq, credits = struct.unpack("<HIH", payload)
        if boot != self._outbox.boot or seq >= self._outbox.next_seq:
            return _BAD_ARGUMENT
        self._outbox.free_to(seq)
        self._limit = seq + 1 + credits
        return _OK

    def _get(self, payload):
        if len(payload) != 10:
            return _BAD_ARGUMENT
        boot, first, last = struct.unpack("<HII", payload)
        if boot != self._outbox.boot or first > last:
            return _BAD_ARGUMENT
        self._again = first
        self._again_to = min(last, self._outbox.next_seq - 1)
        return _OK + struct.pack("<II", self._outbox.oldest(), max(self._outbox.next_seq - 1, 0))
