"""Parts lists as figures: how many parts a build has and what they cost, from bom/*.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

BOM = Path(__file__).parent / "bom"
BUILDS = ("zero_wire", "esp32s3", "two_sensor", "budget", "pico_w")
COLUMNS = (
    "reference",
    "quantity",
    "fitted",
    "part",
    "manufacturer",
    "mpn",
    "supplier_1",
    "supplier_2",
    "price_each",
    "currency",
    "price_date",
    "datasheet",
    "why",
    "substitutes",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a build takes: parts with a reference, and the sum without and with what may be left out."""

    parts: int
    least: float
    full: float
    currency: str
    date: str


def rows(build: str) -> list[dict[str, str]]:
    """Return the rows of one parts list."""
    with (BOM / f"{build}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cost(build: str) -> Cost:
    """Return number and estimated price of a build's parts.

    Raises
    ------
    ValueError
        The list mixes currencies, so that a sum means nothing.
    """
    lines = rows(build)
    currencies = {line["currency"] for line in lines}
    if len(currencies) != 1:
        raise ValueError(
            f"bom/{build}.csv mixes {', '.join(sorted(currencies))}: give all prices in one currency"
        )
    prices = [(float(line["price_each"]) * int(line["quantity"]), line["fitted"]) for line in lines]
    return Cost(
        parts=sum(int(line["quantity"]) for line in lines if line["reference"] != "-"),
        least=sum(price for price, fitted in prices if fitted == "yes"),
        full=sum(price for price, _ in prices),
        currency=currencies.pop(),
        date=max(line["price_date"] for line in lines),
    )
