"""Every second of a day is measured, or a gap with its cause, and none is counted twice, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from live.feed import STARTED_S
from live.test_late_tracking import UP
from live.test_live_link import SimCable, gaps
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.report.day_summary import Gap
from tiltwise.report.time_check import Measured, check_time
from tiltwise.store.overview import check_store
from tiltwise.store.writer import Store
from tiltwise.types import Mount, SignalGap
from tiltwise_lab.bench.storage.unexplained_seconds import live_day, residuals_s
from tiltwise_lab.radio.virtual_time import run_virtually


class Life:
    """A board, its cable, and a program that may be stopped and started again on the same store."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self.cable = folder, SimCable(seed)
        self._loop = asyncio.get_running_loop()
        self._pumping = self._loop.create_task(self._pump())
        self._program: asyncio.Task[None] | None = None
        self.seen: list[SignalGap] = []

    async def _pump(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.cable.step(self._loop.time())

    def start(self) -> None:
        session = open_session(
            Worn(mount=Mount.NECK, mounting=UP),
            started_utc_s=STARTED_S + self._loop.time(),
            device="x",
            store=Store(self._folder, min_free_bytes=0),
            fetches=True,
        )
        source = Supervisor(self.cable, (), clock=self._clock_from(self._loop.time()))
        self._program = self._loop.create_task(
            run_live(
                source,
                session,
                lambda _, events: self.seen.extend(e for e in events if isinstance(e, SignalGap)),
            )
        )

    def _clock_from(self, start_s: float):
        return lambda: self._loop.time() - start_s

    async def stop(self) -> None:
        if self._program is not None:
            self._program.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._program
        self._program = None

    async def power_off(self, seconds: float) -> None:
        """Let the board be off; it starts by itself afterwards."""
        board = self.cable.simulation.board
        was_plugged = self.cable.is_plugged
        self.cable.unplug()
        board.is_asleep = True
        await asyncio.sleep(seconds)
        board.restart()
        self.cable.is_plugged = was_plugged

    async def close(self) -> None:
        await self.stop()
        self._pumping.cancel()


def lived(folder: Path, seed: int, story) -> Life:
    async def main() -> Life:
        life = Life(folder, seed)
        life.start()
        await story(life)
        await life.close()
        return life

    return run_virtually(main())


def assert_adds_up(folder: Path) -> None:
    checked = list(check_store(folder))
    assert checked
    for day in checked:
        assert day.result.is_ok, (day, gaps(folder))


def test_a_restart_in_the_middle_of_a_minute_counts_no_second_twice_and_tells_how_long_it_was_off(
    tmp_path: Path,
) -> None:
    async def story(life: Life) -> None:
        await asyncio.sleep(75)
        await life.power_off(200)
        await asyncio.sleep(70)
        await life.power_off(20)
        await asyncio.sleep(60)

    life = lived(tmp_path, 1, story)
    assert_adds_up(tmp_path)
    off = [(end - start, reason) for start, end, reason in gaps(tmp_path) if reason == "restart"]
    assert [seconds for seconds, _ in off] == pytest.approx([200, 20], abs=5)
    shown = [gap.end_s - gap.start_s for gap in life.seen if gap.reason == "restart"]
    assert shown == pytest.approx([200, 20], abs=8), "the wearer is told the same"


def test_away_with_a_power_cycle_every_second_is_data_or_a_gap_with_its_cause(tmp_path: Path) -> None:
    async def story(life: Life) -> None:
        await asyncio.sleep(76)
        life.cable.unplug()
        await asyncio.sleep(200)
        await life.power_off(30)
        await asyncio.sleep(240)
        life.cable.is_plugged = True
        await asyncio.sleep(60)

    lived(tmp_path, 2, story)
    assert_adds_up(tmp_path)
    reasons = [reason for *_, reason in gaps(tmp_path)]
    assert "restart" in reasons
    assert set(reasons) <= {"restart", "overflow"}


def test_between_two_runs_of_the_program_with_the_board_off_there_is_one_gap(tmp_path: Path) -> None:
    async def story(life: Life) -> None:
        await asyncio.sleep(70)
        await life.stop()
        await life.power_off(100)
        life.start()
        await asyncio.sleep(70)

    lived(tmp_path, 3, story)
    assert_adds_up(tmp_path)
    ((start, end, reason),) = gaps(tmp_path)
    assert reason == "restart"
    assert end - start == pytest.approx(100, abs=6)


@pytest.mark.parametrize("seed", range(2))
def test_a_random_day_adds_up(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)

    async def story(life: Life) -> None:
        for _ in range(5):
            await asyncio.sleep(rng.uniform(5, 70))
            match rng.choice(("away", "off", "away and off", "stop")):
                case "away":
                    life.cable.unplug()
                    await asyncio.sleep(rng.uniform(1, 150))
                    life.cable.is_plugged = True
                case "off":
                    await life.power_off(rng.uniform(1, 90))
                case "away and off":
                    life.cable.unplug()
                    await asyncio.sleep(rng.uniform(1, 100))
                    await life.power_off(rng.uniform(1, 60))
                    await asyncio.sleep(rng.uniform(1, 100))
                    life.cable.is_plugged = True
                case "stop":
                    await life.stop()
                    await asyncio.sleep(rng.uniform(1, 90))
                    life.start()
        await asyncio.sleep(45)

    lived(tmp_path, seed + 1, story)
    assert_adds_up(tmp_path)


def test_a_board_that_is_off_before_it_is_calibrated_adds_up(tmp_path: Path) -> None:
    """The time of calibrating is no gap over the time when it was off."""
    _, happened = live_day(tmp_path, 1)
    assert happened.startswith("stopped, off"), "the seed is of the bench: choose another"
    assert_adds_up(tmp_path)
    assert {reason for *_, reason in gaps(tmp_path)} == {"calibrating", "restart"}
    assert max(map(abs, residuals_s(tmp_path))) < 0.5, "s of a minute, without the tolerance of the check"


def test_the_check_finds_what_is_missing_and_what_is_double() -> None:
    whole = [Measured(60.0 * k, 60.0) for k in range(5)]
    assert check_time(whole, []).is_ok
    holed = [*whole[:2], Measured(120.0, 20.0), *whole[3:]]
    assert check_time(holed, []).unexplained_s == 40.0
    assert check_time(holed, [Gap(140.0, 180.0, "overflow")]).is_ok
    assert check_time([*whole, Measured(120.0, 36.0)], []).double_s == 36.0
    assert check_time(whole, [Gap(130.0, 150.0, "restart")]).double_s == 20.0
    assert check_time([*holed, Measured(120.0, 40.0, is_coarse=True)], [Gap(140.0, 180.0, "overflow")]).is_ok
