"""Halves of a repetition -> whole ones: first to the minus side, then to the plus side. Used by rep_counter.py."""

from __future__ import annotations

from dataclasses import replace

from tiltwise.types import RepCompleted, Side


class Pairs:
    """Joins a movement to the minus side (here LEFT) with the one to the plus side that follows within pair_s."""

    def __init__(self, pair_s: float) -> None:
        self._pair_s = pair_s
        self._first: RepCompleted | None = None

    def join(self, halves: list[RepCompleted]) -> list[RepCompleted]:
        """Return what these halves complete; a first half without a second is a partial repetition."""
        done = []
        for half in halves:
            first = self._first
            is_late = first is not None and half.start_s - first.end_s > self._pair_s
            if first is not None and (half.side is Side.LEFT or is_late):
                done.append(replace(first, t_s=half.t_s, side=Side.NONE, is_partial=True))
                first = None
            if half.side is Side.LEFT:
                first = half
            elif first is not None:
                is_partial = first.is_partial or half.is_partial
                whole = replace(first, t_s=half.t_s, end_s=half.end_s, side=Side.NONE, is_partial=is_partial)
                done.append(whole)
                first = None
            self._first = first
        return done
