"""Repetitions are told at their turn, on the right side, and taken back when they were none."""

from itertools import pairwise

import numpy as np
import pytest

from detect.synthetic import angle_block, times
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.guided.counter_events import RepTakenBack, RepTold
from tiltwise.exercise.guided.moments import Moments
from tiltwise.exercise.guided.turn_counter import TurnCounter
from tiltwise.exercise.guided.turn_states import TRANSITIONS, Turning
from tiltwise.types import RepCompleted, Side

STROKE_S = 1.6


def course(t, targets, *, hold_s=0.0, rest_s=1.5, start_s=3.0):
    """Angles (n,) that go to each target and back along minimum-jerk strokes, and (arrived, left, back) of each."""
    knots, edges, now = [(0.0, 0.0)], [], start_s
    for target in targets:
        knots += [(now, 0.0), (now + STROKE_S, target), (now + STROKE_S + hold_s, target)]
        back = now + 2 * STROKE_S + hold_s
        knots.append((back, 0.0))
        edges.append((now + STROKE_S, now + STROKE_S + hold_s, back))
        now = back + rest_s
    angle = np.zeros_like(t)
    for (a, x), (b, y) in pairwise(knots):
        if b > a:
            share = np.clip((t - a) / (b - a), 0.0, 1.0)
            angle = np.where(t >= a, x + (y - x) * share**3 * (10 - 15 * share + 6 * share**2), angle)
    return angle, edges


def run(exercise, t, *, range_deg=None, activity=None, **angles):
    counter = TurnCounter(exercise, EXERCISES[exercise].signal, range_deg)
    moments = Moments().process(angle_block(t, **angles), activity)
    return [event for moment in moments for event in counter.step(moment)] + counter.finish()


def told(events):
    taken = {event.told_s for event in events if isinstance(event, RepTakenBack)}
    return [event for event in events if isinstance(event, RepTold) and event.t_s not in taken]


def whole(events):
    return [event for event in events if isinstance(event, RepCompleted) and not event.is_partial]


@pytest.mark.parametrize("size", [7.0, 30.0, 45.0])
def test_a_stiff_and_a_supple_neck_are_counted_with_their_sides(size):
    t = times(45.0)
    lateral, _ = course(t, [size, -size, size, -size])
    events = run("side_tilt", t, lateral_deg=lateral, ripple_deg=0.2)
    assert [event.side for event in told(events)] == [Side.RIGHT, Side.LEFT, Side.RIGHT, Side.LEFT]
    assert [abs(rep.peak_deg) for rep in whole(events)] == pytest.approx([size] * 4, abs=0.8)


def test_a_repetition_is_told_before_the_head_is_back():
    t = times(40.0)
    flexion, edges = course(t, [40.0] * 4)
    events = run("head_down", t, flexion_deg=flexion)
    leads = [back - event.t_s for event, (_, _, back) in zip(told(events), edges, strict=True)]
    assert min(leads) > 0.5  # of strokes of 1.6 s


@pytest.mark.parametrize("hold_s", [2.0, 6.0])
def test_a_hold_is_the_time_within_a_tenth_of_the_end(hold_s):
    t = times(45.0)
    flexion, _ = course(t, [40.0] * 3, hold_s=hold_s)
    reps = whole(run("head_down", t, flexion_deg=flexion, ripple_deg=0.0))
    # Within a tenth of the end: a minimum-jerk stroke is there for its last 24.6 %.
    assert [rep.hold_s for rep in reps] == pytest.approx([hold_s + 2 * 0.246 * STROKE_S] * 3, abs=0.06)


def test_a_quarter_of_a_movement_is_partial():
    t = times(40.0)
    flexion, _ = course(t, [40.0, 10.0, 40.0, 40.0])
    events = run("head_down", t, flexion_deg=flexion)
    assert len(told(events)) == 3
    assert sum(event.is_partial for event in events if isinstance(event, RepCompleted)) == 1


def test_a_small_first_movement_is_taken_back_when_the_second_shows_the_range():
    t = times(30.0)
    flexion, _ = course(t, [9.0, 40.0, 40.0])
    events = run("head_down", t, flexion_deg=flexion)
    assert [event.why for event in events if isinstance(event, RepTakenBack)] == [
        "much smaller than what followed"
    ]
    assert len(told(events)) == 2
    known = run("head_down", t, flexion_deg=flexion, range_deg={Side.NONE: 45.0})
    assert not [event for event in known if isinstance(event, RepTakenBack)]  # its range was measured


def test_a_glance_to_the_side_is_no_tilt():
    t = times(30.0)
    turn, _ = course(t, [40.0, -40.0])
    assert not told(run("side_tilt", t, lateral_deg=0.2 * turn, rotation_deg=turn))


