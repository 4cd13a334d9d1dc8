"""`tiltwise watch`: the daily program. Live angle and alerts in the terminal, everything stored as it comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live

from tiltwise.app.running.watch_control import watch_control
from tiltwise.app.terminal_keys import terminal_keys
from tiltwise.app.watch_view import Today, WatchView
from tiltwise.config.address import Address, open_source, parse_address, replay_options
from tiltwise.config.calibration_profiles import DEFAULT_PERSON, Calibrations, device_name
from tiltwise.config.paths import data_folder, person_folder, simulated_in
from tiltwise.config.settings import Deliver, Settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.console import LINE_STYLES, print_line
from tiltwise.errors import UsageError
from tiltwise.exercise.set_counter import watched_exercises
from tiltwise.link.source import Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.acknowledgements import ack_every_s
from tiltwise.live.clock_watch import WallClock
from tiltwise.live.control.running_session import Control
from tiltwise.live.desktop import Desktop
from tiltwise.live.event_text import clock, lasting, lines_of
from tiltwise.live.known_boards import KnownBoards
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, day_so_far, open_session
from tiltwise.live.run import run_until_stopped
from tiltwise.live.sources import ORIGINS, device_in_store, mount_of, taking_over, wearing
from tiltwise.live.wearer.case_orientation import choose_face
from tiltwise.live.wearer.desk_state import DeskState
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.live.wearer.recorded_changes import RecordedChanges
from tiltwise.live.wearer.sample_batch import LIVE_S
from tiltwise.offline.input_file import ImuInput, as_recorded, choose_neutral, read_input
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.replay import ReplaySource
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.store.writer import Store
from tiltwise.text import printable
from tiltwise.types import Mount

_HURRIED_COMMIT_S, _HURRIED_BATCH_S = 60.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """What the command line asks for.

    Parameters
    ----------
    mount
        None leaves it to the source, the recording and the settings.
    neutral, neutral_up
        The neutral posture of a recording, as `analyze` takes it.
    takeover
        End the session of another program with this board.
    person
        Whose calibration and days; None: the default person's, and no stored calibration for `sim:`.
    is_rule_given
        The rule of the settings was asked for: a recording's own does not count.
    with_tilts, is_in_front
        How to calibrate when there is no calibration yet, as `calibrate` takes it.
    """

    address: str
    settings: Settings
    mount: Mount | None = None
    neutral: Path | None = None
    neutral_up: str = ""
    data: Path | None = None
    is_stored: bool = True
    record: Path | None = None
    takeover: bool = False
    person: str | None = None
    is_rule_given: bool = False
    with_tilts: bool = False
    is_in_front: bool = False


def _as_played(
    options: WatchOptions, address: Address, played: ImuInput | None, console: Console
) -> WatchOptions:
    """Return the options as the recording has them; who plays a file or a story has nothing to get used to."""
    if played is not None:
        options = _as_recorded(options, played, console)
    if address.scheme not in ORIGINS or (played is not None and played.alerts is not None):
        return options
    at_once = replace(options.settings.alerts, first_quiet_min=0.0)
    return replace(options, settings=replace(options.settings, alerts=at_once))


def watch(options: WatchOptions, console: Console) -> None:
    """Watch a source until it ends or is stopped."""
    address = _address(options)
    source = open_source(address)
    played = None
    if address.scheme == "replay":
        played = read_input(Path(address.target), options=replay_options(address))
    options = _as_played(options, address, played, console)
    worn = _worn(options, address, source, played, console)
    zone, started = local_zone_name(), datetime.now(UTC)
    device = device_in_store(address, started)
    store = _open_store(options, address, console)
    local = started.astimezone(ZoneInfo(zone))
    today = Today(local, day_so_far(store, local))
    try:
        recorder = _recorder(options, worn, started, zone, device)
    except OSError:
        if store is not None:
            store.close()
        raise
    # At full speed nobody waits for the next second: commits and small blocks would take most of the time.
    speed = float(address.options.get("speed", 1.0))
    gives_answers = played is not None and played.has_answers  # what is missing is decided as it was live
    if isinstance(source, ReplaySource):
        source.gives_answers = gives_answers
    is_hurried = address.scheme == "replay" and speed == 0 and not gives_answers
    session = open_session(
        worn,
        settings=options.settings,
        exercises=watched_exercises(worn.mount),
        started_utc_s=started.timestamp(),
        zone=zone,
        device=device,
        store=store,
        so_far=today.stored,
        recorder=recorder,
        commit_every_s=_HURRIED_COMMIT_S if is_hurried else 1.0 if gives_answers else ack_every_s(speed),
        batch_s=_HURRIED_BATCH_S if is_hurried else LIVE_S,
        fetches=isinstance(source, Supervisor) or gives_answers,
        changes=_changes(worn, played),
        recorded_clock=None if played is None else played.clock,
    )
    control = _control(source, address, options, started)
    _run(source, session, control, today, options, console)


def _control(source: Source, address: Address, options: WatchOptions, started: datetime) -> Control:
    return watch_control(
        source,
        address=options.address,
        person=options.person,
        data=options.data or data_folder(),
        store=_store_folder(options, address),
        is_stored=options.is_stored,
        origin=ORIGINS.get(address.scheme, ""),
        started_utc_s=started.timestamp(),
    )


def _store_folder(options: WatchOptions, address: Address) -> Path:
    """What is simulated or replayed has a store apart, so that it is never taken for the wearer's own days."""
    folder = simulated_in(data_folder()) if address.scheme in ORIGINS else data_folder()
    return person_folder(options.data or folder, options.person)


