"""What a coach shows, and when it asks: on courses whose times and angles are known beforehand."""

import numpy as np
import pytest

from detect.synthetic import angle_block, times
from exercise.guided.test_coach import coach, comments, rounds, shorts
from exercise.guided.test_turn_counter import course
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach import Coach, CoachSettings
from tiltwise.exercise.guided.coach_events import Instruction
from tiltwise.exercise.guided.counter_events import RepTakenBack
from tiltwise.types import Mount, Side

GRID_S = 0.05  # moments are 0.04 s apart


def asked(events):
    return [event for event in events if isinstance(event, Instruction)]


def shown(guide, until_s, **angles):
    """What is shown at a time of a recording."""
    t = times(until_s + 0.02)
    guide.process(angle_block(t, ripple_deg=0.0, **{name: way[: len(t)] for name, way in angles.items()}))
    return guide.view()


def test_who_sits_quietly_is_asked_after_two_seconds_and_who_never_does_after_eight():
    t = times(12.0)
    quiet = coach("clasped_nod").process(angle_block(t))
    restless = coach("clasped_nod").process(angle_block(t, flexion_deg=6 * np.sin(5 * t)))
    late = coach("clasped_nod").process(angle_block(t, flexion_deg=np.interp(t, [0, 3], [30, 0])))
    assert [asked(events)[1].t_s for events in (quiet, restless)] == pytest.approx([2.0, 8.0], abs=GRID_S)
    assert 4.4 < asked(late)[1].t_s < 5.2  # 1.5 s of rest


def test_what_the_clock_leads_lasts_as_long_as_it_says():
    guide = coach("side_tilt", Mount.COLLAR, reps=1, hold_s=2.0)
    told = asked(guide.process(angle_block(times(30.0))))
    assert [one.t_s for one in told] == pytest.approx([0, 2, 5, 7, 10, 13, 15], abs=0.15)
    assert [one.lasts_s for one in told] == [0.0, 3.0, 2.0, 3.0, 3.0, 2.0, 3.0]
    sides = [Side.NONE, *[Side.RIGHT] * 3, *[Side.LEFT] * 3]
    assert [one.side for one in told] == sides
    assert guide.record().end_s == pytest.approx(18.0, abs=0.2)


def test_a_timed_phase_shows_how_much_of_it_is_left():
    guide = coach("side_tilt", Mount.COLLAR, reps=1, hold_s=2.0)
    assert guide.view() is None
    view = shown(guide, 6.0)
    assert (view.short, view.following, view.side, view.reps) == ("hold", "back", Side.RIGHT, 1)
    assert (view.phase_share, view.left_s, view.since_s) == pytest.approx((0.5, 1.0, 1.0), abs=0.1)
    assert (view.angle_deg, view.angle_share, view.is_breathing) == (None, None, False)
    assert shown(coach("side_tilt", Mount.COLLAR, reps=1), 6.0).is_breathing  # three breaths
    last = shown(coach("side_tilt", Mount.COLLAR, reps=1, hold_s=2.0), 17.0)
    assert (last.following, last.counts) == ("done", {Side.RIGHT: 1, Side.LEFT: 0})


def test_waiting_shows_what_comes_first_and_how_long_a_pause_still_is():
    ready = shown(coach("side_tilt"), 1.0)
    assert (ready.short, ready.following, ready.since_s) == ("get ready", "tilt", 1.0)
    assert (ready.say, ready.phase_share, ready.left_s) == (EXERCISES["side_tilt"].begin, None, None)
    guide = coach("palm_press_front", reps=1, sets=2, pause_s=8.0)  # 2 s, a press of 7 and a rest of 5
    pause = shown(guide, 16.0)
    assert (pause.short, pause.following, pause.set_number, pause.sets) == ("rest", "press", 1, 2)
    assert (pause.phase_share, pause.left_s) == pytest.approx((0.25, 6.0), abs=0.02)
    second = shown(coach("palm_press_front", reps=1, sets=2, pause_s=8.0), 23.0)
    assert (second.short, second.set_number) == ("press", 2)
    done = shown(coach("palm_press_front", reps=1), 15.0)
    assert (done.short, done.say, done.following) == ("done", "", "")