def test_a_posture_that_stays_is_taken_back():
    t = times(90.0)
    flexion, _ = course(t, [35.0], hold_s=80.0)
    events = run("head_down", t, flexion_deg=flexion)
    assert [type(event) for event in events if not isinstance(event, RepCompleted)] == [RepTold, RepTakenBack]


def test_a_neutral_that_moves_is_followed():
    t = times(60.0)
    lateral, _ = course(t, [30.0, -30.0] * 4)
    events = run("side_tilt", t, lateral_deg=lateral + 0.2 * t)  # 12 deg in the minute
    assert [event.side for event in told(events)] == [Side.RIGHT, Side.LEFT] * 4


def test_a_lost_link_in_a_hold_keeps_the_repetition_and_counts_no_way_back():
    t = times(40.0)
    lateral, ((arrived, left, _),) = course(t, [30.0], hold_s=20.0)
    seen = (t < arrived + 3.0) | (t > arrived + 9.0)
    events = run("side_tilt", t[seen], lateral_deg=lateral[seen])
    assert [event.side for event in told(events)] == [Side.RIGHT]
    assert len(whole(events)) == 1
    assert left - arrived == 20.0


def test_a_turn_is_an_integral_over_the_movement():
    t = times(40.0)
    rotation, edges = course(t, [60.0, -60.0], hold_s=5.0)
    arrived = edges[0][0]
    reset = np.where(t > arrived + 2.0, -60.0, 0.0)  # the zero of the rotation is set while the head is held
    block = angle_block(t, rotation_deg=rotation)
    block.rotation_deg[:] += reset
    counter = TurnCounter("rotations", EXERCISES["rotations"].signal)
    events = [event for moment in Moments().process(block) for event in counter.step(moment)]
    assert [event.side for event in told(events)] == [Side.RIGHT, Side.LEFT]
    assert [abs(rep.peak_deg) for rep in whole(events)] == pytest.approx([60.0, 60.0], abs=2.0)


def test_every_transition_of_the_table_happens(monkeypatch):
    seen = set()
    act = TurnCounter._act

    def spy(self, shown, moment):
        seen.add((self.state, shown))
        return act(self, shown, moment)

    monkeypatch.setattr(TurnCounter, "_act", spy)
    t = times(100.0)
    half_back = np.interp(t, [0, 3, 4, 5, 6, 7, 8], [0, 0, 40, 22, 40, 40, 0])
    for flexion in (
        course(t, [40.0, 40.0])[0],
        half_back,
        course(t, [40.0], hold_s=90.0)[0],
        course(t, [6.0])[0],
    ):
        run("head_down", t, flexion_deg=flexion, ripple_deg=0.0)
    slow = np.interp(t, [0, 3, 80], [0, 0, 60])
    run("head_down", t, flexion_deg=slow + 3 * np.sin(3 * t), ripple_deg=0.0)
    missing = set(TRANSITIONS) - seen
    assert missing <= {(Turning.OUT, s) for _, s in TRANSITIONS}, missing


def test_a_first_quarter_to_one_side_is_taken_back_when_that_side_is_seen_whole():
    t = times(60.0)
    lateral, _ = course(t, [44.0, -13.0, -40.0, 44.0, -40.0])
    events = run("side_tilt", t, lateral_deg=lateral, ripple_deg=0.2)
    assert [event.side for event in told(events)] == [Side.RIGHT, Side.LEFT, Side.RIGHT, Side.LEFT]


def test_a_restless_hold_is_one_repetition():
    t = times(40.0)
    flexion, edges = course(t, [5.0] * 2, hold_s=6.0)
    for arrived_s, _, _ in edges:  # it sinks by two fifths and comes up again
        share = np.clip((t - arrived_s - 1.5) / 3.0, 0.0, 1.0)
        flexion = flexion - 2.0 * np.sin(np.pi * share) ** 2
    assert len(told(run("chin_tuck", t, flexion_deg=flexion, ripple_deg=0.0))) == 2


@pytest.mark.parametrize(("upright_deg", "share", "n"), [(0.0, 1.0, 4), (-8.0, 0.6, 4), (9.0, 0.6, 0)])
def test_a_bowed_head_is_bowed_as_seen_at_the_neck_and_from_where_it_was_upright(upright_deg, share, n):
    t = times(45.0)
    rotation, _ = course(t, [25.0, -25.0] * 2)
    bow = 0.0 if n == 0 else share * 28.0 * np.clip(t - 0.5, 0.0, 1.0)
    signal = EXERCISES["clasped_no"].signal
    counter = TurnCounter("clasped_no", signal, share=share)
    block = angle_block(
        t, rotation_deg=share * rotation, flexion_deg=bow + min(upright_deg, 8.0), ripple_deg=0.0
    )
    events = [event for moment in Moments().process(block) for event in counter.step(moment)]
    assert len(told(events)) == n


