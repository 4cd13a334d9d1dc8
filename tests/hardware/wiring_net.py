"""A wiring file as nets: which pins are joined, and what the file says about board, bus and cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

WIRING = Path(__file__).parents[2] / "hardware/wiring"
NAMES = tuple(sorted(path.stem for path in WIRING.glob("*.yml")))


@dataclass(frozen=True)
class Wiring:
    """`nets` maps each pin, as "U1.D2", to all pins joined with it; `about` is the file's metadata for tests."""

    name: str
    about: dict[str, Any]
    connectors: dict[str, dict[str, Any]]
    nets: dict[str, frozenset[str]]

    def is_joined(self, first: str, second: str) -> bool:
        return second in self.nets[first]

    def references(self, pin: str) -> set[str]:
        return {other.split(".")[0] for other in self.nets[pin]}


def read(name: str) -> Wiring:
    """Return one wiring file; a pin that a connector does not have raises KeyError."""
    data = yaml.safe_load((WIRING / f"{name}.yml").read_text(encoding="utf-8"))
    pins = [f"{ref}.{label}" for ref, part in data["connectors"].items() for label in part["pins"]]
    groups = {pin: {pin} for pin in pins}
    for row in data["connections"]:
        ends = [
            f"{ref}.{label}"
            for step in row
            for ref, labels in step.items()
            for label in labels
            if ref not in data["cables"]
        ]
        joined = set().union(*(groups[end] for end in ends))
        for pin in joined:
            groups[pin] = joined
    nets = {pin: frozenset(group) for pin, group in groups.items()}
    return Wiring(name, data["metadata"]["tiltwise"], data["connectors"], nets)