def test_the_way_out_is_shown_as_a_share_of_the_range_or_of_what_was_done():
    flexion, _ = course(
        times(30.0), [40.0, 40.0], hold_s=3.0
    )  # half way at 3.8 s; back and half way at 11.5 s
    own = coach("clasped_nod", reps=2, range_deg={Direction.DOWN: 50.0})
    view = shown(own, 3.8, flexion_deg=flexion)
    assert (view.short, view.following, view.side) == ("sink", "rise", Side.NONE)
    assert view.angle_deg == pytest.approx(20.0, abs=0.3)  # the middle follows a slow beginning
    assert view.angle_share == pytest.approx(view.angle_deg / 50.0)
    assert view.since_s == pytest.approx(1.8, abs=GRID_S)
    assert (view.phase_share, view.left_s, view.is_breathing) == (None, None, False)
    held = shown(coach("clasped_nod", reps=2), 6.0, flexion_deg=flexion)
    assert (held.short, held.following, held.angle_share) == ("rise", "sink", None)  # nothing to compare with
    again = shown(coach("clasped_nod", reps=2), 11.5, flexion_deg=flexion)
    assert again.angle_share == pytest.approx(0.5, abs=0.03)
    assert again.counts == {Side.NONE: 1}
    last = shown(coach("clasped_nod", reps=2), 14.0, flexion_deg=flexion)
    assert (last.short, last.following) == ("rise", "done")


def test_a_hold_that_is_followed_shows_what_is_left_of_it():
    lateral, _ = course(times(30.0), [30.0, -30.0], hold_s=6.0)
    view = shown(coach("side_tilt", reps=1, hold_s=4.0), 6.6, lateral_deg=lateral)
    assert (view.short, view.following, view.side) == ("hold", "back", Side.RIGHT)
    assert view.left_s == pytest.approx(2.0, abs=0.3)  # it was out at 4.6 s
    assert view.phase_share == pytest.approx(1.0 - view.left_s / 4.0)
    back = shown(coach("side_tilt", reps=1, hold_s=4.0), 9.5, lateral_deg=lateral)
    assert (back.short, back.following, back.side) == ("back", "tilt left", Side.RIGHT)


def test_a_slow_movement_is_shown_towards_its_target():
    flexion = np.interp(times(10.0), [3.0, 5.0], [0.0, 15.0])
    view = shown(coach("head_down_pir", range_deg={Direction.DOWN: 60.0}), 6.0, flexion_deg=flexion)
    assert (view.short, view.following) == ("half down", "press")
    assert (view.angle_deg, view.angle_share) == pytest.approx((15.0, 0.5), abs=0.01)
    assert (view.phase_share, view.left_s) == (None, None)
    assert shown(coach("head_down_pir"), 6.0, flexion_deg=flexion).angle_share is None


def test_each_way_of_a_pair_has_its_own_share_of_its_own_range():
    flexion, _ = course(times(30.0), [-30.0, 40.0])
    guide = coach("singing_snake", reps=1, range_deg={Direction.BACK: 50.0, Direction.DOWN: 40.0})
    events = asked(guide.process(angle_block(times(30.0), flexion_deg=flexion)))
    assert [one.short for one in events] == ["get ready", "back", "middle", "chin down", "up"]
    assert [one.to_deg for one in events] == [None, 30.0, None, 32.0, None]  # 0.6 of 50, 0.8 of 40


def test_a_record_has_the_times_from_its_start_wherever_that_was():
    t = times(130.0)
    lateral, nods = rounds(t, [30.0, 34.0, 38.0]), course(t, [40.0] * 3)[0]
    for name, angles in (("side_tilt_pir", {"lateral_deg": lateral}), ("clasped_nod", {"flexion_deg": nods})):
        early, late = (coach(name, reps=2, breath_s=3.0) for _ in range(2))
        early.process(angle_block(t, ripple_deg=0.0, **angles))
        late.process(angle_block(t + 1000.0, ripple_deg=0.0, **angles))
        one, other = early.record(), late.record()
        assert (other.start_s, other.end_s) == pytest.approx((1000.0, 1000.0 + one.end_s))
        assert len(one.rounds) + len(one.reps) == 2
        for a, b in zip(one.rounds, other.rounds, strict=True):
            at = [(r.t_s, r.press_start_s, r.press_end_s, r.sink_s, r.arrived_s) for r in (a, b)]
            assert at[1] == pytest.approx(at[0], abs=0.05)
            told_s, begins_s, ends_s, sinks_s, arrives_s = at[0]
            assert 0.0 < begins_s < ends_s < sinks_s < arrives_s < told_s
        for a, b in zip(one.reps, other.reps, strict=True):
            assert (b.start_s, b.peak_s, b.end_s, b.t_s) == pytest.approx(
                (a.start_s, a.peak_s, a.end_s, a.t_s), abs=0.05
            )


@pytest.mark.parametrize(
    ("moved_deg", "at_s", "counts"),
    [(2.8, 5.0, True), (3.2, 5.0, False), (9.0, 2.4, True), (9.0, 8.0, False)],
)
@pytest.mark.parametrize("column", ["flexion_deg", "lateral_deg"])
def test_a_press_is_still_within_three_degrees_after_its_first_second(moved_deg, at_s, counts, column):
    t = times(20.0)
    way = np.interp(t, [at_s, at_s + 0.4], [0.0, moved_deg])
    guide = coach("palm_press_front", reps=1)  # from 2 to 9 s
    said = comments(guide.process(angle_block(t, ripple_deg=0.0, **{column: way})))
    lost = ["The head moved: press lighter, without moving."]
    lost += [f"That press does not count: the head moved by {moved_deg:.0f} deg."]
    assert said == ([] if counts else lost)
    assert guide.record().moved_presses == (not counts)


