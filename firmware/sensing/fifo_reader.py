"""FIFO of one IMU in, single samples with their times out.

A part that samples at 200 Hz is averaged in pairs, so that all that follows runs at about 104 Hz. A hole in the
samples is never hidden: the sample index jumps by the number lost, the frame that follows carries FLAG_DISCONTINUITY,
and the fusion doubts its tilt, but keeps what it learnt about the bias.
"""

from array import array

from tiltwise.common import wire

from .. import config
from .timebase import Timebase


class FifoReader:
    """Reads the FIFO of sensor `index` into a SamplePath. `log(code, value, sensor)` takes events."""

    def __init__(self, index, log):
        self.timebase = Timebase()
        self.overflows = 0
        self.merge = 1  # samples of the part that make one of ours
        self._index = index
        self._log = log
        self._counts = array("h", [0] * (6 * 17))
        self._half = array("h", [0] * 6)  # the first of a pair, and its time
        self._half_t = 0
        self._has_half = False
        self._unread = 0  # samples that the timebase knows of and that were not read yet
        self._fresh_at = 0  # when samples last came
        self._is_emptied = False

    def rate_hz(self):
        """Return the measured rate of the samples, after averaging."""
        return 1e4 / (self.timebase.period * self.merge)

    def start(self, now):
        """Begin anew with a part that has just been configured."""
        self._has_half = False
        self._unread = 0
        self._fresh_at = now

    def drain(self, now, driver, path):
        """Hand all that waits to the path; False when the part has given nothing for config.STALL_MS; OSError."""
        waiting = driver.waiting()
        fresh = waiting - self._unread
        if fresh <= 0:
            if driver.overflowed and not self._is_emptied:
                self._is_emptied = True  # the driver threw all away: the next samples are yet to come
                self._fresh_at = now
            return now - self._fresh_at <= config.STALL_MS * 10
        self._is_emptied = False
        self._fresh_at = now
        lost = self.timebase.observe(now, fresh, driver.overflowed)
        self._unread = waiting
        if lost or driver.overflowed:
            self._hole(driver, path, lost)
        while self._unread:
            n = min(self._unread, driver.burst)
            done = driver.read_fifo(self._counts, n)
            self._unread -= n
            self._process(path, done)
            if done < n:
                self._skip(path, n - done)
        return True

    def _hole(self, driver, path, lost):
        """Account for samples that were lost before the ones about to be read."""
        if driver.overflowed:
            driver.overflowed = False
            self.overflows += 1
            self._log(wire.EVENT_FIFO_OVERFLOW, lost, self._index)
        if lost:
            self._skip(path, lost)

    def _skip(self, path, lost):
        """Jump over lost samples of the part."""
        self._has_half = False
        path.skip((lost + 1) // self.merge if self.merge > 1 else lost)

    def _process(self, path, n):
        """Take n samples from the counts."""
        counts = self._counts
        next_time = self.timebase.next
        for k in range(0, 6 * n, 6):
            t = next_time()
            if self.merge == 1:
                path.take(counts, k, t)
            elif self._has_half:
                self._average(k, path.samples & 1)
                path.take(counts, k, (self._half_t + t) >> 1)
            else:
                for i in range(6):
                    self._half[i] = counts[k + i]
                self._half_t = t
                self._has_half = True

    def _average(self, k, up):
        """Put the mean of a pair at position k; it is rounded up and down in turn, so that no bias comes of it."""
        counts = self._counts
        half = self._half
        for i in range(6):
            counts[k + i] = (counts[k + i] + half[i] + up) >> 1
        self._has_half = False
