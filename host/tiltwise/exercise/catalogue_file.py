"""The text of a catalogue (TOML) -> exercises and programmes; what is wrong in it is told with its line.

Pure: whoever has the file reads it. The catalogue that ships and a person's own have the same words.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from tiltwise.exercise.definition import LONGEST_S, Exercise, Part, Phase, Programme
from tiltwise.exercise.signals import Signal
from tiltwise.stored_values import convert

_TABLES: dict[str, type[Any]] = {"exercise": Exercise, "programme": Programme}
_PHASES = ("approach", "phases", "leave")


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """Return one line, short enough for a terminal, for a name that is not among those known."""
    near = difflib.get_close_matches(as_id(name), known, n=1)
    return f"no {what} {name!r}: {f'did you mean {near[0]}? ' if near else ''}tiltwise exercises lists them"


class CatalogueError(ValueError):
    """A catalogue cannot be used: its file, line, and what was expected."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Exercises and programmes by id."""

    exercises: Mapping[str, Exercise]
    programmes: Mapping[str, Programme]

    def find(self, name: str) -> tuple[str, tuple[Exercise, ...]]:
        """Return the title and the exercises, with their doses, of an exercise or a programme.

        The name may have hyphens, spaces or underscores; ValueError names the list.
        """
        key = as_id(name)
        if key in self.exercises:
            return self.exercises[key].name, (self.exercises[key],)
        if key in self.programmes:
            return self.programmes[key].name, self._unfold(key, ())
        raise ValueError(no_such("exercise or programme", name, (*self.exercises, *self.programmes)))

    def _unfold(self, key: str, above: tuple[str, ...]) -> tuple[Exercise, ...]:
        """Return the exercises of a programme; ValueError when it comes back to itself or names what is not there."""
        if key in above:
            raise ValueError(f"programme {key!r} comes back to itself: {' -> '.join((*above, key))}")
        found: list[Exercise] = []
        for part in self.programmes[key].parts:
            found += self._of_part(part, (*above, key))
        return tuple(found)

    def _of_part(self, part: Part, above: tuple[str, ...]) -> tuple[Exercise, ...]:
        if part.programme:
            if part.programme not in self.programmes:
                raise ValueError(f"there is no programme {part.programme!r}")
            return self._unfold(part.programme, above)
        if part.exercise not in self.exercises:
            raise ValueError(f"there is no exercise {part.exercise!r}")
        exercise = self.exercises[part.exercise]
        return (replace(exercise, reps=part.reps or exercise.reps, sets=part.sets or exercise.sets),)

    def check_programmes(self) -> tuple[str, str] | None:
        """Return (id, what is wrong) of the first programme that cannot be done, None when all can."""
        for key in self.programmes:
            try:
                lasts_s = sum(exercise.lasts_s() for exercise in self._unfold(key, ()))
            except ValueError as error:
                return key, str(error)
            if lasts_s > LONGEST_S:
                return key, f"takes {lasts_s / 60:.0f} minutes: expected at most an hour"
        return None


def as_id(name: str) -> str:
    """Return a name as people write it in the form of an id."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def read_catalogue(text: str, where: str, base: Catalogue | None = None) -> Catalogue:
    """Return the catalogue in a text, on top of `base`.

    Raises
    ------
    CatalogueError
        "FILE, line 12: exercise 'mine': phases[1].seconds: expected a number, came 'long'".
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError, OverflowError) as error:
        raise CatalogueError(f"{where}: not valid TOML: {error}") from error
    exercises = dict(base.exercises) if base else {}
    programmes = dict(base.programmes) if base else {}
    rows: dict[str, dict[str, Any]] = {"exercise": exercises, "programme": programmes}
    for kind, k, table in _rows(tables, where):
        try:
            made = _made(kind, table)
            if made.id in exercises or made.id in programmes:
                raise ValueError(f"id: {made.id!r} is taken; choose another")
        except ValueError as error:
            raise CatalogueError(_line(text, where, kind, k, table, str(error).removeprefix(": "))) from None
        rows[kind][made.id] = made
    catalogue = Catalogue(exercises, programmes)
    if wrong := catalogue.check_programmes():
        ids = [table.get("id") for kind, _, table in _rows(tables, where) if kind == "programme"]
        k = ids.index(wrong[0]) if wrong[0] in ids else 0
        raise CatalogueError(_line(text, where, "programme", k, {"id": wrong[0]}, f"parts: {wrong[1]}"))
    return catalogue


def _rows(tables: Mapping[str, object], where: str) -> list[tuple[str, int, dict[str, Any]]]:
    """Return (kind, number, table) of all exercises and programmes."""
    found = []
    for kind, rows in tables.items():
        if (
            kind not in _TABLES
            or not isinstance(rows, list)
            or not all(isinstance(row, dict) for row in rows)
        ):
            raise CatalogueError(f"{where}: expected [[exercise]] and [[programme]] only, came {kind!r}")
        found += [(kind, k, row) for k, row in enumerate(rows)]
    return found


def _made(kind: str, table: dict[str, Any]) -> Exercise | Programme:
    _refuse_unknown(table, _TABLES[kind], "")
    if kind == "exercise":
        for name in _PHASES:
            _refuse_unknown_in(table, name, Phase)
        if isinstance(table.get("signal"), dict):
            _refuse_unknown(table["signal"], Signal, "signal.")
    else:
        _refuse_unknown_in(table, "parts", Part)
    made: Exercise | Programme = convert(table, _TABLES[kind])
    return made


def _refuse_unknown_in(table: dict[str, Any], name: str, kind: type[Any]) -> None:
    rows = table.get(name, [])
    for k, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            _refuse_unknown(row, kind, f"{name}[{k}].")


def _refuse_unknown(table: dict[str, Any], kind: type[Any], prefix: str) -> None:
    """Refuse a key that is not there: it would be without effect."""
    known = [f.name for f in fields(kind)]
    for key in table:
        if key not in known:
            raise ValueError(f"{prefix}{key}: unknown; there are {', '.join(known)}")


def _line(text: str, where: str, kind: str, k: int, table: Mapping[str, object], error: str) -> str:
    """Put file, line and name before what is wrong."""
    name = f" {table['id']!r}" if isinstance(table.get("id"), str) else f" {k + 1}"
    return f"{where}, line {_line_number(text, kind, k, error)}: {kind}{name}: {error}"


def _line_number(text: str, kind: str, k: int, error: str) -> int:
    """Return the line of the key that an error begins with in the k-th [[kind]], or of its head."""
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{kind}\s*\]\]", line)]
    start = heads[k] if k < len(heads) else 0
    ends = [n for n in range(start + 1, len(lines)) if re.match(r"\s*\[\[", lines[n])]
    key = re.match(r"(\w+)(?:\[(\d+)\])?(?:\.(\w+))?", error)
    if key is None:
        return start + 1
    for n in range(start, ends[0] if ends else len(lines)):
        if re.match(rf"\s*{key[1]}\s*=", lines[n]):
            inner = [m for m in range(n, ends[0] if ends else len(lines)) if "{" in lines[m]]
            return (inner[int(key[2])] if key[2] and int(key[2]) < len(inner) else n) + 1
    return start + 1
