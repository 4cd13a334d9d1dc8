"""Any cut of the data gives the same orientation; nothing later changes what was said."""

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motion.imu_samples import office
from tiltwise.motion.orientation import strapdown
from tiltwise.motion.orientation.estimator import OrientationStage, estimate_motion, estimate_orientation
from tiltwise.motion.orientation.preintegration import OFFLINE_WINDOWS, WindowCutter, WindowSettings
from tiltwise.types import FloatArray, ImuBlock

ANGLE_TOLERANCE = 1e-9  # design.md: any cut of the data gives the same angles


def awkward(n: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return turning, rest, lost samples, a long gap, and clipped rates, all in one."""
    t_s, _, gyr, acc = office(n, seed, pace=3.0)
    rng = np.random.default_rng(seed)
    gyr[n // 2 : n * 2 // 3] = rng.normal(0, 0.002, (n * 2 // 3 - n // 2, 3))
    acc[n // 2 : n * 2 // 3] = acc[n // 2]
    gyr[: n // 4] = np.clip(gyr[: n // 4], -1.8, 1.8)
    keep = rng.random(n) > 0.05
    keep[n // 3 : n // 3 + 60] = False
    keep[n * 3 // 4 : n * 3 // 4 + 300] = False
    return t_s[keep], gyr[keep], acc[keep]


def stream(t_s: FloatArray, gyr: FloatArray, acc: FloatArray, cuts: list[int]) -> FloatArray:
    stage = OrientationStage()
    edges = [0, *sorted(c for c in cuts if c < len(t_s)), len(t_s)]
    parts = [
        stage.process(ImuBlock(t_s[a:b], gyr[a:b], acc[a:b])).q_earth_from_sensor
        for a, b in itertools.pairwise(edges)
    ]
    return np.concatenate(parts)


@cache
def uncut(n: int, seed: int) -> FloatArray:
    return stream(*awkward(n, seed), [])


@settings(max_examples=20)
@given(st.lists(st.integers(0, 1999), max_size=20), st.integers(0, 3))
def test_any_cut_gives_the_same_quaternions(cuts: list[int], seed: int) -> None:
    np.testing.assert_allclose(stream(*awkward(2000, seed), cuts), uncut(2000, seed), atol=ANGLE_TOLERANCE)


def test_sample_by_sample_gives_the_same_quaternions() -> None:
    data, singles = (
        awkward(1500, 4),
        list(range(350, 850)),
    )  # with the gap, lost samples and the clipped ones' end
    np.testing.assert_allclose(stream(*data, singles), uncut(1500, 4), atol=ANGLE_TOLERANCE)


def test_chunks_inside_a_long_block_do_not_show(monkeypatch) -> None:
    data = awkward(3000, 5)
    whole = estimate_orientation(*data)
    smooth = estimate_orientation(*data, offline=True)
    monkeypatch.setattr("tiltwise.motion.orientation.estimator.CHUNK", 257)
    np.testing.assert_allclose(estimate_orientation(*data), whole, atol=ANGLE_TOLERANCE)
    np.testing.assert_allclose(estimate_orientation(*data, offline=True), smooth, atol=ANGLE_TOLERANCE)


@settings(max_examples=10)
@given(st.integers(1, 2800))
def test_later_samples_change_nothing_online(length: int) -> None:
    data = awkward(3000, 6)
    part = tuple(v[:length] for v in data)
    np.testing.assert_allclose(stream(*part, []), uncut(3000, 6)[: len(part[0])], atol=ANGLE_TOLERANCE)


def test_flags_and_uncertainty_do_not_depend_on_cuts_either() -> None:
    t_s, gyr, acc = awkward(3000, 7)
    whole = estimate_motion(t_s, gyr, acc)
    stage = OrientationStage()
    parts = [
        stage.estimate(ImuBlock(t_s[k : k + 13], gyr[k : k + 13], acc[k : k + 13]))
        for k in range(0, len(t_s), 13)
    ]
    np.testing.assert_array_equal(np.concatenate([p.is_saturated for p in parts]), whole.is_saturated)
    np.testing.assert_allclose(
        np.concatenate([p.uncertainty_deg for p in parts]), whole.uncertainty_deg, atol=ANGLE_TOLERANCE
    )


@pytest.mark.parametrize(
    ("windows", "cell_rad", "windows_s"),
    [
        (WindowSettings(), 0.148, 0.5),
        (WindowSettings(), 0.152, 0.25),
        (WindowSettings(), 0.010, 1.5),
        (OFFLINE_WINDOWS, 0.296, 3.0),
        (OFFLINE_WINDOWS, 0.304, 1.5),
    ],
)
def test_window_ends_with_the_cell_in_which_it_turned_far_enough(
    windows: WindowSettings, cell_rad: float, windows_s: float
) -> None:
    """0.15 rad live, 0.3 rad offline; what is calm ends with its most cells. After the first half minute."""
    table = np.zeros((strapdown.N_ROWS, 64 * 48))
    table[strapdown.TIME] = np.arange(64 * 48) / 64  # s
    table[strapdown.STEP] = 1 / 64
    table[strapdown.TURN] = np.array([[0.6], [-0.8], [0.0]]) * cell_rad / (64 * windows.grid_s)
    found = [stop - start for start, stop, _ in WindowCutter(0.0, windows).cut(table) if start >= 64 * 33]
    assert set(found) == {64 * windows_s}
