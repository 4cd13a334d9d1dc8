"""Accuracy on recordings with optical truth (BROAD, doi:10.3390/data6070072), against the goals of the project.

The goals are mean RMS inclination errors in degrees, taken at the time of the sample without any alignment.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tiltwise.motion.orientation.estimator import OrientationStage, estimate_orientation
from tiltwise.motion.rotation import angle_between_deg, normalise, up_in_sensor
from tiltwise.types import FloatArray, ImuBlock
from tiltwise_lab.bench.accuracy.gyroscope_feeds import mean_of_two
from tiltwise_lab.bench.accuracy.orientation_error import (
    LOSSY,
    Condition,
    OrientationTrial,
    inclination_rmse_deg,
    load_trial,
    mean_error_deg,
    refill_worth,
)
from tiltwise_lab.bench.accuracy.reference_filters import tiltwise_online, vqf_offline, vqf_online

FULL, HALF = Condition(100.0), Condition(50.0)


@pytest.fixture(scope="module")
def files(shared_data: Path) -> list[Path]:
    files = sorted((shared_data / "orientation").glob("*.npz"))
    if not files:
        pytest.skip(f"no recordings with optical truth in {shared_data / 'orientation'}")
    return files


def times(trial: OrientationTrial) -> FloatArray:
    return np.arange(len(trial.gyr)) / trial.rate_hz


@cache
def errors_deg(folder: Path, condition: Condition, is_offline: bool) -> FloatArray:
    """RMS inclination error of ours on each recording; two tests ask for the same."""
    errors = []
    for seed, path in enumerate(sorted(folder.glob("*.npz"))):
        trial = load_trial(path, condition, seed)
        q = estimate_orientation(times(trial), trial.gyr, trial.acc, offline=is_offline)
        errors.append(inclination_rmse_deg(trial, up_in_sensor(q)))
    return np.array(errors)


@pytest.mark.parametrize(
    ("condition", "offline", "goal_deg"),
    [
        (FULL, False, 0.42),
        (HALF, False, 0.42),
        (LOSSY, False, 1.1),
        (FULL, True, 0.29),
        (HALF, True, 0.29),
        (LOSSY, True, 0.6),
    ],
    ids=lambda value: value.name if isinstance(value, Condition) else str(value),
)
def test_mean_inclination_error_meets_the_goal(
    files: list[Path], condition: Condition, offline: bool, goal_deg: float
) -> None:
    assert np.mean(errors_deg(files[0].parent, condition, offline)) <= goal_deg


@pytest.mark.parametrize("condition", [FULL, HALF], ids=lambda condition: condition.name)
@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
def test_no_recording_is_worse_than_with_a_vqf_that_is_fed_fairly(
    files: list[Path], condition: Condition, offline: bool
) -> None:
    peer = vqf_offline if offline else vqf_online
    ours, theirs = errors_deg(files[0].parent, condition, offline), []
    for path in files:
        trial = load_trial(path, condition)
        fair = peer(mean_of_two(trial.gyr, trial.rate_hz), trial.acc, trial.rate_hz)
        theirs.append(inclination_rmse_deg(trial, up_in_sensor(normalise(fair))))
    assert np.mean(ours) < np.mean(theirs)
    # deg; tapping, online, is 0.05 worse at 100 Hz
    assert np.max(ours - theirs) < 0.06


def test_lost_samples_cost_less_when_their_times_are_known(files: list[Path], tmp_path: Path) -> None:
    few = files[::3]
    for path in few:
        (tmp_path / path.name).symlink_to(path)
    worth = refill_worth(tmp_path)
    filled = mean_error_deg(tiltwise_online, [load_trial(path, LOSSY, k) for k, path in enumerate(few)])
    assert worth.online_timed_deg < filled < worth.online_unseen_deg
    assert worth.online_timed_deg <= 0.9  # deg


def test_start_without_rest_and_with_bias_is_overcome_in_a_minute(files: list[Path]) -> None:
    errors = []
    for path in files:
        trial = load_trial(path, FULL)
        start = int(np.argmax(trial.is_scored))
        gyr = trial.gyr[start:] + np.radians(1.0)
        q = estimate_orientation(times(trial)[start:], gyr, trial.acc[start:])
        error = angle_between_deg(up_in_sensor(q), trial.up_true[start:])
        scored = trial.is_scored[start:] & (np.arange(len(q)) >= 60 * trial.rate_hz)
        errors.append(np.sqrt(np.mean(error[scored] ** 2)))
    assert np.mean(errors) <= 1.0  # deg


def test_bursts_of_two_missing_seconds_leave_nothing_after_five(files: list[Path]) -> None:
    for seed, path in enumerate(files):
        trial = load_trial(path, HALF)
        t_s = times(trial)
        starts = np.linspace(20, t_s[-1] - 10, 12) + np.random.default_rng(seed).uniform(-1, 1, 12)
        since = t_s[:, None] - (starts + 2.0)
        keep = ~((since > -2.0) & (since < 0.0)).any(axis=1)
        whole = up_in_sensor(estimate_orientation(t_s, trial.gyr, trial.acc))[keep]
        torn = up_in_sensor(estimate_orientation(t_s[keep], trial.gyr[keep], trial.acc[keep]))
        since = since[keep]
        settled = ~((since > 0) & (since < 5.0)).any(axis=1)
        assert angle_between_deg(torn, whole)[settled].max() < 3.0, path.name  # deg


def test_real_recording_in_radio_frames_equals_the_whole(files: list[Path]) -> None:
    trial = load_trial(files[4], HALF)
    t_s, gyr, acc = times(trial)[:2500], trial.gyr[:2500], trial.acc[:2500]
    stage, whole = OrientationStage(), estimate_orientation(t_s, gyr, acc)
    rng, parts, k = np.random.default_rng(1), [], 0
    while k < len(t_s):
        part = slice(k, k + int(rng.integers(1, 12)))
        parts.append(stage.process(ImuBlock(t_s[part], gyr[part], acc[part])).q_earth_from_sensor)
        k = part.stop
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-9)
