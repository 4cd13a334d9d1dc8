"""`tiltwise count`: what is counted, and what a sensor in that place cannot see is said instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command import Command, assert_one_line
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.types import Mount


def test_the_tilts_of_the_demo_are_counted(tiltwise: Command, demo_folder: Path) -> None:
    said = json.loads(tiltwise("count", demo_folder / "demo.tw", "--exercise", "side_tilt", "--json").out)
    assert said["reps"] == {"total": 10, "left": 5, "right": 5}
    peaks = [rep["peak_s"] for rep in said["list"]]
    assert peaks == sorted(peaks)
    assert all(rep["start_s"] < rep["peak_s"] < rep["end_s"] for rep in said["list"])
    assert any("guided calibration" in note for note in said["notes"])


@pytest.mark.parametrize("mount", list(Mount))
def test_what_cannot_be_counted_there_is_said(tiltwise: Command, demo_folder: Path, mount: Mount) -> None:
    unseen = [e.id for e in EXERCISES.values() if not e.is_counted(mount)]
    assert unseen, "every mount has its blind spots"
    for name in unseen[:3]:
        result = tiltwise("count", demo_folder / "demo.tw", "--exercise", name, "--mount", mount.value)
        assert_one_line(
            result, 1, name, f"cannot be counted by a sensor at {mount.value}", "tiltwise exercises"
        )


def test_names_may_be_written_as_people_write_them(tiltwise: Command, demo_folder: Path) -> None:
    for name in ("side tilt", "SIDE-TILT"):
        assert tiltwise("count", demo_folder / "demo.tw", "--exercise", name).code == 0


def test_without_nods_left_and_right_are_said_to_be_unknown(tiltwise: Command, leant: Path) -> None:
    result = tiltwise("count", leant, "--exercise", "side_tilt", "--json")
    assert result.code == 0
    assert any("left and right cannot be told" in note for note in json.loads(result.out)["notes"])


def test_the_catalogue_lists_every_exercise(tiltwise: Command) -> None:
    for mount in Mount:
        listed = tiltwise("exercises", "--mount", mount.value).out
        for name in EXERCISES:
            assert name in listed