def _address(options: WatchOptions) -> Address:
    address = wearing(parse_address(options.address), options.mount)
    return taking_over(address) if options.takeover else address


def _as_recorded(options: WatchOptions, played: ImuInput, console: Console) -> WatchOptions:
    """Take from a recording what nobody asked for otherwise, and say so."""
    mount, settings, notes = as_recorded(
        played, options.settings, mount=options.mount, is_rule_given=options.is_rule_given
    )
    _print_notes(console, (*played.notes, *notes))
    return replace(options, mount=mount, settings=settings)


def _worn(
    options: WatchOptions, address: Address, source: Source, played: ImuInput | None, console: Console
) -> Worn:
    """A file has its neutral in it or beside it; a live wearer has a stored calibration, or shows one."""
    mount = options.mount or mount_of(source) or Mount(options.settings.wear.mount)
    if played is not None:
        return _worn_in_file(options, mount, played, console)
    if options.neutral or options.neutral_up:
        raise UsageError(
            "--neutral and --neutral-up are for replay:FILE; a live sensor is calibrated by nodding"
        )
    person = options.person or DEFAULT_PERSON
    calibrations = Calibrations(options.data or data_folder(), person, device_name(address))
    face = choose_face(source, address.scheme, setting=options.settings.wear.face)
    how = CalibrationOptions(with_tilts=options.with_tilts, is_in_front=options.is_in_front, face=face)
    if isinstance(source, Supervisor):  # looked up when the board has said who it is
        calibrations.profile()  # a damaged file is an error now, not after the connection
        return Worn(mount=mount, calibration=how, calibrations=calibrations, asked_mount=options.mount)
    if options.person is None:  # the simulation's only when it is asked for
        return Worn(mount=mount, calibration=how)
    known = KnownBoards(calibrations, options.mount or mount_of(source))
    found, said = known.find()
    for style, line in lines_of(tuple(said)):
        print_line(console, line, LINE_STYLES[style])
    if found is None:
        return Worn(mount=mount, calibration=how, calibrations=calibrations)
    return Worn(
        mount=found.mount,
        mounting=found.mounting,
        collar=found.collar,
        is_put_on=True,
        calibration=how,
        calibrations=calibrations,
    )


def _worn_in_file(options: WatchOptions, mount: Mount, played: ImuInput, console: Console) -> Worn:
    chosen = choose_neutral(played, mount=mount, neutral=options.neutral, neutral_up_text=options.neutral_up)
    _print_notes(console, chosen.notes)
    if chosen.relative_to_s is not None:
        text = (
            f"no verdict: all angles are relative to the posture at {clock(chosen.relative_to_s)}; whether that "
            "was upright is not known (give --neutral or --neutral-up)"
        )
        print_line(console, text, LINE_STYLES["warn"])
    if chosen.mounting is not played.mounting or not played.calibrations:
        return Worn(mount=mount, mounting=chosen.mounting)
    before, *_, began = played.calibrations[0]
    if before:  # it was made meanwhile, and nobody knew it before
        return Worn(mount=mount)
    return Worn(mount=mount, mounting=began.mounting, collar=began.collar, is_put_on=began.is_put_on)


