"""`tiltwise demo`: the whole system on a simulated wearer, told as it runs; plot, store and recording at the end.

Simulated wearer -> register-level IMU -> the real firmware -> frames -> the live session -> store -> day plot.
Nothing here knows what the wearer will do; every line comes out of the same stages as on a real day.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Console

from tiltwise.app.day import day_figure, load_day
from tiltwise.app.watch import STYLES
from tiltwise.config.settings import Settings
from tiltwise.config.time_zone import local_zone_name
from tiltwise.errors import AppError
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.set_counter import set_counters
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.event_text import clock, lines_of
from tiltwise.live.live_session import LiveSession, LiveUpdate
from tiltwise.live.run import run_until_stopped
from tiltwise.offline.picture_file import save_figure
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.sim.board.simulated_source import SimSource
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store
from tiltwise.text import printable
from tiltwise.types import EpisodeEnded, FloatArray, Mount, RepCompleted

EXERCISE = "side_tilt"
START_HOUR = 9  # the story's local time on the day plot
_LONGEST_TRACE_S = 1800.0  # longer ones are drawn by the minute


@dataclass(slots=True)
class DemoTally:
    """Counts what the demo is about while it goes by."""

    console: Console
    alerts: int = 0
    corrected: int = 0
    reps: list[RepCompleted] = field(default_factory=list)
    has_calibration: bool = False
    trace: list[tuple[float, float]] = field(default_factory=list)  # (device s, deg), one a frame

    def tell(self, received_s: float, live: LiveUpdate) -> None:
        """Print what is worth a line."""
        self.has_calibration |= live.mounting is not None
        if live.posture_deg is not None:
            self.trace.append((live.t_s, live.posture_deg))
        self.alerts += sum(notice.level == "alert" for notice in live.notices)
        for event in live.events:
            self.corrected += (
                isinstance(event, EpisodeEnded) and event.alert_s is not None and event.is_corrected
            )
            if isinstance(event, RepCompleted):
                self.reps.append(event)
        for style, line in lines_of(live):
            self.console.print(f"  {clock(received_s):>6}  {line}", style=STYLES[style], highlight=False)

    def line(self, session: LiveSession) -> tuple[FloatArray, FloatArray] | None:
        """Return the angle over the demo for the plot, (UTC s, deg); None when it is long enough for minutes."""
        if not self.trace or self.trace[-1][0] - self.trace[0][0] > _LONGEST_TRACE_S:
            return None
        t_s, angle_deg = np.array(self.trace).T
        return np.array([session.utc_s(t) for t in t_s.tolist()]), angle_deg


def run_demo(
    console: Console,
    *,
    minutes: float,
    seed: int,
    speed: float,
    out: Path | None,
    mount: Mount,
    settings: Settings,
) -> Path:
    """Run the demo and return the folder with the plot, the database and the recording."""
    folder = _new_folder(out)
    simulation = Simulation("demo", seed=seed, minutes=minutes, mount=mount, auto_ack=False)
    zone = local_zone_name()
    now = datetime.now(ZoneInfo(zone))
    started = now.replace(hour=START_HOUR, minute=0, second=0, microsecond=0)
    device = f"sim-demo-{seed}"
    header = recording_header(
        started=started, address="sim:demo", device=device, zone=zone, mount=mount, rule=settings.rule,
        exercises=_counted(mount),
    )  # fmt: skip
    keeper = StoreSink(Store(folder, min_free_bytes=0), device=device, mount=mount, zone=zone)
    session = LiveSession(
        settings=settings,
        mount=mount,
        mounting=None,
        started_utc_s=started.timestamp(),
        zone=zone,
        keeper=keeper,
        recorder=RecordingWriter(folder / "demo.tw", header, start_s=0.0),
        counters=set_counters(_counted(mount)),
        commit_every_s=max(1.0, min(speed or 100.0, 100.0) / 20),
    )
    _say_hello(console, simulation, seed, speed, mount, settings)
    story = DemoTally(console)
    began_s = time.monotonic()
    run_until_stopped(SimSource(simulation, speed=speed), session, story.tell)
    _say_goodbye(console, story, session, mount, time.monotonic() - began_s)
    plot = folder / "day.png"
    save_figure(
        day_figure(load_day(folder, started.date()), settings.rule.angle_deg, story.line(session)), plot
    )
    for what, path in (
        ("day plot", plot),
        ("database", folder / "core.db"),
        ("recording", folder / "demo.tw"),
    ):
        console.print(f"  {what:<10} {_short(path)}", highlight=False, soft_wrap=True)
    console.print(
        f"\nNext:  tiltwise day --data {_short(folder)}\n       tiltwise analyze {_short(folder / 'demo.tw')}",
        highlight=False,
        soft_wrap=True,
    )
    if not story.has_calibration:
        raise AppError("the demo ended without a calibration: give it more --minutes, or another --seed")
    return folder


def _counted(mount: Mount) -> tuple[str, ...]:
    return (EXERCISE,) if EXERCISES[EXERCISE].is_counted(mount) else ()


def _new_folder(out: Path | None) -> Path:
    """A folder of its own for each run, so that no demo writes into anybody's data."""
    folder = out or Path("tiltwise-demo") / time.strftime("%Y%m%d-%H%M%S")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AppError(f"{folder}: not an empty folder; name a new one with --out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say_hello(
    console: Console, simulation: Simulation, seed: int, speed: float, mount: Mount, settings: Settings
) -> None:
    minutes = simulation.duration_s / 60
    pace = f"{speed:g} times real speed" if speed else "full speed"
    console.print(
        f"tiltwise demo: {minutes:g} minutes of a simulated wearer at {pace}, seed {seed}", style="bold"
    )
    console.print(
        "wearer -> IMU registers -> firmware -> frames -> angles -> alerts and store\n"
        f"sensor at {mount.value}, rule {settings.rule.angle_deg:g} deg for {settings.rule.seconds:g} s\n",
        style="dim",
        highlight=False,
    )


def _say_goodbye(
    console: Console, story: DemoTally, session: LiveSession, mount: Mount, took_s: float
) -> None:
    stats = session.decoder.stats
    whole = [rep for rep in story.reps if not rep.is_partial]
    sides = {side: sum(rep.side.value == side for rep in whole) for side in ("left", "right")}
    counted = (
        f"{sides['left']} left, {sides['right']} right" if _counted(mount) else "not seen by a sensor there"
    )
    console.print(
        f"\n{story.alerts} alert{'' if story.alerts == 1 else 's'}, {story.corrected} corrected; "
        f"side tilts: {counted}",
        highlight=False,
    )
    console.print(
        f"{stats.samples} samples in {stats.frames} frames, {stats.missing_frames} missing; took {took_s:.0f} s\n",
        style="dim",
        highlight=False,
    )


def _short(path: Path) -> str:
    """A path as one would type it from here."""
    return printable(os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path), 300)
