"""Time each sample: the device time of a frame's first sample plus multiples of the measured sample period.

Causal, and a function of the frames alone, not of how they were cut into calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.decode.frame_table import IntArray
from tiltwise.types import FloatArray

_MOD = 1 << 32
# The period is measured over this many frames: 320 samples at n = 10, where the 0.1 ms tick and 1 ms of late
# reading on the board weigh 3 us a sample, and a drift of the sensor's clock with temperature is still followed.
WINDOW = 32
# Samples after which the measured period replaces the nominal one. Sensors run up to 5 % off their nominal rate.
TRUST_SAMPLES = 200
# A measured period further off the nominal one than this comes from a fault, not from a clock.
_MAX_DEVIATION = 0.1


def unwrap_ticks(t0: IntArray, reference: int) -> IntArray:
    """Return t0 (m,) as ticks that do not wrap, each nearest to the one before, the first to the reference."""
    if len(t0) == 0:
        return t0
    steps = np.diff(t0, prepend=reference % _MOD)
    return reference + np.cumsum((steps + _MOD // 2) % _MOD - _MOD // 2)


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Times of m frames: start_s and period_s (m,); where is_gap, samples are missing since end_before_s."""

    start_s: FloatArray
    period_s: FloatArray
    is_gap: NDArray[np.bool_]
    end_before_s: FloatArray


@dataclass(frozen=True, slots=True)
class _History:
    """The last WINDOW frames, from which the period is measured."""

    ticks: IntArray
    i0: IntArray
    is_anchor: IntArray  # 1 where measuring starts anew


@dataclass(slots=True)
class SampleClock:
    """The time line of one sensor within one epoch (a boot, as long as its clock runs forward).

    end_s is where the next sample is expected: at first the end of the epoch before, or None.
    """

    end_s: float | None = None
    _next_index: int | None = None
    _history: _History = field(
        default_factory=lambda: _History(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    )
    _nominal_s: float = 0.0

    def times(
        self,
        ticks: IntArray,
        i0: IntArray,
        n: IntArray,
        is_discontinuous: NDArray[np.bool_],
        nominal_s: FloatArray,
        offset_s: float,
    ) -> FrameTimes:
        """Return when the samples of the next m frames were taken.

        Parameters
        ----------
        ticks, i0, n
            (m,) unwrapped device time in 100 us, index of the first sample (u32), number of samples.
        is_discontinuous
            (m,) the board says that samples are missing before this frame.
        nominal_s, offset_s
            (m,) nominal sample period; what to add to the device time.
        """
        period_s = self._periods(ticks, i0, is_discontinuous, nominal_s)
        start_s: FloatArray = offset_s + ticks.astype(np.float64) * wire.TICK_S
        first_end_s = float(start_s[0]) if self.end_s is None else self.end_s
        end_before_s = np.concatenate(([first_end_s], (start_s + n * period_s)[:-1]))
        if np.any(start_s < end_before_s - 0.5 * period_s):
            start_s, end_before_s = _push_forward(start_s, period_s, n, first_end_s)
        first_index = int(i0[0]) if self._next_index is None else self._next_index
        index_before = np.concatenate(([first_index], (i0 + n)[:-1]))
        missing_s = start_s - end_before_s
        says_so = is_discontinuous | ((i0 - index_before) % _MOD != 0)
        is_gap = (says_so & (missing_s > 0.5 * period_s)) | (missing_s > 2 * period_s)
        self.end_s = float(start_s[-1] + n[-1] * period_s[-1])
        self._next_index = int(i0[-1] + n[-1])
        return FrameTimes(start_s, period_s, is_gap, end_before_s)

    def _periods(
        self, ticks: IntArray, i0: IntArray, is_discontinuous: NDArray[np.bool_], nominal_s: FloatArray
    ) -> FloatArray:
        """Return the sample period (m,) measured over the last WINDOW frames without a discontinuity."""
        is_new_rate = np.diff(nominal_s, prepend=self._nominal_s) != 0
        is_anchor = (is_discontinuous | is_new_rate).astype(np.int64)
        kept = len(self._history.ticks)
        history = _History(
            np.concatenate((self._history.ticks, ticks)),
            np.concatenate((self._history.i0, i0)),
            np.concatenate((self._history.is_anchor, is_anchor)),
        )
        rows = np.arange(len(history.ticks))
        since = np.maximum.accumulate(np.where(history.is_anchor, rows, 0))
        anchor = np.maximum(np.maximum(rows - WINDOW, 0), since)[kept:]
        samples = (i0 - history.i0[anchor]) % _MOD
        elapsed_s = (ticks - history.ticks[anchor]) * wire.TICK_S
        measured_s = np.divide(elapsed_s, samples, out=nominal_s.copy(), where=samples > 0)
        trust = np.minimum(samples / TRUST_SAMPLES, 1.0)
        limited_s = np.clip(measured_s, nominal_s * (1 - _MAX_DEVIATION), nominal_s * (1 + _MAX_DEVIATION))
        self._nominal_s = float(nominal_s[-1])
        self._history = _History(history.ticks[-WINDOW:], history.i0[-WINDOW:], history.is_anchor[-WINDOW:])
        return nominal_s + trust * (limited_s - nominal_s)


def _push_forward(
    start_s: FloatArray, period_s: FloatArray, n: IntArray, end_s: float
) -> tuple[FloatArray, FloatArray]:
    """Move frames that begin before the last sample of the one before (late t0): times must only grow."""
    start_s, end_before_s = start_s.copy(), np.empty(len(start_s))
    for k in range(len(start_s)):
        end_before_s[k] = end_s
        start_s[k] = max(start_s[k], end_s - 0.5 * period_s[k])
        end_s = float(start_s[k] + n[k] * period_s[k])
    return start_s, end_before_s


def signed_ticks(ticks: IntArray) -> IntArray:
    """Return differences of two t0 (n,), ticks of 100 us, as the nearest signed numbers."""
    return (ticks + (1 << 31)) % (1 << 32) - (1 << 31)


def unwrap_frame_ticks(t0: IntArray, has_samples: NDArray[np.bool_], last: int | None) -> IntArray:
    """Return unwrapped ticks (m,): sample frames follow each other, messages the sample frame before them.

    last is the sample frame before; without one, the first sample frame and messages before it stand for themselves.
    """
    ticks = t0.copy()
    t0_samples = t0[has_samples]
    if last is None and len(t0_samples) == 0:
        return ticks
    reference = int(t0_samples[0]) if last is None else last
    ticks[has_samples] = unwrap_ticks(t0_samples, reference)
    has_before = ~has_samples & ((np.cumsum(has_samples) > 0) | (last is not None))
    near = np.concatenate(([reference], ticks[has_samples]))[np.cumsum(has_samples)][has_before]
    ticks[has_before] = near + signed_ticks(t0[has_before] - near)
    return ticks
