"""Values of a JSON or TOML file made into our own types by msgspec; an error names its key in one line."""

from __future__ import annotations

import json
import re
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_type_hints

import msgspec

T = TypeVar("T")

_PLACE = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_ANY = "[...]"  # msgspec's word for any key of a table
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a table of values",
    "array": "a list",
    "datetime": "a time",
}
# What msgspec says -> what was expected, in our words; `{0}` is a kind of value in _WORDS.
_EXPECTED = (
    (r"Expected `(\w+)(?: \| null)?`, got `\w+`", "{0}"),
    (r"Expected `\w+` >= (.*)", "at least {0}"),
    (r"Expected `\w+` <= (.*)", "at most {0}"),
    (r"Expected `array` of length (\d+), got \d+", "a list of {0}"),
    (r"Expected `datetime` with a timezone component", "a time with its zone"),
    (r"Invalid RFC3339 encoded datetime", "a time such as 2026-03-01T12:00:00Z"),
)


def convert(values: object, kind: type[T]) -> T:
    """Return the values of a file as a dataclass, or as another type that msgspec knows.

    Parameters
    ----------
    values
        What json.loads or tomllib.loads returned. Keys that `kind` does not have are left out.
    kind
        The type wanted; limits come from msgspec.Meta and from __post_init__.

    Raises
    ------
    ValueError
        "rule.angle_deg: expected a number, came 'wide'".
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_line(str(error), values, kind)) from error
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"a value is out of all bounds ({error})") from error


def _line(message: str, values: object, kind: object) -> str:
    """Put a message of msgspec into our words, with the value that came."""
    place = _PLACE.fullmatch(message)
    assert place is not None  # it matches any text
    text, key = place[1], place[2] or ""
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", text):
        return f"{f'{key}.' if key else ''}{missing[1]}: missing"
    if text.startswith("Invalid enum value"):
        words = _words_at(kind, key) or "a word that this version knows"
        return f"{f'{key}: ' if key else ''}expected {words}, came {_short(_value(values, key))}"
    for pattern, expected in _EXPECTED:
        if said := re.fullmatch(pattern, text, re.DOTALL):
            words = expected.format(*(_WORDS.get(word, word.removesuffix(".0")) for word in said.groups()))
            # Which of the keys of a table it was, is not said.
            came = "" if _ANY in key else f", came {_short(_value(values, key))}"
            return f"{f'{key}: ' if key else ''}expected {words}{came}"
    return f"{key}: {text}"


def _words_at(kind: Any, key: str) -> str:
    """Return the words that a key of a dataclass may have, as `"a", "b" or "c"`; "" where its kind is not plain."""
    for name in key.split("."):
        kind = get_type_hints(kind).get(name) if is_dataclass(kind) else kind
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        return ""
    *others, last = (json.dumps(each.value) for each in kind)
    return f"{', '.join(others)} or {last}" if others else last


def _value(values: Any, key: str) -> object:
    """Return the value at a key such as `mounting.notes[1]`."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", key):
        values = values[name] if name else values[int(index)]
    return values


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
