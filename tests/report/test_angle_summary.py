"""The figures of `analyze`: weighted by time, blind to gaps."""

import numpy as np
import pytest

from tiltwise.report.angle_summary import durations_s, summarise_samples


def test_even_samples_give_the_ordinary_statistics() -> None:
    rng = np.random.default_rng(3)
    angle = rng.normal(25, 10, 20_000)
    found = summarise_samples(np.arange(20_000) / 100, angle)
    assert (found.p10, found.p50, found.p90) == pytest.approx(np.percentile(angle, (10, 50, 90)), abs=0.01)
    assert found.mean == pytest.approx(angle.mean())
    assert found.percent_above_deg["30"] == pytest.approx((angle > 30).mean() * 100)
    assert found.valid_s == pytest.approx(200)
    assert list(found.percent_above_deg) == ["15", "20", "30", "45", "60"]


def test_a_faster_rate_does_not_weigh_more() -> None:
    t = np.concatenate((np.arange(0, 60, 0.005), np.arange(60, 120, 0.05)))
    found = summarise_samples(t, np.where(t < 60, 10.0, 50.0))
    assert found.percent_above_deg["45"] == pytest.approx(50, abs=0.1)
    assert found.mean == pytest.approx(30, abs=0.05)


def test_gaps_nan_and_excluded_samples_are_not_valid_time() -> None:
    t = np.concatenate((np.arange(0, 10, 0.01), np.arange(100, 110, 0.01)))
    angle = np.where(t < 50, 10.0, 50.0)
    angle[:500] = np.nan
    found = summarise_samples(t, angle, use=t < 105)
    assert found.valid_s == pytest.approx(10, abs=0.02)
    assert found.percent_above_deg["20"] == pytest.approx(50, abs=0.2)


def test_durations_follow_the_real_times() -> None:
    assert durations_s(np.array([0.0, 0.1, 0.3, 5.0, 5.1])) == pytest.approx([0.1, 0.2, 0, 0.1, 0.15])
    assert durations_s(np.arange(5.0)) == pytest.approx(np.ones(5))  # a 1 Hz file has no gaps


def test_nothing_valid_is_nan_not_zero() -> None:
    for t, angle in ((np.empty(0), np.empty(0)), (np.arange(3.0), np.full(3, np.nan))):
        found = summarise_samples(t, angle)
        assert np.isnan([found.p10, found.mean, found.percent_above_deg["15"]]).all()
        assert found.valid_s == 0
