"""The scripts of examples/ run as their heads say, use public names only, and print what is true."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tiltwise
from command import run
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import Mount

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
STORY = "sim:slouch?minutes=3&speed=max"


def printed(name: str, *arguments: str | Path) -> list[str]:
    """Run an example to its end and return its lines."""
    command = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_an_example_is_short_and_uses_public_names_only(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 55
    assert set(re.findall(r"\btw\.(\w+)", text)) <= set(tiltwise.__all__)
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imported for alias in node.names}
    assert not [name for name in names if name.startswith("tiltwise.")]
    assert not [node for node in imported if isinstance(node, ast.ImportFrom)]


def test_every_example_is_run_here() -> None:
    assert [path.name for path in SCRIPTS] == [
        "alerts_of_a_live_sensor.py",
        "angles_of_a_recording.py",
        "count_and_plot.py",
    ]


def test_angles_of_a_recording_tells_the_slump_of_the_story(tmp_path: Path) -> None:
    recording = tmp_path / "slouch.tw"
    made = run(tmp_path / "home", "watch", STORY, "--no-store", "--record", recording)
    assert made.code == 0, made.err
    first, second, *events = printed("angles_of_a_recording.py", recording)
    assert re.fullmatch(r"calibrated, quality \d\d%", first), first
    p10, p50, p90 = (int(value) for value in re.findall(r"-?\d+", second)[3:])
    assert p10 < p50 < p90
    assert 30 <= p90 <= 60  # a deep slump is most of the story's second half
    assert [line for line in events if line.endswith("EpisodeAlert")]


def test_alerts_of_a_live_sensor_come_a_minute_after_the_slump_begins() -> None:
    lines = printed("alerts_of_a_live_sensor.py", STORY)
    assert lines
    for line in lines:
        alert_s, angle_deg, start_s = map(float, re.findall(r"\d+(?:\.\d+)?", line))
        assert alert_s - start_s == pytest.approx(60.0, abs=0.2)  # the rule's default, on a grid of 0.1 s
        assert 20 <= angle_deg <= 60


def test_count_and_plot_counts_what_the_wearer_did(tmp_path: Path) -> None:
    wearer = Wearer("demo", seed=1, minutes=4, mount=Mount.HEAD)
    t_s = np.arange(0, wearer.duration_s, 0.01)
    block = wearer.imu(t_s)
    np.savez(tmp_path / "tilts.npz", t=t_s, acc=block.acc_m_s2, gyr=block.gyr_rad_s)
    lines = printed("count_and_plot.py", tmp_path / "tilts.npz", tmp_path / "tilts.png")
    told = [line.split() for line in lines if "partial" not in line]
    true = [rep for rep in wearer.truth(Mount.HEAD).repetitions if rep.exercise == "side_tilt"]
    assert [words[2] for words in told] == [rep.side.value for rep in true]
    for words, rep in zip(told, true, strict=True):
        assert rep.start_s <= float(words[0]) <= rep.end_s
        assert float(words[3]) == pytest.approx(rep.peak_deg, abs=4)  # deg: skin, and what the neutral is off
    assert (tmp_path / "tilts.png").read_bytes().startswith(b"\x89PNG")