@pytest.mark.parametrize(
    ("bow_deg", "back_deg", "said"),
    [(11.0, -11.0, ["", "", "", ""]),
     (9.0, -9.0, ["", "", " The head was upright, not bowed.", " The head was upright, not back."]),
     (-11.0, 11.0, ["", "", " The head was back, not bowed.", " The head was bowed, not back."])],
)  # fmt: skip
def test_a_pose_is_ten_degrees_from_where_it_began(bow_deg, back_deg, said):
    t = times(70.0)
    flexion = 4.0 + np.interp(t, [32, 33, 46, 48, 62, 63], [0, bow_deg, bow_deg, back_deg, back_deg, 0])
    found = comments(coach("crown_hang").process(angle_block(t, flexion_deg=flexion, ripple_deg=0.0)))
    assert found == [f"0 turns to the right, 0 to the left.{text}" for text in said]


def test_a_timed_repetition_is_taken_back_and_skipped_as_a_whole():
    guide = coach("palm_press_front", reps=3)  # a press at 2, 14 and 26 s
    shown(guide, 5.0)
    assert comments(guide.undo()) == ["Nothing to take back."]
    shown_at_16 = angle_block(5.02 + times(11.0))
    guide.process(shown_at_16)
    assert guide.counts == {Side.NONE: 1}
    again = guide.undo()
    assert (comments(again), shorts(again), guide.counts) == (["Once more."], ["press"], {Side.NONE: 0})
    assert shorts(guide.skip()) == ["press"]
    assert shorts(guide.skip()) == ["press"]
    assert (guide.skip(), guide.is_done, guide.counts) == ([], True, {Side.NONE: 3})
    record = guide.record()
    assert (record.undone, record.skipped, record.is_complete, record.asked) == (1, 3, True, 3)
    assert (guide.skip(), guide.undo(), guide.stop(), guide.pause()) == ([], [], [], [])


def test_a_round_that_is_taken_back_is_none():
    t = times(60.0)
    guide = coach("side_tilt_pir", reps=2, breath_s=3.0)
    lateral = rounds(t, [30.0, 34.0, 38.0])
    guide.process(angle_block(t[t < 37], lateral_deg=lateral[t < 37], ripple_deg=0.0))
    before = guide.record()
    assert (len(before.rounds), len(before.barriers[Side.RIGHT]), before.n) == (1, 2, 1)
    guide.undo()
    assert (guide.record().rounds, len(guide.record().barriers[Side.RIGHT]), guide.record().n) == ((), 1, 0)


def test_what_the_counter_takes_back_counts_no_more_and_is_asked_for_again():
    flexion, _ = course(times(60.0), [40.0] * 4, hold_s=3.0)
    guide = coach("clasped_nod", reps=3)
    shown(guide, 6.0, flexion_deg=flexion)
    (told,) = guide._course._told
    assert guide.counts == {Side.NONE: 1}
    none = guide._course._take([RepTakenBack(6.0, told.t_s - 1.0, told.side, "it stays")])
    assert (none, guide.counts) == ([], {Side.NONE: 1})
    back = guide._course._take([RepTakenBack(6.0, told.t_s, told.side, "it stays")])
    assert (comments(back), guide.counts) == (["Not counted after all: it stays."], {Side.NONE: 0})
    assert shorts(back) == ["sink"]
    assert (guide.record().taken_back, guide._course._told) == (1, [])


def test_what_is_taken_back_at_its_turn_is_not_kept_when_it_is_over():
    flexion, _ = course(times(60.0), [40.0] * 4, hold_s=3.0)
    guide = coach("clasped_nod", reps=2)
    assert guide.undo() == []  # nothing has begun
    shown(guide, 2.5, flexion_deg=flexion)
    assert comments(guide.undo()) == ["Nothing to take back."]
    t = times(60.0)
    now = (t > 2.51) & (t < 6.0)
    guide.process(angle_block(t[now], flexion_deg=flexion[now], ripple_deg=0.0))
    assert guide.counts == {Side.NONE: 1}
    guide.undo()
    guide.process(angle_block(t[t >= 6.0], flexion_deg=flexion[t >= 6.0], ripple_deg=0.0))
    record = guide.record()
    assert (record.counts, len(record.reps), record.undone) == ({Side.NONE: 2}, 2, 1)
    assert record.reps[0].start_s > 8.0  # the second one


