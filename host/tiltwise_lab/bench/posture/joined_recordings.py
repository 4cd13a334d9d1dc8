"""Days joined from recordings of one person at a desk: real heads, with the seams marked as holes in the data.

A recording lasts a minute or three; a day takes one, plays it over and over for some minutes, then another. Each seam
is four seconds without samples and without truth, which the rule bridges no more than the judge. What is true is the
recordings' own inclination, an acausal six-axis estimate good to about a degree, and the label of what the person was
asked to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltwise.errors import AppError
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_up
from tiltwise.offline.input_file import orient, read_input
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import EpisodeAlert, FloatArray, Mount, OrientationBlock, Update
from tiltwise_lab.bench.posture.alert_quality import OURS_DUE, DayRow, judged
from tiltwise_lab.bench.posture.generated_day import OFF, RATE_HZ, SIT, STAND, WALK, Day

SEAM_S = 4.0  # longer than a hole that the rule takes for lost packets
_MOST_TIMES = 8  # that a recording is played after itself
_BODY = {"walking": WALK, "standing": STAND, "pick_up_from_floor_standing": STAND}
_LEAST = 3  # recordings of a person, or there is no day to join


@dataclass(frozen=True, slots=True)
class Piece:
    """A recording: its orientations from 0 s on, the true inclination at each, what the body does, the mounting."""

    block: OrientationBlock
    inclination_deg: FloatArray
    body: int
    mounting: Mounting


@dataclass(frozen=True, slots=True)
class JoinedDay:
    """A judged day and how many seams it has."""

    row: DayRow
    seams: int


def joined_rows(folder: Path, hours: float) -> Iterator[tuple[float, JoinedDay]]:
    """Yield the share done and a judged day for each person of the desk recordings; person k has seed k."""
    people = _people(folder)
    for k, names in enumerate(people):
        pieces = [_piece(folder / "human" / f"{name}.npz", about) for name, about in names]
        yield (k + 1) / len(people), joined_day(pieces, k, hours)


def joined_day(pieces: Sequence[Piece], seed: int, hours: float) -> JoinedDay:
    """Join a day out of the pieces of one person, let it be tracked, and judge the alerts."""
    order, starts_s, end_s = _order(pieces, np.random.default_rng([seed, 4]), 3600 * hours)
    tracker = Tracker(TrackerSettings(pieces[0].mounting))
    updates = [tracker.process(_moved(pieces[k], at_s)) for k, at_s in zip(order, starts_s, strict=True)]
    day, activity = _as_day([pieces[k] for k in order], starts_s, end_s, updates)
    due_s = [e.t_s for update in updates for e in update.events if isinstance(e, EpisodeAlert)]
    return JoinedDay(judged(day, seed, {OURS_DUE: np.array(due_s)}, activity), len(order) - 1)


def _order(
    pieces: Sequence[Piece], rng: np.random.Generator, length_s: float
) -> tuple[list[int], list[float], float]:
    """Return which piece is played when, and when the day ends."""
    order, starts_s, at_s = list[int](), list[float](), 0.0
    while at_s < length_s:
        k = int(rng.integers(len(pieces)))
        for _ in range(int(rng.integers(1, _MOST_TIMES + 1))):
            order.append(k)
            starts_s.append(at_s)
            at_s += np.ceil(float(pieces[k].block.t_s[-1])) + SEAM_S
    return order, starts_s, at_s


def _moved(piece: Piece, at_s: float) -> OrientationBlock:
    return replace(piece.block, t_s=piece.block.t_s + at_s)


def _as_day(
    pieces: Sequence[Piece], starts_s: Sequence[float], end_s: float, updates: Sequence[Update]
) -> tuple[Day, NDArray[np.int8]]:
    """Return truth and angles on the grid of the judges, and the activity code that was found."""
    t_s = np.arange(round(end_s * RATE_HZ)) / RATE_HZ
    truth, seen = np.zeros(len(t_s)), np.zeros(len(t_s))
    body, activity = np.full(len(t_s), OFF, dtype=np.int8), np.zeros(len(t_s), dtype=np.int8)
    for piece, start_s, update in zip(pieces, starts_s, updates, strict=True):
        first, last = np.searchsorted(t_s, (start_s, start_s + piece.block.t_s[-1])).tolist()
        part = slice(first, last)
        at_s = t_s[part] - start_s
        truth[part] = np.interp(at_s, piece.block.t_s, piece.inclination_deg)
        seen[part] = np.interp(at_s, piece.block.t_s, update.angles.inclination_deg)
        nearest = np.clip(np.searchsorted(piece.block.t_s, at_s), 0, len(update.activity) - 1)
        body[part], activity[part] = piece.body, update.activity[nearest]
    nothing = np.zeros(len(t_s))
    return Day(Mount.HEAD, t_s, truth, body, seen, nothing, nothing, nothing, ()), activity


def _people(folder: Path) -> list[list[tuple[str, Mapping[str, Any]]]]:
    """Return names and descriptions of the recordings of each person whose neutral is not suspect."""
    path = folder / "human" / "index.json"
    if not path.is_file():
        raise AppError(f"{path}: not there; name the folder with human/ and orientation/ in TILTWISE_DATA")
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for name, about in json.loads(path.read_text(encoding="utf-8")).items():
        if name.startswith("classyglass/") and not about.get("neutral_suspect"):
            found.setdefault(about["subject"], []).append((name, about))
    return [names for names in found.values() if len(names) >= _LEAST]


def _piece(path: Path, about: Mapping[str, Any]) -> Piece:
    mounting = mounting_from_up(np.array(about["neutral_up_sensor"], dtype=np.float64), mount=Mount.HEAD)
    block = orient(read_input(path))
    with np.load(path, allow_pickle=False) as file:
        reference, t_s = file["ref_incl_deg"].astype(np.float64), file["t"].astype(np.float64)
    block = replace(block, t_s=block.t_s - block.t_s[0])
    inclination = np.interp(block.t_s, t_s - t_s[0], reference)
    return Piece(block, inclination, _BODY.get(about["label"], SIT), mounting)
