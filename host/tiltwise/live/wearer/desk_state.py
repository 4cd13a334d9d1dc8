"""What on this computer must not be disturbed: a microphone or camera in use, a locked screen, do-not-disturb.

Linux tells it: capture streams and open cameras by /proc, the lock by logind, do-not-disturb by the notification
service (KDE and others) or GNOME's settings. On macOS and Windows nobody is asked; `tiltwise doctor` says so. Where
something cannot be found out, it counts as not in use: an alert too many is better than a silence nobody explains.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

LOOK_EVERY_S = 10.0
_ASK_LIMIT_S = 2.0
MICROPHONE, CAMERA = "the microphone is in use", "the camera is in use"
LOCKED, DO_NOT_DISTURB = "the screen is locked", "do not disturb is on"
# Command, what it prints when it is so, and what that means.
_QUESTIONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("loginctl", "show-session", "auto", "--property=LockedHint", "--value"), "yes", LOCKED),
    (("gsettings", "get", "org.gnome.desktop.notifications", "show-banners"), "false", DO_NOT_DISTURB),
    (
        ("busctl", "--user", "get-property", "org.freedesktop.Notifications", "/org/freedesktop/Notifications",
         "org.freedesktop.Notifications", "Inhibited"),
        "b true",
        DO_NOT_DISTURB,
    ),
)  # fmt: skip


def what_tells() -> str:
    """Return in a line what is looked at on this computer."""
    if sys.platform != "linux":
        return (
            "microphone, camera, screen lock, presenting and do-not-disturb are not looked at on this system"
        )
    tools = sorted({command[0] for command, _, _ in _QUESTIONS if shutil.which(command[0])})
    asked = f"; {', '.join(tools)} for lock and do-not-disturb" if tools else "; no tool for the screen lock"
    return f"microphone and camera by /proc{asked}; presenting only where that sets do-not-disturb"


def devices_in_use(proc: Path = Path("/proc")) -> str:
    """Return MICROPHONE, CAMERA or "", from the files that the kernel shows."""
    for status in proc.glob("asound/card*/pcm*c/sub*/status"):
        with contextlib.suppress(OSError):
            if "RUNNING" in status.read_text(encoding="ascii", errors="replace"):
                return MICROPHONE
    for descriptor in proc.glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # of other people's processes, or gone meanwhile
            if str(descriptor.readlink()).startswith("/dev/video"):
                return CAMERA
    return ""


async def _says(command: Sequence[str], sign: str) -> bool:
    """Tell whether a command prints the sign."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), _ASK_LIMIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return said.decode(errors="replace").strip() == sign


class DeskState:
    """Looks every LOOK_EVERY_S; `reason` says what must not be disturbed now, or ""."""

    def __init__(self, *, wanted: bool = True) -> None:
        self._wanted = wanted and sys.platform == "linux"
        self._questions = [each for each in _QUESTIONS if shutil.which(each[0][0])]
        self.reason = ""

    async def follow(self) -> None:
        """Look for ever; nothing to do where nobody wants or can tell it."""
        while self._wanted:
            self.reason = await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> str:
        """Return what must not be disturbed now, or ""."""
        if found := await asyncio.to_thread(devices_in_use):
            return found
        for command, sign, meaning in self._questions:
            if await _says(command, sign):
                return meaning
        return ""
