"""settings.toml as a person reads it: written with its comments at the first use, and changed line by line.

A change replaces the one line and keeps everything else as it is; it is written only when the whole file is then
valid.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from enum import Enum
from pathlib import Path

from tiltwise.config.atomic_file import private_folder, whole_file
from tiltwise.config.settings import Settings, SettingsError, read_settings

COMMENTS = {
    "rule": "When a posture has lasted too long.",
    "rule.angle_deg": "the simple rule: this angle or more ...",
    "rule.seconds": "... for this long",
    "rule.hysteresis_deg": "the simple rule: it is left so far below the angle",
    "rule.recovery_s": "a correction lasts at least so long",
    "rule.repeat_s": "the simple rule: alert again while it lasts; 0: once",
    "rule.kind": '"dose": the further bent the shorter, as ISO 11226 has it; or "simple"',
    "alerts": "When and how you are told.",
    "alerts.deliver": '"sensor" (its motor), "desktop" or "both"',
    "alerts.strength": "of the motor, 1 to 5; 0: silent, alone too",
    "alerts.console": "a line in the terminal of tiltwise watch",
    "alerts.min_gap_s": "between two alerts",
    "alerts.quiet_from": 'quiet hours, "HH:MM" or ""',
    "alerts.quiet_to": "",
    "alerts.first_quiet_min": "no posture alert so soon after the start",
    "alerts.most_a_day": "posture alerts; few work better than many",
    "alerts.escalate_s": "a tick, then two long buzzes, then the desktop, so far apart; 0: all at once",
    "alerts.feedback": '"always", "faded" (fewer from week to week) or "silent"',
    "alerts.faded_from": "the day on which the fading began, YYYY-MM-DD",
    "alerts.busy": "silent while microphone, camera, screen lock or do-not-disturb say so (Linux)",
    "wear": "How the sensor is worn.",
    "wear.mount": '"collar", "neck" or "head"',
    "wear.face": 'sensor axis away from the skin, as "+z"; "auto" for our cases, "off" for others',
    "exercise": "How the exercise coach leads.",
    "exercise.breath_s": "one of your breaths, in and out",
    "exercise.tones": "the bell of the terminal",
    "exercise.speech": "a voice, where the computer has one",
    "exercise.ticks": "strength of the sensor's motor, 1 to 5; 0: silent",
    "movement": "When to suggest movement; 0: never.",
    "movement.shift_min": "another posture after so long in one",
    "movement.break_min": "some steps after so long without",
    "pictures": "How days and periods are drawn.",
    "pictures.dark": "for dark screens; reports stay light, for paper",
}


def default_text() -> str:
    """Return the file with every setting at its default, and what it means."""
    lines = [
        "# Settings of tiltwise. `tiltwise settings NAME VALUE` changes one; a line that is left out is its default."
    ]
    for section in fields(Settings):
        table = getattr(Settings(), section.name)
        lines += ["", f"# {COMMENTS.get(section.name, section.name)}", f"[{section.name}]"]
        for field in fields(table):
            comment = COMMENTS.get(f"{section.name}.{field.name}", "")
            line = f"{field.name} = {_toml(getattr(table, field.name))}"
            lines.append(f"{line:<28}# {comment}" if comment else line)
    return "\n".join(lines) + "\n"


def write_default(path: Path) -> bool:
    """Write the file if there is none; tell whether it was written. OSError when it cannot be."""
    if path.exists():
        return False
    private_folder(path.parent)
    with whole_file(path) as file:
        file.write(default_text().encode())
    return True


def change(path: Path, name: str, text: str) -> Settings:
    """Set one value in the file and return the settings; SettingsError when it is no valid change.

    Parameters
    ----------
    path
        The file, which must be there.
    name
        section.key.
    text
        The value as it is typed: text needs no quotes.
    """
    section, _, key = name.partition(".")
    table = getattr(Settings(), section, None)
    if table is None or key not in [field.name for field in fields(table)]:
        raise SettingsError(f"{name}: unknown setting; `tiltwise settings` lists them")
    old = path.read_text(encoding="utf-8")
    value = _value_of(name, text, getattr(table, key))
    new = _with_line(old, section, key, value)
    settings = read_settings(new, f"{name} {text}")
    with whole_file(path) as file:
        file.write(new.encode())
    return settings


def _value_of(name: str, text: str, default: object) -> str:
    """Return what is typed as TOML has it; SettingsError where it cannot be of the default's kind."""
    if isinstance(default, str | Enum):
        return _toml(text)
    try:
        tomllib.loads(f"value = {text.lower()}")
    except tomllib.TOMLDecodeError:
        expected = "true or false" if isinstance(default, bool) else f"a value such as {_toml(default)}"
        raise SettingsError(f"{name} {text!r}: expected {expected}") from None
    return text.lower()


def _with_line(text: str, section: str, key: str, value: str) -> str:
    """Replace the value of a key in its section, or add key or section at the end of what is there."""
    lines = text.splitlines()
    heads = [k for k, line in enumerate(lines) if re.match(r"\s*\[", line)]
    start = next((k for k in heads if re.match(rf"\s*\[\s*{section}\s*\]", lines[k])), None)
    if start is None:
        return "\n".join([*lines, "", f"[{section}]", f"{key} = {value}"]) + "\n"
    end = next((k for k in heads if k > start), len(lines))
    for k in range(start + 1, end):
        if found := re.match(rf"(\s*{key}\s*=\s*)(\"[^\"]*\"|'[^']*'|[^#]*?)(\s*(#.*)?)$", lines[k]):
            lines[k] = f"{found[1]}{value}{found[3]}"
            break
    else:
        lines.insert(start + 1, f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = str(value.value if isinstance(value, Enum) else value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
