"""Device times (s) -> which samples a detector looks at, and cut-safe building blocks on such a grid.

Detectors decide at 5 to 25 Hz whatever the sensor's rate is. The grid is fixed by absolute device time, so that it
does not depend on where the data was cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.butterworth import SectionFilter
from tiltwise.types import FloatArray

BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]

# A sample this much before a tick (in ticks) is at the tick: times are rounded on their way.
TICK_TOLERANCE = 1e-6


class Grid:
    """Picks the first sample at or after each tick k / rate_hz of device time."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._tick: int | None = None

    def pick(self, t_s: FloatArray) -> IndexArray:
        """Return the indices (m,) of the picked samples among t_s (n,)."""
        if not len(t_s):
            return np.empty(0, dtype=np.intp)
        tick = np.floor(t_s * self._rate_hz + TICK_TOLERANCE).astype(np.int64)
        last = tick[0] - 1 if self._tick is None else self._tick
        self._tick = int(tick[-1])
        is_new = np.empty(len(tick), dtype=bool)  # np.diff with a value before it takes eight times as long
        is_new[0] = tick[0] != last
        np.not_equal(tick[1:], tick[:-1], out=is_new[1:])
        return np.asarray(is_new.nonzero()[0])


def mean_square_filter(window_s: float, rate_hz: float) -> SectionFilter:
    """Return a filter for squares that never goes below zero: two equal first-order low-passes, window_s in all."""
    pole = np.exp(-2.0 / (window_s * rate_hz))
    section = [1.0 - pole, 0.0, 0.0, 1.0, -pole, 0.0]
    return SectionFilter(np.array([section, section]), is_settled_at_first=False)


class Latch:
    """A condition with hysteresis: on after `on_s` of the one mask without a break, off after `off_s` of the other.

    The two masks must never both be true (an upper and a lower threshold of the same quantity).

    Attributes
    ----------
    since_s
        Of each sample of the last block (m,), when the newest run of the first mask began.
    """

    def __init__(self, on_s: float, off_s: float) -> None:
        self._on, self._off = _Run(on_s), _Run(off_s)
        self._is_on = False
        self.since_s: FloatArray = np.empty(0)

    def process(self, t_s: FloatArray, on: BoolArray, off: BoolArray, fresh: BoolArray) -> BoolArray:
        """Return the state (m,) at each time; `fresh` marks samples after a gap, where runs begin again."""
        if not len(t_s):
            self.since_s = np.empty(0)
            return np.empty(0, dtype=bool)
        set_now = self._on.process(t_s, on, fresh)
        self.since_s = self._on.since_s
        switched = set_now | self._off.process(t_s, off, fresh)
        latest = np.maximum.accumulate(np.where(switched, np.arange(len(t_s)), -1))
        state = np.where(latest >= 0, set_now[latest], self._is_on)
        self._is_on = bool(state[-1])
        return state


class _Run:
    """Says since when a mask has been true, across blocks."""

    def __init__(self, dwell_s: float) -> None:
        self._dwell_s = dwell_s
        self._is_true = False
        self._since_s = 0.0
        self.since_s: FloatArray = np.empty(0)

    def process(self, t_s: FloatArray, mask: BoolArray, fresh: BoolArray) -> BoolArray:
        before = np.concatenate(([self._is_true], mask[:-1]))
        begins = mask & (~before | fresh)
        latest = np.maximum.accumulate(np.where(begins, np.arange(len(t_s)), -1))
        since = np.where(latest >= 0, t_s[latest], self._since_s)
        self._is_true, self._since_s, self.since_s = bool(mask[-1]), float(since[-1]), since
        return mask & (t_s - since >= self._dwell_s)
