"""Shrugs are counted from the vertical acceleration of the collar: up, held, down."""

import numpy as np
import pytest

from detect.synthetic import angle_block, times
from tiltwise.exercise.guided.counter_events import RepTakenBack, RepTold
from tiltwise.exercise.guided.moments import Moments
from tiltwise.exercise.guided.shrug_counter import TRANSITIONS, Shoulders, ShrugCounter
from tiltwise.types import ACTIVITIES, Activity, RepCompleted, Side


def lifted(t, starts, *, rise_m=0.03, stroke_s=0.7, hold_s=2.0):
    """Acceleration (n,) of shoulders that rise and fall along cosine-shaped strokes."""
    acc = np.zeros_like(t)
    for start in starts:
        for begin, way in ((start, rise_m), (start + stroke_s + hold_s, -rise_m)):
            share = (t - begin) / stroke_s
            now = (share >= 0) & (share < 1)
            acc[now] += way * 0.5 * (np.pi / stroke_s) ** 2 * np.cos(np.pi * share[now])
    return acc


def run(t, acc):
    counter = ShrugCounter("shoulder_raise_hold")
    moments = Moments().process(angle_block(t, up_acc_m_s2=acc))
    return [event for moment in moments for event in counter.step(moment)] + counter.finish()


@pytest.mark.parametrize("offset", [0.0, 0.4])  # m/s2: what an ordinary part is off by
def test_shrugs_are_counted_and_held(offset):
    t = times(40.0)
    rng = np.random.default_rng(1)
    acc = lifted(t, [5.0, 12.0, 19.0, 26.0]) + offset + rng.normal(0.0, 0.02, len(t))
    events = run(t, acc)
    told = [event for event in events if isinstance(event, RepTold)]
    done = [event for event in events if isinstance(event, RepCompleted)]
    assert len(told) == len(done) == 4
    assert [event.t_s for event in told] == pytest.approx([5.7, 12.7, 19.7, 26.7], abs=0.25)
    assert [rep.hold_s for rep in done] == pytest.approx([2.0] * 4, abs=0.4)


@pytest.mark.parametrize("offset", [-0.3, 0.3])
def test_a_buzz_of_the_motor_is_no_stroke_whatever_the_part_is_off_by(offset):
    t = times(30.0)
    acc = lifted(t, [8.0, 20.0]) + offset
    acc[(t > 4.0) & (t < 4.6) | (t > 15.0) & (t < 15.6)] = np.nan  # the coach asks, and ticks
    assert kinds(run(t, acc)) == [RepTold, RepCompleted] * 2
    acc[(t > 20.2) & (t < 20.4)] = np.nan  # in the middle of a rise
    assert kinds(run(t, acc)) == [RepTold, RepCompleted] * 2


def test_standing_up_is_no_shrug():
    t = times(20.0)
    assert not run(t, lifted(t, [6.0], rise_m=0.42, stroke_s=1.3))


def test_shoulders_that_stay_up_are_taken_back():
    t = times(60.0)
    events = run(t, lifted(t, [5.0], hold_s=100.0))
    assert [type(event) for event in events] == [RepTold, RepTakenBack]


def test_breathing_alone_is_none():
    t = times(60.0)
    assert not run(t, 0.002 * (2 * np.pi * 0.25) ** 2 * np.sin(2 * np.pi * 0.25 * t))


def kinds(events):
    return [type(event) for event in events]


def test_a_quarter_of_a_rise_is_partial():
    t = times(40.0)
    acc = lifted(t, [5.0, 12.0, 26.0]) + lifted(t, [19.0], rise_m=0.008, stroke_s=0.4)
    events = run(t, acc)
    assert sum(isinstance(event, RepTold) for event in events) == 3
    assert [event.is_partial for event in events if isinstance(event, RepCompleted)] == [
        False,
        False,
        True,
        False,
    ]


