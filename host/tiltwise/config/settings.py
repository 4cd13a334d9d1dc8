"""Settings a person may change, read from a TOML file with every value checked.

An unknown key or a value out of range is an error with its key, what was expected and what came; a missing file means
the defaults.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from tiltwise.common.dose import limits_of
from tiltwise.detect.movement import MovementSettings
from tiltwise.detect.posture import DoseSettings, PostureRule, RuleSettings
from tiltwise.errors import reason_of
from tiltwise.motion.calibration.case_axes import FACES
from tiltwise.stored_values import convert
from tiltwise.types import Mount

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class SettingsError(ValueError):
    """The settings file, or a value given for it, cannot be used."""


class RuleKind(StrEnum):
    """What "too long" means."""

    DOSE = "dose"  # the further bent the shorter, by ISO 11226; nothing to set but recovery_s
    SIMPLE = "simple"  # angle_deg for `seconds`


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """When a posture has lasted too long: by dose, or when the angle exceeds angle_deg for `seconds`.

    By the simple rule it ends `hysteresis_deg` below angle_deg; by either after recovery_s.
    """

    # 20 deg is RULA's and Ariens' limit; the seconds are our own choice.
    angle_deg: Annotated[float, Meta(ge=1.0, le=90.0)] = 20.0
    seconds: Annotated[float, Meta(ge=1.0, le=3600.0)] = 60.0
    hysteresis_deg: Annotated[float, Meta(ge=0.0, le=30.0)] = 5.0
    recovery_s: Annotated[float, Meta(ge=0.0, le=60.0)] = 3.0
    kind: RuleKind = RuleKind.DOSE
    # Of the simple rule: while it lasts, alert again so long after each alert; 0: once. The board alone has its own.
    repeat_s: Annotated[float, Meta(ge=0.0, le=3600.0)] = 0.0

    @property
    def is_simple(self) -> bool:
        """Whether it is an angle for a time."""
        return self.kind is RuleKind.SIMPLE

    def limit_deg(self, mount: Mount) -> float:
        """Return the angle from which on a posture counts; for plots."""
        return self.angle_deg if self.is_simple else limits_of(mount)[0] / 10

    @property
    def as_stored(self) -> dict[str, object]:
        """The rule in headers and sessions, where one without a kind is the simple one, as in version 0.1."""
        values = asdict(self)
        if self.is_simple:
            del values["kind"]
        if not self.repeat_s:
            del values["repeat_s"]
        return values

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"{self.angle_deg:g} deg for {self.seconds:g} s" if self.is_simple else "dose (ISO 11226)"


class Deliver(Enum):
    """Where an alert goes while a computer is connected; alone the sensor buzzes."""

    SENSOR = "sensor"  # its motor; the desktop for a board without one
    DESKTOP = "desktop"
    BOTH = "both"


class Feedback(StrEnum):
    """How many of the posture alerts that are due are given."""

    ALWAYS = "always"
    FADED = "faded"  # fewer from week to week, from faded_from on
    SILENT = "silent"  # none: the day is kept, nobody is told


@dataclass(frozen=True, slots=True)
class AlertSetting:
    """When and where the wearer is alerted. Quiet hours are "HH:MM" local time; both empty: never quiet."""

    deliver: Deliver = Deliver.BOTH
    strength: Annotated[int, Meta(ge=0, le=5)] = 3  # of the sensor's motor; 0: it stays silent, alone too
    console: bool = True  # a line in the terminal of `watch`
    min_gap_s: Annotated[float, Meta(ge=0.0, le=86400.0)] = 120.0  # between two alerts
    quiet_from: str = ""
    quiet_to: str = ""
    first_quiet_min: Annotated[float, Meta(ge=0.0, le=120.0)] = (
        10.0  # no posture alert so soon after the start
    )
    most_a_day: Annotated[int, Meta(ge=0, le=200)] = 5  # posture alerts; few work better than many
    escalate_s: Annotated[float, Meta(ge=0.0, le=600.0)] = 30.0  # tick, buzz, message; 0: everything at once
    feedback: Feedback = Feedback.ALWAYS
    faded_from: str = ""  # the day (YYYY-MM-DD) on which the first, full week of "faded" began
    busy: bool = (
        True  # silence while microphone, camera, lock or do-not-disturb say so, where the system tells
    )

    def __post_init__(self) -> None:
        """Refuse what is no time of day, and a schedule without its beginning."""
        for clock in (self.quiet_from, self.quiet_to):
            if clock and not _CLOCK.fullmatch(clock):
                raise ValueError(f"quiet hours {clock!r}: expected HH:MM, for instance 22:00")
        if self.faded_from and not _is_day(self.faded_from):
            raise ValueError(f"faded_from {self.faded_from!r}: expected YYYY-MM-DD, for instance 2026-03-02")
        if self.feedback is Feedback.FADED and not self.faded_from:
            raise ValueError('feedback "faded" needs faded_from, the day on which it began (YYYY-MM-DD)')


@dataclass(frozen=True, slots=True)
class MovementSetting:
    """When to suggest another posture, and some steps; 0: never."""

    shift_min: Annotated[float, Meta(ge=0.0, le=240.0)] = 20.0
    break_min: Annotated[float, Meta(ge=0.0, le=480.0)] = 60.0


@dataclass(frozen=True, slots=True)
class WearSetting:
    """How the sensor is worn unless the calibration profile says otherwise."""

    mount: str = Mount.NECK.value
    face: str = "auto"  # sensor axis away from the skin ("+z"), "auto" for what our boards have, or "off"


@dataclass(frozen=True, slots=True)
class ExerciseSetting:
    """How the exercise coach leads: the wearer's own breath, the terminal's bell, a voice, the motor's ticks."""

    breath_s: Annotated[float, Meta(ge=2.0, le=20.0)] = 5.0
    tones: bool = True
    speech: bool = False
    ticks: Annotated[int, Meta(ge=0, le=5)] = 2  # strength of the sensor's motor; 0: silent


