"""A desktop is where a notification service answers on the session bus: tried on a real bus of our own."""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from desktop_notifier import Button

from tiltwise.live.desktop import Desktop, DesktopAction, bus_address, desktop_trouble

needs_bus = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"
)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus at XDG_RUNTIME_DIR/bus, as a user service finds it: neither DISPLAY nor an address is set."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    address = f"unix:path={tmp_path / 'bus'}"
    config = tmp_path / "bus.conf"
    config.write_text(
        f"<busconfig><type>session</type><listen>{address}</listen><policy context='default'>"
        "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/>"
        "</policy></busconfig>",
        encoding="utf-8",
    )
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        yield address
        daemon.terminate()


@needs_bus
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # desktop-notifier closes no socket
def test_a_user_service_without_display_shows_its_alerts(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bus_address() == bus
    assert "no notification service" in Desktop().trouble
    shown = tmp_path / "shown"
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    command = [sys.executable, str(Path(__file__).with_name("notification_service.py")), str(shown)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
        desktop = Desktop()
        assert desktop.trouble == ""

        async def show() -> list[bool]:
            shown = [await desktop.show("Time to move", f"Looking down, {k}.") for k in range(3)]
            connection = desktop._notifier._backend.bus  # type: ignore[union-attr]
            connection.disconnect()
            await connection.wait_for_disconnect()
            return shown

        assert asyncio.run(show()) == [True] * 3
        service.terminate()
    lines = shown.read_text(encoding="utf-8").splitlines()
    assert lines == [f"tiltwise|Time to move|Looking down, {k}." for k in range(3)]


@pytest.mark.skipif(sys.platform != "linux", reason="the session bus is Linux's")
def test_without_a_bus_there_is_no_desktop_whatever_display_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    assert Desktop().trouble == "no desktop here: alerts are shown in this terminal only"


@pytest.mark.skipif(sys.platform != "linux", reason="the session bus is Linux's")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # nor dbus-fast one that fails
def test_a_bus_that_hangs_or_is_gone_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bus"
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")
    assert "does not answer" in desktop_trouble(0.2)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        assert "does not answer: TimeoutError" in desktop_trouble(0.2)
    gc.collect()  # dbus-fast leaves the socket that failed to that
    assert "off in the settings" in Desktop(wanted=False).trouble


def test_a_pressed_button_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed: list[DesktopAction] = []

    class Notifier:
        async def send(self, *, title: str, message: str, buttons: Sequence[Button]) -> None:
            assert (title, message) == ("Time to move", "Looking down.")
            for button in buttons:
                assert button.on_pressed is not None
                button.on_pressed()

    async def act(action: DesktopAction) -> None:
        pressed.append(action)

    async def show(desktop: Desktop) -> None:
        assert await desktop.show("Time to move", "Looking down.")
        await asyncio.gather(*desktop._pressed)

    desktop = Desktop(wanted=False)
    desktop.trouble = ""
    monkeypatch.setattr(desktop, "_notifier", Notifier())
    asyncio.run(show(desktop))
    assert pressed == [], "nobody listens: no buttons"
    desktop.on_action = act
    asyncio.run(show(desktop))
    assert pressed == list(DesktopAction)
