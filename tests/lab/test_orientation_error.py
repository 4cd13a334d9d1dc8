"""tiltwise_lab/bench/accuracy/orientation_error.py measures what it says, on made-up truth and on real recordings."""

from pathlib import Path

import numpy as np
import pytest

from motion.imu_samples import swing
from tiltwise.errors import AppError
from tiltwise.motion.rotation import up_in_sensor
from tiltwise_lab.bench.accuracy import reference_filters
from tiltwise_lab.bench.accuracy.orientation_error import (
    CONDITIONS,
    BenchRow,
    Condition,
    inclination_rmse_deg,
    load_trial,
    orientation_rows,
)
from tiltwise_lab.bench.bench_plots import orientation


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two recordings of 40 s at 100 Hz of smooth turning with exact truth; the marker was lost for a moment."""
    folder = tmp_path_factory.mktemp("bench")
    t_s = np.arange(4000) / 100
    for k in range(2):
        q, gyr, acc = swing(t_s, np.array([0.8, 1.0, 0.6]) * (1 + k / 3), np.array([0.7, 0.5, 0.9]))
        q[500:520] = np.nan
        moves = t_s > 5
        np.savez(folder / f"made_up_{k}.npz", fs=100.0, gyr=gyr, acc=acc, quat=q, movement=moves)
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[BenchRow]:
    return [row for _, row in orientation_rows(folder)]


def named(rows: list[BenchRow], method: str, condition: int = 0) -> BenchRow:
    name = CONDITIONS[condition].name
    return next(row for row in rows if row.method == method and row.condition == name)


def test_every_method_is_measured_under_every_condition(rows: list[BenchRow]) -> None:
    assert {(row.method, row.condition) for row in rows} == {
        (method, condition.name) for method in reference_filters.methods()[0] for condition in CONDITIONS
    }


def test_half_a_step_of_lead_is_seen_and_taken_away_by_the_alignment(rows: list[BenchRow]) -> None:
    row = named(rows, "VQF")
    assert row.shift_ms == pytest.approx(5.0, abs=0.7)  # half a step at 100 Hz
    assert row.aligned_deg < row.as_is_deg / 3
    assert (
        abs(named(rows, "tiltwise online").shift_ms) < 0.7 or named(rows, "tiltwise online").as_is_deg < 0.02
    )


def test_only_methods_that_look_ahead_fail_the_causal_check(rows: list[BenchRow]) -> None:
    assert {row.method for row in rows if not row.is_causal} == {"tiltwise offline", "offlineVQF"}


def test_ratios_are_to_vqf_under_the_same_condition(rows: list[BenchRow]) -> None:
    for k, condition in enumerate(CONDITIONS):
        vqf = named(rows, "VQF", k)
        assert (vqf.per_vqf, vqf.aligned_per_vqf) == (1.0, 1.0)
        row = named(rows, "tiltwise online", k)
        assert row.condition == condition.name
        assert row.per_vqf == pytest.approx(row.as_is_deg / vqf.as_is_deg)


def test_known_tilt_error_is_measured_where_scored(folder: Path) -> None:
    trial = load_trial(folder / "made_up_0.npz", Condition(100.0))
    q, _, _ = swing(np.arange(4000) / 100, np.array([0.8, 1.0, 0.6]), np.array([0.7, 0.5, 0.9]))
    up = up_in_sensor(q)
    assert inclination_rmse_deg(trial, up) < 1e-6
    axis = np.cross(up, [0.3, 0.5, 0.8])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    tilted = np.cos(np.radians(2)) * up + np.sin(np.radians(2)) * np.cross(axis, up)
    assert inclination_rmse_deg(trial, tilted) == pytest.approx(2.0, abs=1e-6)
    tilted[:490] = -up[:490]  # before the movement nothing is scored
    assert inclination_rmse_deg(trial, tilted) == pytest.approx(2.0, abs=1e-6)


def test_missing_imufusion_costs_its_row_and_is_told(monkeypatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(reference_filters, "import_module", absent)
    found, notes = reference_filters.methods()
    assert not any("imufusion" in name for name in found)
    assert len(notes) == 1


def test_folder_without_recordings_or_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="found none"):
        list(orientation_rows(tmp_path))
    np.savez(tmp_path / "a.npz", fs=100.0, gyr=np.zeros((9, 3)))
    with pytest.raises(AppError, match="acc is missing"):
        list(orientation_rows(tmp_path))


def test_rate_that_does_not_divide_is_refused(folder: Path) -> None:
    with pytest.raises(AppError, match="choose another rate"):
        list(orientation_rows(folder, [Condition(70.0)]))


def test_picture_has_a_panel_for_each_condition_and_one_for_speed(rows: list[BenchRow]) -> None:
    assert len(orientation(rows).axes) == len(CONDITIONS) + 1
