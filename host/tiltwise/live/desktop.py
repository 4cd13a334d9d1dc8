"""Desktop notifications through desktop-notifier; silent where nobody shows them, after saying so once.

On Linux a desktop is where a notification service answers on the session bus. DISPLAY says nothing: a user service
has none and can notify all the same, and a bare window manager has one and nobody to ask.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tiltwise.live.wearer.desk_state import DeskState

if TYPE_CHECKING:
    from desktop_notifier import Button, DesktopNotifier

_SEND_LIMIT_S = 2.0  # a hanging notification service must not hold up the stream
_ASK_LIMIT_S = 2.0
_ADDRESS = "DBUS_SESSION_BUS_ADDRESS"
_SERVICE = "org.freedesktop.Notifications"
_NO_DESKTOP = "no desktop here: alerts are shown in this terminal only"


def bus_address() -> str | None:
    """Return the address of the session bus: of the environment, or where systemd puts it for a user service."""
    if address := os.environ.get(_ADDRESS):
        return address
    if not hasattr(os, "getuid"):
        return None
    path = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
    return f"unix:path={path}" if path.exists() else None


def desktop_trouble(limit_s: float = _ASK_LIMIT_S) -> str:
    """Return in one line why there is no desktop to show a notification on, or nothing; not inside an event loop."""
    if sys.platform != "linux":
        return ""
    address = bus_address()
    if address is None:
        return _NO_DESKTOP
    try:
        has_service = asyncio.run(asyncio.wait_for(_has_service(address), limit_s))
    except Exception as error:  # noqa: BLE001 - a bus fails in many ways, and each means the same to the wearer
        return f"{_NO_DESKTOP} (the session bus does not answer: {type(error).__name__})"
    return "" if has_service else f"{_NO_DESKTOP} (no notification service on the session bus)"


async def _has_service(address: str) -> bool:
    """Tell whether somebody shows notifications, or would be started to."""
    from dbus_fast import Message
    from dbus_fast.aio.message_bus import MessageBus

    bus = await MessageBus(bus_address=address).connect()
    try:
        for member in ("ListNames", "ListActivatableNames"):
            reply = await bus.call(
                Message(
                    destination="org.freedesktop.DBus",
                    path="/org/freedesktop/DBus",
                    interface="org.freedesktop.DBus",
                    member=member,
                )
            )
            if reply is not None and reply.body and _SERVICE in reply.body[0]:
                return True
        return False
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


class DesktopAction(Enum):
    """What a message can be answered with, where the desktop shows buttons (most of Linux, macOS; not everywhere)."""

    SNOOZE = "Snooze 30 min"
    MOVED = "I moved"
    RECALIBRATE = "Recalibrate"


class Desktop:
    """Sends notices to the desktop. `trouble` says in one line why it cannot, or is empty.

    `on_action` is awaited when a button of a message is pressed; without it messages have none.
    """

    def __init__(self, *, wanted: bool = True, state: DeskState | None = None) -> None:
        self.state = state or DeskState(wanted=False)
        self.on_action: Callable[[DesktopAction], Awaitable[None]] | None = None
        self._pressed: set[asyncio.Future[None]] = set()
        self._notifier: DesktopNotifier | None = None
        self.trouble = desktop_trouble() if wanted else "desktop notifications are off in the settings"

    async def show(self, title: str, text: str) -> bool:
        """Show one notification; return False (and set `trouble`) when it could not be shown."""
        if self.trouble:
            return False
        try:
            if self._notifier is None:
                from desktop_notifier import DesktopNotifier

                if sys.platform == "linux" and (address := bus_address()):
                    os.environ.setdefault(_ADDRESS, address)  # where desktop-notifier looks
                self._notifier = DesktopNotifier(app_name="tiltwise")
            sent = self._notifier.send(title=title, message=text, buttons=self._buttons())
            await asyncio.wait_for(sent, _SEND_LIMIT_S)
        except Exception as error:  # noqa: BLE001 - the desktop's services fail in many ways, none may stop the day
            self.trouble = f"desktop notifications do not work here ({type(error).__name__}: {error})"
            return False
        return True

    def _buttons(self) -> list[Button]:
        from desktop_notifier import Button

        if self.on_action is None:
            return []
        return [
            Button(title=action.value, on_pressed=partial(self._press, action)) for action in DesktopAction
        ]

    def _press(self, action: DesktopAction) -> None:
        """Called by the notification service's library, in the event loop."""
        if self.on_action is not None:
            task = asyncio.ensure_future(self.on_action(action))
            self._pressed.add(task)
            task.add_done_callback(self._pressed.discard)
