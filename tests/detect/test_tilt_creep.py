"""An upper back that creeps forward is told once for each time that it was upright before."""

import numpy as np
import pytest

from detect.synthetic import angle_block, cut, times, without
from tiltwise.detect.tilt_creep import TiltCreep
from tiltwise.types import ACTIVITIES, Activity

RATE_HZ = 12.5


def sitting(flexion_deg, minutes):
    t = times(60.0 * minutes, RATE_HZ)
    return angle_block(t, flexion_deg=flexion_deg(t), ripple_deg=1.0)


def noticed(block, codes=None):
    codes = still(block) if codes is None else codes
    return TiltCreep().process(block, codes)


def still(block):
    return np.full(len(block.t_s), ACTIVITIES.index(Activity.STILL), np.int8)


def creeping(t):
    """Half a degree a minute, from the fifth minute to the 35th."""
    return np.clip((t - 300.0) / 120.0, 0.0, 15.0)


def test_a_slow_creep_is_told_once_with_its_size_and_beginning():
    (event,) = noticed(sitting(creeping, 45.0))
    assert event.crept_deg == pytest.approx(8.0, abs=0.2)
    assert event.start_s == pytest.approx(600.0, abs=30.0)
    assert event.t_s == pytest.approx(300.0 + 8.0 * 120.0 + 450.0, abs=60.0)  # a quartile is 450 s behind


def test_a_base_that_was_given_up_is_told_anew():
    there_and_back = np.array([0.0, 300.0, 900.0, 1500.0, 2100.0, 2700.0, 3600.0])
    found = noticed(sitting(lambda t: np.interp(t, there_and_back, [0, 0, 12, 12, 0, 12, 12]), 70.0))
    assert len(found) == 2


@pytest.mark.parametrize(
    "story",
    [
        lambda t: 0.4 * creeping(t),  # 6 deg
        lambda t: 15.0 - creeping(t),  # upward
        lambda t: np.where(t % 60.0 < 20.0, 40.0, 0.0),  # bows to the desk, a third of the time
        lambda t: 20.0 + 0 * t,  # bent all along
    ],
)
def test_what_does_not_creep_forward_is_not_told(story):
    assert noticed(sitting(story, 45.0)) == []


@pytest.mark.parametrize("activity", [Activity.WALKING, Activity.LYING, Activity.NOT_WORN])
def test_whoever_gets_up_has_another_base(activity):
    block = sitting(creeping, 45.0)
    codes = still(block)
    codes[(block.t_s > 700.0) & (block.t_s < 710.0)] = ACTIVITIES.index(activity)
    (event,) = noticed(block, codes)  # 10 deg of it come after
    assert event.start_s > 710.0 + 590.0
    codes[(block.t_s > 1700.0) & (block.t_s < 1710.0)] = ACTIVITIES.index(activity)
    assert noticed(block, codes) == []


def test_two_postures_in_turn_are_no_creep():
    """Four minutes upright, four bent."""
    assert noticed(sitting(lambda t: np.where(t % 480.0 < 240.0, 0.0, 12.0), 60.0)) == []


def test_a_long_hole_and_a_restless_time_are_no_base():
    block = sitting(creeping, 45.0)
    assert noticed(without(block, 700.0, 750.0)) == noticed(block)
    (later,) = noticed(without(block, 700.0, 770.0))
    assert later.start_s > 770.0 + 590.0
    codes = still(block)
    codes[block.t_s % 10.0 < 5.0] = ACTIVITIES.index(Activity.MOVING)
    assert noticed(block, codes) == []


@pytest.mark.parametrize("edges", [range(1, 33750, 101), [0, 5000, 5001, 5001], range(400, 33750, 7000)])
def test_any_cut_tells_the_same(edges):
    whole = sitting(creeping, 45.0)
    pieces = TiltCreep()
    found = [event for block in cut(whole, list(edges)) for event in pieces.process(block, still(block))]
    assert found == noticed(whole)
    assert len(found) == 1
