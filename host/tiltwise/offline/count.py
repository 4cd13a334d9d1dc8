"""`tiltwise count`: the repetitions of one exercise in any IMU file, and what was left out and why.

A declared exercise needs no neutral and no known mounting (exercise/recorded/); a calibration, in the header or as
nods at the beginning, adds which side is which. Angles in degrees, times in s from the start of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np

from tiltwise.errors import AppError
from tiltwise.exercise.definition import Exercise
from tiltwise.exercise.recorded.movement_counter import LeftOut, MovementCount, count_movements, worn
from tiltwise.exercise.recorded.movement_signal import Movements
from tiltwise.exercise.signals import Angle, Way
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.recorded_calibration import recorded_calibration
from tiltwise.motion.calibration.sitting_still import finite
from tiltwise.motion.rotation import angle_between_deg, conjugate, multiply, rotate, up_in_sensor
from tiltwise.offline.input_file import ImuInput, orient
from tiltwise.types import FloatArray, Mount, OrientationBlock, RepCompleted, Side

_SAME_AXIS_DEG = 45.0
# Where "up" goes in body axes (x forward, y left) when the head tilts to the right, and when it bows.
_TILT_WAY, _NOD_WAY = (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)
_NODS = 3
# After the nods of a calibration there is a pause, longer by so much than all others of the file.
_PAUSE_S = 1.5
_PAUSE_RATIO = 1.5
_APART = 3.0  # standard errors: one in some hundred by chance
_LEAST_SPREAD = 0.1  # of logarithms: nobody repeats a movement better
_PAUSE_LEAST_S = 0.1  # shorter pauses are none
_NOD_S = 5.0  # a calibration asks for nods of two seconds


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted; `reps` in the order of time, partial ones apart.

    `has_sides`: left is left. Otherwise sides are only told apart: left is the side of the first repetition.
    """

    exercise: Exercise
    reps: tuple[RepCompleted, ...]
    partial: tuple[RepCompleted, ...]
    left_out: LeftOut
    has_sides: bool
    notes: tuple[str, ...]

    @property
    def sides(self) -> str:
        """How many on which side, in words; empty for an exercise without sides."""
        if not _is_sided(self.exercise):
            return ""
        left = sum(rep.side is Side.LEFT for rep in self.reps)
        if self.has_sides:
            return f"{left} left, {len(self.reps) - left} right"
        return f"{left} to one side, {len(self.reps) - left} to the other"

    @property
    def is_side_unknown(self) -> bool:
        """Whether the exercise has sides, and nobody has shown which is which."""
        return _is_sided(self.exercise) and not self.has_sides

    def side(self, rep: RepCompleted) -> str:
        """Return the side of a repetition in words; empty for an exercise without sides."""
        if self.is_side_unknown:
            return "one side" if rep.side is Side.LEFT else "other side"
        return "" if rep.side is Side.NONE else rep.side.value

    def _of(self, side: str) -> int:
        return sum(self.side(rep) == side for rep in self.reps)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON contract of `count --json`."""
        return {
            "exercise": self.exercise.id,
            "reps": {
                "total": len(self.reps),
                "left": self._of("left"),
                "right": self._of("right"),
                "one_side": self._of("one side"),
                "other_side": self._of("other side"),
            },
            "partial": len(self.partial),
            "left_out": asdict(self.left_out),
            "list": [
                {
                    "start_s": round(rep.start_s, 2),
                    "peak_s": round(rep.peak_s, 2),
                    "end_s": round(rep.end_s, 2),
                    "peak_deg": round(rep.peak_deg, 1),
                    "hold_s": round(rep.hold_s, 2),
                    "side": self.side(rep) or "none",
                }
                for rep in self.reps
            ],
            "notes": list(self.notes),
        }


def check_seen(exercise: Exercise, mount: Mount) -> None:
    """Raise AppError when a sensor in this place cannot see the exercise: nothing else matters then."""
    if not exercise.is_counted(mount):
        raise AppError(
            f"{exercise.id} cannot be counted by a sensor at {mount.value} ({exercise.seen[mount].value} there); "
            "see `tiltwise exercises` for those that can, or give another --mount"
        )


def count(
    data: ImuInput,
    mount: Mount,
    exercise: Exercise,
    *,
    mounting: Mounting | None = None,
    notes: tuple[str, ...] = (),
    on_progress: Callable[[float], None] = lambda _: None,
) -> Counted:
    """Count an exercise.

    Parameters
    ----------
    data, mount, exercise : what was recorded, where the sensor sat, what was done.
    mounting : how it sat, where given; otherwise the header or a guided calibration in the file may tell.
    notes, on_progress : what is known about the input so far; gets the share done.

    Raises
    ------
    AppError : when a sensor in this place cannot see the exercise.
    """
    check_seen(exercise, mount)
    assert exercise.signal is not None  # check_seen has seen to it
    oriented = finite(orient(data))
    on_progress(0.7)
    movements, t0_s = _movements(oriented), float(oriented.t_s[0]) if len(oriented.t_s) else 0.0
    part = worn(exercise.signal, movements)
    oriented, movements, handled = oriented.part(part), movements.part(part), _handled(movements, part)
    guided, guided_end_s = recorded_calibration(oriented, mount)
    if mounting is None and data.mounting is not None and data.mounting.mount is mount:
        mounting = data.mounting
    found, used, evidence = _count(movements, exercise, mounting, guided, guided_end_s)
    on_progress(1.0)
    checked, checks = _posture_checked(found.reps, exercise, used, oriented)
    has_sides = exercise.signal.angle is Angle.ROTATION or used is not None
    reps = tuple(_from_start(rep, t0_s) for rep in (checked if has_sides else _first_left(checked)))
    return Counted(
        exercise,
        tuple(rep for rep in reps if not rep.is_partial),
        tuple(rep for rep in reps if rep.is_partial),
        found.left_out,
        has_sides,
        (
            *data.notes,
            *notes,
            *evidence,
            *handled,
            *checks,
            *_axis_note(exercise, has_sides),
            *_left_out_note(found),
        ),
    )


def _count(
    movements: Movements,
    exercise: Exercise,
    mounting: Mounting | None,
    guided: Mounting | None,
    guided_end_s: float,
) -> tuple[MovementCount, Mounting | None, tuple[str, ...]]:
    """Count with what is known about the mounting; return the count, the mounting that gave the sides, and notes."""
    signal = exercise.signal
    assert signal is not None  # check_seen has seen to it
    shown = mounting if mounting is not None and mounting.is_shown else None

    def counted(part: Movements, known: Mounting | None) -> MovementCount:
        return count_movements(exercise.id, signal, part, plus_axis=_plus_axis(signal.angle, known))

    note = ("neutral: the calibration stored in the recording",) if shown is not None else ()
    if guided is None:
        return counted(movements, shown), shown, note
    at = int(np.searchsorted(movements.t_s, guided_end_s, side="right"))
    if signal.angle is not Angle.ROTATION and _belongs_to_exercise(
        counted, movements, at, guided, signal.angle
    ):
        return counted(movements, shown), shown, note
    known = shown or guided
    told = counted(movements.part(slice(at, None)), known)
    if not told.reps:  # nobody calibrates for nothing: it was something else
        return counted(movements, shown), shown, note
    note = note or ("neutral: the guided calibration in the recording; its nods are no repetitions",)
    return told, known, note


def _belongs_to_exercise(
    counted: Callable[[Movements, Mounting | None], MovementCount],
    movements: Movements,
    at: int,
    guided: Mounting,
    angle: Angle,
) -> bool:
    """Whether what looks like nods of a calibration, up to sample `at`, is the beginning of the exercise itself.

    A set of anything begins with three movements after a rest. Tilts show it by their axis, which is that of all
    that follows; nods by going on without a pause.
    """
    rest = counted(movements.part(slice(at, None)), None)
    nods, others = counted(movements.part(slice(at)), None).reps, rest.reps
    if not nods or rest.axis_sensor is None or len(others) <= len(nods) - _NODS:
        return True
    nod = rotate(guided.q, np.array(_NOD_WAY))
    apart_deg = float(angle_between_deg(rest.axis_sensor, nod))
    is_same = min(apart_deg, 180.0 - apart_deg) < _SAME_AXIS_DEG
    if angle is Angle.LATERAL:
        return is_same
    if len(nods) > _NODS or (nods and max(rep.end_s - rep.start_s for rep in nods) > _NOD_S):
        return True  # nobody nods more often, or takes so long, to show where forward is
    if not is_same:
        return False
    if len(others) <= _NODS and len(counted(movements, None).reps) > _NODS:
        return True
    pause_s = others[0].start_s - nods[-1].end_s
    if pause_s < max(_PAUSE_S, *_pauses_s(nods), 0.0):
        return True
    longest_s = max(_pauses_s(others), default=0.0)
    return pause_s < _PAUSE_RATIO * longest_s and _are_alike(nods, others)


def _pauses_s(reps: Sequence[RepCompleted]) -> list[float]:
    return [later.start_s - earlier.end_s for earlier, later in pairwise(reps)]


def _are_alike(nods: Sequence[RepCompleted], others: Sequence[RepCompleted]) -> bool:
    """Whether the first movements are of the size, the pace and the rhythm of those after them."""
    pairs = (
        ([rep.peak_deg for rep in nods], [rep.peak_deg for rep in others]),
        ([rep.end_s - rep.start_s for rep in nods], [rep.end_s - rep.start_s for rep in others]),
        (_pauses_s(nods), _pauses_s(others)),
    )
    return all(_apart(first, rest) < _APART for first, rest in pairs)


def _apart(first: Sequence[float], rest: Sequence[float]) -> float:
    """How many standard errors lie between the mean logarithms of two samples (Student's t; 0 for an empty one)."""
    a, b = (np.log(np.maximum(values, _PAUSE_LEAST_S)) for values in (first, rest))
    if not len(a) or not len(b):
        return 0.0
    squares = float(np.sum((a - a.mean()) ** 2) + np.sum((b - b.mean()) ** 2))
    spread = max(np.sqrt(squares / max(len(a) + len(b) - 2, 1)), _LEAST_SPREAD)
    return float(abs(a.mean() - b.mean()) / (spread * np.sqrt(1 / len(a) + 1 / len(b))))


def _movements(oriented: OrientationBlock) -> Movements:
    """Return what the head did in the terms of the counter; the turn is summed up, its start is 0."""
    q = oriented.q_earth_from_sensor
    step = multiply(q[1:], conjugate(q[:-1]))
    left = np.degrees(2 * np.arctan2(step[:, 3], step[:, 0]))
    left = (left + 180.0) % 360.0 - 180.0
    turn = np.concatenate((np.zeros(min(len(q), 1)), -np.cumsum(left)))
    return Movements(oriented.t_s, up_in_sensor(q), turn)


def _handled(movements: Movements, worn_part: slice) -> tuple[str, ...]:
    """Say what was left out because the sensor was in somebody's hands."""
    t_s, first, last = movements.t_s, worn_part.start, worn_part.stop
    parts = [f"the first {t_s[first] - t_s[0]:.1f} s"] if first else []
    parts += [f"the last {t_s[-1] - t_s[last - 1]:.1f} s"] if last < len(t_s) else []
    if not parts:
        return ()
    return (f"left out: {' and '.join(parts)}, where the sensor lay far from how it was worn",)


def _plus_axis(angle: Angle, mounting: Mounting | None) -> FloatArray | None:
    """Return where "up" moves in the sensor when the exercise goes to its plus side, (3,); None if unknown."""
    if mounting is None or angle is Angle.ROTATION:
        return None
    return rotate(mounting.q, np.array(_TILT_WAY if angle is Angle.LATERAL else _NOD_WAY))


def _posture_checked(
    reps: tuple[RepCompleted, ...], exercise: Exercise, mounting: Mounting | None, oriented: OrientationBlock
) -> tuple[tuple[RepCompleted, ...], tuple[str, ...]]:
    """Check that the head was bowed, or the body lay, where the exercise asks for it and a neutral can tell."""
    signal = exercise.signal
    assert signal is not None
    if signal.flexed_deg is None and signal.lying_deg is None:
        return reps, ()
    if mounting is None:
        asked = "bowed" if signal.flexed_deg is not None else "lying"
        return reps, (f"without a calibration it is not checked that the head was {asked}",)
    at = np.searchsorted(oriented.t_s, [rep.peak_s for rep in reps])
    up = up_in_sensor(oriented.q_earth_from_sensor[np.minimum(at, len(oriented.t_s) - 1)])
    angles = angle_between_deg(up, mounting.up_sensor).tolist() if len(reps) else []
    if signal.lying_deg is not None:
        lying = signal.lying_deg
        return tuple(rep for rep, angle in zip(reps, angles, strict=True) if angle >= lying), ()
    flexed = signal.flexed_deg or 0.0
    return tuple(
        replace(rep, is_partial=rep.is_partial or angle < flexed)
        for rep, angle in zip(reps, angles, strict=True)
    ), ()


def _from_start(rep: RepCompleted, t0_s: float) -> RepCompleted:
    return replace(
        rep, t_s=rep.t_s - t0_s, start_s=rep.start_s - t0_s, peak_s=rep.peak_s - t0_s, end_s=rep.end_s - t0_s
    )


def _first_left(reps: Sequence[RepCompleted]) -> list[RepCompleted]:
    """Return repetitions whose sides are only told apart with that of the first one called left."""
    is_right_first = next((rep.side is Side.RIGHT for rep in reps if rep.side is not Side.NONE), False)
    other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT, Side.NONE: Side.NONE}
    return [replace(rep, side=other[rep.side]) for rep in reps] if is_right_first else list(reps)


def _is_sided(exercise: Exercise) -> bool:
    return exercise.signal is not None and exercise.signal.way is Way.EITHER


def _axis_note(exercise: Exercise, has_sides: bool) -> tuple[str, ...]:
    if has_sides:
        return ()
    ends = "; left and right cannot be told without nods" if _is_sided(exercise) else ""
    return (f"The main movement of this file is taken for the exercise{ends}.",)


def _left_out_note(found: MovementCount) -> tuple[str, ...]:
    """Say in one line which movements were no repetitions."""
    words = {
        "too_small": "too small",
        "other_axis": "about another axis",
        "too_short": "too short",
        "too_long": "too long",
        "cut_off": "cut off by an end or a gap",
        "unlike": "unlike the others, before or after them",
    }
    parts = [f"{n} {words[reason]}" for reason, n in asdict(found.left_out).items() if n]
    if not parts:
        return ()
    return (f"left out: {', '.join(parts)} (a usual repetition here has {found.typical_deg:.0f} deg)",)
