"""Filters written out here are those of scipy.signal, and may be cut anywhere."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt, sosfilt_zi, sosfiltfilt

from tiltwise import butterworth
from tiltwise.butterworth import (
    SectionFilter,
    band_pass,
    forward_backward,
    high_pass,
    low_pass,
    settled_state,
)

CUTS = st.lists(st.integers(0, 400), max_size=6)
SECTIONS = [low_pass(5.0, 50.0), high_pass(0.4, 25.0), band_pass(1.2, 3.0, 25.0)]


def noise(channels: int, n: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(3).normal(size=(channels, n)), axis=1)


@pytest.mark.parametrize("rate_hz", [25.0, 49.3, 100.0, 1000.0])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.45])
def test_low_and_high_pass_are_scipys(share, rate_hz):
    for design, kind in ((low_pass, "lowpass"), (high_pass, "highpass")):
        expected = butter(2, share * rate_hz, kind, fs=rate_hz, output="sos")
        np.testing.assert_allclose(design(share * rate_hz, rate_hz), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "rate_hz"), [(1.2, 3.0, 25.0), (0.2, 4.0, 52.0), (0.2, 4.0, 400.0)]
)
def test_band_pass_is_scipys(low_hz, high_hz, rate_hz):
    expected = butter(2, [low_hz, high_hz], "bandpass", fs=rate_hz, output="sos")
    np.testing.assert_allclose(band_pass(low_hz, high_hz, rate_hz), expected, rtol=1e-10)


@pytest.mark.parametrize("sections", SECTIONS)
def test_settled_state_is_scipys(sections):
    np.testing.assert_allclose(settled_state(sections), sosfilt_zi(sections), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sections", SECTIONS)
def test_filtering_is_scipys_short_and_long(sections, monkeypatch):
    x = noise(3, 1000)
    zi = settled_state(sections)[:, None, :] * x[None, :, :1]
    expected, _ = sosfilt(sections, x, axis=-1, zi=zi)
    filter_ = SectionFilter(sections)
    short = filter_.process(x[:, :400])
    monkeypatch.setattr(butterworth, "_LONG", 0)  # the same state goes on through scipy
    long = filter_.process(x[:, 400:])
    # To the bit on x86; where the compiler fuses multiply and add, scipy rounds once less.
    np.testing.assert_allclose(np.concatenate((short, long), axis=1), expected, rtol=1e-10, atol=1e-10)


def test_a_short_recording_does_not_wait_for_scipy():
    run = (
        "import sys, numpy as np; from tiltwise.butterworth import SectionFilter, low_pass\n"
        "filter_, block = SectionFilter(low_pass(3.0, 50.0)), np.ones((5, 20_000))\n"
        "found = [(filter_.process(block), 'scipy.signal' in sys.modules)[1] for _ in range(4)]\n"
        "print(found)"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip() == "[False, False, False, True]"
    )  # five channels of 20 minutes at 50 Hz, and more


def test_forward_backward_is_scipys():
    x, sections = noise(3, 400), band_pass(0.2, 4.0, 50.0)
    np.testing.assert_allclose(forward_backward(sections, x), sosfiltfilt(sections, x, axis=-1), atol=1e-9)


@pytest.mark.parametrize("sections", SECTIONS)
@given(cuts=CUTS)
def test_filter_does_not_depend_on_cuts(sections, cuts):
    x = noise(2, 400)
    edges = [0, *sorted(cuts), 400]
    filter_ = SectionFilter(sections)
    parts = [filter_.process(x[:, a:b]) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), SectionFilter(sections).process(x))


def test_filter_is_settled_on_its_first_sample_and_after_a_reset():
    filter_ = SectionFilter(low_pass(3.0, 50.0))
    np.testing.assert_allclose(filter_.process(np.full(50, 40.0)), 40.0, atol=1e-9)
    filter_.reset()
    np.testing.assert_allclose(filter_.process(np.full(50, -10.0)), -10.0, atol=1e-9)
