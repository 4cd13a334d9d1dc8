"""The questions before the first session: asked once, kept, and exercises left out accordingly.

The answers are kept beside the days of the person; `tiltwise exercise --ask` asks them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tiltwise.config.atomic_file import private_folder, whole_file
from tiltwise.errors import AppError
from tiltwise.exercise.definition import QUESTIONS, Exercise

FILE = "exercise_answers.json"


@dataclass(frozen=True, slots=True)
class Clearance:
    """What the wearer answered: keys of QUESTIONS with a yes. None: nobody has asked."""

    yes: frozenset[str] | None

    def allows(self, exercise: Exercise) -> bool:
        """Whether nothing speaks against the exercise; one that asks first needs answers."""
        return not exercise.asks or (self.yes is not None and not self.yes & set(exercise.asks))

    def withheld(self, exercises: Sequence[Exercise]) -> list[tuple[Exercise, str]]:
        """Return the exercises that are left out, and why."""
        return [(each, self._reason(each)) for each in exercises if not self.allows(each)]

    def _reason(self, exercise: Exercise) -> str:
        if self.yes is None:
            return "it asks first, and nobody could answer: run it in a terminal, or give --cleared"
        said = " ".join(QUESTIONS[key] for key in exercise.asks if key in self.yes)
        return f"you answered yes to: {said}"


def load_answers(folder: Path) -> Clearance:
    """Return the answers kept in a folder; a damaged file counts as none."""
    try:
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        yes = frozenset(str(key) for key in values["yes"])
    except FileNotFoundError:
        return Clearance(None)
    except (OSError, ValueError, KeyError, TypeError):
        return Clearance(None)
    return Clearance(yes & set(QUESTIONS))


def keep_answers(folder: Path, clearance: Clearance) -> None:
    """Keep the answers; AppError when the disk refuses."""
    try:
        with whole_file(private_folder(folder) / FILE, is_private=True) as file:
            file.write(json.dumps({"yes": sorted(clearance.yes or ())}).encode())
    except OSError as error:
        raise AppError(f"{folder / FILE}: the answers cannot be kept ({error.strerror})") from error


def ask(answer: Callable[[str], bool]) -> Clearance:
    """Ask all questions; `answer` puts one and returns whether it was a yes."""
    return Clearance(frozenset(key for key, question in QUESTIONS.items() if answer(question)))


def parse_answers(answers: Mapping[str, bool]) -> Clearance:
    """Return answers that are known otherwise."""
    return Clearance(frozenset(key for key, is_yes in answers.items() if is_yes))
