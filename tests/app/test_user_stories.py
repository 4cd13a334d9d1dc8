"""Stories of people with one board, told through the commands that they type; the firmware is the real one."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import numpy as np
import pytest

from app.virtual_board import ADDRESS, VirtualBoard
from command import Command, Result
from live.slumping_wearer import SlumpingSimulation
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.reader import StoreReader
from tiltwise.store.stored_samples import StoredDay
from tiltwise.types import EpisodeAlert, EpisodeEnded, Mount

RULE = ("--rule", "20:20")
NODS_S = (6.0, 8.6, 11.2)
posix = pytest.mark.skipif(os.name != "posix", reason="asks at a Unix socket")


def nods(t_s: float, from_s: float = 0.0) -> float:
    """Sitting still for 6 s, then three nods of 25 deg."""
    return 25.0 if any(from_s + at <= t_s < from_s + at + 1.1 for at in NODS_S) else 0.0


def slump(t_s: float, from_s: float, for_s: float) -> float:
    return 40.0 if from_s <= t_s < from_s + for_s else 0.0


def board(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, data: Path, story: object, **more: float
) -> VirtualBoard:
    """A board whose wearer nods first, and then follows a story of angles over time since the start."""
    simulation = SlumpingSimulation(lambda t_s: nods(t_s) + story(t_s))  # type: ignore[operator]
    return VirtualBoard(tiltwise, monkeypatch, data, simulation, **more)


def calibrated(of: VirtualBoard, *person: str) -> None:
    """Type `tiltwise calibrate`; this neck turns about the sensor itself, as if it were in front."""
    made = of("calibrate", ADDRESS, "--in-front", *person)
    assert made.code == 0, (made.out, made.err)
    assert "Calibrated, quality" in made.out


def stopped(result: Result) -> str:
    """Return what a watch said that was ended by Ctrl-C."""
    assert result.code == 130, (result.out, result.err)
    assert "stopped; kept" in result.err
    return result.out


def days_of(folder: Path) -> list[StoredDay]:
    with StoreReader(folder) as reader:
        return [reader.day(day) for day in reader.days()]


def alerts_in(day: StoredDay) -> list[str]:
    return [str(event.kind) for event in day.events if isinstance(event, EpisodeAlert)]


def buzzes(of: VirtualBoard) -> int:
    """How often the motor played an alert: two long pulses."""
    long = [
        b - a for a, b, _ in of.simulation.board.sim_motor.pulses if b - a == pytest.approx(0.3, abs=0.05)
    ]
    return len(long) // 2


def adds_up(of: VirtualBoard, *person: str) -> None:
    checked = of("data", "--check", *person)
    assert checked.code == 0, checked.out


def test_calibrate_refuses_what_is_none_and_tells_the_board_what_is(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def one_nod_then_three(t_s: float) -> float:
        return 25.0 if 6.0 <= t_s < 7.1 else nods(t_s, 40.0) + slump(t_s, 75.0, 100.0) + nods(t_s, 100.0)

    simulation = SlumpingSimulation(one_nod_then_three)
    one = VirtualBoard(tiltwise, monkeypatch, tmp_path, simulation)
    made = one("calibrate", ADDRESS, "--in-front")
    assert made.code == 0, (made.out, made.err)
    assert "Try 2 of 3" in made.out, "one nod is no calibration, and the reason is told"
    (stored,) = tmp_path.glob("profiles/**/*.json")
    before = stored.read_text()
    board_settings = simulation.board.app.settings
    assert any(board_settings.get(f"neutral_{axis}") for axis in "xyz"), "the board has the same neutral"
    assert simulation.board.sim_motor.pulses, "the motor ticks along"
    refused = one("calibrate", ADDRESS, "--in-front")
    assert refused.code == 1, "40 deg differently is another place"
    assert "--anew" in refused.err
    assert stored.read_text() == before


@posix
def test_a_day_with_one_sensor_from_the_slump_to_the_question_why(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[dict[str, object]] = []

    async def story(of: VirtualBoard) -> None:
        await asyncio.sleep(70)
        seen.append((await of.ask({"ask": "status"}))["status"])
        await of.ask({"ask": "snooze", "seconds": 600})
        await asyncio.sleep(60)

    one = board(tiltwise, monkeypatch, tmp_path, lambda t_s: slump(t_s, 40.0, 40.0) + slump(t_s, 100.0, 40.0))
    for name in ("alerts.first_quiet_min", "alerts.min_gap_s", "alerts.escalate_s"):
        assert tiltwise("settings", name, "0").code == 0
    calibrated(one)
    said = stopped(one.watch(story, *RULE))
    assert said.count("ALERT") == 1
    assert buzzes(one) == 1, "the neck feels the first; the second is snoozed"
    assert "thank you" in said
    assert seen[0]["alerts"] == 1
    (day,) = days_of(tmp_path)
    assert alerts_in(day) == ["forward_flexion"] * 2
    summary = day.summary()
    assert (len(summary.alerts_s), summary.alerts_held_back) == (1, 1)
    assert summary.longest_bout_s == pytest.approx(40, abs=2)
    shown = one("day", "--out", tmp_path / "day.png")
    assert shown.code == 0, shown.err
    why = one("why").out
    assert "snooze" in why
    adds_up(one)


def test_with_two_sensors_the_day_is_of_the_neck_and_not_of_the_trunk(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    simulation = Simulation(
        "slouch", two_sensors=True, minutes=5, seed=3, mount=Mount.HEAD, auto_ack=False, stream=None
    )
    one = VirtualBoard(tiltwise, monkeypatch, tmp_path, simulation)
    made = one("calibrate", ADDRESS, "--mount", "head", "--face", "off")
    assert made.code == 0, (made.out, made.err)
    started_s = one.now_s
    stopped(one.watch(lambda _: asyncio.sleep(100), "--mount", "head", *RULE))
    t_s = np.arange(started_s + 1, one.now_s - 1, 0.1)
    head, back = (simulation.wearer.motion(t_s, mount).flexion_deg for mount in (Mount.HEAD, Mount.COLLAR))
    (day,) = days_of(tmp_path)
    summary = day.summary()
    assert summary.upper_back is not None
    for angle_deg, found in ((head - back, summary), (back, summary.upper_back)):
        truth = np.percentile(angle_deg, (10, 50, 90))
        assert found.percentiles_deg == pytest.approx(truth, abs=4)
    assert np.median(head) > summary.percentiles_deg[1] + 8, "the head alone would say something else"
    assert "upper back" in one("day", "--out", tmp_path / "day.png").out
    adds_up(one)


def test_away_without_a_power_cycle_nothing_is_lost(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def story(of: VirtualBoard) -> None:
        await asyncio.sleep(60)
        await of.away(45)
        await asyncio.sleep(60)

    one = board(tiltwise, monkeypatch, tmp_path, lambda t_s: slump(t_s, 80.0, 30.0))
    calibrated(one)
    stopped(one.watch(story, *RULE))
    (day,) = days_of(tmp_path)
    assert [gap.reason for gap in day.gaps] == [], "the board kept the minute, and it was fetched"
    (slumped,) = [event for event in day.events if isinstance(event, EpisodeEnded)]
    assert slumped.end_s - slumped.start_s == pytest.approx(30, abs=2)
    assert slumped.alert_s is not None, "too long by the rule"
    assert alerts_in(day) == [], "and nobody was told at the time"
    assert day.summary().longest_bout_s == pytest.approx(30, abs=2)
    adds_up(one)


def test_away_with_a_power_cycle_the_time_off_is_a_gap(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def story(of: VirtualBoard) -> None:
        await asyncio.sleep(70)
        of.cable.unplug()
        await asyncio.sleep(40)
        await of.power_off(30)
        await asyncio.sleep(40)
        of.cable.is_plugged = True
        await asyncio.sleep(60)

    one = board(tiltwise, monkeypatch, tmp_path, lambda _: 0.0)
    calibrated(one)
    stopped(one.watch(story, *RULE))
    with StoreReader(tmp_path) as reader:
        gaps = {gap.reason for day in reader.days() for gap in reader.day(day).gaps}
    assert "restart" in gaps
    adds_up(one)


@posix
def test_after_a_slip_recalibrate_mends_it_without_a_restart(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def slipped(t_s: float) -> float:
        return (22.0 if t_s > 35 else 0.0) + nods(t_s, 60.0)

    seen: list[dict[str, object]] = []

    async def story(of: VirtualBoard) -> None:
        await asyncio.sleep(40)
        seen.append((await of.ask({"ask": "status"}))["status"])
        assert (await of.ask({"ask": "recalibrate"}))["status"]["is_calibrating"]
        await asyncio.sleep(45)
        seen.append((await of.ask({"ask": "status"}))["status"])

    one = board(tiltwise, monkeypatch, tmp_path, slipped)
    calibrated(one)
    said = stopped(one.watch(story, *RULE, "--in-front", "--record", tmp_path / "a.tw"))
    assert [round(float(status["posture_deg"]), -1) for status in seen] == [20, 0]  # type: ignore[arg-type]
    assert "calibration of me stored" in said
    again = stopped(one.watch(lambda _: asyncio.sleep(10)))
    assert again.count("calibration of me from") == 1
    assert (tmp_path / "a.tw").read_bytes().count(b"{calibration}") == 2, "found at the start, and made anew"


def test_two_people_share_a_board_and_each_has_a_calibration_and_days(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = board(tiltwise, monkeypatch, tmp_path, lambda t_s: nods(t_s, 40.0))
    calibrated(one, "--person", "anna")
    first = stopped(one.watch(lambda _: asyncio.sleep(20), "--person", "anna"))
    assert "calibration of anna from" in first
    second = stopped(one.watch(lambda _: asyncio.sleep(40), "--person", "bo", "--in-front"))
    assert "no calibration of bo for this sensor yet" in second
    assert "calibration of bo stored" in second
    listed = json.loads(one("data", "--persons", "--json").out)
    assert listed == [{"person": p, "days": 1, "is_calibrated": True} for p in ("anna", "bo")]
    erased = one("data", "--erase", "ALL", "--person", "anna", "--yes")
    assert "calibrations" in erased.out
    adds_up(one, "--person", "bo")
    rows = json.loads(one("data", "--persons", "--json").out)
    assert rows == [{"person": "bo", "days": 1, "is_calibrated": True}]


def test_over_midnight_each_day_has_its_part(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tiltwise.app.watch.local_zone_name", lambda: "UTC")
    midnight_s = 1_772_064_000.0
    one = board(
        tiltwise, monkeypatch, tmp_path, lambda t_s: slump(t_s, 100.0, 40.0), started_s=midnight_s - 80
    )
    calibrated(one)
    stopped(one.watch(lambda _: asyncio.sleep(150), *RULE))
    with StoreReader(tmp_path) as reader:
        days = reader.days()
        alerts = [sum(isinstance(e, EpisodeAlert) for e in reader.day(day).events) for day in days]
    assert [str(day) for day in days] == ["2026-02-25", "2026-02-26"]
    assert alerts == [0, 1]
    adds_up(one)


def test_a_recorded_day_with_an_outage_is_rebuilt_as_it_was(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def story(of: VirtualBoard) -> None:
        await asyncio.sleep(40)
        await of.away(30)
        await asyncio.sleep(30)
        await of.power_off(20)
        await asyncio.sleep(40)

    one = board(tiltwise, monkeypatch, tmp_path / "data", lambda t_s: slump(t_s, 70.0, 60.0))
    calibrated(one)
    stopped(one.watch(story, *RULE, "--record", tmp_path / "a.tw"))
    rebuilt = tiltwise("data", "--rebuild", tmp_path / "a.tw", "--data", tmp_path / "again", "--yes")
    assert rebuilt.code == 0, rebuilt.err
    (before,), (after,) = days_of(one.data), days_of(tmp_path / "again")
    assert before.gaps == after.gaps
    assert [gap.reason for gap in after.gaps] == ["restart"]
    assert alerts_in(before) == alerts_in(after) == ["forward_flexion"]
    assert before.summary().longest_bout_s == after.summary().longest_bout_s
    (slumped,), (again,) = (
        [event for event in day.events if isinstance(event, EpisodeEnded)] for day in (before, after)
    )
    assert slumped == again, "the link came back in the middle of it, and it is one posture"
    assert slumped.end_s - slumped.start_s == pytest.approx(45, abs=3), "until the board was switched off"
    assert slumped.alert_s == pytest.approx(slumped.start_s + 20, abs=0.5)
    pairs = zip(before.minutes, after.minutes, strict=True)
    assert all(np.array_equal(a.flexion_s, b.flexion_s) for a, b in pairs)
    shown = [
        tiltwise("day", "--data", of, "--out", tmp_path / "day.png").out
        for of in (one.data, tmp_path / "again")
    ]
    assert shown[0] == shown[1]
