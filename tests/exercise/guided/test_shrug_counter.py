"""Shrugs are counted from the vertical acceleration of the collar: up, held, down."""

import numpy as np
import pytest

from detect.synthetic import angle_block, times
from tiltwise.exercise.guided.counter_events import RepTakenBack, RepTold
from tiltwise.exercise.guided.moments import Moments
from tiltwise.exercise.guided.shrug_counter import ShrugCounter
from tiltwise.types import RepCompleted


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