def _changes(worn: Worn, played: ImuInput | None) -> RecordedChanges | None:
    """What the session of the recording was told meanwhile; calibrations only where no other neutral is used."""
    if played is None:
        return None
    calibrations = [(before, calibrated) for before, *_, calibrated in played.calibrations]
    is_theirs = worn.mounting is None or any(worn.mounting is each.mounting for _, each in calibrations)
    return RecordedChanges(calibrations if is_theirs else (), played.snoozes)


def _open_store(options: WatchOptions, address: Address, console: Console) -> Store | None:
    if not options.is_stored:
        return None
    origin = ORIGINS.get(address.scheme, "")
    store = Store(_store_folder(options, address), origin=origin)
    for line in store.reports:
        print_line(console, printable(line, 1000), LINE_STYLES["warn"])
    if origin:
        text = f"{origin}: its days are kept in {store.folder}"
        console.print(printable(text, 300), style="dim", highlight=False, soft_wrap=True)
    return store


def _recorder(
    options: WatchOptions, worn: Worn, started: datetime, zone: str, device: str
) -> RecordingWriter | None:
    if options.record is None:
        return None
    header = recording_header(
        started=started, address=options.address, device=device, zone=zone, mount=worn.mount,
        mounting=worn.mounting, collar=worn.collar, rule=options.settings.rule,
        exercises=watched_exercises(worn.mount), asked_mount=options.mount, alerts=options.settings.alerts,
    )  # fmt: skip
    return RecordingWriter(options.record, header, start_s=0.0)


def _run(
    source: Source,
    session: LiveSession,
    control: Control,
    today: Today,
    options: WatchOptions,
    console: Console,
) -> None:
    wall_clock = None
    if isinstance(source, Supervisor):
        wall_clock = WallClock()
        source.on_notice = lambda line: print_line(console, printable(line, 300), "dim")
        if not options.is_stored and options.record is None:
            text = "--no-store without --record keeps nothing: the board keeps what it has room for"
            console.print(text, style="dim")
    alerts = options.settings.alerts
    is_live = isinstance(source, Supervisor)  # a story or a recording has nothing to do with this desk
    state = DeskState(wanted=alerts.busy and is_live)
    session.alerts.busy = lambda: state.reason
    desktop = Desktop(wanted=alerts.deliver is not Deliver.SENSOR, state=state)
    rule = options.settings.rule.words
    print_line(console, f"watching {printable(options.address)}; rule {rule}; Ctrl-C stops and saves")
    if desktop.trouble:
        _print_notes(console, (desktop.trouble,))
    if desktop.trouble and not alerts.console:
        text = "alerts are shown nowhere: [alerts] console is off in the settings too"
        print_line(console, text, LINE_STYLES["warn"])
    with terminal_keys() as keys:
        view = WatchView(
            console, session, wall_clock, shows_alerts=alerts.console, keys=keys,
            rule=options.settings.rule, today=today,
        )  # fmt: skip
        if console.is_terminal:
            with Live(console=console, auto_refresh=False, transient=True) as live:
                view.live = live
                run_until_stopped(source, session, view.show, desktop=desktop, control=control)
        else:
            run_until_stopped(source, session, view.show, desktop=desktop, control=control)
    _say_end(session, view, options, console)


def _say_end(session: LiveSession, view: WatchView, options: WatchOptions, console: Console) -> None:
    held = f", {session.alerts.held_back} held back" if session.alerts.held_back else ""
    kept = "stored" if options.is_stored else "not stored"
    ended = f"ended after {lasting(view.last_s)}"
    print_line(console, f"{ended}; alerts: {view.alerts}{held}; the samples are {kept}")
    if options.record is not None:
        console.print(f"recording: {printable(str(options.record), 300)}", highlight=False, soft_wrap=True)


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        print_line(console, printable(note, 300), "dim")
