"""`tiltwise setup`: firmware, key and name onto a board over USB, until it streams.

What a step needs to know is asked of the board in the same run; nothing is remembered between runs but the keys of
this computer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiltwise.setup.plan import Do, Options, Step, as_text, plan
from tiltwise.setup.setup_errors import SetupError
from tiltwise.setup.steps import Computer, SetupRun

__all__ = ["Computer", "Options", "Progress", "SetupError", "as_text", "plan", "run"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One line to show: in which step of how many, what was found or done. `is_done` closes the step."""

    number: int
    of: int
    do: Do
    said: str
    is_done: bool


def run(options: Options, computer: Computer | None = None) -> Iterator[Progress]:
    """Set a board up, and yield what happens.

    Raises
    ------
    SetupError
        In one line: what was expected, what came, what to do. The same call continues where it stopped.
    """
    steps = plan(options)
    with tempfile.TemporaryDirectory(prefix="tiltwise-setup-") as folder:
        setup = SetupRun(options, computer or Computer(), Path(folder))
        try:
            for number, step in enumerate(steps, start=1):
                yield from _one(setup, step, number, len(steps))
        finally:
            setup.close()


def _one(setup: SetupRun, step: Step, number: int, of: int) -> Iterator[Progress]:
    """Do one step: all but its last word are progress within it."""
    said = ""
    for text in setup.steps[step.do]():
        if said:
            yield Progress(number, of, step.do, said, is_done=False)
        said = text
    yield Progress(number, of, step.do, said, is_done=True)
