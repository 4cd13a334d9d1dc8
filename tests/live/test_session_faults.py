"""What the way does to frames: lost, disordered, torn, hours late, of two boots. The store has each good one once."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from decode import frame_builders
from live.feed import STARTED_S, commands, of, stored_seqs
from live.test_live_link import SimCable, gaps, live, made
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.link.transport import CABLE
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import LiveEvents
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.sim.board.usb_cable import stuffed
from tiltwise.store.writer import Store
from tiltwise.types import Mount, SignalGap, Update
from tiltwise_lab.bench.storage.killed_host import frames_of

STEP_S = 0.2  # between frames of ten samples at 50 Hz
WINDOW = 50  # frames that change places among each other


def calibrated(folder: Path, *, fetches: bool = False) -> LiveSession:
    """Return a session that measures from the first sample on and stores into `folder`."""
    upright = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)
    return open_session(
        Worn(mount=Mount.NECK, mounting=upright),
        started_utc_s=STARTED_S,
        device="clip",
        store=Store(folder, min_free_bytes=0),
        fetches=fetches,
    )


def play(session: LiveSession, frames: list[bytes], step_s: float = STEP_S) -> list[LiveEvents]:
    updates = [session.receive(step_s * k, frame) for k, frame in enumerate(frames)]
    updates.append(session.finish())
    assert session.unsaved == ""
    return updates


def stored(folder: Path) -> list[tuple[int, int, float]]:
    """Return (boot, number, UTC s) of all stored frames in order of time."""
    with Store.open_readonly(folder) as reader:
        found = [(f.utc_us / 1e6, unpack_header(f.data)) for f in reader.frames(0, 4e9)]
    return [(head[2], head[3], utc_s) for utc_s, head in found]


def acknowledged(updates: list[LiveEvents]) -> list[int]:
    """Return the numbers up to which the board may forget, as they were sent."""
    sent = [wire.open_command(command) for command in commands(*updates)]
    return [struct.unpack_from("<HI", payload)[1] for _, opcode, _, payload in sent if opcode == wire.OP_ACK]


def assert_time_grows(updates: list[LiveEvents]) -> None:
    t_s = np.concatenate([update.angles.t_s for update in of(Update, updates)])
    assert len(t_s) > 100
    assert np.all(np.diff(t_s) > 0)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_any_share_of_lost_frames_is_fetched_in_the_end(tmp_path: Path, share: float) -> None:
    async def story(cable: SimCable, _: LiveSession) -> None:
        cable.drop = share
        await asyncio.sleep(60)
        cable.drop = 0.0
        await asyncio.sleep(30)

    cable, session = live(story, store=Store(tmp_path, min_free_bytes=0))
    assert stored_seqs(tmp_path) >= set(range(made(cable) - 15)), "the last ones may still be on their way"
    assert not [gap for gap in gaps(tmp_path) if gap[2] in ("lost", "overflow")], "late gaps are closed"
    assert session.decoder.stats.missing_frames >= share * 200, "the faults were there: 5 frames a second"


def test_a_cable_that_is_pulled_in_mid_frame_tears_no_frame_and_loses_none(tmp_path: Path) -> None:
    async def story(cable: SimCable, _: LiveSession) -> None:
        for k in range(12):
            await asyncio.sleep(3)
            torn = stuffed(at_device_s(1_000_000 + k, 1e5))
            cut = cable.rng.randrange(1, len(torn))
            assert cable.connection is not None
            cable.connection.came.put_nowait((CABLE, torn[:cut]))
            cable.unplug()
            await asyncio.sleep(1)
            cable.is_plugged = True
            while cable.connection is None:
                await asyncio.sleep(0.1)
            cable.connection.came.put_nowait((CABLE, torn[cut:]))  # what stood in the system's buffer
        await asyncio.sleep(30)

    cable, session = live(story, store=Store(tmp_path, min_free_bytes=0))
    seqs = stored_seqs(tmp_path)
    assert seqs >= set(range(made(cable) - 15))
    assert max(seqs) < 1_000_000
    assert session.unsaved == ""


@pytest.mark.parametrize("seed", range(3))
def test_frames_that_change_places_among_fifty_are_stored_once_each(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    frames = frames_of(1, 90.0)
    shuffled = frames[:1]
    for first in range(1, len(frames), WINDOW):
        group = frames[first : first + WINDOW]
        rng.shuffle(group)
        shuffled += group
    session = calibrated(tmp_path)
    updates = play(session, shuffled)
    assert sorted(seq for _, seq, _ in stored(tmp_path)) == list(range(len(frames)))
    assert_time_grows(updates)
    assert acknowledged(updates)[-1] > len(frames) - 2 * WINDOW, "what is whole up to there is acknowledged"


@pytest.mark.parametrize("fetches", [False, True], ids=["plain", "fetching"])
def test_cut_lengthened_and_empty_frames_are_counted_and_never_stored(tmp_path: Path, fetches: bool) -> None:
    frames = frames_of(1, 10.0)
    victim = frames[20]
    torn = [victim[:n] for n in range(len(victim))]
    torn += [victim + bytes(n) for n in (1, 2, 10, 500, 60_000)] + [victim + victim]
    session = calibrated(tmp_path, fetches=fetches)
    play(session, [*frames[:20], *torn, *frames[21:]], 0.01)
    assert sum(session.decoder.stats.bad.values()) == len(torn)
    assert sorted(seq for _, seq, _ in stored(tmp_path)) == [k for k in range(len(frames)) if k != 20]


def answers() -> list[bytes]:
    """Return answers with bodies of every length and any content, of every command."""
    rng = random.Random(1)
    opcodes = sorted(value for name, value in vars(wire).items() if name.startswith("OP_"))
    bodies = [rng.randbytes(n) for n in range(40)] + [bytes(n) for n in range(40)]
    return [
        bytes(wire.pack_command(0x20, op | wire.REPLY, 0, b"\0" + body)) for op in opcodes for body in bodies
    ]


def test_answers_of_any_length_and_content_end_no_session(tmp_path: Path) -> None:
    session = calibrated(tmp_path, fetches=True)
    play(session, [*frames_of(1, 2.0), *answers()], 0.01)


def at_device_s(seq: int, t_s: float, flags: int = 0) -> bytes:
    """Return a frame of a still sensor that was sampled at a device time."""
    counts = [[0, 0, 0, 0, 0, 8192]] * 10
    return frame_builders.raw_frame(seq, round(t_s * 50), round(t_s / wire.TICK_S), counts, flags=flags)


def test_frames_that_come_three_hours_late_stand_at_their_own_time(tmp_path: Path) -> None:
    later_s = 3 * 3600.0
    first = [(STEP_S * k, at_device_s(1 + k, STEP_S * k)) for k in range(300)]
    then = [(later_s + STEP_S * k, at_device_s(601 + k, later_s + STEP_S * k)) for k in range(300)]
    late = [
        (later_s + 30 + 0.01 * k, at_device_s(301 + k, 60 + STEP_S * k, wire.FLAG_BACKFILL))
        for k in range(300)
    ]
    session = calibrated(tmp_path, fetches=True)
    session.receive(0.0, frame_builders.info_frame())
    updates = [
        session.receive(t_s + STEP_S, frame)
        for t_s, frame in sorted(first + then + late, key=lambda item: item[0])
    ]
    session.finish()
    found = {seq: utc_s - STARTED_S for _, seq, utc_s in stored(tmp_path)}
    assert set(found) == set(range(901))
    for k in range(300):  # a live frame stands where it arrived, one frame after its first sample
        assert found[301 + k] == pytest.approx(60 + STEP_S * k, abs=0.5)
    assert_time_grows(updates)


def test_two_boots_whose_frames_alternate_are_both_stored_and_time_grows(tmp_path: Path) -> None:
    both = [frame for pair in zip(frames_of(1, 30.0), frames_of(2, 30.0), strict=True) for frame in pair]
    session = calibrated(tmp_path)
    updates = play(session, both, STEP_S / 2)
    n = len(both) // 2
    assert sorted((boot, seq) for boot, seq, _ in stored(tmp_path)) == [
        (boot, seq) for boot in (1, 2) for seq in range(n)
    ]
    assert_time_grows(updates)


def test_numbers_that_pass_the_end_of_32_bits_lose_nothing(tmp_path: Path) -> None:
    first_seq = (1 << 32) - 31
    frames = frame_builders.stream(100, first_seq=first_seq, t0=(1 << 32) - 50_000)
    session = calibrated(tmp_path)
    updates = play(session, frames)
    assert {seq for _, seq, _ in stored(tmp_path)} == {
        (first_seq + k) % (1 << 32) for k in range(len(frames))
    }
    assert_time_grows(updates)
    assert not of(SignalGap, updates)


def test_the_last_numbers_of_32_bits_are_acknowledged(tmp_path: Path) -> None:
    frames = frame_builders.stream(100, first_seq=(1 << 32) - 112)
    updates = play(calibrated(tmp_path), frames)
    newest = unpack_header(frames[-1])[3]
    assert newest == wire.NOTHING_STORED - 1
    assert acknowledged(updates)[-1] >= newest - 5


@pytest.mark.parametrize(
    ("jump", "clock_s"),
    [(1000, 20.0), (1000, 0.0), (1 << 31, 0.0), (-500, 0.0), (0, 20.0)],
    ids=["both", "index", "far", "back", "clock"],
)
def test_a_jump_of_the_sample_index_is_as_long_as_the_clock_says(
    tmp_path: Path, jump: int, clock_s: float
) -> None:
    def frame(k: int) -> bytes:
        i0 = (10 * k + (jump if k >= 50 else 0)) % (1 << 32)
        ticks = 2000 * k + (round(clock_s / wire.TICK_S) if k >= 50 else 0)
        return frame_builders.raw_frame(1 + k, i0, ticks, [[0, 0, 0, 0, 0, 8192]] * 10)

    updates = play(calibrated(tmp_path), [frame_builders.info_frame(), *(frame(k) for k in range(100))])
    told = of(SignalGap, updates)
    assert [gap.end_s - gap.start_s for gap in told] == ([pytest.approx(20.0, abs=0.1)] if clock_s else [])
    assert_time_grows(updates)
    with Store.open_readonly(tmp_path) as reader:
        (day,) = reader.days()
        assert sum(m.covered_s for m in reader.day(day).minutes) == pytest.approx(20.0, abs=1.0)
