"""The board's orientation filter: known motions, bad samples, bias, single precision, accuracy on recordings."""

import math
from pathlib import Path

import numpy as np
import pytest

from lab.number_types import Counted, load_counted
from tiltwise.common import fusion, tilt_filter
from tiltwise.common.fusion import Fusion
from tiltwise.motion import rotation
from tiltwise.motion.rotation import normalise, up_in_sensor
from tiltwise_lab.bench.accuracy.gyroscope_feeds import mean_of_two
from tiltwise_lab.bench.accuracy.number_types import load_single
from tiltwise_lab.bench.accuracy.orientation_error import Condition, inclination_rmse_deg, load_trial
from tiltwise_lab.bench.accuracy.reference_filters import single_precision_fusion, vqf_online

G = 9.81  # m/s2


def tilt_deg(q, up):
    """Return the angle between the estimated up and the true one, both in sensor axes."""
    a = up_in_sensor(normalise(np.array([q], dtype=float)))[0]
    return math.degrees(math.atan2(np.linalg.norm(np.cross(a, up)), a @ up))


def rest(estimator, seconds, rate_hz, up=(0.0, 0.0, 1.0), gyr=(0.0, 0.0, 0.0)):
    """Feed a resting sensor."""
    for _ in range(round(seconds * rate_hz)):
        estimator.update(*gyr, *(G * x for x in up))


def swing(t, axis, amplitude_rad, f_hz):
    """Return rate (3,) and up (3,) of a sensor that swings about one of its horizontal axes (0 or 1)."""
    angle = amplitude_rad * math.sin(2 * math.pi * f_hz * t)
    gyr = [0.0, 0.0, 0.0]
    gyr[axis] = amplitude_rad * 2 * math.pi * f_hz * math.cos(2 * math.pi * f_hz * t)
    up = (0.0, math.sin(angle), math.cos(angle)) if axis == 0 else (-math.sin(angle), 0.0, math.cos(angle))
    return gyr, up


@pytest.mark.parametrize("peak_g", [6, 8])
def test_counts_at_the_end_of_the_range_are_not_taken_for_gravity(peak_g):
    """A runner's steps on a leaning sensor of 4 g, 5 % of the samples clipped: taken as they are, 1.7 and 3.7 deg."""
    rate_hz, lean, step_hz, share = 104, math.radians(20), 1.8, 0.08
    unit = 4 * G / 32768
    estimator = Fusion(rate_hz, 5e-4, unit, 2)
    up = (math.sin(lean), 0.0, math.cos(lean))
    worst = clipped = 0
    for k in range(90 * rate_hz):
        phase = step_hz * k / rate_hz % 1.0
        landing = peak_g * math.sin(math.pi * phase / share) if phase < share else 0.0
        force = (1.0 + landing - peak_g * share * 2 / math.pi) * G  # 1 g on average: nobody flies off
        counts = [max(-32768, min(32767, round(force * x / unit))) for x in up]
        clipped += max(counts) == 32767
        estimator.update(0, 0, 0, *counts)
        if k > 20 * rate_hz:
            worst = max(worst, tilt_deg(estimator.q, np.array(up)))
    assert clipped / (90 * rate_hz) == pytest.approx(0.05, abs=0.01)
    assert worst < 0.6


@pytest.mark.parametrize(
    "up", [(0, 0, 1), (0, 0, -1), (1, 0, 0), (0, -1, 0), (0.6, 0, -0.8), (0.0, 0.02, -0.9998)]
)
def test_first_sample_sets_the_tilt(up):
    estimator = Fusion(100)
    estimator.update(0.0, 0.0, 0.0, *(G * x for x in up))
    # An acceleration within 3 deg of straight down starts upside down and is then corrected. Inside, it is rounded to
    # 1 mm/s2, which is 0.006 deg.
    assert tilt_deg(estimator.q, np.array(up, dtype=float)) < (2.6 if up[2] < -0.999 else 0.01)
    assert sum(x * x for x in estimator.q) == pytest.approx(1, abs=1e-8)  # integers of 2**-29 inside


