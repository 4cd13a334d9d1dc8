"""Run backfilled frames through a decoder and tracker of their own, so that they become part of the day.

The live detectors and alerts never see them. Frames wait until nothing before them is still to be fetched, so that
each boot is processed in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.decoder import Decoder
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.pair_tracker import PairTracker
from tiltwise.tracker import MAX_GAP_S, Tracker, TrackerSettings
from tiltwise.types import EpisodeAlert, ImuBlock, OrientationBlock, SignalGap, Update

# Takes an update, the profile behind it, and what its device times have been counted from, in device s.
Keep = Callable[[Update, TrackerSettings, float], None]
MOST_AT_ONCE = 1500  # frames of one call, five minutes: the live stream waits 50 ms for them


class LateTracker:
    """Tracks the late frames of one boot.

    Parameters
    ----------
    stages
        Pipeline of the live stream, whose calibration is used.
    """

    def __init__(self, stages: Pipeline) -> None:
        self._stages = stages
        self._waiting: dict[int, Frame] = {}
        self._decoder = Decoder(max_without_info=None)
        self._tracker: Tracker | PairTracker | None = None
        self._profile: TrackerSettings | None = None

    @property
    def is_waiting(self) -> bool:
        """Tell whether there are frames that were not processed yet."""
        return bool(self._waiting)

    def add(self, frame: Frame) -> None:
        """Let a frame wait for those before it."""
        self._waiting[frame.seq] = frame

    def process(self, upto: int | None, infos: Sequence[Frame], keep: Keep) -> None:
        """Process the frames up to `upto`, a few minutes at a time; nothing before there is a calibration.

        Parameters
        ----------
        upto : last number before the first frame that may still come; None: nothing more comes, take all.
        infos : INFO frames of the board, for a boot whose own has not come.
        """
        if self._stages.profile is None:
            return
        if self._profile is not self._stages.profile:
            self._profile, self._tracker = self._stages.profile, self._stages.new_tracker()
        left = len(self._waiting) if upto is None else MOST_AT_ONCE
        for first, last in self._runs(upto):
            last = min(last, first + left - 1)
            frames = [self._waiting.pop(seq) for seq in range(first, last + 1)]
            left -= len(frames)
            self._take(frames, infos, keep)
            if left <= 0:
                return

    def _runs(self, upto: int | None) -> list[tuple[int, int]]:
        """Return (first, last) of the runs without a hole; a short one at the very end may still grow."""
        runs: list[tuple[int, int]] = []
        for seq in sorted(seq for seq in self._waiting if upto is None or seq <= upto):
            if runs and runs[-1][1] == seq - 1:
                runs[-1] = runs[-1][0], seq
            else:
                runs.append((seq, seq))
        if runs and runs[-1][1] == upto and self._is_short([self._waiting[s] for s in _span(runs[-1])]):
            runs.pop()
        return runs

    @staticmethod
    def _is_short(frames: Sequence[Frame]) -> bool:
        """Tell whether the samples beside these stand for this time too (exposure.py's max_gap_s)."""
        lasts_s = (f.n / (f.rate_hz or 50.0) for f in frames if f.has_samples and f.sensor == 0)
        return sum(lasts_s) < MAX_GAP_S

    def _take(self, frames: list[Frame], infos: Sequence[Frame], keep: Keep) -> None:
        if self._is_short(frames):
            return
        data = [frame.data for frame in frames]
        if self._decoder.info is None:
            boot, seq = frames[0].boot, frames[0].seq - len(infos)
            data[:0] = [reseal_info_for_boot(info, boot, seq + k) for k, info in enumerate(infos)]
        for item in [*self._decoder.feed_many(data), *self._decoder.flush()]:
            if isinstance(item, (ImuBlock, OrientationBlock)) and len(item.t_s):
                self._track(item, keep)

    def _track(self, block: ImuBlock | OrientationBlock, keep: Keep) -> None:
        assert self._tracker is not None
        assert self._profile is not None
        update = self._tracker.process(block)
        # No alert was given then, and the ledger has better gap information.
        events = tuple(e for e in update.events if not isinstance(e, (SignalGap, EpisodeAlert)))
        keep(replace(update, events=events), self._profile, self._decoder.zero_s)

    def finish(self, keep: Keep) -> None:
        """Close what is open."""
        if self._tracker is not None and self._profile is not None:
            if isinstance(self._tracker, PairTracker):
                closing: Update = self._tracker.finish_update()
            else:
                closing = Update.without_samples(self._tracker.finish())
            keep(closing, self._profile, self._decoder.zero_s)


def _span(run: tuple[int, int]) -> range:
    return range(run[0], run[1] + 1)


def reseal_info_for_boot(info: Frame, boot: int, seq: int) -> bytes:
    """Return an INFO frame of the same board under another boot and number."""
    data, seq = bytearray(info.data), seq & 0xFFFFFFFF
    wire.pack_header_into(
        data, wire.INFO, info.flags, boot, seq, info.i0, info.t0, info.n, info.sensor, info.rate_code
    )
    wire.seal(data, len(data))
    return bytes(data)
