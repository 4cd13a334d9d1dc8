"""What the wearer does, from made-up bodies with a known answer; for recordings see test_counted_recordings.py."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import RATE_HZ, angle_block, cut, times, without
from tiltwise.detect.activity import ActivityDetector, ActivitySettings
from tiltwise.types import ACTIVITIES, Activity, ActivityChanged, AngleBlock


def share(codes, activity: Activity) -> float:
    return float(np.mean(codes == ACTIVITIES.index(activity)))


def steps(t, rms_m_s2: float, step_hz: float):
    """Vertical acceleration of walking: the step and half as much of its first harmonic."""
    phase = 2 * np.pi * step_hz * t
    return rms_m_s2 * np.sqrt(2 / 1.25) * (np.sin(phase) + 0.5 * np.sin(2 * phase + 1.0))


@pytest.mark.parametrize("step_hz", [1.4, 1.8, 2.2, 2.5])
@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_walking_is_told_within_five_seconds_of_its_start(step_hz, rate_hz):
    t = times(40.0, rate_hz)
    up = np.where((t >= 10) & (t < 30), steps(t, 1.0, step_hz), 0.0)
    codes, events = ActivityDetector().process(angle_block(t, up_acc_m_s2=up))
    walked = [e.t_s for e in events if e.activity is Activity.WALKING]
    assert len(walked) == 1
    assert [e.since_s for e in events if e.activity is Activity.WALKING] == [pytest.approx(10.0, abs=2.0)]
    assert 12.0 <= walked[0] <= 15.0  # the dwell is 2 s
    assert share(codes[(t >= 15) & (t < 30)], Activity.WALKING) == 1.0
    assert share(codes[t >= 35], Activity.WALKING) == 0.0  # the dwell is 1.5 s, the window 1.5 s


@pytest.mark.parametrize("frequency_hz", [0.5, 0.8, 5.0, 7.0])
def test_shaking_that_is_not_at_step_frequency_is_not_walking(frequency_hz):
    t = times(60.0)
    codes, _ = ActivityDetector().process(
        angle_block(t, up_acc_m_s2=1.0 * np.sin(2 * np.pi * frequency_hz * t))
    )
    assert share(codes, Activity.WALKING) == 0.0


def test_sitting_and_breathing_is_still_and_worn_for_an_hour():
    codes, events = ActivityDetector().process(angle_block(times(3600.0), flexion_deg=25.0))
    assert events == [ActivityChanged(0.0, Activity.STILL)]
    assert share(codes, Activity.STILL) == 1.0


def test_looking_around_is_moving():
    t = times(40.0)
    turn = np.where((t > 10) & (t < 30), 40 * np.sin(2 * np.pi * 0.4 * t), 0.0)
    codes, _ = ActivityDetector().process(angle_block(t, rotation_deg=turn))
    assert share(codes[(t > 13) & (t < 30)], Activity.MOVING) == 1.0
    assert share(codes[t > 37], Activity.STILL) == 1.0


@pytest.mark.parametrize(
    ("flexion_deg", "lateral_deg"), [(-90.0, 0.0), (-70.0, 10.0), (-48.0, 0.0), (0.0, 75.0)]
)
def test_lying_on_the_back_or_on_a_side_is_lying(flexion_deg, lateral_deg):
    t = times(60.0)
    codes, events = ActivityDetector().process(
        angle_block(t, flexion_deg=flexion_deg, lateral_deg=lateral_deg)
    )
    assert [e.activity for e in events] == [Activity.STILL, Activity.LYING]
    assert events[1].t_s == pytest.approx(10.0, abs=0.5)
    assert events[1].since_s == pytest.approx(0.0, abs=0.5)
    assert share(codes[t > 11], Activity.LYING) == 1.0


def test_face_down_looks_like_a_deep_bend_and_is_lying_after_two_minutes():
    t = times(200.0)
    _, events = ActivityDetector().process(angle_block(t, flexion_deg=86.0))
    assert [e.activity for e in events] == [Activity.STILL, Activity.LYING]
    assert events[1].t_s == pytest.approx(120.0, abs=0.5)


@pytest.mark.parametrize("chin_deg", [-20.0, 0.0, 20.0])
def test_on_a_side_with_the_chin_down_is_lying_at_once(chin_deg):
    t = times(60.0)
    tilt = np.clip(30.0 * (t - 5.0), 0.0, 78.0)  # lies down sideways in three seconds
    block = angle_block(t, flexion_deg=chin_deg * tilt / 78.0, lateral_deg=tilt)
    hidden = np.where(block.inclination_deg > 80.0, np.nan, block.lateral_deg)  # as AnglesStage gives it
    # The flexion of somebody on a side is about any angle.
    block = replace(
        block, lateral_deg=hidden, flexion_deg=np.where(np.isnan(hidden), 70.0, block.flexion_deg)
    )
    codes, _ = ActivityDetector().process(block)
    assert share(codes[t > 20], Activity.LYING) == 1.0


def nodding(t, size_deg: float, at_hz: float, bent_deg: float, lever_m: float = 0.15):
    """A seated head that nods as it writes, and what its own turning does to a sensor above the neck's base."""
    angle = bent_deg + size_deg * np.sin(2 * np.pi * at_hz * t)
    height = lever_m * np.cos(np.radians(angle))
    return angle, np.gradient(np.gradient(height, t), t)


