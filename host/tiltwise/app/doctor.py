"""`tiltwise doctor`: what works here and what does not, each with what to do about it.

Every line is tried, not guessed.
"""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tiltwise.config.settings import SettingsError, load_settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.firmware_build.locate import firmware_dir
from tiltwise.link import ble, serial
from tiltwise.live.desktop import Desktop
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store, StoreError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `is_needed` makes a failure count for the exit code."""

    what: str
    is_ok: bool
    said: str
    is_needed: bool = True


def findings(settings_path: Path, folder: Path, *, radio_s: float = 2.0) -> Iterator[Finding]:
    """Yield one finding after the other."""
    yield Finding(
        "tiltwise",
        True,
        f"{metadata.version('tiltwise')} on Python {platform.python_version()}, {sys.platform}",
    )
    yield _packages()
    yield _settings(settings_path)
    yield _store(folder)
    yield Finding("time zone", True, local_zone_name())
    yield _simulator()
    yield _firmware()
    yield _desktop()
    yield _ports()
    yield _radio(radio_s)


def _packages() -> Finding:
    names = ("numpy", "scipy", "vqf", "matplotlib", "bleak", "pyserial")
    return Finding("packages", True, ", ".join(f"{name} {metadata.version(name)}" for name in names))


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
            said = "; ".join(recovery.message for recovery in store.recoveries)
        return Finding("store", True, f"{folder} can be written{'; ' + said if said else ''}")
    except StoreError as error:
        return Finding("store", False, str(error))


def _simulator() -> Finding:
    try:
        frames = sum(1 for _ in Simulation("upright", minutes=0.5).step(2.0))
    except (OSError, ValueError, ImportError) as error:
        return Finding(
            "firmware on the simulated board", False, f"{type(error).__name__}: {error}; reinstall tiltwise"
        )
    return Finding("firmware on the simulated board", frames > 0, f"{frames} frames in 2 virtual seconds")


def _firmware() -> Finding:
    folder = firmware_dir()
    return Finding(
        "firmware files",
        folder.is_dir(),
        f"{folder}" if folder.is_dir() else f"{folder} is missing: reinstall",
    )


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
    return Finding("Bluetooth", True, f"works; {len(found)} tiltwise boards near", is_needed=False)
