"""The tables of `tiltwise bench soak` and `watch`. Before it: bench_soak.py, bench_watch.py. After it: bench.py."""

from __future__ import annotations

import dataclasses
import os

from rich.console import Console

from tiltwise.app import bench_process, bench_soak, bench_watch
from tiltwise.app.bench_table import collect, table


def print_soak(scale: float, console: Console) -> None:
    """A day at high speed: memory, open files, CPU."""
    if _cannot(console):
        return
    warm_up_h = bench_soak.WARM_UP_H * scale
    found = collect("24 h at high speed", bench_soak.soak_looks(hours=bench_soak.HOURS * scale))
    run = next(each for each in found if isinstance(each, bench_soak.SoakRun))
    row = bench_soak.soak_row(run, warm_up_h)
    heads = (
        "hours",
        "frames",
        "missing",
        "links",
        "MB",
        "grown",
        "most",
        "files",
        "tasks",
        "log MB",
        "CPU %",
    )
    title = (
        f"firmware, cable, supervisor, session, store at high speed, after {warm_up_h:.2g} h\n"
        "goals: grown < 5 MB, files and tasks the same, log < 20 MB; CPU: live"
    )
    console.print(table(title, heads, [dataclasses.astuple(row)]))
    console.print(
        "seed 1; the simulated board is in it; missing: holes; most: above the beginning", style="dim", highlight=False,
    )  # fmt: skip


def print_watch(scale: float, console: Console) -> None:
    """The program itself in real time: memory, open files, CPU."""
    if _cannot(console):
        return
    minutes = bench_watch.MINUTES * scale
    before = os.getloadavg()
    rows = [row for row in collect("in real time", bench_watch.watch_rows(minutes)) if row is not None]
    heads = ("tiltwise watch", "minutes", "MB", "grown", "files", "threads", "log MB", "CPU %")
    title = (
        f"in real time at 50 Hz, {minutes:g} min of which {minutes * bench_watch.WARM_UP_SHARE:g} warm it up\n"
        "goals: grown < 5 MB, files the same, CPU < 3 % of a core"
    )
    console.print(table(title, heads, map(dataclasses.astuple, rows)))
    console.print(
        f"load average (1 min) {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores",
        style="dim", highlight=False,
    )  # fmt: skip


def _cannot(console: Console) -> bool:
    why = bench_process.why_not()
    if why:
        console.print(f"not run: {why}", style="dim", highlight=False)
    return bool(why)
