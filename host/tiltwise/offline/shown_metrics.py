"""What an output may say about a number: its name at this mount, or that it is not shown and why. Degrees.

One helper between the truth table (motion/angles/observability.py), the calibration (which angles there are) and
every place that prints: analyze, day, watch, plots, exercises. `claims` reads a finished text back, so that a test
can walk them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.definition import Exercise, Visibility
from tiltwise.exercise.signals import Angle
from tiltwise.motion.angles.observability import UNMEASURED, Metric, Place, Status, check, observability
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import Mount, PostureKind

NAMES: Mapping[Mount, Mapping[str, str]] = {
    Mount.COLLAR: {
        "inclination": "upper-back inclination",
        "flexion": "upper-back forward tilt",
        "lateral": "upper-back side tilt",
        "rotation": "upper-back turn",
    },
    Mount.NECK: {
        "inclination": "neck inclination",
        "flexion": "forward bend of the neck",
        "lateral": "side tilt of the neck",
        "rotation": "turn of the neck",
    },
    Mount.HEAD: {
        "inclination": "head inclination",
        "flexion": "forward bend of the head",
        "lateral": "side tilt of the head",
        "rotation": "turn of the head",
    },
}
KIND_METRICS = {
    PostureKind.FORWARD_FLEXION: Metric.SUSTAINED_FORWARD_FLEXION,
    PostureKind.UPPER_BACK_FORWARD_TILT: Metric.SUSTAINED_UPPER_BACK_TILT,
}
# Phrases by which a text claims to have seen a metric. Notes about what is not seen are no claims: see `claims`.
_PHRASES: Mapping[Metric, str] = {
    Metric.HEADING: r"\b(heading|compass|facing (north|south|east|west))\b",
    Metric.NECK_FLEXION: r"\b(neck flexion|head minus upper back|neck's own)\b",
    Metric.UPPER_BACK_TILT: r"\bupper[- ]back\b(?!.*begins|.*ALERT)",
    Metric.HUNCHING: r"\b(hunch\w*|rounded back|slump\w*|kyphosis)\b",
    Metric.FORWARD_HEAD: r"\b(forward head|protraction|chin forward)\b",
    Metric.SUSTAINED_FORWARD_FLEXION: r"\b(looking down|head down|forward_flexion)\b",
    Metric.SUSTAINED_UPPER_BACK_TILT: r"\b(upper back tilted forward|upper_back_forward_tilt)\b",
    Metric.FLEXION: r"\b(forward bend)\b",
    Metric.ISOMETRIC_FORCE: r"\b(force|newton|pressed with)\b",
    Metric.HELD_SHRUG: r"\b(tense shoulders|held shrug)\b",
}
_DENIAL = re.compile(r"\b(not|no|cannot|never|only a second sensor|without|together)\b", re.IGNORECASE)
_OWN_BODY = {  # words for a body part that this mount does not measure
    Mount.COLLAR: re.compile(r"\b(of the (head|neck)|head inclination|neck inclination)\b", re.IGNORECASE),
    Mount.NECK: re.compile(r"\b(of the head|upper-back)\b", re.IGNORECASE),
    Mount.HEAD: re.compile(r"\b(of the neck|upper-back)\b", re.IGNORECASE),
}
_REPS: Mapping[Angle, Metric] = {
    Angle.FLEXION: Metric.NOD_REPS,
    Angle.LATERAL: Metric.SIDE_TILT_REPS,
    Angle.ROTATION: Metric.ROTATION_REPS,
}
_SPECIAL = {
    "chin_tuck": Metric.CHIN_TUCK_REPS,
    "singing_snake": Metric.EXTENSION_REPS,
    "supine_head_lift": Metric.SUPINE_LIFT,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One angle at one mounting. Unless `is_shown` its number must not appear, and `why` says why."""

    name: str
    status: Status
    error: str
    why: str
    is_shown: bool
    is_assumed: bool = False  # which way is forward was taken from the movement, not shown by the person

    @property
    def label(self) -> str:
        """Return the name as a table shows it."""
        if self.is_assumed:
            return f"{self.name} (axes assumed)"
        return f"{self.name} (estimated)" if self.status is Status.ESTIMATED else self.name


def shown(mounting: Mounting, angle: str) -> Shown:
    """Return what may be said of "inclination", "flexion", "lateral" or "rotation" at a mounting."""
    cell = observability(mounting.mount, Metric(angle))
    name = NAMES[mounting.mount][angle]
    if cell.status is Status.NOT_OBSERVABLE:
        return Shown(name, cell.status, cell.error, cell.why, is_shown=False)
    if angle in ("flexion", "lateral") and not mounting.has_direction:
        why = "which way is forward is not known: calibrate with nods, or record some leaning"
        return Shown(name, Status.NOT_OBSERVABLE, "-", why, is_shown=False)
    if angle in ("flexion", "lateral") and not mounting.is_shown:
        return Shown(name, Status.ESTIMATED, UNMEASURED, cell.why, is_shown=True, is_assumed=True)
    return Shown(name, cell.status, cell.error, cell.why, is_shown=True)


def measures(mounting: Mounting) -> dict[str, dict[str, str]]:
    """Return for the JSON what each angle column is at this mounting, with status and error."""
    rows = ((f"{angle}_deg", shown(mounting, angle)) for angle in NAMES[mounting.mount])
    return {
        key: {"what": row.name, "status": str(row.status), "error": row.error, "why": row.why}
        | ({"axes": "assumed"} if row.is_assumed else {})
        for key, row in rows
    }


def check_kind(place: Place | Mount, kind: PostureKind) -> None:
    """Raise NotObservableError for an episode that a sensor in this place cannot have seen."""
    check(place, KIND_METRICS[kind])


def exercise_metric(exercise: Exercise) -> Metric | None:
    """Return what counting an exercise rests on; None for one that is guided by the clock alone."""
    if exercise.signal is None:
        return None
    if exercise.id in _SPECIAL:
        return _SPECIAL[exercise.id]
    return _REPS[exercise.signal.angle]


def contradictions(mount: Mount) -> list[str]:
    """Return exercises that the catalogue says are counted at a mount where the truth table says they cannot be."""
    return [
        f"{exercise.id}: {exercise.seen[mount].value}, but {metric} is not observable at {mount.value}"
        for exercise in EXERCISES.values()
        if exercise.seen[mount] in (Visibility.MEASURED, Visibility.APPROXIMATE)
        and (metric := exercise_metric(exercise)) is not None
        and observability(mount, metric).status is Status.NOT_OBSERVABLE
    ]


def claims(text: str) -> set[Metric]:
    """Return the metrics that a text claims, sentence by sentence; one that denies is no claim."""
    found: set[Metric] = set()
    for sentence in re.split(r"[\n.;]+", text):
        if not _DENIAL.search(sentence):
            found |= {m for m, phrase in _PHRASES.items() if re.search(phrase, sentence, re.IGNORECASE)}
    return found


def untrue(place: Place | Mount, text: str) -> list[str]:
    """Return what a finished text says that a sensor in this place cannot know; empty when it is honest."""
    wrong = [
        f"{metric}: {observability(place, metric).why}"
        for metric in sorted(claims(text))
        if observability(place, metric).status is Status.NOT_OBSERVABLE
    ]
    if isinstance(place, Mount):
        sentences = (s for s in re.split(r"[\n.;]+", text) if not _DENIAL.search(s))
        wrong += [f"names another part: {s.strip()}" for s in sentences if _OWN_BODY[place].search(s)]
    return wrong
