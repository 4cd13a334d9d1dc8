"""When to move, and that it was done, on known stretches of sitting and walking."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import angle_block, cut, without
from tiltwise.detect.movement import MovementDetector, MovementSettings
from tiltwise.types import ACTIVITIES, Activity, MovementDone, MovementDue, MovementKind

RATE_HZ = 5.0
SHORT = MovementSettings(shift_after_s=120.0, break_after_s=400.0, again_s=60.0)


def day(*stretches, rate_hz=RATE_HZ):
    """Return a block and codes of (seconds, activity, flexion) after each other, with a degree of typing."""
    n = [round(seconds * rate_hz) for seconds, _, _ in stretches]
    flexion = np.repeat([deg for _, _, deg in stretches], n).astype(float)
    codes = np.repeat([ACTIVITIES.index(what) for _, what, _ in stretches], n).astype(np.int8)
    t = np.arange(len(flexion)) / rate_hz
    flexion = flexion + np.sin(2 * np.pi * t / 7.0)
    return angle_block(t, flexion_deg=flexion, ripple_deg=0.0), codes


def run(block, codes, setting=SHORT):
    return MovementDetector(setting).process(block, codes)


STILL, WALKING, OFF = Activity.STILL, Activity.WALKING, Activity.NOT_WORN


def test_a_shift_is_due_after_the_time_in_one_posture_and_again_while_nothing_happens():
    found = run(*day((390, STILL, 10.0)))
    assert [(event.t_s, event.kind) for event in found] == [
        (120.0, MovementKind.SHIFT),
        (180.0, MovementKind.SHIFT),
        (300.0, MovementKind.SHIFT),
    ]
    assert found[0] == MovementDue(120.0, MovementKind.SHIFT, 0.0)


def test_what_is_due_is_told_in_its_second():
    for after_s in (121.0, 122.0, 123.0):
        found = run(*day((125, STILL, 10.0)), MovementSettings(shift_after_s=after_s))
        assert [event.t_s for event in found] == [after_s]


def test_another_posture_is_the_shift_that_was_due():
    found = run(*day((150, STILL, 10.0), (60, STILL, 25.0)))
    due, done = found
    assert isinstance(done, MovementDone)
    assert (done.kind, done.due_s) == (MovementKind.SHIFT, due.t_s)
    assert 150 < done.t_s < 160, "as soon as the mean has followed"


def test_who_cannot_get_up_is_asked_ever_more_rarely_and_soon_again_after_the_next_hour():
    def told(*stretches):
        found = run(*day(*stretches, rate_hz=1.0), MovementSettings(shift_after_s=np.inf))
        return [round(event.t_s / 60) for event in found if isinstance(event, MovementDue)]

    sat = (3 * 3600, STILL, 10.0)
    assert told(sat) == [60, 65, 75, 95, 115, 135, 155, 175]
    assert told(sat, (180, WALKING, 0.0), (70 * 60, STILL, 10.0))[8:] == [243, 248], (
        "an hour after the last step"
    )


def test_who_shifts_in_time_is_not_asked():
    assert run(*day(*[(90, STILL, 10.0), (90, STILL, 22.0)] * 2)) == []


def test_typing_and_a_glance_are_no_shift():
    found = run(*day((60, STILL, 10.0), (2, STILL, 40.0), (60, STILL, 10.0)))
    assert [event.t_s for event in found if isinstance(event, MovementDue)] == [120.0]


def test_a_break_is_due_after_its_time_and_only_walking_or_taking_off_is_one():
    shifting = [(50, STILL, 10.0 + 20 * (k % 2)) for k in range(9)]
    due = [event for event in run(*day(*shifting)) if isinstance(event, MovementDue)]
    assert [(event.t_s, event.kind) for event in due] == [(400.0, MovementKind.BREAK)]
    walked = run(*day(*shifting, (70, WALKING, 5.0)))
    assert (walked[-1].kind, round(walked[-1].t_s)) == (MovementKind.BREAK, 509)
    assert run(*day(*shifting[:7], (70, OFF, 5.0), *shifting[:7])) == []


def test_a_few_steps_are_a_shift_and_no_break():
    shifting = [(50, STILL, 10.0 + 20 * (k % 2)) for k in range(7)]
    found = run(*day(*shifting, (10, WALKING, 5.0), (60, STILL, 10.0)))
    assert [event.kind for event in found] == [MovementKind.BREAK]


def test_after_a_gap_nobody_knows_so_nothing_is_due():
    block, codes = day((300, STILL, 10.0))
    t = block.t_s
    keep = (t < 100) | (t >= 200)
    found = run(without(block, 100.0, 200.0), codes[keep])
    assert found == []


def test_what_is_set_to_never_is_never_due():
    never = MovementSettings(shift_after_s=np.inf, break_after_s=np.inf)
    assert run(*day((5000, STILL, 10.0), rate_hz=1.0), never) == []


@given(st.lists(st.integers(0, 1500), max_size=8))
@settings(max_examples=20, deadline=None)
def test_any_cut_gives_the_same_events(cuts):
    block, codes = day((150, STILL, 10.0), (20, WALKING, 0.0), (130, STILL, 25.0))
    expected = run(block, codes)
    assert expected
    detector, found, done = MovementDetector(SHORT), [], 0
    for piece in cut(block, cuts):
        found += detector.process(piece, codes[done : done + len(piece.t_s)])
        done += len(piece.t_s)
    assert found == expected
