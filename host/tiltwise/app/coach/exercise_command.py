"""`tiltwise exercise` and `tiltwise rom`: lead through exercises on any source, and keep what was done.

The source, the calibration and the store are those of `tiltwise watch`; a simulated wearer hears what the coach says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from tiltwise.app.coach.exercise_view import ExerciseView
from tiltwise.app.coach.listening import let_listen
from tiltwise.app.coach.safety import Clearance, ask, keep_answers, load_answers
from tiltwise.app.coach.session_summary import summary_table
from tiltwise.app.coach.session_trace import SessionTrace
from tiltwise.app.coach.voice import MISSING, Voice, speaking_program
from tiltwise.app.terminal_keys import terminal_keys
from tiltwise.config.address import Address, open_source, parse_address, replay_options
from tiltwise.config.calibration_profiles import DEFAULT_PERSON, Calibrations, device_name
from tiltwise.config.paths import data_folder, person_folder, simulated_in
from tiltwise.config.settings import Settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.console import LINE_STYLES
from tiltwise.errors import AppError, UsageError
from tiltwise.exercise.catalogue_file import Catalogue
from tiltwise.exercise.definition import SAFETY_TEXT, Exercise
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach import Coach, CoachSettings
from tiltwise.exercise.guided.coach_events import CoachEvent
from tiltwise.exercise.guided.range_progress import (
    RangeTest,
    detectable_change,
    newest_ranges,
    range_tests,
)
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.link.source import Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.acknowledgements import ack_every_s
from tiltwise.live.guided.guided_run import run_guided_until_stopped
from tiltwise.live.guided.guided_session import GuidedSession
from tiltwise.live.known_boards import KnownBoards
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.sources import COACHED, ORIGINS, device_in_store, mount_of, taking_over, wearing
from tiltwise.live.wearer.case_orientation import choose_face
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.live.wearer.live_events import LiveEvents
from tiltwise.offline.input_file import ImuInput, as_recorded, choose_neutral, read_input
from tiltwise.offline.picture_file import check_picture_path, save_figure
from tiltwise.report.plots_exercise import session_picture
from tiltwise.store.files.schema import CORE_NAME
from tiltwise.store.writer import Store
from tiltwise.text import counted, printable
from tiltwise.types import Mount

DEFAULT_ADDRESS = f"sim:{COACHED}"
DEFAULT_NAME = "desk_break"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseOptions:
    """What the command line asks for.

    Parameters
    ----------
    name, address
        An exercise or a programme; where the samples come from.
    dose
        What is set in the place of the exercise's own.
    mount
        None leaves it to the source and the settings.
    person, data, is_stored
        As in `watch`.
    has_tones, has_speech, strength
        The terminal's bell; the voice; the motor's ticks, 0 to 5.
    plot
        Picture of the session to write.
    takeover
        End the session of another program with this board.
    is_cleared, asks_again
        Nothing speaks against any exercise; put the questions again.
    """

    name: str
    address: str
    settings: Settings
    catalogue: Catalogue
    dose: CoachSettings = field(default_factory=CoachSettings)
    mount: Mount | None = None
    person: str | None = None
    data: Path | None = None
    is_stored: bool = True
    has_tones: bool = True
    has_speech: bool = False
    strength: int = 2
    plot: Path | None = None
    takeover: bool = False
    is_cleared: bool = False
    asks_again: bool = False


def run_exercises(
    options: ExerciseOptions, console: Console, answer: Callable[[str], bool] | None
) -> list[ExerciseRecord]:
    """Lead through an exercise or a programme and return what was done.

    Parameters
    ----------
    answer
        Puts a question and returns whether it was a yes; None where nobody can answer.

    Raises
    ------
    UsageError
        There is no such exercise, or the dose makes no sense.
    AppError
        Nothing is left to do, the source cannot be opened, or something could not be kept.
    """
    check_picture_path(options.plot)
    try:
        title, exercises = options.catalogue.find(options.name)
        for exercise in exercises:
            Coach(exercise, Mount.HEAD, options.dose, is_cleared=True)  # the dose, before anything is opened
    except ValueError as error:
        raise UsageError(str(error)) from error
    exercises = _cleared(exercises, options, console, answer)
    address = wearing(parse_address(options.address), options.mount)
    if address.scheme == "sim" and not address.target:
        address = replace(address, target=COACHED)
    address = taking_over(address) if options.takeover else address
    source = open_source(address)
    worn = _worn(options, address, source, console)
    _say_what_is_seen(exercises, worn.mount, console)
    tests = stored_tests(options.data, options.person, address.scheme)
    dose = replace(options.dose, range_deg=newest_ranges(tests), session=title)
    return _run(options, address, source, worn, exercises, title, dose, tests, console)


def stored_tests(data: Path | None, person: str | None, scheme: str = "") -> list[RangeTest]:
    """Return the range tests of a person's store; none where there is no store yet."""
    folder = store_folder(data, person, scheme)
    if not (folder / CORE_NAME).is_file():
        return []
    with Store.open_readonly(folder) as reader:
        return range_tests(reader.exercises())


