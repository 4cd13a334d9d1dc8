"""`tiltwise bench firmware`, how long the firmware works for a sample, a look, a session, in turns of a loop.

The VM says nothing about the speed of a board, but how fast boards run a counting loop is published. Loop and
firmware run in one VM, so their ratio carries over; hardware/power.py makes hours of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tiltwise.sim.imu.lsm6ds3trc_model import Lsm6ds3trc
from tiltwise_lab.vm.compiled import compiled_firmware
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.vm_board import VmBoard

_RUNS: Final = 3
_RING_FRAMES, _MINUTE_FRAMES = 64, 30
_SETTLED_S: Final = 3.0
_PIECES: Final = (
    "a sample, from the bytes of the FIFO to the frame",
    "a look at the links with nothing due",
    "opening a session, one host known",
    "opening a session, four hosts known",
)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """What one piece of the firmware's work is worth: turns of the counting loop that take as long."""

    piece: str
    turns: float


def work_rows(runs: int = _RUNS) -> Iterator[tuple[float, WorkRow]]:
    """Yield what the XIAO nRF52840's firmware does, the least of some VMs."""
    found = [_turns() for _ in range(runs)]
    for k, piece in enumerate(_PIECES):
        yield (k + 1) / len(_PIECES), WorkRow(piece, min(row[k] for row in found))


def _turns() -> list[float]:
    part = Lsm6ds3trc(seed=1)
    NoddingMotion(part)(_SETTLED_S + 1)
    board = VmBoard([part], files=compiled_firmware(), ring_frames=_RING_FRAMES, minute_frames=_MINUTE_FRAMES)
    try:
        seconds = round(50 * _SETTLED_S)
        board.vm.run(f"import probe, time\nfor _ in range({seconds}):\n    time.sleep_ms(20)\n    app.step()")
        return [float(turns) for turns in board.vm.value("probe.turns(app)")]
    finally:
        board.close()
