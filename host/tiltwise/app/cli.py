"""The commands: parse, call one function, print. No logic here.

Results go to stdout, progress and errors to stderr; exit status 0 fine, 2 wrong use, 1 anything else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiltwise import errors, text
from tiltwise.app import exit_status
from tiltwise.config import paths
from tiltwise.version import __version__

if TYPE_CHECKING:
    from tiltwise.config.settings import Settings
    from tiltwise.types import Mount

# Whatever a command needs is imported in it: --help and a mistyped option wait for no numpy, rich or asyncio.

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Neck posture, from a small sensor behind the neck. A habit and movement coach, not a medical device.",
)

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the store (default: your data folder).")
]
MountOption = Annotated[str | None, typer.Option("--mount", metavar="PLACE", help="collar, neck or head.")]
NeutralOption = Annotated[Path | None, typer.Option("--neutral", help="Recording of the neutral posture.")]
UpOption = Annotated[str, typer.Option("--neutral-up", metavar="X,Y,Z", help='Neutral "up" in sensor axes.')]
RuleOption = Annotated[
    str | None, typer.Option("--rule", metavar="DEG:SECONDS", help="When to alert, e.g. 20:60.")
]
PersonOption = Annotated[str | None, typer.Option("--person", help="Whose calibration (default: me).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

WAY_IN = f"""tiltwise {__version__}: neck posture, from a small sensor behind the neck

  tiltwise demo                     watch it all work without hardware (20 s)
  tiltwise watch sim:desk?speed=20  the daily program, on a simulated wearer
  tiltwise day                      the newest day as a plot
  tiltwise analyze FILE             angles and episodes in any IMU file
  tiltwise count FILE --exercise side_tilt
  tiltwise setup --dry-run          how a new board gets its firmware and key
  tiltwise doctor                   what works on this computer
  tiltwise --help                   all commands

