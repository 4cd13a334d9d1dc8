"""`tiltwise setup`: shows the steps of a new board, or does them and prints each as it is done."""

from __future__ import annotations

from pathlib import Path

from tiltwise import console
from tiltwise.setup import wizard
from tiltwise.setup.image import write_image
from tiltwise.setup.tools import Tools
from tiltwise.text import as_typed


def run_image(folder: Path) -> None:
    """Write what an image with the firmware in it is built from; SetupError says in a line what is missing."""
    print(write_image(folder, Tools()))


def run_setup(options: wizard.Options, *, is_dry: bool) -> None:
    """Set a board up; is_dry shows the steps and touches nothing. SetupError says in a line what is missing."""
    if is_dry:
        print(wizard.as_text(wizard.plan(options)))
        return
    for step in wizard.run(options):
        line = f"{step.number:>2}/{step.of} {step.do:<11} {step.said}"
        where = console.out if step.is_done else console.err
        where.print(line, highlight=False, markup=False, soft_wrap=True)
    print(as_typed("ready: unplug it, clip it on, then `tiltwise watch ble:`"))
