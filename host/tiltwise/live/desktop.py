"""Desktop notifications through desktop-notifier; silent where there is no desktop, after saying so once."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

_SEND_LIMIT_S = 2.0  # a hanging notification service must not hold up the stream


def has_desktop() -> bool:
    """Tell whether there is a desktop to show a notification on."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and bool(
        os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    )


class Desktop:
    """Sends notices to the desktop. `trouble` says in one line why it cannot, or is empty."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.trouble = ""
        self._notifier: DesktopNotifier | None = None
        if not wanted:
            self.trouble = "desktop notifications are off in the settings"
        elif not has_desktop():
            self.trouble = "no desktop here: alerts are shown in this terminal only"

    async def show(self, title: str, text: str) -> bool:
        """Show one notification; return False (and set `trouble`) when it could not be shown."""
        if self.trouble:
            return False
        try:
            if self._notifier is None:
                from desktop_notifier import DesktopNotifier

                self._notifier = DesktopNotifier(app_name="tiltwise")
            await asyncio.wait_for(self._notifier.send(title=title, message=text), _SEND_LIMIT_S)
        except Exception as error:  # noqa: BLE001 - the desktop's services fail in many ways, none may stop the day
            self.trouble = f"desktop notifications do not work here ({type(error).__name__}: {error})"
            return False
        return True