@pytest.mark.parametrize("at_hz", [1.5, 2.0, 2.6])
def test_writing_with_a_bent_nodding_head_is_not_walking(at_hz):
    t = times(140.0)
    flexion, up = nodding(t, 4.0, at_hz, 57.0)
    assert np.sqrt(np.mean(up**2)) > 0.5  # as much as slow steps
    codes, _ = ActivityDetector().process(angle_block(t, flexion_deg=flexion, up_acc_m_s2=up))
    assert share(codes, Activity.WALKING) == 0.0


def test_a_knee_that_bounces_under_a_bent_head_is_not_walking():
    t = times(120.0)
    up = -0.007 * (2 * np.pi * 1.6) ** 2 * np.sin(2 * np.pi * 1.6 * t)
    codes, _ = ActivityDetector().process(angle_block(t, flexion_deg=35.0, up_acc_m_s2=up))
    assert share(codes, Activity.STILL) == 1.0


@pytest.mark.parametrize(("swing", "expected"), [(0.0, 0.0), (0.9, 1.0)])
def test_weak_steps_swing_a_head_and_a_bouncing_knee_only_lifts_it(swing, expected):
    t = times(60.0)
    up = steps(t, 0.6, 1.7)
    block = angle_block(t, up_acc_m_s2=up)
    across = swing * steps(t + 0.2, 0.6, 1.7)
    block = replace(block, acc_norm_m_s2=np.hypot(9.80665 + up, across))
    codes, _ = ActivityDetector().process(block)
    assert share(codes[t > 6], Activity.WALKING) == expected


def test_walking_with_the_head_bent_over_a_phone_is_walking():
    t = times(60.0)
    block = angle_block(t, flexion_deg=40.0 + 2 * np.sin(2 * np.pi * 1.8 * t), up_acc_m_s2=steps(t, 1.6, 1.8))
    codes, _ = ActivityDetector().process(block)
    assert share(codes[t > 5], Activity.WALKING) == 1.0


@pytest.mark.parametrize("flexion_deg", [-35.0, 45.0, 60.0, 70.0])
def test_a_head_thrown_back_or_bent_over_a_phone_is_not_lying(flexion_deg):
    codes, _ = ActivityDetector().process(angle_block(times(120.0), flexion_deg=flexion_deg))
    assert share(codes, Activity.LYING) == 0.0


def test_without_axes_only_a_horizontal_neck_is_lying():
    block = angle_block(times(60.0), flexion_deg=-70.0)
    codes, _ = ActivityDetector(has_axes=False).process(block)
    assert share(codes, Activity.LYING) == 0.0
    flat, _ = ActivityDetector(has_axes=False).process(angle_block(times(60.0), flexion_deg=-90.0))
    assert share(flat[1000:], Activity.LYING) == 1.0


@pytest.mark.parametrize("lateral_deg", [0.0, 45.0])
def test_a_sensor_on_a_table_is_not_worn_and_comes_back(lateral_deg):
    rng = np.random.default_rng(7)
    t = times(120.0)
    off = (t >= 30) & (t < 80)
    carried = ((t >= 29) & (t < 30)) | ((t >= 80) & (t < 83))
    body = 0.5 * np.sin(2 * np.pi * 0.25 * t)
    noise = rng.normal(scale=0.005, size=len(t))
    flexion = np.where(off, 33.0 + noise, body + np.where(carried, 30 * np.sin(5 * t), 0.0))
    block = angle_block(t, flexion_deg=flexion, lateral_deg=np.where(off, lateral_deg, 0.0), ripple_deg=0.0)
    codes, events = ActivityDetector().process(block)
    took = [e.t_s for e in events if e.activity is Activity.NOT_WORN]
    assert len(took) == 1
    assert 45.0 <= took[0] <= 49.0  # 2 s of comparison and 15 s of dwell after 30 s
    assert [e.since_s for e in events if e.activity is Activity.NOT_WORN] == [pytest.approx(30.0, abs=0.5)]
    assert share(codes[(t > 50) & (t < 80)], Activity.NOT_WORN) == 1.0
    assert share(codes[t > 88], Activity.NOT_WORN) == 0.0


def test_a_bump_against_the_table_does_not_put_the_sensor_on():
    t = times(60.0)
    bump = np.where((t > 40) & (t < 40.3), 3.0, 0.0)
    codes, _ = ActivityDetector().process(angle_block(t, flexion_deg=bump, ripple_deg=0.0))
    assert share(codes[t > 20], Activity.NOT_WORN) == 1.0


