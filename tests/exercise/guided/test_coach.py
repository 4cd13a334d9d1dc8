"""The coach leads through every exercise, reacts to what is done, and has a record of it at any moment."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import angle_block, cut, times
from exercise.guided.test_turn_counter import course
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach import TRANSITIONS, Coach, CoachSettings, Cue, Stage
from tiltwise.exercise.guided.coach_events import Comment, Instruction, Round
from tiltwise.exercise.guided.counter_events import RepTold
from tiltwise.types import ACTIVITIES, Activity, Mount, RepCompleted, Side


def coach(name, mount=Mount.HEAD, **dose):
    return Coach(EXERCISES[name], mount, CoachSettings(**dose), is_cleared=True)


def shorts(events):
    return [event.short for event in events if isinstance(event, Instruction)]


def comments(events):
    return [event.text for event in events if isinstance(event, Comment)]


def test_side_tilts_are_led_right_and_left_with_holds():
    t = times(40.0)
    lateral, _ = course(t, [30.0, -30.0], hold_s=4.0)
    guide = coach("side_tilt", reps=1, hold_s=3.0)
    events = guide.process(angle_block(t, lateral_deg=lateral))
    assert shorts(events) == ["get ready", "tilt right", "hold", "back", "tilt left", "hold", "back"]
    assert guide.is_done
    assert guide.record().is_complete
    assert guide.record().counts == {Side.RIGHT: 1, Side.LEFT: 1}
    assert guide.record().hold_s(Side.RIGHT) == pytest.approx(4.8, abs=0.2)


@pytest.mark.parametrize(("hold_s", "says"), [(1.0, "1 second."), (3.0, "3 seconds."), (2.5, "2.5 seconds.")])
def test_a_hold_of_ones_own_is_said_with_its_own_time(hold_s, says):
    guide = coach("side_tilt", reps=1, hold_s=hold_s)
    lateral, _ = course(times(40.0), [30.0, -30.0], hold_s=4.0)
    events = guide.process(angle_block(times(40.0), lateral_deg=lateral))
    held = [e for e in events if isinstance(e, Instruction) and e.short == "hold"]
    assert [(e.say, e.lasts_s) for e in held] == [(f"Hold for {says}", hold_s)] * 2
    usual = coach("side_tilt", reps=1).process(angle_block(times(40.0), lateral_deg=lateral))
    assert "Stay there for three breaths." in [e.say for e in usual if isinstance(e, Instruction)]


def test_the_wrong_side_counts_and_is_told_and_so_is_a_short_hold():
    t = times(60.0)
    lateral, _ = course(t, [-30.0, 30.0], hold_s=1.0)
    guide = coach("side_tilt", reps=1, hold_s=6.0)
    said = comments(guide.process(angle_block(t, lateral_deg=lateral)))
    assert "That was the left side; it counts. Now the right one." in said
    assert "Held for 2 of 6 seconds." in said
    assert guide.is_done


def test_sets_are_parted_by_a_pause():
    t = times(60.0)
    flexion = course(t, [40.0, 40.0])[0] + course(t, [40.0, 40.0], start_s=30.0)[0]
    guide = coach("clasped_nod", reps=2, sets=2, pause_s=8.0)
    events = guide.process(angle_block(t, flexion_deg=flexion))
    assert shorts(events).count("rest") == 1
    assert guide.record().counts == {Side.NONE: 4}
    assert guide.is_done


def test_talk_that_is_taken_back_leaves_the_first_half_of_a_pair():
    t = times(60.0)
    flexion, _ = course(
        t, [4.6, -30.0, 40.0, -30.0, 40.0]
    )  # before anything is asked for, and taken back later
    guide = coach("singing_snake", reps=2)
    guide.process(angle_block(t, flexion_deg=flexion))
    assert guide.record().counts == {Side.NONE: 2}


def test_back_and_down_make_one_of_the_singing_snake():
    t = times(60.0)
    flexion, _ = course(t, [-30.0, 40.0, -30.0, 40.0])
    guide = coach("singing_snake", reps=2)
    events = guide.process(angle_block(t, flexion_deg=flexion))
    assert len([event for event in events if isinstance(event, RepTold)]) == 2
    assert guide.is_done
    only_down = coach("singing_snake", reps=2)
    said = comments(only_down.process(angle_block(t, flexion_deg=course(t, [40.0])[0])))
    assert "First back, then down: they count together." in said
    assert only_down.counts == {Side.NONE: 0}


def rounds(t, barriers, *, sign=1.0, press_s=6.0, press_moves_deg=0.0):
    """A side tilt to a first end, and slowly further after each press."""
    knots = [(0.0, 0.0), (5.0, 0.0), (8.0, barriers[0])]
    now = 12.0
    for before, after in pairwise(barriers):
        middle = now + press_s / 2
        knots += [(middle, before), (middle + 0.5, before - press_moves_deg), (middle + 1.0, before)]
        knots += [(now + 11.0, before), (now + 15.0, after)]
        now += 26.5
    knots.append((now + 60.0, barriers[-1]))
    return sign * np.interp(t, *np.array(knots).T)


def test_tensing_and_letting_go_finds_each_end_and_the_gain():
    t = times(130.0)
    guide = coach("side_tilt_pir", reps=2, breath_s=3.0)
    events = guide.process(angle_block(t, lateral_deg=rounds(t, [30.0, 34.0, 38.0]), ripple_deg=0.1))
    found = [event for event in events if isinstance(event, Round)]
    assert [event.side for event in found] == [Side.RIGHT, Side.RIGHT]
    assert [event.barrier_deg for event in found] == pytest.approx([34.0, 38.0], abs=1.0)
    assert found[0].before_deg == pytest.approx(30.0, abs=1.0)
    assert all(event.is_press_still for event in found)
    assert guide.record().gain_deg(Side.RIGHT) == pytest.approx(6.0, abs=1.0)


def test_a_press_in_which_the_head_moved_is_said_and_is_none():
    t = times(60.0)
    guide = coach("side_tilt_pir", reps=1, breath_s=3.0)
    lateral = rounds(t, [30.0, 34.0], press_s=9.0, press_moves_deg=8.0)
    events = guide.process(angle_block(t, lateral_deg=lateral, ripple_deg=0.1))
    assert "The head moved: press lighter, without moving." in comments(events)
    (found,) = [event for event in events if isinstance(event, Round)]
    assert not found.is_press_still
    assert guide.record().moved_presses == 1
    assert guide.record().gain_deg(Side.RIGHT) is None


def test_half_of_the_measured_range_is_the_target():
    guide = coach("head_down_pir", range_deg={Direction.DOWN: 60.0})
    events = guide.process(angle_block(times(5.0)))
    assert [event.to_deg for event in events if isinstance(event, Instruction)][-1] == pytest.approx(30.0)


def test_turns_in_a_pose_are_counted_and_the_pose_is_checked():
    t = times(70.0)
    rotation, _ = course(t, [30.0, -30.0] * 7, rest_s=0.6)
    said = comments(coach("crown_hang").process(angle_block(t, rotation_deg=rotation, flexion_deg=0.0)))
    assert said[0] == "2 turns to the right, 2 to the left."
    assert any(text.endswith("The head was upright, not bowed.") for text in said)


def test_what_a_place_cannot_see_goes_by_the_clock():
    guide = coach("side_tilt", Mount.COLLAR, reps=1, hold_s=2.0)
    events = guide.process(angle_block(times(40.0)))
    assert not guide.is_counting
    assert guide.is_done
    assert shorts(events)[1:4] == ["tilt right", "hold", "back"]


def test_who_is_still_coming_back_from_the_exercise_before_is_waited_for():
    t = times(30.0)
    back = np.interp(t, [0.0, 1.5], [20.0, 0.0]) + course(t, [-50.0, -50.0], start_s=6.0)[0]
    guide = coach("range_back", reps=2)
    guide.process(angle_block(t, flexion_deg=back))
    assert guide.is_done


def test_a_press_against_the_palm_is_timed_and_movement_is_told():
    t = times(60.0)
    guide = coach("palm_press_front", reps=2)
    nodding = np.where(t < 12, 5 * np.sin(2 * t), 0.0)
    said = comments(guide.process(angle_block(t, flexion_deg=nodding)))
    assert sum(text.startswith("That press does not count") for text in said) == 1
    assert guide.record().moved_presses == 1


def test_who_does_another_exercise_is_told_and_nothing_is_counted():
    t = times(60.0)
    flexion, _ = course(t, [35.0] * 8)
    guide = coach("side_tilt", reps=2)
    events = guide.process(angle_block(t, flexion_deg=flexion))
    assert any(text.startswith("That looks like another movement.") for text in comments(events))
    assert guide.counts == {Side.RIGHT: 0, Side.LEFT: 0}


def test_a_hole_takes_no_time_of_the_exercise():
    t = times(60.0)
    seen = (t < 8.0) | (t > 40.0)
    guide = coach("palm_press_front", reps=1)
    events = guide.process(angle_block(t[seen]))
    assert "No samples for 32 s; they are not counted. Go on." in comments(events)
    press, rest = (
        event.t_s for event in events if isinstance(event, Instruction) and event.short != "get ready"
    )
    assert rest - press == pytest.approx(7.0 + 32.0, abs=0.2)


def test_a_sensor_taken_off_waits_and_goes_on():
    t = times(40.0)
    off = (t > 5.0) & (t < 20.0)
    activity = np.where(off, ACTIVITIES.index(Activity.NOT_WORN), 0).astype(np.int8)
    guide = coach("palm_press_front", reps=1)
    events = guide.process(angle_block(t), activity)
    assert any("seems to be off" in text for text in comments(events))
    assert guide.is_done


def test_pause_skip_undo_and_stop():
    t = times(60.0)
    flexion, _ = course(t, [40.0] * 3)
    block = angle_block(t, flexion_deg=flexion)
    pieces = list(cut(block, [600]))
    guide = coach("clasped_nod", reps=10)
    guide.process(pieces[0])
    assert guide.counts == {Side.NONE: 2}
    assert "Taken back." in comments(guide.undo())
    assert guide.counts == {Side.NONE: 1}
    guide.skip()
    assert guide.counts == {Side.NONE: 2}
    guide.pause()
    guide.process(pieces[1])
    assert guide.counts == {Side.NONE: 2}  # what is done in a pause is none
    guide.pause()
    guide.stop()
    record = guide.record()
    assert guide.is_done
    assert (record.is_complete, record.skipped, record.undone, len(record.reps)) == (False, 1, 1, 1)


def test_what_was_done_is_known_at_any_moment():
    t = times(40.0)
    lateral, _ = course(t, [30.0, -30.0, 30.0])
    guide = coach("side_tilt_flow", reps=5)
    guide.process(angle_block(t[t < 12.0], lateral_deg=lateral[t < 12.0]))
    record = guide.record()
    assert record.counts == {Side.RIGHT: 1, Side.LEFT: 1}
    assert record.reps[0].start_s == pytest.approx(3.2, abs=0.3)


def test_bending_back_has_to_be_cleared_first():
    with pytest.raises(ValueError, match=r"asks first: .*osteoporosis"):
        Coach(EXERCISES["singing_snake"], Mount.HEAD)


@pytest.mark.parametrize(
    "bad", [{"reps": 1000}, {"sets": 50}, {"hold_s": 300.0}, {"reps": -1}, {"breath_s": 0.5}]
)
def test_a_dose_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        coach("head_down", **bad)


@pytest.mark.parametrize("mount", list(Mount))
def test_every_exercise_can_be_led_in_every_place(mount):
    block = angle_block(times(20.0))
    for exercise in EXERCISES.values():
        guide = Coach(exercise, mount, CoachSettings(reps=1, sets=1), is_cleared=True)
        events = guide.process(block)
        assert exercise.name in events[0].say
        assert guide.view() is not None
        assert guide.record().exercise == exercise.id
        guide.stop()
        assert guide.is_done


def test_every_transition_of_the_table_happens(monkeypatch):
    seen = set()
    go = Coach._go

    def spy(self, cue, t_s):
        seen.add((self.stage, cue))
        return go(self, cue, t_s)

    monkeypatch.setattr(Coach, "_go", spy)
    t = times(40.0)
    flexion, _ = course(t, [40.0] * 4, rest_s=3.0)
    coach("clasped_nod", reps=1, sets=2, pause_s=2.0).process(angle_block(t, flexion_deg=flexion))
    for seconds in (1.0, 5.0, 8.0):
        guide = coach("palm_press_front", reps=1, sets=2, pause_s=60.0)
        guide.process(angle_block(times(seconds)))
        guide.stop()
    guide = coach("clasped_nod", reps=1, sets=2, pause_s=60.0)
    guide.process(angle_block(t, flexion_deg=flexion))
    guide.stop()
    assert set(TRANSITIONS) - seen == set()
    assert {stage for stage, _ in TRANSITIONS} | {Stage.DONE} == set(Stage)
    assert {cue for _, cue in TRANSITIONS} | {Cue.NOTHING} == set(Cue)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 2000), max_size=8))
def test_any_cut_gives_the_same_session(cuts):
    t = times(40.0)
    lateral, _ = course(t, [30.0, -20.0, 6.0, 35.0, -30.0])
    block = angle_block(t, lateral_deg=lateral, up_acc_m_s2=0.1 * np.sin(t))
    whole, pieces = coach("side_tilt_flow", reps=5), coach("side_tilt_flow", reps=5)
    expected = whole.process(block)
    assert [event for piece in cut(block, cuts) for event in pieces.process(piece)] == expected
    assert pieces.record() == whole.record()
    assert any(isinstance(event, RepCompleted) for event in expected)


def test_who_stops_in_the_middle_is_reminded_more_and_more_rarely_and_then_left_in_peace():
    t = times(400.0)
    flexion, _ = course(t, [40.0] * 3)
    guide = coach("clasped_nod", reps=10)
    events = guide.process(angle_block(t, flexion_deg=flexion))
    last_s = max(event.t_s for event in events if isinstance(event, RepCompleted))
    reminded = [event for event in events if isinstance(event, Comment) and event.text.startswith("Whenever")]
    assert [event.t_s - last_s for event in reminded] == pytest.approx([20.0, 60.0, 140.0], abs=0.2)
    assert comments(events)[-1].endswith("this exercise ends here, and what you did is kept.")
    assert guide.is_done
    assert guide.record().end_s - last_s == pytest.approx(260.0, abs=0.3)
    assert not guide.record().is_complete
    assert guide.record().counts == {Side.NONE: 3}
    assert len(guide.record().reps) == 3


def test_who_goes_on_after_reminders_has_them_all_again():
    t = times(400.0)
    flexion = course(t, [40.0])[0] + course(t, [40.0], start_s=90.0)[0]
    events = coach("clasped_nod", reps=10).process(angle_block(t, flexion_deg=flexion))
    first, second = (event.t_s for event in events if isinstance(event, RepCompleted))
    reminded = [
        event.t_s for event in events if isinstance(event, Comment) and event.text.startswith("Whenever")
    ]
    assert reminded == pytest.approx(
        [first + 20, first + 60, second + 20, second + 60, second + 140], abs=0.2
    )
