"""`tiltwise count`: what is counted, and what a sensor in that place cannot see is said instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from command import Command, assert_one_line
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.offline.count import count
from tiltwise.offline.input_file import ImuInput
from tiltwise.types import FloatArray, Mount
from tiltwise_lab.bench.counting.generated_sets import SetKind, generate_set


def test_the_tilts_of_the_demo_are_counted(tiltwise: Command, demo_folder: Path) -> None:
    said = json.loads(tiltwise("count", demo_folder / "demo.tw", "--exercise", "side_tilt", "--json").out)
    assert said["reps"] == {"total": 10, "left": 5, "right": 5, "one_side": 0, "other_side": 0}
    assert all(0.0 < rep["hold_s"] < 20.0 for rep in said["list"])
    peaks = [rep["peak_s"] for rep in said["list"]]
    assert peaks == sorted(peaks)
    assert all(rep["start_s"] < rep["peak_s"] < rep["end_s"] for rep in said["list"])
    assert "neutral: the calibration stored in the recording" in said["notes"]
    assert not any("damaged" in note for note in said["notes"])  # its calibration is a record of its own


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


def write_head(path: Path, tilt_deg: FloatArray, flexion_deg: FloatArray, rate_hz: float = 50.0) -> Path:
    """Write what a sensor that lies askew on a head reads while it moves so."""
    head = Rotation.from_euler("YX", np.column_stack((flexion_deg, tilt_deg)), degrees=True)
    sensor = head * Rotation.from_rotvec([0.4, -1.1, 0.7])
    gyr = (sensor[:-1].inv() * sensor[1:]).as_rotvec() * rate_hz
    noise = np.random.default_rng(1).normal(0.0, 1.0, (2, len(tilt_deg), 3)) * [[[0.002]], [[0.03]]]
    acc = sensor.inv().apply([0.0, 0.0, 9.81]) + noise[1]
    t_s = np.arange(len(tilt_deg)) / rate_hz
    np.savez(path, t=t_s, gyr=np.vstack((gyr, gyr[-1:])) + noise[0], acc=acc)
    return path


def pulses(
    t_s: FloatArray, peaks_deg: list[float], start_s: float, every_s: float, lasting_s: float
) -> FloatArray:
    x = [(t_s - start_s - k * every_s) / lasting_s for k in range(len(peaks_deg))]
    return np.sum(
        [p * np.sin(np.pi * np.clip(share, 0.0, 1.0)) ** 2 for p, share in zip(peaks_deg, x, strict=True)],
        axis=0,
    )


def counted(tiltwise: Command, path: Path, exercise: str, mount: str = "head") -> dict[str, Any]:
    result = tiltwise("count", path, "--exercise", exercise, "--mount", mount, "--json")
    assert result.code == 0, result
    said: dict[str, Any] = json.loads(result.out)
    return said


def test_brisk_tilts_without_a_still_second_are_counted_and_none_is_dropped(
    tiltwise: Command, tmp_path: Path
) -> None:
    t_s = np.arange(0.0, 28.0, 0.02)
    sway = 2.0 * np.sin(2 * np.pi * t_s / 2.7)
    path = write_head(tmp_path / "brisk.npz", pulses(t_s, [38.0, -36.0] * 10, 5.0, 0.92, 0.9) + sway, sway)
    said = counted(tiltwise, path, "side_tilt")
    assert said["reps"] == {"total": 20, "left": 0, "right": 0, "one_side": 10, "other_side": 10}
    sides = [rep["side"] for rep in said["list"]]
    assert sides == ["one side", "other side"] * 10, "in turn; which is which, nobody showed"
    assert all("neutral" not in note for note in said["notes"])


@pytest.mark.parametrize("pause_s", [3.0, 8.0])
@pytest.mark.parametrize(("exercise", "n"), [("clasped_nod", 5), ("side_tilt", 6)])
def test_the_nods_of_a_calibration_are_no_repetitions_and_tell_the_sides(
    tiltwise: Command, tmp_path: Path, exercise: str, n: int, pause_s: float
) -> None:
    t_s = np.arange(0.0, 50.0, 0.02)
    nods = pulses(t_s, [35.0] * 3, 5.0, 2.2, 2.0)
    start_s = 11.6 + pause_s
    set_ = pulses(t_s, [30.0, -30.0] * 3, start_s, 4.0, 3.0)
    still = np.zeros(len(t_s))
    if exercise == "side_tilt":
        path = write_head(tmp_path / "set.npz", set_, nods)
    else:
        path = write_head(tmp_path / "set.npz", still, nods + pulses(t_s, [30.0] * n, start_s, 4.0, 3.0))
    said = counted(tiltwise, path, exercise)
    reps = said["reps"]
    assert isinstance(reps, dict)
    assert reps["total"] == n
    if exercise == "side_tilt":
        assert (reps["left"], reps["right"]) == (3, 3)
        assert [rep["side"] for rep in said["list"]] == ["right", "left"] * 3  # type: ignore[attr-defined]


def test_nods_after_a_rest_are_no_calibration_when_they_go_on(tiltwise: Command, tmp_path: Path) -> None:
    t_s = np.arange(0.0, 36.0, 0.02)
    path = write_head(tmp_path / "nods.npz", np.zeros(len(t_s)), pulses(t_s, [35.0] * 10, 5.0, 2.8, 2.2))
    assert counted(tiltwise, path, "clasped_nod")["reps"]["total"] == 10  # type: ignore[index]


def test_nods_of_the_exercise_itself_are_told_from_those_of_a_calibration_by_pace_and_pauses(
    tiltwise: Command, tmp_path: Path
) -> None:
    t_s = np.arange(0.0, 60.0, 0.02)
    still = np.zeros(len(t_s))
    calibration = pulses(t_s, [35.0] * 3, 5.0, 2.2, 2.0)
    brisk = write_head(tmp_path / "brisk.npz", still, calibration + pulses(t_s, [30.0] * 9, 17.0, 1.0, 0.6))
    assert counted(tiltwise, brisk, "clasped_nod")["reps"]["total"] == 9  # type: ignore[index]
    lingering = write_head(
        tmp_path / "slow.npz",
        still,
        pulses(t_s, [30.0] * 3, 6.0, 6.0, 2.0) + pulses(t_s, [30.0] * 5, 23.5, 6.0, 4.6),
    )
    assert counted(tiltwise, lingering, "clasped_nod")["reps"]["total"] == 8  # type: ignore[index]


def test_more_than_three_nods_before_a_pause_are_no_calibration(tmp_path: Path) -> None:
    """A rest after the first nod and three more look like a calibration: all of them are the exercise's."""
    made = generate_set(SetKind("nod", "slow", "large", True, False), 107)
    said = count(ImuInput(tmp_path, (made.block,), (), ()), Mount.HEAD, EXERCISES["clasped_nod"])
    assert len(said.reps) == len(made.sides) == 10