def test_a_fall_that_was_not_seen_costs_no_repetition():
    t = times(40.0)
    share = np.clip((t - 14.0) / 4.0, 0.0, 1.0)  # 12 mm/s at most: too slow to be told from an offset
    creeps = np.where(
        (share > 0) & (share < 1), -0.03 * 0.5 * (np.pi / 4.0) ** 2 * np.cos(np.pi * share), 0.0
    )
    creeps += lifted(t, [12.0], hold_s=100.0)
    events = run(t, lifted(t, [5.0, 20.0, 27.0]) + creeps)
    assert sum(isinstance(event, RepTold) for event in events) == 4
    assert sum(isinstance(event, RepCompleted) for event in events) == 4


def test_a_creep_before_a_rise_is_not_told_as_a_partial_one():
    t = times(40.0)
    events = run(
        t, lifted(t, [5.0, 12.0, 19.0]) + lifted(t, [10.4], rise_m=0.009, stroke_s=0.5, hold_s=100.0)
    )
    assert [event.is_partial for event in events if isinstance(event, RepCompleted)] == [False] * 3


def test_what_is_held_and_how_long_they_rested_is_known_at_any_moment():
    t = times(20.0)
    counter = ShrugCounter("shoulder_raise_hold")
    seen = {}
    for moment in Moments().process(angle_block(t, up_acc_m_s2=lifted(t, [8.0], hold_s=4.0))):
        counter.step(moment)
        seen[round(moment.t_s, 2)] = (counter.held_s, counter.rested_s, counter.state)
    assert seen[7.0][1] == pytest.approx(7.0 - 0.48 - 0.24, abs=0.1)  # after 12 moments, quiet for a while
    assert seen[7.0][0] == seen[14.0][0] == 0.0
    held_s, rested_s, state = seen[11.0]
    assert (held_s, rested_s, state) == (pytest.approx(2.3, abs=0.2), 0.0, Shoulders.UP)
    assert seen[12.0][0] - held_s == pytest.approx(1.0)
    assert seen[18.0][1] == pytest.approx(18.0 - 13.4, abs=0.5)
    assert counter.side is Side.NONE
    assert np.isnan(counter.deviation_deg)


@pytest.mark.parametrize(("hole_s", "n"), [(0.4, 1), (0.7, 1)])
def test_what_was_told_stands_through_a_hole(hole_s, n):
    t = times(20.0)
    seen = (t < 9.0) | (t > 9.0 + hole_s)
    events = run(t[seen], lifted(t, [5.0], hold_s=8.0)[seen])
    assert kinds(events) == [RepTold, RepCompleted]
    assert (events[1].end_s < 10.0) is (hole_s > 0.5)  # the hole ends it


def test_a_sensor_taken_off_ends_what_was_told():
    t = times(20.0)
    activity = np.where(t > 9.0, ACTIVITIES.index(Activity.NOT_WORN), 0).astype(np.int8)
    counter = ShrugCounter("shoulder_raise_hold")
    block = angle_block(t, up_acc_m_s2=lifted(t, [5.0], hold_s=8.0))
    events = [event for moment in Moments().process(block, activity) for event in counter.step(moment)]
    assert kinds(events) == [RepTold, RepCompleted]
    assert events[1].end_s == pytest.approx(9.0, abs=0.05)


def test_what_is_done_while_nothing_is_asked_for_is_over_when_it_is_quiet():
    t = times(10.0)
    counter = ShrugCounter("shoulder_raise_hold")
    for moment in Moments().process(angle_block(t, up_acc_m_s2=lifted(t, [5.0], hold_s=8.0))):
        counter.step(moment)
    assert counter.state is Shoulders.UP
    counter.settle()
    assert counter.state is Shoulders.DOWN
    assert counter.finish() == []