def test_unknown_angles_do_not_poison_what_follows():
    t = times(60.0)
    block = angle_block(t, up_acc_m_s2=np.where(t > 20, steps(t, 1.0, 1.8), 0.0))
    hole = np.arange(len(t)) % 500 == 250
    values = {
        name: np.where(hole, np.nan, getattr(block, name)) for name in ("inclination_deg", "up_acc_m_s2")
    }
    holed = AngleBlock(
        t,
        values["inclination_deg"],
        block.flexion_deg,
        block.lateral_deg,
        block.rotation_deg,
        block.rate_deg_s,
        values["up_acc_m_s2"],
        block.acc_norm_m_s2,
    )
    codes, _ = ActivityDetector().process(holed)
    assert share(codes[t > 25], Activity.WALKING) == 1.0


def test_a_first_block_without_samples_says_nothing():
    codes, events = ActivityDetector().process(angle_block(np.empty(0)))
    assert len(codes) == 0
    assert events == []


@settings(max_examples=25)
@given(st.lists(st.integers(0, round(90 * RATE_HZ)), max_size=12), st.integers(0, 2**32 - 1))
def test_any_cut_gives_the_same_codes_and_events(cuts, seed):
    rng = np.random.default_rng(seed)
    t = times(90.0)
    up = np.where((t > 20) & (t < 40), steps(t, 0.6, 1.7), 0.0) + rng.normal(scale=0.2, size=len(t))
    flexion = np.where((t > 45) & (t < 70), 20.0, 20 * np.sin(t))
    block = angle_block(t, flexion_deg=flexion, up_acc_m_s2=up, ripple_deg=0.0)
    block = without(block, 55.0, 55.0 + 3 * rng.random())
    codes, events = ActivityDetector().process(block)
    detector = ActivityDetector()
    parts = [detector.process(piece) for piece in cut(block, cuts)]
    np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), codes)
    assert [e for p in parts for e in p[1]] == events


@pytest.mark.parametrize(
    ("angle", "begins_deg", "ends_deg", "way"),
    [("lateral_deg", 60.0, 45.0, 1), ("lateral_deg", 60.0, 45.0, -1), ("flexion_deg", 45.0, 30.0, -1)],
)
def test_lying_begins_at_its_angle_and_ends_fifteen_degrees_before_it(angle, begins_deg, ends_deg, way):
    """Who props up on an elbow for a moment has not got up."""
    t = times(100.0)
    for deg, back_deg, lies, lies_at_last in (
        (begins_deg - 1, 0.0, 0.0, 0.0),
        (begins_deg + 1, ends_deg + 1, 1.0, 1.0),
        (begins_deg + 1, ends_deg - 1, 1.0, 0.0),
    ):
        held = way * np.select([t < 5, t < 60], [0.0, deg], back_deg)
        codes, _ = ActivityDetector().process(angle_block(t, ripple_deg=0.1, **{angle: held}))
        assert share(codes[(t > 25) & (t < 60)], Activity.LYING) == lies, (deg, back_deg)
        assert share(codes[t > 70], Activity.LYING) == lies_at_last, (deg, back_deg)


def test_what_lies_flat_is_told_from_a_sleeper_after_two_minutes_without_a_breath():
    t = times(150.0)
    _, events = ActivityDetector().process(angle_block(t, flexion_deg=-85.0, ripple_deg=0.0))
    assert [e.activity for e in events] == [Activity.STILL, Activity.LYING, Activity.NOT_WORN]
    assert [e.t_s for e in events[1:]] == pytest.approx([10.0, 122.0], abs=0.5)
    _, asleep = ActivityDetector().process(angle_block(t, flexion_deg=-85.0, ripple_deg=0.1))
    assert [e.activity for e in asleep] == [Activity.STILL, Activity.LYING]


@pytest.mark.parametrize(
    ("dwell", "seconds", "activity", "begins"),
    [
        ("lie_on_s", 10.0, Activity.LYING, True),
        ("lie_off_s", 3.0, Activity.LYING, False),
        ("move_on_s", 1.0, Activity.MOVING, True),
        ("move_off_s", 2.0, Activity.MOVING, False),
        ("walk_off_s", 1.5, Activity.WALKING, False),
    ],
)
def test_an_activity_begins_and_ends_so_long_after_it_looks_so(dwell, seconds, activity, begins):
    """Against the same detector that believes what it sees at once."""
    t = times(80.0)
    inside = (t >= 20) & (t < 50)
    turning = 40 * np.sin(2 * np.pi * 0.4 * t)
    block = angle_block(
        t,
        lateral_deg=np.where(inside, 70.0, 0.0) if activity is Activity.LYING else 0.0,
        rotation_deg=np.where(inside, turning, 0.0) if activity is Activity.MOVING else 0.0,
        up_acc_m_s2=np.where(inside, steps(t, 1.0, 1.8), 0.0) if activity is Activity.WALKING else 0.0,
    )

    def change_s(setting: ActivitySettings) -> float:
        codes, _ = ActivityDetector(setting).process(block)
        is_so = np.flatnonzero(codes == ACTIVITIES.index(activity))
        return float(t[is_so[0]] if begins else t[is_so[-1]])

    setting = ActivitySettings()
    waited_s = change_s(setting) - change_s(replace(setting, **{dwell: 0.0}))
    assert waited_s == pytest.approx(seconds, abs=0.21)  # it decides five times a second
