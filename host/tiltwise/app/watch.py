"""`tiltwise watch`: the daily program. Live angle and alerts in the terminal, everything stored as it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tiltwise.config.address import Address, open_source, parse_address
from tiltwise.config.calibration_profiles import DEFAULT_PERSON, StoredCalibration, device_name, load_profile
from tiltwise.config.paths import data_folder
from tiltwise.config.settings import Settings, rule_settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.errors import UsageError
from tiltwise.link.source import Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.clock_watch import WallClock
from tiltwise.live.desktop import Desktop
from tiltwise.live.event_text import ACTIVITIES, clock, lines_of
from tiltwise.live.live_session import LiveSession, LiveUpdate
from tiltwise.live.run import run_until_stopped
from tiltwise.live.sources import mount_of
from tiltwise.live.wearer.case_orientation import choose_face
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.offline.input_file import ImuInput, as_recorded, choose_mounting, read_input
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.store.writer import Store
from tiltwise.text import printable, safe_name
from tiltwise.types import Mount

STYLES = {
    "plain": "", "begin": "yellow", "alert": "bold red", "good": "green", "count": "cyan", "faint": "dim",
    "warn": "bold yellow",
}  # fmt: skip
_BAR_CELLS = 30
_BAR_DEG = 60.0
_REDRAW_S = 0.25


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What the command line asks for; `mount` None leaves it to the source, the recording and the settings."""

    address: str
    settings: Settings
    mount: Mount | None = None
    neutral: Path | None = None
    neutral_up: str = ""
    data: Path | None = None
    is_stored: bool = True
    record: Path | None = None
    takeover: bool = False  # end the session of another program with this board
    person: str | None = None  # whose stored calibration; None: the default person's, and none for sim:
    is_rule_given: bool = False  # the rule of the settings was asked for: a recording's own does not count


def watch(options: WatchOptions, console: Console) -> None:
    """Watch a source until it ends or is stopped."""
    address = _address(options)
    source = open_source(address)
    played = read_input(Path(address.target)) if address.scheme == "replay" else None
    if played is not None:
        options = _as_recorded(options, played, console)
    mount = options.mount or mount_of(source) or Mount(options.settings.wear.mount)
    stored = _stored(options, address, mount, console)
    mounting, collar = (
        (stored.mounting, stored.collar) if stored else _mountings(options, played, mount, console)
    )
    zone = local_zone_name()
    started = datetime.now(UTC)
    device = safe_name(f"{address.scheme}-{Path(address.target or 'default').name}")
    if address.scheme in ("sim", "replay"):  # played again it is another day, not the same frames twice
        device = f"{device}-{started:%Y%m%dT%H%M%S}"
    keeper = None
    if options.is_stored:
        keeper = StoreSink(Store(options.data or data_folder()), device=device, mount=mount, zone=zone)
        for message in keeper.recoveries:
            console.print(message, style=STYLES["warn"])
    try:
        recorder = _recorder(options, mount, mounting, collar, started, zone, device)
    except OSError:
        if keeper is not None:
            keeper.close()
        raise
    session = LiveSession(
        settings=options.settings,
        mount=mount,
        mounting=mounting,
        collar=collar,
        is_put_on=stored is not None,
        started_utc_s=started.timestamp(),
        zone=zone,
        keeper=keeper,
        recorder=recorder,
        face=choose_face(source, address.scheme, setting=options.settings.wear.face),
        commit_every_s=max(1.0, float(address.options.get("speed", 1.0) or 50.0) / 10),
        fetches=isinstance(source, Supervisor),
    )
    if isinstance(source, Supervisor):
        source.on_notice = lambda line: console.print(printable(line, 300), style="dim", highlight=False)
        if not options.is_stored and options.record is None:
            console.print(
                "--no-store without --record keeps nothing: the board keeps what it has room for", style="dim"
            )
    wall = WallClock() if isinstance(source, Supervisor) else None
    _run(source, session, options, console, wall)


def _address(options: WatchOptions) -> Address:
    address = parse_address(options.address)
    if not options.takeover:
        return address
    if address.scheme not in ("ble", "serial"):
        raise UsageError("--takeover is for ble: and serial:, where another program may hold the board")
    return replace(address, options={**address.options, "takeover": 1})


def _stored(
    options: WatchOptions, address: Address, mount: Mount, console: Console
) -> StoredCalibration | None:
    """The calibration of this person and device, when there is one; the simulation's only when it is asked for."""
    if address.scheme == "replay" or (address.scheme == "sim" and options.person is None):
        return None
    if options.neutral or options.neutral_up:
        return None  # _mountings says why not
    person = options.person or DEFAULT_PERSON
    stored = load_profile(options.data or data_folder(), person, device_name(address)).current(mount)
    if stored is not None:
        console.print(
            f"calibration of {printable(person)} from {stored.created_utc:%Y-%m-%d}, worn at {mount.value}, "
            f"quality {stored.mounting.quality:.0%}; `tiltwise calibrate` makes a new one",
            style="dim",
            highlight=False,
            markup=False,
        )
    elif options.person is not None:
        text = f"no calibration of {printable(person)} for this device yet: it begins with the ritual"
        console.print(text, highlight=False, markup=False)
    return stored


