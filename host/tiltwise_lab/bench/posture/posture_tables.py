"""The tables of `tiltwise bench posture`."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.posture.alert_quality import MOUNTS, OURS_DUE, OURS_TOLD, ProductDay, day_rows, total
from tiltwise_lab.bench.posture.board_and_host import agreement_rows
from tiltwise_lab.bench.posture.products import OTHERS
from tiltwise_lab.bench.table import collect, table

DAYS, WEARERS = 500, 50
COMPARED_DAYS, COMPARED_HOURS = 100, 2.0
_COLUMNS = (
    "rule",
    "full doses",
    "found %",
    "cues a day",
    "false an hour",
    "delay p50 s",
    "p95 s",
    "as seen p95 s",
)


def print_posture(options: BenchOptions, console: Console) -> None:
    """Print alert quality on generated days, activity, and board against host; --scale shortens both."""
    n = max(round(DAYS * options.scale), len(MOUNTS))
    rows = collect("days", day_rows(n, WEARERS))
    names = [OURS_DUE, OURS_TOLD, *(f"{deg:g} deg / {hold_s:g} s" for deg, hold_s in OTHERS)]
    title = f"{n} generated days of 8 h, {min(n, WEARERS)} wearers, seeds 0 to {n - 1}, all places"
    console.print(table(title, _COLUMNS, [_cells(total(rows, name), n) for name in names]))
    console.print()
    calm = [row for row in rows if not row.faults]
    by = [(mount.value, [row for row in rows if row.mount is mount]) for mount in MOUNTS]
    parts = [*by, ("no fault of the sensor", calm), ("slip, coat or crooked", [r for r in rows if r.faults])]
    console.print(
        table(
            f"{OURS_DUE}, by place and fault",
            ("days", *_COLUMNS[1:]),
            [(name, *_cells(total(some, OURS_DUE), len(some))[1:]) for name, some in parts if some],
        )
    )
    right, minutes = sum(row.right_minutes for row in rows), sum(row.minutes for row in rows)
    console.print(f"\nminutes with the right activity: {100 * right / minutes:.1f} % of {minutes}")
    days = max(round(COMPARED_DAYS * options.scale), 2)
    compared = collect("board and host", agreement_rows(days, COMPARED_HOURS))
    both, host, board = (
        sum(getattr(row, name) for row in compared) for name in ("both", "host_only", "board_only")
    )
    console.print(
        f"board against host, {days} days of {COMPARED_HOURS:g} h (seeds 0 to {days - 1}): {both} alerts of both, "
        f"{host} of the host only, {board} of the board only"
    )


def _cells(product: ProductDay, days: int) -> tuple[object, ...]:
    found = 100 * product.found / product.full if product.full else float("nan")
    return (
        product.product, product.full, round(found, 1), round(product.alerts / days, 2),
        round(product.false / product.hours, 3), _percentile(product.delays_s, 50), _percentile(product.delays_s, 95),
        _percentile(product.seen_delays_s, 95),
    )  # fmt: skip


def _percentile(values: tuple[float, ...], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1) if values else float("nan")
