"""Repetitions in an unguided day: only those that come in sets, for one tilt of the head is no exercise.

Nobody has said that an exercise begins, and a telephone between ear and shoulder tilts the head as far as an
exercise does. What tells them apart is that exercises repeat: like movements, one soon after the other. Who has
announced an exercise (`count`, coach.py) asks RepCounter itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.rep_counter import RepCounter
from tiltwise.types import AngleBlock, Mount, RepCompleted

_WATCHED = ("side_tilt",)


@dataclass(frozen=True, slots=True)
class SetSettings:
    """What makes a set of repetitions.

    Parameters
    ----------
    gap_s
        The next repetition begins within this time after the last: three calm breaths.
    likeness
        Neighbours differ in size and hold by no more than this factor: within a set, people vary by a quarter or so.
    hold_slack_s
        Short holds may differ by so much more: nobody counts seconds there.
    least
        So many make a set.
    pace
        From one start to the next takes no more than this factor longer or shorter than the time before.
    """

    gap_s: float = 15.0
    likeness: float = 2.0
    hold_slack_s: float = 1.0
    least: int = 3
    pace: float = 2.5


class SetCounter:
    """Tells the repetitions of a RepCounter that belong to a set, from blocks cut anywhere.

    The first ones of a set are given together, when there are enough to prove it: two tilts of the head are what
    people do who talk. Partial ones are given within a set only.
    """

    def __init__(self, counter: RepCounter, settings: SetSettings | None = None) -> None:
        self._counter, self._settings = counter, settings or SetSettings()
        self._run: list[RepCompleted] = []  # like movements, one soon after the other; the newest ones
        self._is_set = False  # there were enough of them

    @property
    def exercise(self) -> str:
        """The name that the events carry."""
        return self._counter.exercise

    def process(self, block: AngleBlock, activity: NDArray[np.int8] | None = None) -> list[RepCompleted]:
        """Return the repetitions that are now known to belong to a set; t_s says since when they are known.

        `activity` has the code of each sample, (n,) int8: an index into ACTIVITIES.
        """
        given: list[RepCompleted] = []
        for rep in self._counter.process(block, activity):
            given += self._partial(rep) if rep.is_partial else self._whole(rep)
        return given

    def _partial(self, rep: RepCompleted) -> list[RepCompleted]:
        return [rep] if self._is_set and self._is_soon(rep) else []

    def _whole(self, rep: RepCompleted) -> list[RepCompleted]:
        if not self._follows(rep):
            # The newest one may be the first of another set, unless it was given in this one.
            kept = self._run[-1:] if not self._is_set and self._is_like(rep) else []
            self._run, self._is_set = [*kept, rep], False
            return []
        self._run = [*self._run, rep][-self._settings.least :]
        if self._is_set:
            return [rep]
        if len(self._run) < self._settings.least:
            return []
        self._is_set = True
        return [*(replace(earlier, t_s=rep.t_s) for earlier in self._run[:-1]), rep]

    def _follows(self, rep: RepCompleted) -> bool:
        """Whether it continues what is under way: alike, in the same pace and, until it is a set, the same order."""
        if not self._is_like(rep):
            return False
        if len(self._run) < 2:
            return True
        before, last = self._run[-2:]
        short, long = sorted((last.start_s - before.start_s, rep.start_s - last.start_s))
        is_same_order = (rep.side is last.side) == (last.side is before.side)
        return long <= self._settings.pace * short and (is_same_order or self._is_set)

    def _is_like(self, rep: RepCompleted) -> bool:
        """Whether it is soon after the last one, of like size and hold."""
        if not self._is_soon(rep):
            return False
        s, last = self._settings, self._run[-1]
        small, large = sorted((last.peak_deg, rep.peak_deg))
        short, long = sorted((last.hold_s, rep.hold_s))
        return large <= s.likeness * small and long <= s.likeness * short + s.hold_slack_s

    def _is_soon(self, rep: RepCompleted) -> bool:
        return bool(self._run) and rep.start_s - self._run[-1].end_s <= self._settings.gap_s


def watched_exercises(mount: Mount) -> tuple[str, ...]:
    """Return the names of what is counted in a day that nobody announced an exercise in, with a sensor there."""
    return tuple(name for name in _WATCHED if EXERCISES[name].is_counted(mount))


def set_counters(names: Iterable[str]) -> tuple[SetCounter, ...]:
    """Return a counter for each of these exercises of the catalogue that has something to count."""
    signals = ((name, EXERCISES[name].signal) for name in names)
    return tuple(SetCounter(RepCounter(name, signal)) for name, signal in signals if signal is not None)
