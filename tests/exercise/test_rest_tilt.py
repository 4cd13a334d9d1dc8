"""Where an upper back rests, and what is said of two rests."""

import numpy as np
import pytest

from tiltwise.exercise.rest_tilt import RestComparison, RestTilt


def rest(t_s, tilt_deg):
    found = RestTilt()
    for t, deg in zip(t_s.tolist(), tilt_deg.tolist(), strict=True):
        found.add(t, deg)
    return found.deg


def at(seconds):
    return np.arange(0.0, seconds, 0.04)


@pytest.mark.parametrize("breath_hz", [0.2, 0.25, 0.3])
def test_breathing_leaves_little_of_itself_in_a_rest(breath_hz):
    t = at(12.0)
    assert rest(t, 7.0 + 1.4 * np.sin(2 * np.pi * breath_hz * t)) == pytest.approx(7.0, abs=0.3)


def test_a_rest_is_that_of_its_last_ten_seconds():
    t = at(16.0)
    assert rest(t, np.where(t < 5.0, 30.0, 4.0)) == pytest.approx(4.0)
    assert rest(at(9.4), np.zeros(len(at(9.4)))) is None


def test_who_sinks_meanwhile_does_not_rest():
    t = at(12.0)
    assert rest(t, 0.28 * t) == pytest.approx(0.28 * 6.96, abs=0.03)  # halves 1.4 deg apart
    assert rest(t, 0.32 * t) is None  # 1.6


def test_a_bow_in_the_middle_is_no_rest_though_its_halves_agree():
    t = at(10.0)
    assert rest(t, 4.9 * np.sin(np.pi * t / 10.0) ** 8) is not None
    assert rest(t, 9.0 * np.sin(np.pi * t / 10.0) ** 8) is None


def test_a_hole_or_an_angle_that_is_not_known_begins_the_rest_anew():
    t = at(14.0)
    assert rest(t, np.where((t > 3.0) & (t < 3.5), np.nan, 2.0)) == pytest.approx(2.0)
    assert rest(t, np.where((t > 5.0) & (t < 5.1), np.nan, 2.0)) is None
    assert rest(t[(t < 5.0) | (t > 5.6)], 2.0 + 0 * t[(t < 5.0) | (t > 5.6)]) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (6.0, 3.4, "rests 2.6 deg further back than before: the shoulders had been forward (estimated)."),
        (1.0, 4.0, "rests 3.0 deg further forward than before: the shoulders had been up, or"),
        (3.0, 0.6, "No difference beyond 2.5 deg, what the sensor can tell (estimated)."),
        (None, 1.0, "Not compared: ten quiet seconds are needed"),
        (1.0, None, "Not compared: ten quiet seconds are needed"),
    ],
)
def test_the_result_is_told_in_plain_words(before, after, said):
    assert said in RestComparison(before, after).words
