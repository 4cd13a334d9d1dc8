"""What is usual for a person: where they rest between repetitions, and how large these are on each side.

Only whole repetitions count for their size, so that half movements in between do not make it smaller; but who keeps
doing half ones does them whole. The first ones are in doubt until something as large follows: people talk and look
around before they begin. Degrees, or metres for shoulders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from tiltwise.exercise.guided.counter_events import RepTold

_NEWEST = 6  # repetitions that say what is usual
_RESTS = 7  # that say where home is
_PARTS = 3  # partial ones without a whole one between: they are what this person does
_DOUBTED = 4  # at most so many first ones


@dataclass(slots=True)
class UsualSizes:
    """The repetitions on one side.

    `wholes` and `parts` are sizes, the newest last; `doubted` are first ones that were told, with their sizes.
    """

    wholes: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)
    doubted: list[tuple[RepTold, float]] = field(default_factory=list)
    _n: int = 0  # that were told

    def usual(self) -> float | None:
        """Return the usual size; None as long as there is none."""
        return median(self.wholes[-_NEWEST:]) if self.wholes else None

    def note_whole(self, told: RepTold, size: float) -> None:
        """Take a repetition that is over."""
        self.wholes = [*self.wholes[-_NEWEST:], size]
        self.parts.clear()
        self._n += 1
        if self._n <= _DOUBTED:
            self.doubted.append((told, size))

    def note_part(self, size: float) -> None:
        """Take a movement that was too small to be one."""
        self.parts.append(size)
        if len(self.parts) == _PARTS:
            self.wholes, self.parts = self.parts, []

    def disprove(self, least: float) -> list[RepTold]:
        """Return the first ones, and forget them, if none was as large as this."""
        is_over = self._n > len(self.doubted)  # others followed that are in no doubt
        if not self.doubted or is_over or max(size for _, size in self.doubted) >= least:
            return []
        found = [told for told, _ in self.doubted]
        self.forget()
        return found

    def forget(self) -> None:
        """Begin anew."""
        self.wholes, self.parts, self.doubted, self._n = [], [], [], 0


@dataclass(slots=True)
class UsualRest:
    """Where the head rests; `elsewhere` are rests in a row that were not there."""

    rests: list[float] = field(default_factory=list)
    elsewhere: list[float] = field(default_factory=list)

    def home_deg(self) -> float | None:
        """Return where it rested lately; None as long as it never did."""
        return median(self.rests[-3:]) if self.rests else None

    def note(self, at_deg: float, near_deg: float) -> None:
        """Take a rest; the second in a row that is not near home is home."""
        if not self.rests or abs(at_deg - median(self.rests)) < near_deg:
            self.rests, self.elsewhere = [*self.rests[1 - _RESTS :], at_deg], []
        else:
            self.elsewhere.append(at_deg)
            if len(self.elsewhere) > 1:
                self.rests, self.elsewhere = self.elsewhere, []

    def move(self, at_deg: float | None = None) -> None:
        """Home is here now, or nowhere yet."""
        self.rests, self.elsewhere = [] if at_deg is None else [at_deg], []
