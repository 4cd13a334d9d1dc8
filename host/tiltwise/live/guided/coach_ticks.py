"""Ticks of the board's motor while a coach leads, for closed eyes: what is said becomes a pattern, or nothing.

The firmware has the patterns and their limits. While the motor runs the samples tell no movement, so it ticks where a
phase ends and not while the head turns, and only so often that its budget lasts.
"""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.decode.messages import Info
from tiltwise.exercise.definition import Do
from tiltwise.exercise.guided.coach_events import CoachEvent, Instruction
from tiltwise.link.commands import Acknowledger, Pattern

_LEAST_GAP_S = 1.5  # 0.12 s of a tenth of the time: the motor's budget
_PATTERNS = {
    Do.RETURN: Pattern.STEP,
    Do.RELEASE: Pattern.STEP,
    Do.PRESS: Pattern.STEP,
    Do.REST: Pattern.STEP,
    Do.MOVE: Pattern.CORRECTED,
    Do.SINK: Pattern.CORRECTED,
    Do.TURN: Pattern.STEP,
    Do.WORK: Pattern.STEP,
}


class CoachTicks:
    """Instructions in, commands for the motor out, if the board says that it has one; strength 0 is silent."""

    def __init__(self, strength: int) -> None:
        self._strength = strength
        self._commands = Acknowledger()
        self._last_s = float("-inf")

    def process(self, events: list[CoachEvent], info: Info | None, *, is_over: bool = False) -> list[bytes]:
        """Return what to send for these events; `is_over` when the exercise has ended with them."""
        if info is None or not info.features & wire.FEATURE_MOTOR or not self._strength:
            return []
        pattern, t_s = Pattern.DONE if is_over else None, events[-1].t_s if events else self._last_s
        for event in events:
            if pattern is None and isinstance(event, Instruction):
                pattern, t_s = _PATTERNS.get(event.do), event.t_s
        if pattern is None or (t_s - self._last_s < _LEAST_GAP_S and not is_over):
            return []
        self._last_s = t_s
        return [self._commands.motor(pattern, self._strength)]
