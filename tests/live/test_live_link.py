"""From the real firmware over a breaking cable to the store: nothing lost within the ring, beyond it told exactly."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from decode import frame_builders
from live.feed import STARTED_S, stored_seqs
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.sim.board import usb_cable as cable_module
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Committed, Store, StoreError
from tiltwise.types import Mount
from tiltwise_lab.radio.virtual_time import run_virtually

STEP_S = 0.1


class SimCable(cable_module.SimCable):
    """A cable to a board that somebody at a desk wears for half an hour."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(Simulation("desk", seed=seed, minutes=30, auto_ack=False, stream=None), seed=seed)


DemoTally = Callable[[SimCable, LiveSession], Coroutine[Any, Any, None]]


def live(
    story: DemoTally,
    *,
    store: Store | None = None,
    recorder: RecordingWriter | None = None,
    seed: int = 1,
    mounting: Mounting | None = None,
) -> tuple[SimCable, LiveSession]:
    """Run firmware, link, session and store beside a story, in virtual time."""

    async def main() -> tuple[SimCable, LiveSession]:
        cable = SimCable(seed)
        loop = asyncio.get_running_loop()
        session = open_session(
            Worn(mount=Mount.NECK, mounting=mounting),
            started_utc_s=STARTED_S,
            device="x",
            store=store,
            recorder=recorder,
            fetches=True,
        )

        async def pump() -> None:
            while True:
                await asyncio.sleep(STEP_S)
                cable.step(loop.time())

        source = Supervisor(cable, (), clock=loop.time)
        tasks = [loop.create_task(pump()), loop.create_task(run_live(source, session, lambda *_: None))]
        await story(cable, session)
        assert not tasks[1].done(), tasks[1]
        for task in reversed(tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return cable, session

    return run_virtually(main())


def gaps(folder: Path) -> list[tuple[float, float, str]]:
    with Store.open_readonly(folder) as reader:
        rows = reader._core.execute("SELECT start_us, end_us, reason FROM gap ORDER BY start_us").fetchall()
    return [(a / 1e6, b / 1e6, str(reason)) for a, b, reason in rows]


def made(cable: SimCable) -> int:
    return int(cable.simulation.board.app.frames.next_seq)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_disconnects_lose_nothing_within_the_ring(tmp_path: Path, seed: int) -> None:
    async def story(cable: SimCable, _: LiveSession) -> None:
        cable.drop, cable.double = 0.03, 0.05
        for _k in range(8):
            await asyncio.sleep(cable.rng.uniform(1, 12))
            cable.unplug()
            await asyncio.sleep(cable.rng.uniform(0.1, 20))
            cable.is_plugged = True
        cable.drop = 0
        await asyncio.sleep(40)

    cable, session = live(story, store=Store(tmp_path, min_free_bytes=0), seed=seed)
    stored = stored_seqs(tmp_path)
    assert cable.simulation.board.app.frames.main.lost == 0
    assert stored >= set(range(made(cable) - 15)), "the last ones may still be on their way"
    assert not [gap for gap in gaps(tmp_path) if gap[2] in ("lost", "overflow")], "late gaps are closed"
    assert session.decoder.stats.samples > 0


def test_an_outage_beyond_the_ring_is_a_gap_of_what_was_lost_and_no_more(tmp_path: Path) -> None:
    async def story(cable: SimCable, _: LiveSession) -> None:
        await asyncio.sleep(20)
        cable.unplug()
        await asyncio.sleep(150)
        cable.is_plugged = True
        await asyncio.sleep(60)

    cable, _ = live(story, store=Store(tmp_path, min_free_bytes=0))
    lost = set(range(made(cable) - 15)) - stored_seqs(tmp_path)
    ring = cable.simulation.board.app.frames.main
    # What the ring dropped had in part arrived, less than two seconds of it, and only waited for its ACK.
    assert ring.lost - 10 <= len(lost) <= ring.lost
    assert len(lost) > 100
    rows = gaps(tmp_path)
    assert {reason for *_, reason in rows} == {"calibrating", "overflow"}
    with Store.open_readonly(tmp_path) as reader:
        frames = sorted((unpack_header(f.data)[3], f) for f in reader.frames(0, 4e9))
    heads = [unpack_header(f.data) for _, f in frames if f.data[0] & 15 == wire.ORIENT]
    missing = sum(b[4] - a[4] - a[6] for a, b in itertools.pairwise(heads))
    # While the first neutral is taken every frame arrives; that gap is one of judging, not of samples.
    seconds = sum(end - start for start, end, reason in rows if reason == "overflow")
    # The part's own rate, which is a few per cent off its name; times come from the least delay, 0.1 s a step here.
    rate_hz = (heads[-1][4] - heads[0][4]) / (heads[-1][5] - heads[0][5]) / wire.TICK_S
    assert seconds == pytest.approx(missing / rate_hz, abs=0.15)


def test_a_disk_that_refuses_from_the_first_commit_stops_neither_stream_nor_loses_anything(
    tmp_path: Path,
) -> None:
    class Refusing(Store):
        is_full = True

        def commit(self) -> Committed:
            if self.is_full:
                raise StoreError("cannot use core.db: the disk is full: free some space")
            return super().commit()

    store = Refusing(tmp_path, min_free_bytes=0)

    async def story(_cable: SimCable, session: LiveSession) -> None:
        await asyncio.sleep(50)
        assert session.decoder.stats.frames > 150, "the credits ran out"
        store.is_full = False
        await asyncio.sleep(10)

    cable, _ = live(story, store=store)
    assert stored_seqs(tmp_path) >= set(range(made(cable) - 15))
    assert cable.simulation.board.app.frames.main.used < 50, "acknowledged as soon as it was durable"


def test_without_store_nothing_is_acknowledged_and_the_stream_goes_on() -> None:
    async def story(_cable: SimCable, session: LiveSession) -> None:
        await asyncio.sleep(40)
        assert session.decoder.stats.frames > 120

    cable, _ = live(story)
    assert cable.simulation.board.app.frames.oldest() == 0


def test_without_store_the_recording_is_what_is_durable(tmp_path: Path) -> None:
    path = tmp_path / "a.tw"

    async def story(cable: SimCable, _session: LiveSession) -> None:
        await asyncio.sleep(20)
        cable.unplug()
        await asyncio.sleep(10)
        cable.is_plugged = True
        await asyncio.sleep(20)

    cable, _ = live(story, recorder=RecordingWriter(path, {}))
    recorded = {unpack_header(frame)[3] for frame in read_frames(path).frames}
    oldest = cable.simulation.board.app.frames.oldest()
    assert oldest > 100
    assert recorded >= set(range(oldest)), "freed what is in no file"


def test_backfill_reaches_the_store_at_its_own_time_and_never_the_detectors(tmp_path: Path) -> None:
    async def story(cable: SimCable, session: LiveSession) -> None:
        await asyncio.sleep(15)
        cable.unplug()
        await asyncio.sleep(30)
        cable.is_plugged = True
        await asyncio.sleep(30)
        assert 15 / 75 * 50 * 75 < session.decoder.stats.samples < 50 * 50  # 45 s live of 75 s

    live(story, store=Store(tmp_path, min_free_bytes=0))
    with Store.open_readonly(tmp_path) as reader:
        frames = [f for f in reader.frames(0, 4e9) if f.data[0] & 15 == wire.ORIENT]
    errors = [f.utc_us / 1e6 - STARTED_S - unpack_header(f.data)[5] * wire.TICK_S for f in frames]
    assert (
        max(errors) - min(errors) < 0.5
    )  # live frames carry their time of arrival, up to a frame and a step later


def test_hostile_device_ids_become_plain_names(tmp_path: Path) -> None:
    session = open_session(
        Worn(mount=Mount.NECK),
        started_utc_s=STARTED_S,
        device="x",
        store=Store(tmp_path, min_free_bytes=0),
        fetches=True,
    )
    body = (
        b"\0"
        + struct.pack(wire.HELLO_BODY, 1, 0, 0, 2, 0, 1, 0, 0, 1, 1, 0, 0, b"<b>\x1b[2J")
        + b"../\x1b<b>\0"
    )
    session.receive(0.0, wire.pack_command(0x20, wire.OP_HELLO | wire.REPLY, 0, body))
    session.receive(0.2, frame_builders.info_frame())
    session.finish()
    with Store.open_readonly(tmp_path) as reader:
        assert reader.devices() == ["board-2e2e2f1b3c623e00"]
