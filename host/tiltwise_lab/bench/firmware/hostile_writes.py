"""`tiltwise bench firmware`, hostile writes: a million of them into the whole firmware in the MicroPython VM.

The writes reach the firmware as the `bluetooth` module's events, eight every 20 ms of virtual time, more than a
radio carries; what a write costs in time cannot be seen here, because the VM's clock stands still while it
computes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tiltwise.common.frame import read_frame
from tiltwise.decode.messages import Status, read_status
from tiltwise.sim.imu.imu_errors import ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.hostile_centrals import HostileCentrals
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.radio_board import RadioBoard, flash_of_a_board

WRITES_AT_ONCE, EVERY_S = 8, 0.02
QUIET_S = 12.0  # before the first write and after the last: two STATUS
_KEY = bytes(range(32))
# main.py keeps its App to itself; this is what it does, with a name for it.
_MAIN = """
import asyncio
import firmware.app, firmware.device.board
app = firmware.app.App(firmware.device.board.Board())
asyncio.run(firmware.app._run(app))
"""
_NEWEST_STATUS = """
def newest_status():
    main = app.frames.main
    for k in range(main.used - 1, -1, -1):
        if main.frame_at(k)[0] & 15 == 4:
            return bytes(main.frame_at(k)[:main.size_at(k)]).hex()
"""


@dataclass(frozen=True, slots=True)
class HostileRow:
    """What a flood of hostile writes did to the firmware.

    samples_expected : what the part made between the first and the last look; samples: what the firmware took
    heap_before, heap_early, heap_after : bytes in use after a collection, with nobody connected: before the first
        write, after a hundredth of them (what is made once for a peer is there), after all
    status : the board's newest STATUS, made after the last write
    is_key_kept : the key in flash is the one from before, and the motor never ran
    """

    writes: int
    connections: int
    answers: int
    virtual_s: float
    took_s: float
    samples_expected: float
    samples: int
    heap_before: int
    heap_early: int
    heap_after: int
    status: Status
    is_key_kept: bool


def hostile_rows(writes: int = 1_000_000, seed: int = 1) -> Iterator[tuple[float, HostileRow]]:
    """Yield one row; raise VmError when the firmware crashes."""
    yield 1.0, run_virtually(_flood(writes, seed))


async def _flood(writes: int, seed: int) -> HostileRow:
    part = Lsm6dsox(seed=1, errors=ImuErrors.none())
    centrals = HostileCentrals(seed)
    files = flash_of_a_board(_KEY, "xiao_esp32c3")  # no PSRAM: the heap is small and its growth shows
    board = RadioBoard(RadioLink(), [part], NoddingMotion(part), files=files, main=_MAIN, radio=centrals)
    loop = asyncio.get_running_loop()
    try:
        await asyncio.sleep(QUIET_S)
        board.check()
        before = board.vm.heap_in_use()
        first, started_s, began = _samples(board), loop.time(), time.monotonic()
        await _write(board, centrals, max(writes // 100, WRITES_AT_ONCE))
        early = board.vm.heap_in_use()
        await _write(board, centrals, writes)
        took_s, virtual_s, samples = (
            time.monotonic() - began,
            loop.time() - started_s,
            _samples(board) - first,
        )
        board.vm.run(_NEWEST_STATUS)
        frame = bytes.fromhex(board.vm.value("newest_status()"))
        kept = board.vm.files()
        return HostileRow(
            writes=centrals.writes,
            connections=centrals.connections,
            answers=centrals.answers,
            virtual_s=virtual_s,
            took_s=took_s,
            samples_expected=virtual_s / part.slot_period_s,
            samples=samples,
            heap_before=before,
            heap_early=early,
            heap_after=board.vm.heap_in_use(),
            status=read_status(read_frame(frame), virtual_s),
            is_key_kept=all(kept[name] == files[name] for name in ("/key.a", "/key.b"))
            and not any(board.pwm.values()),
        )
    finally:
        await board.close()


async def _write(board: RadioBoard, centrals: HostileCentrals, writes: int) -> None:
    """Let centrals write until they wrote so often, then leave, and wait until the board has said so."""
    while centrals.writes < writes:
        centrals.write(min(WRITES_AT_ONCE, writes - centrals.writes))
        await asyncio.sleep(EVERY_S)
        board.check()
    centrals.leave()
    await asyncio.sleep(QUIET_S)
    board.check()


def _samples(board: RadioBoard) -> int:
    return int(board.vm.value("app.samplers[0].samples"))
