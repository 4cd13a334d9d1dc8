"""In an unguided day repetitions count in sets; a lone tilt, however far, is no exercise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.synthetic import angle_block, cut, times
from exercise.test_rep_counter import excursions
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.rep_counter import RepCounter
from tiltwise.exercise.set_counter import SetCounter, set_counters, watched_exercises
from tiltwise.types import Mount, RepCompleted, Side


def counter() -> SetCounter:
    return SetCounter(RepCounter("side_tilt", EXERCISES["side_tilt"].signal))


def told(lateral_deg: np.ndarray, t: np.ndarray) -> list[RepCompleted]:
    return counter().process(angle_block(t, lateral_deg=lateral_deg))


def test_a_set_is_told_whole_the_first_ones_with_the_third():
    t = times(40.0)
    reps = told(excursions(t, [30, -32, 34, -28]), t)
    assert [r.side for r in reps] == [Side.RIGHT, Side.LEFT, Side.RIGHT, Side.LEFT]
    assert [r.peak_s for r in reps] == pytest.approx([4.7, 10.7, 16.7, 22.7], abs=0.7)
    assert reps[0].t_s == reps[1].t_s == reps[2].t_s == reps[2].end_s  # known only then
    assert [r.t_s for r in reps[2:]] == [r.end_s for r in reps[2:]]


def test_a_telephone_on_the_shoulder_is_no_exercise():
    t = times(60.0)
    assert told(excursions(t, [28], hold_s=10.0), t) == []
    # Not even close to a set of tilts, before or after it.
    near = excursions(t, [28], hold_s=10.0) + excursions(t, [30, -30, 30], start_s=22.0)
    assert len(told(near, t)) == 3
    assert len(told(excursions(t, [30, -30, 30]) + excursions(t, [28], start_s=30.0, hold_s=10.0), t)) == 3


def test_tilts_further_apart_than_a_set_are_none():
    t = times(90.0)
    for every_s, n in ((3.4 + 14.0, 3), (3.4 + 16.0, 0)):  # a tilt takes 3.4 s; a set has no pause of 15 s
        assert len(told(excursions(t, [30, -30, 30], every_s=every_s), t)) == n, every_s


def test_two_tilts_of_somebody_who_talks_are_no_exercise():
    t = times(60.0)
    assert told(excursions(t, [15, -14]), t) == []
    assert told(excursions(t, [15, 14]) + excursions(t, [-15], start_s=20.0), t) == [], "in no order"


def test_three_out_of_pace_are_no_set():
    t = times(60.0)
    pair = excursions(t, [30, -30], every_s=4.0)
    assert told(pair + excursions(t, [30], start_s=24.0), t) == []


def test_both_sides_one_after_the_other_are_two_sets():
    t = times(60.0)
    assert len(told(excursions(t, [30, 30, 30, -30, -30, -30]), t)) == 6


def test_unlike_sizes_are_no_set():
    t = times(30.0)
    assert told(excursions(t, [40, -12, 40]), t) == []
    assert len(told(excursions(t, [40, -25, 40]), t)) == 3


def test_partial_ones_are_told_within_a_set_only():
    t = times(60.0)
    reps = told(excursions(t, [5, 30, -30, 30, 5, -30, 30]), t)
    assert [r.is_partial for r in reps] == [False, False, False, True, False, False]


def test_long_holds_make_a_set_like_short_ones():
    t = times(90.0)
    assert len(told(excursions(t, [30, -30, 30], every_s=22.0, hold_s=12.0), t)) == 3


@settings(max_examples=20)
@given(st.lists(st.integers(1, 1999), max_size=6))
def test_cuts_change_nothing(edges):
    t = times(40.0)
    block = angle_block(t, lateral_deg=excursions(t, [30, -32, 5, 34, -28]))
    whole = counter().process(block)
    pieces = counter()
    assert [rep for part in cut(block, edges) for rep in pieces.process(part)] == whole


def test_set_counters_carry_the_names_and_leave_out_what_cannot_be_counted():
    assert [c.exercise for c in set_counters(["side_tilt", "palm_press_front"])] == ["side_tilt"]


class Told:
    """A counter that tells what it was given."""

    exercise = "side_tilt"

    def __init__(self, *reps: tuple[float, float, float, float, Side]) -> None:
        self._reps = [
            RepCompleted(end, "side_tilt", side, start, (start + end) / 2, end, peak, hold)
            for start, end, peak, hold, side in reps
        ]

    def process(self, *_of_the_day):
        return self._reps


def tilts(starts_s, peaks=(30.0, 30.0, 30.0), holds=(1.0, 1.0, 1.0), sides="RRR"):
    of = {"R": Side.RIGHT, "L": Side.LEFT}
    some = [
        (s, s + 2.0, peak, hold, of[side])
        for s, peak, hold, side in zip(starts_s, peaks, holds, sides, strict=True)
    ]
    return len(SetCounter(Told(*some)).process(angle_block(times(1.0))))


@pytest.mark.parametrize(
    ("how", "n"),
    [
        ({"starts_s": (0, 17, 34)}, 3),  # 15 s after the last one's end
        ({"starts_s": (0, 17.5, 35)}, 0),
        ({"starts_s": (0, 4, 14)}, 3),  # 2.5 times as long as the time before
        ({"starts_s": (0, 4, 14.5)}, 0),
        ({"starts_s": (0, 10, 14)}, 3),
        ({"starts_s": (0, 5, 10), "peaks": (30.0, 15.0, 30.0)}, 3),  # half as far
        ({"starts_s": (0, 5, 10), "peaks": (30.0, 14.5, 30.0)}, 0),
        ({"starts_s": (0, 5, 10), "holds": (1.0, 3.0, 1.0)}, 3),  # twice as long and a second
        ({"starts_s": (0, 5, 10), "holds": (1.0, 3.5, 1.0)}, 0),
        ({"starts_s": (0, 5, 10), "sides": "RLR"}, 3),
        ({"starts_s": (0, 5, 10), "sides": "RRL"}, 0),
        ({"starts_s": (0, 5, 10), "sides": "RLL"}, 0),
    ],
)
def test_a_set_has_like_movements_one_soon_after_the_other(how, n):
    assert tilts(**how) == n


def test_a_day_is_watched_for_side_tilts_where_the_sensor_sees_them():
    watched = {mount: watched_exercises(mount) for mount in Mount}
    assert watched == {Mount.COLLAR: (), Mount.NECK: ("side_tilt",), Mount.HEAD: ("side_tilt",)}
