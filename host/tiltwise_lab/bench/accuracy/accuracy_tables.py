"""The accuracy benches as tables: each runs its rows and prints them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console

from tiltwise.offline.picture_file import save_figure
from tiltwise_lab.bench import bench_plots
from tiltwise_lab.bench.accuracy import (
    calibration_error,
    desk_recordings,
    leave_one_out,
    orientation_error,
    pair_error,
    processing_speed,
    simulated_wearers,
    speed_ratios,
    tilt_sets,
)
from tiltwise_lab.bench.accuracy.reference_filters import methods
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.table import collect, table


def print_desk(options: BenchOptions, console: Console) -> None:
    rows = collect("desk recordings", desk_recordings.desk_rows(options.folder()))
    groups = [
        [row for row in rows if row.label == label]
        for label in (*desk_recordings.DESK, *desk_recordings.CALM)
    ]
    columns = (
        "activity",
        "files",
        "shown",
        "online",
        "share",
        "runs",
        "alarmed",
        "covered",
        "alarms",
        "walking %",
    )
    title = (
        "inclination against the index's references (acausal VQF, not optical): deg, percentage points, runs\n"
        "shown: RMSE of the angle shown, 5 Hz low-pass and its 45 ms included; online: of the orientation alone"
    )
    console.print(table(title, columns, (_desk_cells(group) for group in groups if group)))
    desk = [row for row in rows if row.label in desk_recordings.DESK]
    calm = [row for row in rows if row.label in desk_recordings.CALM]
    walking = [row for row in calm if row.label == "walking"]
    inside = np.mean([row.worst_share_points <= desk_recordings.SHARE_TOLERANCE for row in desk]) * 100
    rule = desk_recordings.RULE
    lines = (
        f"desk: median RMSE {np.median([row.rmse_deg for row in desk]):.2f} deg shown, "
        f"{_median_of(desk, 'orientation_deg'):.2f} online (goal 0.37) over {len(desk)} recordings; "
        f"all five shares within {desk_recordings.SHARE_TOLERANCE:g} points in {inside:.0f} %",
        f"walking: median RMSE {_median_of(walking, 'orientation_deg'):.2f} deg online (goal 1.3)",
        f"rule {rule.angle_deg:g} deg / {rule.seconds:g} s: {sum(r.found for r in desk)} of "
        f"{sum(r.runs for r in desk)} reference runs alarmed in time, {sum(r.continued for r in desk)} more covered "
        f"by an episode that had alarmed; {sum(r.alarms for r in calm)} alarms in {len(calm)} walking and standing "
        "files",
    )
    console.print("\n".join(lines), highlight=False)


def _desk_cells(group: list[desk_recordings.DeskRow]) -> tuple[object, ...]:
    return (
        group[0].label,
        len(group),
        float(np.median([row.rmse_deg for row in group])),
        float(np.median([row.orientation_deg for row in group])),
        max(row.worst_share_points for row in group),
        *(sum(getattr(row, name) for row in group) for name in ("runs", "found", "continued", "alarms")),
        float(np.average([r.walking_percent for r in group], weights=[r.duration_s for r in group])),
    )


def print_orientation(options: BenchOptions, console: Console) -> None:
    folder = options.folder()
    folder = folder / "orientation" if (folder / "orientation").is_dir() else folder
    rows = collect("orientation", orientation_error.orientation_rows(folder))
    columns = ("method", "fair", "worst", "ms", "/VQF", "steps", "/VQF", "as-is", "per s", "live")
    for condition in dict.fromkeys(row.condition for row in rows):
        chosen = [row for row in rows if row.condition == condition]
        title = f"\nRMSE (deg) of {len(chosen[0].files_deg)} files: {condition}"
        console.print(table(title, columns, (_orientation_cells(row) for row in chosen)))
        if condition == orientation_error.LOSSY.name:
            _print_refill_worth(orientation_error.refill_worth(folder), console)
    lines = (
        "fair: fed with the mean of two gyroscope samples; ours integrate themselves.",
        "ms: the time shift that suits the method best, hardly any where the feed is fair.",
        "steps: fed with our integration and repair of lost samples: the filter alone.",
        "as-is: fed with the newest sample, which is half a step ahead. board: counts of",
        "its own ranges, two samples a step; the board itself has no loss before the radio.",
    )
    console.print("\n".join(lines), style="dim", highlight=False)
    _print_leave_one_out(folder, console)
    for note in methods()[1]:
        console.print(note, style="dim")
    if options.plot is not None:
        save_figure(bench_plots.orientation(rows), options.plot)
        console.print(f"plot: {options.plot}", highlight=False)


def _orientation_cells(row: orientation_error.BenchRow) -> tuple[object, ...]:
    fair = (row.fair_deg, row.worst_deg, f"{row.shift_ms:+.1f}", f"{row.per_vqf:.2f}")
    steps = (row.same_steps_deg, f"{row.same_steps_per_vqf:.2f}", row.as_is_deg)
    return row.method, *fair, *steps, f"{row.samples_per_s / 1000:.0f}k", row.is_causal


def _print_refill_worth(worth: orientation_error.RefillWorth, console: Console) -> None:
    lines = (
        f"lost samples refilled and not noticed: online {worth.online_unseen_deg:.2f}, "
        f"offline {worth.offline_unseen_deg:.2f}, VQF {worth.vqf_unseen_deg:.2f}",
        f"left out, time stamps kept: online {worth.online_timed_deg:.2f}, "
        f"offline {worth.offline_timed_deg:.2f}",
    )
    console.print("\n".join(lines), highlight=False)


def _print_leave_one_out(folder: Path, console: Console) -> None:
    trials = [
        orientation_error.load_trial(path, orientation_error.CONDITIONS[0])
        for path in sorted(folder.glob("*.npz"))
    ]
    rows = collect("leave one trial out", leave_one_out.leave_one_out_rows(trials))
    title = (
        f"\nparameters chosen without the trial that scores them, 100 Hz:\n{rows[0].draws} draws, "
        f"each parameter times 1/{leave_one_out.FACTOR:g} to {leave_one_out.FACTOR:g}, seed 1"
    )
    columns = ("filter", "left out", "as shipped", "median draw")
    cells = ((row.method, row.left_out_deg, row.shipped_deg, row.median_deg) for row in rows)
    console.print(table(title, columns, cells))


def print_sim(options: BenchOptions, console: Console) -> None:
    seeds = tuple(range(1, options.seeds + 1))
    rows = collect("simulated wearers", simulated_wearers.sim_rows(seeds=seeds))
    columns = (
        "scenario", "mount", "stream", "flex", "tilt", "incl", "true", "t/c/l/m", "false", "reps", "off",
    )  # fmt: skip
    groups: dict[tuple[object, ...], list[simulated_wearers.SimRow]] = {}
    for row in rows:
        groups.setdefault((row.scenario, row.mount.value, row.stream), []).append(row)
    title = (
        f"RMSE (deg) against the wearer's truth, mean of {options.seeds} seeds;\nRAW with the first seed only"
    )
    console.print(table(title, columns, ((*key, *_sim_cells(group)) for key, group in groups.items())))
    orient = [row for row in rows if row.stream == "orient"]
    late = [row.delay_s for row in orient if np.isfinite(row.delay_s)]
    lines = (
        "flex: of the flexion; true: with the mounting known; t/c/l/m: runs truly beyond",
        "20 deg for 60 s, on time (alarmed 5 s before to 15 s after due), covered by an",
        "earlier alarm of the same episode, late (at another time), missed; off:",
        "repetitions too many or too few, set by set, each cut out with 3 s around it",
    )
    console.print("\n".join(lines), style="dim", highlight=False)
    sums = {
        name: sum(getattr(row, name) for row in orient)
        for name in ("runs", "on_time", "covered", "late", "missed", "false_alarms", "explained")
    }
    console.print(
        f"median flexion RMSE {_median_of(orient, 'flexion_deg'):.2f} deg, sitting "
        f"{_median_of(orient, 'sitting_deg'):.2f}; of {sums['runs']} runs {sums['on_time']} alarmed on time, "
        f"{sums['covered']} covered by an earlier alarm, {sums['late']} alarmed late, {sums['missed']} missed; "
        f"{sums['false_alarms']} false alarms, {sums['explained']} more beyond the "
        f"runs that the rule gives on the true angle, too; alerts "
        f"{median(late) if late else float('nan'):.1f} s after due",
        highlight=False,
    )


def _sim_cells(group: list[simulated_wearers.SimRow]) -> tuple[object, ...]:
    names = ("flexion", "lateral", "inclination", "true_mounting")
    errors = (f"{_mean_of(group, f'{name}_deg'):.2f}".replace("nan", "-") for name in names)
    on_time, covered, late, missed, *rest = (
        sum(getattr(row, name) for row in group)
        for name in ("on_time", "covered", "late", "missed", "false_alarms", "reps", "reps_off")
    )
    runs = f"{on_time}/{covered}/{late}/{missed}" if sum(row.runs for row in group) else "-"
    return (*errors, runs, *rest)


def _mean_of(rows: Iterable[object], name: str) -> float:
    values = [value for row in rows if np.isfinite(value := getattr(row, name))]
    return float(np.mean(values)) if values else float("nan")


def _median_of(rows: Iterable[object], name: str) -> float:
    return float(np.median([value for row in rows if np.isfinite(value := getattr(row, name))]))


def print_sets(options: BenchOptions, console: Console) -> None:
    seeds = range(1, (options.chosen_seeds or 10) + 1)  # a story has a dozen tilts: three say too little
    rows = collect("unguided tilts", tilt_sets.set_rows(seeds))
    groups: dict[tuple[str, str], list[tilt_sets.SetRow]] = {}
    for row in rows:
        groups.setdefault((row.mount.value, row.way), []).append(row)
        groups.setdefault(("both", row.way), []).append(row)
    title = f"side tilts in demo stories of {tilt_sets.MINUTES:g} min, {len(seeds)} seeds"
    columns = ("mount", "counted", "tilts", "missed", "too many", "start")
    console.print(
        table(title, columns, ((*key, *_set_cells(groups[key])) for key in sorted(groups, reverse=True)))
    )
    console.print(
        "start: the furthest that a tilt's start is from the true one (s)", style="dim", highlight=False
    )


def _set_cells(group: list[tilt_sets.SetRow]) -> tuple[object, ...]:
    sums = (sum(getattr(row, name) for row in group) for name in ("tilts", "missed", "extra"))
    return (*sums, max(row.start_error_s for row in group))


def print_calibration(options: BenchOptions, console: Console) -> None:
    seeds = tuple(range(max(options.seeds, 3)))
    days = collect("remounted days", calibration_error.day_rows(seeds))
    columns = ("mount", "days", "refused", "P50 change max", "90 %", "axes error", "up", "forward")
    groups = [
        [row for row in days if row.mount is mount] for mount in dict.fromkeys(row.mount for row in days)
    ]
    title = (
        f"part turned by up to 30 deg on three axes, {calibration_error.DAY_MINUTES:g} min at the desk (deg)"
    )
    console.print(table(title, columns, (_day_cells(group) for group in groups)))
    calibrations = collect("calibrations", calibration_error.guided_calibration_rows(seeds))
    heads = ("mount", "movement", "right", "tries", "accepted", "not %", "faced", "straighter", "error")
    title = (
        "\nright and wrong calibrations, part turned by up to 30 deg; faced: accepted when the host knows which way\n"
        "the case faces; straighter: and the part turned by up to 12 deg; error: median of those accepted, deg"
    )
    console.print(table(title, heads, (_guided_calibration_cells(row) for row in calibrations)))


def _day_cells(group: list[calibration_error.DayRow]) -> tuple[object, ...]:
    changes = np.abs([row.p50_change_deg for row in group if not row.refused])
    worst, most = (
        (float(changes.max()), float(np.percentile(changes, 90))) if len(changes) else (np.nan, np.nan)
    )
    errors = (_mean_of(group, name) for name in ("mounting_error_deg", "up_deg", "forward_deg"))
    return group[0].mount.value, len(group), sum(bool(row.refused) for row in group), worst, most, *errors


def _guided_calibration_cells(row: calibration_error.GuidedCalibrationRow) -> tuple[object, ...]:
    return (
        row.mount.value, row.kind, row.is_right, row.tries, row.accepted, row.not_accepted_percent, row.faced,
        row.faced_careful, row.error_deg,
    )  # fmt: skip


def print_speed(options: BenchOptions, console: Console) -> None:
    rows = collect("offline path", processing_speed.speed_rows(8 * options.scale, repeats=options.seeds))
    columns = ("input", "stage", "best s", "median s", "CPU s", "samples/s")
    title = f"a synthetic day of {8 * options.scale:g} h at 50 Hz, best and median of {options.seeds}"
    cells = ((r.path, r.stage, r.best_s, r.median_s, r.best_cpu_s, r.samples_per_s) for r in rows)
    console.print(table(title, columns, cells))
    ratios = collect("ratios", speed_ratios.ratio_rows(8 * options.scale, repeats=options.seeds))
    cells_ratio = ((r.ours, r.peer, r.ours_s, r.peer_s, r.ratio, r.goal) for r in ratios)
    title = "\nprocessor time of ours and of a peer on the same samples in one run"
    console.print(table(title, ("ours", "peer", "ours s", "peer s", "ratio", "goal"), cells_ratio))
    live = collect("live session", processing_speed.live_rows())
    title = "\nCPU of a live session at speed 1, percent of a core (without what draws on the screen)"
    cells_live = ((r.part, r.stream, r.simulated_s, r.cpu_s, r.percent_of_core) for r in live)
    console.print(table(title, ("part", "stream", "simulated s", "CPU s", "%"), cells_live))


def print_pair(options: BenchOptions, console: Console) -> None:
    rows = collect("head and upper back", pair_error.pair_rows(options.folder()))
    columns = ("pair", "reference", "RMSE", "lag undone", "worst", "range P1-P99", "both there %")
    title = "neck flexion (head minus upper back), online against offline filters, deg"
    console.print(table(title, columns, (_pair_cells(row) for row in rows)))


def _pair_cells(row: pair_error.PairRow) -> tuple[object, ...]:
    errors = (row.rmse_deg, row.aligned_rmse_deg, row.worst_deg)
    return row.name, row.reference, *errors, row.range_deg, row.relative_percent
