"""Where a repetition that is asked for is told, over, too short or a glance: on angles of straight pieces."""

import numpy as np
import pytest

from detect.synthetic import times
from exercise.guided.test_turn_counter import course, run, told, whole
from tiltwise.exercise.guided.counter_events import RepTold
from tiltwise.types import Side


def pieces(t, *knots):
    """An angle (n,) through (time, deg)."""
    return np.interp(t, *zip(*knots, strict=True))


def test_a_turn_is_told_a_tenth_behind_its_peak():
    t = times(12.0)
    events = run("head_down", t, flexion_deg=pieces(t, (3, 0), (5, 40), (7, 0)), ripple_deg=0.0)
    (first,) = [event.t_s for event in events if isinstance(event, RepTold)]
    assert first == pytest.approx(5.0 + 4.0 / 20.0, abs=0.05)  # 4 deg at 20 deg/s


def test_it_is_over_when_the_head_is_back_within_a_third():
    t = times(14.0)
    (rep,) = whole(run("head_down", t, flexion_deg=pieces(t, (3, 0), (5, 40), (9, 0)), ripple_deg=0.0))
    assert rep.end_s == pytest.approx(9.0 - 0.35 * 40.0 / 10.0, abs=0.08)  # at 10 deg/s
    assert rep.peak_s == pytest.approx(5.0, abs=0.05)
    assert rep.start_s == pytest.approx(3.0 + 2.0 / 20.0, abs=0.08)  # half of the least movement, at 20 deg/s


@pytest.mark.parametrize(("lasting_s", "n"), [(0.52, 1), (0.32, 0)])
def test_less_than_a_third_of_a_second_is_a_jerk(lasting_s, n):
    t = times(8.0)
    way = pieces(t, (3, 0), (3 + lasting_s / 2, 14), (3 + lasting_s, 0))
    assert len(told(run("head_down", t, flexion_deg=way, ripple_deg=0.0))) == n


@pytest.mark.parametrize(("turned_deg", "n"), [(32.0, 1), (34.0, 0)])
def test_once_and_a_half_as_far_and_three_degrees_in_another_plane_is_a_glance(turned_deg, n):
    t = times(20.0)
    lateral = pieces(t, (3, 0), (5, 20), (13, 20), (15, 0))
    turn = pieces(t, (6, 0), (8, turned_deg), (10, turned_deg), (12, 0))
    events = run("side_tilt", t, lateral_deg=lateral, rotation_deg=turn, ripple_deg=0.0)
    assert len(told(events)) == n


@pytest.mark.parametrize(("weak_deg", "sides"), [(-16.0, "LRLR"), (-12.0, "RR")])
def test_no_side_is_weaker_than_a_third_of_the_other(weak_deg, sides):
    t = times(40.0)
    lateral, _ = course(t, [weak_deg, 40.0, weak_deg, 40.0])
    found = told(run("side_tilt", t, lateral_deg=lateral, ripple_deg=0.0))
    assert "".join("R" if event.side is Side.RIGHT else "L" for event in found) == sides
