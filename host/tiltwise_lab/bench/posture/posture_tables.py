"""The tables of `tiltwise bench posture`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from rich.console import Console

from tiltwise.errors import AppError
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.posture.alert_quality import (
    MOUNTS,
    OURS_DUE,
    OURS_TOLD,
    DayRow,
    ProductDay,
    day_rows,
    total,
)
from tiltwise_lab.bench.posture.board_and_host import agreement_rows
from tiltwise_lab.bench.posture.chain_days import chain_rows
from tiltwise_lab.bench.posture.crept_tilt import FIRST_SEED as FIRST_CREEP_SEED
from tiltwise_lab.bench.posture.crept_tilt import creep_rows
from tiltwise_lab.bench.posture.joined_recordings import joined_rows
from tiltwise_lab.bench.posture.notice_delay import notice_delays
from tiltwise_lab.bench.posture.products import OTHERS
from tiltwise_lab.bench.posture.raised_shoulders import FIRST_SEED, raise_rows
from tiltwise_lab.bench.table import collect, table

DAYS, WEARERS = 500, 50
COMPARED_DAYS, COMPARED_HOURS = 100, 2.0
CHAIN_DAYS, CHAIN_MINUTES = 50, 25.0
JOINED_HOURS = 8.0
NOTICED = 20  # wearers whose alerts are timed
RAISERS, RAISER_MINUTES, DESKS, DESK_MINUTES = 20, 10.0, 40, 30.0  # for raised shoulders
CREEP_DAYS = 60
_COLUMNS = ("rule", "doses", "found %", "a day", "false/h", "p50 s", "p95 s", "seen p95")


def print_posture(options: BenchOptions, console: Console) -> None:
    """Print alert quality on generated days, through the whole chain, on joined recordings; board against host."""
    console.print(
        "doses: that became full; false/h: in an hour worn; p50, p95: delay after full, s; seen p95: after the dose "
        "of the angles that the sensor saw",
        style="dim",
    )
    _print_generated(options, console)
    _print_board(options, console)
    _print_chain(options, console)
    _print_joined(options, console)
    _print_notices(options, console)
    _print_raises(options, console)
    _print_creep(options, console)


def _print_creep(options: BenchOptions, console: Console) -> None:
    n = max(round(CREEP_DAYS * options.scale), 1)
    rows = collect("creep", creep_rows(n))
    told, false, hours = _sums(rows, "told", "false", "hours")
    console.print(
        f"upper back crept forward, {n} generated days of 8 h at the collar (seeds {FIRST_CREEP_SEED} to "
        f"{FIRST_CREEP_SEED + n - 1}): {told} told, {told / n:.1f} a day; the wearer's own angles do not show "
        f"{false} of them ({false / hours:.3f} an hour)",
        highlight=False,
    )


def _sums(rows: Iterable[object], *names: str) -> list[float]:
    return [sum(getattr(row, name) for row in rows) for name in names]


def _print_raises(options: BenchOptions, console: Console) -> None:
    """Print how many lasting raises of the shoulders were noticed, and what else was taken for one."""
    for name, n, minutes, raises in (
        ("stories of raises", RAISERS, RAISER_MINUTES, True),
        ("days at a desk", DESKS, DESK_MINUTES, False),
    ):
        n = max(round(n * options.scale), 1)
        rows = collect(name, raise_rows(n, minutes, raises=raises))
        hours, raised, found, false = _sums(rows, "hours", "raised", "found", "false")
        console.print(
            f"shoulders raised, {n} {name} of {minutes:g} min at the collar (seeds {FIRST_SEED} to "
            f"{FIRST_SEED + n - 1}): {found} of {raised} noticed, {false} false in {hours:.1f} h "
            f"({false / hours:.2f} an hour)",
            highlight=False,
        )


def _print_generated(options: BenchOptions, console: Console) -> None:
    n = max(round(DAYS * options.scale), len(MOUNTS))
    rows = collect("days", day_rows(n, WEARERS))
    title = f"{n} generated days of 8 h, {min(n, WEARERS)} wearers, seeds 0 to {n - 1}, all places"
    _print_products(title, (OURS_DUE, OURS_TOLD), rows, console)
    calm = [row for row in rows if not row.faults]
    by = [(mount.value, [row for row in rows if row.mount is mount]) for mount in MOUNTS]
    parts = [*by, ("no fault of the sensor", calm), ("slip, coat or crooked", [r for r in rows if r.faults])]
    console.print(
        table(
            f"\n{OURS_DUE}, by place and fault",
            ("days", *_COLUMNS[1:]),
            [(name, *_cells(total(some, OURS_DUE), len(some))[1:]) for name, some in parts if some],
        )
    )
    ours = total(rows, OURS_DUE)
    console.print(
        f"of the {ours.full} full doses the sensor saw {ours.seen} full too (the others a slip or a crooked sensor "
        f"hid); {ours.seen_found} of those were told",
        highlight=False,
    )
    _print_minutes(rows, console)


def _print_products(title: str, ours: Sequence[str], rows: Sequence[DayRow], console: Console) -> None:
    """Print what ours and the others gave on some days, and what was right of the activity."""
    names = [*ours, *(f"{deg:g} deg / {hold_s:g} s" for deg, hold_s in OTHERS)]
    console.print(table(title, _COLUMNS, [_cells(total(rows, name), len(rows)) for name in names]))


def _print_minutes(rows: Sequence[DayRow], console: Console) -> None:
    right, minutes = sum(row.right_minutes for row in rows), sum(row.minutes for row in rows)
    if minutes:
        console.print(
            f"minutes with the right activity: {100 * right / minutes:.1f} % of {minutes}\n", highlight=False
        )


def _print_board(options: BenchOptions, console: Console) -> None:
    days = max(round(COMPARED_DAYS * options.scale), 2)
    compared = collect("board and host", agreement_rows(days, COMPARED_HOURS))
    both, host, board = _sums(compared, "both", "host_only", "board_only")
    console.print(
        f"board against host, {days} days of {COMPARED_HOURS:g} h (seeds 0 to {days - 1}): {both} alerts of both, "
        f"{host} of the host only, {board} of the board only\n",
        highlight=False,
    )


def _print_chain(options: BenchOptions, console: Console) -> None:
    n = max(round(CHAIN_DAYS * options.scale), 1)
    rows = collect("registers to alerts", chain_rows(n, CHAIN_MINUTES))
    title = f"{n} simulated wearers from sensor registers to alerts, {CHAIN_MINUTES:g} min each, seeds 0 to {n - 1}"
    _print_products(title, (OURS_DUE,), rows, console)
    _print_minutes(rows, console)


def _print_joined(options: BenchOptions, console: Console) -> None:
    try:
        folder = options.folder()
    except AppError as error:
        console.print(f"without days joined from recordings: {error}", style="dim")
        return
    hours = max(JOINED_HOURS * min(options.scale, 1.0), 1.0)
    days = collect("joined recordings", joined_rows(folder, hours))
    title = (
        f"{len(days)} days of {hours:g} h joined from recordings of a person each (seeds 0 to {len(days) - 1}), "
        f"{sum(day.seams for day in days)} seams"
    )
    rows = [day.row for day in days]
    _print_products(title, (OURS_DUE,), rows, console)
    _print_minutes(rows, console)


def _print_notices(options: BenchOptions, console: Console) -> None:
    n = max(round(NOTICED * options.scale), 2)
    delays = [delay for some in collect("alerts to messages", notice_delays(n)) for delay in some]
    if not delays:
        console.print("no alert was due: nothing to time")
        return
    working_ms, in_frame_ms = (
        1000 * np.array([getattr(delay, name) for delay in delays]) for name in ("working_s", "in_frame_s")
    )
    console.print(
        f"{len(delays)} alerts of {n} simulated wearers (seeds 0 to {n - 1}), with store: from the frame's arrival "
        f"to command and message {np.median(working_ms):.1f} ms (median), {working_ms.max():.1f} ms (most); from the "
        f"sample to the arrival {np.median(in_frame_ms):.0f} ms (median), {in_frame_ms.max():.0f} ms (most)",
        highlight=False,
    )


def _cells(product: ProductDay, days: int) -> tuple[object, ...]:
    found = 100 * product.found / product.full if product.full else float("nan")
    return (
        product.product, product.full, round(found, 1), round(product.alerts / days, 2),
        round(product.false / product.hours, 3), _percentile(product.delays_s, 50), _percentile(product.delays_s, 95),
        _percentile(product.seen_delays_s, 95),
    )  # fmt: skip


def _percentile(values: tuple[float, ...], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1) if values else float("nan")
