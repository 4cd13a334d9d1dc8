"""`tiltwise analyze`: angles, shares of time and episodes of a file whose answer is known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from command import Command, assert_one_line, run_limited
from offline.imu_file_samples import leaning, save
from tiltwise.config.settings import RuleKind, RuleSetting, rule_settings
from tiltwise.offline.analyze import analyze
from tiltwise.offline.input_file import choose_mounting, read_input
from tiltwise.types import Mount


def test_a_known_lean_gives_its_figures(tiltwise: Command, leant: Path) -> None:
    said = json.loads(tiltwise("analyze", leant, "--json", "--rule", "30:30").out)
    assert said["duration_s"] == pytest.approx(60, abs=0.05)
    assert said["rate_hz"] == pytest.approx(50, abs=0.01)
    assert said["flexion_deg"]["p50"] == pytest.approx(40, abs=1)  # leant for 44 of 60 s
    assert said["lateral_deg"]["p90"] == pytest.approx(0, abs=1)
    assert said["percent_above_deg"]["30"] == pytest.approx(
        41.7 / 60 * 100, abs=2
    )  # half a ramp off each end
    assert said["percent_above_deg"]["45"] == 0
    (episode,) = said["episodes"]
    assert episode["kind"] == "forward_flexion"
    assert episode["start_s"] == pytest.approx(9.3, abs=0.7)  # 30 deg are passed at two thirds of a 2 s ramp
    assert episode["alert_s"] - episode["start_s"] == pytest.approx(30, abs=0.2)  # the rule, on a 10 Hz grid
    assert episode["peak_deg"] == pytest.approx(40, abs=1)
    assert said["worn_percent"] == 100


def test_the_rule_decides_what_is_an_episode(tiltwise: Command, leant: Path) -> None:
    for rule, expected in (("30:30", 1), ("30:50", 0), ("45:10", 0), ("20:10", 1)):
        assert (
            len(json.loads(tiltwise("analyze", leant, "--json", "--rule", rule).out)["episodes"]) == expected
        )


def test_the_rule_of_the_settings_is_honoured(tiltwise: Command, home: Path, leant: Path) -> None:
    home.mkdir()
    for seconds, expected in ((30, 1), (50, 0)):
        (home / "settings.toml").write_text(
            f"[rule]\nangle_deg = 30\nseconds = {seconds}\n", encoding="utf-8"
        )
        assert len(json.loads(tiltwise("analyze", leant, "--json").out)["episodes"]) == expected


def test_the_mount_of_the_settings_is_honoured(tiltwise: Command, home: Path, leant: Path) -> None:
    home.mkdir()
    (home / "settings.toml").write_text("[wear]\nmount = 'collar'\n", encoding="utf-8")
    said = json.loads(tiltwise("analyze", leant, "--json", "--rule", "30:30").out)
    assert said["mount"] == "collar"
    assert said["episodes"][0]["kind"] == "upper_back_forward_tilt"
    assert json.loads(tiltwise("analyze", leant, "--json", "--mount", "head").out)["mount"] == "head"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_angles_are_written_with_the_columns_of_the_contract(
    tiltwise: Command, leant: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"angles{suffix}"
    assert tiltwise("analyze", leant, "--angles", out).code == 0
    if suffix == ".csv":
        names = out.read_text(encoding="utf-8").splitlines()[0].split(",")
        table = np.loadtxt(out, delimiter=",", skiprows=1)
    else:
        from pyarrow import parquet

        read = parquet.read_table(out)
        names, table = read.column_names, np.column_stack([column.to_numpy() for column in read.columns])
    assert names == ["t_s", "inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg"]
    assert table.shape == (3000, 5)
    assert table[1500, 2] == pytest.approx(40, abs=1)


def test_a_plot_is_drawn(tiltwise: Command, leant: Path, tmp_path: Path) -> None:
    assert tiltwise("analyze", leant, "--plot", tmp_path / "a.png").code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert tiltwise("settings", "pictures.dark", "true").code == 0
    assert tiltwise("analyze", leant, "--plot", tmp_path / "dark.png").code == 0
    light, dark = (imread(tmp_path / name)[0, 0, :3].mean() for name in ("a.png", "dark.png"))
    assert (light, dark < 0.15) == (1, True)


@pytest.mark.parametrize("option", ["--angles", "--plot"])
def test_an_output_that_does_not_fit_leaves_nothing_behind(
    home: Path, leant: Path, tmp_path: Path, option: str
) -> None:
    out = tmp_path / "results" / ("a.csv" if option == "--angles" else "a.png")
    out.parent.mkdir()
    out.write_text("the old one", encoding="utf-8")
    assert_one_line(run_limited(home, 500, "analyze", leant, option, out), 1, str(out), "free some space")
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.read_text(encoding="utf-8") == "the old one"


def test_an_output_under_a_file_or_in_no_folder_is_told(tiltwise: Command, leant: Path) -> None:
    for folder in (leant, leant.with_name("absent")):
        assert_one_line(tiltwise("analyze", leant, "--angles", folder / "a.csv"), 1, str(folder))
        assert_one_line(tiltwise("analyze", leant, "--plot", folder / "a.png"), 2, str(folder))


def test_progress_grows_to_the_end(leant: Path) -> None:
    data = read_input(leant)
    mounting, notes = choose_mounting(data, mount=Mount.NECK)
    shares: list[float] = []
    analyze(data, mounting, notes=notes, on_progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_hysteresis_never_goes_below_zero() -> None:
    assert rule_settings(RuleSetting(kind=RuleKind.SIMPLE, angle_deg=3, hysteresis_deg=5)).exit_deg == 0


def test_gaps_are_told_and_count_as_nothing(tiltwise: Command, tmp_path: Path) -> None:
    t_s, acc, gyr = leaning()
    keep = (t_s < 20) | (t_s > 30)
    said = json.loads(
        tiltwise("analyze", save(tmp_path / "gap.npz", t_s[keep], acc[keep], gyr[keep]), "--json").out
    )
    assert any("gap" in note and "10.0 s" in note for note in said["notes"])


def test_first_movements_that_are_no_calibration_are_told_with_the_reason(
    tiltwise: Command, tmp_path: Path
) -> None:
    t_s, acc, gyr = leaning(40.0, start_s=100.0, end_s=200.0)
    angle = np.deg2rad(25.0) * np.select(
        [(t_s > a) & (t_s < a + 1.5) for a in (5.0, 7.0, 9.0)],
        [sign * np.sin(np.pi * (t_s - a) / 1.5) ** 2 for a, sign in ((5.0, 1), (7.0, -1), (9.0, 1))],
    )
    gyr[:, 1] += np.gradient(angle, t_s)
    acc += 9.80665 * np.stack([-np.sin(angle), 0 * angle, np.cos(angle) - 1], axis=1)
    said = json.loads(tiltwise("analyze", save(tmp_path / "nods.npz", t_s, acc, gyr), "--json").out)
    (note,) = (note for note in said["notes"] if "no calibration" in note)
    assert note.startswith("its first movements are no calibration: ")
    assert not said["is_neutral_known"]
    still = json.loads(tiltwise("analyze", save(tmp_path / "lean.npz", *leaning()), "--json").out)
    assert not any("no calibration" in note for note in still["notes"])


def test_hundreds_of_flips_a_minute_are_no_calibration_no_posture_and_no_heap_of_events(
    tiltwise: Command, tmp_path: Path
) -> None:
    t_s, acc, gyr = leaning(120.0, start_s=200.0, end_s=300.0)
    angle = np.deg2rad(np.where((t_s > 10.0) & (np.floor(t_s * 10) % 2 > 0), 40.0, 0.0))
    gyr[:, 1] += np.gradient(angle, t_s)
    acc += 9.80665 * np.stack([-np.sin(angle), 0 * angle, np.cos(angle) - 1], axis=1)
    said = json.loads(tiltwise("analyze", save(tmp_path / "flips.npz", t_s, acc, gyr), "--json").out)
    (note,) = (note for note in said["notes"] if "no calibration" in note)
    assert note.endswith("nobody came to rest after them: nod three times, then sit still")
    assert len(said["episodes"]) <= 3


def test_lying_beyond_the_limit_is_told_as_such(tiltwise: Command, tmp_path: Path) -> None:
    """Which way is forward nobody showed, so 86 deg may be lying on a side."""
    flat = leaning(60.0, lean_deg=86.0, start_s=8.0, end_s=52.0)
    said = json.loads(tiltwise("analyze", save(tmp_path / "flat.npz", *flat), "--json").out)
    (note,) = (note for note in said["notes"] if note.startswith("lying beyond"))
    assert re.fullmatch(r"lying beyond 25 deg: (39|40|41) s, in no episode and no angle figure", note), note


def test_of_a_recording_of_seconds_a_tenth_is_said(tiltwise: Command, tmp_path: Path) -> None:
    t_s, acc, gyr = leaning(1.2)
    out = tiltwise("analyze", save(tmp_path / "short.npz", t_s, acc, gyr)).out
    assert out.startswith("short.npz: 1.2 s at 50.0 Hz")
    whole = save(tmp_path / "whole.npz", t_s[:50], acc[:50], gyr[:50])
    assert "1.0 s worn, upright" in tiltwise("analyze", whole).out, "fifty samples at 50 Hz are a second"
