"""The tables of `tiltwise bench exposure`."""

from __future__ import annotations

from dataclasses import astuple, fields

import numpy as np
from rich.console import Console

from tiltwise.errors import AppError
from tiltwise_lab.bench.accuracy import desk_recordings
from tiltwise_lab.bench.exposure.checked_days import Differences, random_rows
from tiltwise_lab.bench.exposure.cohort_speed import cohort_rows, federated_row
from tiltwise_lab.bench.exposure.made_days import made_rows
from tiltwise_lab.bench.exposure.mutated_files import mutated_rows
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.table import collect, table

_RANDOM_DAYS, _PEOPLE, _FEDERATED, _MUTATED = 1000, 1000, 10_000, 1000
_POINTS = 3.0


def print_exposure(options: BenchOptions, console: Console) -> None:
    """Print figures, cohorts and readers; --scale takes fewer days and people."""
    _print_figures(max(3, round(_RANDOM_DAYS * options.scale)), console)
    _print_desk(options, console)
    _print_cohort(options.scale, console)
    mutated = collect("mutated files", mutated_rows(max(10, round(_MUTATED * options.scale))))
    console.print(
        table("mutated files", ("reader", "files", "read", "told", "neither"), map(astuple, mutated))
    )
    console.print("waiting for pictures and pages, live, a year of raw samples: tiltwise bench pages")


def _print_figures(n: int, console: Console) -> None:
    names = ("day", "hours off", "upright s", "share points", "percentile deg", "longest s", "hours' sum s")
    made = collect("made days", made_rows())
    title = "days made by hand, stored and read: the largest differences"
    console.print(table(title, names, map(astuple, made)))
    found = collect("random days", random_rows(n))
    worst = [max(getattr(row, field.name) for row in found) for field in fields(Differences)]
    columns = (
        "activity s",
        "share points",
        "percentile deg",
        "mean deg",
        "longest s",
        "holding use",
        "EVA points",
    )
    title = f"random days (seeds 1 to {n}) against an independent checker: the largest differences"
    console.print(table(title, columns, [worst]))
    median = float(np.median([row.percentile_deg for row in found]))
    console.print(f"percentiles: half of the days within {median:.2f} deg", highlight=False)


def _print_cohort(scale: float, console: Console) -> None:
    people = max(10, round(_PEOPLE * scale))
    names = ("way", "minutes", "s", "MB at most", "person-days")
    rows = collect("cohort", cohort_rows(people, 30))
    console.print(table(f"{people} people, 30 days of 480 minutes", names, map(astuple, rows)))
    federated = federated_row(max(100, round(_FEDERATED * scale)))
    title = "percentiles from day digests of 20 sites against pooled samples"
    console.print(table(title, ("people", "bytes of a day, most", "worst deg"), [astuple(federated)]))


def _print_desk(options: BenchOptions, console: Console) -> None:
    try:
        rows = collect("desk recordings", desk_recordings.desk_rows(options.folder(), desk_recordings.DESK))
    except AppError as error:
        console.print(f"without people at desks: {error}", style="dim", highlight=False)
        return
    inside = np.mean([row.worst_share_points <= _POINTS for row in rows]) * 100
    console.print(
        f"{len(rows)} desk recordings: all five shares within {_POINTS:g} points of the reference in {inside:.0f} % "
        "(goal 90)",
        highlight=False,
    )
