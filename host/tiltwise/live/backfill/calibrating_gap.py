"""The time before the first calibration is done: a gap with a reason, no hole in the day."""

from __future__ import annotations

from collections.abc import Callable

from tiltwise.types import FloatArray

CALIBRATING = "calibrating"  # reason of the gap: there were samples, and nobody knew yet how the sensor sits


class CalibratingGap:
    """Grows with each block of samples of which nobody knows how the sensor sat."""

    def __init__(self, add_gap: Callable[[int, float, float, str], None]) -> None:
        self._add_gap = add_gap
        self._start_s: float | None = None  # UTC s of the first sample

    def note(self, boot: int, t_s: FloatArray, offset_s: float, *, is_over: bool) -> None:
        """Take the times of a block (n,), device s; `is_over`: it is known how the sensor sits."""
        if is_over:
            return self.end()
        if self._start_s is None:
            self._start_s = float(t_s[0]) + offset_s
        return self._add_gap(boot, self._start_s, float(t_s[-1]) + offset_s, CALIBRATING)

    def end(self) -> None:
        """End it: what follows is judged, or missing and a gap of its own."""
        self._start_s = None
