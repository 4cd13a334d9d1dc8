"""What a link trial lost and reported as lost, and the times it gave its samples, against the truth.

The true time of a sample is when the simulated part took it, so that the board's own time estimate is scored too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.decode.messages import GapReason
from tiltwise.store.files import schema
from tiltwise.store.writer import Store
from tiltwise.types import FloatArray
from tiltwise_lab.bench.link.link_trial import DRIFT, STARTED_S, BoardLog, LinkTrial

GAP_TOLERANCE_S = 0.2
_SAME_S = 0.001  # stretches that touch are one
_ALWAYS_S = 4e9


@dataclass(frozen=True, slots=True)
class Losses:
    """Samples (frames of other kinds count 0) and stretches of time.

    `within` is what got lost though the ring had not dropped it; `is_exact`: the store calls lost just those frames
    that the ring dropped and nobody had stored, and its gaps are those stretches and no others.
    """

    made: int
    dropped: int
    lost: int
    within: int
    reported: int
    is_exact: bool
    gaps: int
    true_gaps: int
    gap_s: float
    true_gap_s: float
    worst_gap_s: float  # largest error of the begin or end of a gap


class TrueTimes:
    """When the samples of a frame were taken, from the grid of the part's own oscillator."""

    def __init__(self, trial: LinkTrial, notes: BoardLog) -> None:
        heads = [(i0, t0) for kind, _, i0, t0 in notes.made.values() if kind == wire.ORIENT]
        i0, t0 = np.array(heads, dtype=np.float64).T
        self._on_s, self._period_s = trial.sensor._on_s, trial.sensor.slot_period_s
        self._step = round((t0[-1] - t0[0]) * wire.TICK_S / (i0[-1] - i0[0]) / self._period_s)
        # The board is off by far less than half a period, so the number of the first sample is sure.
        slots = (t0 * wire.TICK_S - self._on_s) / self._period_s - self._step * i0
        self._first = round(float(np.median(slots)))

    def utc_s(self, index: int) -> float:
        """Return when a sample was taken, on the host's clock."""
        taken_s = self._on_s + self._period_s * (self._step * index + self._first)
        return STARTED_S + taken_s * (1 + DRIFT)


def stored_utc_s(trial: LinkTrial) -> dict[int, float]:
    """Return what a reader of the store finds: frame -> UTC of its first sample."""
    with Store.open_readonly(trial.folder) as reader:
        frames = reader.frames(0, _ALWAYS_S)
    return {unpack_header(frame.data)[3]: frame.utc_us / 1e6 for frame in frames}


def losses(
    trial: LinkTrial, times: TrueTimes, stored: Iterable[int], settled: list[tuple[int, int]]
) -> Losses:
    """Compare what was made with what the store holds and what it calls lost; `settled` is what it knows."""
    notes, have = trial.board_log, set(stored)
    last = settled[-1][1]
    known = {seq for first, end in settled for seq in range(first, end + 1)}
    made = {seq for seq in notes.made if seq <= last}
    lost, reported, dropped = made - have, known - have, {seq for seq in notes.dropped - have if seq <= last}
    true_gaps = _true_gaps(notes, times, made, have)
    gaps, others = _stored_gaps(trial)
    worst_s = _worst_s(gaps, true_gaps)
    return Losses(
        made=_samples(notes, made), dropped=_samples(notes, notes.dropped), lost=_samples(notes, lost),
        within=_samples(notes, lost - dropped), reported=_samples(notes, reported),
        is_exact=lost == reported == dropped and not others and worst_s <= GAP_TOLERANCE_S,
        gaps=len(gaps) + others, true_gaps=len(true_gaps), gap_s=_length_s(gaps), true_gap_s=_length_s(true_gaps),
        worst_gap_s=worst_s,
    )  # fmt: skip


def _samples(notes: BoardLog, frames: Iterable[int]) -> int:
    return sum(notes.made[seq][1] for seq in frames)


def _true_gaps(
    notes: BoardLog, times: TrueTimes, made: set[int], have: set[int]
) -> list[tuple[float, float]]:
    """Return the stretches without samples, from the first one lost to the next one stored."""
    found: list[tuple[float, float]] = []
    begins: int | None = None
    for seq in sorted(made):
        kind, _, i0, _ = notes.made[seq]
        if kind != wire.ORIENT:
            continue
        if seq not in have:
            begins = i0 if begins is None else begins
        elif begins is not None:
            found.append((times.utc_s(begins), times.utc_s(i0)))
            begins = None
    return found


def _stored_gaps(trial: LinkTrial) -> tuple[list[tuple[float, float]], int]:
    """Return the stretches that the store calls lost for good, and how many rows it has for other reasons."""
    db = schema.open_reader(trial.folder / schema.CORE_NAME)
    try:
        rows = db.execute("SELECT start_us / 1e6, end_us / 1e6, reason FROM gap ORDER BY start_us").fetchall()
    finally:
        db.close()
    joined: list[tuple[float, float]] = []
    for start_s, end_s, reason in rows:
        if reason != GapReason.OVERFLOW:
            continue
        if joined and start_s <= joined[-1][1] + _SAME_S:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_s)
        else:
            joined.append((start_s, end_s))
    return joined, sum(reason != GapReason.OVERFLOW for *_, reason in rows)


def _worst_s(gaps: list[tuple[float, float]], true_gaps: list[tuple[float, float]]) -> float:
    if len(gaps) != len(true_gaps):
        return float("inf")
    return float(np.abs(np.array(gaps) - np.array(true_gaps)).max(initial=0.0))


def _length_s(gaps: list[tuple[float, float]]) -> float:
    return sum(end_s - start_s for start_s, end_s in gaps)


def errors_s(times: TrueTimes, notes: BoardLog, given_s: dict[int, float]) -> FloatArray:
    """Return (given less true UTC) of the first sample of each of these frames, s."""
    found = [utc_s - times.utc_s(notes.made[seq][2]) for seq, utc_s in given_s.items() if notes.made[seq][1]]
    return np.array(found)
