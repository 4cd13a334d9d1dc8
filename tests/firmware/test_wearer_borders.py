"""Where the board's neutral and its estimate of being worn change their mind: to the look and the window."""

import importlib
import math

import pytest

from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimFiles
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()
neutral = importlib.import_module("tiltwise_firmware.wearer.neutral")
worn = importlib.import_module("tiltwise_firmware.wearer.wear_detection")
Settings = importlib.import_module("tiltwise_firmware.storage.board_settings").Settings
FULL = 32767


def tilted(deg):
    return [math.sin(math.radians(deg)), 0.0, math.cos(math.radians(deg))]


def results(taker, ups):
    """Return (look, result) of all that are something, looks from 1 on."""
    told = [(k + 1, taker.step(up)) for k, up in enumerate(ups)]
    return [(k, result) for k, result in told if result != neutral.NOTHING]


@pytest.mark.parametrize(
    ("ups", "expected"),
    [
        ([tilted(10)] * 30, [(20, neutral.TAKEN)]),  # a second to settle, and one that is averaged
        ([tilted(60)] * 10 + [tilted(10)] * 20, [(20, neutral.TAKEN)]),  # a hand at the neck
        ([None] * 5 + [tilted(10)] * 30, [(25, neutral.TAKEN)]),
        ([None] * 50 + [tilted(10)] * 20, [(70, neutral.TAKEN)]),
        ([None] * 60, [(51, neutral.REFUSED)]),  # five seconds without a sensor
        ([tilted(10)] * 15 + [tilted(12.9)] * 9, [(20, neutral.TAKEN)]),
        ([tilted(10)] * 15 + [tilted(13.1)] * 9, [(16, neutral.REFUSED)]),
    ],
)
def test_a_neutral_is_taken_or_refused_at_its_look(ups, expected):
    taker = neutral.Neutral(Settings(SimFiles()))
    assert results(taker, ups) == []  # nobody asked
    taker.start()
    assert results(taker, ups) == expected
    assert taker.state == neutral.IDLE


def test_a_neutral_that_is_asked_for_again_begins_again_and_is_kept_in_the_settings():
    settings = Settings(SimFiles())
    settings.set("neutral_doubted", 1)
    taker = neutral.Neutral(settings)
    taker.start()
    assert results(taker, [tilted(40)] * 15) == []
    taker.start()
    assert results(taker, [tilted(0)] * 30) == [(20, neutral.TAKEN)]
    assert [settings.get(f"neutral_{axis}") for axis in "xyz"] == [0, 0, FULL]
    assert (settings.get("neutral_new"), settings.get("neutral_doubted")) == (1, 0)
    assert taker.up == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("up", "forward", "seen"),
    [
        ((0, 0, FULL), (19660, 0, 26214), [1.0, 0.0, 0.0]),  # the level part of it, of length one
        ((0, 0, FULL), (0, -FULL, 0), [0.0, -1.0, 0.0]),
        ((0, 0, FULL), (8520, 0, 31640), [1.0, 0.0, 0.0]),  # 0.26 of it is level
        ((0, 0, FULL), (7860, 0, 31810), None),  # 0.24: too little to tell
        ((0, 0, FULL), (0, 0, 0), None),
        ((0, 0, 0), (FULL, 0, 0), None),
    ],
)
def test_forward_is_level_in_neutral(up, forward, seen):
    settings = Settings(SimFiles())
    for name, values in (("neutral", up), ("forward", forward)):
        settings.update([(f"{name}_{axis}", value) for axis, value in zip("xyz", values, strict=True)])
    taken = neutral.Neutral(settings)
    assert taken.forward == (None if seen is None else pytest.approx(seen, abs=1e-3))
    assert (taken.up is None) == (up == (0, 0, 0))


@pytest.mark.parametrize(("length", "is_one"), [(16383, False), (16385, True)])
def test_half_a_unit_vector_is_no_neutral(length, is_one):
    settings = Settings(SimFiles())
    settings.set("neutral_z", length)
    assert (neutral.Neutral(settings).up is not None) is is_one


def windows(*swings_deg, tilt_deg=0.0, neutral_up=None):
    """States after each window of ten seconds in which "up" swings so far from end to end."""
    clock = SimClock(ticks_offset=2**30 - 30_000)
    estimate = worn.WearDetector(clock)
    states = []
    for swing_deg in swings_deg:
        for k in range(10):
            clock.sleep_ms(1000)
            estimate.step(clock.ticks_ms(), tilted(tilt_deg + swing_deg * (k % 2)), neutral_up)
        states.append(estimate.state)
    return states, estimate


@pytest.mark.parametrize(("swing_deg", "state"), [(0.19, worn.UNKNOWN), (0.21, worn.WORN)])
def test_a_fifth_of_a_degree_is_life(swing_deg, state):
    assert windows(9.0, swing_deg)[0] == [worn.UNKNOWN, state]  # the first window says nothing


def test_three_still_minutes_are_a_table():
    states, estimate = windows(9.0, 9.0, *[0.0] * 18)
    assert states == [worn.UNKNOWN, worn.WORN, *[worn.MAYBE] * 17, worn.OFF]
    assert (estimate.is_worn, estimate.is_doubted) == (False, False)
    doubted = windows(9.0, 9.0, 0.0)[1]
    assert (doubted.is_worn, doubted.is_doubted) == (True, True)
    moved = windows(9.0, 9.0, *[0.0] * 17, 9.0, *[0.0] * 17)[0]
    assert moved[-1] == worn.MAYBE  # and it is counted anew
    doubted.forget()
    assert (doubted.is_worn, doubted.state) == (None, worn.UNKNOWN)


@pytest.mark.parametrize(("tilt_deg", "n"), [(81.0, 6), (79.0, 18)])
def test_one_still_minute_is_enough_in_a_posture_that_nobody_keeps(tilt_deg, n):
    states, _ = windows(9.0, 9.0, *[0.0] * 18, tilt_deg=tilt_deg, neutral_up=tilted(0.0))
    assert states.index(worn.OFF) == 2 + n - 1