A habit and movement coach, not a medical device."""


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"tiltwise {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(WAY_IN)


@app.command(short_help="All of it without hardware, on a simulated wearer.")
def demo(
    minutes: Annotated[float, typer.Option(min=4, max=1440, help="Length of the story.")] = 6.0,
    seed: Annotated[int, typer.Option(min=0, help="Another person, another sensor.")] = 1,
    speed: Annotated[float, typer.Option(min=0, help="Times real speed; 0 is as fast as it goes.")] = 20.0,
    out: Annotated[Path | None, typer.Option(help="New folder for plot, database and recording.")] = None,
    mount: MountOption = None,
) -> None:
    """No hardware: a simulated wearer, the real firmware, alerts, an exercise, the store and the day plot."""
    from tiltwise import console
    from tiltwise.app.demo import run_demo
    from tiltwise.types import Mount

    run_demo(
        console.out, minutes=minutes, seed=seed, speed=speed, out=out, mount=_mount(mount) or Mount.NECK,
        settings=_settings(),
    )  # fmt: skip


@app.command()
def watch(
    address: Annotated[
        str, typer.Argument(help="ble:, ble:NAME, serial:PORT, sim:desk, replay:FILE")
    ] = "sim:desk",
    mount: MountOption = None,
    rule: RuleOption = None,
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    data: DataOption = None,
    store: Annotated[bool, typer.Option("--store/--no-store", help="Keep the day.")] = True,
    record: Annotated[Path | None, typer.Option(help="Also write a raw recording (.tw).")] = None,
    person: PersonOption = None,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="Take the board from another program that holds it.")
    ] = False,
) -> None:
    """The daily program: live angles, alerts, storage."""
    from tiltwise import console
    from tiltwise.app.watch import WatchOptions, watch

    watch(
        WatchOptions(
            address, _settings(rule), _mount(mount), neutral, neutral_up, data,
            store, record, takeover, person, rule is not None,
        ),
        console.out,
    )  # fmt: skip


@app.command(short_help="New board over USB: firmware, key, name.")
def setup(
    port: Annotated[
        str, typer.Option(help="Serial port of the board; found by itself when there is one board.")
    ] = "",
    name: Annotated[str | None, typer.Option(help="Name of the sensor, 24 bytes at most.")] = None,
    mount: MountOption = None,
    board: Annotated[
        str | None, typer.Option(help="Profile of firmware/boards/, for a board that is not known by itself.")
    ] = None,
    micropython: Annotated[
        Path | None,
        typer.Option(help="MicroPython .bin for a blank ESP32, written first.", exists=True, dir_okay=False),
    ] = None,
    imu_file: Annotated[
        Path | None,
        typer.Option(
            help="Bosch's configuration for a BMI270: its bmi270.c, or a .bin of 8192 bytes.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="A new key even if the old one works.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps, touch nothing.")] = False,
) -> None:
    """New board over USB: firmware, key, name; the same command continues after any interruption."""
    from tiltwise import console
    from tiltwise.setup import wizard as work

    place = _mount(mount)
    options = work.Options(
        port=port,
        name=name,
        board=board,
        mount=None if place is None else place.value,
        micropython=micropython,
        imu_file=imu_file,
        new_key=new_key,
    )
    steps = work.plan(options)
    if dry_run:
        typer.echo(work.as_text(steps))
        return
    for step in work.run(options):
        line = f"{step.number:>2}/{step.of} {step.do:<11} {step.said}"
        where = console.out if step.is_done else console.err
        where.print(line, highlight=False, markup=False, soft_wrap=True)
    typer.echo("ready: unplug it, clip it on, then `tiltwise watch`")


@app.command(short_help="Sit tall, nod three times: how the sensor sits.")
def calibrate(
    address: Annotated[
        str, typer.Argument(help="ble:, ble:NAME, serial:PORT, sim:calibration?speed=20, replay:FILE")
    ] = "sim:calibration",
    mount: MountOption = None,
    tilts: Annotated[
        bool, typer.Option("--tilts", help="Ask for side tilts too (the collar always does): finer axes.")
    ] = False,
    in_front: Annotated[
        bool, typer.Option("--in-front", help="Glasses or headphones: not behind the neck.")
    ] = False,
    person: PersonOption = None,
    out: Annotated[Path | None, typer.Option(help="Picture to write (.png, .pdf or .svg).")] = None,
    sound: Annotated[
        bool, typer.Option("--sound/--no-sound", help="Ring the terminal's bell at each step.")
    ] = True,
    anew: Annotated[bool, typer.Option("--anew", help="Store it even if it sits quite differently.")] = False,
    face: Annotated[
        str | None,
        typer.Option(
            help="Sensor axis away from the skin, e.g. +z; off: any. Default: what our boards have."
        ),
    ] = None,
    data: DataOption = None,
) -> None:
    """Sit tall, nod three times: how the sensor sits on this person, stored for the next days."""
    from tiltwise import console
    from tiltwise.app.calibrate import CalibrateOptions, run_calibrate
    from tiltwise.config.calibration_profiles import DEFAULT_PERSON
    from tiltwise.config.settings import parse_face, parse_mount

    wear = _settings().wear
    with exit_status.wrong_use():
        outward = "" if face is None else parse_face(face)
    run_calibrate(
        CalibrateOptions(
            address, _mount(mount), tilts, in_front, person or DEFAULT_PERSON, out,
            sound, anew, data, parse_mount(wear.mount), outward, wear.face,
        ),
        console.out,
    )  # fmt: skip


@app.command()
def analyze(
    file: Annotated[Path, typer.Argument(help=".tw, .npz, .csv or .parquet")],
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    mount: MountOption = None,
    rule: RuleOption = None,
    angles: Annotated[Path | None, typer.Option(help="Write the angles to a .csv or .parquet file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the angles into a .png, .pdf or .svg file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Angles, percent of time and episodes in any IMU file."""
    from tiltwise import console
    from tiltwise.app.tables import analysis_table, angles_figure
    from tiltwise.config.settings import rule_settings
    from tiltwise.offline.analyze import analyze
    from tiltwise.offline.angle_export import check_angles_path, write_angles
    from tiltwise.offline.input_file import as_recorded, choose_mounting, read_input
    from tiltwise.offline.picture_file import check_picture_path, save_figure

    settings, chosen = _settings(rule), _mount(mount)
    check_angles_path(angles)
    check_picture_path(plot)
    with console.progress_bar(f"analyzing {text.printable(file.name, 40)}") as show:
        data = read_input(file, on_progress=lambda share: show(share / 2))
        place, settings, said = as_recorded(data, settings, mount=chosen, is_rule_given=rule is not None)
        mounting, notes = choose_mounting(data, mount=place, neutral=neutral, neutral_up_text=neutral_up)
        result = analyze(
            data,
            mounting,
            rule=rule_settings(settings.rule),
            notes=(*said, *notes),
            on_progress=lambda s: show(0.5 + s / 2),
        )
    if angles is not None:
        write_angles(angles, result)
    if plot is not None:
        save_figure(angles_figure(result, file.name, settings.rule.angle_deg), plot)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=1))
    else:
        console.out.print(analysis_table(result, file.name), highlight=False)


