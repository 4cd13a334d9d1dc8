"""The tables of `tiltwise bench soak`, `watch`, `store`, `days` and `year`."""

from __future__ import annotations

import dataclasses
import math
import os

import numpy as np
from rich.console import Console

from tiltwise.console import progress_bar
from tiltwise_lab.bench import process_stats
from tiltwise_lab.bench.storage import (
    damaged_files,
    kill_and_power_cut,
    receipts_cost,
    restart_time,
    soak,
    unexplained_seconds,
    watch_process,
)
from tiltwise_lab.bench.storage import year as bench_year
from tiltwise_lab.bench.storage.faults import failing_calls, faults_at_every_call, fuzzed_stores
from tiltwise_lab.bench.table import collect, table

_CALLS_SCALED = 500  # calls tried of an operation and fault at scale 1; without a scale all of them
_MOST_FAILURES = 20  # shown


def print_days(days: int | None, console: Console) -> None:
    """Random days: seconds that are nowhere, or in two places."""

    def tell(row: unexplained_seconds.DayRow) -> None:
        console.print(
            f"seed {row.seed}: {row.minutes:.1f} min, unexplained {row.unexplained_s:.1f} s, "
            f"twice {row.double_s:.1f} s, worst minute {row.worst_minute_s:+.2f} s ({row.happened})",
            highlight=False,
        )

    with progress_bar("living random days") as show:
        rows = unexplained_seconds.day_rows(days or unexplained_seconds.DAYS, show, tell)
    wrong = [row for row in rows if row.unexplained_s or row.double_s]
    hours = sum(row.minutes for row in rows) / 60
    worst = max(rows, key=lambda row: abs(row.worst_minute_s))
    heads = ("days", "hours", "unexplained s", "twice s", "days wrong", "worst minute s", "its seed")
    line = (
        len(rows), round(hours, 1), round(sum(r.unexplained_s for r in rows), 1),
        round(sum(r.double_s for r in rows), 1), len(wrong), round(worst.worst_minute_s, 2), worst.seed,
    )  # fmt: skip
    title = (
        f"random days, firmware to store, seeds {rows[0].seed} to {rows[-1].seed}; goal: 0 s unexplained, 0 s twice\n"
        "seconds by `data --check`, which allows 1 s in a minute; worst minute by a count of its own"
    )
    console.print(table(title, heads, [line]))


def print_soak(scale: float, console: Console) -> None:
    """A day at high speed: memory, open files, CPU."""
    if _cannot(console):
        return
    warm_up_h = soak.WARM_UP_H * scale
    found = collect("24 h at high speed", soak.soak_looks(hours=soak.HOURS * scale))
    run = next(each for each in found if isinstance(each, soak.SoakRun))
    row = soak.soak_row(run, warm_up_h)
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
        "seed 1; the simulated board is in it; missing: holes; most: above the beginning",
        style="dim", highlight=False,
    )  # fmt: skip
    _print_store_soak(scale, console)


def _print_store_soak(scale: float, console: Console) -> None:
    rows = [
        row
        for row in collect("commits", soak.store_soak(max(0.1, soak.STORE_HOURS * scale)))
        if row is not None
    ]
    heads = ("hours", "commits", "MB", "grown", "files open", "log MB", "receipts kB", "files there")
    title = "\nthe store alone, a commit with a fifth of the samples each second; goals: all of it flat"
    console.print(table(title, heads, map(dataclasses.astuple, rows)))


def print_watch(scale: float, console: Console) -> None:
    """The program itself in real time: memory, open files, CPU."""
    if _cannot(console):
        return
    minutes = watch_process.MINUTES * scale
    before = os.getloadavg()
    rows = [row for row in collect("in real time", watch_process.watch_rows(minutes)) if row is not None]
    heads = ("tiltwise watch", "minutes", "MB", "grown", "files", "threads", "log MB", "CPU %")
    title = (
        f"in real time at 50 Hz, {minutes:g} min of which {minutes * watch_process.WARM_UP_SHARE:g} warm it up\n"
        "goals: grown < 5 MB, files the same, CPU < 3 % of a core"
    )
    console.print(table(title, heads, map(dataclasses.astuple, rows)))
    console.print(
        f"load average (1 min) {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores",
        style="dim", highlight=False,
    )  # fmt: skip


