"""Device time to the host's time of arrival: when did this sample happen, on the clock of this computer?

Frames come late by a few ms (or much more), never early, so the least delay of each 30 s window marks the true
offset and a robust line through the windows of the last ten minutes follows the drift of the two clocks. Only live
frames may be fed: backfill arrives hours late. Before it: Chunk.received_s and the decoder's t_s. After it: app/.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

_WINDOW_S = 30.0
_WINDOWS = 20  # ten minutes
# Crystals differ by tens of ppm, an RC oscillator by a few thousand; more than this is a fault, not a drift.
_MAX_DRIFT = 0.01


@dataclass(slots=True)
class ClockMap:
    """Causal map from device seconds to received seconds.

    Examples
    --------
    >>> clock = ClockMap()
    >>> clock.update(10.0, 1000.0)
    >>> clock.to_received_s(12.0)
    1002.0
    """

    _minima: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_WINDOWS))
    _current: tuple[float, float] | None = None  # (device time, offset) of the least delay in this window
    _window_start_s: float = 0.0
    _at_s: float = 0.0
    _offset_s: float = 0.0
    _drift: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Tell whether any frame was seen."""
        return self._current is not None

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the device's."""
        return self._drift * 1e6

    def update(self, device_s: float, received_s: float) -> None:
        """Learn from a live frame: device time of its last sample, and when it arrived."""
        offset_s = received_s - device_s
        if self._current is None or device_s - self._window_start_s >= _WINDOW_S:
            if self._current is not None:
                self._minima.append(self._current)
            self._window_start_s, self._current = device_s, (device_s, offset_s)
            self._fit()
        elif offset_s < self._current[1]:
            self._current = (device_s, offset_s)
            self._fit()

    def to_received_s(self, device_s: float) -> float:
        """Return when a device time was on the clock of received_s; ValueError before any frame."""
        if self._current is None:
            raise ValueError("no live frame seen yet: the clocks cannot be compared")
        return device_s + self._offset_s + self._drift * (device_s - self._at_s)

    def _fit(self) -> None:
        """Fit the line: median slope of all pairs of windows (Theil-Sen), median level."""
        assert self._current is not None
        points = [*self._minima] or [self._current]
        device_s, offset_s = np.array(points).T
        if len(points) >= 3:
            i, j = np.triu_indices(len(points), k=1)
            slopes = (offset_s[j] - offset_s[i]) / (device_s[j] - device_s[i])
            self._drift = float(np.clip(np.median(slopes), -_MAX_DRIFT, _MAX_DRIFT))
        self._at_s = float(device_s[-1])
        self._offset_s = float(np.median(offset_s - self._drift * (device_s - self._at_s)))
