"""The commands: read the options, call one function, print. No logic here.

Results go to stdout, progress and errors to stderr; exit status 0 fine, 2 wrong use, 1 anything else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tiltwise import errors, text
from tiltwise.app import board_commands, exit_status
from tiltwise.app.cli_options import (
    AddressArgument,
    ColumnsOption,
    DataOption,
    FileArgument,
    InFrontOption,
    JsonOption,
    MountOption,
    NeutralOption,
    PersonOption,
    RateOption,
    RuleOption,
    TakeoverOption,
    TiltsOption,
    UnitsOption,
    UpOption,
    chosen_mount,
    chosen_reading,
    chosen_settings,
)
from tiltwise.app.coach import coach_commands
from tiltwise.app.history import history_commands, report_command
from tiltwise.app.running import running_commands
from tiltwise.app.travel import cohort_command, travel_commands
from tiltwise.app.workday import workday_commands
from tiltwise.config import paths
from tiltwise.version import __version__

# Whatever a command needs is imported in it: --help and a mistyped option wait for no numpy, rich or asyncio.

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Neck posture, from a small sensor behind the neck. A habit and movement coach, not a medical device.",
)

WAY_IN = f"""tiltwise {__version__}: neck posture, from a small sensor behind the neck

  tiltwise demo                     watch it all work without hardware
  tiltwise watch sim:desk?speed=20  the daily program, on a simulated wearer
  tiltwise day                      the newest day as a plot; week, month, year
  tiltwise exercise                 a short desk break, led and counted
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
        typer.echo(text.as_typed(WAY_IN))


@app.command(short_help="All of it without hardware, on a simulated wearer.")
def demo(
    minutes: Annotated[
        float, typer.Option(min=4, max=1440, help="How long the simulated wearer is followed.")
    ] = 6.0,
    seed: Annotated[int, typer.Option(min=0, help="Another person, another sensor.")] = 1,
    speed: Annotated[float, typer.Option(min=0, help="Times real speed; 0 is as fast as it goes.")] = 20.0,
    out: Annotated[Path | None, typer.Option(help="New folder for plot, database and recording.")] = None,
    mount: MountOption = None,
    rule: RuleOption = None,
) -> None:
    """No hardware: a simulated wearer, the real firmware, alerts, an exercise, the store and the day plot."""
    from tiltwise import console
    from tiltwise.app.demo import DemoOptions, demo_settings, run_demo
    from tiltwise.types import Mount

    options = DemoOptions(
        settings=chosen_settings(rule) if rule else demo_settings(chosen_settings()),
        minutes=minutes,
        seed=seed,
        speed=speed,
        out=out,
        mount=chosen_mount(mount) or Mount.NECK,
    )
    run_demo(options, console.out)


@app.command()
def watch(
    address: AddressArgument = "sim:desk",
    mount: MountOption = None,
    rule: RuleOption = None,
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    data: DataOption = None,
    store: Annotated[bool, typer.Option("--store/--no-store", help="Keep the day.")] = True,
    record: Annotated[Path | None, typer.Option(help="Also write a raw recording (.tw).")] = None,
    person: PersonOption = None,
    tilts: TiltsOption = False,
    in_front: InFrontOption = False,
    takeover: TakeoverOption = False,
) -> None:
    """The daily program: live angles, alerts, storage."""
    from tiltwise import console
    from tiltwise.app.watch import WatchOptions, watch

    options = WatchOptions(
        address=address,
        settings=chosen_settings(rule),
        mount=chosen_mount(mount),
        neutral=neutral,
        neutral_up=neutral_up,
        data=data,
        is_stored=store,
        record=record,
        takeover=takeover,
        person=person,
        is_rule_given=rule is not None,
        with_tilts=tilts,
        is_in_front=in_front,
    )
    watch(options, console.out)


app.command(short_help="What runs, and how you are doing today.")(running_commands.status)
_NEGATIVE = {"ignore_unknown_options": True}  # -1 is a day, a time or a value, not an option
app.command(short_help="No alerts for a while.", context_settings=_NEGATIVE)(running_commands.snooze)
app.command(short_help="Calibrate anew in the running watch.")(running_commands.recalibrate)
app.command(short_help="Why there was an alert, or none.", context_settings=_NEGATIVE)(workday_commands.why)
app.command(short_help="The settings, with what each means; changes one.", context_settings=_NEGATIVE)(
    workday_commands.settings
)
app.command(short_help="tiltwise watch in the background, from log-in on.")(workday_commands.service)
app.command(short_help="New board over USB: firmware, key, name.")(board_commands.setup)
app.command(short_help="Sit tall, nod three times: how the sensor sits.")(board_commands.calibrate)