def _cannot(console: Console) -> bool:
    why = process_stats.unavailable_reason()
    if why:
        console.print(f"not run: {why}", style="dim", highlight=False)
    return bool(why)


def print_store(seeds: int, scale: float, console: Console) -> None:
    """Kills, power cuts, restarts of the whole program, and troubled disks."""
    kills, cuts = (math.ceil(n * scale / seeds) for n in (kill_and_power_cut.KILLS, kill_and_power_cut.CUTS))
    rows = [
        row
        for seed in range(1, seeds + 1)
        for row in collect(
            f"kills and power cuts, seed {seed}", kill_and_power_cut.fault_rows(seed, kills, cuts)
        )
        if row is not None
    ]
    heads = ("fault", "seed", "points", "acknowledged", "lost", "damaged", "again p50", "p95 s")
    title = "the store after the end of its host; samples, s; goals: 0 lost, 0 damaged"
    console.print(table(title, heads, map(_fault_cells, rows)))
    for note in dict.fromkeys(f"{row.fault}: {row.note}" for row in rows):
        console.print(note, style="dim", highlight=False)
    _print_starts(max(1, round(restart_time.RESTARTS * scale)), console)
    troubles = collect("trouble", kill_and_power_cut.store_fault_rows())
    columns = ("trouble for 40 s of a session", "messages", "alerts", "resumed", "lost")
    cells = ((r.trouble, r.messages, r.alerts, r.resumed, r.lost) for r in troubles)
    console.print(table("", columns, cells))
    for trouble in troubles:
        console.print(f"{trouble.trouble}: {trouble.message}", style="dim", highlight=False)
    _print_damage(console)
    print_faults(scale, console)


def print_faults(scale: float, console: Console) -> None:
    """A fault at every file call (a share of them when scaled), and damaged stores, told as it goes."""
    why = failing_calls.unavailable_reason()
    if why:
        console.print(f"fault at every call: not run: {why}", style="dim", highlight=False)
    else:
        _print_calls(scale, console)
    _print_fuzzed(scale, console)


def _print_calls(scale: float, console: Console) -> None:
    points = 0 if scale >= 1 else max(1, round(_CALLS_SCALED * scale))
    rows: list[faults_at_every_call.CallRow] = []
    console.print(
        "a fault at the n-th file call of an operation, n = 1 to N; goal: 0 failures", highlight=False
    )
    with progress_bar("a fault at every call") as show:
        for share, row in faults_at_every_call.call_rows(points):
            rows.append(row)
            tried = f"N = {row.calls}, {row.points} tried, {len(row.failures)} failures"
            console.print(f"{row.operation}, {row.fault}: {tried}", highlight=False)
            _print_failures(row.failures, console)
            show(share)
    n_calls = sum({row.operation: row.calls for row in rows}.values())
    n_tried, n_failures = sum(row.points for row in rows), sum(len(row.failures) for row in rows)
    console.print(f"all: N = {n_calls}, {n_tried} tried, {n_failures} failures", highlight=False)


def _print_fuzzed(scale: float, console: Console) -> None:
    stores, seeds = max(7, round(fuzzed_stores.STORES * scale)), fuzzed_stores.SEEDS
    heads = ("stores", "with losses", "told", "failures")
    found: list[fuzzed_stores.FuzzRow] = []
    with progress_bar("damaged stores") as show:
        for share, row in fuzzed_stores.fuzz_rows(stores):
            show(share)
            if row is None:
                continue
            found.append(row)
            _print_failures(row.failures, console)
            if row.what == fuzzed_stores.KINDS[-1]:
                of_seed = fuzzed_stores.summary([each for each in found if each.seed == row.seed])
                counts = ", ".join(f"{n} {head}" for n, head in zip(of_seed, heads, strict=True))
                console.print(f"seed {row.seed}: {counts}", highlight=False)
    title = (
        f"\nstores damaged in one to three places, {stores} of each seed {seeds[0]} to {seeds[-1]}; "
        "goal: 0 failures (silent losses, defects)"
    )
    by_kind = {what: [row for row in found if row.what == what] for what in fuzzed_stores.KINDS} | {
        "all": found
    }
    cells = [(what, *fuzzed_stores.summary(rows)) for what, rows in by_kind.items()]
    console.print(table(title, ("damaged", *heads), cells))


