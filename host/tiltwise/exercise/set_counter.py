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
from tiltwise.types import AngleBlock, RepCompleted


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
    """

    gap_s: float = 15.0
    likeness: float = 2.0
    hold_slack_s: float = 1.0


class SetCounter:
    """Tells the repetitions of a RepCounter that belong to a set, from blocks cut anywhere.

    The first repetition of a set is given with the second, which proves it. Partial ones are given within a set only.
    """

    def __init__(self, counter: RepCounter, settings: SetSettings | None = None) -> None:
        self._counter, self._settings = counter, settings or SetSettings()
        self._last: RepCompleted | None = None
        self._is_set = False  # the last one has been given

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
        last, was_set = self._last, self._is_set
        self._last, self._is_set = rep, self._follows(rep)
        if not self._is_set or last is None:
            return []
        return [rep] if was_set else [replace(last, t_s=rep.t_s), rep]

    def _follows(self, rep: RepCompleted) -> bool:
        """Whether it continues what the last one began."""
        last = self._last
        if last is None or not self._is_soon(rep):
            return False
        s = self._settings
        small, large = sorted((last.peak_deg, rep.peak_deg))
        short, long = sorted((last.hold_s, rep.hold_s))
        return large <= s.likeness * small and long <= s.likeness * short + s.hold_slack_s

    def _is_soon(self, rep: RepCompleted) -> bool:
        return self._last is not None and rep.start_s - self._last.end_s <= self._settings.gap_s


def set_counters(names: Iterable[str]) -> tuple[SetCounter, ...]:
    """Return a counter for each of these exercises of the catalogue that has something to count."""
    signals = ((name, EXERCISES[name].signal) for name in names)
    return tuple(SetCounter(RepCounter(name, signal)) for name, signal in signals if signal is not None)
