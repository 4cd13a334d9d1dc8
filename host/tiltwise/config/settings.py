"""Settings a person may change, read from a TOML file with every value checked.

An unknown key or a value out of range is an error with the line's key, what was expected and what came; a missing
file means the defaults.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

from tiltwise.detect.posture import RuleSettings
from tiltwise.motion.calibration.case_axes import FACES
from tiltwise.types import Mount


class SettingsError(ValueError):
    """The settings file, or a value given for it, cannot be used."""


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """Beyond angle_deg for seconds is worth a word; left again below exit_deg for recovery_s."""

    angle_deg: float = 20.0  # RULA's and Ariens' 20 deg; the seconds are our own choice
    seconds: float = 60.0
    hysteresis_deg: float = 5.0
    recovery_s: float = 3.0


@dataclass(frozen=True, slots=True)
class AlertSetting:
    """When and where the wearer is told."""

    desktop: bool = True
    console: bool = True
    min_gap_s: float = 120.0  # no second alert within this time
    quiet_from: str = ""  # "HH:MM" local time; both empty means never quiet
    quiet_to: str = ""


@dataclass(frozen=True, slots=True)
class WearSetting:
    """How the sensor is worn unless the calibration profile says otherwise."""

    mount: str = Mount.NECK.value
    face: str = "auto"  # sensor axis away from the skin ("+z"), "auto" for what our boards have, or "off"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything in settings.toml."""

    rule: RuleSetting = field(default_factory=RuleSetting)
    alerts: AlertSetting = field(default_factory=AlertSetting)
    wear: WearSetting = field(default_factory=WearSetting)


_LIMITS = {  # (least, most) of the numbers, in the unit of the name
    "angle_deg": (1.0, 90.0),
    "seconds": (1.0, 3600.0),
    "hysteresis_deg": (0.0, 30.0),
    "recovery_s": (0.0, 60.0),
    "min_gap_s": (0.0, 86400.0),
}
_Section = TypeVar("_Section", RuleSetting, AlertSetting, WearSetting)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def parse_rule(text: str) -> RuleSetting:
    """Read `DEG:SECONDS`, for instance `30:30`."""
    parts = text.split(":")
    try:
        angle_deg, seconds = (float(part) for part in parts)
    except ValueError:
        raise SettingsError(f"rule {text!r}: expected DEGREES:SECONDS, for instance 30:30") from None
    rule = replace(RuleSetting(), angle_deg=angle_deg, seconds=seconds)
    check_numbers("rule", rule)
    return rule


def parse_mount(text: str) -> Mount:
    """Read a mount's name."""
    try:
        return Mount(text)
    except ValueError:
        names = ", ".join(mount.value for mount in Mount)
        raise SettingsError(f"mount {text!r}: expected one of {names}") from None


def parse_face(text: str) -> str:
    """Read which sensor axis points away from the skin."""
    if text not in ("auto", "off", *FACES):
        raise SettingsError(f"face {text!r}: expected auto, off or one of {', '.join(FACES)}")
    return text


def load_settings(path: Path) -> Settings:
    """Read the settings file; a missing file gives the defaults."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); mend or remove it") from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    return _settings_from(tables, str(path))


def _settings_from(tables: dict[str, object], where: str) -> Settings:
    kinds = {"rule": RuleSetting, "alerts": AlertSetting, "wear": WearSetting}
    parts: dict[str, object] = {}
    for name, table in tables.items():
        if name not in kinds or not isinstance(table, dict):
            raise SettingsError(f"{where}: unknown section [{name}]; there are {', '.join(kinds)}")
        parts[name] = _section(kinds[name](), table, f"{where}: {name}")
    settings = replace(Settings(), **parts)  # type: ignore[arg-type]
    parse_mount(settings.wear.mount)
    parse_face(settings.wear.face)
    for clock in (settings.alerts.quiet_from, settings.alerts.quiet_to):
        if clock and not _CLOCK.fullmatch(clock):
            raise SettingsError(f"{where}: quiet hours {clock!r}: expected HH:MM, for instance 22:00")
    return settings


def _section(default: _Section, table: dict[str, object], where: str) -> _Section:
    known = {f.name: getattr(default, f.name) for f in fields(default)}
    for key, value in table.items():
        if key not in known:
            raise SettingsError(f"{where}.{key}: unknown setting; there are {', '.join(known)}")
        expected = type(known[key])
        if expected is float and type(value) is int:
            table = {**table, key: float(value)}
        elif type(value) is not expected:
            raise SettingsError(f"{where}.{key}: expected a {expected.__name__}, came {value!r}")
    section = replace(default, **table)  # type: ignore[arg-type]
    check_numbers(where, section)
    return section


def check_numbers(where: str, section: RuleSetting | AlertSetting | WearSetting) -> None:
    """Raise SettingsError for a number out of its limits."""
    for name, (least, most) in _LIMITS.items():
        value = getattr(section, name, least)
        if not least <= value <= most:
            raise SettingsError(f"{where}.{name}: expected {least:g} to {most:g}, came {value:g}")


def rule_settings(rule: RuleSetting) -> RuleSettings:
    """Return the detector's rule of a setting."""
    exit_deg = max(0.0, rule.angle_deg - rule.hysteresis_deg)
    return RuleSettings(rule.angle_deg, exit_deg, rule.seconds, rule.recovery_s)
