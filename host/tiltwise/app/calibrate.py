"""`tiltwise calibrate`: guides through a calibration, live, and stores how the sensor sits on this person.

Text and a bell guide; progress is shown as it comes. A refusal says why, and there are three tries.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tiltwise.config.address import open_source, parse_address
from tiltwise.config.calibration_profiles import (
    DEFAULT_PERSON,
    Calibrations,
    DeviceProfile,
    device_name,
)
from tiltwise.config.paths import data_folder
from tiltwise.config.settings import Settings
from tiltwise.errors import AppError
from tiltwise.link.source import Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.calibration_session import TRIES, CalibrationSession
from tiltwise.live.run import run_calibration
from tiltwise.live.sources import mount_of, taking_over, wearing
from tiltwise.live.wearer.case_orientation import AUTO, OFF, choose_face
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.live.wearer.live_events import LiveEvents, LiveNote
from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.remount import check_remount
from tiltwise.motion.rotation import conjugate, rotate
from tiltwise.offline.picture_file import save_figure
from tiltwise.report.plots import Figure
from tiltwise.report.plots_calibration import CalibrationTraces, calibration
from tiltwise.text import printable
from tiltwise.types import FloatArray, Mount, OrientationBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateOptions:
    """What the command line asks for.

    Parameters
    ----------
    address
        Source; `sim:` and `replay:` too.
    mount
        None leaves it to a simulated source, or else to default_mount.
    with_tilts
        Ask for side tilts too; with a sensor on the collar they are always asked for.
    is_in_front
        The sensor is not behind the joint: glasses, headphones.
    person
        Whose calibration.
    out
        Picture to write.
    has_sound
        Ring the terminal's bell at each step.
    is_anew
        Store the result even if it sits more than 25 deg differently than the stored one.
    data
        Folder of the calibrations; the data folder without.
    takeover
        End the session of another program with this board.
    settings
        The wearer's, which the board is told too.
    face
        Case orientation (case_orientation.py); empty leaves it to the source and default_face.
    """

    address: str
    mount: Mount | None = None
    with_tilts: bool = False
    is_in_front: bool = False
    person: str = DEFAULT_PERSON
    out: Path | None = None
    has_sound: bool = True
    is_anew: bool = False
    data: Path | None = None
    default_mount: Mount = Mount.NECK
    face: str = ""
    takeover: bool = False
    default_face: str = AUTO
    settings: Settings = field(default_factory=Settings)


def run_calibrate(options: CalibrateOptions, console: Console) -> DeviceProfile:
    """Guide, store and draw; return the person's calibrations as they are now stored.

    Raises
    ------
    AppError
        After three refusals, at the end of the source, when nothing is received, or when it sits so differently from
        the stored calibration that it needs `--anew`.
    """
    address = wearing(parse_address(options.address), options.mount)
    if options.takeover:
        address = taking_over(address)
    source = open_source(address)
    if isinstance(source, Supervisor):
        source.on_notice = lambda line: console.print(printable(line, 300), style="dim", highlight=False)
    calibrations = Calibrations(options.data or data_folder(), options.person, device_name(address))
    calibrations.profile()  # a damaged file is an error before, not after the nods
    face = choose_face(source, address.scheme, setting=options.default_face, asked=options.face)
    session = CalibrationSession(
        options.mount or mount_of(source) or options.default_mount,
        CalibrationOptions(with_tilts=options.with_tilts, is_in_front=options.is_in_front, face=face),
        has_answers=isinstance(source, Supervisor),
        is_mount_asked=options.mount is not None,
        settings=options.settings,
    )
    hints = ""
    if address.scheme != "sim":
        hints += "" if options.with_tilts or session.mount is Mount.COLLAR else "; --tilts makes it finer"
        hints += "" if face == OFF else "; --face off for a case that is not ours"
    console.print(
        f"calibrating {printable(options.address)} for {printable(options.person)}, "
        f"worn at {session.mount.value}{hints}",
        highlight=False,
    )
    _guide(source, session, console, has_sound=options.has_sound)
    return _store(session, calibrations, options, console)


def _guide(source: Source, session: CalibrationSession, console: Console, *, has_sound: bool) -> None:
    """Run the calibration, showing where it is."""
    view = CalibrationView(console, session, has_sound=has_sound)
    if not console.is_terminal:
        asyncio.run(run_calibration(source, session, view.show))
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        view.live = live
        asyncio.run(run_calibration(source, session, view.show))


def _store(
    session: CalibrationSession, calibrations: Calibrations, options: CalibrateOptions, console: Console
) -> DeviceProfile:
    if session.mounting is None:
        refusals = session.refusals
        reason = refusals[-1] if refusals else "the source ended before the calibration was complete"
        raise AppError(f"not calibrated after {max(len(refusals), 1)} of {TRIES} tries: {reason}")
    before = calibrations.profile(session.device).current(session.mount)
    if before is not None:
        _compare(before.mounting, session.mounting, console, is_anew=options.is_anew)
    path = calibrations.keep(
        session.mounting, session.calibration.collar, device=session.device, is_behind=not options.is_in_front
    )
    console.print(f"stored: {printable(str(path), 300)}", highlight=False, soft_wrap=True)
    if options.out is not None:
        save_figure(picture(session, session.mounting, options.person), options.out)
        console.print(f"picture: {printable(str(options.out), 300)}", highlight=False, soft_wrap=True)
    return calibrations.profile(session.device)


def picture(session: CalibrationSession, mounting: Mounting, person: str) -> Figure:
    """Return the figure of a successful calibration."""
    pairs = [
        (0, mounting),
        *([(1, session.calibration.collar)] if session.calibration.collar is not None else []),
    ]
    return calibration(
        [_drawn(session.calibration.samples(sensor), each) for sensor, each in pairs],
        title=f"Calibration of {printable(person, 30)}",
    )


def _drawn(block: OrientationBlock, mounting: Mounting) -> CalibrationTraces:
    angles = AnglesStage(mounting).process(block)
    axes: FloatArray = rotate(conjugate(mounting.q), np.eye(3))
    return CalibrationTraces(
        mounting.mount, mounting.quality, axes, angles.t_s, angles.flexion_deg, angles.lateral_deg
    )


def _compare(stored: Mounting, now: Mounting, console: Console, *, is_anew: bool) -> None:
    """Say how it sits against the stored calibration; refuse what looks like another place unless asked for."""
    check = check_remount(stored, now)
    if check.verdict == "refuse" and not is_anew:
        raise AppError(f"{check.text} To store it all the same: --anew.")
    differs = f"It sits {check.change_deg:.0f} deg differently"
    console.print(
        {
            "same": check.text,
            "realign": f"{differs}: stored as the new calibration, the old is kept.",
            "refuse": f"{differs}: stored anew as asked, the old is kept.",
        }[check.verdict],
        highlight=False,
    )


class CalibrationView:
    """A line for each step and count, with a bell; in a terminal the seconds of stillness below."""

    def __init__(self, console: Console, session: CalibrationSession, *, has_sound: bool) -> None:
        self._console, self._session = console, session
        self._has_sound = has_sound and console.is_terminal
        self.live: Live | None = None
        self._shown: tuple[CalibrationStep, int, str] | None = None

    def show(self, _received_s: float, events: LiveEvents) -> None:
        """Take what a chunk brought."""
        for event in events:
            if isinstance(event, CalibrationProgress):
                self._show(event)
            elif isinstance(event, LiveNote):
                self._console.print(f"  {event.text}", style="dim", highlight=False)

    def _show(self, progress: CalibrationProgress) -> None:
        state = (progress.step, progress.count, progress.reason)
        if state != self._shown:
            self._shown = state
            style, line = progress_line(progress, len(self._session.refusals))
            self._console.print(f"  {line}", style=style, highlight=False)
            if self._has_sound:
                self._console.bell()
        if self.live is not None:
            self.live.update(_progress_bar(progress), refresh=True)


def _progress_bar(progress: CalibrationProgress) -> Text:
    """The seconds of stillness, or the movements counted; nothing when it is over."""
    if progress.is_over:
        return Text("")
    if progress.step is CalibrationStep.SIT_STILL:
        return Text(f"  still {progress.still_s:.1f} of 3 s  {'█' * int(10 * progress.still_s)}")
    return Text(f"  {progress.count} of 3  {'█' * (10 * progress.count)}")


def progress_line(progress: CalibrationProgress, refused: int) -> tuple[str, str]:
    """Return (style, words) for where the calibration is; refused is how many tries have failed."""
    if progress.step is CalibrationStep.DONE:
        return "green", progress.text
    if progress.step is CalibrationStep.REFUSED:
        again = f" Try {refused + 1} of {TRIES}." if refused < TRIES else ""
        return "bold yellow", f"{progress.text}.{again}"
    if progress.step is CalibrationStep.SIT_STILL:
        return "", progress.text
    return "", f"{progress.text} ({progress.count} of 3)"
