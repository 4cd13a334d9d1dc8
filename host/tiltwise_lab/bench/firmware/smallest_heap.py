"""The heap that the firmware needs to stream, encrypted, through fades and a day's GET, and what is left of it.

The whole firmware runs in the MicroPython VM with the least ring it knows, on both radio stacks, loaded from files
and from a ROM partition. A board collects garbage when it has to, the VM only between two steps: so what is in use
after a collection is the least a board may have, and with all that one step adds it is enough. What stands in for a
board's own modules lies in the same heap and is subtracted, what BTstack queues is added.
"""

from __future__ import annotations

import asyncio
import binascii
import importlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.bench.firmware.cost import built_in_bytes
from tiltwise_lab.radio.bumble_host import RadioHost
from tiltwise_lab.radio.bumble_requests import BTSTACK, NIMBLE, Stack
from tiltwise_lab.radio.virtual_radio import RadioConditions, RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.compiled import rom_image
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.process import Vm
from tiltwise_lab.vm.radio_board import DEVICE_ID, RadioBoard, flash_of_a_board

STACKS: Final = (("NimBLE", NIMBLE, "xiao_esp32c3"), ("BTstack", BTSTACK, "pico_w"))
MINUTES: Final = 1440
HEAP_BYTES: Final = 196_608  # about that of a Pico W
_KEY: Final = bytes(range(32))
_EARLIER_BOOT: Final = 7
_FADES_S: Final = (3.0, 8.0)
_GET_S: Final = 180.0  # at most
# One by one, for what loading leaves behind is collected in between; then what main.py does.
_IN_TURN: Final = (
    "tiltwise.common.wire",
    "tiltwise.common.auth",
    "tiltwise.common.channel",
    "tiltwise.common.fusion",
    "firmware.drivers.lsm6ds",
    "firmware.sensing.sampler",
    "firmware.storage.minute_archive",
    "firmware.storage.board_settings",
    "firmware.wearer.wearer_state",
    "firmware.comms.session_manager",
    "firmware.comms.ble_radio",
    "firmware.device.housekeeping",
    "firmware.app",
    "firmware.device.board",
)
_AT_HOME: Final = "import os\nos.chdir('/')"  # as on a board: the VM starts in /rom where there is one
_BOARD: Final = "board = firmware.device.board.Board()"
_RING: Final = """
import gc
from firmware.comms import frame_store
board.ring_frames = frame_store.frames_that_fit(%d - gc.mem_alloc(), 10, board.pins.MOST_FRAMES)
"""
_APP: Final = "app = firmware.app.App(board)"
_MAIN: Final = "import asyncio\nasyncio.run(firmware.app._run(app))"


@dataclass(frozen=True, slots=True)
class HeapNeedRow:
    """One stack and place of the code; bytes on a board.

    used_bytes : most in use after a collection; enough_bytes : with all that a step allocated at most
    n_minutes : of the stored day that came
    heap_bytes : at the end; the VM's heap grows while it looks through a stored day, for it cannot collect meanwhile
    free_bytes, hole_bytes : after the last collection, and the largest piece of it
    """

    stack: str
    where: str
    ring_frames: int
    used_bytes: int
    enough_bytes: int
    n_minutes: int
    heap_bytes: int
    free_bytes: int
    hole_bytes: int


def heap_need_rows(seconds: float = 60.0) -> Iterator[tuple[float, HeapNeedRow]]:
    """Yield a row for each stack and place; so long they stream after the GET."""
    cases = [(stack, where) for stack in STACKS for where in ("files", "ROM")]
    for n, (stack, where) in enumerate(cases):
        yield (n + 1) / len(cases), run_virtually(_row(*stack, where, seconds))


def hour_row(hours: float = 1.0) -> HeapNeedRow:
    """Return the row of a longer stay, with the ring of a heap of HEAP_BYTES; NimBLE, from files, no stored day."""
    return run_virtually(_row(*STACKS[0], "files", 3600 * hours, is_hour=True))


async def _row(
    name: str, stack: Stack, profile: str, where: str, seconds: float, *, is_hour: bool = False
) -> HeapNeedRow:
    with Vm({}) as vm:
        built_in = built_in_bytes(vm)
    conditions = RadioConditions()
    link = RadioLink(conditions)
    host = RadioHost(link, _KEY, DEVICE_ID)
    board = _board(link, stack, profile, where, HEAP_BYTES + built_in, is_hour=is_hour)
    try:
        board.vm.heap_peaks()  # of loading and of looking through a day of minutes, a collection at a time on a board
        await host.power_on()
        n_minutes = await _session(board, host, conditions, 0 if is_hour else MINUTES, seconds)
        live, step = board.vm.heap_peaks()
        used = live - built_in + board.radio.most_queued
        ring = int(board.vm.value("app.frames.main.capacity"))
        return HeapNeedRow(name, where, ring, used, used + step, n_minutes, *_left(board.vm))
    finally:
        host.close()
        await board.close()


