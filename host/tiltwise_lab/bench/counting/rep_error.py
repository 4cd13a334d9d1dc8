"""`tiltwise bench reps`: `tiltwise count` on generated sets, and the unguided counter on people at desks.

Sets come from generated_sets.py, with nothing told but the exercise; recordings of people at desks go through the
unguided counter of a live session: nobody exercises there, so it should say nothing. So do generated days of 8 h.
Returns rows; counting_tables.py prints them.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.detect.activity import ActivityDetector
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.set_counter import set_counters
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.motion.calibration.principal_axes import axes_from_movement
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.offline.count import count
from tiltwise.offline.input_file import ImuInput
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ImuBlock, Mount
from tiltwise_lab.bench.counting.generated_sets import (
    BENDS,
    PLANES,
    SIZES_DEG,
    SPEEDS_S,
    SetKind,
    generate_set,
)
from tiltwise_lab.bench.posture.generated_day import generate_day
from tiltwise_lab.bench.posture.products import angle_block

EXERCISE_OF = {
    "tilt": "side_tilt", "nod": "clasped_nod", "turn": "rotations", "bend": "clasped_nod", "side bend": "side_tilt",
}  # fmt: skip
COUNTED_AT_DESKS = ("side_tilt",)  # as in a live session
KINDS = tuple(
    SetKind(plane, speed, size, talks, is_calibrated)
    for plane, speed, size, talks, is_calibrated in itertools.product(
        PLANES, SPEEDS_S, SIZES_DEG, (False, True), (False, True)
    )
)
# Beside them: bends of the trunk with the sensor at C7, and a sensor that is put on before and taken off after.
BEND_KINDS = tuple(SetKind(plane, "slow", "bend", talks, False) for plane in BENDS for talks in (False, True))
HANDLED_KINDS = tuple(
    SetKind(plane, speed, size, False, False, is_handled=True)
    for plane, speed, size in itertools.product(("tilt", "nod"), ("usual", "slow"), ("half", "large"))
)


@dataclass(frozen=True, slots=True)
class SetRow:
    """One set: how many too many or too few, how many on the wrong side, of how many; samples and processor time."""

    kind: SetKind
    seed: int
    error: int
    wrong_sides: int
    reps: int
    samples: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One recording, or day, of somebody who does no exercise, and what the unguided counters said all the same."""

    label: str
    minutes: float
    false_counts: int


def set_rows(seeds: Sequence[int]) -> Iterator[tuple[float, SetRow]]:
    """Yield the share done and a row for each kind of set and seed."""
    jobs = [(kind, seed) for kind in (*KINDS, *BEND_KINDS, *HANDLED_KINDS) for seed in seeds]
    for k, (kind, seed) in enumerate(jobs):
        yield (k + 1) / len(jobs), set_row(kind, seed)


def set_row(kind: SetKind, seed: int) -> SetRow:
    """Count one set. Sides are compared where the counter names them and the number is right."""
    made = generate_set(kind, seed)
    data = ImuInput(Path("generated"), (made.block,), (), ())
    begin_s = time.process_time()
    counted = count(data, Mount.HEAD, EXERCISES[EXERCISE_OF[kind.plane]])
    cpu_s = time.process_time() - begin_s
    error = len(counted.reps) - len(made.sides)
    wrong = 0
    if error == 0 and counted.has_sides:
        wrong = sum(rep.side is not side for rep, side in zip(counted.reps, made.sides, strict=True))
    return SetRow(kind, seed, error, wrong, len(made.sides), len(made.block.t_s), cpu_s)


def desk_rows(folder: Path, most: int) -> Iterator[tuple[float, DeskRow]]:
    """Yield the share done and a row for up to `most` recordings of each activity."""
    index = json.loads((folder / "human" / "index.json").read_text())
    labels: dict[str, list[str]] = {}
    for name, row in sorted(index.items()):
        if name.startswith("classyglass") and not row["neutral_suspect"]:
            labels.setdefault(row["label"], []).append(name)
    names = [name for some in labels.values() for name in some[:most]]
    for k, name in enumerate(names):
        with np.load(folder / "human" / f"{name}.npz") as file:
            block = ImuBlock(*(file[key].astype(float) for key in ("t", "gyr", "acc")))
        yield (k + 1) / len(names), _desk_row(block, index[name])


def _desk_row(block: ImuBlock, row: dict[str, object]) -> DeskRow:
    up = np.array(row["neutral_up_sensor"], dtype=float)
    oriented = OrientationStage().process(block)
    mounting = axes_from_movement(oriented, up, mount=Mount.HEAD)
    if not mounting.has_direction:
        mounting = mounting_from_up(up, mount=Mount.HEAD)
    update = Tracker(TrackerSettings(mounting)).process(block)
    found = [
        rep
        for counter in set_counters(COUNTED_AT_DESKS)
        for rep in counter.process(update.angles, update.activity)
    ]
    minutes = float(block.t_s[-1] - block.t_s[0]) / 60
    return DeskRow(str(row["label"]), minutes, sum(not rep.is_partial for rep in found))


def workday_rows(days: int, hours: float) -> Iterator[tuple[float, DeskRow]]:
    """Yield the share done and a row for each generated day at the head and the neck; day k is wearer k's, seed k."""
    jobs = [(seed, mount) for seed in range(days) for mount in (Mount.HEAD, Mount.NECK)]
    for k, (seed, mount) in enumerate(jobs):
        block = angle_block(generate_day(seed, seed, mount, hours), slice(None))
        activity, _ = ActivityDetector().process(block)
        found = [
            rep for counter in set_counters(COUNTED_AT_DESKS) for rep in counter.process(block, activity)
        ]
        row = DeskRow(f"day, {mount}", hours * 60, sum(not rep.is_partial for rep in found))
        yield (k + 1) / len(jobs), row
