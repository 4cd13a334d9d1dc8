"""`tiltwise bench sets`: side tilts of an unguided story, counted one by one and in sets, against what was done.

Simulated `demo` scenarios run through firmware, decoder, calibration and tracker (simulated_wearers.py), then through
the counters of a live session. Returns rows; accuracy_tables.py prints them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.rep_counter import RepCounter
from tiltwise.exercise.set_counter import SetCounter
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.ground_truth import TrueRep
from tiltwise.types import Mount, RepCompleted
from tiltwise_lab.bench.accuracy.simulated_run import NotCalibratedError, SimRun, run_simulation

EXERCISE = "side_tilt"  # what the story of "demo" holds
MINUTES = 12.0  # the shortest story in which the wearer takes a telephone to the ear
MOUNTS = (Mount.NECK, Mount.HEAD)  # the collar does not see the head tilt


@dataclass(frozen=True, slots=True)
class SetRow:
    """One story and one way of counting: tilts done after the calibration, and those missed and counted too many."""

    mount: Mount
    way: str  # "one by one" or "in sets"
    seed: int
    tilts: int
    missed: int
    extra: int
    start_error_s: float  # the furthest that the start of a tilt is from the true one; 0 without any


def set_rows(seeds: Sequence[int], *, minutes: float = MINUTES) -> Iterator[tuple[float, SetRow]]:
    """Yield the share done and two rows for each mount and seed; a story without a calibration misses all."""
    jobs = [(mount, seed) for mount in MOUNTS for seed in seeds]
    for k, (mount, seed) in enumerate(jobs):
        simulation = Simulation("demo", seed=seed, minutes=minutes, mount=mount)
        true = [rep for rep in simulation.wearer.truth().repetitions if rep.exercise == EXERCISE]
        try:
            run: SimRun | None = run_simulation(simulation)
        except NotCalibratedError:
            run = None
        for way, counted in _counted(run).items():
            yield (
                (k + 1) / len(jobs),
                SetRow(mount, way, seed, *compare(_after_calibration(true, run), counted)),
            )


def compare(true: Sequence[TrueRep], counted: Sequence[RepCompleted]) -> tuple[int, int, int, float]:
    """Return how many there were, were missed and were too many, and the largest error of a start in s.

    A counted repetition stands for the first true one of its side that it overlaps and that none stands for yet.
    """
    left = list(true)
    errors_s = []
    for rep in counted:
        meant = [r for r in left if r.side is rep.side and r.start_s < rep.end_s and rep.start_s < r.end_s]
        if meant:
            left.remove(meant[0])
            errors_s.append(abs(rep.start_s - meant[0].start_s))
    return len(true), len(left), len(counted) - len(errors_s), max(errors_s, default=0.0)


def _counted(run: SimRun | None) -> dict[str, list[RepCompleted]]:
    """Return the repetitions by the way of counting, partial ones left out."""
    if run is None:
        return {"one by one": [], "in sets": []}
    alone, sets = _counter(), SetCounter(_counter())
    found = {
        "one by one": alone.process(run.angles, run.activity),
        "in sets": sets.process(run.angles, run.activity),
    }
    return {way: [rep for rep in reps if not rep.is_partial] for way, reps in found.items()}


def _counter() -> RepCounter:
    signal = EXERCISES[EXERCISE].signal
    assert signal is not None  # a side tilt is counted
    return RepCounter(EXERCISE, signal)


def _after_calibration(true: Sequence[TrueRep], run: SimRun | None) -> list[TrueRep]:
    return [rep for rep in true if run is None or rep.start_s >= run.angles.t_s[0]]
