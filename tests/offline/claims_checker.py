"""Reads a finished text back: what it claims to have seen, and what of that a sensor in that place cannot know."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.definition import Exercise, Visibility
from tiltwise.exercise.signals import Angle
from tiltwise.motion.angles.observability import Metric, Place, Status, observability
from tiltwise.types import Mount, PostureKind

KIND_METRICS = {
    PostureKind.FORWARD_FLEXION: Metric.SUSTAINED_FORWARD_FLEXION,
    PostureKind.UPPER_BACK_FORWARD_TILT: Metric.SUSTAINED_UPPER_BACK_TILT,
    PostureKind.TELEPHONE_TILT: Metric.LATERAL,
    PostureKind.HEAD_THROWN_BACK: Metric.FLEXION,
    PostureKind.HEAD_PROPPED: Metric.INCLINATION,
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
    Angle.RISE: Metric.SHRUG_REPS,
}
_SPECIAL = {
    "chin_tuck": Metric.CHIN_TUCK_REPS,
    "singing_snake": Metric.EXTENSION_REPS,
    "supine_head_lift": Metric.SUPINE_LIFT,
}


def can_have_seen(place: Place | Mount, kind: PostureKind) -> bool:
    """Tell whether a sensor in this place can see such an episode."""
    return observability(place, KIND_METRICS[kind]).status is not Status.NOT_OBSERVABLE


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