def _board(
    link: RadioLink, stack: Stack, profile: str, where: str, heap_bytes: int, *, is_hour: bool
) -> RadioBoard:
    part = Lsm6dsox(seed=1)
    flash = flash_of_a_board(_KEY, profile)
    if where == "ROM":
        flash = {path: data for path, data in flash.items() if not path.endswith(".mpy")}
    room = heap_bytes * 31 // 32 if is_hour else 0  # a thirty-second part is tables; 0: the least ring
    return RadioBoard(
        link,
        [part],
        NoddingMotion(part),
        files=flash if is_hour else flash | stored_day(),
        rom=rom_image() if where == "ROM" else b"",
        stack=stack,
        heap_bytes=heap_bytes,
        watches_heap=True,
        before=(_AT_HOME, *(f"import {module}" for module in _IN_TURN), _BOARD, _RING % room, _APP),
        main=_MAIN,
    )


async def _session(
    board: RadioBoard, host: RadioHost, conditions: RadioConditions, minutes: int, seconds: float
) -> int:
    """Let a host live through it; return how many minutes of the day came."""
    await asyncio.sleep(2.0)
    await _open(board, host)
    for fade_s in _FADES_S:
        await _stream(board, host, 4.0)
        conditions.is_in_range = False
        await asyncio.sleep(fade_s)
        conditions.is_in_range = True
        await asyncio.sleep(1.0)
        if host.connection is None:
            await _open(board, host)
    if minutes:
        await host.get(_EARLIER_BOOT, 0, minutes)
    loop = asyncio.get_running_loop()
    end_s = loop.time() + _GET_S
    while loop.time() < end_s and _n_minutes(host) < minutes:
        await _stream(board, host, 1.0)
    n_minutes = _n_minutes(host)
    await _stream(board, host, seconds)
    return n_minutes


async def _open(board: RadioBoard, host: RadioHost) -> None:
    board.check()
    await host.connect(board.radio.address)
    await host.prove()
    await host.start()


async def _stream(board: RadioBoard, host: RadioHost, seconds: float) -> None:
    """Acknowledge once a second; TimeoutError when no frame comes any more."""
    for _ in range(round(seconds)):
        before = host.received.notifications
        await asyncio.sleep(1.0)
        board.check()
        if host.received.notifications == before:
            raise TimeoutError
        live = [frame for frame in map(read_frame, host.received.frames[-40:]) if frame.boot != _EARLIER_BOOT]
        if live:
            await host.acknowledge(live[-1].boot, live[-1].seq)


def _n_minutes(host: RadioHost) -> int:
    return len({f.seq for f in map(read_frame, host.received.frames) if f.boot == _EARLIER_BOOT})


def _left(vm: Vm) -> tuple[int, int, int]:
    """Return the size of the heap, what is free after a collection, and the largest piece of that."""
    vm.heap_in_use()
    text = " ".join(vm.run("import micropython\nmicropython.mem_info()"))
    total, free, blocks = (
        int(re.findall(name + r": (\d+)", text)[0]) for name in ("total", "free", "max free sz")
    )
    return total, free, 16 * blocks


def stored_day() -> dict[str, bytes]:
    """Return the files of a flash log that holds a day of minutes of an earlier boot."""
    load_firmware()
    flash_log = importlib.import_module(f"{PACKAGE}.storage.flash_log")
    blocks = _Blocks()
    log = flash_log.FlashLog(blocks)
    frame = bytearray(wire.frame_size(wire.MINUTE))
    for seq in range(MINUTES):
        wire.pack_header_into(frame, wire.MINUTE, 0, _EARLIER_BOOT, seq, 3120 * seq, 600_000 * seq, 0, 0, 6)
        log.append(flash_log.MINUTE, bytes(frame[: flash_log.PAYLOAD]))
    boot = struct.pack("<I", _EARLIER_BOOT)
    return blocks.files() | {"/boot": boot + struct.pack("<I", binascii.crc32(boot))}


class _Blocks:
    """A block device in memory, as firmware/storage/file_block_device.py shows its files."""

    def __init__(self, count: int = 24, size: int = 4096) -> None:
        self._data = [bytearray(b"\xff" * size) for _ in range(count)]
        self._size = size

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        buffer[:] = self._data[block][offset : offset + len(buffer)]

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> None:
        self._data[block][offset : offset + len(buffer)] = buffer

    def ioctl(self, operation: int, block: int) -> int:
        if operation == 6:
            self._data[block][:] = b"\xff" * self._size
        return {4: len(self._data), 5: self._size}.get(operation, 0)

    def files(self) -> dict[str, bytes]:
        used = ((k, bytes(data).rstrip(b"\xff")) for k, data in enumerate(self._data))
        return {f"/min{k:02d}": data for k, data in used if data}
