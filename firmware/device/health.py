"""Why the board started, how often it crashed in a row, and a watchdog that bites when sampling or link stands still.

A run ends well when it says so before (`leaving`), or when power is switched off. Anything else is a crash; three
crashes in a row make the next start a safe one, and a run of HEALTHY_MS breaks the row. A host knows frames by
boot and number: if two boots shared both, it would take those of the second for the first. So a boot that cannot
be written, or finds no boot before it, takes a random number, far from the counted ones.
"""

import struct

from micropython import const

from ..storage.atomic_files import with_crc, without_crc

FILE = "boot"
_LAYOUT = const("<HBB")  # boot counter, crashes in a row, how the run ended
CRASHES = const(3)
HEALTHY_MS = const(600000)
FEED_MS = const(1000)  # how often the watchdog is fed at most

# Reset causes, in STATUS and EVENT_BOOT. Those of the chip are translated by board.py.
UNKNOWN, POWER_ON, HARD, WATCHDOG, WOKE, SOFT, REQUESTED, EXCEPTION = range(8)

# How a run ended, in the file. While it runs the file says RUNNING: that is what a crash leaves.
RUNNING, REBOOTING, SLEEPING, FAILED = range(4)

_BY_END = {REBOOTING: REQUESTED, FAILED: EXCEPTION}


class Health:
    """Counts boots and crashes; `feed` is the watchdog's, or None without one. `random(n)` gives n bytes."""

    def __init__(self, files, clock, chip_cause, feed, random):
        self._files = files
        self._clock = clock
        self._feed = feed
        self._random = random
        found = _read(files)
        before, crashes, end = found or (0, 0, RUNNING)
        self.boot_id = before % 0xFFFF + 1 if found else self._random_boot_id(0)
        self.reset_cause = _BY_END.get(end, chip_cause)
        self.crashes = _count(before, crashes, end, chip_cause)
        self.is_safe_mode = self.crashes >= CRASHES
        self.problem = None
        self._is_proven = self.crashes == 0
        self._has_sampled = False
        self._has_linked = False
        now = clock.ticks_ms()
        self._fed_at = now
        self._start = now
        self._is_counted = self._write(self.crashes, RUNNING)
        if not self._is_counted:
            self.boot_id = self._random_boot_id(before)  # the next boot would count to the same number

    def kick_sampling(self):
        """Note that the sampling loop ran."""
        self._has_sampled = True

    def kick_link(self):
        """Note that the link loop ran."""
        self._has_linked = True

    def step(self, now):
        """Feed the watchdog if both loops went round since the last time; forgive crashes after a good run."""
        diff = self._clock.ticks_diff
        if self._has_sampled and self._has_linked and diff(now, self._fed_at) >= FEED_MS:
            self._has_sampled = False
            self._has_linked = False
            self._fed_at = now
            if self._feed is not None:
                self._feed()
        if not self._is_proven and diff(now, self._start) >= HEALTHY_MS:
            self._is_proven = True
            self.crashes = 0
            self._write(0, RUNNING)

    def leaving(self, end):
        """Note that this run ends on purpose (REBOOTING, SLEEPING), or of an exception (FAILED)."""
        self._write(self.crashes if end == FAILED else 0, end)

    def exclude_boot_ids(self, boots):
        """Take another boot number if this one is among `boots`, those that the flash log holds."""
        boot = self.boot_id
        while self.boot_id in boots:
            self.boot_id = self.boot_id % 0xFFFF + 1
        if self.boot_id != boot and self._is_counted:
            self._is_counted = self._write(self.crashes, RUNNING)

    def _random_boot_id(self, far_from):
        """Return a random boot number, from the half of all numbers that `far_from` is not in."""
        two = self._random(2)
        return (two[0] | two[1] << 8) & 0x7FFF | ~far_from & 0x8000 or 1

    def _write(self, crashes, end):
        """Write the file; False when the flash refuses, which must not stop the board."""
        try:
            self._files.replace(FILE, with_crc(struct.pack(_LAYOUT, self.boot_id, crashes, end)))
        except OSError as problem:
            self.problem = problem
            return False
        return True


def _count(boot, crashes, end, chip_cause):
    """Return the crashes in a row, given how the run before ended and why the chip starts now."""
    if end == FAILED or (end == RUNNING and chip_cause not in (POWER_ON, WOKE) and boot):
        return min(crashes + 1, 255)
    if end == RUNNING and chip_cause == POWER_ON:
        return crashes  # pulling the plug neither is a crash nor mends anything
    return 0


def _read(files):
    """Return (boot, crashes, end) of the run before; None when there is no such file, or a damaged one."""
    body = without_crc(files.read(FILE))
    if body is None or len(body) != struct.calcsize(_LAYOUT):
        return None
    found = struct.unpack(_LAYOUT, body)
    return found if found[2] <= FAILED else None  # erased flash has a CRC that fits


def will_be_safe(files, chip_cause):
    """For board.py, before there is a Health: whether this start takes the cable only."""
    found = _read(files)
    return found is not None and _count(found[0], found[1], found[2], chip_cause) >= CRASHES


def note_end(files, is_wanted):
    """For main.py, when an exception came out of everything; return how many crashes in a row were before.

    `is_wanted`: a person pressed Ctrl-C, which is no crash. Otherwise the next start knows, and counts.
    """
    found = _read(files)
    if found is None:
        return 0
    crashes = 0 if is_wanted else found[1]
    files.replace(FILE, with_crc(struct.pack(_LAYOUT, found[0], crashes, REBOOTING if is_wanted else FAILED)))
    return crashes
