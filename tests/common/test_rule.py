"""The sustained-posture rule: every transition, the impossible ones, and what holds for any input."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltwise.common import rule
from tiltwise.common.rule import ALERT, ENDED, INTERRUPTED, NOTHING, STARTED, SustainedRule

NAN = math.nan
# 30 deg in, 25 deg out, alert after 1000 ms, corrected after 300 ms, gaps up to 500 ms, dips up to 300 ms.
LIMITS = (30.0, 25.0, 1000, 300, 500, 300)
HIGH_DEG, MIDDLE_DEG, LOW_DEG = 35.0, 27.0, 10.0


def feed(made, samples):
    """Return [(t_ms, result)] of all results that are not NOTHING."""
    results = [(t_ms, made.step(t_ms, angle)) for t_ms, angle in samples]
    return [(t_ms, result) for t_ms, result in results if result != NOTHING]


def every_100_ms(*runs):
    """Return samples [(t_ms, angle)] of runs of (number of samples, angle)."""
    angles = [angle for n, angle in runs for _ in range(n)]
    return [(100 * k, angle) for k, angle in enumerate(angles)]


# How to come to each state, with the last sample at 0 ms or later, and at which time.
PATHS = {
    rule.UPRIGHT: [],
    rule.HELD: [(0, HIGH_DEG)],
    rule.ALERTED: [(0, HIGH_DEG), (500, HIGH_DEG), (1000, HIGH_DEG)],
    rule.EASING: [(0, HIGH_DEG), (500, HIGH_DEG), (700, LOW_DEG)],
    rule.EASING_ALERTED: [(0, HIGH_DEG), (500, HIGH_DEG), (1000, HIGH_DEG), (1100, LOW_DEG)],
}
# A sample of each kind after the path, as (milliseconds later, angle, recovery_ms).
SAMPLES = {
    rule.UNKNOWN: (100, NAN, 300),
    rule.LOST: (501, HIGH_DEG, 300),
    rule.RECOVERED: (400, LOW_DEG, 300),
    rule.LOW: (100, LOW_DEG, 300),
    rule.DUE: (500, HIGH_DEG, 300),
    rule.HIGH: (100, HIGH_DEG, 300),
    rule.MIDDLE: (100, MIDDLE_DEG, 300),
}
# Kinds that a state does not tell apart: what it takes the sample for instead.
SEEN_AS = {
    (rule.UPRIGHT, rule.LOST): rule.HIGH,
    (rule.UPRIGHT, rule.RECOVERED): rule.LOW,
    (rule.UPRIGHT, rule.DUE): rule.HIGH,
    (rule.UPRIGHT, rule.MIDDLE): rule.LOW,  # hysteresis begins with the alert
    (rule.HELD, rule.MIDDLE): rule.LOW,
    (rule.EASING, rule.MIDDLE): rule.LOW,
    (rule.HELD, rule.RECOVERED): rule.LOW,  # no time low yet; see the test without recovery time
    (rule.ALERTED, rule.RECOVERED): rule.LOW,
    (rule.ALERTED, rule.DUE): rule.HIGH,
    (rule.EASING_ALERTED, rule.DUE): rule.HIGH,
}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("state", PATHS)
def test_every_pair_of_state_and_sample_does_what_the_table_says(state, sample):
    later_ms, angle, recovery_ms = SAMPLES[sample]
    # EASING is entered at 700 ms: a dwell of 1000 ms is over 500 ms later, unlike for the other kinds.
    made = SustainedRule(30.0, 25.0, 1000 if state != rule.HELD else 500, recovery_ms, 500, 300)
    feed(made, PATHS[state])
    assert made.state == state
    t_ms = (PATHS[state][-1][0] if PATHS[state] else 0) + later_ms
    seen = SEEN_AS.get((state, sample), sample)
    assert made._classify(t_ms, angle) == seen
    expected = rule.TRANSITIONS.get((state, seen), (state, NOTHING))
    assert (made.step(t_ms, angle), made.state) == (expected[1], expected[0])


@pytest.mark.parametrize("state", [rule.HELD, rule.ALERTED])
def test_without_recovery_time_the_first_low_sample_ends(state):
    made = SustainedRule(30.0, 25.0, 1000, 0, 500, 0)
    feed(made, PATHS[state])
    t_ms = PATHS[state][-1][0] + 100
    assert made.step(t_ms, LOW_DEG) == ENDED
    assert made.state == rule.UPRIGHT
    assert made.end_ms == t_ms


def test_table_lists_every_change_once_and_no_dead_state():
    reached = {state for state, _ in rule.TRANSITIONS.values()}
    assert reached == set(PATHS)
    assert {state for state, _ in rule.TRANSITIONS} == set(PATHS)
    assert rule.UNKNOWN not in {sample for _, sample in rule.TRANSITIONS}
    # Results belong to changes of one sort: opening, alerting, closing.
    for (state, _), (new, result) in rule.TRANSITIONS.items():
        assert (result == STARTED) == (state == rule.UPRIGHT)
        assert (result in (ENDED, INTERRUPTED)) == (new == rule.UPRIGHT)
        assert (result == ALERT) == (state in (rule.HELD, rule.EASING) and new == rule.ALERTED)


def test_held_posture_alerts_once_and_ends_where_the_correction_began():
    made = SustainedRule(*LIMITS)
    samples = every_100_ms((5, LOW_DEG), (8, HIGH_DEG), (1, 40.0), (20, HIGH_DEG), (10, LOW_DEG))
    assert feed(made, samples) == [(500, STARTED), (1500, ALERT), (3700, ENDED)]
    assert (made.start_ms, made.alert_ms, made.end_ms, made.peak_deg) == (500, 1500, 3400, 40.0)


def test_short_glance_down_never_alerts():
    made = SustainedRule(*LIMITS)
    assert feed(made, every_100_ms((9, HIGH_DEG), (9, LOW_DEG))) == [(0, STARTED), (1200, ENDED)]
    assert made.alert_ms is None


def test_short_look_up_does_not_restart_the_wait():
    made = SustainedRule(*LIMITS)
    samples = every_100_ms((6, HIGH_DEG), (3, LOW_DEG), (6, HIGH_DEG))
    assert feed(made, samples) == [(0, STARTED), (1000, ALERT)]
    assert made.start_ms == 0


def test_alert_waits_for_the_end_of_a_dip():
    made = SustainedRule(*LIMITS)
    samples = every_100_ms((9, HIGH_DEG), (2, MIDDLE_DEG), (3, HIGH_DEG))
    assert feed(made, samples) == [(0, STARTED), (1100, ALERT)]


def test_before_the_alert_between_exit_and_enter_is_not_held():
    made = SustainedRule(*LIMITS)
    assert feed(made, every_100_ms((20, MIDDLE_DEG))) == []
    assert feed(made, [(2000, HIGH_DEG), (2400, MIDDLE_DEG), (2700, MIDDLE_DEG), (3000, HIGH_DEG)]) == [
        (2000, STARTED),
        (2700, ENDED),
        (3000, STARTED),
    ]


def test_after_the_alert_between_exit_and_enter_keeps_the_episode():
    made = SustainedRule(*LIMITS)
    samples = every_100_ms((11, HIGH_DEG), (20, MIDDLE_DEG), (2, LOW_DEG), (20, MIDDLE_DEG), (4, LOW_DEG))
    assert feed(made, samples) == [(0, STARTED), (1000, ALERT), (5600, ENDED)]
    assert made.end_ms == 5300


def test_limits_themselves_count_as_held():
    made = SustainedRule(*LIMITS)
    assert made.step(0, 30.0) == STARTED
    assert made.step(400, 30.0) == NOTHING
    assert made.step(800, 30.0) == NOTHING
    assert made.step(1000, 30.0) == ALERT
    assert made.step(1100, 25.0) == NOTHING
    assert made.state == rule.ALERTED


def test_unknown_angles_are_a_gap_that_is_noticed_while_it_lasts():
    made = SustainedRule(*LIMITS)
    samples = every_100_ms((3, HIGH_DEG), (10, NAN), (3, HIGH_DEG))
    assert feed(made, samples) == [(0, STARTED), (800, INTERRUPTED), (1300, STARTED)]
    assert made.start_ms == 1300


def test_a_short_run_of_unknown_angles_changes_nothing():
    made = SustainedRule(*LIMITS)
    assert feed(made, every_100_ms((6, HIGH_DEG), (4, NAN), (2, HIGH_DEG))) == [(0, STARTED), (1000, ALERT)]


def test_gap_ends_at_the_last_known_angle():
    made = SustainedRule(*LIMITS)
    assert feed(made, [(0, HIGH_DEG), (500, HIGH_DEG), (1001, HIGH_DEG)]) == [
        (0, STARTED),
        (1001, INTERRUPTED),
    ]
    assert (made.end_ms, made.alert_ms) == (500, None)


def test_time_that_goes_back_is_a_gap():
    made = SustainedRule(*LIMITS)
    assert feed(made, [(5000, HIGH_DEG), (5100, HIGH_DEG), (20, HIGH_DEG)]) == [
        (5000, STARTED),
        (20, INTERRUPTED),
    ]
    assert made.end_ms == 5100


def test_close_ends_an_open_episode_only():
    made = SustainedRule(*LIMITS)
    assert made.close() == NOTHING
    feed(made, [(0, HIGH_DEG), (300, HIGH_DEG)])
    assert made.close() == INTERRUPTED
    assert (made.end_ms, made.is_open) == (300, False)
    assert made.close() == NOTHING


def test_reset_forgets():
    made = SustainedRule(*LIMITS)
    feed(made, PATHS[rule.EASING_ALERTED])
    made.reset()
    assert vars(made) == vars(SustainedRule(*LIMITS))


@pytest.mark.parametrize(
    "arguments",
    [
        (25, 30, 1, 1, 1),
        (30, 25, -1, 1, 1),
        (30, 25, 1, -1, 1),
        (30, 25, 1, 1, 0),
        (30, 25, 1, 1, 1, -1),
        (NAN, 25, 1, 1, 1),
    ],
)
def test_impossible_limits_are_refused(arguments):
    with pytest.raises(ValueError, match=r"deg is above|expected dwell"):
        SustainedRule(*arguments)


angles = st.one_of(st.sampled_from([HIGH_DEG, MIDDLE_DEG, LOW_DEG, NAN, 30.0, 25.0]), st.floats(-90, 90))
steps = st.lists(st.tuples(st.integers(0, 700), angles), max_size=60)
limits = st.tuples(st.integers(0, 2000), st.integers(0, 800), st.integers(1, 900), st.integers(0, 800))


def timed(moves, start_ms=0):
    """Return [(t_ms, angle)] of [(milliseconds since the last, angle)]."""
    samples = []
    for step_ms, angle in moves:
        start_ms += step_ms
        samples.append((start_ms, angle))
    return samples


@given(steps, limits)
@settings(max_examples=300)
def test_episodes_are_whole_and_in_order_for_any_input(moves, times):
    made = SustainedRule(30.0, 25.0, *times)
    dwell_ms, _, max_gap_ms, _ = times
    open_since = alerted = last_known = None
    low_since = None
    previous_end = -1
    for t_ms, angle in timed(moves):
        result = made.step(t_ms, angle)
        if result == STARTED:
            assert open_since is None
            assert angle >= 30.0
            assert made.start_ms == t_ms >= previous_end
            open_since, alerted = t_ms, False
        elif result == ALERT:
            assert not alerted
            assert angle >= 30.0
            assert t_ms - open_since >= dwell_ms
            alerted = True
        elif result == ENDED:
            assert angle < (25.0 if alerted else 30.0)
            assert made.end_ms == (t_ms if low_since is None else low_since)
        elif result == INTERRUPTED:
            assert t_ms - last_known > max_gap_ms
            assert made.end_ms == last_known
        if result in (ENDED, INTERRUPTED):
            assert open_since is not None
            assert (made.alert_ms is not None) == alerted
            assert made.start_ms <= made.end_ms <= t_ms
            assert made.peak_deg >= 30.0
            previous_end, open_since = made.end_ms, None
        assert made.is_open == (open_since is not None)
        if not math.isnan(angle):
            last_known = t_ms
            is_low = made.is_open and angle < (25.0 if alerted else 30.0)
            low_since = (t_ms if low_since is None else low_since) if is_low else None


@given(steps, limits, st.integers(-(10**12), 10**12))
@settings(max_examples=100)
def test_the_origin_of_time_does_not_matter(moves, times, shift_ms):
    here, there = (SustainedRule(30.0, 25.0, *times) for _ in range(2))
    expected = [(t_ms + shift_ms, result) for t_ms, result in feed(here, timed(moves))]
    assert feed(there, timed(moves, shift_ms)) == expected


@given(steps, limits)
@settings(max_examples=100)
def test_repeating_a_sample_changes_nothing_but_pending_results(moves, times):
    # Two equal samples at one time: the second may alert or start what the first could not, never undo anything.
    once, twice = (SustainedRule(30.0, 25.0, *times) for _ in range(2))
    kinds_once = [result for _, result in feed(once, timed(moves))]
    kinds_twice = [result for _, result in feed(twice, [s for s in timed(moves) for _ in range(2)])]
    order = {STARTED: (ALERT, ENDED, INTERRUPTED), ALERT: (ENDED, INTERRUPTED)}
    for kinds in (kinds_once, kinds_twice):
        for a, b in pairwise(kinds):
            assert b in order.get(a, (STARTED,))
    if once.is_open:
        assert twice.is_open
