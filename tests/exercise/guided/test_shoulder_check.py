"""`shoulder_check`: a rest, a shrug, a rest; and whether the upper back rests elsewhere after it."""

import numpy as np
import pytest

from detect.synthetic import angle_block, cut, times, without
from exercise.guided.test_shrug_counter import lifted
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.guided.coach import Coach, CoachSettings
from tiltwise.exercise.guided.coach_events import Comment, Instruction
from tiltwise.types import ACTIVITIES, Activity, Mount, Side

CHECK = EXERCISES["shoulder_check"]
RAISED_S = 18.0
ALL = ["get ready", "stay so", "raise", "drop", "let hang"]


def wearer(*, before_deg=5.0, after_deg=1.5, seconds=60.0, raises=(RAISED_S,), restless_s=0.0):
    """Leans before_deg forward until the drop, 3.4 s after a raise begins; moves about until restless_s."""
    t = times(seconds)
    tilt = np.where(t < raises[0] + 2.7 if raises else t < 1e9, before_deg, after_deg)
    tilt = tilt + np.where(t < restless_s, 8.0 * np.sin(2 * np.pi * t / 17.0), 0.0)
    return angle_block(t, flexion_deg=tilt, up_acc_m_s2=lifted(t, list(raises)))


def shorts(events):
    return [event.short for event in events if isinstance(event, Instruction)]


def said(events):
    return [event.text for event in events if isinstance(event, Comment)]


def guided(block, mount=Mount.COLLAR, activity=None):
    coach = Coach(CHECK, mount)
    return coach, coach.process(block, activity)


def test_a_rest_a_raise_a_drop_and_a_rest_are_compared():
    coach, events = guided(wearer())
    assert shorts(events) == ALL
    assert coach.is_done
    assert coach.is_complete
    record = coach.record()
    assert record.counts == {Side.NONE: 1}
    assert record.compared.before_deg == pytest.approx(5.0, abs=0.3)
    assert record.compared.change_deg == pytest.approx(-3.5, abs=0.4)
    assert said(events) == [record.compared.words]
    assert "further back than before" in record.compared.words


@pytest.mark.parametrize(
    ("after_deg", "words"), [(5.5, "No difference beyond 2.5 deg"), (8.0, "further forward")]
)
def test_nothing_or_the_other_way_is_told_as_such(after_deg, words):
    coach, _ = guided(wearer(after_deg=after_deg))
    assert words in coach.record().compared.words


@pytest.mark.parametrize("edges", [range(1, 3000, 7), [0, 900, 901, 901], range(40, 3000, 250)])
def test_any_cut_gives_the_same_comparison(edges):
    whole, events = guided(wearer())
    pieces = Coach(CHECK, Mount.COLLAR)
    found = [event for block in cut(wearer(), list(edges)) for event in pieces.process(block)]
    assert repr(found) == repr(events)  # the angle of a shrug is NaN
    assert repr(pieces.record()) == repr(whole.record())


def test_who_does_not_sit_still_is_waited_for_and_then_not_compared():
    coach, events = guided(wearer(restless_s=20.0, raises=(40.0,), seconds=90.0))
    assert shorts(events) == ALL
    raised_s = next(
        event.t_s for event in events if isinstance(event, Instruction) and event.short == "raise"
    )
    assert 24.0 < raised_s < 34.0  # ten quiet seconds, the first of them as it comes to an end at 20 s
    assert coach.record().compared.change_deg == pytest.approx(-3.5, abs=1.0)
    never, events = guided(wearer(restless_s=99.0, raises=(50.0,), seconds=99.0))
    assert never.is_done
    assert never.record().compared.change_deg is None
    assert said(events)[-1].startswith("Not compared: ten quiet seconds")


def test_who_raises_too_early_is_not_compared_with_a_rest_that_was_none():
    coach, events = guided(wearer(raises=(8.0,)))
    assert shorts(events) == ["get ready", "stay so", "drop", "let hang"]
    assert coach.is_done
    assert coach.record().compared.before_deg is None


def test_a_sensor_that_was_off_in_between_sits_otherwise():
    block = wearer(seconds=70.0, raises=(36.0,))
    codes = np.full(len(block.t_s), ACTIVITIES.index(Activity.STILL), np.int8)
    codes[(block.t_s > 20.0) & (block.t_s < 30.0)] = ACTIVITIES.index(Activity.NOT_WORN)
    coach, _ = guided(block, activity=codes)
    assert coach.is_done
    assert coach.record().compared.before_deg is None


def test_a_pause_and_a_hole_in_a_rest_lengthen_it():
    coach, events = guided(without(wearer(raises=(30.0,), seconds=80.0), 8.0, 12.0))
    raised_s = next(
        event.t_s for event in events if isinstance(event, Instruction) and event.short == "raise"
    )
    assert raised_s == pytest.approx(22.0, abs=1.5)  # ten seconds after the hole
    assert coach.record().compared.change_deg == pytest.approx(-3.5, abs=0.4)
    assert coach.record().lost_s == pytest.approx(4.0, abs=0.1)


def parts(*seconds, **how):
    """A wearer, in pieces that end at these times."""
    return cut(wearer(**how), [round(50 * s) for s in seconds])


def test_keys_leave_out_the_rest_the_raise_or_the_whole():
    coach = Coach(CHECK, Mount.COLLAR)
    first, second, third = parts(16.0, 25.0, raises=())
    coach.process(first)
    coach.skip()  # the raise, which the sensor may not have seen
    assert coach.view().short == "let hang"
    assert not coach.is_done
    coach.process(second)
    coach.skip()  # and the rest behind it
    assert coach.is_done
    assert (coach.record().counts, coach.record().skipped) == ({Side.NONE: 1}, 1)
    assert coach.record().compared.after_deg is None
    assert coach.process(third) == []

    whole = Coach(CHECK, Mount.COLLAR)
    whole.process(next(parts(6.0)))
    whole.skip()
    assert whole.is_done
    assert whole.record().compared is None


def test_a_raise_that_is_taken_back_begins_with_the_rest_again():
    coach = Coach(CHECK, Mount.COLLAR)
    first, _ = parts(23.0)
    coach.process(first)
    assert coach.view().short == "let hang"
    assert shorts(coach.undo()) == ["stay so"]
    assert not coach.is_done
    assert coach.record().compared is None


def test_a_stop_in_the_last_rest_keeps_the_shrug_and_compares_nothing():
    coach = Coach(CHECK, Mount.COLLAR)
    coach.process(next(parts(24.0)))
    coach.stop()
    assert (coach.is_done, coach.is_complete) == (True, False)
    assert (coach.record().n, coach.record().compared) == (1, None)


@pytest.mark.parametrize("mount", [Mount.NECK, Mount.HEAD])
def test_elsewhere_the_clock_leads_and_nothing_is_compared(mount):
    coach, events = guided(wearer(), mount)
    assert shorts(events)[-1] == "let hang"
    assert coach.record().compared is None
    assert not coach.record().is_counted


def test_two_checks_in_a_row_are_two_comparisons_of_which_the_newest_is_kept():
    t = times(120.0)
    tilt = np.select([t < 20.7, t < 60.0], [5.0, 2.0], 2.0)
    coach = Coach(CHECK, Mount.COLLAR, CoachSettings(reps=2))
    events = coach.process(angle_block(t, flexion_deg=tilt, up_acc_m_s2=lifted(t, [18.0, 50.0])))
    assert shorts(events) == [*ALL, *ALL[1:]]
    assert "further back" in said(events)[0]
    assert said(events)[1].startswith("No difference")
    assert coach.record().compared.change_deg == pytest.approx(0.0, abs=0.4)
