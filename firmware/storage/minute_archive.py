"""Decides which one-minute summaries go to flash, and gives them back, of this boot and of earlier ones.

A minute that the host stores within SPARE_MS never touches the flash, so a day beside a host costs no wear at all;
without a host it is one record a minute, and never more than PER_HOUR whatever happens. What the host has stored
is noted by a record too, and only when it frees a minute that is in flash.
"""

import struct

from micropython import const

from tiltwise.common import wire

from . import flash_log

SPARE_MS = const(20000)  # a host acknowledges every second; longer means that none is there
PER_HOUR = const(300)  # two sensors make 120
MOST_WEAR = const(90000)  # erase cycles; flash is good for 100 000
_MOST_BOOTS = const(64)
# Of a row: boot, first and last number not stored by the host, position of the first in the log.
_BOOT, _FIRST, _LAST, _POSITION = range(4)


class MinuteLog:
    """The archive behind a FrameStore."""

    def __init__(self, log, clock):
        self.log = log
        self._clock = clock
        self._rows = []  # a boot each, oldest first
        self._payload = bytearray(flash_log.PAYLOAD)
        self._next = 0  # number from which minutes of this boot are not in flash
        self._waits_since = None
        self._tokens_ms = 3600000
        self._last = clock.ticks_ms()
        self._cursor = (0, 0, 0)  # boot, number, position: where reading stopped
        self.skipped = 0  # minutes not written because of a limit
        self.boot = 0
        self._newest = 0
        self._scan()

    @property
    def newest_boot(self):
        """The newest boot known here, 0 if none, also when the host has stored all of it."""
        return self._newest

    def begin(self, boot):
        """Minutes that come now belong to this boot."""
        self.boot = boot

    @property
    def faults(self):
        """Return how many blocks and records could not be written, or were damaged when the board started."""
        return self.log.faults

    # ---- reading ----

    def holds(self, boot):
        """Tell whether there are minutes of a boot that the host has not stored."""
        return bool(self._rows) and self._row(boot) is not None

    def boots(self):
        """Return [(boot, first, last number)] of the earlier boots that have minutes the host has not stored."""
        return [(row[_BOOT], row[_FIRST], row[_LAST]) for row in self._rows if row[_BOOT] != self.boot]

    def read(self, boot, seq, buffer):
        """Put the first minute of a boot from a number on into the buffer; return (number, bytes), or None.

        The frame is not sealed: flags and tag belong to the sending.
        """
        row = self._row(boot)
        if row is None or seq > row[_LAST]:
            return None
        seq = max(seq, row[_FIRST])
        found = self._seek(boot, seq, self._start_for(row, seq))
        if found is None:
            return None
        number, position = found
        self._cursor = (boot, number + 1, position + 1)
        buffer[: flash_log.PAYLOAD] = self._payload
        return number, wire.frame_size(wire.MINUTE)

    def _start_for(self, row, seq):
        """Return the position from which to look for a number."""
        boot, number, position = self._cursor
        return position if boot == row[_BOOT] and number <= seq else row[_POSITION]

    def _seek(self, boot, seq, position):
        """Return (number, position) of the first minute from a number on; its payload is in `_payload`."""
        for k in range(max(position, self.log.start()), self.log.end()):
            if self.log.read(k, self._payload) == flash_log.MINUTE:
                there, number = struct.unpack_from("<HI", self._payload, 2)
                if there == boot and number >= seq:
                    return number, k
        return None

    def _row(self, boot):
        for row in self._rows:
            if row[_BOOT] == boot:
                return row
        return None

    # ---- what the host has stored ----

    def free_to(self, boot, seq):
        """Note that the host has stored a boot up to this number."""
        row = self._row(boot)
        if row is None or seq < row[_FIRST]:
            return
        struct.pack_into("<HI", self._payload, 0, boot, min(seq, row[_LAST]))
        self._append(flash_log.ACK, self._payload)
        self._advance(row, seq + 1)

    def forget(self, boot):
        """Drop the minutes of a boot; False when there are none."""
        row = self._row(boot)
        if row is None:
            return False
        self.free_to(boot, row[_LAST])
        return True

    def _advance(self, row, seq):
        """Let a row begin at this number, or end it."""
        found = None
        if seq <= row[_LAST]:
            found = self._seek(row[_BOOT], seq, row[_POSITION])
        if found is None:
            if row in self._rows:  # an erase may have taken it already
                self._rows.remove(row)
        else:
            row[_FIRST], row[_POSITION] = found

    # ---- writing ----

    def step(self, now, ring):
        """Write the minutes in the ring that waited too long for the host; call it about once a second."""
        passed = self._clock.ticks_diff(now, self._last)
        self._last = now
        self._tokens_ms = min(self._tokens_ms + passed, 3600000)
        if ring.find(self._next) >= ring.used:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        elif self._clock.ticks_diff(now, self._waits_since) >= SPARE_MS:
            self.flush(ring)

    def flush(self, ring):
        """Write all minutes in the ring that are not in flash yet: before sleep, before a restart."""
        for k in range(ring.find(self._next), ring.used):
            seq = ring.seq_at(k)
            frame = memoryview(ring.frame_at(k))[: flash_log.PAYLOAD]
            if self._append(flash_log.MINUTE, frame):
                self._note(self.boot, seq, self.log.end() - 1)
            self._next = seq + 1
        self._waits_since = None

    def _append(self, kind, payload):
        """Write a record within the limits."""
        if self._tokens_ms < 3600000 // PER_HOUR or self.log.wear > MOST_WEAR:
            self.skipped += 1
            return False
        self._tokens_ms -= 3600000 // PER_HOUR
        dropped = self.log.dropped
        # The second attempt goes to another place.
        is_written = self.log.append(kind, payload) or self.log.append(kind, payload)
        if self.log.dropped != dropped:
            self._prune()
        return is_written

    def _prune(self):
        """After an erase: begin each boot at what is left of it."""
        start = self.log.start()
        kept = bytes(self._payload)  # looking for what is left uses it
        for row in list(self._rows):
            if row[_POSITION] < start:
                self._advance(row, row[_FIRST])
        self._payload[:] = kept

    # ---- at boot ----

    def _scan(self):
        """Learn from the log which boots have minutes that the host has not stored."""
        for k in range(self.log.start(), self.log.end()):
            kind = self.log.read(k, self._payload)
            if kind == flash_log.MINUTE:
                boot, seq = struct.unpack_from("<HI", self._payload, 2)
                self._note(boot, seq, k)
            elif kind == flash_log.ACK:
                boot, seq = struct.unpack_from("<HI", self._payload, 0)
                row = self._row(boot)
                if row is not None and seq >= row[_FIRST]:
                    self._advance(row, seq + 1)
            else:
                self.log.note_damage(k)

    def _note(self, boot, seq, position):
        """Remember that a minute lies here."""
        self._newest = boot
        row = self._row(boot)
        if row is None:
            self._rows.append([boot, seq, seq, position])
            if len(self._rows) > _MOST_BOOTS:
                self._rows.pop(0)
        elif seq > row[_LAST]:
            row[_LAST] = seq


class ArchiveView:
    """The minutes of one boot in flash, to be used like a ring: position 0 is the frame looked for last."""

    capacity = 1

    def __init__(self, archive, boot=0):
        self._archive = archive
        self._frame = bytearray(wire.frame_size(wire.MINUTE))
        self._seq = 0
        self._size = 0
        self.boot = boot
        self.used = 0

    def find(self, seq):
        """Look for the first frame from a number on: position 0, or `used` (0) when there is none."""
        found = self._archive.read(self.boot, seq, self._frame)
        self.used = 0 if found is None else 1
        if found is not None:
            self._seq, self._size = found
        return 0

    def seq_at(self, _position):
        """Return the number of the frame found."""
        return self._seq

    def frame_at(self, _position):
        """Return the frame found; sealing it changes nothing in flash."""
        return self._frame

    def size_at(self, _position):
        """Return its bytes."""
        return self._size
