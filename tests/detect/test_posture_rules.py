"""The table of habits: each is found on known angles, and only where a sensor sees it."""

import numpy as np
import pytest

from detect.synthetic import angle_block, times
from tiltwise.detect.posture import PostureDetector
from tiltwise.detect.posture_rules import BY_KIND, HABITS, Seen, habits_at, main_posture
from tiltwise.types import ACTIVITIES, Activity, EpisodeAlert, Mount, PostureKind


def alerts(kind, activity=Activity.STILL, seconds=60.0, **angles):
    """Return when an alert is due of a posture that begins at 10 s."""
    t = times(seconds)
    held = {name: np.where(t >= 10, deg, 0.0) for name, deg in angles.items()}
    block = angle_block(t, ripple_deg=0.0, **held)
    codes = np.full(len(t), ACTIVITIES.index(activity), dtype=np.int8)
    habit = BY_KIND[kind]
    found = PostureDetector(kind, habit.rule, signal=habit.signal).process(block, codes)
    return [event.t_s for event in found if isinstance(event, EpisodeAlert)]


@pytest.mark.parametrize("side", [-1, 1])
def test_a_telephone_on_the_shoulder_is_20_deg_to_either_side_for_30_s(side):
    assert alerts(PostureKind.TELEPHONE_TILT, lateral_deg=25.0 * side) == [40.0]
    assert alerts(PostureKind.TELEPHONE_TILT, lateral_deg=18.0 * side) == []
    assert alerts(PostureKind.TELEPHONE_TILT, Activity.LYING, lateral_deg=70.0 * side) == []


def test_the_head_thrown_back_is_20_deg_of_extension_for_30_s():
    assert alerts(PostureKind.HEAD_THROWN_BACK, flexion_deg=-25.0) == [40.0]
    assert alerts(PostureKind.HEAD_THROWN_BACK, flexion_deg=25.0) == []


@pytest.mark.parametrize(
    ("kind", "lies"),
    [
        (PostureKind.HEAD_THROWN_BACK, {"flexion_deg": -65.0}),
        (PostureKind.TELEPHONE_TILT, {"lateral_deg": 75.0}),
    ],
)
def test_who_lies_down_shows_no_habit_though_lying_is_known_ten_seconds_late(kind, lies):
    t = times(40.0)
    way = np.clip(t - 10.0, 0.0, 1.5) / 1.5  # lying down takes a second and a half
    block = angle_block(t, ripple_deg=0.0, **{name: way * deg for name, deg in lies.items()})
    codes = np.where(t < 21, ACTIVITIES.index(Activity.STILL), ACTIVITIES.index(Activity.LYING)).astype(
        np.int8
    )
    habit = BY_KIND[kind]
    detector = PostureDetector(kind, habit.rule, signal=habit.signal)
    assert [*detector.process(block, codes), *detector.finish()] == []


def test_the_head_propped_up_is_seen_only_while_lying():
    assert alerts(PostureKind.HEAD_PROPPED, Activity.LYING, 400.0, flexion_deg=-50.0) == [310.0]
    assert alerts(PostureKind.HEAD_PROPPED, Activity.LYING, 400.0, flexion_deg=-85.0) == []
    assert alerts(PostureKind.HEAD_PROPPED, Activity.STILL, 400.0, flexion_deg=-50.0) == []


def test_a_sensor_that_is_off_says_nothing():
    for kind in (PostureKind.TELEPHONE_TILT, PostureKind.HEAD_THROWN_BACK):
        assert alerts(kind, Activity.NOT_WORN, lateral_deg=40.0, flexion_deg=-40.0) == []


def test_every_kind_has_a_row_and_every_row_a_source_and_a_place():
    assert {habit.kind for habit in HABITS} == set(PostureKind)
    for habit in HABITS:
        assert habit.source
        assert habit.at
        assert (habit.rule is None) == (habit.signal is None)
        assert habit.detector is None or habit.rule is None


def test_a_collar_does_not_see_the_head():
    assert main_posture(Mount.COLLAR) is PostureKind.UPPER_BACK_FORWARD_TILT
    assert [habit.kind for habit in habits_at(Mount.COLLAR)] == [PostureKind.SHOULDERS_RAISED]
    assert BY_KIND[PostureKind.SHOULDERS_RAISED].at == {Mount.COLLAR: Seen.ESTIMATED}
    assert all(Mount.COLLAR not in habit.at or habit.signal is None for habit in HABITS)
    assert BY_KIND[PostureKind.TELEPHONE_TILT].at[Mount.NECK] is Seen.ESTIMATED
