"""Single keys typed into the terminal of a running program, read without waiting."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import TextIO


class TerminalKeys:
    """Keys of a terminal that hands them over at once; `read` never waits."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> str:
        """Return the keys typed since the last call."""
        typed = b""
        while select.select([self._descriptor], [], [], 0)[0]:
            key = os.read(self._descriptor, 64)
            if not key:
                break
            typed += key
        return typed.decode(errors="replace")


@contextlib.contextmanager
def terminal_keys(stream: TextIO | None = None) -> Iterator[TerminalKeys | None]:
    """Hand over keys at once, without Enter; None where the input is no terminal, or not of a POSIX system."""
    stream = stream or sys.stdin
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield None
        return
    if stream is None or not stream.isatty():
        yield None
        return
    before = termios.tcgetattr(stream.fileno())
    tty.setcbreak(stream.fileno(), termios.TCSANOW)
    try:
        yield TerminalKeys(stream.fileno())
    finally:
        termios.tcsetattr(stream.fileno(), termios.TCSADRAIN, before)
