"""Turn received frames into blocks in SI units, gaps and messages; bad bytes are counted and never raise.

Checks (frame_table.py), order (sequencer.py) and sample times (sensor_stream.py) come together here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.frame_table import FrameTable, IntArray, Tagger, no_frames, one_frame, parse_frames
from tiltwise.decode.messages import (
    BoardEvent,
    GapReason,
    Info,
    Minute,
    Status,
    read_event,
    read_info,
    read_minute,
    read_status,
)
from tiltwise.decode.sample_times import SampleClock, signed_ticks, unwrap_frame_ticks
from tiltwise.decode.sensor_stream import SensorStream
from tiltwise.decode.sequencer import MissingRange, Sequencer
from tiltwise.types import ImuBlock, OrientationBlock, SignalGap

Item = ImuBlock | OrientationBlock | SignalGap | Info | Status | Minute | BoardEvent

# Frames kept until the first INFO tells their scale: 13 s at 5 frames a second, and an INFO comes with each START.
MAX_WITHOUT_INFO = 64
# A restarted board counts its time from zero; how long it was off nobody knows, so at least this is put between: more
# than the hole that an episode survives (detect/posture.py), for what was held before may have been left meanwhile.
RESTART_S = 4.0
# A clock that goes back by less than this is jitter of the board's reading, more is a clock set anew.
_CLOCK_BACK_TICKS = 10_000  # 1 s


@dataclass(slots=True)
class Stats:
    """What became of the frames so far. missing_frames counts holes not filled later; bad holds reasons."""

    frames: int = 0
    samples: int = 0
    duplicates: int = 0
    late: int = 0
    missing_frames: int = 0
    unusable: int = 0  # good sample frames without a scale or a rate, or from a faulty sensor
    motor_on: int = 0  # good sample frames while the motor shook the sensor
    boots: int = 0
    clock_resets: int = 0
    bad: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Epoch:
    """One boot, as long as its clock runs forward."""

    boot: int
    offset_s: float = 0.0
    ticks: int | None = None  # unwrapped device time of the last sample frame
    end_before_s: float | None = None  # where the epoch before ended
    reason: GapReason = GapReason.RESTART
    infos: dict[int, Info] = field(default_factory=dict)
    streams: dict[int, SensorStream] = field(default_factory=dict)
    # In order, from the first sample, without INFO yet.
    waiting: FrameTable = field(default_factory=no_frames)


class Decoder:
    """Turn frames into blocks, gaps and messages.

    The same frames give the same samples, times and messages however they are cut into calls; only the cutting of
    blocks differs. `t_s` is the device time of the first boot seen and never goes back: a restarted board goes on
    behind the last sample, with a SignalGap between.

    Parameters
    ----------
    tagger
        Checks authentication tags (common/auth.py); without one only CRC-32 frames are accepted.
    max_without_info
        Frames of a boot that wait for its INFO; None (any number) suits files, where the INFO may stand far behind.
    keeps_shaken
        Leave the accelerations of samples that the board's motor shook as they are, instead of NaN.

    Examples
    --------
    >>> decoder = Decoder()
    >>> decoder.feed(b"not a frame"), dict(decoder.stats.bad)
    ([], {'frame too short': 1})
    """

    def __init__(
        self,
        tagger: Tagger | None = None,
        *,
        max_without_info: int | None = MAX_WITHOUT_INFO,
        keeps_shaken: bool = False,
    ) -> None:
        self._tagger = tagger
        self._keeps_shaken = keeps_shaken
        self._max_without_info = max_without_info
        self._stats = Stats()
        self._sequencer = Sequencer()
        self._early = no_frames()  # wait for frames before them
        self._epoch: _Epoch | None = None

    @property
    def keeps_shaken(self) -> bool:
        """Whether accelerations of samples that the board's motor shook stay as they are, from the next frame on."""
        return self._keeps_shaken

    @keeps_shaken.setter
    def keeps_shaken(self, keeps_shaken: bool) -> None:
        self._keeps_shaken = keeps_shaken
        for stream in () if self._epoch is None else self._epoch.streams.values():
            stream.keeps_shaken = keeps_shaken

    @property
    def stats(self) -> Stats:
        """What became of the frames so far, as a copy."""
        order = self._sequencer
        return replace(
            self._stats,
            duplicates=order.duplicates,
            late=order.late,
            missing_frames=order.lost,
            bad=self._stats.bad.copy(),
        )

    @property
    def info(self) -> Info | None:
        """Return what the present boot said about its first sensor."""
        return None if self._epoch is None else self._epoch.infos.get(0)

    @property
    def zero_s(self) -> float:
        """Return the t_s at which the present boot's device time is zero."""
        return 0.0 if self._epoch is None else self._epoch.offset_s

    def missing(self) -> tuple[MissingRange, ...]:
        """Return the frames that did not arrive, oldest first, as GET commands ask for them."""
        return self._sequencer.missing()

    def forget_missing(self, gone: MissingRange) -> int:
        """Take frames off the list that the board no longer has; return how many were on it."""
        return self._sequencer.forget_missing(gone.boot, gone.first, gone.last)

    def acknowledgeable(self) -> tuple[int, int] | None:
        """Return (boot, seq) up to which nothing is missing: what may be acknowledged once it is stored."""
        return self._sequencer.contiguous()

    def feed(self, data: bytes) -> list[Item]:
        """Return what one more frame brings; bad bytes are counted in `stats`."""
        return self.feed_many([data])

    def feed_many(self, frames: Sequence[bytes]) -> list[Item]:
        """Return what these frames bring, in order: as feed() one by one, with larger blocks."""
        table, bad = parse_frames([*map(bytes, frames)], self._tagger)
        self._stats.bad += bad
        return self._take(table)

    def open(self, data: bytes) -> Frame | None:
        """Return a frame that is whole and ours, for `take`; bad bytes are counted in `stats`."""
        table, bad = parse_frames([bytes(data)], self._tagger)
        self._stats.bad += bad
        return table.frame(0) if table.frames else None

    def take(self, frame: Frame) -> list[Item]:
        """Return what one more frame brings that `open` returned."""
        return self._take(one_frame(frame))

    def flush(self) -> list[Item]:
        """Return what waits for earlier frames, giving up on those: at the end of a stream, or after a silence."""
        table, self._early = self._early, no_frames()
        return self._decode(table.take(self._sequencer.flush()))

    def _take(self, table: FrameTable) -> list[Item]:
        """Decode what is in order of the frames that wait and these."""
        self._stats.frames += len(table.frames)
        n_early = len(self._early.frames)
        table = self._early.joined(table)
        rows, waiting = self._sequencer.order(table, n_early)
        self._early = table.take(waiting)
        return self._decode(table.take(rows))

    def _decode(self, table: FrameTable) -> list[Item]:
        """Decode ordered frames, a boot at a time."""
        items: list[Item] = []
        cuts = np.flatnonzero(np.diff(table.boot)) + 1
        for rows in np.split(np.arange(len(table.frames)), cuts):
            if len(rows):
                part = table if len(rows) == len(table.frames) else table.take(rows)
                items += self._decode_boot(part)
        return items

    def _decode_boot(self, table: FrameTable) -> list[Item]:
        """Decode ordered frames of one boot; before its first INFO samples wait."""
        boot = int(table.boot[0])
        if self._epoch is None or self._epoch.boot != boot:
            self._stats.boots += 1
            if self._epoch is not None:  # what still waits will never get its INFO
                self._stats.unusable += int(np.count_nonzero(_has_samples(self._epoch.waiting)))
            self._epoch = self._next_epoch(boot, GapReason.RESTART)
        items: list[Item] = []
        while not self._epoch.infos and len(table.frames):
            is_info = table.frame_type == wire.INFO
            k = int(np.argmax(is_info)) if is_info.any() else len(table.frames)
            items += self._wait_for_info(table.take(np.arange(k)))
            if k < len(table.frames):
                items += self._accept_info(table.frame(k))
            table = table.take(np.arange(k + 1, len(table.frames)))
        if self._epoch.waiting.frames and self._epoch.infos:
            waited, self._epoch.waiting = self._epoch.waiting, no_frames()
            items += self._decode_spans(waited)
        return items + self._decode_spans(table)

    def _wait_for_info(self, table: FrameTable) -> list[Item]:
        """Let samples wait for their scale, and what came after them; the oldest beyond the bound are given up.

        Messages before any sample need no scale: a board that finds no IMU sends STATUS and never an INFO.
        """
        assert self._epoch is not None
        waiting, most = self._epoch.waiting.joined(table), self._max_without_info
        n, samples = len(waiting.frames), np.flatnonzero(_has_samples(waiting))
        too_many = 0 if most is None else n - most
        ready = max(too_many, int(samples[0]) if len(samples) else n)
        rows = np.arange(n)
        self._epoch.waiting = waiting.take(rows[ready:])
        return self._decode_spans(waiting.take(rows[:ready])) if ready else []

    def _next_epoch(self, boot: int, reason: GapReason) -> _Epoch:
        before = self._epoch
        if before is None:
            return _Epoch(boot)
        ends = [stream.clock.end_s for stream in before.streams.values() if stream.clock.end_s is not None]
        end_s = max(ends, default=before.end_before_s)
        offset_s = before.offset_s if end_s is None else end_s + RESTART_S
        return _Epoch(boot, offset_s=offset_s, end_before_s=end_s, reason=reason)

    def _decode_spans(self, table: FrameTable) -> list[Item]:
        """Cut ordered frames of one boot at INFO frames and where the clock goes back; decode each piece."""
        items: list[Item] = []
        assert self._epoch is not None
        samples = np.flatnonzero(_has_samples(table))
        t0 = table.t0[samples]
        before = t0[:1] if self._epoch.ticks is None else self._epoch.ticks
        back = samples[signed_ticks(np.diff(t0, prepend=before)) < -_CLOCK_BACK_TICKS]
        infos = np.flatnonzero(table.frame_type == wire.INFO)
        cuts = np.unique(np.concatenate((back, infos, infos + 1)))
        for rows in np.split(np.arange(len(table.frames)), cuts):
            if len(rows):
                items += self._decode_span(table.take(rows))
        return items

    def _decode_span(self, table: FrameTable) -> list[Item]:
        """Decode ordered frames within which scale and clock hold."""
        assert self._epoch is not None
        if table.frame_type[0] == wire.INFO:
            return self._accept_info(table.frame(0))
        has_samples = _has_samples(table)
        if has_samples.any():
            self._check_clock(int(table.t0[has_samples][0]))
        epoch = self._epoch
        ticks = unwrap_frame_ticks(table.t0, has_samples, epoch.ticks)
        if has_samples.any():
            epoch.ticks = int(ticks[has_samples][-1])
        placed: list[tuple[int, Item]] = []
        for sensor in np.unique(table.sensor[has_samples]).tolist():
            rows = np.flatnonzero(has_samples & (table.sensor == sensor))
            placed += self._decode_sensor(table.take(rows), ticks[rows], rows, sensor)
        for row in np.flatnonzero(~has_samples).tolist():
            t_s = epoch.offset_s + int(ticks[row]) * wire.TICK_S
            placed.append((row, _READERS[int(table.frame_type[row])](table.frame(row), t_s)))
        placed.sort(key=lambda pair: pair[0])  # stable: a gap stays before the block that ends it
        return [item for _, item in placed]

    def _accept_info(self, frame: Frame) -> list[Item]:
        """Take over the scales of an INFO frame; the same INFO again says nothing new."""
        assert self._epoch is not None
        try:
            info = read_info(frame)
        except wire.WireError as error:
            self._stats.bad[str(error).split(" with")[0] + " unusable"] += 1
            return []
        is_news = self._epoch.infos.get(info.sensor) != info
        self._epoch.infos[info.sensor] = info
        return [info] if is_news else []

    def _check_clock(self, t0: int) -> None:
        """Begin a new epoch when the device clock has gone back."""
        epoch = self._epoch
        assert epoch is not None
        if epoch.ticks is None or signed_ticks(np.array(t0 - epoch.ticks)) >= -_CLOCK_BACK_TICKS:
            return
        self._stats.clock_resets += 1
        self._epoch = self._next_epoch(epoch.boot, GapReason.CLOCK)
        self._epoch.infos, self._epoch.waiting = epoch.infos, epoch.waiting
        self._epoch.offset_s -= t0 * wire.TICK_S

    def _decode_sensor(
        self, table: FrameTable, ticks: IntArray, rows: IntArray, sensor: int
    ) -> list[tuple[int, Item]]:
        """Decode the sample frames of one sensor; returns blocks and gaps with the row each belongs to."""
        epoch = self._epoch
        assert epoch is not None
        info = epoch.infos.get(sensor, epoch.infos.get(0))
        if info is None:
            self._stats.unusable += len(rows)
            return []
        stream = epoch.streams.get(sensor)
        if stream is None:
            clock = SampleClock(end_s=epoch.end_before_s)
            stream = epoch.streams[sensor] = SensorStream(
                sensor, epoch.offset_s, clock, epoch.reason, self._keeps_shaken
            )
        before = stream.unusable, stream.samples
        placed = stream.decode(table, ticks, info)
        self._stats.unusable += stream.unusable - before[0]
        self._stats.samples += stream.samples - before[1]
        self._stats.motor_on += int(np.count_nonzero(table.flags & wire.FLAG_MOTOR_ON))
        return [(int(rows[k]), item) for k, item in placed]


_READERS: dict[int, Callable[[Frame, float], Item]] = {
    wire.STATUS: read_status,
    wire.MINUTE: read_minute,
    wire.EVENT: read_event,
}


def _has_samples(table: FrameTable) -> NDArray[np.bool_]:
    return (table.frame_type == wire.ORIENT) | (table.frame_type == wire.RAW)
