"""What a counter says of a repetition: told at the turn, perhaps taken back, and done. Device s, degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tiltwise.exercise.guided.moments import Moment
from tiltwise.types import RepCompleted, Side


@dataclass(frozen=True, slots=True)
class RepTold:
    """A repetition, at its turn: the head is as far as it goes, and has not come back."""

    t_s: float
    side: Side
    peak_deg: float


@dataclass(frozen=True, slots=True)
class RepTakenBack:
    """The repetition told at told_s was none, and why."""

    t_s: float
    told_s: float
    side: Side
    why: str


CounterEvent = RepTold | RepTakenBack | RepCompleted


class Counter(Protocol):
    """Follows one movement, moment by moment."""

    @property
    def deviation_deg(self) -> float:
        """How far it is out now, on the side that it went to."""
        ...

    @property
    def side(self) -> Side:
        """The side that it went to last."""
        ...

    @property
    def held_s(self) -> float:
        """How long it has been held out in the repetition under way."""
        ...

    @property
    def rested_s(self) -> float:
        """How long it has been quiet between two repetitions."""
        ...

    def step(self, moment: Moment) -> list[CounterEvent]:
        """Take a moment; return what it shows."""
        ...

    def forget(self) -> None:
        """What was done so far says nothing about how large a repetition is: nobody had asked for one."""
        ...

    def settle(self) -> None:
        """Nothing is asked for: a body at rest is where it begins from."""
        ...

    def finish(self) -> list[CounterEvent]:
        """Close the repetition under way: there is no more to come."""
        ...
