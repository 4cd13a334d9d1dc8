"""The dose rule against the table of ISO 11226, and on postures whose alert anybody can work out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltwise.common import dose
from tiltwise.common.dose import FULL, HEAD, TRUNK, DoseRule
from tiltwise.common.rule import ALERT, ENDED, INTERRUPTED, NOTHING, STARTED
from tiltwise.report.aggregate import iso_11226_limit_min
from tiltwise.types import Mount

NAN = float("nan")
STEP_MS = 100
MINUTE = 60_000


def fed(made, *stretches, start_ms=0):
    """Step (milliseconds, angle) after each other, ten times a second; return [(t_ms, result)] without NOTHING."""
    t_ms, found = start_ms, []
    for length_ms, angle in stretches:
        for _ in range(length_ms // STEP_MS):
            t_ms += STEP_MS
            if result := made.step(t_ms, angle):
                found.append((t_ms, result))
    return found


def rule_of(limits=HEAD):
    return DoseRule(limits, 3000, 3000)


# ISO 11226:2000, head inclination: minutes and seconds as the standard prints them.
@pytest.mark.parametrize(
    ("deg", "said"),
    [
        (25, "8:00"),
        (35, "6:50"),
        (45, "5:40"),
        (55, "4:30"),
        (65, "3:20"),
        (75, "2:10"),
        (85, "1:00"),
        (110, "1:00"),
    ],
)
def test_holding_times_of_the_head_are_those_of_the_standard(deg, said):
    minutes, seconds = map(int, said.split(":"))
    allowed_ms = dose.allowed_ms(HEAD, 10 * deg)
    assert allowed_ms == 1000 * (60 * minutes + seconds)
    ((_, started), (alert_ms, alert)) = fed(rule_of(), (allowed_ms + 2000, float(deg)))
    assert (started, alert) == (STARTED, ALERT)
    assert alert_ms == pytest.approx(allowed_ms, rel=0.002)  # whole units a millisecond


def test_angles_between_whole_degrees_are_on_the_average_not_late():
    degrees = (25.08, 30.37, 36.29, 42.06, 50.78, 63.95)
    late_ms = []
    for deg in degrees:
        exactly_ms = 480_000 - 7_000 * (deg - 25)
        (_, (alert_ms, _)) = fed(rule_of(), (round(exactly_ms) + 3000, deg))
        late_ms.append(alert_ms - exactly_ms)
    # The first sample counts nothing and the last one more than it needs: a step and a half, on the average.
    assert abs(np.mean(late_ms) - 1.5 * STEP_MS) < STEP_MS
    assert np.max(np.abs(late_ms)) < 500


@pytest.mark.parametrize(("deg", "seconds"), [(20, 240), (30, 195), (40, 150), (50, 105), (60, 60)])
def test_holding_times_of_the_trunk_are_those_of_the_standard(deg, seconds):
    assert dose.allowed_ms(TRUNK, 10 * deg) == 1000 * seconds


def test_the_report_and_the_rule_use_the_same_holding_times():
    deg = np.arange(0.0, 95.0, 0.5)
    for mount in (Mount.HEAD, Mount.COLLAR):
        limits = dose.limits_of(mount)
        ours = [dose.allowed_ms(limits, round(10 * d)) for d in deg.tolist()]
        ours_min = np.array([np.inf if ms is None else ms / MINUTE for ms in ours])
        np.testing.assert_allclose(ours_min, iso_11226_limit_min(deg, mount), atol=1e-4)


def test_below_the_first_angle_nothing_ever_alerts():
    made = rule_of()
    assert fed(made, (60 * MINUTE, 24.9)) == []
    assert made.dose == 0


def test_a_step_fills_the_rounded_share_of_the_holding_time():
    for tenths in range(250, 860):
        made = rule_of()
        made.step(0, tenths / 10)
        made.step(STEP_MS, tenths / 10)
        assert made.dose == STEP_MS * round(FULL / dose.allowed_ms(HEAD, tenths))


def test_glances_up_do_not_empty_the_dose_and_equal_rest_does():
    made = rule_of()
    # 4 min at 25 deg are half a dose, 20 s of rest give 20 s back, 4:20 more fill it.
    found = fed(made, (4 * MINUTE, 25.0), (20_000, 5.0), (5 * MINUTE, 25.0))
    alert_ms = next(t for t, result in found if result == ALERT)
    assert alert_ms == pytest.approx(4 * MINUTE + 20_000 + 4 * MINUTE + 20_000, abs=500)
    assert [result for _, result in found] == [STARTED, ENDED, STARTED, ALERT]
    rested = rule_of()
    assert ALERT not in [
        r for _, r in fed(rested, (4 * MINUTE, 25.0), (4 * MINUTE, 5.0), (8 * MINUTE - 500, 25.0))
    ]


def test_what_was_filled_fast_is_recovered_in_as_much_time():
    made = rule_of()
    fed(made, (30_000, 85.0))
    assert made.dose == pytest.approx(FULL / 2, rel=0.01)
    assert made.filled == pytest.approx(0.5, rel=0.01)
    fed(made, (15_000, 0.0), start_ms=30_000)
    assert made.dose == pytest.approx(FULL / 4, rel=0.02)
    fed(made, (15_100, 0.0), start_ms=45_000)
    assert (made.dose, made.loaded_ms, made.is_idle) == (0, 0, True)


def test_between_recovery_and_the_first_angle_the_dose_stays():
    made = rule_of()
    fed(made, (2 * MINUTE, 30.0))
    before = made.dose
    fed(made, (5 * MINUTE, 22.0), start_ms=2 * MINUTE)
    assert made.dose == before > 0
    assert made.is_open


def test_an_angle_that_trembles_about_the_first_fills_as_long_as_it_is_beyond():
    """Half of the time at 25 deg, a sample beyond and one below in turn: the dose fills in twice the time."""
    made = rule_of()
    for k in range(2400):
        made.step(100 * k, 25.0 if k % 2 else 24.0)
    assert made.loaded_ms == 119_900  # the first sample only begins it
    assert made.dose == pytest.approx(FULL / 4, rel=0.001)
    for k in range(2400, 3600):
        made.step(100 * k, 19.0 if k % 2 else 21.0)
    assert made.loaded_ms == 59_900


def test_one_alert_until_half_is_recovered():
    made = rule_of()
    glances = [(2 * MINUTE, 40.0), (10_000, 0.0)] * 10
    assert [r for _, r in fed(made, *glances)].count(ALERT) == 1
    assert made.dose > dose.ARMED_BELOW
    again = fed(made, (4 * MINUTE, 0.0), (7 * MINUTE, 40.0), start_ms=22 * MINUTE)
    assert [r for _, r in again].count(ALERT) == 1


def test_a_hole_counts_for_nothing_and_a_long_one_begins_anew():
    made = rule_of()
    fed(made, (2 * MINUTE, 45.0))
    before = made.dose
    assert made.step(2 * MINUTE + 5 * MINUTE, 45.0) == INTERRUPTED
    assert made.dose == before
    assert made.step(16 * MINUTE, 45.0) in (INTERRUPTED, STARTED, NOTHING)
    assert (made.dose, made.loaded_ms) == (0, 0)


def test_an_unknown_angle_neither_fills_nor_recovers():
    made = rule_of()
    fed(made, (MINUTE, 45.0))
    before = made.dose
    fed(made, (2000, NAN), start_ms=MINUTE)
    assert made.dose == before


@given(st.lists(st.tuples(st.integers(0, 4000), st.one_of(st.floats(-90, 180), st.just(NAN))), max_size=80))
@settings(max_examples=200, deadline=None)
def test_numbers_stay_small_integers_for_any_input(moves):
    made, t_ms = rule_of(), 0
    for step_ms, angle in moves:
        t_ms += step_ms
        made.step(t_ms, angle)
        assert 0 <= made.dose <= FULL < 2**30
        assert isinstance(made.dose, int)
        assert made.loaded_ms >= 0
        assert (made.dose == 0) >= (made.loaded_ms == 0)


@pytest.mark.parametrize(
    "bad", [(250, 250, 2, 1, 200), (250, 850, 1, 2, 200), (250, 850, 2, 1, 300), (1, 2, 10**9, 1, 0)]
)
def test_limits_that_contradict_each_other_are_refused(bad):
    with pytest.raises(ValueError, match="expected recovery"):
        DoseRule(bad, 3000, 3000)