@pytest.mark.parametrize("rate_hz", [25, 50, 104, 208])
@pytest.mark.parametrize("axis", [0, 1])
def test_fast_swing_is_followed_without_delay(rate_hz, axis):
    estimator = Fusion(rate_hz)
    worst = 0.0
    for k in range(20 * rate_hz):
        gyr, up = swing(k / rate_hz, axis, 0.7, 0.5)  # 40 deg, up to 126 deg/s: nodding hard
        estimator.update(*gyr, *(G * x for x in up))
        worst = max(worst, tilt_deg(estimator.q, np.array(up)))
    assert worst < 0.2  # deg; half a sample late would be 0.3 deg at 208 Hz and 2.5 deg at 25 Hz


def turn_on_a_cone(estimator, rate_hz, seconds):
    """Feed rates whose axis moves on a cone (290 deg/s at 1.6 Hz) and no force after the first sample."""
    for k in range(round(seconds * rate_hz)):
        t = k / rate_hz
        estimator.update(5 * math.cos(10 * t), 5 * math.sin(10 * t), 0.0, 0.0, 0.0, G if k == 0 else 0.0)
    return np.array(estimator.q)


def test_coning_does_not_drift():
    # The sensor turns although no rate has a mean; the cross term must see it.
    end_s = 10 + 1 / 1600
    truth = turn_on_a_cone(Fusion(1600), 1600, end_s)
    angle = {}
    for name, factor in (("with", 1.0), ("without", 0.0)):
        estimator = Fusion(50)
        estimator._k_cross *= factor
        q = turn_on_a_cone(estimator, 50, 10.02)
        angle[name] = math.degrees(2 * math.acos(min(1.0, abs(q @ truth))))
    assert angle["with"] < 0.5  # deg in 10 s
    assert angle["without"] > 3  # deg: the test sees what it is for


def test_rest_finds_bias_and_rest():
    bias = np.radians([1.0, -0.5, 0.8])
    estimator = Fusion(104)
    rest(estimator, 1.0, 104, gyr=bias)
    assert not estimator.filter.at_rest  # 1.5 s are needed
    rest(estimator, 9.0, 104, gyr=bias)
    assert estimator.filter.at_rest
    assert np.degrees(np.abs(estimator.bias - bias)).max() < 0.05  # deg/s
    assert tilt_deg(estimator.q, np.array([0.0, 0.0, 1.0])) < 0.05  # deg


def test_motion_finds_bias_without_any_rest():
    rng = np.random.default_rng(2)
    bias = np.radians([1.0, -1.0, 1.0])
    estimator = Fusion(104)
    for k in range(104 * 90):
        t = k / 104
        gyr, up = swing(t, int(t / 5) % 2, 0.5, 0.4)  # nods and tilts in turn, each a whole number of swings
        shake = 0.3 * rng.standard_normal(3)
        estimator.update(*(gyr + bias), *(G * np.array(up) + shake))
    assert not estimator.filter.at_rest
    assert np.degrees(np.abs(estimator.bias - bias))[:2].max() < 0.15  # deg/s of 1 deg/s


def test_bias_stays_within_its_limit():
    estimator = Fusion(50)
    rest(estimator, 120, 50, gyr=(0.2, 0.0, 0.0))  # 11 deg/s with a force that does not turn: a broken sensor
    assert max(abs(b) for b in estimator.bias) <= tilt_filter._BIAS_LIMIT


def test_a_wrong_start_is_corrected_within_seconds():
    # The first sample is taken while the sensor is pushed forward with half a g: 27 deg of error.
    estimator = Fusion(104)
    estimator.update(0.0, 0.0, 0.0, 0.5 * G, 0.0, G)
    assert tilt_deg(estimator.q, np.array([0.0, 0.0, 1.0])) > 26
    rest(estimator, 4.0, 104)
    assert tilt_deg(estimator.q, np.array([0.0, 0.0, 1.0])) < 0.5  # deg


