"""The bench of the repetition counter as tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rich.console import Console

from tiltwise_lab.bench.counting import rep_error
from tiltwise_lab.bench.counting.generated_sets import BENDS
from tiltwise_lab.bench.counting.rep_error import DeskRow, SetRow
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.table import collect, table

_DESKS = 10  # recordings of each activity, a minute or two each
_GROUPS: tuple[Callable[[SetRow], str], ...] = (
    lambda _: "all",
    lambda row: row.kind.plane,
    lambda row: row.kind.speed,
    lambda row: row.kind.size,
    lambda row: "talks" if row.kind.talks else "is quiet",
    lambda row: "with a calibration" if row.kind.is_calibrated else "nothing known",
    lambda row: f"{row.kind.size}, {'talks' if row.kind.talks else 'is quiet'}",
)


def print_reps(options: BenchOptions, console: Console) -> None:
    seeds = range(1, options.seeds + 1)
    rows = collect("generated sets", rep_error.set_rows(seeds))
    groups: dict[str, list[SetRow]] = {}
    beside = [row for row in rows if _beside(row)]
    rows = [row for row in rows if not _beside(row)]
    for group in _GROUPS:
        for row in rows:
            groups.setdefault(group(row), []).append(row)
    for row in beside:
        groups.setdefault(_beside(row), []).append(row)
    title = f"repetitions in {len(rows)} generated sets, seeds 1 to {options.seeds}: share of sets (%), reps"
    columns = ("sets", "n", "exact", "within one", "worst", "reps", "wrong side")
    console.print(table(title, columns, ((name, *_cells(some)) for name, some in groups.items())))
    speed = sum(row.samples for row in rows) / max(sum(row.cpu_s for row in rows), 1e-9)
    console.print(
        f"brisk: out and back in 0.4 to 0.9 s, slow: in 2.5 to 6 s; small: 7 to 13 deg, large: 30 to 60; "
        f"*: not in all.\n"
        f"{speed:,.0f} samples/s of processor time, in sets of about {np.mean([row.samples for row in rows]):,.0f}",
        style="dim",
        highlight=False,
    )
    _print_desks(
        collect("generated days", rep_error.workday_rows(options.seeds, 8.0 * options.scale)), console
    )
    if (options.folder() / "human" / "index.json").is_file():
        _print_desks(collect("people at desks", rep_error.desk_rows(options.folder(), _DESKS)), console)


def _beside(row: SetRow) -> str:
    """What is none of the head sets."""
    if row.kind.is_handled:
        return "handled at both ends *"
    return f"{row.kind.plane} at C7 *" if row.kind.plane in BENDS else ""


def _cells(rows: list[SetRow]) -> tuple[object, ...]:
    errors = np.abs([row.error for row in rows])
    exact, near = 100 * float(np.mean(errors == 0)), 100 * float(np.mean(errors <= 1))
    reps, wrong = sum(row.reps for row in rows), sum(row.wrong_sides for row in rows)
    return len(rows), exact, near, int(errors.max()), reps, wrong


def _print_desks(rows: list[DeskRow], console: Console) -> None:
    groups: dict[str, list[DeskRow]] = {}
    for row in rows:
        groups.setdefault(row.label, []).append(row)
    cells = (
        (label, len(some), sum(r.minutes for r in some), sum(r.false_counts for r in some))
        for label, some in sorted(groups.items())
    )
    title = "\nunguided counters where nobody exercises"
    rates = ((*c, c[3] / c[2] if c[2] else float("nan")) for c in cells)
    console.print(table(title, ("activity", "files", "minutes", "counted", "a minute"), rates))
