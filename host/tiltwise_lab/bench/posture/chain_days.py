"""Short days through the whole chain: a simulated wearer, sensor registers, firmware, frames, decoder, tracker.

The wearer (sim/) is the one of `tiltwise demo`; the day is made of long bends, so that doses become full in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tiltwise.detect.posture import DoseSettings
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body import movements, scenes, sensor_handling
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions
from tiltwise.types import ACTIVITIES, Activity, EpisodeAlert
from tiltwise_lab.bench.accuracy.simulated_run import SimRun, motion_at, run_simulation
from tiltwise_lab.bench.posture.alert_quality import MOUNTS, OURS_DUE, DayRow, judged
from tiltwise_lab.bench.posture.generated_day import LIE, OFF, RATE_HZ, SIT, WALK, Day

_BODY = {Activity.WALKING: WALK, Activity.LYING: LIE, Activity.NOT_WORN: OFF}


def chain_rows(n: int, minutes: float) -> Iterator[tuple[float, DayRow]]:
    """Yield the share done and a judged day for each of n wearers, places in turn; day k has seed k."""
    for k in range(n):
        simulation = Simulation(BENT_DAY, seed=k, minutes=minutes, mount=MOUNTS[k % len(MOUNTS)])
        yield (k + 1) / n, _judged(run_simulation(simulation, DoseSettings()), k)


def _play(s: Script, _: ScenarioOptions) -> None:
    """Calibrate, then typing, reading, a telephone in the lap, walks and drinks, in any order, often long."""
    sensor_handling.calibrate(s, tilts=3 if s.bows else 0)
    while s.left_s > 0:
        scene = s.rng.choice(5, p=(0.3, 0.25, 0.25, 0.1, 0.1))
        if scene == 0:
            scenes.work(s, s.uniform(60, 300), slump_share=s.uniform(0.2, 1.2))
        elif scene == 1:
            scenes.read(s, s.uniform(120, 600))
        elif scene == 2:
            scenes.phone(s, s.uniform(60, 400))
        elif scene == 3:
            scenes.stroll(s, s.uniform(40, 120))
        else:
            movements.drink(s)


BENT_DAY = Scenario(
    "long bends: reading and a telephone in the lap, with work and walks between", 25.0, 5.0, _play
)


def _judged(run: SimRun, who: int) -> DayRow:
    """Put truth and angles on the grid of the judges; what was before the calibration does not count."""
    t_s = np.arange(round(run.wearer.duration_s * RATE_HZ)) / RATE_HZ
    truth = motion_at(run.wearer, t_s)
    body = np.array([_BODY.get(activity, SIT) for activity in ACTIVITIES], dtype=np.int8)[truth.activity]
    body[t_s < run.angles.t_s[0]] = OFF
    nearest = np.clip(np.searchsorted(run.angles.t_s, t_s), 0, len(run.angles.t_s) - 1)
    seen = np.nan_to_num(run.angles.flexion_deg[nearest])
    nothing = np.zeros(len(t_s))
    day = Day(
        run.wearer.mount, t_s, np.nan_to_num(truth.flexion_deg), body, seen, nothing, nothing, nothing, ()
    )
    due_s = np.array([event.t_s for event in run.events if isinstance(event, EpisodeAlert)])
    return judged(day, who, {OURS_DUE: due_s}, run.activity[nearest])
