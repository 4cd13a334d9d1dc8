"""What `tiltwise setup` will do, step by step: a list that can be shown without touching anything.

Each step looks at the board, not at notes of an earlier run, and does only what is missing; so a run that was cut
off is continued by the same command.
"""

from __future__ import annotations

import importlib
import textwrap
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

from tiltwise.firmware_build.locate import PACKAGE, firmware_dir, load_firmware
from tiltwise.setup.bmi270_config import where_from
from tiltwise.setup.flash import read_image
from tiltwise.setup.setup_errors import SetupError


class Do(StrEnum):
    """The steps."""

    TOOLS = "tools"
    PORT = "port"
    MICROPYTHON = "micropython"
    BOARD = "board"
    STOP = "stop"
    COMPILE = "compile"
    COMPARE = "compare"
    COPY = "copy"
    CHECK = "check"
    IMU = "imu"
    START = "start"
    KEY = "key"
    NAME = "name"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for. Empty port: find it; None: leave what the board has.

    `board` is a profile of firmware/boards/, for a board whose own name is not known; `imu_file` holds Bosch's
    configuration for a BMI270.
    """

    port: str = ""
    name: str | None = None
    board: str | None = None
    mount: str | None = None
    micropython: Path | None = None
    imu_file: Path | None = None
    new_key: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step, in words for the person at the desk."""

    do: Do
    will: str


def plan(options: Options) -> list[Step]:
    """Return the steps; SetupError when the options cannot work."""
    settings = setting_values(options)
    if options.board is not None and options.board not in board_names():
        raise SetupError(f"--board {options.board}: expected one of {', '.join(board_names())}")
    profile = f"as a {options.board}" if options.board else "with the profile that fits the board"
    port = options.port or "the one with a known board maker; if there are several, you choose with --port"
    key = "give the board a new random 32-byte key" if options.new_key else (
        "keep the board's key if this computer has it, else give it a new random one of 32 bytes"
    )  # fmt: skip
    steps = [
        Step(
            Do.TOOLS,
            f"look for {'mpremote, mpy-cross and esptool' if options.micropython else 'mpremote and mpy-cross'}",
        ),
        Step(Do.PORT, f"find the serial port: {port}"),
        Step(Do.BOARD, "ask the board for its MicroPython version, platform and architecture"),
        Step(
            Do.STOP, "take main.py away and restart, so that nothing runs; a foreign main.py is kept renamed"
        ),
        Step(Do.COMPILE, "compile the firmware for that architecture with mpy-cross (main.py stays source)"),
        Step(Do.COMPARE, "compare SHA-256 of every file on the board, delete files of older versions"),
        Step(Do.COPY, "copy the files that differ into /lib/firmware and /lib/tiltwise"),
        Step(Do.CHECK, f"compare all hashes again, load the firmware once, {profile}"),
        Step(
            Do.IMU,
            "ask which IMU answers; only if it is a BMI270: copy its maker's configuration "
            f"({where_from(options.imu_file)})",
        ),
        Step(Do.START, "copy main.py, restart, wait for the firmware to answer over the cable"),
        Step(Do.KEY, f"{key}; it is kept in the system's keyring or in a file that only you can read"),
        Step(Do.STREAM, "stream for three seconds: sample rate, gravity, tags"),
    ]
    if options.micropython is not None:
        image = read_image(options.micropython)
        will = f"if no MicroPython answers: erase the {image.chip}, write {image.path.name} with esptool"
        steps.insert(2, Step(Do.MICROPYTHON, will))
    if settings:
        said = ", ".join(f"{key} {value}" for key, value in settings.items())
        steps.insert(-1, Step(Do.NAME, f"set {said}"))
    return steps


def setting_values(options: Options) -> dict[str, str]:
    """Return the settings to set, checked by the board's own rules."""
    wanted = {"name": options.name, "mount": options.mount}
    values = {key: value for key, value in wanted.items() if value is not None}
    for key, value in values.items():
        try:
            _board_settings().check(key, value)
        except ValueError as error:
            raise SetupError(f"--{error}") from None
    return values


def board_names() -> list[str]:
    """Return the board profiles of this firmware: the files of boards/ that name a model."""
    files = (firmware_dir() / "boards").glob("*.py")
    return sorted(path.stem for path in files if "\nMODEL = " in path.read_text(encoding="utf-8"))


def setting_index(key: str) -> int:
    """Return the number of a setting on the wire."""
    return int(_board_settings().KEYS.index(key))


def as_text(steps: list[Step], width: int = 80) -> str:
    """Return the plan as numbered lines of at most `width` characters."""
    wide = max(len(step.do) for step in steps)
    lines = []
    for number, step in enumerate(steps, start=1):
        head = f"{number:>2}  {step.do:<{wide}}  "
        lines += textwrap.wrap(
            step.will, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
        )
    return "\n".join(lines)


def _board_settings() -> ModuleType:
    load_firmware()
    return importlib.import_module(f"{PACKAGE}.storage.board_settings")