def test_sides_that_are_alike_are_measured_alike_however_slow():
    t = times(120.0)
    lateral, _ = course(
        t / 4, [16.0, -16.0] * 2, start_s=1.0
    )  # 2.5 deg/s: a middle that follows takes it for rest
    sizes = [abs(rep.peak_deg) for rep in whole(run("side_tilt", t, lateral_deg=lateral, ripple_deg=0.0))]
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) < 1.0


def test_talk_before_the_first_repetition_is_taken_back_all_of_it():
    t = times(60.0)
    lateral, _ = course(t, [7.0, 7.0, 7.0, 30.0, -30.0, 30.0, -30.0])
    assert [event.side for event in told(run("side_tilt", t, lateral_deg=lateral))] == [
        Side.RIGHT,
        Side.LEFT,
    ] * 2


def test_halves_in_between_do_not_make_a_whole_one_smaller():
    t = times(90.0)
    flexion, _ = course(t, [40.0] + [13.0, 40.0] * 5)
    assert len(told(run("head_down", t, flexion_deg=flexion))) == 6


def test_who_keeps_doing_smaller_ones_does_them_whole():
    t = times(90.0)
    flexion, _ = course(t, [50.0] + [15.0] * 8)
    assert len(told(run("head_down", t, flexion_deg=flexion))) == 1 + 8 - 3


def test_a_return_that_misses_the_middle_does_not_make_the_next_one_partial():
    t = times(60.0)
    flexion, edges = course(t, [35.0, 35.0, 35.0, 18.0, 35.0])
    begins = edges[2][1]  # the third does not come all the way back
    there = np.clip((t - begins) / STROKE_S, 0.0, 1.0) * np.clip((edges[3][0] - t) / STROKE_S, 0.0, 1.0)
    assert len(told(run("head_down", t, flexion_deg=flexion + 6.0 * there))) == 5


def test_a_look_aside_just_before_it_is_no_glance():
    t = times(40.0)
    flexion, edges = course(t, [12.0] * 3)
    begins = edges[1][0] - STROKE_S  # the head comes back from aside while it begins to sink
    aside = np.interp(t - begins, [-1.0, -0.5, 0.2, 0.7], [0.0, 80.0, 80.0, 0.0])
    assert len(told(run("head_down", t, flexion_deg=flexion, rotation_deg=aside))) == 3


def test_a_home_that_moved_is_found_again():
    t = times(120.0)
    flexion, _ = course(t, [20.0] * 12)
    events = run("head_down", t, flexion_deg=flexion - 12.0 * np.clip((t - 40.0) / 6.0, 0.0, 1.0))
    assert len(told(events)) >= 11  # one may be lost while it moves


def test_the_first_moment_is_no_rest_yet():
    counter = TurnCounter("side_tilt", EXERCISES["side_tilt"].signal)
    first, second, *_ = Moments().process(angle_block(times(1.0), lateral_deg=12.0))
    counter.step(first)
    assert (counter.rested_s, counter.held_s, counter.deviation_deg) == (0.0, 0.0, 0.0)
    counter.step(second)
    assert counter.rested_s == pytest.approx(0.04)


def test_what_nobody_asked_for_says_nothing_about_sizes():
    t = times(60.0)
    lateral, _ = course(t, [40.0, -40.0, 12.0, -12.0])
    for forgets, sides in ((False, [Side.RIGHT, Side.LEFT]), (True, [Side.RIGHT, Side.LEFT] * 2)):
        counter = TurnCounter("side_tilt", EXERCISES["side_tilt"].signal)
        events = []
        for moment in Moments().process(angle_block(t, lateral_deg=lateral)):
            events += counter.step(moment)
            if forgets and len(whole(events)) == 2 and counter.state is Turning.REST:
                counter.forget()
                forgets = False
        assert [event.side for event in told(events)] == sides


@pytest.mark.parametrize("offset_deg", [0.0, 16.0, -16.0])
@pytest.mark.parametrize("tremble_deg", [0.0, 2.2])
def test_a_middle_that_moves_is_followed_wherever_it_is_and_by_a_head_that_trembles(offset_deg, tremble_deg):
    t = times(90.0)
    flexion, _ = course(t, [18.0] * 10, rest_s=4.0)
    way = offset_deg + np.interp(t, [0.0, 90.0], [0.0, -30.0]) + tremble_deg * np.sin(2 * np.pi * 3.0 * t)
    events = run("head_down", t, flexion_deg=flexion + way, ripple_deg=0.0)
    assert len(told(events)) == len(whole(events)) == 10
    assert [rep.peak_deg for rep in whole(events)] == pytest.approx([18.0] * 10, abs=3.0)
