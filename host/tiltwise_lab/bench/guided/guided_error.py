"""`tiltwise bench guided`: the coach's counters on generated sets; exact counts, sides, holds, and when it told them.

A set goes through orientation and angles as on a real day, with a calibration that is a little off, and through the
coach, which is asked for more repetitions than there are, so that it cannot stop in time by luck.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.guided.coach import Coach, CoachSettings
from tiltwise.exercise.guided.counter_events import RepTakenBack, RepTold
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import Mount, RepCompleted
from tiltwise_lab.bench.guided.guided_sets import (
    BODIES,
    FLEXION,
    LATERAL,
    RISE,
    TURN,
    BodyKind,
    GuidedKind,
    GuidedSet,
    generate,
)
from tiltwise_lab.bench.guided.strokes import MOVERS
from tiltwise_lab.bench.parallel import Show, run_each


def _at_head_and_neck(exercise: str, column: int, **how: Any) -> tuple[GuidedKind, ...]:
    return tuple(GuidedKind(exercise, mount, column, **how) for mount in (Mount.HEAD, Mount.NECK))


KINDS = (
    *_at_head_and_neck("side_tilt", LATERAL, is_sided=True, has_hold=True),
    *_at_head_and_neck("ear_to_shoulder_hold", LATERAL, is_sided=True, has_hold=True),
    *_at_head_and_neck("side_tilt_flow", LATERAL, is_sided=True),
    *_at_head_and_neck("head_down", FLEXION, has_hold=True),
    *_at_head_and_neck("chin_to_chest_hold", FLEXION, has_hold=True),
    *_at_head_and_neck("clasped_nod", FLEXION),
    *_at_head_and_neck("singing_snake", FLEXION, is_pair=True),
    *_at_head_and_neck("rotations", TURN, is_sided=True),
    *_at_head_and_neck("clasped_no", TURN, is_sided=True, size_deg=(28.0, 50.0), bowed_deg=35.0),
    *_at_head_and_neck("supine_head_lift", FLEXION, has_hold=True, size_deg=(18.0, 28.0), is_lying=True),
    *_at_head_and_neck("range_back", FLEXION, sign=-1.0),
    GuidedKind("chin_tuck", Mount.HEAD, FLEXION, has_hold=True, size_deg=(5.5, 8.0)),
    GuidedKind("shoulder_raise_hold", Mount.COLLAR, RISE, has_hold=True),
    GuidedKind("chest_open_shoulder_drop", Mount.COLLAR, RISE),
    GuidedKind("shrug_breath_hold", Mount.COLLAR, RISE),
)


@dataclass(frozen=True, slots=True)
class GuidedRow:
    """One set: repetitions too many or too few, on the wrong side, and the errors of hold and telling in s."""

    kind: GuidedKind
    body: str
    mover: str
    seed: int
    reps: int
    error: int
    wrong_sides: int
    hold_errors_s: tuple[float, ...]
    lead_s: tuple[float, ...]  # from the telling to the return to neutral
    told: int
    taken_back: int
    samples: int
    cpu_s: float


Job = tuple[GuidedKind, BodyKind, str, int]


def jobs(seeds: Sequence[int]) -> list[Job]:
    """Every exercise at every place, body, mover and seed; stiff chin tucks and stiff shrugs are none."""
    return [
        (kind, body, mover, seed)
        for seed in seeds
        for kind in KINDS
        for body in BODIES
        for mover in MOVERS
        if not (body.name == "stiff" and (kind.size_deg or kind.column == RISE))
    ]


def guided_rows(seeds: Sequence[int], scale: float, show: Show) -> list[GuidedRow]:
    """Return a row for each set, or for a share of the sets spread over all kinds; a process a core."""
    todo = jobs(seeds)
    kept = max(round(scale * len(todo)), 1)
    if kept < len(todo):
        order = np.random.default_rng(0).permutation(len(todo))[:kept]
        todo = [todo[k] for k in sorted(order.tolist())]
    return run_each(_row, todo, show)


def _row(job: Job) -> GuidedRow:
    return guided_row(*job)


def guided_row(kind: GuidedKind, body: BodyKind, mover: str, seed: int) -> GuidedRow:
    """Generate a set, guide it, and compare."""
    made = generate(kind, body, mover, seed)
    tracker = Tracker(TrackerSettings(Mounting(kind.mount, made.q_sensor_from_body, "nod", 1.0)))
    update = tracker.process(made.block)
    begin_s = time.process_time()
    coach = Coach(
        EXERCISES[kind.exercise], kind.mount, CoachSettings(reps=100, sets=1, hold_s=1.0), is_cleared=True
    )
    events = [*coach.process(update.angles, update.activity), *coach.stop()]
    cpu_s = time.process_time() - begin_s
    return _compared(kind, body.name, mover, seed, made, events, cpu_s)


def _compared(
    kind: GuidedKind,
    body: str,
    mover: str,
    seed: int,
    made: GuidedSet,
    events: Sequence[object],
    cpu_s: float,
) -> GuidedRow:
    taken = {event.told_s for event in events if isinstance(event, RepTakenBack)}
    told = [event for event in events if isinstance(event, RepTold)]
    stays = [event for event in told if event.t_s not in taken]
    done = [event for event in events if isinstance(event, RepCompleted) and not event.is_partial]
    n = len(made.turns)
    error = len(stays) - n
    wrong, holds, leads = 0, [], []
    if error == 0:
        wrong = sum(
            kind.is_sided and event.side is not turn.side
            for event, turn in zip(stays, made.turns, strict=True)
        )
        leads = [turn.back_s - event.t_s for event, turn in zip(stays, made.turns, strict=True)]
        if kind.has_hold and len(done) == n:
            holds = [rep.hold_s - turn.held_s for rep, turn in zip(done, made.turns, strict=True)]
    return GuidedRow(
        kind, body, mover, seed, n, error, wrong, tuple(holds), tuple(leads), len(told), len(taken),
        len(made.block.t_s), cpu_s,
    )  # fmt: skip
