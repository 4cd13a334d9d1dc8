"""The states of a repetition that is asked for, what a moment shows of it, and what separates it from a fidget."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Turning(Enum):
    """Where in a repetition the head is."""

    REST = auto()
    OUT = auto()
    TURNED = auto()  # it was as far as it went, or is held there


class Shown(Enum):
    """What a moment shows, first match."""

    LOST = auto()  # a gap, taken off, or out for too long
    RETURNED = auto()
    ROSE_AGAIN = auto()  # out again from a half return
    LEFT = auto()  # away from the middle
    TURNED = auto()  # settled far out, or on the way back
    NOTHING = auto()


# A pair that is not listed stays where it is.
TRANSITIONS = {
    (Turning.REST, Shown.LEFT): Turning.OUT,
    (Turning.OUT, Shown.TURNED): Turning.TURNED,
    (Turning.OUT, Shown.RETURNED): Turning.REST,
    (Turning.OUT, Shown.LOST): Turning.REST,
    (Turning.TURNED, Shown.ROSE_AGAIN): Turning.OUT,
    (Turning.TURNED, Shown.RETURNED): Turning.REST,
    (Turning.TURNED, Shown.LOST): Turning.REST,
}


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """What separates a repetition from a fidget; shares are of the repetition's own size unless said otherwise."""

    whole_share: float = 0.45  # of the person's range, or of the repetitions before: less is partial
    weakest_share: float = 0.35  # of the other side's: no side is weaker than this
    whole_way_share: float = 0.6  # this large, it is no way back from half way
    quiet_deg_s: float = 4.0
    settle_s: float = 0.2  # so long nearly still far out is the end of the way
    drop_share: float = 0.1  # so much back is a turn
    return_share: float = 0.35  # back within this, it is over
    middle_s: float = 0.35  # time constant with which the middle follows a resting head
    restless_middle_s: float = 2.0  # and one that never rests
    near_share: float = 0.45  # further off than this it is half way, and not the middle, until it stays
    new_middle_s: float = 1.5  # a rest so long is the middle, wherever it is
    new_home_s: float = 25.0  # longer than any hold
    shortest_s: float = 0.3
    longest_s: float = 60.0
    other_share: float = 1.5  # further in another plane than this: a glance
    other_deg: float = 3.0  # and so much more: nobody moves in one plane only
