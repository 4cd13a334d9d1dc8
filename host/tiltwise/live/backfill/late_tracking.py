"""What came late becomes part of the day: backfilled frames through decoder and tracker into minutes of their own.

Detectors and alerts of the live stream never see it; the day does. Frames wait until nothing before them is still
to be fetched, so that each boot is followed in order.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.pair_tracker import PairTracker
from tiltwise.tracker import MAX_GAP_S, Tracker, TrackerSettings
from tiltwise.types import EpisodeAlert, ImuBlock, OrientationBlock, SignalGap, Update

# Takes an update, the profile behind it, and what its device times have been counted from, in device s.
Keep = Callable[[Update, TrackerSettings, float], None]
MOST_AT_ONCE = 1500  # frames of one call, five minutes: the live stream waits 50 ms for them


class LateTracker:
    """What came late of one boot.

    Parameters
    ----------
    stages
        Of the live stream: late samples are judged by the same calibration.
    """

    def __init__(self, stages: Pipeline) -> None:
        self._stages = stages
        self._waiting: dict[int, bytes] = {}
        self._decoder = Decoder(max_without_info=None)
        self._tracker: Tracker | PairTracker | None = None
        self._profile: TrackerSettings | None = None

    @property
    def is_waiting(self) -> bool:
        """Tell whether anything has not been taken in yet."""
        return bool(self._waiting)

    def add(self, frame: bytes) -> None:
        """Let a frame wait for those before it."""
        self._waiting[wire.unpack_header(frame)[3]] = frame

    def digest(self, upto: int | None, infos: Sequence[bytes], keep: Keep) -> None:
        """Take in what has waited long enough, a few minutes at a time; nothing before there is a calibration.

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
    def _is_short(frames: Sequence[bytes]) -> bool:
        """Tell whether the samples beside these stand for this time too (exposure.py's max_gap_s)."""
        seconds = 0.0
        for frame in frames:
            kind, _, _, _, _, _, n, sensor, rate_code = wire.unpack_header(frame)
            if kind in wire.SAMPLE_SIZES and sensor == 0:
                seconds += n / (wire.RATES_HZ[rate_code] or 50.0)
        return seconds < MAX_GAP_S

    def _take(self, frames: list[bytes], infos: Sequence[bytes], keep: Keep) -> None:
        if self._is_short(frames):
            return
        if self._decoder.info is None:
            head = wire.unpack_header(frames[0])
            frames = [
                _as_if(info, head[2], head[3] - len(infos) + k) for k, info in enumerate(infos)
            ] + frames
        for item in [*self._decoder.feed_many(frames), *self._decoder.flush()]:
            if isinstance(item, (ImuBlock, OrientationBlock)) and len(item.t_s):
                self._track(item, keep)

    def _track(self, block: ImuBlock | OrientationBlock, keep: Keep) -> None:
        assert self._tracker is not None
        assert self._profile is not None
        update = self._tracker.process(block)
        # Nobody was alerted by this computer then; and of gaps the ledger knows more.
        events = tuple(e for e in update.events if not isinstance(e, (SignalGap, EpisodeAlert)))
        keep(replace(update, events=events), self._profile, self._decoder.zero_s)

    def finish(self, keep: Keep) -> None:
        """Close what is open."""
        if self._tracker is not None and self._profile is not None:
            closing = tuple(self._tracker.finish())
            keep(Update.without_samples(closing), self._profile, self._decoder.zero_s)


def _span(run: tuple[int, int]) -> range:
    return range(run[0], run[1] + 1)


def _as_if(info: bytes, boot: int, seq: int) -> bytes:
    """Return an INFO frame as if it had come with this boot and number: it is the same board."""
    frame = bytearray(info)
    struct.pack_into("<HI", frame, 2, boot, seq & 0xFFFFFFFF)
    wire.seal(frame, len(frame))
    return bytes(frame)
