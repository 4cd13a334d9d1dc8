"""Virtual hours on each radio stack with everything that stacks do: fades, host resets, stuck callbacks, ENOMEM.

The firmware, its radio code, ATT and the supervisor are real; the stack is bumble with the limits of NimBLE or
BTstack (bumble_requests.py). A host stores and acknowledges as live/ does and asks for what is missing. Lost inside:
frames that the board said it no longer has though its ring had not dropped them; untold: neither came nor told of,
at the end. Frames that were only in memory when the board restarted are counted apart. A crash ends the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.link.ble import BleConnector
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.supervisor import Supervisor
from tiltwise_lab.bench.parallel import Show, run_in_processes

MODES = ("nimble", "btstack")
_KEY = bytes(range(32))
_LOOK_S = 0.1
_EVERY_S = (4.0, 40.0)  # between two faults
_FADE_S = (0.3, 8.0)
_SETTLE_S = 40.0  # at the end, for what is still missing


@dataclass(frozen=True, slots=True)
class ModeRow:
    """One stretch on one stack. invisible_s : longest time in range, neither connected nor advertising."""

    mode: str
    seed: int
    hours: float
    faults: int
    fades: int
    connections: int
    frames: int
    lost_beyond: int
    lost_inside: int
    untold: int
    at_restart: int
    restarts_of_radio: int
    restarts_of_board: int
    crashes: int
    invisible_s: float
    most_queued: int  # bytes of notifications on the board's heap; 0 where the stack refuses


def mode_rows(hours: float, seeds: Sequence[int], show: Show) -> list[ModeRow]:
    """Return a row for each stack and seed, each from a process of its own; ModuleNotFoundError without bumble."""
    jobs = [(mode, seed, hours) for mode in MODES for seed in seeds]
    return run_in_processes(_mode_row, jobs, show, weights=[1.0] * len(jobs))


def _mode_row(job: tuple[str, int, float], _show: Show) -> ModeRow:
    from tiltwise_lab.radio.virtual_time import run_virtually

    mode, seed, hours = job
    with contextlib.redirect_stdout(io.StringIO()):  # what the firmware says of a radio that does not start
        return run_virtually(_Day(mode, seed).run(hours))


@dataclass(slots=True)
class _Boot:
    """What the host knows of one boot, and what the board's ring says."""

    came: SequenceRanges = field(default_factory=SequenceRanges)
    accounted: SequenceRanges = field(default_factory=SequenceRanges)
    made: int = 0
    dropped: int = 0

    def take(self, first: int, last: int, *, is_gone: bool = False) -> None:
        """Note frames that came, or that the board no longer has."""
        if not is_gone:
            self.came.add(first, last)
        self.accounted.add(first, last)

    @property
    def lost(self) -> int:
        """Frames that the board no longer had and that did not come before: acknowledged ones are gone as well."""
        return self.accounted.count - self.came.count

    @property
    def stored(self) -> int:
        """The last number up to which all came or are gone, -1 for none."""
        settled = self.accounted.settled
        return settled if settled is not None and self.accounted.first == 0 else -1


