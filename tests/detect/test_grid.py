"""Grids of device time, carried filters and latches do not depend on where the data was cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltwise.detect.grid import Grid, Latch, mean_square_filter

CUTS = st.lists(st.integers(0, 400), max_size=6)


def pieces(n: int, cuts: list[int]) -> list[slice]:
    edges = [0, *sorted(min(c, n) for c in cuts), n]
    return [slice(a, b) for a, b in pairwise(edges)]


def test_grid_picks_the_first_sample_at_or_after_each_tick():
    t = np.array([0.03, 0.09, 0.11, 0.19, 0.2, 0.31, 0.55, 0.58])
    assert Grid(10.0).pick(t).tolist() == [0, 2, 4, 5, 6]


@pytest.mark.parametrize("rate_hz", [25.0, 49.3, 50.0, 100.0, 208.0])
def test_grid_picks_ten_samples_a_second_at_any_rate(rate_hz):
    t = np.arange(round(60 * rate_hz)) / rate_hz
    assert len(Grid(10.0).pick(t)) == 600


@given(CUTS, st.floats(20.0, 120.0), st.floats(0.0, 1e5))
def test_grid_does_not_depend_on_cuts(cuts, rate_hz, start_s):
    t = start_s + np.arange(400) / rate_hz
    grid = Grid(10.0)
    parts = [part.start + grid.pick(t[part]) for part in pieces(len(t), cuts)]
    assert np.concatenate(parts).tolist() == Grid(10.0).pick(t).tolist()


def test_mean_square_reaches_its_input_and_never_goes_below_zero():
    x = np.concatenate((np.full(250, 100.0), np.zeros(250)))
    y = mean_square_filter(1.5, 25.0).process(x)
    assert y.min() >= 0.0
    assert y[249] == pytest.approx(100.0, abs=0.1)  # 10 s are 13 time constants
    assert y[-1] < 0.1


def test_latch_waits_for_its_dwell_and_ignores_shorter_breaks():
    t = np.arange(200) / 10.0
    on = (t >= 2) & (t < 10)
    off = ((t >= 10) & (t < 10.5)) | (t >= 12)
    state = Latch(2.0, 1.0).process(t, on, off, np.zeros(200, bool))
    assert t[np.flatnonzero(state)].tolist() == [k / 10 for k in range(40, 130)]


def test_latch_counts_its_dwell_anew_after_a_gap():
    t = np.concatenate((np.arange(15) / 10.0, 60.0 + np.arange(30) / 10.0))
    fresh = np.diff(t, prepend=0.0) > 1.0
    state = Latch(2.0, 1.0).process(t, np.ones(45, bool), np.zeros(45, bool), fresh)
    assert t[np.argmax(state)] == pytest.approx(62.0)


@given(CUTS, st.integers(0, 2**32 - 1))
def test_latch_does_not_depend_on_cuts(cuts, seed):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.choice([0.2, 0.2, 0.2, 0.2, 3.0], size=400))
    level = np.cumsum(rng.normal(size=400))
    on, off, fresh = level > 1.0, level < -1.0, np.diff(t, prepend=-9.0) > 1.0
    latch = Latch(1.0, 0.6)
    parts = [latch.process(t[p], on[p], off[p], fresh[p]) for p in pieces(400, cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), Latch(1.0, 0.6).process(t, on, off, fresh))


@given(CUTS, st.integers(0, 2**16))
def test_a_latch_does_not_depend_on_cuts_nor_does_since_when(cuts, seed):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.choice([0.1, 0.2], 400))
    on, off = (np.repeat(rng.random(40) < 0.5, 10) for _ in range(2))
    fresh = rng.random(400) < 0.01
    whole, cut = Latch(1.5, 0.7), Latch(1.5, 0.7)
    state = whole.process(t, on, off, fresh)
    parts = [(cut.process(t[p], on[p], off[p], fresh[p]), cut.since_s) for p in pieces(400, cuts)]
    assert np.concatenate([part for part, _ in parts]).tolist() == state.tolist()
    assert np.concatenate([since for _, since in parts]).tolist() == whole.since_s.tolist()
