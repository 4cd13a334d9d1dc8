"""The catalogue: EXERCISES["side_tilt"] and so on, from three lists by what the sensor can do for them.

definition.py says what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tiltwise.exercise.catalogue_counted import COUNTED
from tiltwise.exercise.catalogue_relaxing import RELAXING
from tiltwise.exercise.catalogue_timed import TIMED
from tiltwise.exercise.definition import Exercise

EXERCISES: Mapping[str, Exercise] = MappingProxyType({e.id: e for e in (*RELAXING, *COUNTED, *TIMED)})


def find_exercise(name: str) -> Exercise:
    """Return the exercise of this id, written with hyphens, spaces or underscores; ValueError lists what there is."""
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in EXERCISES:
        raise ValueError(f"no exercise {name!r}: choose one of {', '.join(EXERCISES)}")
    return EXERCISES[key]
