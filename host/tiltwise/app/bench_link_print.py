"""The tables of `tiltwise bench link`, `soak` and `store`. Before it: bench_link.py, bench_store_faults.py."""

from __future__ import annotations

import dataclasses

import numpy as np
from rich.console import Console

from tiltwise.app import bench_air, bench_link, bench_store_faults
from tiltwise.app.bench_table import collect, table


def print_link(seeds: int, console: Console) -> None:
    """The whole system through outages, and packets that nobody sent."""
    heads = (
        "ring", "seed", "outages", "hours", "samples", "lost", "told", "exact", "age p50", "p99 s", "clock p95",
        "bias s", "back p50", "p95 s",
    )  # fmt: skip
    rows = [
        row
        for seed in range(1, seeds + 1)
        for row in collect(f"outages, seed {seed}", bench_link.link_rows(seed=seed))
    ]
    title = "firmware to store: 3 % loss, 2 % twice, 2 % late; outages 0.1 s to 10 min; host 35 ppm fast"
    console.print(table(title, heads, (dataclasses.astuple(row) for row in rows)))
    console.print(
        "age: sensor to decision of every live sample; bias: no PING is taken off; back: link up to frame"
    )
    forged = collect("forged packets", bench_link.forged_rows())
    console.print(table("\nnobody said it", ("kind", "tried", "accepted"), map(dataclasses.astuple, forged)))


def print_soak(console: Console) -> None:
    """A day at high speed: memory, open files, CPU."""
    heads = ("hours", "grown MB", "files before", "after", "WAL MB", "CPU %")
    rows = collect("24 h at high speed", bench_link.soak_rows())
    console.print(
        table("soak after 1 h of warm-up; CPU: board and host", heads, map(dataclasses.astuple, rows))
    )


def print_store(seeds: int, console: Console) -> None:
    """Kills, power cuts, troubled disks and a year of days."""
    rows = [
        row
        for seed in range(1, seeds + 1)
        for row in collect(f"kills and power cuts, seed {seed}", bench_store_faults.fault_rows(seed))
    ]
    heads = ("fault", "seed", "points", "acknowledged", "lost", "damaged", "again p50", "max s")
    console.print(table("the store after the end of its host; samples, s", heads, map(_fault_cells, rows)))
    for row in rows:
        console.print(f"{row.fault}: {row.note}", style="dim", highlight=False)
    troubles = collect("trouble", bench_store_faults.trouble_rows())
    columns = ("trouble", "messages", "alerts", "resumed", "lost")
    cells = ((r.trouble, r.messages, r.alerts, r.resumed, r.lost) for r in troubles)
    console.print(table("\ntrouble for 40 s of a session", columns, cells))
    for trouble in troubles:
        console.print(f"{trouble.trouble}: {trouble.message}", style="dim", highlight=False)
    years = collect("a year", bench_link.year_rows())
    year_columns = ("days", "MB", "day s", "year s", "list s")
    console.print(table("\nreading a year of 8 h days", year_columns, map(dataclasses.astuple, years)))


def _fault_cells(row: bench_store_faults.FaultRow) -> tuple[object, ...]:
    times_s = row.restarts_s or [float("nan")]
    counts = (row.fault, row.seed, row.points, row.acknowledged, row.lost, row.damaged)
    return *counts, float(np.median(times_s)), float(np.max(times_s))


def print_air(console: Console) -> None:
    """Reconnecting after a fade of 1 s on the virtual air; needs bumble (the extra air)."""
    rows = collect("fades", bench_air.reconnect_rows())
    back_s = np.array([row.back_s for row in rows])
    median_s, p95_s = np.percentile(back_s, (50, 95))
    lost = sum(row.was_lost for row in rows)
    console.print(
        f"{len(rows)} fades of {rows[0].fade_s:g} s on the virtual air, {lost} connections lost: "
        f"back after median {median_s:.2f} s, p95 {p95_s:.2f} s, most {back_s.max():.2f} s",
        highlight=False,
    )
