"""Turn one sensor's ordered sample frames into blocks, with a SignalGap where samples are missing.

sample_units.py scales the counts and sample_times.py gives the times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.decode.frame_table import FrameTable, IntArray
from tiltwise.decode.messages import GapReason, Info
from tiltwise.decode.sample_times import FrameTimes, SampleClock
from tiltwise.decode.sample_units import is_rotation, sample_counts, to_block
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock, SignalGap

BoolArray = NDArray[np.bool_]
Placed = tuple[int, ImuBlock | OrientationBlock | SignalGap]
_RATES_HZ = np.array(wire.RATES_HZ)


@dataclass(slots=True)
class SensorStream:
    """The samples of one sensor within one epoch.

    first_reason is why there is a gap before the first sample, when an epoch came before.
    """

    sensor: int
    offset_s: float
    clock: SampleClock
    first_reason: GapReason
    keeps_shaken: bool = False  # as Decoder
    unusable: int = 0
    samples: int = 0
    _is_after_fault: bool = False
    _is_first: bool = True

    def decode(self, table: FrameTable, ticks: IntArray, info: Info) -> list[Placed]:
        """Return blocks and gaps of frames at ticks (m,), 0.1 ms, each with the index of the frame it begins at."""
        rate_hz = _rates_hz(table, info)
        is_usable = (rate_hz > 0) & (table.flags & wire.FLAG_SENSOR_FAULT == 0) & _has_rotations(table)
        after_fault = ~np.concatenate(([not self._is_after_fault], is_usable[:-1]))
        self._is_after_fault = not is_usable[-1]
        rows = np.flatnonzero(is_usable)
        self.unusable += len(is_usable) - len(rows)
        if len(rows) == 0:
            return []
        if len(rows) < len(is_usable):
            table, ticks, rate_hz, after_fault = (
                table.take(rows),
                ticks[rows],
                rate_hz[rows],
                after_fault[rows],
            )
        is_discontinuous = (
            table.flags & (wire.FLAG_DISCONTINUITY | wire.FLAG_LOSS_BEFORE) != 0
        ) | after_fault
        times = self.clock.times(ticks, table.i0, table.n, is_discontinuous, 1.0 / rate_hz, self.offset_s)
        placed = self._place(table, times, info, after_fault)
        self._is_first = False
        self.samples += int(table.n.sum())
        return [(int(rows[k]), item) for k, item in placed]

    def _place(
        self, table: FrameTable, times: FrameTimes, info: Info, after_fault: BoolArray
    ) -> list[Placed]:
        """Cut the frames into blocks at gaps, and where type or size changes."""
        placed: list[Placed] = []
        gaps = np.flatnonzero(times.is_gap)
        for first, end in runs(table):
            frame_type, n = int(table.frame_type[first]), int(table.n[first])
            counts = sample_counts(table.frames[first:end], frame_type, n)
            t_s = times.start_s[first:end, None] + times.period_s[first:end, None] * np.arange(n)
            cuts = [first, *gaps[(gaps > first) & (gaps < end)].tolist(), end]
            for a, b in pairwise(cuts):
                if times.is_gap[a]:
                    placed.append((a, self._gap(a, table, times, bool(after_fault[a]))))
                part = slice(a - first, b - first)
                block = to_block(counts[part], t_s[part].reshape(-1), frame_type, info, self.sensor)
                if isinstance(block, OrientationBlock) and not self.keeps_shaken:
                    _leave_out_shaking(block, table.flags[a:b], n)
                placed.append((a, block))
        return placed

    def _gap(self, k: int, table: FrameTable, times: FrameTimes, is_after_fault: bool) -> SignalGap:
        """Return the gap before frame k with the reason that the board gives for it."""
        start_s, end_s = float(times.end_before_s[k]), float(times.start_s[k])
        flags = int(table.flags[k])
        if k == 0 and self._is_first:
            reason = self.first_reason
        elif is_after_fault:
            reason = GapReason.FAULT
        elif flags & wire.FLAG_LOSS_BEFORE:
            reason = GapReason.OVERFLOW
        else:
            reason = GapReason.DEVICE if flags & wire.FLAG_DISCONTINUITY else GapReason.LOST
        return SignalGap(end_s, start_s, end_s, reason, self.sensor)


def _leave_out_shaking(block: OrientationBlock, flags: IntArray, n: int) -> None:
    """Make accelerations NaN where the board's motor shook the sensor: the orientation is barely affected.

    RAW samples stay as they are, for the orientation is yet to be made of them.
    """
    is_shaken = np.repeat(flags & wire.FLAG_MOTOR_ON != 0, n)
    block.acc_m_s2[is_shaken] = np.nan


def runs(table: FrameTable) -> Iterator[tuple[int, int]]:
    """Yield [first, end) of neighbouring frames of one type and size."""
    changes = (np.diff(table.frame_type) != 0) | (np.diff(table.n) != 0)
    cuts = [0, *(np.flatnonzero(changes) + 1).tolist(), len(table.frames)]
    yield from pairwise(cuts)


def _rates_hz(table: FrameTable, info: Info) -> FloatArray:
    """Return the nominal rate (m,) of each frame: by its code, else as INFO says, else 0."""
    info_hz = np.where(table.frame_type == wire.RAW, info.rate_hz(wire.RAW), info.rate_hz(wire.ORIENT))
    coded_hz = _RATES_HZ[table.rate_code]
    return np.where(coded_hz > 0, coded_hz, info_hz)


def _has_rotations(table: FrameTable) -> BoolArray:
    """Tell for each frame whether its quaternions, if it has any, are rotations."""
    good = np.ones(len(table.frames), dtype=bool)
    for first, end in runs(table):
        if table.frame_type[first] == wire.ORIENT:
            counts = sample_counts(table.frames[first:end], wire.ORIENT, int(table.n[first]))
            good[first:end] = is_rotation(counts)
    return good