def test_walking_in_a_line_does_not_tilt():
    # Speeding up to 1.4 m/s within a second and steps at 2 Hz: an accelerometer alone would show 9 deg.
    estimator = Fusion(104)
    rest(estimator, 20, 104)
    worst = 0.0
    for k in range(104 * 60):
        t = k / 104
        forward = 1.4 if t < 1 else 1.5 * math.sin(4 * math.pi * t)
        estimator.update(0.0, 0.0, 0.0, forward, 0.0, G + 3 * math.sin(4 * math.pi * t))
        worst = max(worst, tilt_deg(estimator.q, np.array([0.0, 0.0, 1.0])))
    assert worst < 2.5  # deg


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30])
@pytest.mark.parametrize("field", range(6))
def test_bad_sample_changes_nothing_much(bad, field):
    estimator = Fusion(104)
    rest(estimator, 5, 104)
    for k in range(104):
        sample = [0.0, 0.0, 0.0, 0.0, 0.0, G]
        if k % 10 == 0:
            sample[field] = bad
        estimator.update(*sample)
        assert all(math.isfinite(x) for x in estimator.q + estimator.bias)
    assert tilt_deg(estimator.q, np.array([0.0, 0.0, 1.0])) < 0.01  # deg


def test_no_force_at_the_start_waits_for_one():
    estimator = Fusion(50)
    for _ in range(50):
        estimator.update(0.1, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert estimator.q == [1.0, 0.0, 0.0, 0.0]
    estimator.update(0.0, 0.0, 0.0, G, 0.0, 0.0)
    assert tilt_deg(estimator.q, np.array([1.0, 0.0, 0.0])) < 1e-5


def test_free_fall_keeps_the_tilt():
    estimator = Fusion(104)
    rest(estimator, 20, 104, up=(0.6, 0.0, 0.8))
    for _ in range(52):
        estimator.update(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert tilt_deg(estimator.q, np.array([0.6, 0.0, 0.8])) < 0.05  # deg


def test_doubt_keeps_bias_and_finds_the_new_tilt():
    bias = np.radians([1.0, 0.0, 0.0])
    estimator = Fusion(104)
    rest(estimator, 10, 104, gyr=bias)
    learnt = list(estimator.bias)
    estimator.doubt()
    assert estimator.bias == learnt
    rest(
        estimator, 5, 104, up=(math.sin(0.3), 0.0, math.cos(0.3)), gyr=bias
    )  # it turned by 17 deg during the gap
    assert tilt_deg(estimator.q, np.array([math.sin(0.3), 0.0, math.cos(0.3)])) < 0.5  # deg


def test_reset_is_a_new_filter():
    used = Fusion(104)
    rest(used, 5, 104, up=(1.0, 0.0, 0.0), gyr=(0.01, 0.02, 0.03))
    used.reset()
    fresh = Fusion(104)
    for k in range(300):
        gyr, up = swing(k / 104, 1, 0.5, 1.0)
        for estimator in (used, fresh):
            estimator.update(*gyr, *(G * x for x in up))
    assert used.q == fresh.q
    assert used.bias == fresh.bias


def test_integer_counts_give_the_same_as_their_floats():
    gyr_unit, acc_unit = math.radians(0.07), 9.81 / 4096
    in_counts, in_si = Fusion(104, gyr_unit, acc_unit), Fusion(104)
    for k in range(1000):
        gyr, up = swing(k / 104, 0, 0.8, 0.7)
        counts = [round(x / gyr_unit) for x in gyr] + [round(G * x / acc_unit) for x in up]
        in_counts.update(*counts)
        in_si.update(*(n * gyr_unit for n in counts[:3]), *(n * acc_unit for n in counts[3:]))
        # SI values are rounded to fine counts of the fusion's own.
        assert in_counts.q == pytest.approx(in_si.q, abs=2e-4)


@pytest.mark.parametrize("arguments", [(0,), (-5,), (math.nan,), (50, 0.0), (50, 1.0, -1.0)])
def test_impossible_settings_are_refused(arguments):
    with pytest.raises(ValueError, match="expected more than 0"):
        Fusion(*arguments)


def test_single_precision_follows_double_for_a_quarter_of_an_hour():
    # Coefficients of 1e-5 and states that grow would drift apart in single precision.
    rng = np.random.default_rng(5)
    single, double = load_single(fusion).Fusion(np.float32(26)), Fusion(26)
    for k in range(26 * 900):
        gyr, up = swing(k / 26, 1, 0.5, 0.2)
        noise = rng.standard_normal(6) * [0.01, 0.01, 0.01, 0.1, 0.1, 0.1]
        sample = (
            np.array([*gyr, *(G * x for x in up)]) + noise
            if k % 6500 < 3250
            else np.array([0.02, 0, 0, 0, 0, G])
        )
        sample = sample.astype(np.float32)
        single.update(*sample)
        double.update(*sample.tolist())
    states = [
        *single.q,
        *single.bias,
        *single.filter._v,
        *single.filter._cov,
        *single.filter._bias_cov,
    ]
    assert all(isinstance(x, np.float32) for x in states)
    up = up_in_sensor(normalise(np.array([double.q])))[0]
    assert tilt_deg(single.q, up) < 0.002  # deg
    assert single.bias == pytest.approx(double.bias, abs=2e-5)  # rad/s, 0.001 deg/s


@pytest.mark.parametrize("stride", [1, 2])
def test_arithmetic_stays_within_its_budget(stride):
    # A board pays 16 bytes per float operation, and 200 bytes a sample are allowed; a six-axis Madgwick has 119.
    rng = np.random.default_rng(1)
    estimator = load_counted(fusion).Fusion(Counted(104), Counted(0.001), Counted(0.001), stride)
    counts = rng.integers(-3000, 3000, (2080, 6)).tolist()
    Counted.count = 0
    for sample in counts:
        estimator.update(*sample)
    assert 3 < Counted.count / len(counts) < 200 / 16


@pytest.mark.parametrize("rate_deg_s", [10.0, 100.0, 300.0, 900.0])
def test_two_samples_a_step_turn_as_far_as_one(rate_deg_s):
    gyr_unit, acc_unit = math.radians(0.035), 9.81 / 8192
    one, two = Fusion(104, gyr_unit, acc_unit), Fusion(104, gyr_unit, acc_unit, 2)
    for k in range(209):
        # It spins about an upright axis that wobbles, so that the axis moves within a step.
        gyr = [300 * math.sin(k / 9), 300 * math.cos(k / 9), rate_deg_s / 0.035]
        sample = [round(x) for x in gyr] + [0, 0, 8192]
        one.update(*sample)
        two.update(*sample)
        assert two.is_current == (k % 2 == 0)
        if two.is_current:
            difference = rotation.multiply(rotation.conjugate(np.array(one.q)), np.array(two.q))
            # 0.2 deg after half a turn or more: rounding of the scale and the rule of integration.
            assert np.degrees(2 * np.linalg.norm(difference[1:])) < 0.2


def test_measured_rate_takes_the_place_of_the_nominal_one():
    gyr_unit, acc_unit = math.radians(0.035), 9.81 / 8192
    turned = []
    for told_hz in (None, 107.0):
        estimator = Fusion(104, gyr_unit, acc_unit, 2)
        if told_hz:
            estimator.set_rate(told_hz)
        for _ in range(105):
            estimator.update(0, 0, 2000, 0, 0, 8192)
        turned.append(2 * math.degrees(math.atan2(estimator.q[3], estimator.q[0])))
    assert turned == pytest.approx([70 * 104 / 104, 70 * 104 / 107], abs=0.2)  # deg


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    ("count", "is_clipped"), [(32767, True), (32766, False), (-32768, True), (-32766, False)]
)
def test_each_sample_at_the_end_of_the_range_may_lack_twenty_m_s2(monkeypatch, axis, count, is_clipped):
    """Three samples of 10 ms: 0.6 m/s may be missing in that correction, and nothing in the next."""
    told = []
    correct = tilt_filter.TiltFilter.correct

    def noting(self, x, y, lacks, *rest):
        told.append(lacks)
        return correct(self, x, y, lacks, *rest)

    monkeypatch.setattr(tilt_filter.TiltFilter, "correct", noting)
    estimator = Fusion(100, 1e-3, G / 8192, 2)
    for k in range(60):
        acc = [0, 0, 8192]
        if k in (4, 5, 9):
            acc[axis] = count
        estimator.update(0, 0, 0, *acc)
    assert told[:2] == pytest.approx([0.6 if is_clipped else 0.0, 0.0])


@pytest.mark.parametrize("rate_hz", [100, 104, 120])
def test_a_board_corrects_five_times_a_second(rate_hz):
    page = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text(encoding="utf-8")
    assert "five times a second" in " ".join(page.split())
    assert Fusion(rate_hz, 0.001, 0.001, 2).filter.step == pytest.approx(0.2, rel=0.05)  # s


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("units", [(1.0, 1.0), (math.radians(0.035), 9.81 / 8192)], ids=["SI", "counts"])
def test_a_rate_that_is_told_later_is_as_good_as_one_known_from_the_start(stride, units):
    told, born = Fusion(104, *units, stride), Fusion(107, *units, stride)
    told.set_rate(107)
    rng = np.random.default_rng(3)
    for k in range(1000):
        # It turns fast about an axis that wobbles, and is shaken: every constant that follows the rate takes part.
        rate = (3 * math.sin(k / 9), 3 * math.cos(k / 9), 4.0)
        force = (*rng.normal(0, 1, 2), G + rng.normal(0, 1))
        sample = [round(x / units[0]) if units[0] != 1 else x for x in rate]
        sample += [round(x / units[1]) if units[1] != 1 else x for x in force]
        told.update(*sample)
        born.update(*sample)
    assert told.q == born.q
    assert told.bias == born.bias
    assert told.rate_hz == 107


def test_large_bias_is_learnt_when_the_part_is_known_to_have_one():
    gyr_unit, acc_unit = math.radians(0.035), 9.81 / 8192
    bias = math.radians(12.0)
    for zero_rate_deg_s, learns in ((1.0, False), (7.0, True)):
        estimator = Fusion(104, gyr_unit, acc_unit, 2, math.radians(zero_rate_deg_s))
        for _ in range(104 * 20):
            estimator.update(round(bias / gyr_unit), 0, 0, 0, 0, 8192)
        assert (abs(estimator.bias[0] - bias) < math.radians(0.2)) == learns


def test_inclination_on_real_recordings_in_single_precision(shared_data: Path):
    """Beside VQF, fed with the mean of two samples: in time, as ours is."""
    paths = sorted((shared_data / "orientation").glob("*.npz"))
    if not paths:
        pytest.skip("no recordings in orientation/")
    ours, theirs = [], []
    for path in paths:
        trial = load_trial(path, Condition(50.0))
        board, q = single_precision_fusion(trial.rate_hz), np.empty((len(trial.gyr), 4))
        for k, row in enumerate(np.hstack([trial.gyr, trial.acc]).astype(np.float32)):
            board.update(*row)
            q[k] = board.q
        ours.append(inclination_rmse_deg(trial, up_in_sensor(normalise(q))))
        fair = vqf_online(mean_of_two(trial.gyr, trial.rate_hz), trial.acc, trial.rate_hz)
        theirs.append(inclination_rmse_deg(trial, up_in_sensor(normalise(fair))))
    assert np.mean(ours) <= 0.46  # deg
    assert np.mean(ours) < np.mean(theirs)
    assert np.max(np.array(ours) - theirs) < 0.03  # deg, on any: below that differences mean nothing here