def test_nods_to_calibrate_are_told_by_their_rhythm_where_the_pause_is_short(
    tiltwise: Command, tmp_path: Path
) -> None:
    t_s = np.arange(0.0, 60.0, 0.02)
    nods = pulses(t_s, [30.0] * 3, 5.0, 2.2, 2.0) + pulses(t_s, [30.0] * 6, 16.0, 6.0, 2.0)
    path = write_head(tmp_path / "nods.npz", np.zeros(len(t_s)), nods)
    assert counted(tiltwise, path, "clasped_nod")["reps"]["total"] == 6  # type: ignore[index]


def test_where_the_sensor_was_handled_is_said(tmp_path: Path) -> None:
    made = generate_set(SetKind("tilt", "usual", "half", False, False, is_handled=True), 104)
    said = count(ImuInput(tmp_path, (made.block,), (), ()), Mount.HEAD, EXERCISES["side_tilt"])
    assert len(said.reps) == len(made.sides)
    note = next(note for note in said.notes if "lay far from how it was worn" in note)
    assert "the first" in note
    assert np.allclose([rep.peak_s for rep in said.reps], made.peaks_s, atol=6.5)  # a hold lasts up to 6 s


def test_what_the_collar_cannot_see_is_said_before_anything_else(tiltwise: Command, tmp_path: Path) -> None:
    t_s = np.arange(0.0, 10.0, 0.02)
    path = write_head(tmp_path / "moving.npz", 20.0 * np.sin(t_s), 20.0 * np.cos(t_s))
    result = tiltwise("count", path, "--exercise", "side_tilt", "--mount", "collar")
    assert_one_line(result, 1, "cannot be counted by a sensor at collar")


def test_what_is_left_out_is_said_in_one_line(tiltwise: Command, tmp_path: Path) -> None:
    t_s = np.arange(0.0, 40.0, 0.02)
    bow = pulses(t_s, [40.0], 29.0, 3.5, 2.5)
    path = write_head(tmp_path / "bows.npz", pulses(t_s, [30.0, -30.0] * 3, 3.0, 4.0, 3.0) + 0.5 * bow, bow)
    said = counted(tiltwise, path, "side_tilt")
    assert said["reps"]["total"] == 6  # type: ignore[index]
    assert said["left_out"]["other_axis"] == 1  # type: ignore[index]
    notes = said["notes"]
    assert isinstance(notes, list)
    assert sum("left out" in note and "1 about another axis" in note for note in notes) == 1
