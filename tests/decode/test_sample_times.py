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


def frames_of_ten(*periods):
    """Frames of ten samples each, one after the other, with these periods in ticks; none says anything."""
    starts = np.concatenate(([0], np.cumsum([10 * ticks for ticks in periods])[:-1]))
    return [(int(start), 10 * k, 10, False) for k, start in enumerate(starts)]


@pytest.mark.parametrize("at_once", [True, False])
def test_the_period_is_that_of_the_last_thirty_two_frames(at_once):
    frames = frames_of_ten(*[210] * 40, *[200] * 40)
    clock = SampleClock()
    pieces = [frames] if at_once else [[frame] for frame in frames]
    period_s = np.concatenate([timed(piece, clock).period_s for piece in pieces])
    assert period_s[19] == pytest.approx(PERIOD_S * (1 + 0.05 * 190 / TRUST_SAMPLES), rel=1e-12)
    assert period_s[20] == pytest.approx(PERIOD_S * 1.05, rel=1e-12)  # 200 samples are believed
    assert period_s[71] == pytest.approx(PERIOD_S * (1 + 0.05 * 1 / 32), rel=1e-12)  # one slow frame is left
    assert period_s[72] == pytest.approx(PERIOD_S, rel=1e-12)


def test_behind_a_hole_or_with_another_rate_the_period_is_measured_anew():
    frames = frames_of_ten(*[210] * 40)
    frames[30] = (*frames[30][:3], True)
    period_s = timed(frames).period_s
    assert period_s[29] == pytest.approx(PERIOD_S * 1.05, rel=1e-12)
    assert period_s[30] == PERIOD_S
    assert period_s[31] == pytest.approx(PERIOD_S * (1 + 0.05 * 10 / TRUST_SAMPLES), rel=1e-12)
    clock = SampleClock()
    timed(frames_of_ten(*[210] * 40), clock)
    ticks, i0, n = (np.array([row[k] for row in frames_of_ten(*[420] * 2)]) for k in range(3))
    faster = clock.times(
        40 * 2100 + ticks, 400 + i0, n, np.zeros(2, bool), np.full(2, 2 * PERIOD_S), offset_s=5.0
    )
    assert faster.period_s == pytest.approx([2 * PERIOD_S, 2 * PERIOD_S * (1 + 0.05 * 10 / TRUST_SAMPLES)])
    assert faster.start_s == pytest.approx([5.0 + 8.4, 5.0 + 8.82])
    assert clock.end_s == pytest.approx(5.0 + 8.82 + 10 * faster.period_s[1])
