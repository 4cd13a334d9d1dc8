"""What `tiltwise setup` will do, step by step: a list that can be shown without touching anything.

Each step looks at the board, not at notes of an earlier run, and does only what is missing, so the same command
continues a run that was interrupted.
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
    """The steps, in the order in which they are done."""

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


_ANY_PORT = "the one with a known board maker; if there are several, you choose with --port"
_NEW_KEY = "give the board a new random 32-byte key"
_KEEP_KEY = "keep the board's key if this computer has it, else give it a new random one of 32 bytes"


def plan(options: Options) -> list[Step]:
    """Return the steps; SetupError when the options cannot work."""
    settings = setting_values(options)
    if options.board is not None and options.board not in board_names():
        raise SetupError(f"--board {options.board}: expected one of {', '.join(board_names())}")
    is_flashing = options.micropython is not None
    will = {
        Do.TOOLS: f"look for mpremote{', mpy-cross and esptool' if is_flashing else ' and mpy-cross'}",
        Do.PORT: f"find the serial port: {options.port or _ANY_PORT}",
        Do.MICROPYTHON: _flashing(options.micropython) if options.micropython is not None else "",
        Do.BOARD: "ask the board for its MicroPython version, platform and architecture",
        Do.STOP: "take main.py away and restart, so that nothing runs; a foreign main.py is kept renamed",
        Do.COMPILE: "compile the firmware for that architecture with mpy-cross (main.py stays source)",
        Do.COMPARE: "compare SHA-256 of every file on the board, delete files of older versions",
        Do.COPY: "copy the files that differ into /lib/firmware and /lib/tiltwise",
        Do.CHECK: f"compare all hashes again, load the firmware once, {_profile(options.board)}",
        Do.IMU: "ask which IMU answers; only if it is a BMI270: copy its maker's configuration "
        f"({where_from(options.imu_file)})",
        Do.START: "copy main.py, restart, wait for the firmware to answer over the cable",
        Do.KEY: f"{_NEW_KEY if options.new_key else _KEEP_KEY}; it is kept in the system's keyring or in a file "
        "that only you can read",
        Do.NAME: f"set {', '.join(f'{key} {value}' for key, value in settings.items())}" if settings else "",
        Do.STREAM: "stream for three seconds: sample rate, gravity, tags",
    }
    return [Step(do, will[do]) for do in Do if will[do]]  # empty: nothing to do


def _flashing(path: Path) -> str:
    image = read_image(path)
    return f"if no MicroPython answers: erase the {image.chip}, write {image.path.name} with esptool"


def _profile(board: str | None) -> str:
    return f"as a {board}" if board else "with the profile that fits the board"


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


def checked_setting(key: str, text: str) -> int | str:
    """Return a setting of a board from its text; ValueError says what the board would take."""
    settings = _board_settings()
    try:
        value: int | str = text if settings.is_text(key) else int(text)
    except ValueError:
        raise ValueError(f"{key} is {text!r}, expected a whole number") from None
    settings.check(key, value)
    return value


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
