"""What the coach says: one short sentence for each stage and each thing worth a comment. See coach.py."""

from __future__ import annotations

from tiltwise.exercise.definition import Exercise
from tiltwise.types import RepCompleted, Side

_ENOUGH_HOLD = 0.7  # of the hold asked for


class Words:
    """The sentences for one exercise; times in s."""

    def __init__(self, exercise: Exercise, hold_s: float, work_s: float, pause_s: float) -> None:
        self._exercise = exercise
        self._hold_s, self._work_s, self._pause_s = hold_s, work_s, pause_s

    def prompt(self, stage: str, side: Side, *, is_reminder: bool = False) -> str:
        """Return what to say when a stage (a name of coach.Stage) begins, or again as a reminder."""
        side_text = "" if side is Side.NONE else f" to the {side}"
        text = {
            "PREPARE": f"{self._exercise.name}. " + " ".join(self._exercise.steps),
            "OUT": f"Slowly out{side_text}.",
            "HOLD": f"Hold for {self._hold_s:g} seconds and breathe.",
            "BACK": "Slowly back.",
            "WORK": f"Begin{side_text}, for {self._work_s:g} seconds.",
            "PAUSE": f"Let go and rest for {self._pause_s:g} seconds.",
            "DONE": "Done.",
        }[stage]
        return f"Whenever you are ready: {text[0].lower()}{text[1:]}" if is_reminder else text

    def comment(self, rep: RepCompleted, asked: Side) -> str:
        """Return what to say about a repetition; nothing if it was as asked."""
        if rep.is_partial:
            return "That was only part of it: a little further, if it is comfortable."
        if asked is not Side.NONE and rep.side is not asked:
            return f"That was the {rep.side} side; it counts. Now the {asked} one."
        if rep.hold_s < _ENOUGH_HOLD * self._hold_s:
            return f"Held for {rep.hold_s:.0f} of {self._hold_s:g} seconds."
        return ""

    def stay_still(self) -> str:
        """Return what to say when the head moves though it should not."""
        return "Without moving: less strength is enough."
