"""`tiltwise bench NAME`: accuracy and speed, measured here and now, as tables. The frame; each bench is a module.

Figures on recordings need their folder: `$TILTWISE_DATA` or --data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from tiltwise.errors import AppError, UsageError
from tiltwise_lab.bench.accuracy.accuracy_tables import (
    print_calibration,
    print_desk,
    print_orientation,
    print_pair,
    print_sets,
    print_sim,
    print_speed,
)
from tiltwise_lab.bench.alarms.alarm_tables import print_alarms
from tiltwise_lab.bench.options import BenchOptions


def run_benches(names: Sequence[str], options: BenchOptions, console: Console) -> None:
    """Run benches by name, one after the other, and print their tables; UsageError before any for an unknown name."""
    for name in names:
        if name not in BENCHES:
            raise UsageError(f"bench {name!r}: expected one of {', '.join(BENCHES)}")
    for k, name in enumerate(names):
        if len(names) > 1:
            console.print(f"{chr(10) if k else ''}== {name} ==", highlight=False)
        BENCHES[name][1](options, console)


def _firmware(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.firmware.firmware_tables import (
        print_firmware,  # needs node, MicroPython and bumble
    )

    try:
        folder: Path | None = options.folder() / "orientation"
    except AppError as error:
        console.print(f"without accuracy: {error}", style="dim")
        folder = None
    print_firmware(folder, options.scale, console)


def _link(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.link.link_tables import print_link

    for part in (_air, _strangers, _radio):
        part(options, console)
    print_link(1, options.scale, console)


def _air(_options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.link.link_tables import print_air

    _on_virtual_air(lambda: print_air(console), console)


def _strangers(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.link.link_tables import print_strangers

    tries = options.chosen_seeds or max(1, round(40 * options.scale))
    _on_virtual_air(lambda: print_strangers(tries, console), console)


def _radio(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.link.link_tables import print_modes

    _on_virtual_air(lambda: print_modes(24.0 * options.scale, options.chosen_seeds or 1, console), console)


def _on_virtual_air(run: Callable[[], None], console: Console) -> None:
    try:
        run()
    except ModuleNotFoundError as error:
        console.print(f"without the virtual air: {error.name} is not installed (extra: air)")


def _posture(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.posture.posture_tables import print_posture

    print_posture(options, console)


def _reps(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.counting.counting_tables import print_reps

    print_reps(options, console)


def _guided(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.guided.guided_tables import print_guided

    print_guided(options, console)


def _soak(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_soak

    print_soak(options.scale, console)


def _watch(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_watch

    print_watch(options.scale, console)


def _store(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_store

    print_store(options.seeds, options.scale, console)


def _faults(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_faults

    print_faults(options.scale, console)


def _receipts(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_receipts

    print_receipts(options.scale, console)


def _days(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_days

    print_days(options.chosen_seeds, console)


def _year(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.storage.storage_tables import print_year

    print_year(options.scale, console)


def _exposure(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.exposure.exposure_tables import print_exposure

    print_exposure(options, console)


def _pages(options: BenchOptions, console: Console) -> None:
    from tiltwise_lab.bench.exposure.page_tables import print_pages

    print_pages(options, console)


BENCHES: dict[str, tuple[str, Callable[[BenchOptions, Console], None]]] = {
    "desk": ("offline path on people at desks: angles, shares", print_desk),
    "orientation": ("our filters beside the peers, against optical truth", print_orientation),
    "alarms": ("alerts and walking on generated desk sessions, against truth", print_alarms),
    "pair": ("head minus upper back on a real person", print_pair),
    "sim": ("the whole system on simulated wearers, against truth", print_sim),
    "posture": ("alerts on generated days, beside other products (30 min)", _posture),
    "reps": ("`count` on generated sets, and unguided on people at desks", _reps),
    "guided": ("the coach's counters and rounds of tensing (--scale 0.1: quick)", _guided),
    "sets": ("side tilts in an unguided day, alone and in sets", print_sets),
    "calibration": ("remounting, and wrong ways of doing the calibration", print_calibration),
    "firmware": ("firmware in the MicroPython VM: memory, time, losses", _firmware),
    "link": ("1,000 outages, forged packets, `strangers`, `radio` (--scale 0.02: quick)", _link),
    "strangers": ("the owner among hostile centrals and fake boards (1 h)", _strangers),
    "radio": ("24 virtual hours of faults on each radio stack (1 h)", _radio),
    "soak": ("24 h at high speed: memory, files, CPU (30 min)", _soak),
    "watch": ("`watch` in real time: memory, files, CPU (30 min)", _watch),
    "store": ("kill -9, power cuts, restarts, bad disks, all of `faults` (40 min)", _store),
    "faults": ("a fault at every file call, 10,000 damaged stores (30 min)", _faults),
    "receipts": ("what receipts and safe commits cost a live session", _receipts),
    "exposure": ("a day's figures against a checker; cohort, readers", _exposure),
    "pages": ("waiting for plots and report; a year of raw samples, live", _pages),
    "days": ("random days: seconds in no minute and no gap (100 seeds: 20 min)", _days),
    "year": ("a year of 8 h days: size, time to read it", _year),
    "speed": ("speed of the offline path, CPU of a live one", print_speed),
}
