"""Wall time of the device time that the decoder gives, over a restart of the board, whose clock begins anew."""

from __future__ import annotations

import math
from dataclasses import replace

from tiltwise.common.frame import Frame
from tiltwise.decode.decoder import Decoder
from tiltwise.live.backfill.board_clocks import BoardClocks
from tiltwise.types import EpisodeEnded, Update


class DeviceTime:
    """Device time as the decoder counts it, beside the clocks of the board's boots.

    Attributes
    ----------
    newest_s
        Device time of the newest sample.
    earlier_until_s
        Device times before this are of a clock that ended; -inf before any restart.
    """

    def __init__(self, clocks: BoardClocks, decoder: Decoder) -> None:
        self._clocks, self._decoder = clocks, decoder
        self.newest_s = 0.0
        self.earlier_until_s = -math.inf
        self._earlier_offset_s = clocks.started_utc_s

    @property
    def offset_s(self) -> float:
        """UTC s minus device s, as the clocks stand at the newest sample."""
        clocks = self._clocks
        if clocks.boot is None or not clocks.is_known(clocks.boot):
            return clocks.started_utc_s
        return clocks.utc_s(clocks.boot, self.newest_s - self._decoder.zero_s) - self.newest_s

    def offset_at(self, t_s: float) -> float:
        """Return UTC s minus device s: before the board restarted, as its clock stood then."""
        return self._earlier_offset_s if t_s < self.earlier_until_s else self.offset_s

    def utc_s(self, t_s: float) -> float:
        """Return the wall time (UTC s) of a device time."""
        return t_s + self.offset_at(t_s)

    def split_at_restart(self, update: Update) -> tuple[Update, list[EpisodeEnded]]:
        """Return an update, and apart the episodes that a restart of the board cut, with times before it."""
        ended = (event for event in update.events if isinstance(event, EpisodeEnded))
        cut = [event for event in ended if event.end_s < self.earlier_until_s <= event.t_s]
        if not cut:
            return update, []
        kept = replace(update, events=tuple(event for event in update.events if event not in cut))
        return kept, [replace(event, t_s=event.end_s) for event in cut]

    def restart(self, frame: Frame, offset_s: float, margin_s: float) -> None:
        """Take note that this frame is of a new boot; `offset_s` is that of the clock before."""
        self.earlier_until_s = self._decoder.zero_s + frame.device_s - margin_s
        self._earlier_offset_s = offset_s

    def fit(self) -> tuple[float, float, float] | None:
        """Return how the clock of the present boot stands at the newest sample, None while nobody knows."""
        return self._clocks.fit(self.newest_s - self._decoder.zero_s)
