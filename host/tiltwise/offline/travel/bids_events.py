"""Guided exercises during a run as the events of a BIDS data set: seconds since the run began, degrees."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tiltwise.exercise.guided.session_record import ExerciseRecord

_ABOUT = {
    "onset": {"Description": "since the first sample of the run", "Units": "s"},
    "duration": {"Description": "how long it lasted", "Units": "s"},
    "trial_type": {
        "Description": "what it is",
        "Levels": {
            "exercise": "a guided exercise, from its beginning to its end",
            "repetition": "one movement out and back",
            "press": "tensing against a resistance without moving",
            "stretch": "the movement to a new end after the press",
        },
    },
    "exercise": {"Description": "name in the catalogue of exercises"},
    "side": {"Description": "right, left or none"},
    "angle": {
        "Description": "furthest point of a repetition, end of a stretch, movement in a press",
        "Units": "deg",
    },
}
_Event = tuple[float, float, str, str, str, float]  # onset s, duration s, type, exercise, side, angle deg


def event_bytes(
    records: Sequence[ExerciseRecord], start_s: float, end_s: float
) -> tuple[bytes, bytes] | None:
    """Return (table, description) of what began in [start_s, end_s] UTC s; None when nothing did."""
    found = sorted(event for record in records for event in _events(record) if start_s <= event[0] <= end_s)
    if not found:
        return None
    lines = ["\t".join(_ABOUT), *(_line(event, start_s) for event in found)]
    about = json.dumps(_ABOUT, indent=2) + "\n"
    return "".join(f"{line}\n" for line in lines).encode(), about.encode()


def _line(event: _Event, start_s: float) -> str:
    onset_s, duration_s, *words, angle = event
    numbers = (f"{onset_s - start_s:.6f}", f"{duration_s:.6f}")
    return "\t".join((*numbers, *map(str, words), "n/a" if angle != angle else f"{angle:.3f}"))


def _events(record: ExerciseRecord) -> Iterator[_Event]:
    name, t0 = record.exercise, record.start_s
    yield t0, record.end_s - t0, "exercise", name, "none", float("nan")
    for rep in record.reps:
        side = rep.side.value
        yield t0 + rep.start_s, rep.end_s - rep.start_s, "repetition", name, side, rep.peak_deg
    for each in record.rounds:
        side, pressed_s = each.side.value, each.press_end_s - each.press_start_s
        yield t0 + each.press_start_s, pressed_s, "press", name, side, each.press_moved_deg
        yield t0 + each.sink_s, each.arrived_s - each.sink_s, "stretch", name, side, each.barrier_deg
