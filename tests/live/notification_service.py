"""A notification service on the session bus that writes what it is asked to show to a file; run by the tests."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from dbus_fast.aio.message_bus import MessageBus
from dbus_fast.service import ServiceInterface, method


class Notifications(ServiceInterface):
    """org.freedesktop.Notifications, as far as desktop-notifier asks for it."""

    def __init__(self, path: Path) -> None:
        super().__init__("org.freedesktop.Notifications")
        self._path, self._count = path, 0

    @method()
    def Notify(  # noqa: N802 - the interface's own names
        self,
        app_name: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
        replaces_id: "u",  # type: ignore[name-defined]  # noqa: F821, UP037, ARG002
        app_icon: "s",  # type: ignore[name-defined]  # noqa: F821, UP037, ARG002
        summary: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
        body: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
        actions: "as",  # type: ignore[name-defined]  # noqa: F722, ARG002
        hints: "a{sv}",  # type: ignore[name-defined]  # noqa: F722, ARG002
        expire_timeout: "i",  # type: ignore[name-defined]  # noqa: F821, UP037, ARG002
    ) -> "u":  # type: ignore[name-defined]  # noqa: F821, UP037
        """Write it down."""
        self._count += 1
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{app_name}|{summary}|{body}\n")
        return self._count

    @method()
    def GetCapabilities(self) -> "as":  # type: ignore[name-defined, valid-type]  # noqa: N802, F722
        """Return what this service can do."""
        return ["body"]

    @method()
    def GetServerInformation(self) -> ssss:  # type: ignore[name-defined]  # noqa: N802, F821
        """Return name, vendor, version and version of the specification."""
        return ["notification_service", "tiltwise", "1", "1.2"]


async def _serve(path: Path) -> None:
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/Notifications", Notifications(path))
    await bus.request_name("org.freedesktop.Notifications")
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
