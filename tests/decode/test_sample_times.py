"""When samples were taken and where some are missing, from frames that are made up tick by tick."""

import numpy as np
import pytest

from tiltwise.decode.sample_times import TRUST_SAMPLES, SampleClock

PERIOD_S = 0.02
PERIOD_TICKS = 200  # of 0.1 ms


def timed(frames, clock=None):
    """Return the times of frames of (tick, index of the first sample, number of samples, board says so)."""
    ticks, i0, n, says_so = (np.array(column) for column in zip(*frames, strict=True))
    return (clock or SampleClock()).times(
        ticks, i0, n, says_so.astype(bool), np.full(len(ticks), PERIOD_S), 0.0
    )


@pytest.mark.parametrize(
    ("late_periods", "skipped", "says_so", "is_gap"),
    [
        (0.0, 0, False, False),
        (0.4, 0, True, False),  # the board says so, but nothing is missing
        (0.6, 0, True, True),
        (0.6, 0, False, False),  # read late, and no index is missing
        (1.9, 0, False, False),
        (2.1, 0, False, True),  # longer than late reading can be
        (1.0, 1, False, True),  # one index is missing
        (0.4, 1, False, False),
    ],
)
def test_a_gap_is_said_by_board_or_index_or_shown_by_time(late_periods, skipped, says_so, is_gap):
    next_tick = round((10 + late_periods) * PERIOD_TICKS)
    found = timed([(0, 0, 10, False), (next_tick, 10 + skipped, 10, says_so)])
    assert found.is_gap.tolist() == [False, is_gap]
    assert found.end_before_s[1] == pytest.approx(10 * PERIOD_S)
    assert found.start_s[1] == pytest.approx(next_tick * 1e-4)


def test_the_period_is_measured_from_the_first_sample_on_and_believed_step_by_step():
    """Single samples 5 % slower than they should be: after each one the measured period counts for 1/200 more."""
    slow = round(1.05 * PERIOD_TICKS)
    found = timed([(k * slow, k, 1, False) for k in range(4)])
    believed = np.arange(4) / TRUST_SAMPLES
    np.testing.assert_allclose(found.period_s, PERIOD_S * (1 + 0.05 * believed), rtol=1e-12)


def test_a_period_that_no_clock_has_is_limited_to_a_tenth():
    found = timed([(k * 2 * PERIOD_TICKS * 10, k * 10, 10, False) for k in range(32)])
    assert found.period_s[-1] == pytest.approx(1.1 * PERIOD_S)


def test_times_only_grow_though_a_frame_is_read_early():
    found = timed([(0, 0, 10, False), (round(9.2 * PERIOD_TICKS), 10, 10, False)])
    assert found.start_s[1] == pytest.approx(
        (10 - 0.5 * 0.996) * PERIOD_S
    )  # of which it has learnt 4 parts of 1000
    assert not found.is_gap[1]
