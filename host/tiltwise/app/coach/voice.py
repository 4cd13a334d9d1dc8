"""What the coach says aloud, with the system's own voice or espeak-ng; and the terminal's bell as its tone.

One sentence at a time: while one is spoken only the newest waits, for an instruction that comes late is worse than
none.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence

PROGRAMS: tuple[tuple[str, ...], ...] = (
    ("say",),  # macOS
    ("spd-say", "--wait"),  # Linux desktops
    ("espeak-ng",),
    ("espeak",),
)
MISSING = (
    "nothing here can speak: install espeak-ng (Linux) or turn speech off with --no-speech; "
    "instructions are shown"
)


def speaking_program(which: Callable[[str], str | None] = shutil.which) -> tuple[str, ...]:
    """Return the program that can speak here, with its options; empty without one."""
    return next((command for command in PROGRAMS if which(command[0])), ())


class Voice:
    """Speaks; a program that fails is dropped, and said once.

    Parameters
    ----------
    program
        What speaks, with its options; empty: nothing is spoken.
    start
        Starts a program; tests give their own.
    """

    def __init__(
        self,
        program: Sequence[str],
        start: Callable[[list[str]], subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._program = list(program)
        self._start = start or _start
        self._speaking: subprocess.Popen[bytes] | None = None
        self._waiting = ""
        self.trouble = ""  # set when speech stopped working

    def say(self, text: str) -> None:
        """Speak now, or as the next thing."""
        self._waiting = text
        self.tend()

    def tend(self) -> None:
        """Begin with what waits, when the last sentence is over; call it now and then."""
        if not self._program:
            return
        if self._speaking is not None:
            if self._speaking.poll() is None:
                return
            if self._speaking.returncode:
                self._program, self.trouble = (
                    [],
                    f"{self._program[0]} cannot speak here; instructions are shown",
                )
                return
        self._speaking = None
        if self._waiting:
            text, self._waiting = self._waiting, ""
            try:
                self._speaking = self._start([*self._program, text])
            except OSError as error:
                self.trouble = f"{self._program[0]} cannot speak ({error.strerror}); instructions are shown"
                self._program = []

    def close(self) -> None:
        """Be silent."""
        self._waiting = ""
        if self._speaking is not None and self._speaking.poll() is None:
            self._speaking.terminate()
            self._speaking.wait()


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
