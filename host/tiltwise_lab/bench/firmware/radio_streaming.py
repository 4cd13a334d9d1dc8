"""`tiltwise bench firmware`, the radio: minutes of streaming over the virtual air, and what long bad days lose.

Radio rows run the whole firmware in the MicroPython VM against a bumble central (real ATT). Loss rows run the same
firmware under CPython in sim/board/simulated_board.py, because a day in the VM takes an hour.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tiltwise.common import wire
from tiltwise.common.frame import Frame, open_frame, read_frame
from tiltwise.decode.sequence_ranges import SequenceRanges
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.bumble_host import RadioHost
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.radio_board import DEVICE_ID, RadioBoard, flash_of_a_board

INTERVALS_MS = (15.0, 30.0, 50.0)
MTUS = (23, 185, 247)
RING_FRAMES = 300  # 57 s
_KEY = bytes(range(32))
_CREDITS = 64
_AHEAD_S = 30.0  # the sensor gets its motion this far ahead


@dataclass(frozen=True, slots=True)
class RadioRow:
    """One stretch of streaming: frames and samples that came, and what did not."""

    interval_ms: float
    mtu: int
    minutes: float
    frames: int
    samples: int
    missing_frames: int
    missing_samples: int
    damaged: int
    refused: int  # notifications that the firmware had to try again


@dataclass(frozen=True, slots=True)
class LossRow:
    """A long bad stretch. Lost frames: `inside` the ring's capacity, `beyond` it, and as the board reported them.

    unaccounted : frames that came although they were reported lost, and reported ones that the ring did not lose
    unflagged_holes : jumps of the sample index in a row of frames without a flag that tells of them
    at_reboot : frames made but not stored when the power went; they were only in memory
    """

    hours: float
    disconnects: int
    refusal_bursts: int
    bus_faults: int
    reboots: int
    frames: int
    samples: int
    inside: int
    beyond: int
    unaccounted: int
    unflagged_holes: int
    at_reboot: int


# ---- radio, in the VM ----


def radio_rows(minutes: float = 10.0) -> Iterator[tuple[float, RadioRow]]:
    """Yield a row for each connection interval and packet size."""
    pairs = list(itertools.product(INTERVALS_MS, MTUS))
    for k, (interval_ms, mtu) in enumerate(pairs):
        yield (k + 1) / len(pairs), run_virtually(_stream(interval_ms, mtu, minutes))


async def _stream(interval_ms: float, mtu: int, minutes: float) -> RadioRow:
    link = RadioLink()
    part = Lsm6dsox(seed=1)
    board = RadioBoard(link, [part], NoddingMotion(part), files=flash_of_a_board(_KEY))
    host = RadioHost(link, _KEY, DEVICE_ID)
    try:
        await host.power_on()
        await asyncio.sleep(1.5)
        await host.connect(board.radio.address, interval_ms=interval_ms, mtu=mtu)
        await host.prove()
        await host.start()
        end_s = asyncio.get_running_loop().time() + 60 * minutes
        while asyncio.get_running_loop().time() < end_s:
            await asyncio.sleep(1.0)
            board.check()
            if host.received.frames:
                newest = read_frame(host.received.frames[-1])
                await host.acknowledge(newest.boot, newest.seq)
    finally:
        host.close()
        await board.close()
    return _radio_row(host, board, interval_ms, mtu, minutes)


def _radio_row(host: RadioHost, board: RadioBoard, interval_ms: float, mtu: int, minutes: float) -> RadioRow:
    frames = [read_frame(data) for data in host.received.frames]
    orient = [frame for frame in frames if frame.frame_type == wire.ORIENT]
    return RadioRow(
        interval_ms=interval_ms,
        mtu=mtu,
        minutes=minutes,
        frames=len(frames),
        samples=sum(frame.n for frame in orient),
        missing_frames=sum(b.seq - a.seq - 1 for a, b in itertools.pairwise(frames)),
        missing_samples=sum(b.i0 - a.i0 - a.n for a, b in itertools.pairwise(orient)),
        damaged=host.received.damaged + host.joiner.broken,
        refused=board.radio.refused,
    )


# ---- losses, under CPython ----


class _BootFrames:
    """What a host that never forgets knows of one boot."""

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self.orient: dict[int, tuple[int, int, int]] = {}  # number -> first sample, samples, flags
        self.came, self.gone = SequenceRanges(), SequenceRanges()  # gone: as the board reported
        self._accounted = SequenceRanges()  # came or gone

    @property
    def stored(self) -> int:
        """The number up to which all frames came or are gone, -1 when the first one is missing."""
        settled = self._accounted.settled
        return settled if settled is not None and self._accounted.first == 0 else -1

    def take(self, data: bytes) -> None:
        """Store a frame."""
        frame = Frame(data, open_frame(data))
        self.came.add(frame.seq, frame.seq)
        self._accounted.add(frame.seq, frame.seq)
        if frame.frame_type == wire.ORIENT:
            self.orient[frame.seq] = frame.i0, frame.n, frame.flags

    def lose(self, first: int, last: int) -> None:
        """Note frames that the board no longer has."""
        self.gone.add(first, last)
        self._accounted.add(first, last)

    def contradictions(self) -> int:
        """Count frames that came although they were reported gone."""
        return sum(b - a + 1 for pair in self.gone.pairs for a, b in self.came.within(*pair))

    def unflagged_holes(self) -> int:
        """Count jumps of the sample index between frames in a row that no flag tells of."""
        flagged = wire.FLAG_DISCONTINUITY | wire.FLAG_LOSS_BEFORE
        holes = 0
        for (a, first), (b, second) in itertools.pairwise(sorted(self.orient.items())):
            is_hole = first[0] + first[1] != second[0]
            lost_between = bool(self.came.holes(a + 1, b - 1))
            holes += is_hole and not lost_between and not second[2] & flagged
        return holes


class _BadDay:
    """A board, a host that never forgets, and everything that goes wrong."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        part = Lsm6dsox(seed=1)
        self._motion = NoddingMotion(part)
        self._motion(_AHEAD_S)
        self.board = SimBoard([part], stream=None, auto_ack=False, ring_frames=RING_FRAMES, is_bare=True)
        self.board.link.takes = self._accepts
        self.boot = _BootFrames(self.board.boot_id)
        self.now_s = 0.0
        self.refusing_until_s = 0.0
        self.inside = self.beyond = self.unaccounted = self.holes = self.at_reboot = 0
        self.frames = self.samples = 0
        self.board.start()

    def _accepts(self, _frame: bytes) -> bool:
        return self.now_s >= self.refusing_until_s or self.rng.random() < 0.3

    def run(self, seconds: int) -> None:
        """Let time pass; a host that is there stores and acknowledges once a second."""
        for _ in range(seconds):
            self.now_s += 1.0
            if int(self.now_s) % int(_AHEAD_S / 2) == 0:
                self._motion(self.now_s + _AHEAD_S)
            for frame in self.board.step(self.now_s):
                self.boot.take(frame)
            self._settle()
            if self.board.link.is_connected and self.boot.stored >= 0:
                payload = struct.pack("<HIH", self.boot.boot, self.boot.stored, _CREDITS)
                self.board.command(wire.OP_ACK, payload)

    def _settle(self) -> None:
        """Read what GET said is gone."""
        for reply in self.board.replies:
            _, opcode, _, payload = wire.open_command(reply)
            if opcode == wire.OP_GET_DONE | wire.REPLY and payload[0] == wire.STATUS_OK:
                self._add_gone(payload[1:])
        self.board.replies.clear()

    def _add_gone(self, body: bytes) -> None:
        boot, _, _, n = struct.unpack_from(wire.GET_DONE_BODY, body)
        if boot != self.boot.boot:
            return
        start = struct.calcsize(wire.GET_DONE_BODY)
        for k in range(n):
            first, last = struct.unpack_from("<II", body, start + 8 * k)
            self.boot.lose(first, last)

    def disconnect(self, seconds: int) -> None:
        """Go away for some time, come back, fetch what is missing until all is settled."""
        link = self.board.link
        link.is_connected = False
        self.run(seconds)
        link.drop()
        link.is_connected = True
        waiting = self.board.app.frames.next_seq - 1 - self.boot.stored
        gone_before = self.boot.gone.count
        self.board.start()
        newest = self.board.app.frames.next_seq - 1
        for _ in range(20):
            if self.boot.stored >= newest:
                break
            payload = struct.pack("<HII", self.boot.boot, self.boot.stored + 1, newest)
            self.board.command(wire.OP_GET, payload)
            self.run(8)
        lost = self.boot.gone.count - gone_before
        if waiting <= RING_FRAMES:
            self.inside += lost
        else:
            self.beyond += lost

    def reboot(self) -> None:
        """Cut the power while connected."""
        self.at_reboot += self.board.app.frames.next_seq - 1 - self.boot.stored
        self.finish_boot()
        self.board.restart()
        self.boot = _BootFrames(self.board.boot_id)
        self.board.start()

    def finish_boot(self) -> None:
        """Add what became of this boot to the counts."""
        boot = self.boot
        self.unaccounted += boot.contradictions()
        # The board's own counter may say more: it counts frames that came, but were not acknowledged any more.
        self.unaccounted += max(0, boot.gone.count - self.board.app.frames.main.lost)
        self.holes += boot.unflagged_holes()
        self.frames += boot.came.count
        self.samples += sum(n for _, n, _ in boot.orient.values())


