"""Text made safe for a file's name and a terminal, and commands in it made such that they can be typed."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

_commands: set[str] = set()


def safe_name(text: str) -> str:
    """Return a device name as a file name: letters, digits, dot, dash and underscore, at most 60 of them."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:60] or "device"


def printable(text: str, limit: int = 80) -> str:
    """Return text of foreign origin without control or direction characters, fit for a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def counted(n: int, one: str, several: str = "") -> str:
    """Return "1 day" or "2 days"; several is for words that take no s."""
    return f"{n} {one if n == 1 else several or one + 's'}"


def know_commands(names: Iterable[str]) -> None:
    """Tell which words after "tiltwise" are commands; the command line does, once."""
    _commands.update(names)


def as_typed(text: str) -> str:
    """Return a message whose commands work as they stand, also where `tiltwise` and `pip` are not on the path.

    In a checkout after `make demo` that is .venv/bin/tiltwise, elsewhere the Python that runs.
    """
    if not _commands or shutil.which("tiltwise"):
        return text
    script = Path(sys.executable).with_name("tiltwise")
    here = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    program = str(here) if script.is_file() else f"{sys.executable} -m tiltwise"
    names = "|".join(sorted(_commands))
    text = re.sub(rf"(?<![\w/.\\-])tiltwise (?=(?:{names}|--help)\b)", lambda _: f"{program} ", text)
    return re.sub(
        r"(?<![\w-] )\bpip install (?=[\w.\"'])", lambda _: f"{sys.executable} -m pip install ", text
    )
