"""`tiltwise count`: the repetitions of one exercise in any IMU file.

Movements that a sensor in that place can see are counted by exercise/rep_counter.py; the others are refused. Angles
in degrees, times in s from the start of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tiltwise.errors import AppError
from tiltwise.exercise.definition import Exercise
from tiltwise.exercise.rep_counter import RepCounter
from tiltwise.exercise.signals import Angle
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.rotation import from_rotation_vector, multiply
from tiltwise.offline.input_file import ImuInput
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import RepCompleted, Side


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted; `list` in the order of time, partial ones apart."""

    exercise: Exercise
    reps: tuple[RepCompleted, ...]
    partial: tuple[RepCompleted, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the JSON contract of `count --json`."""
        return {
            "exercise": self.exercise.id,
            "reps": {
                "total": len(self.reps),
                "left": sum(rep.side is Side.LEFT for rep in self.reps),
                "right": sum(rep.side is Side.RIGHT for rep in self.reps),
            },
            "partial": len(self.partial),
            "list": [
                {
                    "start_s": round(rep.start_s, 2),
                    "peak_s": round(rep.peak_s, 2),
                    "end_s": round(rep.end_s, 2),
                    "peak_deg": round(rep.peak_deg, 1),
                    "side": rep.side.value,
                }
                for rep in self.reps
            ],
            "notes": list(self.notes),
        }


def count(
    data: ImuInput,
    mounting: Mounting,
    exercise: Exercise,
    *,
    notes: tuple[str, ...] = (),
    on_progress: Callable[[float], None] = lambda _: None,
) -> Counted:
    """Count an exercise; AppError when a sensor in this place cannot see it."""
    mount = mounting.mount
    if exercise.signal is None or not exercise.is_counted(mount):
        raise AppError(
            f"{exercise.id} cannot be counted by a sensor at {mount.value} ({exercise.seen[mount].value} there); "
            "see `tiltwise exercises` for those that can, or give another --mount"
        )
    mounting, note = _suited(mounting, exercise.signal.angle)
    tracker = Tracker(TrackerSettings(mounting))
    counter = RepCounter(exercise.id, exercise.signal)
    found: list[RepCompleted] = []
    done = 0
    for block in data.blocks:
        update = tracker.process(block)
        found += counter.process(update.angles, update.activity)
        done += len(block.t_s)
        on_progress(done / data.n)
    return Counted(
        exercise,
        tuple(rep for rep in found if not rep.is_partial),
        tuple(rep for rep in found if rep.is_partial),
        (*data.notes, *notes, *note),
    )


def _suited(mounting: Mounting, angle: Angle) -> tuple[Mounting, tuple[str, ...]]:
    """Without nods the main movement of the file is taken for the exercise's own: a set of tilts is mostly tilts."""
    if mounting.is_shown or angle is not Angle.LATERAL or not mounting.has_direction:
        return mounting, ()
    # What was assumed to be forward (turning about y, left) becomes right (turning about x, forward).
    quarter = from_rotation_vector(np.array([0.0, 0.0, np.pi / 2]))
    w, x, y, z = multiply(mounting.q, quarter).tolist()
    note = "The main movement of this file is taken for the side tilt; left and right cannot be told without nods."
    return replace(mounting, q_sensor_from_body=(w, x, y, z)), (note,)
