"""The catalogue that ships: EXERCISES["side_tilt"] and so on, PROGRAMMES["desk_break"], from catalogue.toml."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from tiltwise.exercise.catalogue_file import Catalogue, as_id, no_such, read_catalogue
from tiltwise.exercise.definition import Exercise, Programme


def _shipped() -> Catalogue:
    data = pkgutil.get_data(__package__ or "tiltwise.exercise", "catalogue.toml")
    return read_catalogue((data or b"").decode(), "catalogue.toml")


CATALOGUE = _shipped()
EXERCISES: Mapping[str, Exercise] = MappingProxyType(dict(CATALOGUE.exercises))
PROGRAMMES: Mapping[str, Programme] = MappingProxyType(dict(CATALOGUE.programmes))


def find_exercise(name: str) -> Exercise:
    """Return the exercise of this id, written with hyphens, spaces or underscores; ValueError names the list."""
    key = as_id(name)
    if key not in EXERCISES:
        raise ValueError(no_such("exercise", name, EXERCISES))
    return EXERCISES[key]
