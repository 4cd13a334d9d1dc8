"""What the firmware takes of each board's memory, in the MicroPython VM; `make hardware` prints it after the cases.

The VM and the firmware's bench are in tiltwise's own environment (extra dev), not in the one with CAD.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from tiltwise_lab.bench.firmware.cost import RING_FRAMES, heap_rows, memory_rows
from tiltwise_lab.vm.vm_install import VmUnavailableError

# How the code gets onto each board, as firmware/README.md says, and what the bench calls the heap it takes then.
WAYS = {
    "XIAO nRF52840 Sense": "frozen",
    "XIAO ESP32-C3": "into a ROM partition",
    "XIAO ESP32-S3": "from files",
    "Pico W, Pico 2 W": "from files",
}
_MOMENTS = {
    "frozen": "  the firmware in it, frozen into the image",
    "into a ROM partition": "  the firmware in it, ROM",
    "from files": "  the firmware in it",
}
GOALS = {"XIAO nRF52840 Sense": " (goal: under 60)"}


def table(heaps: Mapping[str, int], allocated: Mapping[tuple[str, str], float]) -> str:
    """Return the lines that are printed.

    Parameters
    ----------
    heaps
        Bytes of heap by the moment of a HeapRow.
    allocated
        Bytes allocated by part and unit of a MemoryRow.
    """
    lines = [
        f"heap after start with one sensor and a ring of {RING_FRAMES} frames (MicroPython VM, 32 bit), "
        f"beside {heaps['MicroPython alone'] / 1000:.0f} kB that MicroPython takes:"
    ]
    for board, way in WAYS.items():
        kb = heaps[_MOMENTS[way]] / 1000
        lines.append(f"  {board:20s} {way:20s} {kb:4.0f} kB{GOALS.get(board, '')}")
    lines.append("allocated while it streams:")
    for how in ("with checksums", "sealed"):
        sample, frame = (allocated[f"all in operation, {how}", unit] for unit in ("sample", "frame"))
        lines.append(f"  {how:15s} {sample:4.0f} bytes a sample, {frame:4.0f} bytes a frame")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; return 1 when the VM is not here."""
    try:
        heaps = {row.moment: row.heap_bytes for _, row in heap_rows(hours=0.0)}
        allocated = {(row.part, row.unit): row.n_bytes for _, row in memory_rows()}
    except VmUnavailableError as error:
        print(f"tiltwise: {error}; install the extra dev: .ci/setup dev,parquet,bench", file=sys.stderr)
        return 1
    print(f"\n{table(heaps, allocated)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
