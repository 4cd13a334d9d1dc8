"""`tiltwise bench NAME`: accuracy and speed, measured here and now, as tables. The frame; each bench is a module.

Figures on recordings need their folder: `$TILTWISE_DATA` or --data. Before it: bench_*.py. After it: people.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console

from tiltwise.app import (
    bench_calibration,
    bench_desk,
    bench_orientation,
    bench_pair,
    bench_sets,
    bench_sim,
    bench_speed,
)
from tiltwise.app.bench_peers import methods
from tiltwise.app.bench_table import collect, table
from tiltwise.app.day import save_figure
from tiltwise.app.errors import AppError, UsageError
from tiltwise.report import plots_bench


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


def run_benches(names: Sequence[str], options: BenchOptions, console: Console) -> None:
    """Run benches by name, one after the other, and print their tables; UsageError before any for an unknown name."""
    for name in names:
        if name not in BENCHES:
            raise UsageError(f"bench {name!r}: expected one of {', '.join(BENCHES)}")
    for k, name in enumerate(names):
        if len(names) > 1:
            console.print(f"{chr(10) if k else ''}== {name} ==", highlight=False)
        BENCHES[name][1](options, console)


def _desk(options: BenchOptions, console: Console) -> None:
    rows = collect("desk recordings", bench_desk.desk_rows(options.folder()))
    groups = [[row for row in rows if row.label == label] for label in (*bench_desk.DESK, *bench_desk.CALM)]
    columns = ("activity", "files", "shown", "online", "share", "runs", "found", "more", "alarms")
    title = (
        "inclination against the index's references (acausal VQF, not optical): deg, percentage points, runs\n"
        "shown: RMSE of the angle shown, 5 Hz low-pass and its 45 ms included; online: of the orientation alone"
    )
    console.print(table(title, columns, (_desk_cells(group) for group in groups if group)))
    desk = [row for row in rows if row.label in bench_desk.DESK]
    calm = [row for row in rows if row.label in bench_desk.CALM]
    walking = [row for row in calm if row.label == "walking"]
    inside = np.mean([row.worst_share_points <= bench_desk.SHARE_TOLERANCE for row in desk]) * 100
    rule = bench_desk.RULE
    lines = (
        f"desk: median RMSE {np.median([row.rmse_deg for row in desk]):.2f} deg shown, "
        f"{_median_of(desk, 'orientation_deg'):.2f} online (goal 0.37) over {len(desk)} recordings; "
        f"all five shares within {bench_desk.SHARE_TOLERANCE:g} points in {inside:.0f} %",
        f"walking: median RMSE {_median_of(walking, 'orientation_deg'):.2f} deg online (goal 1.3)",
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
        float(np.median([row.orientation_deg for row in group])),
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


def _sim(options: BenchOptions, console: Console) -> None:
    seeds = tuple(range(1, options.seeds + 1))
    rows = collect("simulated wearers", bench_sim.sim_rows(seeds=seeds))
    columns = (
        "scenario",
        "mount",
        "stream",
        "flexion",
        "tilt",
        "incl",
        "true",
        "runs",
        "found",
        "false",
        "reps",
        "off",
    )
    groups: dict[tuple[object, ...], list[bench_sim.SimRow]] = {}
    for row in rows:
        groups.setdefault((row.scenario, row.mount.value, row.stream), []).append(row)
    title = (
        f"RMSE (deg) against the wearer's truth, mean of {options.seeds} seeds; RAW with the first seed only"
    )
    console.print(table(title, columns, ((*key, *_sim_cells(group)) for key, group in groups.items())))
    orient = [row for row in rows if row.stream == "orient"]
    late = [row.delay_s for row in orient if np.isfinite(row.delay_s)]
    lines = (
        "true: flexion with the mounting known; runs: truly beyond 20 deg for 60 s; found: with an alert of their",
        "own or within an episode that had alerted; off: repetitions too many or too few, set by set",
    )
    console.print("\n".join(lines), style="dim", highlight=False)
    sums = {
        name: sum(getattr(row, name) for row in orient)
        for name in ("runs", "found", "continued", "false_alarms")
    }
    console.print(
        f"median flexion RMSE {_median_of(orient, 'flexion_deg'):.2f} deg, sitting "
        f"{_median_of(orient, 'sitting_deg'):.2f}; {sums['found'] + sums['continued']} of {sums['runs']} runs found, "
        f"{sums['false_alarms']} false alarms; alerts {median(late) if late else float('nan'):.1f} s after due",
        highlight=False,
    )


def _sim_cells(group: list[bench_sim.SimRow]) -> tuple[object, ...]:
    errors = (
        _mean_of(group, f"{name}_deg") for name in ("flexion", "lateral", "inclination", "true_mounting")
    )
    found = sum(row.found + row.continued for row in group)
    counts = (sum(getattr(row, name) for row in group) for name in ("false_alarms", "reps", "reps_off"))
    return (*errors, sum(row.runs for row in group), found, *counts)


def _mean_of(rows: Iterable[object], name: str) -> float:
    values = [value for row in rows if np.isfinite(value := getattr(row, name))]
    return float(np.mean(values)) if values else float("nan")


def _median_of(rows: Iterable[object], name: str) -> float:
    return float(np.median([value for row in rows if np.isfinite(value := getattr(row, name))]))


def _sets(options: BenchOptions, console: Console) -> None:
    seeds = range(1, (options.chosen_seeds or 10) + 1)  # a story has a dozen tilts: three say too little
    rows = collect("unguided tilts", bench_sets.set_rows(seeds))
    groups: dict[tuple[str, str], list[bench_sets.SetRow]] = {}
    for row in rows:
        groups.setdefault((row.mount.value, row.way), []).append(row)
        groups.setdefault(("both", row.way), []).append(row)
    title = f"side tilts in demo stories of {bench_sets.MINUTES:g} min, {len(seeds)} seeds"
    columns = ("mount", "counted", "tilts", "missed", "too many", "start")
    console.print(
        table(title, columns, ((*key, *_set_cells(groups[key])) for key in sorted(groups, reverse=True)))
    )
    console.print(
        "start: the furthest that a tilt's start is from the true one (s)", style="dim", highlight=False
    )


def _set_cells(group: list[bench_sets.SetRow]) -> tuple[object, ...]:
    sums = (sum(getattr(row, name) for row in group) for name in ("tilts", "missed", "extra"))
    return (*sums, max(row.start_error_s for row in group))


def _calibration(options: BenchOptions, console: Console) -> None:
    seeds = tuple(range(max(options.seeds, 3)))
    days = collect("remounted days", bench_calibration.day_rows(seeds))
    columns = ("mount", "days", "refused", "P50 change max", "90 %", "axes error", "up", "forward")
    groups = [
        [row for row in days if row.mount is mount] for mount in dict.fromkeys(row.mount for row in days)
    ]
    title = (
        f"part turned by up to 30 deg on three axes, {bench_calibration.DAY_MINUTES:g} min at the desk (deg)"
    )
    console.print(table(title, columns, (_day_cells(group) for group in groups)))
    rituals = collect("rituals", bench_calibration.ritual_rows(seeds))
    heads = ("mount", "ritual", "right", "tries", "accepted", "not %", "faced", "straighter", "error")
    title = (
        "\nways of doing the ritual, part turned by up to 30 deg; faced: accepted when the host knows which way the\n"
        "case faces; straighter: and the part turned by up to 12 deg; error: median of the accepted mountings, deg"
    )
    console.print(table(title, heads, (_ritual_cells(row) for row in rituals)))


def _day_cells(group: list[bench_calibration.DayRow]) -> tuple[object, ...]:
    changes = np.abs([row.p50_change_deg for row in group if not row.refused])
    worst, most = (
        (float(changes.max()), float(np.percentile(changes, 90))) if len(changes) else (np.nan, np.nan)
    )
    errors = (_mean_of(group, name) for name in ("mounting_error_deg", "up_deg", "forward_deg"))
    return group[0].mount.value, len(group), sum(bool(row.refused) for row in group), worst, most, *errors


def _ritual_cells(row: bench_calibration.RitualRow) -> tuple[object, ...]:
    return (
        row.mount.value, row.kind, row.is_right, row.tries, row.accepted, row.not_accepted_percent, row.faced,
        row.faced_careful, row.error_deg,
    )  # fmt: skip


def _speed(options: BenchOptions, console: Console) -> None:
    rows = collect("offline path", bench_speed.speed_rows(repeats=options.seeds))
    columns = ("input", "stage", "best s", "median s", "CPU s", "samples/s")
    title = f"a synthetic day of 8 h at 50 Hz, best and median of {options.seeds}"
    cells = ((r.path, r.stage, r.best_s, r.median_s, r.best_cpu_s, r.samples_per_s) for r in rows)
    console.print(table(title, columns, cells))
    live = collect("live session", bench_speed.live_rows())
    title = "\nCPU of a live session at speed 1, percent of a core (without what draws on the screen)"
    cells_live = ((r.part, r.stream, r.simulated_s, r.cpu_s, r.percent_of_core) for r in live)
    console.print(table(title, ("part", "stream", "simulated s", "CPU s", "%"), cells_live))


def _pair(options: BenchOptions, console: Console) -> None:
    rows = collect("head and upper back", bench_pair.pair_rows(options.folder()))
    columns = ("pair", "reference", "RMSE", "lag undone", "worst", "range P1-P99", "both there %")
    title = "neck flexion (head minus upper back), online against offline filters, deg"
    console.print(table(title, columns, (_pair_cells(row) for row in rows)))


def _pair_cells(row: bench_pair.PairRow) -> tuple[object, ...]:
    errors = (row.rmse_deg, row.aligned_rmse_deg, row.worst_deg)
    return row.name, row.reference, *errors, row.range_deg, row.relative_percent


def _firmware(options: BenchOptions, console: Console) -> None:
    from tiltwise.app.bench_firmware_print import print_firmware  # needs node, MicroPython and bumble

    try:
        folder: Path | None = options.folder() / "orientation"
    except AppError as error:
        console.print(f"without accuracy: {error}", style="dim")
        folder = None
    print_firmware(folder, options.scale, console)


def _link(options: BenchOptions, console: Console) -> None:
    from tiltwise.app.bench_link_print import print_air, print_link

    try:
        print_air(console)
    except ModuleNotFoundError as error:
        console.print(f"without reconnecting on the virtual air: {error.name} is not installed (extra: air)")
    print_link(1, options.scale, console)


def _soak(options: BenchOptions, console: Console) -> None:
    from tiltwise.app.bench_store_print import print_soak

    print_soak(options.scale, console)


def _watch(options: BenchOptions, console: Console) -> None:
    from tiltwise.app.bench_store_print import print_watch

    print_watch(options.scale, console)


def _store(options: BenchOptions, console: Console) -> None:
    from tiltwise.app.bench_store_print import print_store

    print_store(options.seeds, options.scale, console)


def _year(options: BenchOptions, console: Console) -> None:
    from tiltwise.app.bench_store_print import print_year

    print_year(options.scale, console)


BENCHES: dict[str, tuple[str, Callable[[BenchOptions, Console], None]]] = {
    "desk": ("offline path on people at desks: angles, shares", _desk),
    "orientation": ("our filters beside the peers, against optical truth", _orientation),
    "pair": ("head minus upper back on a real person", _pair),
    "sim": ("the whole system on simulated wearers, against truth", _sim),
    "sets": ("side tilts in an unguided day, alone and in sets", _sets),
    "calibration": ("remounting, and wrong ways of doing the ritual", _calibration),
    "firmware": ("firmware in the MicroPython VM: memory, time, losses", _firmware),
    "link": ("1,000 outages, forged packets (--scale 0.02: quick)", _link),
    "soak": ("24 h at high speed: memory, files, CPU (30 min)", _soak),
    "watch": ("`watch` in real time: memory, files, CPU (30 min)", _watch),
    "store": ("kill -9, power cuts, restarts, bad disks (10 min)", _store),
    "year": ("a year of 8 h days: size, time to read it", _year),
    "speed": ("speed of the offline path, CPU of a live one", _speed),
}