@app.command()
def analyze(
    file: FileArgument,
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    mount: MountOption = None,
    rule: RuleOption = None,
    angles: Annotated[Path | None, typer.Option(help="Write the angles to a .csv or .parquet file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the angles into a .png, .pdf or .svg file.")] = None,
    columns: ColumnsOption = "",
    units: UnitsOption = "",
    rate: RateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Angles, percent of time and episodes in any IMU file."""
    from tiltwise import console
    from tiltwise.app.tables import analysis_table
    from tiltwise.offline.file_commands import FileRequest, run_analysis

    request = FileRequest(
        file=file,
        settings=chosen_settings(rule),
        mount=chosen_mount(mount),
        neutral=neutral,
        neutral_up=neutral_up,
        is_rule_given=rule is not None,
        reading=chosen_reading(columns, units, rate),
    )
    with console.progress_bar(f"analyzing {text.printable(file.name, 40)}") as show:
        result = run_analysis(request, angles=angles, plot=plot, on_progress=show)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=1))
        return
    console.out.print(analysis_table(result, file.name), highlight=False)
    for what, path in (("angles", angles), ("plot", plot)):
        if path is not None:
            console.out.print(f"{what}: {text.printable(str(path), 300)}", highlight=False, soft_wrap=True)


@app.command()
def count(
    file: FileArgument,
    exercise: Annotated[str, typer.Option(help="One of `tiltwise exercises`.")],
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    mount: MountOption = None,
    columns: ColumnsOption = "",
    units: UnitsOption = "",
    rate: RateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Repetitions of one exercise in a file of that exercise."""
    from tiltwise import console
    from tiltwise.app.tables import count_table
    from tiltwise.exercise.catalogue import find_exercise
    from tiltwise.offline.file_commands import FileRequest, run_count

    request = FileRequest(
        file=file, settings=chosen_settings(), mount=chosen_mount(mount), neutral=neutral, neutral_up=neutral_up,
        is_rule_given=True,  # counting has no rule
        reading=chosen_reading(columns, units, rate),
    )  # fmt: skip
    with exit_status.wrong_use():
        chosen = find_exercise(exercise)
    with console.progress_bar(f"counting in {text.printable(file.name, 40)}") as show:
        result = run_count(request, chosen, show)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=1))
    else:
        console.out.print(count_table(result, file.name), highlight=False)


app.command(short_help="Be led through an exercise: counted, timed, kept.")(coach_commands.exercise)
app.command(short_help="Your range of motion, left against right.")(coach_commands.rom)
app.command(short_help="Range of motion and exercises over the weeks.")(coach_commands.progress)
app.command()(coach_commands.exercises)


app.command(context_settings=_NEGATIVE)(history_commands.day)
app.command(context_settings=_NEGATIVE)(history_commands.week)
app.command(context_settings=_NEGATIVE)(history_commands.month)
app.command(context_settings=_NEGATIVE)(history_commands.year)
app.command(context_settings=_NEGATIVE)(report_command.report)
app.command(context_settings=_NEGATIVE)(travel_commands.export)
app.command("import")(travel_commands.import_)
app.command()(cohort_command.cohort)


@app.command("data")
def data_(
    erase: Annotated[
        str | None, typer.Option(metavar="DAY|ALL", help="Erase a day (YYYY-MM-DD) or all.")
    ] = None,
    keep_raw: Annotated[
        int | None, typer.Option(metavar="MONTHS", help="Keep raw samples for so many months; 0: for ever.")
    ] = None,
    rebuild: Annotated[
        list[Path] | None, typer.Option(metavar="RECORDING", help="Build the store again; may be repeated.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Whether every second is accounted for.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    person: PersonOption = None,
    persons: Annotated[bool, typer.Option("--persons", help="Who has days or calibrations here.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """What is stored: size, range, days, gaps. Erases, keeps or builds it again on request."""
    from tiltwise.app.data import change_or_show

    change_or_show(
        data or paths.data_folder(), erase=erase, keep_raw=keep_raw, recordings=rebuild,
        is_check=check, person=person, is_persons=persons,
        as_json=as_json,
        may_change=lambda question: yes or typer.confirm(question, abort=True),
    )  # fmt: skip


app.command()(board_commands.scan)
app.command(short_help="Health, parts and settings of a board.")(board_commands.board)
app.command()(board_commands.doctor)
app.add_typer(board_commands.keys, name="keys", short_help="Which computers a board lets in.")


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

    try:
        from tiltwise_lab.bench.options import BenchOptions
        from tiltwise_lab.registry import BENCHES, run_benches
    except ModuleNotFoundError as error:
        if error.name != "tiltwise_lab":
            raise
        raise errors.UsageError(
            "the benches are not in this installation: run them in a source checkout, or from the sdist "
            "(pip download --no-binary tiltwise --no-deps tiltwise)"
        ) from None
    if not names:
        for each, (summary, _) in BENCHES.items():
            typer.echo(f"tiltwise bench {each:<12} {summary}")
        return
    run_benches(names, BenchOptions(data, seeds, plot, scale), console.out)


_COMMANDS = {
    command.name or str(getattr(command.callback, "__name__", "")): command
    for command in app.registered_commands
}


def main() -> None:
    """Run a command; the only place that ends the process."""
    text.know_commands(_COMMANDS)
    # typer reads the options of every command that it is given: the one that was asked for is enough
    asked = _COMMANDS.get(sys.argv[1]) if len(sys.argv) > 1 else None
    app.registered_commands = list(_COMMANDS.values()) if asked is None else [asked]
    sys.exit(exit_status.run(lambda: app(standalone_mode=False)))
