"""`tiltwise calibrate`: leads through the ritual, live, and stores how the sensor sits on this person.

Text and a bell lead; progress is shown as it comes. A refusal says why, and there are three tries.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tiltwise.common import wire
from tiltwise.config.address import open_source, parse_address
from tiltwise.config.calibration_profiles import (
    DEFAULT_PERSON,
    DeviceProfile,
    StoredCalibration,
    device_name,
    load_profile,
    save_calibration,
)
from tiltwise.config.paths import data_folder
from tiltwise.errors import AppError
from tiltwise.link.source import Chunk, Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.calibration_session import TRIES, CalibrationSession
from tiltwise.live.haptic_cues import HapticCues
from tiltwise.live.sources import mount_of
from tiltwise.live.wearer.case_orientation import AUTO, OFF, choose_face
from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.remount import RemountCheck, check_remount
from tiltwise.motion.rotation import conjugate, rotate
from tiltwise.offline.picture_file import save_figure
from tiltwise.report.plots import Figure
from tiltwise.report.plots_calibration import CalibrationTraces, calibration
from tiltwise.text import printable
from tiltwise.types import FloatArray, Mount, OrientationBlock

SILENCE_S = 30.0  # real time without a single frame: longer than any connection takes
ANSWER_S = 2.0  # for the board's answer to the last pattern: two tries of a second


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """What the command line asks for.

    Parameters
    ----------
    address : source; `sim:` and `replay:` too.
    mount : None leaves it to a simulated source, or else to default_mount.
    with_tilts : ask for side tilts too; with a sensor on the collar they are always asked for.
    is_in_front : the sensor is not behind the joint: glasses, headphones.
    person : whose profile.
    out : picture to write.
    has_sound : ring the terminal's bell at each step.
    is_anew : store the result even if it sits more than 25 deg differently than the stored one.
    data : folder of the profiles; the data folder without.
    face : which way the case faces (case_orientation.py); empty leaves it to the source and default_face.
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
    default_face: str = AUTO


def run_calibrate(options: CalibrateOptions, console: Console) -> DeviceProfile:
    """Guide, store and draw; return the profile as it is now stored.

    Raises
    ------
    AppError
        After three refusals, at the end of the source, when nothing is received, or when it sits so differently from
        the stored calibration that it needs `--anew`.
    """
    address = parse_address(options.address)
    source = open_source(address)
    is_sim = address.scheme == "sim"
    mount = options.mount or mount_of(source) or options.default_mount
    device, folder = device_name(address), options.data or data_folder()
    profile = load_profile(
        folder, options.person, device
    )  # a damaged file is told before, not after the nods
    face = choose_face(source, address.scheme, setting=options.default_face, asked=options.face)
    guide = CalibrationSession(mount, options.with_tilts, options.is_in_front, face)
    console.print(
        f"calibrating {printable(options.address)} for {printable(options.person)}, worn at {mount.value}"
        + ("" if is_sim or options.with_tilts or mount is Mount.COLLAR else "; --tilts makes it finer")
        + ("" if is_sim or face == OFF else "; --face off for a case that is not ours"),
        highlight=False,
    )
    _lead(source, guide, console, has_sound=options.has_sound)
    if guide.mounting is None:
        reason = guide.refusals[-1] if guide.refusals else "the source ended before the ritual was complete"
        raise AppError(f"not calibrated after {max(len(guide.refusals), 1)} of {TRIES} tries: {reason}")
    stored = profile.current(mount)
    if stored is not None:
        _compare(stored.mounting, guide.mounting, options, console)
    found = StoredCalibration(
        datetime.now(UTC), guide.mounting, guide.collar, is_behind=not options.is_in_front
    )
    profile, path = save_calibration(folder, profile, found)
    console.print(f"stored: {printable(str(path), 300)}", highlight=False, soft_wrap=True)
    if options.out is not None:
        save_figure(picture(guide, options.person), options.out)
        console.print(f"picture: {printable(str(options.out), 300)}", highlight=False, soft_wrap=True)
    return profile


