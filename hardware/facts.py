"""The figures the hardware is built on, each with its public source: `facts.csv` as a table to look things up in.

A fact is `cited` when its source states it, `assumed` when no source was found; its line then says what stands in.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FACTS = Path(__file__).parent / "facts.csv"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure: its value in its unit, whether a source states it, and which."""

    value: float
    unit: str
    status: str
    source: str

    @property
    def is_cited(self) -> bool:
        return self.status == "cited"


@cache
def facts() -> dict[tuple[str, str], Fact]:
    """Return all facts by part and quantity."""
    with FACTS.open(encoding="utf-8", newline="") as file:
        return {
            (row["part"], row["quantity"]): Fact(
                float(row["value"]), row["unit"], row["status"], row["source"]
            )
            for row in csv.DictReader(file)
        }


def fact(part: str, quantity: str) -> Fact:
    """Return one fact.

    Raises
    ------
    KeyError
        Nobody wrote it down: the message names the line that `facts.csv` lacks.
    """
    try:
        return facts()[part, quantity]
    except KeyError:
        raise KeyError(f"no '{part},{quantity}' in hardware/facts.csv: add it with its source") from None


def value(part: str, quantity: str) -> float:
    """Return the number alone, in the unit that `facts.csv` gives."""
    return fact(part, quantity).value
