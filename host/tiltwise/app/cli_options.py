"""Command-line options that several commands share, and what they mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiltwise.app import exit_status
from tiltwise.config import paths

if TYPE_CHECKING:
    from tiltwise.config.settings import Settings
    from tiltwise.recording.imu_file import ReadOptions
    from tiltwise.types import Mount

AddressArgument = Annotated[str, typer.Argument(help="ble:, ble:NAME, serial:PORT, sim:desk, replay:FILE")]
FileArgument = Annotated[Path, typer.Argument(help=".tw, .npz, .csv, .parquet, .zip or a logger's text")]
ColumnsOption = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="t=T,acc=X:Y:Z,gyr=X:Y:Z",
        help="Names or numbers of columns; -X turns one round.",
    ),
]
UnitsOption = Annotated[str, typer.Option("--units", metavar="g,deg/s,ms", help="Units to insist on.")]
RateOption = Annotated[
    float | None, typer.Option("--rate", metavar="HZ", help="Samples a second, in place of the file's times.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the store (default: your data folder).")
]
MountOption = Annotated[str | None, typer.Option("--mount", metavar="PLACE", help="collar, neck or head.")]
NeutralOption = Annotated[Path | None, typer.Option("--neutral", help="Recording of the neutral posture.")]
UpOption = Annotated[str, typer.Option("--neutral-up", metavar="X,Y,Z", help='Neutral "up" in sensor axes.')]
RuleOption = Annotated[
    str | None,
    typer.Option("--rule", metavar="DEG:SECONDS", help="An angle for a time, e.g. 20:60; or dose."),
]
PersonOption = Annotated[
    str | None, typer.Option("--person", help="Whose calibration and days (default: me).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DarkOption = Annotated[
    bool | None,
    typer.Option("--dark/--light", help="Draw for a dark screen, or for paper (default: the settings')."),
]
PictureOption = Annotated[Path | None, typer.Option(help="Picture to write (.png, .pdf or .svg).")]
TiltsOption = Annotated[
    bool, typer.Option("--tilts", help="Calibrate with side tilts too (the collar always does): finer axes.")
]
TakeoverOption = Annotated[
    bool, typer.Option("--takeover", help="Take the board from another program that holds it.")
]
InFrontOption = Annotated[
    bool, typer.Option("--in-front", help="Glasses or headphones: not behind the neck.")
]
SoundOption = Annotated[
    bool, typer.Option("--sound/--no-sound", help="Ring the terminal's bell at each step.")
]
FaceOption = Annotated[
    str | None,
    typer.Option(help="Sensor axis away from the skin, e.g. +z; off: any. Default: what our boards have."),
]


def chosen_settings(rule: str | None = None) -> Settings:
    """Return the settings, with the rule of the command line if it was given; UsageError for a wrong one."""
    from tiltwise.config.settings import load_settings, parse_rule

    settings = load_settings(paths.settings_file())
    if rule is None:
        return settings
    with exit_status.wrong_use():
        chosen = parse_rule(rule)
    chosen = replace(chosen, hysteresis_deg=settings.rule.hysteresis_deg, recovery_s=settings.rule.recovery_s)
    return replace(settings, rule=chosen)


def is_dark(option: bool | None) -> bool:
    """Return whether pictures are for dark screens: as the command line says, or else the settings."""
    return chosen_settings().pictures.dark if option is None else option


def chosen_mount(text: str | None) -> Mount | None:
    """Return the mount of the command line; UsageError for an unknown one."""
    from tiltwise.config.settings import parse_mount

    with exit_status.wrong_use():
        return None if text is None else parse_mount(text)


def chosen_reading(columns: str, units: str, rate_hz: float | None) -> ReadOptions:
    """Return how a file is to be read; UsageError for what cannot be meant."""
    from tiltwise.recording.imu_file import read_options

    with exit_status.wrong_use():
        return read_options(columns, units, rate_hz)
