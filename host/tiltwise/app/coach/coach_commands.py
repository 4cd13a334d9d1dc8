"""The commands of the coach: read the options, call one function, print. No logic here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tiltwise import text
from tiltwise.app import exit_status
from tiltwise.app.cli_options import (
    DataOption,
    JsonOption,
    MountOption,
    PersonOption,
    PictureOption,
    TakeoverOption,
    chosen_mount,
    chosen_settings,
)
from tiltwise.config import paths

NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME|PROGRAMME]", help="One of --list; a short desk break without.")
]
SourceArgument = Annotated[
    str | None, typer.Argument(metavar="[ADDRESS]", help="ble:, serial:PORT, replay:FILE; simulated without.")
]
SpeechOption = Annotated[bool | None, typer.Option("--speech/--no-speech", help="Say what to do aloud.")]
TonesOption = Annotated[bool | None, typer.Option("--tones/--no-tones", help="Ring the terminal's bell.")]
PlotOption = Annotated[Path | None, typer.Option("--out", help="Picture to write (.png, .pdf or .svg).")]
ClearedOption = Annotated[
    bool, typer.Option("--cleared", help="The safety questions were answered, all with no.")
]


def exercise(
    name: NameArgument = None,
    address: SourceArgument = None,
    listing: Annotated[
        bool, typer.Option("--list", help="All exercises and programmes, and what is seen.")
    ] = False,
    reps: Annotated[int | None, typer.Option(help="Repetitions in a set, on each side.")] = None,
    sets: Annotated[int | None, typer.Option(help="Sets.")] = None,
    hold: Annotated[float | None, typer.Option(help="Seconds to hold.")] = None,
    pause: Annotated[float | None, typer.Option(help="Seconds between sets.")] = None,
    breath: Annotated[float | None, typer.Option(help="Seconds of one of your breaths.")] = None,
    speech: SpeechOption = None,
    tones: TonesOption = None,
    mount: MountOption = None,
    plot: PlotOption = None,
    data: DataOption = None,
    store: Annotated[bool, typer.Option("--store/--no-store", help="Keep what was done.")] = True,
    person: PersonOption = None,
    takeover: TakeoverOption = False,
    cleared: ClearedOption = False,
    ask: Annotated[bool, typer.Option("--ask", help="Put the safety questions again.")] = False,
) -> None:
    """Be led through an exercise or a programme: counted, timed, kept."""
    from tiltwise import console
    from tiltwise.app.coach.exercise_command import (
        DEFAULT_ADDRESS,
        DEFAULT_NAME,
        ExerciseOptions,
        run_exercises,
    )
    from tiltwise.app.tables import exercise_table
    from tiltwise.config.own_exercises import load_catalogue
    from tiltwise.exercise.guided.coach import CoachSettings
    from tiltwise.types import Mount

    settings, catalogue = chosen_settings(), load_catalogue(paths.exercises_file())
    if listing:
        place = chosen_mount(mount) or Mount(settings.wear.mount)
        console.out.print(exercise_table(place, catalogue), highlight=False)
        return
    if name is not None and ":" in name and address is None:
        name, address = None, name
    own = settings.exercise
    dose = CoachSettings(
        reps=reps, sets=sets, hold_s=hold, pause_s=pause, breath_s=own.breath_s if breath is None else breath
    )
    options = ExerciseOptions(
        name=name or DEFAULT_NAME, address=address or DEFAULT_ADDRESS, settings=settings, catalogue=catalogue,
        dose=dose, mount=chosen_mount(mount), person=person, data=data, is_stored=store,
        has_tones=own.tones if tones is None else tones, has_speech=own.speech if speech is None else speech,
        strength=own.ticks, plot=plot, takeover=takeover, is_cleared=cleared, asks_again=ask,
    )  # fmt: skip
    run_exercises(options, console.out, _ask if sys.stdin.isatty() else None)


def rom(
    address: SourceArgument = None,
    speech: SpeechOption = None,
    tones: TonesOption = None,
    mount: MountOption = None,
    out: PictureOption = None,
    data: DataOption = None,
    person: PersonOption = None,
    takeover: TakeoverOption = False,
    cleared: ClearedOption = False,
) -> None:
    """Measure your range of motion: six directions, three times each; left against right."""
    from tiltwise import console
    from tiltwise.app.coach.exercise_command import DEFAULT_ADDRESS, ExerciseOptions
    from tiltwise.app.coach.range_command import run_range_test
    from tiltwise.config.own_exercises import load_catalogue
    from tiltwise.exercise.guided.coach import CoachSettings

    settings = chosen_settings()
    own = settings.exercise
    options = ExerciseOptions(
        name="range_of_motion", address=address or DEFAULT_ADDRESS, settings=settings,
        catalogue=load_catalogue(paths.exercises_file()), dose=CoachSettings(breath_s=own.breath_s),
        mount=chosen_mount(mount), person=person, data=data, has_tones=own.tones if tones is None else tones,
        has_speech=own.speech if speech is None else speech, strength=own.ticks, takeover=takeover,
        is_cleared=cleared,
    )  # fmt: skip
    run_range_test(options, console.out, _ask if sys.stdin.isatty() else None, out)


def progress(
    mount: MountOption = None,
    out: PictureOption = None,
    rose: Annotated[Path | None, typer.Option(help="Draw the newest range of motion as a rose.")] = None,
    data: DataOption = None,
    person: PersonOption = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Of sim: and replay:, not your own.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """How your range of motion and your exercises went over the weeks."""
    from tiltwise import console
    from tiltwise.app.coach.range_command import ProgressOptions, show_progress

    options = ProgressOptions(
        mount=chosen_mount(mount), out=out, rose=rose, data=data, person=person, is_simulated=simulated,
        as_json=as_json,
    )  # fmt: skip
    show_progress(options, console.out)


def _ask(question: str) -> bool:
    with exit_status.wrong_use():
        return typer.confirm(text.printable(question, 200))


def exercises(mount: MountOption = None) -> None:
    """The catalogue, and what a sensor in that place sees of each."""
    from tiltwise import console
    from tiltwise.app.tables import exercise_table
    from tiltwise.config.own_exercises import load_catalogue
    from tiltwise.types import Mount

    place = chosen_mount(mount) or Mount(chosen_settings().wear.mount)
    console.out.print(exercise_table(place, load_catalogue(paths.exercises_file())), highlight=False)
