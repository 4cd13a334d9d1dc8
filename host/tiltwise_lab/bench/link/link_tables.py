"""The tables of `tiltwise bench link`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import numpy as np
from rich.console import Console

from tiltwise.console import progress_bar
from tiltwise.types import FloatArray
from tiltwise_lab.bench.link import bad_link, forged_packets, radio_modes, reconnect, strangers
from tiltwise_lab.bench.link.bad_link import Outcome
from tiltwise_lab.bench.link.expected_samples import GAP_TOLERANCE_S
from tiltwise_lab.bench.table import collect, table

_LINK_NOTES = (
    "one virtual time: firmware and radio, air, supervisor, run_live, session, store.",
    "host 35 ppm fast; each way 5 ms + 10 ms of jitter, connection events of 30 ms.",
    "with outages also: 3 % of frames lost, 2 % twice, 2 % up to 1 s late, 0.3 % of",
    "answers lost; each end notices the end of a connection 0.1 to 1 s later.",
    "within: lost though the ring had not dropped it. exact: the store calls lost",
    f"what was, and its gaps are those stretches, each end within {GAP_TOLERANCE_S:g} s.",
    "age: sample to decision; alert: the same for the sample that made it due;",
    "since due: from when the wearer had truly leaned for so long. UTC: of a frame's",
    "first sample, p50/p95/worst against when the part took it; used: by the session",
    "at that moment. back: from range regained to the first live angle.",
)


def print_link(seed: int, scale: float, console: Console) -> None:
    """The whole system through outages, and packets that nobody sent."""
    with progress_bar("outages") as show:
        outcomes = bad_link.link_outcomes(bad_link.link_runs(seed, scale), show)
    groups = [list(group) for _, group in groupby(outcomes, key=lambda o: o.run.name)]
    console.print(table("firmware to store", ("", *(g[0].run.name for g in groups)), link_cells(groups)))
    console.print("\n".join(_LINK_NOTES), style="dim", highlight=False)
    for line in dict.fromkeys(line for outcome in outcomes for line in outcome.warnings):
        console.print(f"warned: {line}", highlight=False)
    with progress_bar("forged packets") as show:
        forged = forged_packets.forged_rows(seed, round(forged_packets.FORGED * scale), show)
    total = sum(row.tried for row in forged), sum(row.accepted for row in forged)
    cells = [*map(dataclasses.astuple, forged), ("together", *total)]
    console.print(table("\nforged packets", ("kind", "tried", "accepted"), cells))


def link_cells(groups: Sequence[list[Outcome]]) -> list[tuple[object, ...]]:
    """Return the rows of the table, a column for each group of runs."""
    rows: list[tuple[str, Callable[[list[Outcome]], str]]] = [
        ("seeds", lambda g: f"{g[0].run.seed}" + (f" to {g[-1].run.seed}" if len(g) > 1 else "")),
        ("frames in the ring", lambda g: f"{g[0].run.ring_frames}"),
        ("outages, 0.1 s to 10 min", lambda g: f"{sum(o.run.outages for o in g)}"),
        ("virtual hours", lambda g: f"{sum(o.hours for o in g):.1f}"),
        ("connections", lambda g: f"{sum(o.connections for o in g)}"),
        ("samples made", lambda g: f"{sum(o.losses.made for o in g)}"),
        ("- pushed out of the ring", lambda g: f"{sum(o.losses.dropped for o in g)}"),
        ("samples lost", lambda g: f"{sum(o.losses.lost for o in g)}"),
        ("- within the ring", lambda g: f"{sum(o.losses.within for o in g)}"),
        ("- reported as lost", lambda g: f"{sum(o.losses.reported for o in g)}"),
        ("exact", lambda g: "yes" if all(o.losses.is_exact for o in g) else "NO"),
        ("gaps stored/true", lambda g: _pair(g, "gaps", "true_gaps", "")),
        ("gaps stored/true s", lambda g: _pair(g, "gap_s", "true_gap_s", ".1f")),
        ("worst end of a gap ms", lambda g: f"{max(o.losses.worst_gap_s for o in g) * 1e3:.0f}"),
        ("age p50/p99 ms", lambda g: _ms(_of(g, "age_s"), 50, 99)),
        ("- computing p50/p99 ms", lambda g: _ms(_of(g, "compute_s"), 50, 99, digits=1)),
        ("alerts", lambda g: f"{len(_of(g, 'alert_age_s'))}"),
        ("alert p50/p99 ms", lambda g: _ms(_of(g, "alert_age_s"), 50, 99)),
        ("- since due p50/p99 ms", lambda g: _ms(_of(g, "alert_true_s"), 50, 99)),
        ("UTC used p50/p95/worst ms", lambda g: _errors(_of(g, "used_error_s"))),
        ("- stored, live ms", lambda g: _errors(_of(g, "live_error_s"))),
        ("- stored, backfill ms", lambda g: _errors(_of(g, "backfill_error_s"))),
        ("back p50/p95 s", lambda g: _seconds(_of(g, "back_s"))),
    ]
    return [(name, *(cell(group) for group in groups)) for name, cell in rows]


def _of(group: list[Outcome], name: str) -> FloatArray:
    return np.concatenate([getattr(outcome, name) for outcome in group])


def _pair(group: list[Outcome], stored: str, true: str, form: str) -> str:
    found, really = (sum(getattr(o.losses, name) for o in group) for name in (stored, true))
    return f"{found:{form}}/{really:{form}}"


def _ms(values_s: FloatArray, *percents: int, digits: int = 0) -> str:
    if not len(values_s):
        return "-"
    values_ms = [1e3 * float(v) for v in np.percentile(values_s, percents)]
    return "/".join(f"{v:.{digits if v < 99.95 else 0}f}" for v in values_ms)


def _errors(errors_s: FloatArray) -> str:
    return _ms(np.abs(errors_s), 50, 95, 100, digits=1)


def _seconds(values_s: FloatArray) -> str:
    if not len(values_s):
        return "-"
    return "/".join(f"{v:.2f}" for v in np.percentile(values_s, (50, 95)))


def print_air(console: Console) -> None:
    """Reconnecting after a fade of 1 s on the virtual air; needs bumble (the extra air)."""
    rows = collect("fades", reconnect.reconnect_rows())
    back_s = np.array([row.back_s for row in rows])
    median_s, p95_s = np.percentile(back_s, (50, 95))
    lost = sum(row.was_lost for row in rows)
    console.print(
        f"{len(rows)} fades of {rows[0].fade_s:g} s on the virtual air, {lost} connections lost: "
        f"back after median {median_s:.2f} s, p95 {p95_s:.2f} s, most {back_s.max():.2f} s",
        highlight=False,
    )


def print_strangers(tries: int, console: Console) -> None:
    """How soon the owner streams while strangers hold the board's places; needs bumble (the extra air)."""
    with progress_bar("strangers") as show:
        rows = strangers.strangers_rows(strangers.CASES, range(1, tries + 1), show)
    cells = []
    for case, group in groupby(rows, key=lambda row: (row.places, row.centrals, row.are_new, row.fakes)):
        in_s = [row.in_s for row in group]
        cells.append(
            (
                *case,
                len(in_s),
                float(np.median(in_s)),
                float(np.percentile(in_s, 95, method="higher")),
                max(in_s),
            )
        )
    heads = ("places", "strangers", "new", "fakes", "tries", "median s", "p95 s", "worst s")
    title = f"\nuntil the owner streams (-: > 120 s), seeds 1 to {tries}"
    console.print(table(title, heads, cells))
    console.print(
        "places: of the board; new: strangers with another address each time; fakes: boards that hang",
        style="dim",
        highlight=False,
    )