def loss_rows(
    hours: float = 24.0, disconnects: int = 500, reboots: int = 20, seed: int = 1
) -> Iterator[tuple[float, LossRow]]:
    """Yield the state of the day so far after each tenth of the disconnects; the last row is the whole.

    Nine of ten absences are shorter than the ring, one is up to five times as long.
    """
    day = _BadDay(seed)
    rng = random.Random(seed + 1)
    bursts = faults = 0
    reboot_at = {round((k + 0.5) * disconnects / reboots) for k in range(reboots)} if reboots else set()
    for k in range(disconnects):
        left_s = hours * 3600 - day.now_s
        day.run(max(round(rng.uniform(0.5, 1.5) * left_s / (disconnects - k)) - 45, 5))
        if rng.random() < 0.5:
            day.refusing_until_s = day.now_s + rng.uniform(1, 10)
            bursts += 1
        if rng.random() < 0.5:
            faults += 1
            day.board.bus.fail_next = rng.randint(1, 6)
        day.run(12)
        is_long = rng.random() < 0.1
        day.disconnect(rng.randint(60, 300) if is_long else rng.randint(1, 45))
        if k in reboot_at:
            day.reboot()
        if (k + 1) % max(disconnects // 10, 1) == 0 or k + 1 == disconnects:
            if k + 1 == disconnects:
                day.finish_boot()
            yield (k + 1) / disconnects, _loss_row(day, k + 1, bursts, faults, sum(r <= k for r in reboot_at))


def _loss_row(day: _BadDay, disconnects: int, bursts: int, faults: int, reboots: int) -> LossRow:
    return LossRow(
        hours=day.now_s / 3600,
        disconnects=disconnects,
        refusal_bursts=bursts,
        bus_faults=faults,
        reboots=reboots,
        frames=day.frames,
        samples=day.samples,
        inside=day.inside,
        beyond=day.beyond,
        unaccounted=day.unaccounted,
        unflagged_holes=day.holes,
        at_reboot=day.at_reboot,
    )
