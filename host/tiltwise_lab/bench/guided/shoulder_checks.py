"""`tiltwise bench guided`: simulated wearers who raise and drop their shoulders, and rest as before or elsewhere.

From the sensor's registers through firmware, frames and tracker to the coach. The wearer does it by their own clock,
and what really changed is the script's, not the coach's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiltwise.detect.posture import DoseSettings
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.guided.coach import Coach
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body import movements, sensor_handling
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions
from tiltwise.types import Mount
from tiltwise_lab.bench.accuracy.simulated_run import run_simulation
from tiltwise_lab.bench.parallel import Show, run_each


@dataclass(frozen=True, slots=True)
class Held:
    """What the wearer holds until the drop: the upper back forward, or the shoulders up."""

    name: str
    forward_deg: float = 0.0
    raised_m: float = 0.0


HELD = (
    Held("rests as before"),
    Held("upper back 3 deg forward", forward_deg=3.0),
    Held("upper back 6 deg forward", forward_deg=6.0),
    Held("shoulders 2 cm up", raised_m=0.02),
)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check: what was held, what the coach measured (NaN: it compared nothing) and whether it told of it."""

    held: Held
    change_deg: float
    is_told: bool


def check_rows(seeds: Sequence[int], show: Show) -> list[CheckRow]:
    """Return a row for each wearer and each thing held; a process a core."""
    return run_each(_row, [(held, seed) for seed in seeds for held in HELD], show)


def _row(job: tuple[Held, int]) -> CheckRow:
    held, seed = job

    def play(s: Script, _: ScenarioOptions) -> None:
        sensor_handling.calibrate(s, tilts=3)
        s.move("trunk_flex", held.forward_deg, 2.0)
        s.move("rise", held.raised_m, 2.0)
        s.wait(s.uniform(28.0, 34.0))
        movements.shrug(s, rise_m=s.uniform(0.036, 0.045))
        s.move("trunk_flex", 0.0, 1.5)
        s.wait(60.0)

    story = Scenario("raises and drops the shoulders, and rests", 2.5, 0.5, play)
    run = run_simulation(Simulation(story, seed=seed, mount=Mount.COLLAR), DoseSettings())
    coach = Coach(EXERCISES["shoulder_check"], Mount.COLLAR)
    coach.process(run.angles, run.activity)
    compared = coach.record().compared
    change = None if compared is None else compared.change_deg
    if compared is None or change is None:
        return CheckRow(held, np.nan, False)
    return CheckRow(held, change, abs(change) >= compared.detectable_deg)