def print_modes(hours: float, seeds: int, console: Console) -> None:
    """Virtual hours on each radio stack with fades, resets, stuck callbacks and refusals; needs bumble."""
    with progress_bar("radio stacks") as show:
        rows = radio_modes.mode_rows(hours, range(1, seeds + 1), show)
    modes = [list(group) for _, group in groupby(rows, key=lambda row: row.mode)]
    counts: list[tuple[str, Callable[[radio_modes.ModeRow], float], Callable[[Iterable[float]], float]]] = [
        ("faults", lambda r: r.faults, sum),
        ("- fades", lambda r: r.fades, sum),
        ("connections", lambda r: r.connections, sum),
        ("frames", lambda r: r.frames, sum),
        ("lost, dropped by a full ring and told", lambda r: r.lost_beyond, sum),
        ("lost within the ring", lambda r: r.lost_inside, sum),
        ("neither came nor told", lambda r: r.untold, sum),
        ("in memory when the board restarted", lambda r: r.at_restart, sum),
        ("restarts of the radio", lambda r: r.restarts_of_radio, sum),
        ("restarts of the board", lambda r: r.restarts_of_board, sum),
        ("crashes", lambda r: r.crashes, sum),
        ("longest in range and not to be found, s", lambda r: r.invisible_s, max),
        ("most bytes queued", lambda r: r.most_queued, max),
    ]
    each = f"{hours:g} virtual h" + (f" for each of the seeds 1 to {seeds}" if seeds > 1 else ", seed 1")
    cells = [(name, *(whole(count(row) for row in mode) for mode in modes)) for name, count, whole in counts]
    console.print(table(f"\n{each}, on each radio stack", ("", *(mode[0].mode for mode in modes)), cells))
