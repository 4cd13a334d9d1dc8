"""Guided exercises of a stored day as named columns with units: one row an exercise, one row a repetition or round.

Times are ISO 8601 in UTC, angles degrees. `details` is the whole record as the store keeps it, in Parquet only: with
it nothing of an exercise is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.guided.coach_events import Round
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.offline.travel.day_columns import Column, session_columns, utc_text
from tiltwise.store.exercise_rows import encode_exercise
from tiltwise.store.stored_rows import StoredExercise
from tiltwise.types import RepCompleted, Side

_NAN = float("nan")
_SIDES = (("right", Side.RIGHT), ("left", Side.LEFT), ("both", Side.NONE))


def exercise_columns(found: Sequence[StoredExercise], person: str, *, is_whole: bool) -> dict[str, Column]:
    """Return a row for each exercise; is_whole adds what is needed to have it back."""
    records = [record for _, record in found]
    columns = session_columns([session for session, _ in found], person)
    columns |= {
        "start_utc": [utc_text(each.start_s) for each in records],
        "end_utc": [utc_text(each.end_s) for each in records],
        "exercise": [each.exercise for each in records],
        "part_of": [each.session for each in records],
        "kind": [_kind(each) for each in records],
        "worn_at": [each.mount.value for each in records],
        "is_complete": [_yes(each.is_complete) for each in records],
        "is_counted": [_yes(each.is_counted) for each in records],
        "asked": [each.asked for each in records],
    }
    for name, side in _SIDES:
        columns[f"reps_{name}"] = [each.counts.get(side, 0) for each in records]
    for name in ("partial", "taken_back", "undone", "skipped", "moved_presses"):
        columns[name] = [getattr(each, name) for each in records]
    for name, side in _SIDES:
        columns |= {
            f"peak_{name}_deg": [_number(each.peak_deg(side)) for each in records],
            f"hold_{name}_s": [_number(each.hold_s(side)) for each in records],
            f"gain_{name}_deg": [_number(each.gain_deg(side)) for each in records],
        }
    columns["lost_s"] = [each.lost_s for each in records]
    if is_whole:
        columns["details"] = [encode_exercise(each) for each in records]
        columns["about"] = [session.info for session, _ in found]
    return columns


def repetition_columns(found: Sequence[StoredExercise], person: str) -> dict[str, Column]:
    """Return a row for each repetition and each round; what one of them does not have is NaN or empty."""
    pairs = [(session, record, row) for session, record in found for row in _rows(record)]
    columns = session_columns([session for session, _, _ in pairs], person)
    columns["exercise"] = [record.exercise for _, record, _ in pairs]
    columns["exercise_start_utc"] = [utc_text(record.start_s) for _, record, _ in pairs]
    for k, name in enumerate(_ROW):
        columns[name] = [row[k] for _, _, row in pairs]
    return columns


_ROW = (
    "kind", "number", "side", "start_utc", "peak_utc", "end_utc", "peak_deg", "hold_s",
    "before_deg", "end_deg", "press_start_utc", "press_end_utc", "press_moved_deg", "is_press_still",
)  # fmt: skip


def _rows(record: ExerciseRecord) -> Iterator[tuple[object, ...]]:
    for number, rep in enumerate(record.reps, 1):
        yield _of_rep(rep, number, record.start_s)
    for each in record.rounds:
        yield _of_round(each, record.start_s)


def _of_rep(rep: RepCompleted, number: int, start_s: float) -> tuple[object, ...]:
    times = (utc_text(start_s + t) for t in (rep.start_s, rep.peak_s, rep.end_s))
    nothing = (_NAN, _NAN, "", "", _NAN, "")
    return ("repetition", number, rep.side.value, *times, rep.peak_deg, rep.hold_s, *nothing)


def _of_round(each: Round, start_s: float) -> tuple[object, ...]:
    """A round starts and arrives with its sinking; its end is the barrier."""
    sink, arrived, done, pressed, let_go = (
        utc_text(start_s + t)
        for t in (each.sink_s, each.arrived_s, each.t_s, each.press_start_s, each.press_end_s)
    )
    ends = (_number(each.before_deg), each.barrier_deg)
    press = (pressed, let_go, each.press_moved_deg, _yes(each.is_press_still))
    return ("round", each.number, each.side.value, sink, arrived, done, _NAN, _NAN, *ends, *press)


def _kind(record: ExerciseRecord) -> str:
    exercise = EXERCISES.get(record.exercise)
    is_range = exercise is not None and exercise.is_range
    return "range of motion" if is_range else "rounds" if record.rounds else "exercise"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _number(value: float | None) -> float:
    return _NAN if value is None else value