def picture(guide: CalibrationSession, person: str) -> Figure:
    """Return the figure of a successful calibration."""
    assert guide.mounting is not None
    pairs = [(0, guide.mounting), *([(1, guide.collar)] if guide.collar is not None else [])]
    return calibration(
        [_drawn(guide.samples(sensor), mounting) for sensor, mounting in pairs],
        title=f"Calibration of {printable(person, 30)}",
    )


def _drawn(block: OrientationBlock, mounting: Mounting) -> CalibrationTraces:
    angles = AnglesStage(mounting).process(block)
    axes: FloatArray = rotate(conjugate(mounting.q), np.eye(3))
    return CalibrationTraces(
        mounting.mount, mounting.quality, axes, angles.t_s, angles.flexion_deg, angles.lateral_deg
    )


def _compare(stored: Mounting, now: Mounting, options: CalibrateOptions, console: Console) -> RemountCheck:
    """Say how it sits against the stored calibration; refuse what looks like another place unless asked for."""
    check = check_remount(stored, now)
    if check.verdict == "refuse" and not options.is_anew:
        raise AppError(f"{check.text} To store it all the same: --anew.")
    said = {
        "same": check.text,
        "realign": f"It sits {check.change_deg:.0f} deg differently: stored as the new calibration, the old is kept.",
        "refuse": f"It sits {check.change_deg:.0f} deg differently: stored anew as asked, the old is kept.",
    }[check.verdict]
    console.print(said, highlight=False)
    return check


def _lead(source: Source, guide: CalibrationSession, console: Console, *, has_sound: bool) -> None:
    """Run the source through the guide, showing where it is."""
    view = _View(console, has_sound=has_sound)
    if not console.is_terminal:
        asyncio.run(_run(source, guide, view))
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        view.live = live
        asyncio.run(_run(source, guide, view))


async def _run(source: Source, guide: CalibrationSession, view: _View) -> None:
    """Follow the source to the end of the ritual; a board with a motor ticks along."""
    taps = HapticCues() if isinstance(source, Supervisor) else None
    async with source:
        chunks = source.chunks()
        while not guide.is_over:
            try:
                chunk = await asyncio.wait_for(anext(chunks), SILENCE_S)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise AppError(
                    f"nothing received for {SILENCE_S:.0f} s: is the board on and near? try `tiltwise scan`"
                ) from None
            if chunk.data and not wire.is_frame(chunk.data):
                if taps is not None:
                    taps.hear(chunk.data)
                continue
            commands = guide.acknowledge(chunk.received_s)
            for progress in guide.receive(chunk.data):
                view.show(progress, len(guide.refusals))
                commands += [] if taps is None else taps.commands(progress, guide.decoder.info)
            for command in commands:
                await source.send(command)
        if taps is not None:  # the last pattern is still on its way
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_answered(chunks, taps), ANSWER_S)


async def _answered(chunks: AsyncIterator[Chunk], taps: HapticCues) -> None:
    while taps.is_waiting:
        chunk = await anext(chunks)
        if chunk.data and not wire.is_frame(chunk.data):
            taps.hear(chunk.data)


class _View:
    """A line for each step and count, with a bell; in a terminal the seconds of stillness below."""

    def __init__(self, console: Console, *, has_sound: bool) -> None:
        self._console, self._has_sound = console, has_sound and console.is_terminal
        self.live: Live | None = None
        self._told: tuple[CalibrationStep, int, str] | None = None

    def show(self, progress: CalibrationProgress, refused: int) -> None:
        told = (progress.step, progress.count, progress.reason)
        if told != self._told:
            self._told = told
            style, line = progress_line(progress, refused)
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
    """Return (style, words) for where the ritual is; refused is how many tries have failed."""
    if progress.step is CalibrationStep.DONE:
        return "green", progress.text
    if progress.step is CalibrationStep.REFUSED:
        again = f" Try {refused + 1} of {TRIES}." if refused < TRIES else ""
        return "bold yellow", f"{progress.text}.{again}"
    if progress.step is CalibrationStep.SIT_STILL:
        return "", progress.text
    return "", f"{progress.text} ({progress.count} of 3)"
