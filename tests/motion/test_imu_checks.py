"""What would give a plausible but wrong angle is refused, and the reason is named."""

import numpy as np
import pytest

from motion.imu_samples import office
from tiltwise.motion.orientation.estimator import OrientationError, OrientationStage, estimate_orientation
from tiltwise.motion.orientation.imu_checks import check_recording
from tiltwise.types import FloatArray, ImuBlock

Data = tuple[FloatArray, FloatArray, FloatArray]


@pytest.fixture
def good() -> Data:
    t_s, _, gyr, acc = office(3000, seed=1)
    return t_s, gyr, acc


def with_value(values: FloatArray, row: int, value: float) -> FloatArray:
    changed = values.copy()
    changed[row, 1] = value
    return changed


def reversed_times(t_s: FloatArray) -> FloatArray:
    changed = t_s.copy()
    changed[100] = changed[98]
    return changed


SPOILED = {
    "acc in g": (lambda t, g, a: (t, g, a / 9.80665), "multiply by 9.80665"),
    "acc dead": (lambda t, g, a: (t, g, a * 0), "9.81 m/s"),
    "gyr in deg/s": (lambda t, g, a: (t, np.degrees(g), a), "deg/s"),
    "axes swapped": (lambda t, g, a: (t, g[:, [1, 0, 2]], a), "axis order"),
    "axes rotated": (lambda t, g, a: (t, g[:, [1, 2, 0]], a), "axis order"),
    "sign reversed": (lambda t, g, a: (t, -g, a), "signs"),
    "gyr dead": (lambda t, g, a: (t, g * 0, a), "dead channels"),
    "gyr NaN": (lambda t, g, a: (t, with_value(g, 7, np.nan), a), "sample 7"),
    "acc infinite": (lambda t, g, a: (t, g, with_value(a, 9, np.inf)), "sample 9"),
    "time NaN": (lambda t, g, a: (np.where(t == t[5], np.nan, t), g, a), "without a time"),
    "time backwards": (lambda t, g, a: (reversed_times(t), g, a), "sample 100"),
    "time repeated": (lambda t, g, a: (np.maximum(t, t[50]), g, a), "sample 1"),
    "5 samples/s": (lambda t, g, a: (t[::10], g[::10], a[::10]), "record faster"),
    "a column short": (lambda t, g, a: (t, g[:, :2], a), "check the columns"),
    "lengths differ": (lambda t, g, a: (t, g, a[:-1]), "shape"),
    "empty": (lambda t, g, a: (t[:0], g[:0], a[:0]), "at least one"),
}


@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_recording_is_refused_with_the_reason_in_one_line(
    good: Data, name: str, offline: bool
) -> None:
    spoil, reason = SPOILED[name]
    with pytest.raises(OrientationError, match=reason) as refusal:
        estimate_orientation(*spoil(*good), offline=offline)
    assert "\n" not in str(refusal.value)


def test_good_recording_is_accepted_at_every_usual_rate() -> None:
    for rate_hz in (25.0, 50.0, 100.0, 208.0):
        t_s, _, gyr, acc = office(3000, seed=2, rate_hz=rate_hz)
        assert np.isfinite(estimate_orientation(t_s, gyr, acc)).all()


def test_single_sample_is_enough_for_a_tilt() -> None:
    q = estimate_orientation(np.array([3.0]), np.zeros((1, 3)), np.array([[0.0, 9.8, 0.0]]), offline=True)
    assert q.shape == (1, 4)


def test_stream_refuses_time_that_goes_back_between_blocks(good: Data) -> None:
    stage = OrientationStage()
    block = ImuBlock(*good)
    stage.process(block)
    with pytest.raises(OrientationError, match="times must increase"):
        stage.process(block)


def test_refused_block_leaves_the_stream_as_it_was(good: Data) -> None:
    t_s, gyr, acc = good
    stage, undisturbed = OrientationStage(), OrientationStage()
    for one in (stage, undisturbed):
        one.process(ImuBlock(t_s[:100], gyr[:100], acc[:100]))
    with pytest.raises(OrientationError):
        stage.process(ImuBlock(t_s[100:200], gyr[100:200] * np.nan, acc[100:200]))
    later = ImuBlock(t_s[100:200], gyr[100:200], acc[100:200])
    np.testing.assert_array_equal(
        stage.process(later).q_earth_from_sensor, undisturbed.process(later).q_earth_from_sensor
    )


def test_real_recordings_are_accepted_and_their_swapped_axes_often_noticed(shared_data) -> None:
    files = sorted((shared_data / "orientation").glob("*.npz"))
    if not files:
        pytest.skip(f"no recordings in {shared_data / 'orientation'}")
    refused = 0
    for path in files:
        with np.load(path) as file:
            t_s, gyr, acc = file["t"].astype(float), file["gyr"].astype(float), file["acc"].astype(float)
        check_recording(t_s, gyr, acc)
        try:
            check_recording(t_s, gyr[:, [1, 0, 2]], acc)
        except OrientationError:
            refused += 1
    assert refused >= 3  # where the motion is slow tilting; fast translation leaves no clear evidence
