"""`tiltwise bench NAME`: accuracy and speed, measured here and now, as tables. The frame; each bench is a module.

Figures on recordings need their folder: `$TILTWISE_DATA` or --data. Before it: bench_*.py. After it: people.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from tiltwise.app import bench_desk, bench_orientation
from tiltwise.app.bench_peers import methods
from tiltwise.app.console import progress_bar
from tiltwise.app.day import save_figure
from tiltwise.app.errors import AppError, UsageError
from tiltwise.report import plots_bench

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """Where the recordings are, and how many seeds to take where seeds matter."""

    data: Path | None = None
    seeds: int = 3
    plot: Path | None = None

    def folder(self) -> Path:
        """Return the folder with human/ and orientation/."""
        named = self.data or (Path(os.environ["TILTWISE_DATA"]) if "TILTWISE_DATA" in os.environ else None)
        folder = named or Path("..") / "shared" / "data"
        if not folder.is_dir():
            raise AppError(f"{folder}: no recordings there; name their folder with --data or TILTWISE_DATA")
        return folder


def run_bench(name: str, options: BenchOptions, console: Console) -> None:
    """Run one bench by name and print its table."""
    if name not in BENCHES:
        raise UsageError(f"bench {name!r}: expected one of {', '.join(BENCHES)}")
    BENCHES[name][1](options, console)


def collect(what: str, rows: Iterable[tuple[float, Row]]) -> list[Row]:
    """Run a bench's generator behind a progress bar."""
    found = []
    with progress_bar(what) as show:
        for share, row in rows:
            found.append(row)
            show(share)
    return found


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table: text left, numbers right with the digits that they deserve."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    cells = [[_cell(value) for value in row] for row in rows]
    for k, column in enumerate(columns):
        is_text = bool(cells) and all(not _is_number(row[k]) for row in cells)
        made.add_column(column, justify="left" if is_text else "right", no_wrap=True)
    for row in cells:
        made.add_row(*row)
    return made


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not np.isfinite(value):
            return "-"
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"
    return str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("+-").replace(".", "", 1).isdigit()


def _desk(options: BenchOptions, console: Console) -> None:
    rows = collect("desk recordings", bench_desk.desk_rows(options.folder()))
    groups = [[row for row in rows if row.label == label] for label in (*bench_desk.DESK, *bench_desk.CALM)]
    columns = ("activity", "files", "RMSE", "share", "runs", "found", "more", "alarms")
    title = (
        "inclination against the index's references (acausal VQF, not optical): deg, percentage points, runs"
    )
    console.print(table(title, columns, (_desk_cells(group) for group in groups if group)))
    desk = [row for row in rows if row.label in bench_desk.DESK]
    calm = [row for row in rows if row.label in bench_desk.CALM]
    inside = np.mean([row.worst_share_points <= bench_desk.SHARE_TOLERANCE for row in desk]) * 100
    rule = bench_desk.RULE
    lines = (
        f"desk: median RMSE {np.median([row.rmse_deg for row in desk]):.2f} deg over {len(desk)} recordings; "
        f"all five shares within {bench_desk.SHARE_TOLERANCE:g} points in {inside:.0f} %",
        f"rule {rule.angle_deg:g} deg / {rule.seconds:g} s: {sum(r.found for r in desk)} of "
        f"{sum(r.runs for r in desk)} reference runs found, {sum(r.continued for r in desk)} more continue an "
        f"episode that had alarmed; {sum(r.alarms for r in calm)} alarms in {len(calm)} walking and standing files",
    )
    console.print("\n".join(lines), highlight=False)


def _desk_cells(group: list[bench_desk.DeskRow]) -> tuple[object, ...]:
    return (
        group[0].label,
        len(group),
        float(np.median([row.rmse_deg for row in group])),
        max(row.worst_share_points for row in group),
        *(sum(getattr(row, name) for row in group) for name in ("runs", "found", "continued", "alarms")),
    )


def _orientation(options: BenchOptions, console: Console) -> None:
    folder = options.folder()
    folder = folder / "orientation" if (folder / "orientation").is_dir() else folder
    rows = collect("orientation", bench_orientation.orientation_rows(folder))
    columns = ("method", "as-is", "worst", "aligned", "ms", "/VQF", "al.", "samples/s", "causal")
    for condition in dict.fromkeys(row.condition for row in rows):
        chosen = [row for row in rows if row.condition == condition]
        title = f"\ninclination RMSE (deg): {condition}; {len(chosen[0].files_deg)} files of {folder.name}/"
        console.print(table(title, columns, (_orientation_cells(row) for row in chosen)))
    console.print("aligned: after one time shift (ms) per method; al.: its ratio to VQF's", style="dim")
    for note in methods()[1]:
        console.print(note, style="dim")
    if options.plot is not None:
        save_figure(plots_bench.orientation(rows), options.plot)
        console.print(f"plot: {options.plot}", highlight=False)


def _orientation_cells(row: bench_orientation.BenchRow) -> tuple[object, ...]:
    errors = (row.as_is_deg, row.worst_deg, row.aligned_deg, row.shift_ms)
    return row.method, *errors, row.per_vqf, row.aligned_per_vqf, row.samples_per_s, row.is_causal


BENCHES: dict[str, tuple[str, Callable[[BenchOptions, Console], None]]] = {
    "desk": ("offline path on people at desks: angles, shares of time, rule", _desk),
    "orientation": ("our filters beside the peers, against optical truth", _orientation),
}
