"""What waits in memory for the next commit: frames of one boot, and aggregates as table rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tiltwise.common import wire
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.store.codec import StoredFrame, pack_aggregate
from tiltwise.types import Activity

_US = 1_000_000
_MOST_STAGED = 200_000  # frames kept while the disk refuses: a long workday, 50 MB
INSERT_AGGREGATE = (
    "INSERT OR REPLACE INTO aggregate (session_id, sensor, start_us, algorithm, covered_s, worn_s, posture_s, "
    "moving_s, mean_deg, above_15_s, above_20_s, above_30_s, above_45_s, above_60_s, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(slots=True)
class BootFrames:
    """The frames of one device and boot: those on the disk, and those staged."""

    device_id: int
    boot: int
    stored: SequenceRanges
    staged: list[StoredFrame] = field(default_factory=list)
    staged_seqs: set[int] = field(default_factory=set)
    lost: list[tuple[int, int]] = field(default_factory=list)

    def with_staged(self) -> SequenceRanges:
        """Return what will be on the disk after the commit."""
        after = self.stored.copy()
        for first, last in self.lost:
            after.add(first, last)
        if self.staged_seqs:
            seqs = np.array(sorted(self.staged_seqs))
            for part in np.split(seqs, np.flatnonzero(np.diff(seqs) != 1) + 1):
                after.add(int(part[0]), int(part[-1]))
        return after

    def has(self, seq: int) -> bool:
        """Tell whether this frame is stored or staged."""
        return seq in self.staged_seqs or seq in self.stored

    def stage(self, seq: int, frame: StoredFrame) -> None:
        """Keep a frame for the next commit."""
        self.staged.append(frame)
        self.staged_seqs.add(seq)

    def limit(self) -> None:
        """Forget the oldest staged frames beyond a workday; never acknowledged, so the board may send them again."""
        for frame in self.staged[:-_MOST_STAGED]:
            self.staged_seqs.discard(wire.unpack_header(frame.data)[3])
        del self.staged[:-_MOST_STAGED]

    def settle(self, stored: SequenceRanges) -> None:
        """Follow the disk after a commit."""
        self.stored = stored
        self.staged.clear()
        self.staged_seqs.clear()
        self.lost.clear()


def aggregate_values(session: int, sensor: int, row: Aggregate) -> tuple[object, ...]:
    """Return the columns that SQL queries of a year read, and the whole row as a blob."""
    histogram = row.flexion_s.sum(axis=0)
    above = [float(histogram[limit - agg.FLEXION_MIN_DEG :].sum()) for limit in agg.THRESHOLDS_DEG]
    centres = agg.FLEXION_EDGES_DEG[:-1] + 0.5
    mean = float(np.sum(histogram * centres)) / row.posture_s if row.posture_s > 0 else None
    moving = row.seconds(Activity.MOVING) + row.seconds(Activity.WALKING)
    return (
        *(session, sensor, round(row.start_s * _US), agg.ALGORITHM),
        *(row.covered_s, row.worn_s, row.posture_s, moving, mean, *above, pack_aggregate(row)),
    )
