"""tiltwise_lab/bench/accuracy/orientation_error.py measures what it says, on made-up truth and on real recordings."""

from pathlib import Path

import numpy as np
import pytest

from motion.imu_samples import swing
from tiltwise.errors import AppError
from tiltwise.motion.rotation import up_in_sensor
from tiltwise_lab.bench.accuracy import gyroscope_feeds, reference_filters
from tiltwise_lab.bench.accuracy.leave_one_out import leave_one_out_rows, left_out_mean
from tiltwise_lab.bench.accuracy.orientation_error import (
    CONDITIONS,
    LOSSY,
    BenchRow,
    Condition,
    inclination_rmse_deg,
    load_trial,
    mean_error_deg,
    orientation_rows,
    refill_worth,
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


def test_the_newest_sample_is_half_a_step_ahead_and_the_mean_of_two_is_in_time(rows: list[BenchRow]) -> None:
    for method in ("VQF", "offlineVQF", "tiltwise online"):
        assert abs(named(rows, method).shift_ms) < 0.3, method
    vqf = named(rows, "VQF")
    assert vqf.fair_deg < vqf.as_is_deg / 3  # half of 10 ms at up to 250 deg/s is a degree


def test_our_steps_leave_only_the_filter_to_differ(rows: list[BenchRow]) -> None:
    """A filter that integrates itself has one figure; on smooth turning, well integrated, no filter is far off."""
    for row in rows:
        if row.method.startswith("tiltwise"):
            assert row.fair_deg == row.same_steps_deg == row.as_is_deg
    assert named(rows, "VQF", 1).same_steps_deg < named(rows, "VQF", 1).fair_deg / 2  # 50 Hz


def test_gyroscope_feeds_on_a_rate_that_rises_evenly() -> None:
    rising = np.arange(6.0)[:, None] * [1.0, 0.0, 0.0]
    assert gyroscope_feeds.newest(rising, 10.0)[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    for feed in (gyroscope_feeds.mean_of_two, gyroscope_feeds.our_steps):
        assert feed(rising, 10.0)[:, 0] == pytest.approx([0, 0.5, 1.5, 2.5, 3.5, 4.5])


def test_the_board_is_scored_where_it_has_an_answer(folder: Path) -> None:
    trial = load_trial(folder / "made_up_0.npz", Condition(100.0))
    q = reference_filters.tiltwise_board(trial.gyr, trial.acc, 100.0)
    assert np.isfinite(q[:, 0]).mean() == pytest.approx(0.5, abs=0.01)  # it takes two samples a step
    assert inclination_rmse_deg(trial, up_in_sensor(q)) < 0.1


def test_seeing_what_was_refilled_is_measured_and_the_filter_left_as_it_was(folder: Path) -> None:
    before = mean_lossy_deg(folder)
    worth = refill_worth(folder)
    assert worth.online_unseen_deg > before
    assert worth.online_timed_deg < worth.online_unseen_deg
    assert mean_lossy_deg(folder) == before


def mean_lossy_deg(folder: Path) -> float:
    trials = [load_trial(path, LOSSY, seed) for seed, path in enumerate(sorted(folder.glob("*.npz")))]
    return mean_error_deg(reference_filters.tiltwise_online, trials)


def test_a_trial_is_scored_by_the_draw_that_is_best_on_the_others() -> None:
    errors = np.array([[0.1, 9.0, 9.0], [5.0, 2.0, 3.0], [4.0, 4.0, 4.0]])
    # First left out: draw 1 (5 of 2 + 3), so 5; second: draw 1 or 2 have 8, draw 0 9.1: 2; third: draw 1, 7: 3.
    assert left_out_mean(errors) == pytest.approx((5.0 + 2.0 + 3.0) / 3)


def test_leaving_one_out_runs_all_our_filters_with_other_parameters(folder: Path) -> None:
    trials = [load_trial(path, Condition(50.0)) for path in sorted(folder.glob("*.npz"))]
    rows = [row for _, row in leave_one_out_rows(trials, draws=2)]
    assert [row.method for row in rows] == ["online", "offline", "firmware"]
    for row in rows:
        assert len({row.shipped_deg, row.left_out_deg, row.median_deg}) > 1
    shipped = mean_error_deg(reference_filters.tiltwise_firmware, trials)
    assert rows[2].shipped_deg == pytest.approx(shipped, rel=1e-9)


def test_only_methods_that_look_ahead_fail_the_causal_check(rows: list[BenchRow]) -> None:
    assert {row.method for row in rows if not row.is_causal} == {"tiltwise offline", "offlineVQF"}


def test_ratios_are_to_vqf_under_the_same_condition(rows: list[BenchRow]) -> None:
    for k, condition in enumerate(CONDITIONS):
        vqf = named(rows, "VQF", k)
        assert (vqf.per_vqf, vqf.same_steps_per_vqf) == (1.0, 1.0)
        row = named(rows, "tiltwise online", k)
        assert row.condition == condition.name
        assert row.per_vqf == pytest.approx(row.fair_deg / vqf.fair_deg)


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
