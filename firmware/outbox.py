"""Every frame of this boot on its way out: numbered, kept until acknowledged, found again by number.

Before it: sampler.py and report.py, which fill frames. After it: session.py, which sends them.
Two rings share one numbering: a large one for samples and events, and a small one for the one-minute summaries, so
that hours without a host push out samples but not the summary of the day.
"""

from tiltwise.common import wire

from .ring import Ring


class Outbox:
    """Frames of one boot."""

    def __init__(self, boot, frames, minutes, samples_per_frame):
        self.boot = boot
        self.next_seq = 0
        size = max(wire.frame_size(wire.ORIENT, samples_per_frame), wire.frame_size(wire.INFO))
        self.main = Ring(frames, size, spares=3)  # two sensors and one for everything else
        self.minutes = Ring(minutes, wire.frame_size(wire.MINUTE), spares=2)

    def put(self, buffer, frame_type, flags, i0, t0, n, sensor, rate_code):
        """Number a filled frame, keep it, and return the buffer for the next one."""
        wire.pack_header_into(
            buffer, frame_type, flags, self.boot, self.next_seq, i0, t0, n, sensor, rate_code
        )
        ring = self.minutes if frame_type == wire.MINUTE else self.main
        seq = self.next_seq
        self.next_seq += 1
        return ring.put(buffer, wire.frame_size(frame_type, n), seq)

    def free_to(self, seq):
        """Forget the frames up to this number: the host has stored them."""
        self.main.free_to(seq)
        self.minutes.free_to(seq)

    def oldest(self):
        """Return the number of the oldest frame still here, or the next number when there is none."""
        oldest = self.next_seq
        for ring in (self.main, self.minutes):
            if ring.used:
                oldest = min(oldest, ring.seq_at(0))
        return oldest

    def find(self, seq):
        """Return the ring that holds the first frame with this or a later number, or None."""
        found = None
        best = self.next_seq
        for ring in (self.main, self.minutes):
            position = ring.find(seq)
            if position < ring.used and ring.seq_at(position) < best:
                found = ring
                best = ring.seq_at(position)
        return found
