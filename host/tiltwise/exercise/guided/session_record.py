"""What was done of an exercise, whole or broken off: for the store, the day, the summary and progress.

Times are seconds from start_s, which is device time while a coach runs and UTC in what the store returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median

from tiltwise.exercise.guided.coach_events import Round
from tiltwise.exercise.rest_tilt import RestComparison
from tiltwise.types import Mount, RepCompleted, Side


@dataclass(frozen=True, slots=True)
class ExerciseRecord:
    """One exercise of a session.

    `counts` are the repetitions (or rounds) by side, `asked` those that were to be done on each; `reps` have times
    relative to start_s. `peaks_deg` and holds are read off `reps`.
    """

    exercise: str
    mount: Mount
    start_s: float
    end_s: float
    is_complete: bool
    is_counted: bool
    asked: int
    counts: dict[Side, int]
    partial: int = 0
    taken_back: int = 0
    undone: int = 0
    skipped: int = 0
    moved_presses: int = 0
    reps: tuple[RepCompleted, ...] = ()
    rounds: tuple[Round, ...] = ()
    barriers: dict[Side, list[float]] = field(default_factory=dict)
    session: str = ""  # what it was part of: a programme, or itself
    lost_s: float = 0.0  # without samples
    compared: RestComparison | None = None  # where the upper back rested before and after

    @property
    def n(self) -> int:
        """How many repetitions altogether."""
        return sum(self.counts.values())

    def peaks_deg(self, side: Side) -> list[float]:
        """Return the largest angle of each repetition on a side, as magnitudes."""
        found = (abs(rep.peak_deg) for rep in self.reps if rep.side is side)
        return [peak for peak in found if peak == peak]

    def peak_deg(self, side: Side) -> float | None:
        """Return the median of these."""
        peaks = self.peaks_deg(side)
        return median(peaks) if peaks else None

    def hold_s(self, side: Side) -> float | None:
        """Return the median hold on a side."""
        holds = [rep.hold_s for rep in self.reps if rep.side is side]
        return median(holds) if holds else None

    def reps_at(self, start_s: float) -> tuple[RepCompleted, ...]:
        """Return the repetitions with their times on an axis on which the exercise began at start_s."""
        return tuple(
            replace(
                rep,
                t_s=rep.t_s + start_s,
                start_s=rep.start_s + start_s,
                peak_s=rep.peak_s + start_s,
                end_s=rep.end_s + start_s,
            )
            for rep in self.reps
        )

    def gain_deg(self, side: Side) -> float | None:
        """Return how much further the movement ended after the rounds than before, from rounds with a still press."""
        known = self.barriers.get(side, [])
        still = [each.barrier_deg for each in self.rounds if each.side is side and each.is_press_still]
        return median(still[-2:]) - known[0] if still and len(known) > 1 else None
