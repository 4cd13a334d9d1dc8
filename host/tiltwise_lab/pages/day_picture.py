"""A simulated working day of eight hours -> docs/day.png, the picture of the README.

The wearer's ideal IMU at 25 Hz goes through calibration, tracker, exposure and summary as any recording would. The
figures of the day are kept in the picture's metadata, so that a test can tell a stale picture without comparing
pixels, which differ from one font to the next. The sensor stays on all day: putting it on again is another picture.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tiltwise.common.dose import limits_of
from tiltwise.exercise.set_counter import set_counters
from tiltwise.motion.calibration.alignment import calibrate
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.report import plots, style
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.day_summary import DaySummary, summarise_day
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.sim.body import exercise_movements, scenes, sensor_handling
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions
from tiltwise.sim.body.wearer import Wearer
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import EpisodeAlert, EpisodeEnded, Event, Mount, OrientationBlock, RepCompleted

DAY = "docs/day.png"
MOUNT = Mount.NECK
RATE_HZ = 25.0
FIGURES = "Description"  # where in a .png
START_S = 1_767_603_600.0  # Monday, 5 January 2026, 09:00 UTC
_BLOCK_S = 600.0
_LONGEST_S = 2500.0  # of work and one break


def _office_day(s: Script, _: ScenarioOptions) -> None:
    sensor_handling.calibrate(s)
    breaks = (
        lambda: scenes.stroll(s, s.uniform(120, 300)),
        lambda: exercise_movements.side_tilts(s, 4),
        lambda: scenes.read(s, s.uniform(300, 900)),
        lambda: scenes.stand(s, s.uniform(300, 900)),
        lambda: scenes.slump(s, s.uniform(200, 800)),
        lambda: scenes.phone(s, s.uniform(60, 150)),
    )
    while s.left_s > _LONGEST_S:
        for k in s.rng.permutation(len(breaks)):
            if s.left_s > _LONGEST_S:
                scenes.work(s, s.uniform(600, 1500), slump_share=s.uniform(0.1, 0.8))
                breaks[k]()
    scenes.work(s, s.left_s)


OFFICE_DAY = Scenario("an office day with the sensor on all the time", 480.0, 60.0, _office_day)


def simulated_day(minutes: float = 480.0, seed: int = 1) -> DaySummary:
    """Return the summary of a simulated office day that begins at nine."""
    wearer = Wearer(OFFICE_DAY, seed=seed, minutes=minutes, mount=MOUNT)
    shown = wearer.truth().calibrations[0]
    still = _oriented(wearer, shown.neutral_start_s, shown.neutral_end_s)
    nods = _oriented(wearer, shown.nod_start_s, shown.nod_end_s)
    tracker = Tracker(TrackerSettings(calibrate(still, nods, mount=MOUNT)))
    exposure = ExposureAccumulator(ExposureSettings(mount=MOUNT))
    counters = set_counters(("side_tilt",))
    rows: list[Aggregate] = []
    events: list[Event] = []
    for start_s in np.arange(0.0, wearer.duration_s, _BLOCK_S):
        end_s = min(start_s + _BLOCK_S, wearer.duration_s)
        update = tracker.process(wearer.imu(np.arange(start_s, end_s, 1 / RATE_HZ)))
        angles = update.angles
        events += update.events
        events += [rep for counter in counters for rep in counter.process(angles, update.activity)]
        rows += exposure.process(
            START_S + angles.t_s, angles.flexion_deg, update.activity, lateral_deg=angles.lateral_deg,
            rotation_deg=angles.rotation_deg, rate_deg_s=angles.rate_deg_s,
        )  # fmt: skip
    return _summary([*rows, *exposure.finish()], [*events, *tracker.finish()], wearer.duration_s)


def write_day_picture(path: Path, summary: DaySummary) -> None:
    """Draw a day into a .png file that names its figures."""
    figure = plots.day(summary, limit_deg=limits_of(MOUNT)[0] / 10)
    figure.savefig(path, metadata={FIGURES: figures_of(summary)})


def figures_of(summary: DaySummary) -> str:
    """Return what a picture shows, as text: it is stale when these differ."""
    percentiles = " ".join(f"{p:.0f}" for p in summary.percentiles_deg)
    above = ", ".join(f"{limit} deg {percent:.1f} %" for limit, percent in summary.percent_above_deg.items())
    counts = (
        f"{len(summary.episodes)} episodes, {len(summary.alerts_s)} alerts, {len(summary.reps)} repetitions"
    )
    return f"{style.headline(summary)}; P10 P50 P90 {percentiles} deg; above {above}; {counts}"


def _oriented(wearer: Wearer, start_s: float, end_s: float) -> OrientationBlock:
    return OrientationStage().process(wearer.imu(np.arange(start_s, end_s, 1 / RATE_HZ)))


def _summary(rows: list[Aggregate], events: list[Event], duration_s: float) -> DaySummary:
    """Put the events of device time on the day's clock, as a store does."""
    episodes = [
        replace(e, t_s=START_S + e.t_s, start_s=START_S + e.start_s, end_s=START_S + e.end_s,
                alert_s=None if e.alert_s is None else START_S + e.alert_s)
        for e in events if isinstance(e, EpisodeEnded)
    ]  # fmt: skip
    return summarise_day(
        rows,
        start_s=START_S,
        end_s=START_S + duration_s,
        mount=MOUNT,
        episodes=episodes,
        alerts_s=[START_S + e.t_s for e in events if isinstance(e, EpisodeAlert)],
        reps=[
            replace(
                e,
                t_s=START_S + e.t_s,
                start_s=START_S + e.start_s,
                peak_s=START_S + e.peak_s,
                end_s=START_S + e.end_s,
            )
            for e in events
            if isinstance(e, RepCompleted)
        ],
    )
