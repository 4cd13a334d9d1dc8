"""Low-pass that may be cut anywhere: second-order Butterworth with carried state, one design per sampling rate.

AnglesStage (neck_angles.py) runs its signals through it. It starts settled on the first sample, not from zero.
The rate is given or measured from the first samples, never from the size of a block. Seconds and hertz.
"""

from __future__ import annotations

import numpy as np

from tiltwise.butterworth import SectionFilter, low_pass
from tiltwise.types import FloatArray

_RATE_INTERVALS = 8  # median of so many sample intervals: three of them may be jitter or loss
_HIGHEST_SHARE = 0.45  # of the sampling rate: just below Nyquist, where slow streams need no filter anyway


class LowPass:
    """Streaming low-pass over channels (channels, n).

    Parameters
    ----------
    cutoff_hz
        -3 dB frequency. The delay is `delay_s(cutoff_hz)`.
    rate_hz
        Sampling rate; None measures it from the first 8 intervals, which pass unfiltered.
    """

    def __init__(self, cutoff_hz: float, rate_hz: float | None = None) -> None:
        self._cutoff_hz = cutoff_hz
        self._given_rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is a first one."""
        self._filter: SectionFilter | None = None
        self._first_times_s: list[float] = []
        if self._given_rate_hz is not None:
            self._design(self._given_rate_hz)

    def process(self, t_s: FloatArray, signals: FloatArray) -> FloatArray:
        """Return the filtered signals (channels, n) sampled at t_s (n,), with no gap inside."""
        passed = 0
        if self._filter is None:
            passed = min(len(t_s), _RATE_INTERVALS + 1 - len(self._first_times_s))
            self._first_times_s.extend(t_s[:passed].tolist())
            if len(self._first_times_s) <= _RATE_INTERVALS:
                return signals.copy()
            self._design(1 / float(np.median(np.diff(self._first_times_s))))
        if passed == len(t_s):
            return signals.copy()
        assert self._filter is not None
        filtered = self._filter.process(signals[:, passed:])
        return np.concatenate((signals[:, :passed], filtered), axis=-1) if passed else filtered

    def _design(self, rate_hz: float) -> None:
        """Make the filter for this rate."""
        cutoff_hz = min(self._cutoff_hz, _HIGHEST_SHARE * rate_hz)
        self._filter = SectionFilter(low_pass(cutoff_hz, rate_hz))


def delay_s(cutoff_hz: float) -> float:
    """Return the group delay of slow signals through the filter: sqrt(2) / (2 pi cutoff)."""
    return float(np.sqrt(2) / (2 * np.pi * cutoff_hz))
