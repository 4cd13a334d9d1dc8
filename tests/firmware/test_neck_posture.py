"""What the board's rule goes by: angles in any mounting, and when lying and walking begin and end."""

import importlib
import itertools
import math

import numpy as np
import pytest

from tiltwise.firmware_build.locate import load_firmware

load_firmware()
Posture = importlib.import_module("tiltwise_firmware.wearer.neck_posture").Posture
# How the sensor sits: rows are forward, left and up of the body in its axes, none of them along an axis.
MOUNTED = np.array([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3
FORWARD, UP = list(MOUNTED[0]), list(MOUNTED[2])
STEP_MS = 100


def body_up(bend_deg, lateral_deg=0.0):
    """ "Up" in body axes of a neck that is bent forward and to the side so far."""
    b, s = math.radians(bend_deg), math.radians(lateral_deg)
    return [-math.sin(b) * math.cos(s), math.sin(s), math.cos(b) * math.cos(s)]


class Neck:
    """A neck looked at ten times a second."""

    def __init__(self, forward=FORWARD):
        self.posture = Posture()
        self.forward = forward

    def look(self, bend_deg, lateral_deg=0.0, swing=0.0):
        up = list(np.array(body_up(bend_deg, lateral_deg)) @ MOUNTED)
        return self.posture.step(STEP_MS, up, UP, self.forward, swing)

    def hold(self, seconds, bend_deg, lateral_deg=0.0, swing=0.0):
        return [self.look(bend_deg, lateral_deg, swing) for _ in range(round(10 * seconds))]

    def turn(self, seconds, deg_s, swing=0.0, lateral_deg=0.0):
        """Turn to and fro about the side at a constant rate."""
        way = [*range(10), *range(10, 0, -1)]
        steps = itertools.islice(itertools.cycle(way), round(10 * seconds))
        return [self.look(0.0, lateral_deg + k * deg_s / 10, swing) for k in steps]


def first_zero_s(results):
    """When the rule first goes by 0, from the beginning, in s; None: never."""
    return next((round((k + 1) / 10, 1) for k, result in enumerate(results) if result == 0), None)


@pytest.mark.parametrize(("bend_deg", "lateral_deg"), [(30, 0), (-20, 10), (70, -15), (5, 40), (-10, -55)])
def test_the_forward_bend_and_up_in_the_body_come_out_of_any_mounting(bend_deg, lateral_deg):
    neck = Neck()
    assert neck.look(bend_deg, lateral_deg) == pytest.approx(bend_deg, abs=1e-6)
    assert neck.posture.up == pytest.approx(body_up(bend_deg, lateral_deg), abs=1e-9)


@pytest.mark.parametrize(("bend_deg", "lateral_deg"), [(30, 0), (-30, 0), (0, 30), (0, -30)])
def test_without_a_forward_the_inclination_stands_for_the_bend(bend_deg, lateral_deg):
    assert Neck(forward=None).look(bend_deg, lateral_deg) == pytest.approx(30.0)


def test_the_bend_is_smoothed_from_the_first_look_on_and_anew_after_forgetting():
    neck = Neck()
    assert [neck.look(0), neck.look(10), neck.look(10)] == pytest.approx([0.0, 3.0, 5.1])
    neck.posture.forget()
    assert neck.look(40) == pytest.approx(40)


@pytest.mark.parametrize(
    ("bend_deg", "lateral_deg", "lies_after_s"),
    [
        (-44, 0, None),
        (-46, 0, 10),
        (5, 59, None),
        (5, 61, 10),
        (5, -61, 10),
        (79, 0, None),  # bent, however long
        (81, 0, 120),  # face down, if it lasts
        (81, 44, 120),
        (81, 46, 10),
        (60, 0, None),
    ],
)
def test_lying_is_a_posture_and_a_time(bend_deg, lateral_deg, lies_after_s):
    assert first_zero_s(Neck().hold(130, bend_deg, lateral_deg)) == lies_after_s


@pytest.mark.parametrize(("lean_deg", "lies_after_s"), [(60, None), (79, None), (81, 10)])
def test_without_a_forward_only_a_sensor_on_its_side_lies(lean_deg, lies_after_s):
    assert first_zero_s(Neck(forward=None).hold(20, lean_deg)) == lies_after_s


@pytest.mark.parametrize(
    ("lying", "seconds", "still", "upright"),
    [
        ((-50, 0), 10, (-31, 0), (-29, 0)),
        ((0, 65), 10, (0, 46), (0, 44)),
        ((0, -65), 10, (0, -46), (0, -44)),
        ((85, 0), 120, (66, 0), (64, 0)),
    ],
)
def test_who_lies_gets_up_after_three_seconds_fifteen_degrees_nearer_to_upright(
    lying, seconds, still, upright
):
    neck = Neck()
    assert neck.hold(seconds, *lying)[-1] == 0
    assert set(neck.hold(10, *still)) == {0}
    results = neck.hold(3, *upright)
    assert set(results[:-1]) == {0}
    assert results[-1] != 0


def test_the_time_to_lie_counts_anew_after_a_look_that_is_not_lying():
    neck = Neck()
    assert first_zero_s(neck.hold(9.9, -46)) is None
    neck.look(-44)
    assert first_zero_s(neck.hold(12, -46)) == 10


@pytest.mark.parametrize(("swing", "walks_after_s"), [(0.19, None), (0.21, 2)])
def test_two_seconds_of_swing_are_walking(swing, walks_after_s):
    neck = Neck()
    assert first_zero_s(neck.hold(5, 30, swing=swing)) == walks_after_s
    assert neck.posture.is_walking == (walks_after_s is not None)


def test_walking_ends_a_second_and_a_half_after_the_last_swing():
    neck = Neck()
    neck.hold(2, 30, swing=0.5)
    assert set(neck.hold(5, 30, swing=0.11)) == {0}
    results = neck.hold(1.5, 30, swing=0.09)
    assert set(results[:-1]) == {0}
    assert results[-1] == pytest.approx(30)
    assert not neck.posture.is_walking


@pytest.mark.parametrize(("swing", "walks"), [(0.24, False), (0.26, True)])
def test_a_swing_that_nodding_explains_is_no_walking(swing, walks):
    neck = Neck()
    neck.turn(20, math.degrees(0.2))  # 0.2 rad/s explain 6.3 * 0.04
    neck.turn(4, math.degrees(0.2), swing)
    assert neck.posture.is_walking == walks


@pytest.mark.parametrize(("deg_s", "lies"), [(19.5, True), (20.5, False)])
def test_who_turns_faster_than_20_deg_s_does_not_lie(deg_s, lies):
    assert (first_zero_s(Neck().turn(30, deg_s, lateral_deg=61)) is not None) == lies


def test_a_turn_is_forgotten_within_seconds():
    """One look at 100 deg/s, and then calm: a fifteenth of its square, less by a fifteenth with each look."""
    rate2 = math.radians(100.0) ** 2 / 15
    looks = math.ceil(math.log(0.1218 / rate2) / math.log(14 / 15))  # until it is calm again
    neck = Neck()
    neck.look(-60)
    neck.look(-50)
    assert first_zero_s(neck.hold(30, -50)) == pytest.approx((looks + 99) / 10, abs=0.11)


def test_beyond_what_a_neck_does_nothing_is_known_and_the_angle_stays():
    neck = Neck()
    neck.look(20)
    assert math.isnan(neck.look(150))
    assert neck.posture.deg == pytest.approx(20)
    assert not math.isnan(neck.look(90))
