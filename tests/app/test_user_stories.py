"""Stories of people with one board, told through the commands that they type; the firmware is the real one."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from app.virtual_board import ADDRESS, VirtualBoard
from command import Command, Result
from live.slumping_wearer import SlumpingSimulation
from tiltwise.store.reader import StoreReader
from tiltwise.types import EpisodeAlert

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


def adds_up(of: VirtualBoard, *person: str) -> None:
    checked = of("data", "--check", *person)
    assert checked.code == 0, checked.out


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
    assert [row["person"] for row in rows if row["is_calibrated"]] == ["bo"]


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
