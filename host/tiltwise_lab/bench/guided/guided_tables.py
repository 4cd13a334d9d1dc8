"""The benches of the guided coach as tables, with what is published beside them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rich.console import Console

from tiltwise.console import progress_bar
from tiltwise_lab.bench.guided import guided_error, pir_sessions, shoulder_checks
from tiltwise_lab.bench.guided.guided_error import GuidedRow
from tiltwise_lab.bench.guided.pir_sessions import PirRow
from tiltwise_lab.bench.guided.shoulder_checks import CheckRow
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.table import table

_FIRST_SEED = 101  # the counter was written and chosen with the sets of earlier ones in sight
_SESSIONS = 25  # a seed, for each exercise and place
_ROUND_SEEDS = 2  # of the seeds: a session takes as long as ten sets
_NULL_SESSIONS = 10_000
_CHECKS = 40  # wearers who compare their shoulders, each with every thing held
# Other movements, other sensors, other data: the field's figures, not a ranking. Found in the abstracts.
PUBLISHED = (
    ("RecoFit 2014, forearm IMU, 114 people, gym", "within one in 93 % of sets"),
    ("Soro et al. 2019, watch, 10 CrossFit exercises", "within one in 91 %"),
    ("Pernek et al. 2013, one accelerometer, 3,598 repetitions", "about 1 % miscounted"),
    ("Hsu et al. 2021, camera skeleton", "within one in 94 to 95 %"),
    ("just-in-time detection 2020, arm IMU, 20 exercises", "told up to 0.5 s before the end"),
    ("neck exercises, rounds of tensing", "nothing published"),
)
_GROUPS: tuple[Callable[[GuidedRow], str], ...] = (
    lambda _: "all",
    lambda row: f"at {row.kind.mount}",
    lambda row: row.kind.exercise,
    lambda row: f"body: {row.body}",
    lambda row: f"mover: {row.mover}",
)


def print_guided(options: BenchOptions, console: Console) -> None:
    """Print counts of sets, then rounds of tensing, then what others publish."""
    seeds = range(_FIRST_SEED, _FIRST_SEED + options.seeds)
    with progress_bar("guided sets") as show:
        rows = guided_error.guided_rows(seeds, options.scale, show)
    groups: dict[str, list[GuidedRow]] = {}
    for group in _GROUPS:
        for row in rows:
            groups.setdefault(group(row), []).append(row)
    title = f"{len(rows)} guided sets, seeds {seeds[0]} to {seeds[-1]}, scale {options.scale:g}"
    columns = ("sets", "n", "exact", "+-1", "reps", "side", "hold", "lead", "back")
    console.print(table(title, columns, ((name, *_cells(some)) for name, some in groups.items())))
    speed = sum(row.samples for row in rows) / max(sum(row.cpu_s for row in rows), 1e-9)
    console.print(
        "exact, +-1: share of the sets, %; side: on the wrong side; hold: 95th percentile of its error, s;\n"
        "lead: median from the telling to the return to neutral, s; back: told and taken back, %.\n"
        f"{speed:,.0f} samples/s of processor time in the coach",
        style="dim",
        highlight=False,
    )
    sessions = max(round(_SESSIONS * options.scale), 1)
    with progress_bar("rounds of tensing") as show:
        rounds = pir_sessions.pir_rows(seeds[:_ROUND_SEEDS], sessions, show)
    print_rounds(rounds, console)
    told = pir_sessions.null_sessions(seeds[0], _NULL_SESSIONS)
    console.print(
        f"{_NULL_SESSIONS:,} sessions without any gain, ends straight into the record: a gain or a loss told in "
        f"{told} ({100 * told / _NULL_SESSIONS:.2f} %)",
        highlight=False,
    )
    wearers = range(_FIRST_SEED, _FIRST_SEED + max(round(_CHECKS * options.scale), 1))
    with progress_bar("shoulder checks") as show:
        print_checks(shoulder_checks.check_rows(wearers, show), wearers, console)
    console.print(table("\nelsewhere", ("what", "figure"), PUBLISHED))


def print_checks(rows: list[CheckRow], wearers: range, console: Console) -> None:
    """Print what `shoulder_check` told of wearers who held nothing, or something."""
    title = f"\n`shoulder_check` at the collar, seeds {wearers[0]} to {wearers[-1]}"
    columns = ("what is held until the drop", "n", "compared", "told", "change", "p95")
    cells = ((held.name, *_check_cells([r for r in rows if r.held == held])) for held in shoulder_checks.HELD)
    console.print(table(title, columns, cells))
    console.print("change: median, deg, forward +; p95: of its size", style="dim", highlight=False)


def _check_cells(rows: list[CheckRow]) -> tuple[object, ...]:
    changes = np.array([row.change_deg for row in rows if row.change_deg == row.change_deg])
    told = sum(row.is_told for row in rows)
    if not len(changes):
        return len(rows), 0, told, float("nan"), float("nan")
    p95 = float(np.percentile(np.abs(changes), 95))
    return len(rows), len(changes), told, float(np.median(changes)), p95


def _cells(rows: list[GuidedRow]) -> tuple[object, ...]:
    errors = np.abs([row.error for row in rows])
    holds = np.abs([error for row in rows for error in row.hold_errors_s])
    leads = [lead for row in rows for lead in row.lead_s]
    told = sum(row.told for row in rows)
    return (
        len(rows),
        100 * float(np.mean(errors == 0)),
        100 * float(np.mean(errors <= 1)),
        sum(row.reps for row in rows),
        sum(row.wrong_sides for row in rows),
        float(np.percentile(holds, 95)) if len(holds) else float("nan"),
        float(np.median(leads)) if leads else float("nan"),
        100 * sum(row.taken_back for row in rows) / max(told, 1),
    )


def print_rounds(rows: list[PirRow], console: Console) -> None:
    """Print the rounds of tensing by exercise and place."""
    groups: dict[str, list[PirRow]] = {}
    for row in rows:
        groups.setdefault("all", []).append(row)
        groups.setdefault(f"{row.exercise} at {row.mount}", []).append(row)
    columns = ("rounds of tensing", "n", "rounds", "end", "edges", "press", "null")
    title = "\nend: RMSE, deg; edges: both within 0.3 s, %; press: told rightly, %; null: gains told without any, %"
    console.print(table(title, columns, ((name, *_round_cells(some)) for name, some in groups.items())))


def _round_cells(rows: list[PirRow]) -> tuple[object, ...]:
    ends = np.array([error for row in rows for error in row.barrier_errors_deg])
    edges = np.abs([edge for row in rows for edge in row.edge_errors_s])
    rounds = sum(row.rounds for row in rows)
    null = [row for row in rows if not row.has_gain]
    return (
        len(rows),
        rounds,
        float(np.sqrt(np.mean(ends**2))) if len(ends) else float("nan"),
        100 * float(np.mean((edges < 0.3).all(axis=1))) if len(edges) else float("nan"),
        100 * sum(row.presses_right for row in rows) / max(rounds, 1),
        100 * sum(row.gains_told > 0 for row in null) / max(len(null), 1),
    )
