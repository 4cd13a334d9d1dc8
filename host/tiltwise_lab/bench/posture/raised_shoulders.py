"""`tiltwise bench posture`: raises of the shoulders that no drop follows, on simulated wearers from registers on.

What was true is read off the body: shoulders up by 1 cm or more for 30 s or longer. Days hold shrugs, sitting up,
telephones, walks and a sensor laid aside; stories of raises say how many are found at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tiltwise.detect.posture import DoseSettings
from tiltwise.detect.shoulder_raise import ShoulderRaise
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body import movements, scenes, sensor_handling
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions, find_scenario
from tiltwise.types import Mount
from tiltwise_lab.bench.accuracy.simulated_run import motion_at, run_simulation

_UP_M, _LONG_S = 0.01, 30.0
_NEAR_S = 2.0  # between a true beginning and the told one
_LOOK_HZ = 10.0
FIRST_SEED = 101  # the rule was chosen with earlier ones in sight


@dataclass(frozen=True, slots=True)
class RaiseRow:
    """A wearer: hours worn, raises without a drop, how many of them were told, and what else was told."""

    hours: float
    raised: int
    found: int
    false: int


def raise_rows(n: int, minutes: float, *, raises: bool) -> Iterator[tuple[float, RaiseRow]]:
    """Yield the share done and a row for each of n wearers at the collar, seeds from FIRST_SEED on.

    Parameters
    ----------
    raises
        A story of raises that last; else a day at a desk with everything in it.
    """
    for k in range(n):
        story = _RAISES if raises else find_scenario("desk")
        yield (k + 1) / n, _row(Simulation(story, seed=FIRST_SEED + k, minutes=minutes, mount=Mount.COLLAR))


def _play(s: Script, _: ScenarioOptions) -> None:
    sensor_handling.calibrate(s, tilts=3)
    while s.left_s > 0:
        scenes.work(s, s.uniform(20, 60), slump_share=s.uniform(0.0, 0.6))
        movements.shrug(s, hold_s=s.uniform(35, 90))


_RAISES = Scenario("work, and shoulders that go up and stay there", 15.0, 2.0, _play)


def _row(simulation: Simulation) -> RaiseRow:
    run = run_simulation(simulation, DoseSettings())
    told = [event.start_s for event in ShoulderRaise().process(run.angles, run.activity)]
    begin_s = float(run.angles.t_s[0])
    t_s = np.arange(begin_s, run.wearer.duration_s, 1 / _LOOK_HZ)
    is_up = np.concatenate(([False], motion_at(run.wearer, t_s).rise_m > _UP_M, [False]))
    edges = np.flatnonzero(np.diff(is_up.astype(np.int8)))
    up = [(t_s[a], (b - a) / _LOOK_HZ) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    starts = [start for start, lasts in up if lasts >= _LONG_S]
    found = [any(abs(start - at) < _NEAR_S for at in told) for start in starts]
    false = [at for at in told if not any(abs(start - at) < _NEAR_S for start in starts)]
    hours = (run.wearer.duration_s - begin_s) / 3600
    return RaiseRow(hours, len(starts), sum(found), len(false))
