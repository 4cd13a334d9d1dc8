"""`tiltwise doctor`: what works here and what does not, each tried, and with what to do about it."""

from __future__ import annotations

import asyncio
import platform
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tiltwise.config.settings import SettingsError, load_settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.errors import reason_of
from tiltwise.firmware_build.locate import firmware_dir
from tiltwise.link import ble, serial
from tiltwise.live.desktop import Desktop
from tiltwise.live.wearer.desk_state import what_tells
from tiltwise.setup.setup_errors import SetupError
from tiltwise.setup.tools import Tools
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store, StoreError
from tiltwise.text import counted
from tiltwise.version import __version__

_NAME = re.compile(r"[\w.-]+")  # of a package, at the start of a requirement


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `is_needed` makes a failure count for the exit code."""

    what: str
    is_ok: bool
    said: str
    is_needed: bool = True


def findings(settings_path: Path, folder: Path, *, radio_s: float = 2.0) -> Iterator[Finding]:
    """Yield one finding after the other."""
    yield _packages()
    yield _settings(settings_path)
    yield _store(folder)
    yield _time_zone()
    yield _simulator()
    yield _firmware()
    yield _setup_programs()
    yield _desktop()
    yield Finding("silent while in use", sys.platform == "linux", what_tells(), is_needed=False)
    yield _ports()
    yield _radio(radio_s)


def _packages() -> Finding:
    """Look for every package that tiltwise needs, as its own installation names them."""
    running = f"tiltwise {__version__} on Python {platform.python_version()}, {sys.platform}"
    try:
        wanted = metadata.requires("tiltwise") or []
    except metadata.PackageNotFoundError:
        return Finding("packages", False, f"{running}, is not installed: run pip install . in its checkout")
    names = [_NAME.match(line)[0] for line in wanted if ";" not in line]  # type: ignore[index]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        return Finding(
            "packages", False, f"{running}, lacks {', '.join(missing)}: pip install {' '.join(missing)}"
        )
    return Finding("packages", True, f"{running}, with all of the {len(names)} packages that it needs")


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _setup_programs() -> Finding:
    what = "programs of tiltwise setup"
    try:
        return Finding(what, True, Tools().require(flashing=True), is_needed=False)
    except SetupError as error:
        return Finding(what, False, f"{error} (only to set up a board)", is_needed=False)


def _time_zone() -> Finding:
    """Days are local: without a named zone they begin at midnight UTC."""
    name = local_zone_name()
    is_guess = name == "UTC" and time.localtime().tm_gmtoff != 0
    said = "the system's time zone has no known name: days begin at midnight UTC; set TZ, as in Europe/Berlin"
    return Finding("time zone", not is_guess, said if is_guess else name, is_needed=False)


def _settings(path: Path) -> Finding:
    try:
        load_settings(path)
    except SettingsError as error:
        return Finding("settings", False, str(error))
    return Finding("settings", True, str(path) if path.exists() else f"defaults (no {path})")


def _store(folder: Path) -> Finding:
    try:
        with Store(folder) as store:
            store.commit()
            said = "; ".join(store.reports)
        return Finding("store", True, f"{folder} can be written{'; ' + said if said else ''}")
    except StoreError as error:
        return Finding("store", False, str(error))


def _simulator() -> Finding:
    try:
        frames = sum(1 for _ in Simulation("upright", minutes=0.5).step(2.0))
    except (OSError, ValueError, ImportError) as error:
        return Finding(
            "firmware on the simulated board",
            False,
            f"{type(error).__name__}: {reason_of(error)}; reinstall tiltwise",
        )
    return Finding("firmware on the simulated board", frames > 0, f"{frames} frames in 2 virtual seconds")


def _firmware() -> Finding:
    try:
        return Finding("firmware files", True, str(firmware_dir()))
    except FileNotFoundError as error:
        return Finding("firmware files", False, str(error))


def _desktop() -> Finding:
    desktop = Desktop()
    return Finding(
        "desktop notifications", not desktop.trouble, desktop.trouble or "a desktop is there", is_needed=False
    )


def _ports() -> Finding:
    found = serial.ports()
    said = ", ".join(f"{port.path} ({port.maker or 'unknown maker'})" for port in found)
    return Finding(
        "USB serial", bool(found), said or "no USB serial port: no board is plugged in", is_needed=False
    )


def _radio(seconds: float) -> Finding:
    try:
        found = asyncio.run(ble.discover(seconds))
    except ble.BluetoothError as error:
        return Finding("Bluetooth", False, str(error), is_needed=False)
    return Finding("Bluetooth", True, f"works; {counted(len(found), 'board')} near", is_needed=False)
