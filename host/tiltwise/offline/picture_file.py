"""Figures to picture files; a wrong name is refused before the work begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiltwise.config.atomic_file import whole_file
from tiltwise.errors import UsageError
from tiltwise.text import printable
from tiltwise.types import AngleBlock

if TYPE_CHECKING:  # matplotlib takes half a second, the filters behind an analysis a tenth
    from tiltwise.offline.analyze import Analysis
    from tiltwise.report.plots import Figure


def check_picture_path(path: Path | None) -> None:
    """Raise UsageError for a name that `save_figure` cannot serve, before the work is done for it."""
    if path is not None and path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise UsageError(f"{path}: expected a name that ends in .png, .pdf or .svg")
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}: make it first, or choose another")


def save_figure(figure: Figure, path: Path, *, dark: bool = False) -> None:
    """Write a PNG, PDF or SVG, for a dark screen if asked; the file appears whole or not at all."""
    check_picture_path(path)
    if dark:
        from tiltwise.report.plots_dark import darken

        darken(figure)
    kind = path.suffix.lower().lstrip(".")
    with whole_file(path) as file:
        figure.savefig(file, format=kind)


def angles_figure(result: Analysis, name: str, limit_deg: float | None) -> Figure:
    """Return the picture of a file's angles, as far as they may be shown; limit_deg is the rule's angle."""
    from tiltwise.report import plots  # here: matplotlib takes a second, and most analyses draw nothing

    of, unknown = result.drawn_angles(), result.t_s * float("nan")
    block = AngleBlock(
        t_s=result.t_s,
        inclination_deg=of["inclination_deg"],
        flexion_deg=of["flexion_deg"],
        lateral_deg=of["lateral_deg"],
        rotation_deg=of["rotation_deg"],
        rate_deg_s=unknown,
        up_acc_m_s2=unknown,
        acc_norm_m_s2=unknown,
    )
    return plots.angles(
        block,
        mount=result.mounting.mount,
        has_direction=result.mounting.has_direction,
        title=printable(name, 60) + (f": relative to {result.relative_to}" if result.relative_to else ""),
        episodes=result.episodes,
        limit_deg=limit_deg,
    )
