"""The tables of `tiltwise bench pages`: how long a person waits for a picture or page, and what the machine pays."""

from __future__ import annotations

import tempfile
from dataclasses import astuple
from pathlib import Path

from rich.console import Console

from tiltwise.errors import AppError
from tiltwise_lab.bench.accuracy.processing_speed import live_rows
from tiltwise_lab.bench.exposure.history_speed import DAYS, month_report, wait_rows
from tiltwise_lab.bench.exposure.page_in_chromium import seen_in_chromium
from tiltwise_lab.bench.exposure.raw_year import CORES, DAYS_A_YEAR, HOURS_A_DAY, raw_year_row
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.table import collect, table

_RAW_DAYS = 3
_LIVE_GOAL_PERCENT, _LEAST_LIVE_MIN = 2.0, 2.0


def print_pages(options: BenchOptions, console: Console) -> None:
    """Print everything; --scale takes fewer days."""
    days = max(30, round(DAYS * options.scale))
    rows = collect("waiting", wait_rows(days))
    title = f"commands on {days} stored days of 8 h"
    columns = ("what", "median s", "processor s", "kB written", "goal s")
    console.print(table(title, columns, map(astuple, rows)))
    _print_page(days, console)
    for _, row in live_rows(max(_LEAST_LIVE_MIN, 5 * options.scale)):
        if (row.part, row.stream) == ("session with store", "raw"):
            said = f"{row.percent_of_core:.2f} % of a core (goal {_LIVE_GOAL_PERCENT:g})"
            console.print(f"live session with raw frames and a store: {said}", highlight=False)
    raw = raw_year_row(max(1, round(_RAW_DAYS * options.scale)), HOURS_A_DAY * min(options.scale, 1.0))
    title = f"raw again; {DAYS_A_YEAR} days on {CORES} cores from these (goal 60 s, 1 GB)"
    names = ("days run", "samples a day", "processor s a day", "MB at most", "s a year", "VQF alone, s")
    console.print(table(title, names, [astuple(raw)]))


def _print_page(days: int, console: Console) -> None:
    with tempfile.TemporaryDirectory() as name:
        page = month_report(Path(name), days)
        size_kb = page.stat().st_size / 1e3
        try:
            seen = seen_in_chromium(page)
        except AppError as error:
            console.print(f"month report {size_kb:.0f} kB; not opened: {error}", style="dim", highlight=False)
            return
    paint = "not told" if seen.paint_ms is None else f"{seen.paint_ms:.0f} ms"
    asked = len(seen.requests) - 1  # the page itself is the first
    console.print(
        f"month report: {size_kb:.0f} kB, {len(seen.images)} pictures, first paint in Chromium {paint}, "
        f"{asked} requests beside the file (goal 0), {seen.scripts} scripts",
        highlight=False,
    )
