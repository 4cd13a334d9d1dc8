"""The whole chain after the decoder: cuts do not matter, gaps are told, time that goes back begins afresh."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exercise.guided.test_shrug_counter import lifted
from tiltwise.detect.posture import RuleSettings
from tiltwise.motion.calibration.mounting import mounting_from_axes, mounting_from_up
from tiltwise.motion.rotation import from_rotation_vector, rotate
from tiltwise.tracker import Tracker, TrackerSettings, track
from tiltwise.types import (
    ActivityChanged,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    ImuBlock,
    Mount,
    OrientationBlock,
    PostureKind,
    ShouldersRaised,
    SignalGap,
)

RATE_HZ = 50.0
UP, LEFT = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
GRAVITY = np.array([0.0, 0.0, 9.81])


def nodding(seconds: float, flexion_deg, *, start_s: float = 0.0, seed: int = 0) -> ImuBlock:
    """What an ideal IMU, its axes those of the body, measures during a flexion given as a function of time."""
    t = start_s + np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    flexion = np.radians(flexion_deg(t) + 0.5 * np.sin(2 * np.pi * 0.25 * t))
    q = from_rotation_vector(flexion[:, None] * LEFT)
    gyr = np.gradient(flexion, t)[:, None] * LEFT
    rng = np.random.default_rng(seed)
    acc = rotate(q * np.array([1, -1, -1, -1]), GRAVITY) + rng.normal(scale=0.004, size=(len(t), 3))
    return ImuBlock(t, gyr + rng.normal(scale=5e-4, size=(len(t), 3)), acc)


def looking_down(t):
    """Down to 40 deg at 20 s, up again at 60 s."""
    return 40.0 * np.clip((t - 20.0) / 1.5, 0, 1) - 40.0 * np.clip((t - 60.0) / 1.5, 0, 1)


def part(block, start, stop):
    if isinstance(block, ImuBlock):
        return ImuBlock(block.t_s[start:stop], block.gyr_rad_s[start:stop], block.acc_m_s2[start:stop])
    q = block.q_earth_from_sensor[start:stop]
    return OrientationBlock(block.t_s[start:stop], q, block.acc_m_s2[start:stop])


def without(block, start_s, stop_s):
    keep = np.flatnonzero((block.t_s < start_s) | (block.t_s >= stop_s))
    return ImuBlock(block.t_s[keep], block.gyr_rad_s[keep], block.acc_m_s2[keep])


def profile(mount=Mount.HEAD, **rule) -> TrackerSettings:
    return TrackerSettings(mounting_from_axes(UP, LEFT, mount=mount, axes="nod"), RuleSettings(**rule))


def events_of(profile_, blocks):
    return [event for update in track(profile_, blocks) for event in update.events]


@pytest.mark.parametrize(("mount", "n"), [(Mount.COLLAR, 1), (Mount.NECK, 0)])
def test_shoulders_that_stay_up_are_noticed_at_the_collar_only(mount, n):
    block = nodding(60.0, lambda t: 0.0 * t)
    block.acc_m_s2[:, 2] += lifted(block.t_s, [20.0], hold_s=100.0)
    found = events_of(replace(profile(mount), has_habits=True), [block])
    assert len([event for event in found if isinstance(event, ShouldersRaised)]) == n
    assert not [e for e in events_of(profile(mount), [block]) if isinstance(e, ShouldersRaised)]


def test_looking_down_gives_angles_and_an_alert_on_time():
    updates = list(track(profile(angle_deg=30, seconds=30), [nodding(80.0, looking_down)]))
    angles = updates[0].angles
    held = (angles.t_s > 25) & (angles.t_s < 58)
    assert (
        np.max(np.abs(angles.flexion_deg[held] - 40.0)) < 1.5
    )  # the breathing ripple is 0.5, the filter's tilt 1
    events = [e for u in updates for e in u.events if not isinstance(e, ActivityChanged)]
    assert [type(e) for e in events] == [EpisodeStarted, EpisodeAlert, EpisodeEnded]
    assert events[0].start_s == pytest.approx(21.2, abs=0.5)
    assert events[1].t_s == pytest.approx(51.2, abs=0.5)
    assert events[2].end_s == pytest.approx(60.7, abs=0.5)
    assert events[2].is_corrected


def test_a_collar_clip_speaks_of_the_upper_back():
    events = events_of(profile(Mount.COLLAR, angle_deg=30, seconds=30), [nodding(80.0, looking_down)])
    assert {e.kind for e in events if isinstance(e, EpisodeAlert)} == {PostureKind.UPPER_BACK_FORWARD_TILT}


def test_unknown_axes_still_alert_on_the_inclination():
    only_up = TrackerSettings(mounting_from_up(UP, mount=Mount.HEAD), RuleSettings(30, seconds=30))
    assert (
        len([e for e in events_of(only_up, [nodding(80.0, looking_down)]) if isinstance(e, EpisodeAlert)])
        == 1
    )


def test_a_hole_in_the_data_is_told_as_a_gap():
    block = without(nodding(40.0, lambda t: 0 * t), 10.0, 12.0)
    gaps = [e for e in events_of(profile(), [block]) if isinstance(e, SignalGap)]
    assert gaps == [SignalGap(12.0, 9.98, 12.0, "no samples")]


def test_three_lost_samples_are_no_gap():
    block = without(nodding(40.0, lambda t: 0 * t), 10.0, 10.06)
    assert not [e for e in events_of(profile(), [block]) if isinstance(e, SignalGap)]


def test_time_that_goes_back_closes_what_is_open_and_begins_afresh():
    before, after = (
        nodding(50.0, lambda t: 40.0 + 0 * t, start_s=1000.0),
        nodding(50.0, lambda t: 40.0 + 0 * t),
    )
    joined = ImuBlock(
        *(np.concatenate((getattr(before, n), getattr(after, n))) for n in ("t_s", "gyr_rad_s", "acc_m_s2"))
    )
    rule = {"angle_deg": 30, "seconds": 30}
    expected = events_of(profile(**rule), [before]) + events_of(profile(**rule), [after])
    assert events_of(profile(**rule), [joined]) == expected
    assert events_of(profile(**rule), [before, after]) == expected
    assert len([e for e in expected if isinstance(e, EpisodeAlert)]) == 2


def test_blocks_of_another_sensor_give_no_samples():
    block = nodding(5.0, looking_down)
    tracker = Tracker(profile())
    update = tracker.process(ImuBlock(block.t_s, block.gyr_rad_s, block.acc_m_s2, sensor=1))
    assert len(update.angles.t_s) == len(update.activity) == 0
    assert len(tracker.process(block).angles.t_s) == 250


def test_an_empty_block_gives_an_empty_update():
    update = Tracker(profile()).process(ImuBlock(np.empty(0), np.empty((0, 3)), np.empty((0, 3))))
    assert len(update.angles.t_s) == len(update.activity) == len(update.events) == 0


@pytest.mark.parametrize("stream", ["raw", "orient"])
@settings(max_examples=12)
@given(cuts=st.lists(st.integers(0, 4000), max_size=10), seed=st.integers(0, 2**32 - 1))
def test_any_cut_gives_the_same_angles_and_exactly_the_same_events(stream, cuts, seed):
    rng = np.random.default_rng(seed)
    block = without(nodding(80.0, looking_down, seed=seed), 70.0, 70.0 + 2 * rng.random())
    if stream == "orient":
        flexion = np.radians(looking_down(block.t_s) + 3 * np.sin(block.t_s))
        block = OrientationBlock(block.t_s, from_rotation_vector(flexion[:, None] * LEFT), block.acc_m_s2)
    rule = profile(angle_deg=30, seconds=20)
    whole = list(track(rule, [block]))
    edges = [0, *sorted(min(c, len(block.t_s)) for c in cuts), len(block.t_s)]
    parts = list(track(rule, (part(block, a, b) for a, b in pairwise(edges))))
    assert [e for u in parts for e in u.events] == [e for u in whole for e in u.events]
    for name in ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg"):
        together = np.concatenate([getattr(u.angles, name) for u in parts])
        np.testing.assert_allclose(together, getattr(whole[0].angles, name), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(np.concatenate([u.activity for u in parts]), whole[0].activity)
