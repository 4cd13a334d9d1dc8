"""A brisk raise of the shoulders without a drop is noticed once; what drops, straightens up or stands up is none."""

import numpy as np
import pytest

from detect.synthetic import angle_block, cut, times, without
from exercise.guided.test_shrug_counter import lifted
from tiltwise.detect.shoulder_raise import ShoulderRaise, Shoulders
from tiltwise.types import ACTIVITIES, Activity


def wearer(up, *, flexion_deg=0.0, noise=0.01):
    t = times(len(up) / 50.0)
    rng = np.random.default_rng(2)
    return angle_block(t, flexion_deg=flexion_deg, up_acc_m_s2=up + 0.1 + rng.normal(0.0, noise, len(t)))


def still(block, activity=Activity.STILL):
    return np.full(len(block.t_s), ACTIVITIES.index(activity), np.int8)


def noticed(block, codes=None):
    return ShoulderRaise().process(block, still(block) if codes is None else codes)


def raised(starts, *, hold_s=100.0, rise_m=0.03, stroke_s=0.7, seconds=70.0):
    return lifted(times(seconds), starts, rise_m=rise_m, stroke_s=stroke_s, hold_s=hold_s)


def test_a_raise_without_a_drop_is_noticed_once_after_30_s():
    (event,) = noticed(wearer(raised([10.0])))
    assert event.start_s == pytest.approx(10.1, abs=0.15)
    assert event.t_s == pytest.approx(40.7, abs=0.3)
    assert event.rise_m == pytest.approx(0.03, abs=0.005)


@pytest.mark.parametrize(
    ("up", "why"),
    [
        (raised([10.0], hold_s=20.0), "it drops after 20 s"),
        (raised([10.0, 13.0, 16.0], hold_s=0.6), "three shrugs"),
        (raised([10.0], rise_m=0.01), "too small for shoulders"),
        (raised([10.0], rise_m=0.42, stroke_s=1.3), "standing up"),
        (raised([10.0], stroke_s=2.5), "too slow to be told from an offset"),
    ],
)
def test_what_is_no_lasting_raise_is_not_noticed(up, why):
    assert noticed(wearer(up)) == [], why


def test_straightening_up_lifts_the_collar_and_is_no_raise():
    t = times(70.0)
    straightens = np.clip((t - 10.0) / 0.9, 0.0, 1.0)
    flexion = 22.0 * (1.0 - straightens)
    height = 0.5 * np.cos(np.radians(flexion))  # 3.6 cm of it
    up = np.gradient(np.gradient(np.convolve(height, np.ones(15) / 15, "same"), t), t)
    up[(t < 5.0) | (t > 60.0)] = 0.0
    assert noticed(wearer(up, flexion_deg=flexion)) == []


def test_another_posture_after_the_raise_takes_it_back():
    t = times(70.0)
    assert noticed(wearer(raised([10.0]), flexion_deg=np.where(t > 25.0, 15.0, 0.0))) == []
    assert len(noticed(wearer(raised([10.0]), flexion_deg=np.where(t > 45.0, 15.0, 0.0)))) == 1


@pytest.mark.parametrize("activity", [Activity.WALKING, Activity.LYING, Activity.MOVING, Activity.NOT_WORN])
def test_only_who_sits_or_stands_is_looked_at(activity):
    block = wearer(raised([10.0]))
    assert noticed(block, still(block, activity)) == []
    codes = still(block)
    codes[(block.t_s > 20.0) & (block.t_s < 22.0)] = ACTIVITIES.index(activity)
    assert noticed(block, codes) == []


def test_a_hole_and_an_unknown_angle_end_the_looking():
    block = wearer(raised([10.0]))
    assert noticed(without(block, 20.0, 21.0)) == []
    flexion = np.where((block.t_s > 20.0) & (block.t_s < 20.2), np.nan, 0.0)
    assert noticed(wearer(raised([10.0]), flexion_deg=flexion)) == []


def test_a_speed_that_has_drifted_further_than_shoulders_go_is_not_believed():
    up = raised([10.0])
    t = times(70.0)
    up[(t > 15.0) & (t < 25.0)] += 0.5 * np.sin(2 * np.pi * 3.0 * t[(t > 15.0) & (t < 25.0)]) + 0.01
    assert noticed(wearer(up)) == []


def test_a_buzz_of_the_motor_is_no_raise():
    up = raised([50.0], seconds=70.0)
    up[(times(70.0) > 10.0) & (times(70.0) < 10.7)] = np.nan
    assert noticed(wearer(up)) == []


@pytest.mark.parametrize("edges", [range(1, 3500, 7), [0, 510, 511, 511], range(40, 3500, 250)])
def test_any_cut_notices_the_same(edges):
    whole = wearer(raised([10.0]))
    pieces = ShoulderRaise()
    found = [event for block in cut(whole, list(edges)) for event in pieces.process(block, still(block))]
    assert found == noticed(whole)
    assert len(found) == 1


def test_the_states_follow_the_shoulders():
    block, detector, seen = wearer(raised([10.0], hold_s=15.0)), ShoulderRaise(), []
    for part in cut(block, list(range(5, 3500, 5))):
        detector.process(part, still(part))
        if not seen or seen[-1] is not detector.state:
            seen.append(detector.state)
    assert seen == [Shoulders.RESTING, Shoulders.RISING, Shoulders.RAISED, Shoulders.RESTING]
