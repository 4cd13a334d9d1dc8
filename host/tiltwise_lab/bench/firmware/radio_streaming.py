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

    unaccounted : frames that neither came nor were reported as lost, and reported ones that came
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
                newest = wire.unpack_header(host.received.frames[-1])
                await host.acknowledge(newest[2], newest[3])
    finally:
        host.close()
        await board.close()
    return _radio_row(host, board, interval_ms, mtu, minutes)


def _radio_row(host: RadioHost, board: RadioBoard, interval_ms: float, mtu: int, minutes: float) -> RadioRow:
    headers = [wire.unpack_header(frame) for frame in host.received.frames]
    orient = [header for header in headers if header[0] == wire.ORIENT]
    return RadioRow(
        interval_ms=interval_ms,
        mtu=mtu,
        minutes=minutes,
        frames=len(headers),
        samples=sum(header[6] for header in orient),
        missing_frames=sum(b[3] - a[3] - 1 for a, b in itertools.pairwise(headers)),
        missing_samples=sum(b[4] - a[4] - a[6] for a, b in itertools.pairwise(orient)),
        damaged=host.received.damaged + host.joiner.broken,
        refused=board.radio.refused,
    )


# ---- losses, under CPython ----


class _FrameCounts:
    """What a host that never forgets knows of one boot."""

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self.orient: dict[int, tuple[int, int, int]] = {}  # number -> first sample, samples, flags
        self.came: set[int] = set()
        self.gone: set[int] = set()  # lost, as the board reported
        self.stored = -1  # all up to here came or are gone

    def take(self, frame: bytes) -> None:
        """Store a frame."""
        kind, flags, _, seq, i0, _, n, _, _ = wire.open_frame(frame)
        self.came.add(seq)
        if kind == wire.ORIENT:
            self.orient[seq] = i0, n, flags

    def close_up(self) -> None:
        """Move `stored` on over all that is settled."""
        while self.stored + 1 in self.came or self.stored + 1 in self.gone:
            self.stored += 1

    def unflagged_holes(self) -> int:
        """Count jumps of the sample index between frames in a row that no flag tells of."""
        flagged = wire.FLAG_DISCONTINUITY | wire.FLAG_LOSS_BEFORE
        holes = 0
        for (a, first), (b, second) in itertools.pairwise(sorted(self.orient.items())):
            is_hole = first[0] + first[1] != second[0]
            lost_between = any(seq not in self.came for seq in range(a + 1, b))
            holes += is_hole and not lost_between and not second[2] & flagged
        return holes


class _BadDay:
    """A board, a host that counts frames, and everything that goes wrong."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        part = Lsm6dsox(seed=1)
        self._motion = NoddingMotion(part)
        self._motion(_AHEAD_S)
        self.board = SimBoard([part], stream=None, auto_ack=False, ring_frames=RING_FRAMES, is_bare=True)
        self.board.link.takes = self._accepts
        self.counts = _FrameCounts(self.board.boot_id)
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
                self.counts.take(frame)
            self._settle()
            if self.board.link.is_connected and self.counts.stored >= 0:
                payload = struct.pack("<HIH", self.counts.boot, self.counts.stored, _CREDITS)
                self.board.command(wire.OP_ACK, payload)

    def _settle(self) -> None:
        """Read what GET said is gone."""
        for reply in self.board.replies:
            _, opcode, _, payload = wire.open_command(reply)
            if opcode == wire.OP_GET_DONE | wire.REPLY and payload[0] == wire.STATUS_OK:
                self._add_gone(payload[1:])
        self.board.replies.clear()
        self.counts.close_up()

    def _add_gone(self, body: bytes) -> None:
        boot, _, _, n = struct.unpack_from(wire.GET_DONE_BODY, body)
        if boot != self.counts.boot:
            return
        start = struct.calcsize(wire.GET_DONE_BODY)
        for k in range(n):
            first, last = struct.unpack_from("<II", body, start + 8 * k)
            self.counts.gone.update(range(first, last + 1))

    def disconnect(self, seconds: int) -> None:
        """Go away for some time, come back, fetch what is missing until all is settled."""
        link = self.board.link
        link.is_connected = False
        self.run(seconds)
        link.drop()
        link.is_connected = True
        waiting = self.board.app.frames.next_seq - 1 - self.counts.stored
        gone_before = len(self.counts.gone)
        self.board.start()
        newest = self.board.app.frames.next_seq - 1
        for _ in range(20):
            if self.counts.stored >= newest:
                break
            payload = struct.pack("<HII", self.counts.boot, self.counts.stored + 1, newest)
            self.board.command(wire.OP_GET, payload)
            self.run(8)
        lost = len(self.counts.gone) - gone_before
        if waiting <= RING_FRAMES:
            self.inside += lost
        else:
            self.beyond += lost

    def reboot(self) -> None:
        """Cut the power while connected."""
        self.at_reboot += self.board.app.frames.next_seq - 1 - self.counts.stored
        self.finish_boot()
        self.board.restart()
        self.counts = _FrameCounts(self.board.boot_id)
        self.board.start()

    def finish_boot(self) -> None:
        """Add this boot to the totals of the day."""
        counts = self.counts
        known = set(range(counts.stored + 1))
        self.unaccounted += len(known - counts.came - counts.gone) + len(counts.came & counts.gone)
        # The board's own counter may say more: it counts frames that came, but were not acknowledged any more.
        self.unaccounted += max(0, len(counts.gone) - self.board.app.frames.main.lost)
        self.holes += counts.unflagged_holes()
        self.frames += len(counts.came)
        self.samples += sum(n for _, n, _ in counts.orient.values())


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
