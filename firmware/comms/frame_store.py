"""Every frame of this boot on its way out: numbered, kept until acknowledged, found again by number.

Two rings share one numbering: a large one for samples and events, and a small one for the one-minute summaries, so
that hours without a host push out samples but not the summary of the day. Behind the small one is the archive in
flash (minute_archive.py), if the board has one: it holds what waited too long, also of earlier boots.
"""

from micropython import const

from tiltwise.common import wire

from ..storage.minute_archive import ArchiveView
from .frame_ring import FrameRing

LEAST_FRAMES = 16
_MINUTES_BEFORE_FLASH = const(6)  # of two sensors three minutes: what no host takes in 20 s is in flash
# What the rest of the firmware takes after the ring's size is known, its largest hole with it (25 kB), and what the
# garbage of a second and an encrypted session need (20 kB).
_RESERVE = const(45000)
_SHARE = const(6)  # tenths of the free memory beyond that


def slot_bytes(samples_per_frame):
    """Return the size of a slot for any frame but MINUTE."""
    return max(wire.frame_size(wire.ORIENT, samples_per_frame), wire.frame_size(wire.INFO))


def frames_that_fit(free_bytes, samples_per_frame, most):
    """Return how many frames to keep: a share of what is left when the rest has its memory (PSRAM counts)."""
    # A slot costs its bytes, a memoryview (32 bytes on a board), its place in a list, size and number.
    each = slot_bytes(samples_per_frame) + 32 + 4 + 2 + 4
    return max(LEAST_FRAMES, min((free_bytes - _RESERVE) * _SHARE // 10 // each, most))


def make(boot, frames, minutes, samples_per_frame, archive=None):
    """Return a FrameStore of this size, or of half of it and so on when the memory is in pieces."""
    if archive is not None:
        minutes = min(minutes, _MINUTES_BEFORE_FLASH)
    while True:
        try:
            return FrameStore(boot, frames, minutes, samples_per_frame, archive)
        except MemoryError:
            if frames <= LEAST_FRAMES:
                raise
            frames = max(frames // 2, LEAST_FRAMES)


class FrameStore:
    """Frames of one boot."""

    def __init__(self, boot, frames, minutes, samples_per_frame, archive=None):
        self.boot = boot
        self.next_seq = 0
        self.archive = archive
        self.main = FrameRing(frames, slot_bytes(samples_per_frame))
        self.minutes = FrameRing(minutes, wire.frame_size(wire.MINUTE))
        self._rings = self._rings_in_memory = (self.main, self.minutes)
        if archive is not None:
            archive.begin(boot)
            self._rings += (ArchiveView(archive, boot),)

    def put(self, buffer, frame_type, flags, i0, t0, n, sensor, rate_code):
        """Number a filled frame, keep it, and return the buffer for the next one."""
        wire.pack_header_into(
            buffer, frame_type, flags, self.boot, self.next_seq, i0, t0, n, sensor, rate_code
        )
        ring = self.minutes if frame_type == wire.MINUTE else self.main
        if ring is self.minutes and ring.used == ring.capacity and self.archive is not None:
            self.flush()  # what leaves the ring is in flash, not lost
            ring.free_to(ring.seq_at(0))
        seq = self.next_seq
        self.next_seq += 1
        return ring.put(buffer, wire.frame_size(frame_type, n), seq)

    def free_to(self, seq):
        """Forget the frames up to this number: the host has stored them."""
        self.main.free_to(seq)
        self.minutes.free_to(seq)
        if self.archive is not None:
            self.archive.free_to(self.boot, seq)

    def oldest(self):
        """Return the number of the oldest frame still here, or the next number when there is none."""
        oldest = self.next_seq
        for ring in self._rings:
            position = ring.find(0)
            if position < ring.used:
                oldest = min(oldest, ring.seq_at(position))
        return oldest

    def find(self, seq):
        """Return the ring that holds the first frame with this or a later number, or None."""
        found = None
        best = self.next_seq
        rings = self._rings
        if self.archive is None or not self.archive.holds(self.boot):  # asked for each frame
            rings = self._rings_in_memory
        for ring in rings:
            position = ring.find(seq)
            if position < ring.used and ring.seq_at(position) < best:
                found = ring
                best = ring.seq_at(position)
        return found

    @property
    def lost(self):
        """Return how many frames were dropped before anybody acknowledged them."""
        return self.main.lost + self.minutes.lost

    # ---- the archive, where there is one ----

    @property
    def flash_faults(self):
        """Return how many blocks and records of the archive failed."""
        return 0 if self.archive is None else self.archive.faults

    def step(self, now):
        """Let minutes that wait too long go to flash; call it about once a second."""
        if self.archive is not None:
            self.archive.step(now, self.minutes)

    def flush(self):
        """Write all minutes to flash that are not there yet."""
        if self.archive is not None:
            self.archive.flush(self.minutes)

    def earlier_boot(self, boot):
        """Return what is held of an earlier boot, like a ring; None without an archive."""
        return None if self.archive is None else ArchiveView(self.archive, boot)

    def earlier_boots(self):
        """Return [(boot, first, last number)] of the earlier boots that have frames."""
        return [] if self.archive is None else self.archive.boots()

    def free_earlier(self, boot, seq):
        """Forget the frames of an earlier boot up to this number; False without an archive."""
        if self.archive is None:
            return False
        self.archive.free_to(boot, seq)
        return True

    def forget_all(self):
        """Forget all frames of all boots."""
        for boot, _, _ in self.earlier_boots():
            self.forget(boot)
        self.forget(self.boot)

    def forget(self, boot):
        """Forget all frames of a boot, this one or an earlier one; a boot that is not known is forgotten already."""
        if boot == self.boot:
            self.free_to(self.next_seq - 1)
        elif self.archive is not None:
            self.archive.forget(boot)
