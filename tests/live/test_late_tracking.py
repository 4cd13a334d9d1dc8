"""What was fetched late is in the day as if it had come in time, and a rebuilt day is the same day."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from live.feed import STARTED_S
from live.test_live_link import DemoTally, SimCable, gaps, live
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.config.settings import Settings
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.store.stored_samples import StoredDay
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, EpisodeEnded, Mount
from tiltwise_lab.radio.virtual_time import run_virtually

LASTS_S = 340.0
# Where the simulated wearer's sensor has its up: leans of sitting, not of lying.
UP = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)


def day_in(folder: Path) -> StoredDay:
    with Store.open_readonly(folder) as reader:
        (day,) = reader.days()
        return reader.day(day)


def total(minutes: list[Aggregate]) -> tuple[float, np.ndarray]:
    """Return covered seconds, and seconds by degree of inclination."""
    return sum(m.covered_s for m in minutes), sum((m.flexion_s.sum(axis=0) for m in minutes), np.zeros(1))


def told(story_outages: list[tuple[float, float]]) -> DemoTally:
    async def story(cable: SimCable, _: LiveSession) -> None:
        for start_s, end_s in story_outages:
            await asyncio.sleep(start_s - asyncio.get_running_loop().time())
            cable.unplug()
            await asyncio.sleep(end_s - start_s)
            cable.is_plugged = True
        await asyncio.sleep(LASTS_S - asyncio.get_running_loop().time())

    return story


def lived(
    folder: Path, outages: list[tuple[float, float]], recorder: RecordingWriter | None = None
) -> StoredDay:
    live(told(outages), store=Store(folder, min_free_bytes=0), recorder=recorder, mounting=UP)
    return day_in(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StoredDay:
    """The day without an outage."""
    return lived(tmp_path_factory.mktemp("whole"), [])


@pytest.fixture(scope="module")
def overflowed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a day with an outage beyond the ring, and its recording. Read only."""
    header = recording_header(
        started=datetime.fromtimestamp(STARTED_S, UTC), address="serial:", device="x", zone="UTC",
        mount=Mount.NECK, mounting=UP, rule=Settings().rule,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("overflowed")
    lived(folder / "day", [(60.0, 250.0)], RecordingWriter(folder / "a.tw", header, start_s=0.0))
    return folder / "day", folder / "a.tw"


def test_a_day_with_outages_is_the_day_without(tmp_path: Path, whole: StoredDay) -> None:
    holed = lived(tmp_path, [(60.0, 105.0), (230.0, 231.0), (260.0, 280.0)])
    covered_s, by_degree = total(holed.minutes)
    whole_s, whole_by_degree = total(whole.minutes)
    assert covered_s == pytest.approx(
        whole_s, abs=3
    )  # s, of 66 s that came late; a few frames at the very end
    assert np.abs(by_degree - whole_by_degree).sum() < 0.03 * LASTS_S
    assert len(holed.minutes) > len(whole.minutes), "the late minutes stand beside the live ones"
    assert not holed.gaps


def test_where_samples_are_gone_the_boards_summaries_stand_for_them(
    whole: StoredDay, overflowed: tuple[Path, Path]
) -> None:
    holed = day_in(overflowed[0])
    ((start_s, end_s, _),) = gaps(overflowed[0])
    assert end_s - start_s > 80, "what the ring of two minutes cannot hold"
    covered_s, by_degree = total(holed.minutes)
    whole_s, whole_by_degree = total(whole.minutes)
    assert covered_s == pytest.approx(whole_s, abs=15)  # two edges of ten seconds
    assert mean_deg(by_degree) == pytest.approx(mean_deg(whole_by_degree), abs=1.5)
    assert (holed.gaps[0].start_s, holed.gaps[0].end_s) == (start_s, end_s), "what is gone is still shown"


def mean_deg(by_degree: np.ndarray) -> float:
    centres = agg.FLEXION_CENTRES_DEG
    return float((by_degree * centres).sum() / by_degree.sum())


def test_nobody_is_told_of_an_alert_that_nobody_was_given(tmp_path: Path) -> None:
    holed = lived(tmp_path, [(60.0, 170.0)])
    alerts = [e.t_s - STARTED_S for e in holed.events if isinstance(e, EpisodeAlert)]
    assert not [t_s for t_s in alerts if 62 < t_s < 170]
    ended = [e for e in holed.events if isinstance(e, EpisodeEnded)]
    assert all(e.start_s < e.end_s for e in ended)


def test_what_is_rebuilt_from_the_recording_is_the_same_day(
    tmp_path: Path, overflowed: tuple[Path, Path]
) -> None:
    folder, path = overflowed
    before, lost = day_in(folder), gaps(folder)
    assert {reason for *_, reason in lost} == {"overflow"}, "190 s are more than the ring holds"
    rebuild(tmp_path / "again", [path], now_s=STARTED_S + 1000)
    again = day_in(tmp_path / "again")
    assert gaps(tmp_path / "again") == lost
    assert [m.start_s for m in again.minutes] == [m.start_s for m in before.minutes]
    for one, other in zip(again.minutes, before.minutes, strict=True):
        np.testing.assert_array_equal(one.flexion_s, other.flexion_s)
    assert again.events == before.events
    with Store.open_readonly(folder) as a, Store.open_readonly(tmp_path / "again") as b:
        assert b.devices() == a.devices()
        assert b.devices()[-1].startswith("board-")


def test_a_board_that_starts_anew_has_the_right_time_at_once(tmp_path: Path) -> None:
    async def story(cable: SimCable, _: LiveSession) -> None:
        await asyncio.sleep(100)
        cable.unplug()
        cable.simulation.board.restart()
        await asyncio.sleep(40)
        cable.is_plugged = True
        await asyncio.sleep(60)

    _, session = live(story, store=Store(tmp_path, min_free_bytes=0), mounting=UP)
    with Store.open_readonly(tmp_path) as reader:
        frames = [f for f in reader.frames(0, 4e9) if f.data[0] & 15 == wire.ORIENT]
    boots = sorted({unpack_header(f.data)[2] for f in frames})
    assert len(boots) == 2
    zeros = {
        boot: [
            f.utc_us / 1e6 - STARTED_S - unpack_header(f.data)[5] * wire.TICK_S
            for f in frames
            if unpack_header(f.data)[2] == boot
        ]
        for boot in boots
    }
    assert np.median(zeros[boots[0]]) == pytest.approx(0, abs=0.15)  # steps of 0.1 s here
    assert np.median(zeros[boots[1]]) == pytest.approx(100, abs=0.35)  # the board needs a moment to start
    for boot in boots:
        assert max(zeros[boot]) - min(zeros[boot]) < 0.3
    assert session.utc_s(session._time.newest_s) - STARTED_S == pytest.approx(200, abs=0.5)
    assert [reason for *_, reason in gaps(tmp_path) if reason == "lost"] == []


def test_what_was_lost_while_no_program_ran_is_a_gap_too(tmp_path: Path) -> None:
    """The board outlives two runs of the program; between them its ring overflows."""

    async def main() -> tuple[SimCable, float, float]:
        loop = asyncio.get_running_loop()
        cable = SimCable(3)

        async def pump() -> None:
            while True:
                await asyncio.sleep(0.1)
                cable.step(loop.time())

        async def run(seconds: float) -> None:
            session = open_session(
                Worn(mount=Mount.NECK, mounting=UP),
                started_utc_s=STARTED_S + loop.time(),
                device="x",
                store=Store(tmp_path, min_free_bytes=0),
                fetches=True,
            )
            task = loop.create_task(
                run_live(Supervisor(cable, (), clock=loop.time), session, lambda *_: None)
            )
            await asyncio.sleep(seconds)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        pumping = loop.create_task(pump())
        await run(90.0)
        stopped_s = loop.time()
        await asyncio.sleep(200)
        back_s = loop.time()
        await run(90.0)
        pumping.cancel()
        return cable, stopped_s, back_s

    cable, stopped_s, back_s = run_virtually(main())
    ring = cable.simulation.board.app.frames.main
    assert ring.lost > 100
    ((start_s, end_s, reason),) = gaps(tmp_path)
    assert reason == "overflow"
    assert start_s - STARTED_S == pytest.approx(stopped_s, abs=1.0)  # what was on its way then is lost too
    with Store.open_readonly(tmp_path) as reader:
        heads = sorted(unpack_header(f.data) for f in reader.frames(0, 4e9) if f.data[0] & 15 == wire.ORIENT)
    before, after = max(itertools.pairwise(sorted(h[5] for h in heads)), key=lambda pair: pair[1] - pair[0])
    assert end_s - start_s == pytest.approx((after - before) * wire.TICK_S - 0.2, abs=0.3)
    covered_s, _ = total(day_in(tmp_path).minutes)
    assert covered_s == pytest.approx(back_s + 90, abs=15)  # the board's summaries say ten seconds each
