"""A posture held too long is told by the rule, on known angles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import angle_block, cut, times, without
from tiltwise.common import rule
from tiltwise.detect.posture import GRID_HZ, DoseSettings, PostureDetector, RuleSettings
from tiltwise.types import (
    ACTIVITIES,
    Activity,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    PostureKind,
)

KIND = PostureKind.FORWARD_FLEXION


def run(flexion_deg, t_s, activity=None, settings=None):
    detector = PostureDetector(KIND, settings or RuleSettings())
    block = angle_block(t_s, flexion_deg=flexion_deg, ripple_deg=0.0)
    return detector.process(block, activity) + detector.finish()


def test_looking_down_for_a_minute_starts_alerts_and_ends():
    t = times(120.0)
    flexion = np.where((t >= 10) & (t < 100), 35.0, 5.0)
    started, alert, ended = run(flexion, t)
    assert started == EpisodeStarted(14.0, KIND, 10.0, 35.0)
    assert alert == EpisodeAlert(70.0, KIND, 10.0, 35.0, 60.0)
    assert ended == EpisodeEnded(103.0, KIND, 10.0, 100.0, 35.0, 70.0, True)


def test_a_glance_down_is_no_episode():
    t = times(60.0)
    assert run(np.where((t > 10) & (t < 13), 50.0, 0.0), t) == []


def test_between_the_limits_of_a_dose_that_is_left_nothing_begins():
    t = times(160.0)
    flexion = np.select(
        [(t >= 10) & (t < 100), (t >= 120) & (t < 140)], [40.0, 22.0], 5.0
    )  # recovers below 20
    started, ended = run(flexion, t, settings=DoseSettings())
    assert started == EpisodeStarted(14.0, KIND, 10.0, 40.0)
    assert (ended.start_s, ended.end_s) == (10.0, 100.0)


@pytest.mark.parametrize(("held", "alerts"), [(RuleSettings(), 1), (DoseSettings(), 0)])
@pytest.mark.parametrize("samples", [1, 5, 10])
def test_thousands_of_flips_a_minute_are_one_episode(held, alerts, samples):
    """50 deg and 0 in turn, up to 3,000 times a minute: dips that one rule forgives and the other takes back."""
    t = times(300.0)
    flexion = np.where(np.arange(len(t)) // samples % 2, 50.0, 0.0)
    events = run(flexion, t, settings=held)
    assert [type(e) for e in events] == [EpisodeStarted, *[EpisodeAlert] * alerts, EpisodeEnded]


def test_leaning_back_is_no_flexion():
    assert run(-40.0, times(120.0)) == []


def test_an_open_episode_ends_uncorrected_with_the_data():
    events = run(30.0, times(90.0))
    assert isinstance(events[-1], EpisodeEnded)
    assert not events[-1].is_corrected
    assert events[-1].end_s == pytest.approx(89.9)  # the last sample on the 10 Hz grid


def test_a_long_gap_interrupts_and_a_short_one_does_not():
    t = times(120.0)
    block = angle_block(t, flexion_deg=30.0, ripple_deg=0.0)
    short, long = PostureDetector(KIND, RuleSettings()), PostureDetector(KIND, RuleSettings())
    assert [e.t_s for e in short.process(without(block, 30.0, 32.0)) if isinstance(e, EpisodeAlert)] == [60.0]
    events = long.process(without(block, 30.0, 40.0))
    assert isinstance(events[1], EpisodeEnded)
    assert not events[1].is_corrected
    assert events[1].end_s == pytest.approx(29.9)
    assert [e.t_s for e in events if isinstance(e, EpisodeAlert)] == [pytest.approx(100.1, abs=0.11)]


@pytest.mark.parametrize("activity", [Activity.WALKING, Activity.LYING])
def test_walking_or_lying_with_a_bent_neck_does_not_alert(activity):
    t = times(200.0)
    codes = np.where((t >= 40) & (t < 150), ACTIVITIES.index(activity), 0).astype(np.int8)
    events = run(40.0, t, codes)
    assert not [e for e in events if isinstance(e, EpisodeAlert)]
    first = next(e for e in events if isinstance(e, EpisodeEnded))
    assert (first.end_s, first.is_corrected) == (40.0, True)


def test_a_sensor_taken_off_interrupts_without_an_alert():
    t = times(120.0)
    codes = np.where(t >= 40, ACTIVITIES.index(Activity.NOT_WORN), 0).astype(np.int8)
    events = run(40.0, t, codes)
    assert [type(e) for e in events] == [EpisodeStarted, EpisodeEnded]
    assert not events[-1].is_corrected


def test_an_angle_beyond_anatomy_neither_begins_an_episode_nor_alerts_nor_is_its_peak():
    """A sensor that is taken off hangs and lies at such angles until it is known to be off."""
    t = times(120.0)
    still = np.full(len(t), ACTIVITIES.index(Activity.STILL), dtype=np.int8)
    assert run(np.where(t >= 10, 101.0, 5.0), t, still) == []
    started, ended = run(np.select([t < 10, t < 40], [5.0, 35.0], 127.0), t, still)
    assert started == EpisodeStarted(14.0, KIND, 10.0, 35.0)
    assert (ended.end_s, ended.peak_deg, ended.alert_s, ended.is_corrected) == (39.9, 35.0, None, False)
    moment = run(np.where((t >= 30) & (t < 32), 127.0, 35.0), t, still)
    assert [(type(e), getattr(e, "peak_deg", 35.0)) for e in moment] == [
        (EpisodeStarted, 35.0), (EpisodeAlert, 35.0), (EpisodeEnded, 35.0)]  # fmt: skip


def test_who_moves_about_with_a_bent_neck_is_alerted_on_time():
    t = times(120.0)
    codes = np.where(t >= 20, ACTIVITIES.index(Activity.MOVING), 0).astype(np.int8)
    events = run(40.0, t, codes)
    assert [e.t_s for e in events if isinstance(e, EpisodeAlert)] == [60.0]
    assert events[-1].alert_s == 60.0


def test_an_alert_comes_again_while_the_posture_lasts_if_that_is_wanted():
    t = times(400.0)
    flexion = np.where((t >= 10) & (t < 350), 35.0, 5.0)
    events = run(flexion, t, settings=RuleSettings(repeat_s=120.0))
    assert [e.t_s for e in events if isinstance(e, EpisodeAlert)] == [70.0, 190.0, 310.0]
    assert events[-1].alert_s == 70.0


def test_an_episode_after_an_alerted_one_has_no_alert_of_its_own_until_it_is_due():
    t = times(140.0)
    flexion = np.where(((t >= 10) & (t < 80)) | ((t >= 90) & (t < 120)), 35.0, 0.0)
    first, second = (e for e in run(flexion, t) if isinstance(e, EpisodeEnded))
    assert (first.start_s, first.alert_s) == (10.0, 70.0)
    assert (second.start_s, second.end_s, second.alert_s) == (90.0, 120.0, None)


def test_a_dip_shorter_than_half_a_second_does_not_restart_the_wait():
    t = times(120.0)
    flexion = 30.0 - 12.0 * ((t % 20) < 0.4)
    assert len([e for e in run(flexion, t) if isinstance(e, EpisodeStarted)]) == 1


def test_after_the_alert_hysteresis_keeps_the_episode_over_glances_up():
    t = times(120.0)
    flexion = 30.0 - 18.0 * ((t > 70) & ((t % 20) < 2.5))
    ended = [e for e in run(flexion, t) if isinstance(e, EpisodeEnded)]
    assert len(ended) == 1
    assert ended[0].end_s > 119


def test_inclination_stands_in_for_flexion_when_the_axes_are_unknown():
    block = angle_block(times(90.0), flexion_deg=-30.0, ripple_deg=0.0)
    events = PostureDetector(KIND, RuleSettings(), has_axes=False).process(block)
    assert [type(e) for e in events] == [EpisodeStarted, EpisodeAlert]


@pytest.mark.parametrize(
    "bad",
    [{"angle_deg": 0.0}, {"angle_deg": 120.0}, {"seconds": 0.0}, {"exit_deg": 30.0}, {"max_gap_s": 0.0}],
)
def test_contradicting_numbers_are_refused(bad):
    with pytest.raises(ValueError, match=r"expected|above"):
        PostureDetector(KIND, RuleSettings(**bad))


def wandering(seed: int):
    """Two minutes of angles around the limit, with a gap, an unknown stretch and walking."""
    rng = np.random.default_rng(seed)
    t = times(120.0)
    flexion = 20.0 + np.interp(t, np.arange(0, 121, 1.5), rng.normal(scale=9.0, size=81))
    flexion[(t > 80) & (t < 80 + 5 * rng.random())] = np.nan
    codes = np.where((t > 50) & (t < 50 + 8 * rng.random()), 2, 0).astype(np.int8)
    block = angle_block(t, flexion_deg=flexion, ripple_deg=0.0)
    keep = (t < 20) | (t > 20 + 6 * rng.random())
    return without(block, 20.0, t[keep][t[keep] >= 20][0]), codes[keep]


SHORT = RuleSettings(angle_deg=20.0, seconds=8.0)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_jumping_over_quiet_stretches_equals_stepping_every_sample(seed):
    block, codes = wandering(seed)
    stepped = SHORT.to_rule()
    tick = np.floor(block.t_s * GRID_HZ + 1e-6)
    outcomes = []
    for k in np.flatnonzero(np.diff(tick, prepend=-1)):
        angle = min(block.flexion_deg[k], 14.0) if codes[k] == 2 else block.flexion_deg[k]
        result = stepped.step(round(block.t_s[k] * 1000), float(angle))
        if result == rule.ALERT:
            outcomes.append(("alert", stepped.alert_ms, stepped.start_ms))
        elif result in (rule.ENDED, rule.INTERRUPTED):
            outcomes.append(("end", stepped.end_ms, stepped.start_ms, stepped.peak_deg))
    events = PostureDetector(KIND, SHORT).process(block, codes)
    alerts = [e for e in events if isinstance(e, EpisodeAlert)]
    ends = [e for e in events if isinstance(e, EpisodeEnded)]
    assert [(a.t_s, a.start_s) for a in alerts] == [
        (o[1] / 1000, o[2] / 1000) for o in outcomes if o[0] == "alert"
    ]
    stepped_ends = {(o[1] / 1000, o[2] / 1000, o[3]) for o in outcomes if o[0] == "end"}
    # Episodes that never lasted 4 s are not announced; all others must be the stepped ones.
    assert {(e.end_s, e.start_s, e.peak_deg) for e in ends} <= stepped_ends
    assert {e for e in stepped_ends if e[1] in {a.start_s for a in alerts}} <= {
        (e.end_s, e.start_s, e.peak_deg) for e in ends
    }


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6000), max_size=12), st.integers(0, 2**32 - 1))
def test_any_cut_gives_the_same_events(cuts, seed):
    block, codes = wandering(seed)
    whole = PostureDetector(KIND, SHORT)
    expected = whole.process(block, codes) + whole.finish()
    detector = PostureDetector(KIND, SHORT)
    events, done = [], 0
    for piece in cut(block, cuts):
        events += detector.process(piece, codes[done : done + len(piece.t_s)])
        done += len(piece.t_s)
    assert events + detector.finish() == expected