@pytest.mark.parametrize(
    ("far_deg", "says"), [(14.0, "Whenever you are ready:"), (16.5, "That looks like another")]
)
def test_fifteen_degrees_in_another_plane_are_another_movement(far_deg, says):
    t = times(30.0)
    flexion, _ = course(t, [far_deg])
    said = comments(coach("side_tilt").process(angle_block(t, flexion_deg=flexion, ripple_deg=0.0)))
    assert [text.startswith(says) for text in said] == [True]


@pytest.mark.parametrize(
    "dose",
    [{"reps": 100, "hold_s": 0.0}, {"sets": 20}, {"hold_s": 60.0}, {"hold_s": 0.0}, {"breath_s": 2.0},
     {"breath_s": 20.0}],
)  # fmt: skip
def test_a_dose_at_its_border_is_taken(dose):
    guide = coach("side_tilt", **dose)
    assert (guide.exercise.reps, guide.exercise.sets) == (dose.get("reps", 3), dose.get("sets", 1))
    assert ("hold" in {phase.short for phase in guide.exercise.phases}) is (dose.get("hold_s") != 0.0)


@pytest.mark.parametrize(
    "dose", [{"reps": 101}, {"sets": 21}, {"hold_s": 60.5}, {"breath_s": 1.9}, {"breath_s": 20.1}, {"reps": 0},
             {"sets": 0}, {"hold_s": -0.5}],
)  # fmt: skip
def test_a_dose_beyond_its_border_is_refused(dose):
    with pytest.raises(ValueError, match="expected"):
        coach("side_tilt", **dose)


def test_the_record_knows_what_was_lost_and_what_it_was_part_of():
    t = times(60.0)
    guide = Coach(EXERCISES["palm_press_front"], Mount.HEAD, CoachSettings(reps=1, session="desk_break"))
    guide.process(angle_block(t[(t < 8.0) | (t > 40.0)]))
    assert guide.record().lost_s == pytest.approx(32.0, abs=0.1)
    assert guide.record().session == "desk_break"
    assert coach("palm_press_front").record().session == "palm_press_front"
    short = coach("palm_press_front", reps=1)
    assert not comments(short.process(angle_block(t[(t < 8.0) | (t > 8.4)])))
    assert short.record().lost_s == 0.0


def test_a_pause_is_said_and_what_was_asked_is_asked_again():
    guide = coach("palm_press_front", reps=1)
    assert guide.pause() == []  # before the first sample
    shown(guide, 1.0)
    assert comments(guide.pause()) == ["Paused."]
    assert shorts(guide.pause()) == ["get ready"]
    guide.process(angle_block(1.02 + times(3.0), ripple_deg=0.0))
    guide.pause()
    guide.process(angle_block(4.02 + times(30.0), ripple_deg=0.0))
    going = guide.pause()
    assert (comments(going), shorts(going)) == (["Going on."], ["press"])
    end = guide.process(angle_block(34.02 + times(20.0), ripple_deg=0.0))
    assert [one.t_s for one in asked(end)] == pytest.approx(
        [9.0 + 30.0], abs=0.2
    )  # the 30 s are none of its 7


def test_a_pause_takes_no_time_from_the_patience():
    guide = coach("clasped_nod")
    shown(guide, 5.0)
    guide.pause()
    assert not guide.process(angle_block(5.02 + times(30.0), ripple_deg=0.0))
    guide.pause()
    said = guide.process(angle_block(35.02 + times(20.0), ripple_deg=0.0))
    assert [event.t_s for event in said] == pytest.approx(
        [22.0 + 30.0] * 2, abs=0.1
    )  # a word, and asked again


def test_a_movement_is_skipped_side_by_side_until_none_is_left():
    guide = coach("side_tilt", reps=1)
    assert guide.skip() == []  # nothing is asked for yet
    shown(guide, 3.0)
    assert shorts(guide.skip()) == ["tilt left"]
    assert guide.skip() == []
    assert (guide.is_done, guide.record().skipped, guide.counts) == (True, 2, {Side.RIGHT: 1, Side.LEFT: 1})


def test_a_movement_that_was_none_after_all_is_in_no_record():
    flexion, _ = course(times(60.0), [9.0, 40.0, 40.0, 40.0])
    guide = coach("clasped_nod", reps=3)
    said = comments(guide.process(angle_block(times(60.0), flexion_deg=flexion, ripple_deg=0.0)))
    record = guide.record()
    assert "Not counted after all: much smaller than what followed." in said
    assert (record.counts, record.taken_back, guide.is_done) == ({Side.NONE: 3}, 1, True)
    assert [rep.peak_deg for rep in record.reps] == pytest.approx([40.0] * 3, abs=1.0)
