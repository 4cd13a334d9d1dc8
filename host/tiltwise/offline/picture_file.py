"""A figure to a picture file; a wrong name is told before the work begins."""

from __future__ import annotations

from pathlib import Path

from tiltwise.config.atomic_file import whole_file
from tiltwise.errors import UsageError
from tiltwise.report.plots import Figure


def check_picture_path(path: Path | None) -> None:
    """Raise UsageError for a name that `save_figure` cannot serve, before the work is done for it."""
    if path is not None and path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise UsageError(f"{path}: expected a name that ends in .png, .pdf or .svg")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, PDF or SVG; the file appears whole or not at all."""
    check_picture_path(path)
    kind = path.suffix.lower().lstrip(".")
    with whole_file(path) as file:
        figure.savefig(file, format=kind)