def store_folder(data: Path | None, person: str | None, scheme: str = "") -> Path:
    """Return the folder of a person's days; what is simulated or replayed is apart."""
    own = simulated_in(data_folder()) if scheme in ("sim", "replay") else data_folder()
    return person_folder(data or own, person)


def _cleared(
    exercises: Sequence[Exercise],
    options: ExerciseOptions,
    console: Console,
    answer: Callable[[str], bool] | None,
) -> tuple[Exercise, ...]:
    """Ask what has to be asked before the first session, and leave out what the answers speak against."""
    folder = person_folder(options.data or data_folder(), options.person)
    clearance = Clearance(frozenset()) if options.is_cleared else load_answers(folder)
    if answer is not None and not options.is_cleared and (options.asks_again or clearance.yes is None):
        console.print(SAFETY_TEXT, highlight=False)
        console.print(
            "A few questions first; they are kept on this computer and not asked again.", style="bold"
        )
        clearance = ask(answer)
        keep_answers(folder, clearance)
    for exercise, why in clearance.withheld(exercises):
        console.print(f"left out: {exercise.name}: {why}", style=LINE_STYLES["warn"], highlight=False)
    left = tuple(exercise for exercise in exercises if clearance.allows(exercise))
    if not left:
        raise AppError("nothing is left to do: choose another exercise with `tiltwise exercise --list`")
    return left


def _say_what_is_seen(exercises: Sequence[Exercise], mount: Mount, console: Console) -> None:
    """Say of each exercise what the sensor sees of it, how far it usually goes, and what to beware of."""
    for exercise in exercises:
        texts = [exercise.sensor_note, exercise.caution]
        if not exercise.is_followed(mount):
            texts.insert(0, f"the clock leads, for a sensor at {mount.value} does not follow it")
        if exercise.target_deg is not None:
            least, most = exercise.target_deg
            texts.append(f"usual range {least:g} to {most:g} deg; your own is what counts")
        for text in filter(None, texts):
            console.print(f"{exercise.name}: {text}", style="dim", highlight=False)


def _worn(options: ExerciseOptions, address: Address, source: Source, console: Console) -> Worn:
    """A file has its calibration in it; a live wearer has a stored one, or shows one before the exercise."""
    if address.scheme == "replay":
        played = read_input(Path(address.target), options=replay_options(address))
        return _worn_in_file(options, played, console)
    mount = options.mount or mount_of(source) or Mount(options.settings.wear.mount)
    face = choose_face(source, address.scheme, setting=options.settings.wear.face)
    how = CalibrationOptions(face=face)
    person = options.person or DEFAULT_PERSON
    calibrations = Calibrations(options.data or data_folder(), person, device_name(address))
    if isinstance(source, Supervisor):
        calibrations.profile()  # a damaged file is an error now, not after the connection
        return Worn(mount=mount, calibration=how, calibrations=calibrations, asked_mount=options.mount)
    if options.person is None:
        return Worn(mount=mount, calibration=how)
    found, _ = KnownBoards(calibrations, options.mount or mount_of(source)).find()
    if found is None:
        return Worn(mount=mount, calibration=how, calibrations=calibrations)
    return Worn(
        mount=found.mount, mounting=found.mounting, collar=found.collar, is_put_on=True, calibration=how,
        calibrations=calibrations,
    )  # fmt: skip