class _Day:
    def __init__(self, mode: str, seed: int) -> None:
        self.mode, self.seed = mode, seed
        self.rng = random.Random(seed)
        self.boots: dict[int, _Boot] = {}
        self.faults = self.fades = self.radio_restarts = self.crashes = self.most_queued = 0
        self.invisible_s = self._unseen_s = 0.0
        self._radio: Any = None

    async def run(self, hours: float) -> ModeRow:
        from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
        from tiltwise_lab.radio.bleak_backend import Adapter
        from tiltwise_lab.radio.bumble_board import BumbleBoard
        from tiltwise_lab.radio.bumble_requests import BTSTACK, NIMBLE
        from tiltwise_lab.radio.virtual_radio import RadioConditions, RadioLink
        from tiltwise_lab.vm.nodding_motion import NoddingMotion

        loop = asyncio.get_running_loop()
        self.conditions = RadioConditions(lost_events=0.03, lost_advertisements=0.5, rng=self.rng)
        link = RadioLink(self.conditions)
        part = Lsm6dsox(seed=self.seed)
        stack = BTSTACK if self.mode == "btstack" else NIMBLE
        self.board: Any = BumbleBoard(
            link, [part], NoddingMotion(part), key=_KEY, seed=self.seed, stack=stack, ring_frames=300
        )
        self.board.power_on()
        adapter = Adapter(link)
        await adapter.power_on()
        connector = BleConnector(client_backend=adapter.client, scanner_backend=adapter.scanner)
        known = KeyedBoard(self.board.device_id, "bench", _KEY)
        self.supervisor = Supervisor(connector, [known], clock=loop.time)
        tasks = []
        with contextlib.suppress(_Crash):
            async with self.supervisor:
                tasks = [loop.create_task(self._receive()), loop.create_task(self._acknowledge())]
                await self._spoil(loop.time() + 3600 * hours)
                await self._look(_SETTLE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        adapter.close()
        with contextlib.suppress(Exception):
            await self.board.close()
        return self._row(hours)

    async def _spoil(self, end_s: float) -> None:
        loop = asyncio.get_running_loop()
        await self._look(10.0)
        while loop.time() < end_s:
            self.faults += 1
            await self._one_fault()
            await self._look(self.rng.uniform(*_EVERY_S))

    async def _one_fault(self) -> None:
        radio, rng = self.board.bluetooth, self.rng
        kinds = ("fade", "fade", "stuck", "refuse", "reset")
        kind = rng.choice(kinds if self.mode == "nimble" else kinds[:3])
        if kind == "fade":
            self.fades += 1
            self.conditions.is_in_range = False
            await self._look(rng.uniform(*_FADE_S))
            self.conditions.is_in_range = True
        elif kind == "stuck":
            radio.is_stuck = True
            await self._look(rng.uniform(1.0, 20.0))
            radio.is_stuck = False
        elif kind == "refuse":
            radio.refuse_next = rng.randrange(5, 60)
        else:
            radio.fails_to_start = rng.randrange(3)
            radio.reset_host(silent_calls=rng.randrange(8))

    async def _look(self, seconds: float) -> None:
        """Let time pass, and look whether the board could be found."""
        end_s = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end_s:
            await asyncio.sleep(_LOOK_S)
            try:
                self.board.check()
            except Exception:  # noqa: BLE001  whatever it was, the board has crashed
                self.crashes += 1
                raise _Crash from None
            radio = self.board.bluetooth
            self._look_at_board()
            self.most_queued = max(self.most_queued, radio.most_queued)
            is_seen = radio.device.is_advertising or radio.is_connected or not self.conditions.is_in_range
            self._unseen_s = 0.0 if is_seen else self._unseen_s + _LOOK_S
            self.invisible_s = max(self.invisible_s, self._unseen_s)

    def _look_at_board(self) -> None:
        board = self.board
        boot = self.boots.setdefault(board.boot_id, _Boot())
        boot.made, boot.dropped = board.app.frames.next_seq, board.app.frames.lost
        if board.radio is not self._radio:  # the board started anew, and with it this count
            self._radio, self._restarts_before = board.radio, self.radio_restarts
        self.radio_restarts = self._restarts_before + board.radio.restarts

    # ---- the host ----

    async def _receive(self) -> None:
        async for chunk in self.supervisor.chunks():
            if wire.is_frame(chunk.data):
                frame = read_frame(chunk.data)
                self.boots.setdefault(frame.boot, _Boot()).take(frame.seq, frame.seq)
                continue
            _, opcode, _, payload = wire.open_command(chunk.data)
            if opcode == wire.OP_GET_DONE | wire.REPLY and payload[0] == wire.STATUS_OK:
                self._take_gone(payload[1:])

    def _take_gone(self, body: bytes) -> None:
        boot, _, _, n = struct.unpack_from(wire.GET_DONE_BODY, body)
        at = struct.calcsize(wire.GET_DONE_BODY)
        for first, last in struct.iter_unpack("<II", body[at : at + 8 * n]):
            self.boots[boot].take(first, last, is_gone=True)

    async def _acknowledge(self) -> None:
        asked_s = 0.0
        while True:
            await asyncio.sleep(1.0)
            number = self.board.boot_id
            boot = self.boots.get(number)
            if boot is None or not boot.came or not self.supervisor.is_streaming:
                continue
            stored, newest = boot.stored, boot.came[-1][1]
            ahead = newest - stored
            body = (stored, ahead + 64) if stored >= 0 else (wire.NOTHING_STORED, 64)
            await self._send(wire.OP_ACK, struct.pack("<HIH", number, *body))
            now_s = asyncio.get_running_loop().time()
            if ahead > 10 and now_s - asked_s > 5.0:
                asked_s = now_s
                await self._send(wire.OP_GET, struct.pack("<HII", number, stored + 1, newest))

    async def _send(self, opcode: int, payload: bytes) -> None:
        await self.supervisor.send(bytes(wire.pack_command(0x20, opcode, 0, payload)))

    def _row(self, hours: float) -> ModeRow:
        *before, last = self.boots.values()
        newest = last.came[-1][1] if last.came else -1
        return ModeRow(
            mode=self.mode,
            seed=self.seed,
            hours=hours,
            faults=self.faults,
            fades=self.fades,
            connections=self.supervisor.connections,
            frames=sum(boot.came.count for boot in self.boots.values()),
            lost_beyond=sum(min(boot.lost, boot.dropped) for boot in self.boots.values()),
            lost_inside=sum(max(boot.lost - boot.dropped, 0) for boot in self.boots.values()),
            untold=newest + 1 - last.accounted.count,
            at_restart=sum(boot.made - boot.accounted.count for boot in before),
            restarts_of_radio=self.radio_restarts,
            restarts_of_board=len(before),
            crashes=self.crashes,
            invisible_s=self.invisible_s,
            most_queued=self.most_queued,
        )


class _Crash(Exception):  # noqa: N818  it ends a run, and is counted
    pass
