"""Repetitions of one exercise session -> how it went: counts, ranges, holds, and whether the sides differ.

Degrees and seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tiltwise.exercise.definition import Exercise
from tiltwise.types import RepCompleted, Side

# A smaller difference may be one of measuring: 1.96 * sqrt(2) * 3 deg, taking 3 deg for the standard error of neck
# range measurements (2.3 to 4.1 deg: Fletcher and Bandy 2008; 1.5 to 2.9 deg: Anwar 2022).
CLEAR_DIFFERENCE_DEG = 8.3


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """How an exercise session went.

    `peak_deg` and `hold_s` are medians over the full repetitions of a side. `difference_deg` is right minus left,
    None without sides; it is clear when it exceeds what measuring alone can make. `moved_reps` counts repetitions by
    the clock in which the head moved though it should not.
    """

    exercise: str
    counts: Mapping[Side, int]
    partial: int
    peak_deg: Mapping[Side, float]
    hold_s: Mapping[Side, float]
    difference_deg: float | None
    is_difference_clear: bool
    moved_reps: int


def summarise_session(
    exercise: Exercise, reps: Sequence[RepCompleted], counts: Mapping[Side, int], moved_reps: int = 0
) -> SessionSummary:
    """Return the summary of the repetitions done."""
    full = {side: [rep for rep in reps if rep.side is side and not rep.is_partial] for side in Side}
    peak_deg = {side: median(rep.peak_deg for rep in done) for side, done in full.items() if done}
    hold_s = {side: median(rep.hold_s for rep in done) for side, done in full.items() if done}
    difference = None
    if Side.RIGHT in peak_deg and Side.LEFT in peak_deg:
        difference = peak_deg[Side.RIGHT] - peak_deg[Side.LEFT]
    is_clear = difference is not None and abs(difference) > CLEAR_DIFFERENCE_DEG
    partial = sum(rep.is_partial for rep in reps)
    return SessionSummary(
        exercise.id, dict(counts), partial, peak_deg, hold_s, difference, is_clear, moved_reps
    )
