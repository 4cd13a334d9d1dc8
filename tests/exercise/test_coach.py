"""The coach leads through an exercise, reacts to what is done, and sums up; every transition happens in a test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import angle_block, cut, times
from exercise.test_rep_counter import excursions
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.coach import TRANSITIONS, Coach, CoachSettings, Cue, Stage
from tiltwise.exercise.session_summary import CLEAR_DIFFERENCE_DEG
from tiltwise.types import Mount, RepCompleted, Side, StepPrompt

SHORT = CoachSettings(reps=1, sets=1, hold_s=2.0)


def coach(name: str, settings: CoachSettings = SHORT, mount: Mount = Mount.HEAD, **kwargs) -> Coach:
    return Coach(EXERCISES[name], mount, settings, **kwargs)


def steps(events) -> list[str]:
    return [e.step for e in events if isinstance(e, StepPrompt)]


def test_side_tilts_are_led_right_and_left_with_holds():
    t = times(30.0)
    guide = coach("side_tilt")
    events = guide.process(angle_block(t, lateral_deg=excursions(t, [30, -30], every_s=9.0, hold_s=4.0)))
    assert steps(events) == ["prepare", "out", "hold", "back", "out", "hold", "back", "done"]
    assert [e.side for e in events if isinstance(e, RepCompleted)] == [Side.RIGHT, Side.LEFT]
    assert guide.is_done
    texts = [e.text for e in events if isinstance(e, StepPrompt)]
    assert texts[1] == "Slowly out to the right."
    assert texts[4] == "Slowly out to the left."
    assert texts[2] == "Hold for 2 seconds and breathe."


def test_going_back_is_asked_for_when_the_hold_is_over():
    t = times(30.0)
    guide = coach("head_down", CoachSettings(reps=1, hold_s=5.0))
    events = guide.process(angle_block(t, flexion_deg=excursions(t, [40], hold_s=10.0)))
    at = {e.step: e.t_s for e in events if isinstance(e, StepPrompt)}
    assert at["back"] - at["hold"] == pytest.approx(5.0, abs=0.6)  # the hold counts from 90 % of the peak on


def test_sets_are_parted_by_a_pause():
    t = times(60.0)
    guide = coach("head_down", CoachSettings(reps=2, sets=2, hold_s=0.0, pause_s=8.0))
    flexion = excursions(t, [40, 40]) + excursions(t, [40, 40], start_s=30.0)
    events = guide.process(angle_block(t, flexion_deg=flexion))
    assert steps(events) == ["prepare", "out", "out", "pause", "prepare", "out", "out", "done"]
    assert guide.counts == {Side.NONE: 4}


def test_a_short_hold_the_wrong_side_and_half_a_movement_are_commented():
    t = times(60.0)
    guide = coach("side_tilt", CoachSettings(reps=2, hold_s=4.0))
    lateral = excursions(t, [-30, 6, 30, 30, -30], every_s=8.0, hold_s=1.0)
    events = guide.process(angle_block(t, lateral_deg=lateral, ripple_deg=0.1))
    comments = [e.text for e in events if isinstance(e, StepPrompt) and e.step == "comment"]
    assert "That was the left side; it counts. Now the right one." in comments
    assert any(text.startswith("That was only part of it") for text in comments)
    assert "Held for 1 of 4 seconds." in comments
    assert guide.is_done
    assert guide.summary().partial == 1


def test_who_does_nothing_is_reminded_and_who_stays_out_too():
    t = times(50.0)
    idle = coach("head_down").process(angle_block(t, flexion_deg=0.0))
    assert steps(idle) == ["prepare", "out", "out", "out"]
    assert idle[2].text.startswith("Whenever you are ready: slowly out")
    stay = excursions(t, [40], hold_s=40.0)
    assert steps(coach("head_down").process(angle_block(t, flexion_deg=stay)))[:5] == [
        "prepare",
        "out",
        "hold",
        "back",
        "back",
    ]


def test_who_never_rests_begins_after_ten_seconds():
    t = times(15.0)
    events = coach("head_down").process(angle_block(t, rotation_deg=0.0, flexion_deg=3 * np.sin(6 * t)))
    assert [(e.step, e.t_s) for e in events] == [("prepare", 0.0), ("out", 10.0)]


def test_movements_before_the_start_do_not_count():
    t = times(9.0)
    guide = coach("head_down", CoachSettings(reps=1, hold_s=0.0))
    guide.process(angle_block(t, flexion_deg=excursions(t, [40], start_s=0.2)))
    assert guide.counts == {Side.NONE: 0}


def test_a_press_is_timed_and_movement_is_told_once():
    t = times(60.0)
    still, moving = (
        coach("palm_press_front", CoachSettings(reps=2, pause_s=3.0)),
        coach("palm_press_front", CoachSettings(reps=2, pause_s=3.0)),
    )
    quiet = still.process(angle_block(t))
    assert steps(quiet) == ["prepare", "work", "pause", "prepare", "work", "done"]
    assert still.summary().moved_reps == 0
    nodding = moving.process(angle_block(t, flexion_deg=np.where(t < 12, 5 * np.sin(2 * t), 0.0)))
    assert steps(nodding).count("comment") == 1
    assert moving.summary().moved_reps == 1
    assert moving.counts == {Side.NONE: 2}


def test_where_the_sensor_sees_nothing_the_clock_leads_both_sides():
    guide = coach("side_tilt", CoachSettings(reps=1, hold_s=5.0, pause_s=1.0), Mount.COLLAR)
    events = guide.process(angle_block(times(60.0)))
    assert not guide.is_counting
    assert steps(events) == ["prepare", "work", "pause", "prepare", "work", "done"]
    assert [e.text for e in events if e.step == "work"] == [
        "Begin to the right, for 9 seconds.",
        "Begin to the left, for 9 seconds.",
    ]


def test_a_pause_between_sets_by_the_clock():
    guide = coach("palm_press_front", CoachSettings(reps=1, sets=2, work_s=2.0, pause_s=1.0))
    assert steps(guide.process(angle_block(times(30.0)))) == [
        "prepare",
        "work",
        "pause",
        "prepare",
        "work",
        "done",
    ]


@pytest.mark.parametrize("left_deg", [-28.0, -18.0])
def test_a_difference_of_the_sides_is_told_apart_from_measuring_error(left_deg):
    t = times(60.0)
    guide = coach("side_tilt", CoachSettings(reps=3, hold_s=0.0))
    guide.process(angle_block(t, lateral_deg=excursions(t, [30, left_deg] * 3)))
    summary = guide.summary()
    assert summary.counts == {Side.RIGHT: 3, Side.LEFT: 3}
    assert summary.difference_deg == pytest.approx(30 + left_deg, abs=0.6)
    assert summary.is_difference_clear == (30 + left_deg > CLEAR_DIFFERENCE_DEG)


def test_bending_back_has_to_be_cleared_first():
    with pytest.raises(ValueError, match=r"asks first: .*osteoporosis"):
        coach("singing_snake")
    assert not coach("singing_snake", is_cleared=True).is_done


@pytest.mark.parametrize("bad", [{"reps": 1000}, {"sets": 50}, {"hold_s": 300.0}, {"reps": -1}])
def test_a_dose_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match="expected 1-100"):
        coach("head_down", CoachSettings(**bad))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
@pytest.mark.parametrize("mount", list(Mount))
def test_every_exercise_can_be_coached_in_every_place(exercise, mount):
    guide = Coach(exercise, mount, CoachSettings(reps=1, sets=1, work_s=3.0, pause_s=1.0), is_cleared=True)
    events = guide.process(angle_block(times(20.0)))
    assert events[0].text.startswith(exercise.name)
    assert guide.is_done != guide.is_counting  # the clock comes to an end by itself


def test_every_transition_of_the_table_happens(monkeypatch):
    seen = set()
    enter = Coach._enter

    def spy(self, stage, cue, t_s):
        seen.add((self.stage, cue))
        enter(self, stage, cue, t_s)

    monkeypatch.setattr(Coach, "_enter", spy)
    t = times(120.0)
    back_soon = excursions(t, [40, 40, 40, 40], every_s=10.0, hold_s=1.5)
    stay = excursions(t, [40] * 6, every_s=14.0, hold_s=5.0)
    for sets in (1, 2):
        for hold_s in (0.0, 2.0, 4.0):
            for flexion in (back_soon, stay):
                dose = CoachSettings(reps=2, sets=sets, hold_s=hold_s, pause_s=1.0)
                coach("head_down", dose).process(angle_block(t, flexion_deg=flexion))
        coach("palm_press_front", CoachSettings(reps=2, sets=sets, work_s=2.0, pause_s=1.0)).process(
            angle_block(t)
        )
    coach("head_down").process(angle_block(t))
    coach("head_down").process(angle_block(t, flexion_deg=excursions(t, [40], hold_s=50.0)))
    assert set(TRANSITIONS) - seen == set()
    assert {stage for stage, _ in TRANSITIONS} | {Stage.DONE} == set(Stage)
    assert {cue for _, cue in TRANSITIONS} | {Cue.NOTHING} == set(Cue)


@settings(max_examples=10)
@given(st.lists(st.integers(0, 2000), max_size=10))
def test_any_cut_gives_the_same_session(cuts):
    t = times(40.0)
    block = angle_block(t, lateral_deg=excursions(t, [30, -20, 6, 35, -30], hold_s=2.0))
    whole, guide = coach("side_tilt", CoachSettings(reps=2)), coach("side_tilt", CoachSettings(reps=2))
    expected = whole.process(block)
    assert [e for piece in cut(block, cuts) for e in guide.process(piece)] == expected
    assert guide.summary() == whole.summary()