def _worn_in_file(options: ExerciseOptions, played: ImuInput, console: Console) -> Worn:
    mount, _, notes = as_recorded(played, options.settings, mount=options.mount, is_rule_given=True)
    chosen = choose_neutral(
        played, mount=mount or Mount(options.settings.wear.mount), neutral=None, neutral_up_text=""
    )
    for note in (*played.notes, *notes, *chosen.notes):
        console.print(printable(note, 300), style="dim", highlight=False)
    return Worn(mount=chosen.mounting.mount, mounting=chosen.mounting)


def _open_live(
    options: ExerciseOptions, address: Address, source: Source, worn: Worn, console: Console
) -> LiveSession:
    store = _open_store(options, address, console)
    started, zone = datetime.now(UTC), local_zone_name()
    device = device_in_store(address, started)
    return open_session(
        worn, settings=options.settings, started_utc_s=started.timestamp(), zone=zone, device=device, store=store,
        commit_every_s=ack_every_s(float(address.options.get("speed", 1.0))),
        fetches=isinstance(source, Supervisor),
    )  # fmt: skip


def _run(
    options: ExerciseOptions,
    address: Address,
    source: Source,
    worn: Worn,
    exercises: Sequence[Exercise],
    title: str,
    dose: CoachSettings,
    tests: list[RangeTest],
    console: Console,
) -> list[ExerciseRecord]:
    live = _open_live(options, address, source, worn, console)
    minutes = sum(exercise.lasts_s(dose.breath_s) for exercise in exercises) / 60
    console.print(
        f"{title}: {counted(len(exercises), 'exercise')}, about {max(minutes, 1):.0f} min, "
        f"from {printable(options.address)}; Ctrl-C or q stops, and what was done is kept",
        highlight=False,
    )
    voice = _voice(options, console)
    trace = SessionTrace()
    with terminal_keys() as keys:
        view = ExerciseView(
            console, voice=voice, has_tones=options.has_tones, keys=keys, breath_s=dose.breath_s
        )
        listen = let_listen(source, options.catalogue)

        def on_coach(event: CoachEvent) -> None:
            trace.note(event)
            view.on_coach(event)
            listen(event)

        session = GuidedSession(live, exercises, dose, strength=options.strength, on_coach=on_coach)
        view.session = session
        if isinstance(source, Supervisor):
            source.on_notice = lambda line: console.print(printable(line, 300), style="dim", highlight=False)

        def on_update(received_s: float, events: LiveEvents) -> None:
            trace.take(events)
            view.show(received_s, events)

        try:
            _follow(source, session, view, on_update, console)
        finally:
            voice.close()
            _sum_up(options, session, trace, title, tests, console)
    return session.records


def _follow(
    source: Source,
    session: GuidedSession,
    view: ExerciseView,
    on_update: Callable[[float, LiveEvents], None],
    console: Console,
) -> None:
    if not console.is_terminal:
        run_guided_until_stopped(source, session, on_update, view.tick)
        return
    with Live(console=console, auto_refresh=False, transient=True) as drawn:
        view.live = drawn
        run_guided_until_stopped(source, session, on_update, view.tick)


def _voice(options: ExerciseOptions, console: Console) -> Voice:
    program = speaking_program() if options.has_speech else ()
    if options.has_speech and not program:
        console.print(MISSING, style=LINE_STYLES["warn"], highlight=False)
    return Voice(program)


def _open_store(options: ExerciseOptions, address: Address, console: Console) -> Store | None:
    if not options.is_stored:
        return None
    folder = store_folder(options.data, options.person, address.scheme)
    store = Store(folder, origin=ORIGINS.get(address.scheme, ""))
    for line in store.reports:
        console.print(printable(line, 1000), style=LINE_STYLES["warn"], highlight=False)
    return store


def _sum_up(
    options: ExerciseOptions,
    session: GuidedSession,
    trace: SessionTrace,
    title: str,
    tests: list[RangeTest],
    console: Console,
) -> None:
    if not session.records:
        console.print("nothing was done that could be kept", style=LINE_STYLES["warn"], highlight=False)
        return
    known = {direction: detectable_change(tests, direction) for direction in Direction}
    console.print(summary_table(session.records, options.catalogue, known), highlight=False)
    if options.is_stored and session.kept:
        console.print(f"kept: {session.kept}", style="dim", highlight=False, soft_wrap=True)
    if options.plot is not None:
        save_figure(session_picture(trace.drawn(), session.records, title=title), options.plot)
        console.print(f"plot: {printable(str(options.plot), 300)}", highlight=False, soft_wrap=True)
