"""Map device time to the time of arrival on the host's clock.

Frames come late by a few ms (or much more), never early, so the least delay of each 30 s window marks the offset, and
a robust line through the windows of the last ten minutes follows the drift of the two clocks. PING measures what even
the fastest frame is late by (FIFO, batch and air): its fastest round trips lie between two known times. Only live
frames may be fed: backfill arrives hours late.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import Frame

_WINDOW_S = 30.0
_WINDOWS = 20  # ten minutes
# Until then the clocks count as equal: 35 ppm are 8 ms, and the slope of three noisy windows is worse.
_LEAST_SPAN_S = 240.0
# Crystals differ by tens of ppm, an RC oscillator by a few thousand; more than this is a fault, not a drift.
_MAX_DRIFT = 0.01
_PINGS = 32  # half an hour, or four connections
_FAST_S = 0.01  # trips so little longer than the fastest are as good
_MOST_BIAS_S = 0.5  # a frame that always takes longer than this is no live frame
_CLOCK_BACK_S = 1.0  # the device's clock began anew


@dataclass(frozen=True, slots=True)
class Ping:
    """A question and its answer: device s in the middle of it, what to add for received s, and how long it took."""

    device_s: float
    offset_s: float
    trip_s: float


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
    _pings: deque[Ping] = field(default_factory=lambda: deque(maxlen=_PINGS))
    _window_start_s: float = 0.0
    _at_s: float = 0.0
    _offset_s: float = 0.0
    _drift: float = 0.0
    _bias_s: float = 0.0  # how late the fastest frames are

    @property
    def is_ready(self) -> bool:
        """Tell whether any frame or answer was seen."""
        return self._current is not None or bool(self._pings)

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

    def learn_ping(self, ping: Ping) -> None:
        """Learn from a question and its answer."""
        self._pings.append(ping)
        self._fit()

    def to_received_s(self, device_s: float) -> float:
        """Return when a device time was on the clock of received_s; ValueError before any frame."""
        if not self.is_ready:
            raise ValueError("no live frame seen yet: the clocks cannot be compared")
        return device_s + self._line_s(device_s) - self._bias_s

    def _line_s(self, device_s: float) -> float:
        return self._offset_s + self._drift * (device_s - self._at_s)

    def _fit(self) -> None:
        """Fit the line: median slope of all pairs of windows (Theil-Sen), median level."""
        points = [*self._minima] or ([] if self._current is None else [self._current])
        points = points or [(ping.device_s, ping.offset_s) for ping in self._fast_pings()]
        device_s, offset_s = np.array(points).T
        if self._current is not None and device_s[-1] - device_s[0] >= _LEAST_SPAN_S:
            i, j = np.triu_indices(len(points), k=1)
            slopes = (offset_s[j] - offset_s[i]) / (device_s[j] - device_s[i])
            self._drift = float(np.clip(np.median(slopes), -_MAX_DRIFT, _MAX_DRIFT))
        self._at_s = float(device_s[-1])
        self._offset_s = float(np.median(offset_s - self._drift * (device_s - self._at_s)))
        late_s = [self._line_s(ping.device_s) - ping.offset_s for ping in self._fast_pings()]
        self._bias_s = float(np.clip(np.median(late_s), 0.0, _MOST_BIAS_S)) if late_s else 0.0

    def _fast_pings(self) -> list[Ping]:
        """Those whose way there and back can differ least."""
        fastest_s = min((ping.trip_s for ping in self._pings), default=0.0)
        return [ping for ping in self._pings if ping.trip_s <= fastest_s + _FAST_S]


class BootClock:
    """The clock of one boot of a board, from its frames and replies to PING (ticks of wire.TICK_S that wrap)."""

    def __init__(self) -> None:
        self._map = ClockMap()
        self._ticks: int | None = None
        self._fixed: tuple[float, float, float] | None = None

    @property
    def is_ready(self) -> bool:
        """Tell whether there is anything to go by."""
        return self._map.is_ready or self._fixed is not None

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the board's."""
        return self._map.drift_ppm

    def learn(self, frame: Frame, received_s: float) -> None:
        """Take a live frame."""
        if not frame.has_samples:
            return
        start_s, end_s = self.device_span(frame)
        if self._ticks is not None and start_s < self._ticks * wire.TICK_S - _CLOCK_BACK_S:
            self._map, self._ticks = ClockMap(), None
            start_s, end_s = self.device_span(frame)
        self._ticks = round(start_s / wire.TICK_S)
        self._map.update(end_s, received_s)

    def learn_ping(self, sent_s: float, came_ticks: int, left_ticks: int, received_s: float) -> None:
        """Take the answer to a PING: sent and received by the host's clock, came and left by the board's."""
        came_s = self._unwrap(came_ticks) * wire.TICK_S
        inside_s = ((left_ticks - came_ticks) & 0xFFFFFFFF) * wire.TICK_S
        self._ticks = round(came_s / wire.TICK_S)
        middle_s, trip_s = came_s + inside_s / 2, received_s - sent_s - inside_s
        self._map.learn_ping(Ping(middle_s, (sent_s + received_s) / 2 - middle_s, max(trip_s, 0.0)))

    def fix(self, device_s: float, received_s: float, rate: float = 1.0) -> None:
        """Use this fit until a live frame comes: a stored one of this boot, or an estimate."""
        self._fixed = (device_s, received_s, rate)

    def to_received_s(self, device_s: float) -> float:
        """Return when a device time of this boot was, on the clock of received_s."""
        if not self._map.is_ready and self._fixed is not None:
            at_s, received_s, rate = self._fixed
            return received_s + (device_s - at_s) * rate
        return self._map.to_received_s(device_s)

    def device_span(self, frame: Frame) -> tuple[float, float]:
        """Return when the frame's first sample was taken and its last one ended, in device s of this boot."""
        start_s, rate_hz = self._unwrap(frame.t0) * wire.TICK_S, frame.rate_hz
        return start_s, start_s + (frame.n / rate_hz if rate_hz else 0.0)

    def _unwrap(self, ticks: int) -> int:
        """Return the unwrapped ticks nearest to the newest ones."""
        if self._ticks is None:
            return ticks
        return self._ticks + (ticks - self._ticks + (1 << 31)) % (1 << 32) - (1 << 31)
