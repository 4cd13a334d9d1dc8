"""The edges of a stroke are found through the sway of a head, whichever way it goes."""

import numpy as np
import pytest

from tiltwise.exercise.guided.phase_edges import edges

BEGIN_S, LASTS_S = 0.8, 3.0


def sink(size_deg, seed, *, sway=1.0):
    """A raised-cosine stroke with sway (n,) and its times (n,), at 25 Hz from 100 s on."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, 7.0, 0.04)
    share = np.clip((t - BEGIN_S) / LASTS_S, 0.0, 1.0)
    slow, fast = rng.uniform(0, 2 * np.pi, 2)
    noise = 0.3 * np.sin(2 * np.pi * 0.11 * t + slow) + 0.25 * np.sin(2 * np.pi * 0.47 * t + fast)
    return 100.0 + t, 30.0 + size_deg * (1 - np.cos(np.pi * share)) / 2 + sway * noise


def errors(size_deg, seed, **how):
    times, way = sink(size_deg, seed, **how)
    tenth_s = LASTS_S * np.arccos(0.8) / np.pi
    first, last = edges(times, way, float(np.mean(way[-40:])))
    return first - (100.0 + BEGIN_S + tenth_s), last - (100.0 + BEGIN_S + LASTS_S - tenth_s)


@pytest.mark.parametrize("size_deg", [3.0, 20.0, -12.0])
def test_without_sway_the_edges_are_those_of_the_stroke(size_deg):
    assert errors(size_deg, 1, sway=0.0) == pytest.approx((0.0, 0.0), abs=0.05)


def test_a_step_of_six_degrees_is_found_through_sway():
    found = np.abs([errors(6.0, seed) for seed in range(40)])
    assert np.mean(found.max(axis=1) < 0.3) >= 0.95


def test_who_does_not_move_has_the_beginning_twice():
    times, way = sink(0.5, 1)
    assert edges(times, way, 30.5) == (100.0, 100.0)


@pytest.mark.parametrize(("gone_deg", "moved"), [(1.6, True), (1.4, False)])
def test_a_way_of_one_and_a_half_degrees_is_a_movement(gone_deg, moved):
    times, way = sink(gone_deg, 1, sway=0.0)
    first, last = edges(times, way, 30.0 + gone_deg)
    assert (last > first) is moved


@pytest.mark.parametrize(("lasts_s", "moved"), [(1.2, False), (1.4, True)])
def test_a_phase_has_time_for_a_stroke_and_its_end(lasts_s, moved):
    t_s = np.arange(0.0, lasts_s, 0.04)
    first, last = edges(50.0 + t_s, np.interp(t_s, [0.42, 0.8], [0.0, 20.0]), 20.0)
    assert (last > first) is moved


def test_who_never_stops_has_arrived_half_a_second_before_the_end():
    t_s = np.arange(0.0, 6.02, 0.04)
    first, last = edges(t_s, 10.0 * t_s, 60.0)
    begins_s, ends_s = (
        first - 0.2466 / (1 - 2 * 0.2466) * (last - first),
        last + 0.2466 / (1 - 2 * 0.2466) * (last - first),
    )
    assert ends_s <= 5.5 + 0.01
    assert begins_s >= -0.11
