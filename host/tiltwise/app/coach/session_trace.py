"""Keeps the angles and the words of a session while it goes by, for its picture. Device s, degrees."""

from __future__ import annotations

import numpy as np

from tiltwise.exercise.guided.coach_events import CoachEvent, Instruction
from tiltwise.live.wearer.live_events import LiveEvents
from tiltwise.report.plots_exercise import DrawnPhase, DrawnSession
from tiltwise.types import Update

_EVERY = 2  # samples: 25 a second are enough for a picture


class SessionTrace:
    """Takes what a session brings; gives it as it is drawn."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float]] = []
        self._asked: list[Instruction] = []

    def take(self, events: LiveEvents) -> None:
        """Keep the angles."""
        for event in events:
            if isinstance(event, Update) and len(event.angles.t_s):
                a = event.angles
                columns = (a.t_s, a.flexion_deg, a.lateral_deg, a.rotation_deg)
                self._rows += zip(*(column[::_EVERY].tolist() for column in columns), strict=True)

    def note(self, event: CoachEvent) -> None:
        """Keep what was asked for."""
        if isinstance(event, Instruction):
            self._asked.append(event)

    def drawn(self) -> DrawnSession:
        """Return what is to be drawn."""
        rows = np.array(self._rows) if self._rows else np.empty((0, 4))
        ends = [*(each.t_s for each in self._asked[1:]), float(rows[-1, 0]) if len(rows) else 0.0]
        phases = tuple(
            DrawnPhase(asked.t_s, end_s, asked.do.value, asked.short)
            for asked, end_s in zip(self._asked, ends, strict=True)
        )
        return DrawnSession(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], phases)
