"""What a session was told beside its frames, from its recording: calibrations that came into use, and snoozes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tiltwise.common import wire
from tiltwise.live.wearer.live_events import Calibrated, LiveEvent, LiveEvents


@dataclass(frozen=True, slots=True)
class RecordedSnooze:
    """No alerts for so long from received_s on; 0 s ends a snooze."""

    received_s: float
    seconds: int


class _Told(Protocol):
    """A session."""

    def adopt(self, calibration: Calibrated, /) -> LiveEvents:
        """Track with this calibration from now on."""
        ...

    def snooze(self, received_s: float, seconds: int, /) -> LiveEvents:
        """Interrupt nobody for so long."""
        ...


class RecordedChanges:
    """Gives each change before the frame that came next.

    Parameters
    ----------
    calibrations, snoozes
        Each with how many frames came before it.
    """

    def __init__(
        self,
        calibrations: Iterable[tuple[int, Calibrated]] = (),
        snoozes: Iterable[tuple[int, RecordedSnooze]] = (),
    ) -> None:
        both: list[tuple[int, Calibrated | RecordedSnooze]] = [*calibrations, *snoozes]
        self._waiting = deque(sorted(both, key=lambda change: change[0]))
        self._n_frames = 0

    def tell(self, session: _Told, chunk: bytes) -> LiveEvents:
        """Tell a session what came before this frame or answer."""
        events: list[LiveEvent] = []
        while self._waiting and self._waiting[0][0] <= self._n_frames:
            change = self._waiting.popleft()[1]
            if isinstance(change, RecordedSnooze):
                events += session.snooze(change.received_s, change.seconds)
            else:
                events += session.adopt(change)
        self._n_frames += bool(chunk) and wire.is_frame(chunk)
        return tuple(events)
