"""The states of a repetition: REST -> OUT -> HOLD -> BACK, the cues seen in samples, and what follows from them."""

from __future__ import annotations

from enum import Enum, auto


class Phase(Enum):
    """Where in a repetition the wearer is."""

    REST = auto()
    OUT = auto()
    HOLD = auto()
    BACK = auto()


class SampleCue(Enum):
    """What a sample shows, first match."""

    LOST = auto()  # a gap, or too long for a repetition
    RETURNED = auto()  # close to neutral again
    LEFT = auto()  # away from neutral
    DROPPED = auto()  # clearly below the peak
    ROSE = auto()  # up again, from the lowest point since the peak or above it
    SETTLED = auto()  # far out and nearly still
    NOTHING = auto()


# A pair that is not listed stays where it is.
TRANSITIONS = {
    (Phase.REST, SampleCue.LEFT): Phase.OUT,
    (Phase.OUT, SampleCue.SETTLED): Phase.HOLD,
    (Phase.OUT, SampleCue.DROPPED): Phase.BACK,
    (Phase.OUT, SampleCue.RETURNED): Phase.REST,
    (Phase.OUT, SampleCue.LOST): Phase.REST,
    (Phase.HOLD, SampleCue.ROSE): Phase.OUT,
    (Phase.HOLD, SampleCue.DROPPED): Phase.BACK,
    (Phase.HOLD, SampleCue.RETURNED): Phase.REST,
    (Phase.HOLD, SampleCue.LOST): Phase.REST,
    (Phase.BACK, SampleCue.ROSE): Phase.OUT,
    (Phase.BACK, SampleCue.RETURNED): Phase.REST,
    (Phase.BACK, SampleCue.LOST): Phase.REST,
}
