"""Values of a JSON or TOML file made into our own types by msgspec; an error names its key in one line."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_PLACE = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
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
    (r"Invalid enum value .*", "a word that this version knows"),
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
        raise ValueError(_line(str(error), values)) from error
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"a value is out of all bounds ({error})") from error


def _line(message: str, values: object) -> str:
    """Put a message of msgspec into our words, with the value that came."""
    place = _PLACE.fullmatch(message)
    assert place is not None  # it matches any text
    text, key = place[1], place[2] or ""
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", text):
        return f"{f'{key}.' if key else ''}{missing[1]}: missing"
    for pattern, expected in _EXPECTED:
        if said := re.fullmatch(pattern, text, re.DOTALL):
            words = expected.format(*(_WORDS.get(word, word.removesuffix(".0")) for word in said.groups()))
            return f"{f'{key}: ' if key else ''}expected {words}, came {_short(_value(values, key))}"
    return f"{key}: {text}"


def _value(values: Any, key: str) -> object:
    """Return the value at a key such as `mounting.notes[1]`, as far as `[...]`, msgspec's word for any key."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", key.partition("[...]")[0]):
        values = values[name] if name else values[int(index)]
    return values


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
