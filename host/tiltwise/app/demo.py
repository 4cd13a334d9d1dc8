"""`tiltwise demo`: the whole system on a simulated wearer, with a live commentary; then plot and recording.

Simulated wearer -> register-level IMU -> the real firmware -> frames -> the live session -> store -> day plot.
Nothing here knows what the wearer will do; every line comes out of the same stages as on a real day.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Console

from tiltwise.app.day import DEMOS, day_figure, load_day
from tiltwise.config.settings import RuleKind, Settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.console import LINE_STYLES, print_line
from tiltwise.errors import AppError
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.live.acknowledgements import ack_every_s
from tiltwise.live.event_text import clock, lines_of
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_until_stopped
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import Calibrated, LiveEvents, PostureMeasured
from tiltwise.offline.picture_file import save_figure
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.report.hindsight import known_later
from tiltwise.sim.board.simulated_source import SimSource
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.stored_samples import SIMULATED
from tiltwise.store.writer import Store
from tiltwise.text import counted, printable
from tiltwise.types import (
    ACTIVITIES,
    Activity,
    ActivityChanged,
    EpisodeEnded,
    FloatArray,
    Mount,
    RepCompleted,
)

EXERCISE = "side_tilt"
START_HOUR = 9  # local time on the day plot
_LONGEST_TRACE_S = 1800.0  # longer ones are drawn by the minute
_AWAY = (ACTIVITIES.index(Activity.NOT_WORN), ACTIVITIES.index(Activity.LYING))


def demo_settings(settings: Settings) -> Settings:
    """Return the wearer's settings for a story of minutes: the simple rule, for a dose fills slowly, and at once."""
    return replace(
        settings,
        rule=replace(settings.rule, kind=RuleKind.SIMPLE),
        alerts=replace(settings.alerts, first_quiet_min=0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line asks for: speed in times real speed, 0 for as fast as it goes; out is a new folder."""

    settings: Settings
    minutes: float = 6.0
    seed: int = 1
    speed: float = 20.0
    mount: Mount = Mount.NECK
    out: Path | None = None

    @property
    def counted(self) -> tuple[str, ...]:
        """The exercise of the demo, where a sensor at this mount can count it."""
        return (EXERCISE,) if EXERCISES[EXERCISE].is_counted(self.mount) else ()


@dataclass(slots=True)
class DemoTally:
    """Counts what the demo is about while it goes by."""

    console: Console
    alerts: int = 0
    corrected: int = 0
    reps: list[RepCompleted] = field(default_factory=list)
    has_calibration: bool = False
    # (device s, deg, code of the activity), one a frame
    trace: list[tuple[float, float, int]] = field(default_factory=list)
    changes: list[ActivityChanged] = field(default_factory=list)

    def take(self, received_s: float, events: LiveEvents) -> None:
        """Count, and print what is worth a line."""
        for event in events:
            match event:
                case Calibrated():
                    self.has_calibration = True
                case PostureMeasured():
                    activity = self.changes[-1].activity if self.changes else Activity.STILL
                    self.trace.append((event.t_s, event.angle_deg, ACTIVITIES.index(activity)))
                case ActivityChanged():
                    self.changes.append(event)
                case Notice(level=NoticeLevel.ALERT, is_repeated=False):
                    self.alerts += 1
                case EpisodeEnded(is_corrected=True, alert_s=float()):
                    self.corrected += 1
                case RepCompleted():
                    self.reps.append(event)
        for style, line in lines_of(events):
            print_line(self.console, f"  {clock(received_s):>6}  {line}", LINE_STYLES[style], indent=10)

    def line(self, session: LiveSession) -> tuple[FloatArray, FloatArray] | None:
        """Return the angle over the demo for the plot, (UTC s, deg); None when it is long enough for minutes."""
        if not self.trace or self.trace[-1][0] - self.trace[0][0] > _LONGEST_TRACE_S:
            return None
        t_s, angle_deg, code = np.array(self.trace).T
        is_away = np.isin(known_later(t_s, code.astype(np.int8), angle_deg, self.changes), _AWAY)
        angle_deg = np.where(is_away, np.nan, angle_deg)
        return np.array([session.utc_s(t) for t in t_s.tolist()]), angle_deg


def run_demo(options: DemoOptions, console: Console) -> Path:
    """Run the demo and return the folder with the plot, the database and the recording."""
    folder = _new_folder(options.out)
    simulation = Simulation(
        "demo", seed=options.seed, minutes=options.minutes, mount=options.mount, auto_ack=False
    )
    started = datetime.now(ZoneInfo(local_zone_name())).replace(
        hour=START_HOUR, minute=0, second=0, microsecond=0
    )
    session = _session(options, folder, started)
    _print_introduction(console, simulation, options)
    tally = DemoTally(console)
    began_s = time.monotonic()
    run_until_stopped(SimSource(simulation, speed=options.speed), session, tally.take)
    _print_summary(console, tally, session, options, time.monotonic() - began_s)
    limit_deg = options.settings.rule.limit_deg(options.mount)
    picture = day_figure(load_day(folder, started.date()), limit_deg, tally.line(session))
    save_figure(picture, folder / "day.png")
    _print_files(console, folder)
    if not tally.has_calibration:
        raise AppError("the demo ended without a calibration: give it more --minutes, or another --seed")
    return folder


def _session(options: DemoOptions, folder: Path, started: datetime) -> LiveSession:
    zone, device = local_zone_name(), f"sim-demo-{options.seed}"
    header = recording_header(
        started=started, address="sim:demo", device=device, zone=zone, mount=options.mount,
        rule=options.settings.rule, exercises=options.counted, alerts=options.settings.alerts,
    )  # fmt: skip
    return open_session(
        Worn(mount=options.mount),
        settings=options.settings,
        started_utc_s=started.timestamp(),
        zone=zone,
        device=device,
        store=Store(folder, min_free_bytes=0, origin=SIMULATED),
        recorder=RecordingWriter(folder / "demo.tw", header, start_s=0.0),
        exercises=options.counted,
        commit_every_s=ack_every_s(options.speed),
    )


def _new_folder(out: Path | None) -> Path:
    """A folder of its own for each run, so that no demo writes into anybody's data."""
    folder = out or Path(DEMOS) / time.strftime("%Y%m%d-%H%M%S")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AppError(f"{folder}: not an empty folder; name a new one with --out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _print_introduction(console: Console, simulation: Simulation, options: DemoOptions) -> None:
    minutes, rule = simulation.duration_s / 60, options.settings.rule
    pace = f"{options.speed:g} times real speed" if options.speed else "full speed"
    console.print(
        f"tiltwise demo: {minutes:g} minutes of a simulated wearer at {pace}, seed {options.seed}",
        style="bold",
    )
    console.print(
        "wearer -> IMU registers -> firmware -> frames -> angles -> alerts and store\n"
        f"sensor at {options.mount.value}, rule {rule.words}\n",
        style="dim",
        highlight=False,
    )


def _print_summary(
    console: Console, tally: DemoTally, session: LiveSession, options: DemoOptions, took_s: float
) -> None:
    stats = session.decoder.stats
    whole = [rep for rep in tally.reps if not rep.is_partial]
    sides = {side: sum(rep.side.value == side for rep in whole) for side in ("left", "right")}
    tilts = (
        f"{sides['left']} left, {sides['right']} right" if options.counted else "not seen by a sensor there"
    )
    console.print(
        f"\n{counted(tally.alerts, 'alert')}, {tally.corrected} corrected; side tilts: {tilts}",
        highlight=False,
    )
    console.print(
        f"{stats.samples} samples in {stats.frames} frames, {stats.missing_frames} missing; took {took_s:.0f} s\n",
        style="dim",
        highlight=False,
    )


def _print_files(console: Console, folder: Path) -> None:
    for what, name in (("day plot", "day.png"), ("database", "core.db"), ("recording", "demo.tw")):
        console.print(f"  {what:<10} {_short(folder / name)}", highlight=False, soft_wrap=True)
    console.print(
        f"\nNext:  tiltwise day --data {_short(folder)}\n       tiltwise analyze {_short(folder / 'demo.tw')}",
        highlight=False,
        soft_wrap=True,
    )


def _short(path: Path) -> str:
    """A path as one would type it from here."""
    return printable(os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path), 300)
