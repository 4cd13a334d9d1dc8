"""What every bench is told: where the data is, seeds, scale, picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tiltwise.errors import AppError


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """Where the recordings are, and how many seeds to take where seeds matter."""

    data: Path | None = None
    chosen_seeds: int | None = None
    plot: Path | None = None
    scale: float = 1.0  # of the hours that a long bench takes

    @property
    def seeds(self) -> int:
        """How many were asked for, or as many as most benches take."""
        return 3 if self.chosen_seeds is None else self.chosen_seeds

    def folder(self) -> Path:
        """Return the folder with human/ and orientation/."""
        named = self.data or (Path(os.environ["TILTWISE_DATA"]) if "TILTWISE_DATA" in os.environ else None)
        folder = named or Path("..") / "shared" / "data"
        if not folder.is_dir():
            raise AppError(f"{folder}: no recordings there; name their folder with --data or TILTWISE_DATA")
        return folder
