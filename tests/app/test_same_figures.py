"""The same samples live, shown by `day`, rebuilt, replayed and analysed give the same figures; counts what differs.

`-s` prints how many figures were compared, and how many differ.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from app.test_user_stories import RULE, board, calibrated, nods, posix, slump, stopped
from app.virtual_board import VirtualBoard
from command import Command
from tiltwise.store.reader import StoreReader
from tiltwise.store.stored_samples import StoredDay
from tiltwise.types import EpisodeEnded

Figures = dict[str, tuple[float, ...]]
LIMITS_DEG = (15, 20, 30, 45, 60)
# The clock of the board and that of the computer differ, a store counts in whole degrees and runs in whole seconds.
WITHIN = {"s": 0.5, "percent": 0.3, "deg": 0.5, "spell s": 1.0, "number": 0.0, "episode": 0.05}
EXACTLY = dict.fromkeys(WITHIN, 0.0)
AS_SHOWN = {"s": 0.5, "percent": 0.51, "deg": 0.51, "spell s": 0.51, "number": 0.0}


def of_episodes(episodes: Iterable[tuple[float, float]]) -> tuple[float, ...]:
    return tuple(figure for episode in episodes for figure in episode)


def the_day(folder: Path) -> StoredDay:
    with StoreReader(folder) as reader:
        (day,) = reader.days()
        return reader.day(day)


def of_store(folder: Path) -> Figures:
    """Return what is stored of a day, by unit and name."""
    day = the_day(folder)
    summary = day.summary()
    assert summary.total is not None
    alerted = [e for e in day.events if isinstance(e, EpisodeEnded) and e.alert_s is not None]
    found = {
        "s posture": (summary.posture_s,),
        "s by activity": tuple(summary.total.activity_s),
        "percent beyond": tuple(summary.percent_above_deg[deg] for deg in LIMITS_DEG),
        "deg P10 P50 P90": summary.percentiles_deg,
        "spell s longest": (summary.longest_bout_s,),
        "number alerts": (len(summary.alerts_s), summary.alerts_held_back),
        "number episodes": (len(alerted),),
        "episode lengths and peaks": of_episodes((e.end_s - e.start_s, e.peak_deg) for e in alerted),
    }
    if summary.upper_back is not None:
        found["deg upper back"] = summary.upper_back.percentiles_deg
    return found


def of_analysis(tiltwise: Command, file: Path) -> Figures:
    said = tiltwise("analyze", file, "--json")
    assert said.code == 0, said.err
    out = json.loads(said.out)
    alerted = [e for e in out["episodes"] if e["alert_s"] is not None]

    def three(name: str) -> tuple[float, ...]:
        return tuple(out[name][p] for p in ("p10", "p50", "p90"))

    found = {
        "s posture": (out["figures_of"]["seconds"],),
        "percent beyond": tuple(out["percent_above_deg"][str(deg)] for deg in LIMITS_DEG),
        "deg P10 P50 P90": three(f"{out['percent_above_of']}_deg"),
        "number episodes": (len(alerted),),
        "episode lengths and peaks": of_episodes((e["end_s"] - e["start_s"], e["peak_deg"]) for e in alerted),
    }
    if "upper_back_deg" in out:
        found["deg upper back"] = three("upper_back_deg")
    return found


def of_day(tiltwise: Command, folder: Path) -> Figures:
    """Return what `tiltwise day` prints."""
    said = tiltwise("day", "--data", folder, "--out", folder / "day.png")
    assert said.code == 0, said.err

    def numbers(line: str) -> tuple[float, ...]:
        (found,) = re.findall(
            rf"^{line}  +(.*(?:\n  +.*)*)$", said.out, re.MULTILINE
        )  # long lines are broken
        return tuple(map(float, re.findall(r"-?\d+", found)))

    beyond = numbers("time beyond")
    return {
        "percent beyond": beyond[1::2],
        "deg P10 P50 P90": numbers("angle P10 / P50 / P90"),
        "number alerts given": numbers("alerts")[:1],
        "number episodes": numbers("alerted slumps")[:1],
    }


def differences(ways: dict[str, tuple[Figures, Figures, dict[str, float]]]) -> list[str]:
    """Return what differs between two ways to the same figures, and print how much was compared."""
    found, n = [], 0
    for way, (ours, theirs, within) in ways.items():
        shared = ours.keys() & theirs.keys()
        assert shared, way
        for name in sorted(shared):
            unit = max((unit for unit in within if name.startswith(unit)), key=len)
            n += len(ours[name])
            is_same = len(ours[name]) == len(theirs[name]) and np.allclose(
                ours[name], theirs[name], rtol=0.0, atol=within[unit]
            )
            if not is_same:
                found.append(f"{way}: {name} {ours[name]} {theirs[name]}")
    print(f"{n} figures compared in {len(ways)} ways, {len(found)} differ")
    return found


def compare(tiltwise: Command, live: Path, file: Path) -> Figures:
    """Go all ways from a recording, and fail where one of them says something else than what was stored live."""
    beside = file.parent
    played = tiltwise("watch", f"replay:{file}?speed=0", "--data", beside / "played")
    assert played.code == 0, played.err
    rebuilt = tiltwise("data", "--rebuild", file, "--data", beside / "again", "--yes")
    assert rebuilt.code == 0, rebuilt.err
    stored, shown = of_store(live), of_day(tiltwise, live)
    rounded = stored | {"number alerts given": stored["number alerts"][:1]}
    found = differences(
        {
            "day": (rounded, shown, AS_SHOWN),
            "rebuild": (stored, of_store(beside / "again"), EXACTLY),
            "replay": (stored, of_store(beside / "played"), WITHIN),
            "analyze": (stored, of_analysis(tiltwise, file), WITHIN),
        }
    )
    assert found == []
    return stored


@pytest.mark.parametrize("sensors", [1, 2])
def test_a_wearer_who_calibrates_in_watch(tiltwise: Command, tmp_path: Path, sensors: int) -> None:
    address = f"sim:slouch?sensors={sensors}&minutes=4&speed=0&seed=3"
    file, live = tmp_path / "a.tw", tmp_path / "live"
    watched = tiltwise("watch", address, *RULE, "--data", live, "--record", file)
    assert watched.code == 0, watched.err
    stored = compare(tiltwise, live, file)
    assert stored["number episodes"][0] >= 1
    assert ("deg upper back" in stored) == (sensors == 2)


@posix
def test_a_board_that_is_away_and_off_and_a_wearer_who_calibrates_anew_and_snoozes(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def bends(t_s: float) -> float:
        slipped = 22.0 if t_s > 125 else 0.0
        slumps = sum(slump(t_s, at_s, 30.0) for at_s in (20.0, 90.0, 170.0, 220.0))
        return slipped + slumps + nods(t_s, 148.0)

    async def story(of: VirtualBoard) -> None:
        await asyncio.sleep(40)
        await of.away(30)
        await asyncio.sleep(30)
        await of.power_off(20)
        await asyncio.sleep(10)
        await of.ask({"ask": "recalibrate"})
        await asyncio.sleep(60)
        await of.ask({"ask": "snooze", "seconds": 300})
        await asyncio.sleep(50)

    for name in ("alerts.first_quiet_min", "alerts.min_gap_s", "alerts.escalate_s"):
        assert tiltwise("settings", name, "0").code == 0
    one = board(tiltwise, monkeypatch, tmp_path / "live", bends)
    calibrated(one)
    stopped(one.watch(story, *RULE, "--in-front", "--record", tmp_path / "a.tw"))
    (
        tmp_path / "home" / "settings.toml"
    ).unlink()  # what is replayed and rebuilt is as it was, whatever is set now
    stored = compare(tiltwise, one.data, tmp_path / "a.tw")
    given, held_back = stored["number alerts"]
    assert given >= 2
    assert held_back >= 1, "by the snooze"
