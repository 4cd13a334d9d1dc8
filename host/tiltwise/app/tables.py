"""Results as tables for the terminal, at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tiltwise.live.event_text import KINDS, clock, lasting
from tiltwise.offline import shown_metrics
from tiltwise.report.aggregate import BASE
from tiltwise.text import printable
from tiltwise.types import Mount

if TYPE_CHECKING:  # a table of one command waits for none of the others
    from tiltwise.app.doctor import Finding
    from tiltwise.exercise.catalogue_file import Catalogue
    from tiltwise.link.ble import Advertisement
    from tiltwise.link.serial import Port
    from tiltwise.offline.analyze import Analysis
    from tiltwise.offline.count import Counted
    from tiltwise.report.angle_summary import AngleSummary

_LONGEST_LIST = 20


def _velocity_words(result: Analysis) -> str:
    by = result.velocities
    return " / ".join(
        f"{name} {values[1]:.0f} and {values[2]:.0f}"
        for name, values in (("generalized", by.generalized_deg_s), ("inclination", by.inclination_deg_s))
        if values[1] == values[1]
    )


def _length(seconds: float) -> str:
    """Return how long a recording is; of one that is over in some seconds a tenth counts."""
    return f"{seconds:.1f} s" if seconds < 10 else lasting(seconds)


def analysis_table(result: Analysis, name: str) -> Table:
    """Return the figures of a file."""
    table = _two_columns(
        f"{printable(name)}: {_length(result.duration_s)} at {result.rate_hz:.1f} Hz, {result.mounting.mount}"
    )
    if result.relative_to:
        table.add_row(
            "no verdict",
            Text(
                f"all angles are relative to {result.relative_to}; whether that was upright is not known. "
                "Give --neutral FILE or --neutral-up X,Y,Z, or begin a recording with three nods",
                style="bold yellow",
            ),
        )
    hidden = []
    for angle, summary in result.summaries.items():
        row = shown_metrics.shown(result.mounting, angle)
        if row.is_shown:
            table.add_row(row.label, _percentiles(summary))
        else:
            hidden.append(f"{row.name} is left out: {row.why}")
    above = ", ".join(f"{k} deg {v:.0f} %" for k, v in result.above.percent_above_deg.items())
    table.add_row(f"time beyond ({shown_metrics.shown(result.mounting, result.above_of).name})", above)
    table.add_row("figures of", f"{_length(result.above.valid_s)} {BASE}")
    if result.upper_back is not None:
        back = result.upper_back
        table.add_row(
            "upper back P10 / P50 / P90", f"{back.p10:z.0f} / {back.p50:z.0f} / {back.p90:z.0f} deg"
        )
    if words := _velocity_words(result):
        table.add_row("angular velocity P50 and P90", f"{words} deg/s (doi:10.3390/s21165527)")
    table.add_row("worn / moving", f"{result.worn_percent:.0f} % / {result.moving_percent:.0f} %")
    none = f"none beyond {result.relative_to}" if result.relative_to else "none"
    table.add_row("episodes", str(len(result.episodes)) if result.episodes else none)
    for episode in result.episodes[:_LONGEST_LIST]:
        alert = "-" if episode.alert_s is None else clock(episode.alert_s)
        table.add_row(
            "", f"{KINDS[episode.kind]} {clock(episode.start_s)} to {clock(episode.end_s)}, "
            f"alert {alert}, up to {episode.peak_deg:.0f} deg"
        )  # fmt: skip
    return _with_notes(table, (*result.notes, *hidden))


def count_table(result: Counted, name: str) -> Table:
    """Return the repetitions of a file."""
    table = _two_columns(f"{printable(name)}: {result.exercise.name}")
    sides = f" ({result.sides})" if result.sides else ""
    table.add_row("repetitions", f"{len(result.reps)}{sides}")
    table.add_row("partial", str(len(result.partial)))
    for rep in result.reps[:_LONGEST_LIST]:
        side = f"{word}, " if (word := result.side(rep)) else ""
        table.add_row("", f"{rep.start_s:7.1f} s  {side}{abs(rep.peak_deg):.0f} deg, held {rep.hold_s:.1f} s")
    if len(result.reps) > _LONGEST_LIST:
        table.add_row("", f"and {len(result.reps) - _LONGEST_LIST} more (--json lists all)")
    return _with_notes(table, result.notes)


def exercise_table(mount: Mount, catalogue: Catalogue) -> Table:
    """Return the exercises, and below them the programmes."""
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        title=f"exercises, sensor at {mount.value}",
        title_justify="left",
    )
    for column in ("name", "what", "the sensor"):
        table.add_column(column)
    for exercise in catalogue.exercises.values():
        table.add_row(exercise.id, exercise.name, exercise.seen[mount].value)
    table.add_row()
    for programme in catalogue.programmes.values():
        _, parts = catalogue.find(programme.id)
        minutes = sum(part.lasts_s() for part in parts) / 60
        table.add_row(programme.id, programme.name, f"programme of {len(parts)}, {minutes:.0f} min")
    return table


def scan_report(ports: Sequence[Port], on_air: Sequence[Advertisement], trouble: str) -> Table:
    """Return what can be connected to."""
    from tiltwise.sim.body.scenario import SCENARIOS

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(Text("USB serial", "bold"), "" if ports else "none")
    for port in ports:
        grid.add_row(f"  {printable(port.path, 60)}", Text(printable(port.maker or port.name, 50)))
    grid.add_row(
        Text("Bluetooth", "bold"), Text("" if on_air else printable(trouble, 300) or "no board near")
    )
    for seen in on_air:
        grid.add_row(Text(f"  {printable(seen.address, 40)}"), f"{seen.rssi_dbm} dBm")
    grid.add_row(Text("simulated", "bold"), "")
    for name, scenario in SCENARIOS.items():
        grid.add_row(f"  sim:{name}", scenario.summary)
    grid.add_row(
        "",
        Text(
            "tiltwise watch ble: connects to any of your boards, by radio; serial:PORT by cable", style="dim"
        ),
    )
    return grid


def finding_line(finding: Finding) -> Table:
    """Return one finding of the doctor: ok, no, or a dash where it can be done without."""
    mark, style = (
        ("ok", "green") if finding.is_ok else ("no", "bold red") if finding.is_needed else ("-", "yellow")
    )
    line = Table.grid(padding=(0, 1))
    line.add_column(width=2, style=style)
    line.add_column(overflow="fold")
    line.add_row(mark, Text.assemble((finding.what, "bold"), f": {printable(finding.said, 300)}"))
    return line


def _two_columns(title: str) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False, title=title, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    return table


def _with_notes(table: Table, notes: Sequence[str]) -> Table:
    for note in notes:
        table.add_row("note", Text(printable(note, 300), style="dim"))
    return table


def _percentiles(summary: AngleSummary) -> str:
    parts = (summary.p10, summary.p50, summary.p90)
    return "P10 {:z.0f}, P50 {:z.0f}, P90 {:z.0f} deg".format(*parts)
