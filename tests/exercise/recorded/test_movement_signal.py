"""What movements are read from: tilt from the usual "up" and turn without drift, on an even grid between gaps."""

import numpy as np
import pytest

from tiltwise.exercise.recorded.movement_signal import (
    Movements,
    pole_and_basis,
    smooth,
    smoothing_window,
    split_stretches,
    unit,
)

Z_UP = np.array([0.0, 0.0, 1.0])


def tilted(t_s, angle_deg, turn_deg=0.0):
    """A sensor whose "up" goes from z towards x."""
    angle = np.radians(angle_deg * np.ones_like(t_s))
    up = np.column_stack((np.sin(angle), np.zeros_like(angle), np.cos(angle)))
    return Movements(t_s, up, turn_deg * np.ones_like(t_s))


def stretches(movements, smooth_s=0.2, max_gap_s=0.5):
    return list(
        split_stretches(
            movements, Z_UP, pole_and_basis(Z_UP[None])[1], smooth_s=smooth_s, max_gap_s=max_gap_s
        )
    )


def test_the_usual_up_and_two_directions_across_it_make_a_right_handed_system():
    up = np.array([[0.0, 0.6, 0.8]] * 3 + [[1.0, 0.0, 0.0]] * 2)
    pole, (one, other) = pole_and_basis(up)
    assert pole == pytest.approx([0.0, 0.6, 0.8])
    assert np.cross(one, other) == pytest.approx(pole)
    assert [one @ one, other @ other, one @ other] == pytest.approx([1.0, 1.0, 0.0])


@pytest.mark.parametrize("angle_deg", [0.0, 20.0, 120.0])
def test_a_tilt_has_its_angle_whatever_its_direction(angle_deg):
    (found,) = stretches(tilted(np.arange(0.0, 2.0, 0.02), angle_deg))
    assert np.hypot(*found.tilt_deg.T) == pytest.approx([angle_deg] * 99)
    assert found.t_s == pytest.approx(0.02 * np.arange(99))  # 50 Hz, up to the last sample


@pytest.mark.parametrize(
    ("t_s", "firsts_s"),
    [
        ([0.0, 0.25, 0.75, 1.0], [0.0]),  # 0.5 s is no gap yet
        ([0.0, 0.25, 1.0, 1.25], [0.0, 1.0]),
        ([0.0, 0.125, 1.0, 1.25], [1.0]),  # shorter than the window
        ([0.0, 0.25, 1.0], [0.0]),
        ([0.0], []),
    ],
)
def test_a_gap_parts_and_what_is_shorter_than_the_window_is_left_out(t_s, firsts_s):
    found = stretches(tilted(np.array(t_s), 10.0), smooth_s=0.25)
    assert [float(one.t_s[0]) for one in found] == firsts_s


@pytest.mark.parametrize(
    ("rate_deg_s", "seconds", "left"), [(2.0, 4.0, 0.0), (4.0, 4.0, 4.0), (2.0, 0.9, 2.0)]
)
def test_a_slow_heading_is_drift_and_a_fast_one_is_none(rate_deg_s, seconds, left):
    t_s = 10.0 + np.arange(0.0, seconds, 0.02)
    (found,) = stretches(tilted(t_s, 0.0, rate_deg_s * (t_s - 10.0)))
    assert np.diff(found.turn_deg[8:-8]) * 50.0 == pytest.approx(left, abs=1e-6)
    assert found.turn_deg[0] == pytest.approx(0.0, abs=0.25)


def test_the_mean_under_a_window_moves_nothing():
    window = smoothing_window(0.2)
    assert len(window) == 10
    assert window.sum() == pytest.approx(1.0)
    assert window == pytest.approx(window[::-1])
    assert window[0] == pytest.approx(window[5] * (np.sin(np.pi / 11) / np.sin(5 * np.pi / 11)) ** 2)  # Hann
    peak = np.array([0.0, 0.0, 4.0, 0.0, 0.0])
    assert smooth(peak, np.array([0.25, 0.5, 0.25])).tolist() == [0.0, 1.0, 2.0, 1.0, 0.0]
    assert smooth(peak[1:3], np.array([0.25, 0.5, 0.25])).tolist() == [1.0, 3.0]  # the ends go on as they are
    assert smooth(peak, np.array([0.5, 0.5])).tolist() == [0.0, 0.0, 2.0, 2.0, 0.0]


def test_a_direction_has_length_one_and_nothing_has_none():
    assert unit(np.array([3.0, 0.0, -4.0])) == pytest.approx([0.6, 0.0, -0.8])
    assert unit(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
