"""The frames that go to one host, in order: live ones within its credits, alternating with those requested again.

A frame that the link refuses is tried again; it leaves the store only when the host has acknowledged it. No more than
`window` frames are on the way since the host was last heard, for not every link refuses. A steady stream allocates
nothing.
"""

import struct

from micropython import const

from tiltwise.common import wire

from .. import config

_MOST_GONE = const(12)  # ranges in one answer; the host asks on from where the list ends


class SendQueue:
    """What one host gets of a FrameStore. `transmit(frame, size, flags) -> bool` seals and sends."""

    def __init__(self, frames, transmit, window=0):
        self._frames = frames
        self._send = transmit
        self._window = window  # 0: none
        self.in_flight = 0  # frames since the host was last heard
        self.stream = None  # (frame type, samples a frame) while streaming
        self._live = 0  # next number to send live
        self._limit = 0  # first number beyond the credits
        self._ring = None  # of an earlier boot, while its frames are sent again
        self._boot = 0
        self._from = 0
        self._again = 1  # numbers to send again: from `_again` to `_again_to`
        self._again_to = 0
        self._gone = []  # ranges asked for and not held
        self.request_id = None  # of the GET whose end is still to be reported
        self.is_done = False  # its frames are out

    @property
    def is_waiting(self):
        """Tell whether live frames wait for an acknowledgement: the credits are used up."""
        return self.stream is not None and self._live >= self._limit

    @property
    def is_full(self):
        """Tell whether nothing may go out before the host is heard."""
        return 0 < self._window <= self.in_flight

    def _transmit(self, frame, size, flags):
        if self.is_full or not self._send(frame, size, flags):
            return False
        self.in_flight += 1
        return True

    def stop(self):
        """Send nothing more."""
        self.in_flight = 0
        self.stream = None
        self._again_to = self._again - 1
        self.request_id = None
        self.is_done = False

    def start(self, stream):
        """Send live frames from now on; a repeated call changes nothing and returns False."""
        if self.stream == stream:
            return False
        self.stream = stream
        self._live = self._frames.next_seq
        self._limit = self._live + config.CREDITS
        return True

    def acknowledge(self, seq, credits):
        """Let `credits` frames go out beyond this number."""
        self._limit = seq + 1 + credits

    def grant_credits(self, credits):
        """Let `credits` more frames go out, though the host has stored nothing."""
        self._limit = self._live + credits

    def get(self, request_id, boot, first, last):
        """Send a range again, in place of the one under way; False when this boot is not known or not so far."""
        if boot == self._frames.boot:
            self._ring = None
            if first >= self._frames.next_seq:
                return False
            last = min(last, self._frames.next_seq - 1)
        else:
            self._ring = self._frames.earlier_boot(boot)
            if self._ring is None:
                return False
        self._boot = boot
        self._from = self._again = first
        self._again_to = last
        self._gone = []
        self.request_id = request_id
        self.is_done = False
        return True

    def done_body(self):
        """Return the GET_DONE_BODY: the part of the range that was sent, and the numbers in it that are not held."""
        parts = [struct.pack(wire.GET_DONE_BODY, self._boot, self._from, self._again_to, len(self._gone))]
        parts.extend(struct.pack("<II", first, last) for first, last in self._gone)
        return b"".join(parts)

    def step(self):
        """Send some frames; return True when there is more to send and the link takes it."""
        for _ in range(config.FRAMES_PER_STEP):
            live = self.stream is not None and self._live < self._limit and self._send_live()
            again = self._again <= self._again_to and self._send_again()
            if not live and not again:
                return False
        return True

    def _send_live(self):
        ring = self._frames.find(self._live)
        if ring is None:
            return False
        position = ring.find(self._live)
        seq = ring.seq_at(position)
        if seq >= self._limit or not self._transmit(ring.frame_at(position), ring.size_at(position), 0):
            return False
        self._live = seq + 1
        return True

    def _send_again(self):
        ring = self._frames.find(self._again) if self._ring is None else self._ring
        position = 0 if ring is None else ring.find(self._again)
        seq = self._again_to + 1 if ring is None or position >= ring.used else ring.seq_at(position)
        if seq > self._again and not self._skip_to(min(seq, self._again_to + 1)):
            return False
        if not self._transmit(ring.frame_at(position), ring.size_at(position), wire.FLAG_BACKFILL):
            return False
        self._again = seq + 1
        self._end_if_done()
        return True

    def _skip_to(self, seq):
        """Note that the numbers before this one are not held; False when that ends the range."""
        self._gone.append((self._again, seq - 1))
        self._again = seq
        if len(self._gone) == _MOST_GONE:
            self._again_to = seq - 1
        self._end_if_done()
        return not self.is_done

    def _end_if_done(self):
        if self._again > self._again_to:
            self.is_done = True
            self._ring = None