@dataclass(frozen=True, slots=True)
class PictureSetting:
    """How days and periods are drawn."""

    dark: bool = False  # for dark screens; reports stay light, for paper


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything in settings.toml."""

    rule: RuleSetting = field(default_factory=RuleSetting)
    alerts: AlertSetting = field(default_factory=AlertSetting)
    wear: WearSetting = field(default_factory=WearSetting)
    exercise: ExerciseSetting = field(default_factory=ExerciseSetting)
    movement: MovementSetting = field(default_factory=MovementSetting)
    pictures: PictureSetting = field(default_factory=PictureSetting)


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def parse_rule(text: str) -> RuleSetting:
    """Read `dose`, or `DEG:SECONDS` for the simple rule, for instance `30:30`."""
    if text == RuleKind.DOSE.value:
        return RuleSetting()
    angle_deg, _, seconds = text.partition(":")
    try:
        values = {"angle_deg": float(angle_deg), "seconds": float(seconds), "kind": RuleKind.SIMPLE.value}
    except ValueError:
        raise SettingsError(f"rule {text!r}: expected dose, or DEGREES:SECONDS such as 30:30") from None
    try:
        return convert(values, RuleSetting)
    except ValueError as error:
        raise SettingsError(f"rule.{error}") from None


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
        raise SettingsError(f"{path}: cannot be read ({reason_of(error)}); mend or remove it") from error
    return read_settings(text, str(path))


def read_settings(text: str, where: str) -> Settings:
    """Return the settings of a file's text; `where` names it in errors, which say the line too."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError, OverflowError) as error:
        raise SettingsError(f"{where}: not valid TOML: {error}") from error
    try:
        return _settings_from(tables)
    except ValueError as error:
        line = _line_of(text, str(error))
        raise SettingsError(f"{where}{f', line {line}' if line else ''}: {error}") from None


def _line_of(text: str, error: str) -> int | None:
    """Return the number of the line that an error about section.key is about, None where it names none."""
    found = re.match(r"(?:unknown section \[)?(\w+)(?:\.(\w+))?", error)
    section, key, inside = (found[1], found[2], "") if found else ("", None, "")
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[\s*([\w.]+)\s*\]", line):
            inside = head[1]
            if inside == section and key is None:
                return number
        elif key is not None and inside == section and re.match(rf"\s*{key}\s*=", line):
            return number
    return None


def _settings_from(tables: dict[str, object]) -> Settings:
    tables = with_kind(_with_deliver(tables))
    _refuse_unknown(tables)
    settings = convert(tables, Settings)
    for name, parse, text in (
        ("mount", parse_mount, settings.wear.mount),
        ("face", parse_face, settings.wear.face),
    ):
        try:
            parse(text)
        except ValueError as error:
            raise SettingsError(f"wear.{name}: {error}") from None
    return settings


def _with_deliver(tables: dict[str, object]) -> dict[str, object]:
    """Read `desktop = false` of version 0.1 as what it meant: no message on the desktop."""
    alerts = tables.get("alerts")
    if not isinstance(alerts, dict) or not isinstance(alerts.get("desktop"), bool) or "deliver" in alerts:
        return tables
    deliver = Deliver.BOTH if alerts["desktop"] else Deliver.SENSOR
    kept = {key: value for key, value in alerts.items() if key != "desktop"}
    return {**tables, "alerts": {**kept, "deliver": deliver.value}}


def with_kind(values: Mapping[str, object]) -> dict[str, object]:
    """Read a rule of version 0.1, an angle or a time without a kind, as what it was: the simple one."""
    rule = values.get("rule")
    if not isinstance(rule, Mapping) or "kind" in rule or not {"angle_deg", "seconds"} & set(rule):
        return {**values}
    return {**values, "rule": {**rule, "kind": RuleKind.SIMPLE.value}}


def _refuse_unknown(tables: dict[str, object]) -> None:
    """Refuse a section or a key that is not there, which would otherwise be a setting without effect."""
    sections = {f.name: getattr(Settings(), f.name) for f in fields(Settings)}
    for name, table in tables.items():
        if name not in sections or not isinstance(table, dict):
            raise SettingsError(f"unknown section [{name}]; there are {', '.join(sections)}")
        known = [f.name for f in fields(sections[name])]
        for key in table:
            if key not in known:
                raise SettingsError(f"{name}.{key}: unknown setting; there are {', '.join(known)}")


def movement_settings(movement: MovementSetting) -> MovementSettings:
    """Return the detector's settings; what is never suggested is never due."""
    shift_s, break_s = (60 * m if m else math.inf for m in (movement.shift_min, movement.break_min))
    return MovementSettings(shift_after_s=shift_s, break_after_s=break_s)


def rule_settings(rule: RuleSetting) -> PostureRule:
    """Return the detector's rule of a setting."""
    if not rule.is_simple:
        return DoseSettings(rule.recovery_s)
    exit_deg = max(0.0, rule.angle_deg - rule.hysteresis_deg)
    return RuleSettings(rule.angle_deg, exit_deg, rule.seconds, rule.recovery_s, repeat_s=rule.repeat_s)