def _as_recorded(options: WatchOptions, played: ImuInput, console: Console) -> WatchOptions:
    """Take from a recording what nobody asked for otherwise, and say so."""
    mount, settings, notes = as_recorded(
        played, options.settings, mount=options.mount, is_rule_given=options.is_rule_given
    )
    _say(console, (*played.notes, *notes))
    return replace(options, mount=mount, settings=settings)


def _mountings(
    options: WatchOptions, played: ImuInput | None, mount: Mount, console: Console
) -> tuple[Mounting | None, Mounting | None]:
    """A file has its neutral somewhere in it or beside it; a live wearer shows it in the ritual.

    Returns the calibration of the sensor, and that of a second one on the collar.
    """
    if played is None:
        if options.neutral or options.neutral_up:
            raise UsageError(
                "--neutral and --neutral-up are for replay:FILE; a live sensor is calibrated by nodding"
            )
        return None, None
    mounting, notes = choose_mounting(
        played, mount=mount, neutral=options.neutral, neutral_up_text=options.neutral_up
    )
    _say(console, notes)
    return mounting, played.collar if mounting is played.mounting else None


def _say(console: Console, notes: tuple[str, ...]) -> None:
    for note in notes:
        console.print(printable(note, 300), style="dim", highlight=False)


def _recorder(
    options: WatchOptions,
    mount: Mount,
    mounting: Mounting | None,
    collar: Mounting | None,
    started: datetime,
    zone: str,
    device: str,
) -> RecordingWriter | None:
    if options.record is None:
        return None
    header = recording_header(
        started=started, address=options.address, device=device, zone=zone, mount=mount,
        mounting=mounting, collar=collar, rule=options.settings.rule,
    )  # fmt: skip
    return RecordingWriter(options.record, header, start_s=0.0)


def _run(
    source: Source, session: LiveSession, options: WatchOptions, console: Console, wall: WallClock | None
) -> None:
    desktop = Desktop(wanted=options.settings.alerts.desktop)
    rule = rule_settings(options.settings.rule)
    console.print(
        f"watching {printable(options.address)}; rule {rule.angle_deg:g} deg for {rule.seconds:g} s; "
        "Ctrl-C stops and saves",
        highlight=False,
    )
    if desktop.trouble:
        console.print(desktop.trouble, style="dim", highlight=False)
    view = _View(console, session, wall)
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            view.live = live
            run_until_stopped(source, session, view.show, desktop=desktop)
    else:
        run_until_stopped(source, session, view.show, desktop=desktop)
    console.print(
        f"ended; {session.decoder.stats.samples} samples, {session.alerts.held_back} alerts held back"
    )


class _View:
    """Prints what happened; in a terminal keeps a line with the angle below it."""

    def __init__(self, console: Console, session: LiveSession, wall: WallClock | None = None) -> None:
        self._console, self._session, self._wall = console, session, wall
        self.live: Live | None = None
        self._drawn_s = 0.0
        self._activity = ""
        self._posture_deg, self._back_deg = float("nan"), float("nan")

    def show(self, received_s: float, live: LiveUpdate) -> None:
        set_clock = "" if self._wall is None else self._wall.check()
        for style, line in [*lines_of(live), *([("warn", set_clock)] if set_clock else [])]:
            self._console.print(f"{clock(received_s):>7}  {line}", style=STYLES[style], highlight=False)
        if live.posture_deg is not None:
            self._posture_deg = live.posture_deg
        if live.upper_back_deg is not None:
            self._back_deg = live.upper_back_deg
        now_s = time.monotonic()
        if self.live is None or live.angles is None or now_s - self._drawn_s < _REDRAW_S:
            return
        self._drawn_s = now_s
        if live.activity is not None:
            self._activity = ACTIVITIES[live.activity]
        tilt_deg = float(live.angles.lateral_deg[-1]) if len(live.angles.lateral_deg) else float("nan")
        profile = self._session.profile
        if profile is not None:
            shown = angle_words(profile.mounting, self._posture_deg, tilt_deg, self._back_deg)
            self.live.update(_angle_line(received_s, self._posture_deg, shown, self._activity), refresh=True)


def angle_words(mounting: Mounting, posture_deg: float, tilt_deg: float, back_deg: float) -> str:
    """Return the newest angles by the names that the calibration allows; the upper back only with its own sensor."""
    if not mounting.is_shown:
        return f"tilt {posture_deg:4.0f} deg"
    back = f"  back {back_deg:4.0f}" if np.isfinite(back_deg) else ""
    return f"forward {posture_deg:4.0f}  side {tilt_deg:4.0f}{back} deg"


def _angle_line(received_s: float, posture_deg: float, shown: str, activity: str) -> Text:
    """The newest angle as a number and a bar of fixed width."""
    filled = 0 if np.isnan(posture_deg) else int(np.clip(posture_deg / _BAR_DEG, 0, 1) * _BAR_CELLS)
    bar = "█" * filled + "·" * (_BAR_CELLS - filled)
    return Text(f"{clock(received_s):>7}  {bar}  {shown}  {activity}"[:79])
