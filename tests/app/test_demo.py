"""`tiltwise demo`: every wearer calibrates, is alerted, corrects and exercises, and all is there afterwards."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from command import Command, assert_one_line
from tiltwise.app.demo import DemoOptions, demo_settings, run_demo
from tiltwise.config.settings import Settings
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, Mount

# With the one of demo_folder: all mounts, the shortest story and long ones, several people. The long ones have a
# telephone on the shoulder and turns of the head, which are no side tilts; the last begins to tilt while it still
# looks like walking.
STORIES = [
    (Mount.HEAD, 4, 2),
    (Mount.COLLAR, 4, 3),
    (Mount.NECK, 12, 1),
    (Mount.HEAD, 12, 15),
]


def true_tilts(mount: Mount, minutes: float, seed: int) -> dict[str, int]:
    """Return how many side tilts to each side the wearer really makes."""
    made = Simulation("demo", seed=seed, minutes=minutes, mount=mount).truth.repetitions
    return {
        side: sum(r.exercise == "side_tilt" and r.side == side for r in made) for side in ("left", "right")
    }


def counted(said: str) -> dict[str, int]:
    """Return the side tilts that the demo says it counted."""
    found = re.search(r"side tilts: (\d+) left, (\d+) right", said)
    assert found, said
    return {"left": int(found[1]), "right": int(found[2])}


@pytest.mark.parametrize(("mount", "minutes", "seed"), STORIES)
def test_every_story_calibrates_alerts_and_counts(
    tmp_path: Path, mount: Mount, minutes: int, seed: int
) -> None:
    console = Console(file=io.StringIO(), width=80, markup=False)
    out = tmp_path / "out"
    run_demo(
        DemoOptions(
            settings=demo_settings(Settings()), minutes=minutes, seed=seed, speed=0, out=out, mount=mount
        ),
        console,
    )
    assert isinstance(console.file, io.StringIO)
    assert_story(console.file.getvalue(), out, mount, minutes, seed)


def test_the_default_story_calibrates_alerts_and_counts(demo_folder: Path) -> None:
    said = (demo_folder.parent / "said.txt").read_text(encoding="utf-8")
    assert_story(said, demo_folder, Mount.NECK, 4, DemoOptions(settings=Settings()).seed)


def assert_story(said: str, out: Path, mount: Mount, minutes: int, seed: int) -> None:
    assert "calibrated (quality" in said
    assert "ALERT after 1 min 0 s" in said
    assert "corrected after" in said
    assert "the sensor buzzed" in said
    assert "1 alert, 1 corrected" in said
    assert " 0 missing" in said
    assert max(map(len, said.splitlines())) <= 80 or str(out) in said
    if mount is not Mount.COLLAR:  # which cannot see the head
        assert counted(said) == true_tilts(mount, minutes, seed)
    assert (out / "day.png").read_bytes().startswith(b"\x89PNG")
    with Store.open_readonly(out) as reader:
        (day,) = reader.days()
        events = reader.day(day).events
    assert sum(isinstance(event, EpisodeAlert) for event in events) == 1


def test_the_recording_analysed_gives_the_same_alert(tiltwise: Command, demo_folder: Path) -> None:
    said = (demo_folder.parent / "said.txt").read_text(encoding="utf-8")
    minutes, seconds = re.search(r"(\d+):(\d\d)  ALERT", said).groups()  # type: ignore[union-attr]
    result = json.loads(tiltwise("analyze", demo_folder / "demo.tw", "--json", "--rule", "20:60").out)
    (episode,) = result["episodes"]
    # The demo tells received time in whole seconds, the file's own time begins with its first sample.
    assert episode["alert_s"] == pytest.approx(int(minutes) * 60 + int(seconds), abs=1.5)
    assert result["mount"] == "neck"


def test_it_refuses_a_folder_with_something_in_it(tiltwise: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear", encoding="utf-8")
    assert_one_line(tiltwise("demo", "--out", tmp_path / "mine"), 1, "not an empty folder", "--out")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["diary.txt"]


def test_it_refuses_a_folder_under_a_file(tiltwise: Command, leant: Path) -> None:
    assert_one_line(tiltwise("demo", "--out", leant / "under"), 1, str(leant))


def test_it_says_what_to_do_next(demo_folder: Path) -> None:
    said = (demo_folder.parent / "said.txt").read_text(encoding="utf-8")
    for words in ("day plot", "database", "recording", "tiltwise day --data", "tiltwise analyze"):
        assert words in said
