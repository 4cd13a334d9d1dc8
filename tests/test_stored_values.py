"""What is wrong in a file is told in one line: the key, what was expected, what came."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import pytest
from msgspec import Meta

from tiltwise.stored_values import convert
from tiltwise.types import Mount


@dataclass(frozen=True)
class Limits:
    angle_deg: Annotated[float, Meta(ge=1.0, le=90.5)] = 20.0

    def __post_init__(self) -> None:
        if self.angle_deg == 13:
            raise ValueError("13 brings bad luck: take another")


@dataclass(frozen=True)
class File:
    name: str
    rule: Limits = field(default_factory=Limits)
    mount: Mount = Mount.NECK
    is_on: bool = True
    notes: tuple[str, ...] = ()
    q: tuple[float, float] = (1.0, 0.0)
    at: Annotated[datetime, Meta(tz=True)] | None = None
    gap_s: float | None = None


def test_values_become_a_dataclass_and_unknown_keys_are_left_out() -> None:
    came = convert({"name": "a", "rule": {"angle_deg": 25}, "mount": "head", "later": 1}, File)
    assert came == File("a", Limits(25.0), Mount.HEAD)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"rule": {"angle_deg": "wide"}}, "rule.angle_deg: expected a number, came 'wide'"),
        ({"rule": {"angle_deg": 0}}, "rule.angle_deg: expected at least 1, came 0"),
        ({"rule": {"angle_deg": 100}}, "rule.angle_deg: expected at most 90.5, came 100"),
        ({"rule": {"angle_deg": float("nan")}}, "rule.angle_deg: expected at least 1, came nan"),
        ({"rule": {"angle_deg": 13}}, "rule: 13 brings bad luck: take another"),
        ({"rule": 3}, "rule: expected a table of values, came 3"),
        ({"is_on": 1}, "is_on: expected true or false, came 1"),
        ({"mount": "ear"}, 'mount: expected "collar", "neck" or "head", came \'ear\''),
        ({"notes": ["a", 5]}, "notes[1]: expected text, came 5"),
        ({"notes": 5}, "notes: expected a list, came 5"),
        ({"q": [1.0]}, "q: expected a list of 2, came [1.0]"),
        ({"at": "2026-03-01T12:00:00"}, "at: expected a time with its zone, came '2026-03-01T12:00:00'"),
        ({"at": "noon"}, "at: expected a time such as 2026-03-01T12:00:00Z, came 'noon'"),
        ({"gap_s": "long"}, "gap_s: expected a number, came 'long'"),
        ({"name": None}, "name: expected text, came None"),
        ({"name": ["x" * 100]}, f"name: expected text, came ['{'x' * 55}..."),
    ],
)
def test_the_line(change: dict[str, object], line: str) -> None:
    with pytest.raises(ValueError) as caught:
        convert({"name": "a", **change}, File)
    assert str(caught.value) == line


def test_what_is_missing_and_what_is_no_table() -> None:
    with pytest.raises(ValueError, match=r"^name: missing$"):
        convert({}, File)
    with pytest.raises(ValueError, match=r"^expected a table of values, came \[\]$"):
        convert([], File)
    with pytest.raises(ValueError, match=r"^\[\.\.\.\]: expected a table of values$"):
        convert({"a": 1}, dict[str, Limits])
