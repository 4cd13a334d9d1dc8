"""People who share a computer: each has calibrations and days of their own, through the commands they type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command import Command
from tiltwise.store.writer import Store

ADDRESS = "sim:slouch?minutes=1.5&speed=0&seed="


@pytest.fixture
def home_of_two(tiltwise: Command, tmp_path: Path) -> Path:
    """A data folder in which Anna and Bo have each been watched once."""
    for person, seed in (("anna", 1), ("bo", 2)):
        result = tiltwise("watch", f"{ADDRESS}{seed}", "--person", person, "--data", tmp_path / "data")
        assert result.code == 0, result.err
        assert f"no calibration of {person}" in result.out
        assert f"calibration of {person} stored" in result.out
    return tmp_path / "data"


def test_the_calibration_that_watch_makes_serves_the_next_watch(tiltwise: Command, home_of_two: Path) -> None:
    again = tiltwise("watch", f"{ADDRESS}1", "--person", "anna", "--data", home_of_two)
    assert "calibration of anna from" in again.out
    assert "calibrating:" not in again.out


def test_each_has_days_of_their_own(tiltwise: Command, home_of_two: Path, tmp_path: Path) -> None:
    listed = json.loads(tiltwise("data", "--persons", "--json", "--data", home_of_two).out)
    assert listed == [{"person": p, "days": 1, "is_calibrated": True} for p in ("anna", "bo")]
    for person in ("anna", "bo"):
        day = tiltwise("day", "--person", person, "--data", home_of_two, "--out", tmp_path / f"{person}.png")
        assert day.code == 0, day.err
    assert tiltwise("day", "--data", home_of_two).code == 1, "nobody in particular was watched"
    assert tiltwise("data", "--check", "--person", "bo", "--data", home_of_two).code == 0


def test_one_is_watched_while_the_other_is(tiltwise: Command, home_of_two: Path) -> None:
    with Store(home_of_two / "people" / "anna", min_free_bytes=0):
        assert tiltwise("watch", f"{ADDRESS}2", "--person", "bo", "--data", home_of_two).code == 0
        refused = tiltwise("watch", f"{ADDRESS}1", "--person", "anna", "--data", home_of_two)
    assert refused.code == 1


def test_erasing_a_person_takes_their_calibration_and_nobody_elses(
    tiltwise: Command, home_of_two: Path
) -> None:
    erased = tiltwise("data", "--erase", "ALL", "--person", "anna", "--yes", "--data", home_of_two)
    assert "the calibrations of 1 sensor too" in erased.out
    listed = json.loads(tiltwise("data", "--persons", "--json", "--data", home_of_two).out)
    assert [row["person"] for row in listed if row["days"] or row["is_calibrated"]] == ["bo"]
    nobody = tiltwise("data", "--erase", "ALL", "--person", "carl", "--yes", "--data", home_of_two)
    assert nobody.code == 1
    assert "nothing is stored of carl" in nobody.err
