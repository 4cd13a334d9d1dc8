"""All exposure figures of a day as a table for the terminal, the source of each below it."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tiltwise.report.day_summary import DaySummary
from tiltwise.report.history.figure_rows import figure_rows
from tiltwise.report.history.norms import MomentModel
from tiltwise.report.history.plots_exposure import eva_angles, eva_durations


def figure_table(summary: DaySummary) -> Table:
    """Return the rows with their sources, then the exposure variation in percent of the time in runs."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for row in figure_rows(summary, MomentModel()):
        source = Text(f"\n  {row.source}", style="dim") if row.source else Text("")
        table.add_row(row.name, Text(row.value) + source)
    table.add_row("EVA, % of the time", _eva(summary))
    return table


def _eva(summary: DaySummary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("deg \\ s")
    for name in eva_durations():
        table.add_column(
            name.replace(" to ", "-").replace("under ", "<").replace("from ", ">"), justify="right"
        )
    for name, row in zip(eva_angles(), summary.eva_percent.tolist(), strict=True):
        short = name.replace(" to ", "-").replace("below ", "<").replace("from ", ">")
        table.add_row(short, *(f"{share:.1f}" if share >= 0.05 else "-" for share in row))
    return table