def test_every_transition_of_the_table_happens(monkeypatch):
    seen = set()
    act = ShrugCounter._act

    def spy(self, shown, following):
        seen.add((self.state, shown))
        return act(self, shown, following)

    monkeypatch.setattr(ShrugCounter, "_act", spy)
    t = times(60.0)
    run(t, lifted(t, [5.0, 12.0]))
    run(t, lifted(t, [5.0], hold_s=100.0))
    run(t, lifted(t, [6.0], rise_m=0.42, stroke_s=1.3))
    run(t, lifted(t, [5.0, 10.0], hold_s=100.0))  # up again
    run(t, lifted(t, [5.0], hold_s=100.0) + lifted(t, [10.0], rise_m=0.004, stroke_s=0.3, hold_s=100.0))
    run(t, lifted(t, [5.0], hold_s=100.0) - lifted(t, [10.0], rise_m=0.004, stroke_s=0.3, hold_s=100.0))
    assert set(TRANSITIONS) - seen == set()


def smoothly(t, starts, *, rise_m=0.03, stroke_s=0.8, hold_s=2.0):
    """Acceleration (n,) of strokes whose speed goes by (4 x (1 - x))^2."""
    acc = np.zeros_like(t)
    for start in starts:
        for begin, way in ((start, rise_m), (start + stroke_s + hold_s, -rise_m)):
            x = np.clip((t - begin) / stroke_s, 0.0, 1.0)
            acc += way * 30 / 16 / stroke_s**2 * 32 * x * (1 - x) * (1 - 2 * x)
    return acc


def test_a_shrug_has_the_times_of_its_strokes():
    t = times(40.0)
    done = run(t, smoothly(t, [5.0, 12.0, 19.0]))
    reps = [event for event in done if isinstance(event, RepCompleted)]
    assert [rep.start_s for rep in reps] == pytest.approx(
        [5.1, 12.1, 19.1], abs=0.1
    )  # once it is fast enough
    assert [rep.peak_s for rep in reps] == pytest.approx([5.8, 12.8, 19.8], abs=0.07)
    assert [rep.hold_s for rep in reps] == pytest.approx([2.0] * 3, abs=0.09)
    assert [rep.end_s for rep in reps] == pytest.approx([8.5, 15.5, 22.5], abs=0.1)


@pytest.mark.parametrize(("rise_m", "n"), [(0.145, 1), (0.16, 0)])
def test_more_than_fifteen_centimetres_are_standing_up(rise_m, n):
    t = times(20.0)
    events = run(t, lifted(t, [6.0], rise_m=rise_m, stroke_s=1.3))
    assert sum(isinstance(event, RepTold) for event in events) == n


@pytest.mark.parametrize(("rise_m", "told"), [(0.0125, 4), (0.009, 3)])
def test_a_third_of_the_usual_rise_is_whole(rise_m, told):
    t = times(40.0)
    events = run(t, lifted(t, [5.0, 12.0, 26.0]) + lifted(t, [19.0], rise_m=rise_m, stroke_s=0.5))
    assert sum(isinstance(event, RepTold) for event in events) == told
    assert sum(isinstance(event, RepCompleted) for event in events) == 4


def test_half_a_minute_up_is_no_shrug():
    t = times(60.0)
    told, back = run(t, smoothly(t, [5.0], hold_s=100.0))
    assert back.t_s == pytest.approx(5.8 + 30.0, abs=0.1)
    assert back.told_s == told.t_s


def test_who_keeps_doing_smaller_ones_does_them_whole_and_so_does_who_was_not_asked():
    t = times(80.0)
    small = lifted(t, [12.0 + 7.0 * k for k in range(6)], rise_m=0.009, stroke_s=0.5)
    events = run(t, lifted(t, [5.0]) + small)
    assert sum(isinstance(event, RepTold) for event in events) == 1 + 3  # three are partial ones
    counter, told = ShrugCounter("shoulder_raise_hold"), []
    for moment in Moments().process(angle_block(t, up_acc_m_s2=lifted(t, [5.0]) + small)):
        told += [event for event in counter.step(moment) if isinstance(event, RepTold)]
        if moment.t_s > 10.0 and len(told) == 1:
            counter.forget()
    assert len(told) == 1 + 6
