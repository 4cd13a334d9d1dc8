"""What a coach says: an instruction, a remark, what was counted or measured. Device s, degrees."""

from __future__ import annotations

from dataclasses import dataclass

from tiltwise.exercise.definition import Do, Phase
from tiltwise.exercise.guided.counter_events import RepTakenBack, RepTold
from tiltwise.types import RepCompleted, Side


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the wearer is asked for now.

    `lasts_s` is 0 for what ends with the movement itself; `to_deg` is where to go, if the person's range is known.
    """

    t_s: float
    exercise: str
    do: Do
    side: Side
    short: str
    say: str
    lasts_s: float = 0.0
    to_deg: float | None = None
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark on what was done."""

    t_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Round:
    """One round of tensing and letting go: the end of the movement before and after it, and how the press went.

    The edges are when the head had gone a tenth and nine tenths of its way to the new end.
    """

    t_s: float
    side: Side
    number: int
    before_deg: float | None
    barrier_deg: float
    press_start_s: float
    press_end_s: float
    press_moved_deg: float
    is_press_still: bool
    sink_s: float
    arrived_s: float


CoachEvent = Instruction | Comment | RepTold | RepTakenBack | RepCompleted | Round


@dataclass(frozen=True, slots=True)
class CoachView:
    """What can be shown right now.

    `angle_share` is how far out, as a share of the target (or of the movements so far); `phase_share` how much of a
    timed phase is over; both None where there is nothing to show.
    """

    short: str
    say: str
    following: str
    side: Side
    counts: dict[Side, int]
    reps: int
    set_number: int
    sets: int
    angle_deg: float | None = None
    angle_share: float | None = None
    phase_share: float | None = None
    left_s: float | None = None
    is_breathing: bool = False  # the phase goes by breaths
    since_s: float = 0.0  # how long the phase has lasted