@app.command()
def count(
    file: Annotated[Path, typer.Argument(help=".tw, .npz, .csv or .parquet")],
    exercise: Annotated[str, typer.Option(help="One of `tiltwise exercises`.")],
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    mount: MountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Repetitions of one exercise in a file of that exercise."""
    from tiltwise import console
    from tiltwise.app.tables import count_table
    from tiltwise.exercise.catalogue import find_exercise
    from tiltwise.offline.count import count
    from tiltwise.offline.input_file import as_recorded, choose_mounting, read_input

    settings, place = _settings(), _mount(mount)
    with exit_status.wrong_use():
        chosen = find_exercise(exercise)
    with console.progress_bar(f"counting in {text.printable(file.name, 40)}") as show:
        data = read_input(file, on_progress=lambda share: show(share / 2))
        place, _, said = as_recorded(data, settings, mount=place, is_rule_given=True)  # counting has no rule
        mounting, notes = choose_mounting(data, mount=place, neutral=neutral, neutral_up_text=neutral_up)
        notes = (*said, *notes)
        result = count(data, mounting, chosen, notes=notes, on_progress=lambda s: show(0.5 + s / 2))
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=1))
    else:
        console.out.print(count_table(result, file.name), highlight=False)


@app.command()
def exercises(mount: MountOption = None) -> None:
    """The catalogue, and what a sensor in that place sees of each."""
    from tiltwise import console
    from tiltwise.app.tables import exercise_table
    from tiltwise.types import Mount

    console.out.print(exercise_table(_mount(mount) or Mount(_settings().wear.mount)), highlight=False)


@app.command()
def day(
    date: Annotated[str | None, typer.Argument(help="YYYY-MM-DD; the newest day without.")] = None,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(help="Picture to write (.png, .pdf or .svg).")] = None,
) -> None:
    """Plot and figures of a stored day."""
    from tiltwise import console
    from tiltwise.app.day import day_figure, day_table, load_day, parse_day
    from tiltwise.offline.picture_file import check_picture_path, save_figure

    check_picture_path(out)
    loaded = load_day(data or paths.data_folder(), parse_day(date))
    path = out or Path(f"tiltwise-{loaded.day}.png")
    save_figure(day_figure(loaded, _settings().rule.angle_deg), path)
    console.out.print(day_table(loaded), highlight=False)
    console.out.print(f"plot: {text.printable(str(path), 300)}", highlight=False, soft_wrap=True)


@app.command("data")
def data_(
    erase: Annotated[
        str | None, typer.Option(metavar="DAY|ALL", help="Erase a day (YYYY-MM-DD) or all.")
    ] = None,
    keep_raw: Annotated[
        int | None, typer.Option(metavar="MONTHS", help="Keep raw samples so long; 0: for ever.")
    ] = None,
    rebuild: Annotated[
        list[Path] | None, typer.Option(metavar="RECORDING", help="Build the store again; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """What is stored: size, range, days, gaps. Erases, keeps or builds it again on request."""
    from tiltwise import console
    from tiltwise.app import data as stored

    folder = data or paths.data_folder()
    if sum(option is not None for option in (erase, keep_raw, rebuild)) > 1:
        raise errors.UsageError("--erase, --keep-raw and --rebuild: one at a time")
    wanted = [
        *([] if erase is None else [stored.plan_erase(folder, erase)]),
        *([] if keep_raw is None else [stored.plan_keep_raw(folder, keep_raw)]),
        *([] if rebuild is None else [stored.plan_rebuild(folder, rebuild)]),
    ]
    for change in wanted:
        if not yes:
            typer.confirm(text.printable(change.question, 1000), abort=True)
        console.out.print(change.do(), highlight=False)
    if not wanted:
        seen = stored.show_data(folder)
        if as_json:
            typer.echo(json.dumps(stored.data_json(folder, seen)))
        else:
            console.out.print(stored.data_table(folder, seen), highlight=False)


@app.command()
def scan(
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to listen for radio.")] = 5.0,
) -> None:
    """Boards on USB and on the air, and the simulated wearers."""
    import asyncio

    from tiltwise import console
    from tiltwise.app.tables import scan_report
    from tiltwise.link import ble, serial

    with console.progress_bar("listening"):
        try:
            on_air, trouble = asyncio.run(ble.discover(seconds)), ""
        except ble.BluetoothError as error:
            on_air, trouble = [], str(error)
    console.out.print(scan_report(serial.ports(), on_air, trouble), highlight=False)


@app.command()
def doctor(data: DataOption = None) -> None:
    """What works on this computer, and what to do about the rest."""
    from tiltwise import console
    from tiltwise.app.doctor import findings
    from tiltwise.app.tables import finding_line

    broken = 0
    for finding in findings(paths.settings_file(), data or paths.data_folder()):
        console.out.print(finding_line(finding), highlight=False)
        broken += finding.is_needed and not finding.is_ok
    if broken:
        raise errors.AppError(f"{broken} of the things that tiltwise needs do not work here; see above")


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which ones; without, the list.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with human/ and orientation/.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Wearers, tries or repeats per figure (default: 3; sets: 10)."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to write, where a bench has one.")] = None,
    scale: Annotated[float, typer.Option(min=0.001, max=1, help="Shorten the hours of a long bench.")] = 1.0,
) -> None:
    """Accuracy and speed, measured here and now."""
    from tiltwise import console
    from tiltwise_lab.bench.options import BenchOptions
    from tiltwise_lab.registry import BENCHES, run_benches

    if not names:
        for each, (summary, _) in BENCHES.items():
            typer.echo(f"tiltwise bench {each:<12} {summary}")
        return
    run_benches(names, BenchOptions(data, seeds, plot, scale), console.out)


def _settings(rule: str | None = None) -> Settings:
    from tiltwise.config.settings import load_settings, parse_rule

    settings = load_settings(paths.settings_file())
    if rule is None:
        return settings
    from dataclasses import replace

    with exit_status.wrong_use():
        chosen = parse_rule(rule)
    return replace(settings, rule=replace(settings.rule, angle_deg=chosen.angle_deg, seconds=chosen.seconds))


def _mount(text: str | None) -> Mount | None:
    from tiltwise.config.settings import parse_mount

    with exit_status.wrong_use():
        return None if text is None else parse_mount(text)


def main() -> None:
    """Run a command; the only place that ends the process."""
    sys.exit(exit_status.run(lambda: app(standalone_mode=False)))
