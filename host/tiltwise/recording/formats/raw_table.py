"""What a reader of a format hands on: columns as the file has them, and what it says of their units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tiltwise.types import FloatArray

Progress = Callable[[float], None]


class ImuFileError(ValueError):
    """This file cannot be used; one line says what was expected, what came, and what to do."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person insists on: a column for each role, units, a rate; empty where the file is to tell.

    `columns` maps t, acc and gyr to column names or numbers (from 1), a leading minus for the other sign.
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    t_unit: str = ""
    acc_unit: str = ""
    gyr_unit: str = ""
    rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class ImuTable:
    """Columns in the units named; t (n,) is None where a file has none, a unit "" where it names none.

    gyr and acc are (n, 3); rate_hz is what the file claims, layout what wrote it as far as that is known.
    """

    t: FloatArray | None
    gyr: FloatArray
    acc: FloatArray
    rate_hz: float | None = None
    t_unit: str = ""
    acc_unit: str = ""
    gyr_unit: str = ""
    layout: str = ""
    notes: tuple[str, ...] = ()


def listing(names: list[str]) -> str:
    """Return the names of columns, the first two dozen, for a message of one line."""
    shown = ", ".join(repr(" ".join(name.split())[:40]) for name in names[:24])
    return (shown + ", ..." if len(names) > 24 else shown) or "nothing"
