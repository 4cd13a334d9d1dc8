"""Moments: a turn is an integral that the head's own speed explains, a rise the speed gained since the last one."""

import numpy as np
import pytest

from detect.synthetic import angle_block, cut, times
from tiltwise.exercise.guided.moments import Moments
from tiltwise.types import ACTIVITIES, Activity, AngleBlock


def block(t_s, *, rotation_deg=0.0, rate_deg_s=0.0, up_acc_m_s2=0.0):
    one = np.ones(len(t_s))
    t = np.array(t_s, float)
    return AngleBlock(
        t, 3 * one, one, 2 * one, rotation_deg * one, rate_deg_s * one, up_acc_m_s2 * one, 9.81 * one
    )


def turns(rotation_deg, rate_deg_s):
    t = np.arange(len(rotation_deg)) * 0.04
    moments = Moments().process(
        block(t, rotation_deg=np.array(rotation_deg), rate_deg_s=np.array(rate_deg_s))
    )
    return [moment.rotation_deg for moment in moments]


def test_a_step_that_the_speed_does_not_explain_is_no_turn():
    assert turns([50, 51, 52, 51], [25.0] * 4) == pytest.approx([0, 1, 2, 1])
    # 1.5 times 25 deg/s in 0.04 s, and 0.15 deg: 1.65 deg at most
    assert turns([0, 1.64, 1.64 + 1.66, 4.0], [25.0] * 4) == pytest.approx([0, 1.64, 1.64, 2.34])
    assert turns([0, -1.64, -3.30, np.nan, -3.0], [25.0] * 5) == pytest.approx(
        [0, -1.64, -1.64, -1.64, -1.64]
    )


@pytest.mark.parametrize(("later", "counts"), [(7, True), (8, False)])
def test_the_speed_of_the_last_eight_samples_explains_it(later, counts):
    rates, rotation = np.zeros(12), np.zeros(12)
    rates[2], rotation[2 + later :] = 25.0, 1.0
    assert turns(rotation, rates)[-1] == (1.0 if counts else 0.0)


def test_a_rise_is_the_speed_since_the_last_moment_and_a_gap_gives_none():
    moments = Moments().process(block([0.0, 0.5, 1.0, 1.75, 2.0], up_acc_m_s2=2.0))
    assert [moment.rise_m_s for moment in moments] == pytest.approx([0.0, 1.0, 1.0, 0.0, 0.5])
    twice = Moments().process(block(times(1.0), up_acc_m_s2=2.0))  # 50 Hz: every second sample is a moment
    assert [moment.t_s for moment in twice] == pytest.approx(0.04 * np.arange(25))
    assert [moment.rise_m_s for moment in twice] == pytest.approx([0.0] + [0.08] * 24)
    unknown = block([0.0, 0.25, 0.5], up_acc_m_s2=np.array([1.0, np.nan, 1.0]))
    found = [moment.rise_m_s for moment in Moments().process(unknown)]
    assert found == pytest.approx([0.0, np.nan, 0.25], nan_ok=True)
    shaken = Moments().process(block(times(0.2), up_acc_m_s2=np.where(np.arange(10) == 3, np.nan, 2.0)))
    # The moment behind a sample that is not known has gained what nobody knows.
    assert [moment.rise_m_s for moment in shaken] == pytest.approx(
        [0.0, 0.08, np.nan, 0.08, 0.08], nan_ok=True
    )


def test_a_moment_has_the_angles_of_its_sample_and_whether_it_was_worn():
    activity = np.array([0, ACTIVITIES.index(Activity.NOT_WORN)], np.int8)
    first, second = Moments().process(block([0.0, 0.04]), activity)
    assert (first.flexion_deg, first.lateral_deg, first.inclination_deg) == (1.0, 2.0, 3.0)
    assert (first.is_worn, second.is_worn) == (True, False)
    assert [first.angle_deg(name) for name in ("flexion_deg", "rotation_deg")] == [1.0, 0.0]
    assert all(moment.is_worn for moment in Moments().process(block([0.0, 0.04])))


@pytest.mark.parametrize("edges", [range(1, 200), [7, 7, 60, 61], [0, 100]])
def test_any_cut_gives_the_same_moments(edges):
    t = times(4.0)
    up = np.where((t > 1.11) & (t < 1.3), np.nan, np.cos(3 * t))
    whole = angle_block(t, rotation_deg=20 * np.sin(4 * t), up_acc_m_s2=up)
    pieces = Moments()
    found = [moment for piece in cut(whole, list(edges)) for moment in pieces.process(piece)]
    expected = Moments().process(whole)
    assert [vars_of(moment) for moment in found] == [
        pytest.approx(vars_of(moment), nan_ok=True) for moment in expected
    ]


def vars_of(moment):
    return (moment.t_s, moment.rotation_deg, moment.rise_m_s, moment.lateral_deg, moment.is_worn)