def print_receipts(scale: float, console: Console) -> None:
    """CPU and bytes to the disk of a live session, with receipts and without."""
    if _cannot(console):
        return
    hours = max(receipts_cost.HOURS * scale, 0.05)
    safe, trusting = (row for row in collect("receipts", receipts_cost.cost_rows(hours)) if row is not None)
    heads = ("store", "rounds", "CPU s", "commits s", "MB", "writes")
    title = f"an hour of a session (from {hours:g} h, seed 1, medians); goal: below 5 % of its CPU"
    console.print(table(title, heads, map(dataclasses.astuple, (safe, trusting))))
    share = (safe.commit_cpu_s - trusting.commit_cpu_s) / safe.session_cpu_s
    more = safe.written_mb - trusting.written_mb
    console.print(
        f"receipts and safe commits: {100 * share:.1f} % of the session's CPU, {more:+.1f} MB an hour to the disk",
        highlight=False,
    )


def _print_failures(failures: list[str], console: Console) -> None:
    for failure in failures[:_MOST_FAILURES]:
        console.print(failure, style="dim", highlight=False, markup=False)


def _print_damage(console: Console) -> None:
    rows = collect("damage", damaged_files.damage_rows())
    columns = ("damaged while nothing ran", "frames", "lost", "next run lost", "again s", "sound")
    cells = ((r.what, r.before, r.lost, r.missing_after, r.again_s, r.sound) for r in rows)
    console.print(table("", columns, cells))
    for row in rows:
        console.print(f"{row.what}: {row.message or 'no message'}", style="dim", highlight=False)


def _print_starts(restarts: int, console: Console) -> None:
    before = os.getloadavg() if hasattr(os, "getloadavg") else (math.nan,)
    rows = collect("restarts", restart_time.start_rows(restarts=restarts))
    groups = [[row for row in rows if row.what == what] for what in dict.fromkeys(row.what for row in rows)]
    title = "\nfrom the start of the process: imports alone, and to the first durable frame; goal: < 2 s"
    heads = ("what", "starts", "median s", "p95 s", "CPU s")
    console.print(table(title, heads, map(_start_cells, groups)))
    console.print(
        f"load average (1 min) {before[0]:.1f}, {os.cpu_count()} cores", style="dim", highlight=False
    )


def _start_cells(group: list[restart_time.StartRow]) -> tuple[object, ...]:
    seconds = [row.seconds for row in group]
    cpu_s = float(np.median([row.cpu_s for row in group]))
    return group[0].what, len(group), float(np.median(seconds)), float(np.percentile(seconds, 95)), cpu_s


def _fault_cells(row: kill_and_power_cut.FaultRow) -> tuple[object, ...]:
    times_s = row.restarts_s or [math.nan]
    counts = (row.fault, row.seed, row.points, row.acknowledged, row.lost, row.damaged)
    return *counts, float(np.median(times_s)), float(np.percentile(times_s, 95))


def print_year(scale: float, console: Console) -> None:
    """A year of days: size and reading times."""
    hours, days = max(bench_year.SIMULATED_H * scale, 0.1), max(5, round(bench_year.DAYS * scale))
    found = collect("a year", bench_year.year_results(days=days, hours=hours))
    (result,) = [each for each in found if each is not None]
    written, year = result.written, result.year
    heads: tuple[str, ...] = ("hours", "samples", "minutes", "raw MB", "core MB", "bytes a sample")
    cells = (*dataclasses.astuple(written), written.raw_mb * 1e6 / max(written.samples, 1))
    console.print(table("a simulated wearer, frame by frame, seed 1", heads, [cells]))
    heads = ("days", "raw MB (from these hours)", "core MB (measured)", "together")
    console.print(
        table(
            "\na year of 8 h days of such hours",
            heads,
            [(*dataclasses.astuple(year), year.raw_mb + year.core_mb)],
        )
    )
    title = "\nreading, median s; goals: opening < 0.3 s warm, a day < 0.5 s, a year < 0.2 s"
    heads = ("what", "reads", "cold", "warm", "worst")
    console.print(table(title, heads, map(dataclasses.astuple, result.reads)))
    if result.note:
        console.print(result.note, style="dim", highlight=False)
