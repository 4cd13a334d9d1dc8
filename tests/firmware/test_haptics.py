"""The motor: patterns as written, limits that hold whatever is asked."""

import importlib
import itertools
import random

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimMotor
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()
haptics = importlib.import_module("tiltwise_firmware.wearer.haptics")
Haptics = haptics.Haptics


class Bench:
    def __init__(self, ticks_offset=0):
        self.clock = SimClock(ticks_offset=ticks_offset)
        self.motor = SimMotor(self.clock)
        self.haptics = Haptics(self.motor, self.clock)

    def run(self, ms, step_ms=5):
        for _ in range(0, ms, step_ms):
            self.clock.sleep_ms(step_ms)
            self.haptics.step(self.clock.ticks_ms())


@pytest.mark.parametrize("pattern", haptics.PATTERNS)
@pytest.mark.parametrize("ticks_offset", [0, 2**30 - 200], ids=["plain", "wrap"])
def test_pattern_plays_as_written(pattern, ticks_offset):
    bench = Bench(ticks_offset)
    bench.run(400)
    assert bench.haptics.play(pattern, 3)
    bench.run(2500)
    parts = haptics.PATTERNS[pattern]
    pulses = bench.motor.pulses
    assert [round((end - begin) * 1000) for begin, end, _ in pulses] == pytest.approx(list(parts[::2]), abs=5)
    gaps = [round((b[0] - a[1]) * 1000) for a, b in itertools.pairwise(pulses)]
    assert gaps == pytest.approx(list(parts[1::2]), abs=5)
    assert not bench.haptics.is_on


def test_every_pattern_is_shorter_than_two_seconds():
    for parts in haptics.PATTERNS.values():
        assert sum(parts) <= 2000
        assert len(parts) % 2 == 1  # ends with the motor off


def test_strength_is_a_ladder_and_zero_means_as_set():
    duties = []
    for strength in (1, 2, 3, 4, 5):
        bench = Bench()
        bench.haptics.play(wire.MOTOR_STEP, strength)
        duties.append(bench.motor.duty)
    assert duties == sorted(set(duties))
    bench = Bench()
    bench.haptics.strength = 5
    bench.haptics.play(wire.MOTOR_STEP)
    assert bench.motor.duty == duties[-1]


@pytest.mark.parametrize(("pattern", "strength"), [(7, 3), (-1, 3), (99, 3), (1, 6), (1, -1), (255, 255)])
def test_what_does_not_exist_is_refused(pattern, strength):
    bench = Bench()
    assert not bench.haptics.play(pattern, strength)
    assert bench.motor.duty == 0


def test_silent_setting_keeps_it_silent():
    bench = Bench()
    bench.haptics.strength = 0
    assert not bench.haptics.play(wire.MOTOR_ALERT)


def test_while_not_allowed_nothing_plays_and_what_plays_stops():
    bench = Bench()
    assert bench.haptics.play(wire.MOTOR_ALERT)
    bench.haptics.is_allowed = False
    bench.run(5)
    assert bench.motor.duty == 0
    assert not bench.haptics.play(wire.MOTOR_ALERT)


def test_stop_stops_and_a_second_pattern_waits_for_the_first():
    bench = Bench()
    assert bench.haptics.play(wire.MOTOR_ALERT)
    assert not bench.haptics.play(wire.MOTOR_STEP)
    assert bench.haptics.play(wire.MOTOR_STOP)
    assert bench.motor.duty == 0
    assert bench.haptics.play(wire.MOTOR_STEP)


@pytest.mark.parametrize("seed", range(5))
def test_never_beyond_two_seconds_and_a_tenth_of_the_time_whatever_is_asked(seed):
    rng = random.Random(seed)
    bench = Bench()
    for _ in range(4000):
        bench.haptics.play(rng.randrange(-1, 9), rng.randrange(7))
        bench.run(rng.choice((5, 20, 50, 300)))
    now_s = bench.clock.us / 1e6
    pulses = bench.motor.pulses
    assert max(end - begin for begin, end, _ in pulses) <= 2.0
    for window_s in (2.0, 10.0, 60.0):
        for begin, _, _ in pulses[::7]:
            on_s = sum(min(e, begin + window_s) - b for b, e, _ in pulses if begin <= b < begin + window_s)
            # Budget of 2 s, refilled by a tenth; 5 ms steps lengthen each pulse by up to 5 ms.
            allowed = 2.0 + 0.1 * window_s + 0.005 * sum(begin <= b < begin + window_s for b, _, _ in pulses)
            assert on_s <= allowed
    assert bench.motor.on_s() > 0.05 * now_s  # the test asks for enough


def test_stalled_loop_leaves_the_motor_to_its_timer():
    bench = Bench()
    bench.haptics.play(wire.MOTOR_ALERT)
    bench.clock.sleep_ms(60_000)  # nobody calls step
    assert bench.motor.duty == 0
    bench.haptics.step(bench.clock.ticks_ms())
    bench.haptics.stop()
    assert bench.motor.pulses[0][1] - bench.motor.pulses[0][0] <= 2.0


def test_shaking_lasts_at_least_200_ms_longer_than_the_motor():
    bench = Bench()
    bench.haptics.play(wire.MOTOR_CORRECTED)
    until = None
    while bench.haptics.is_shaking:
        bench.run(5)
        until = bench.clock.us / 1e6
    assert until - bench.motor.pulses[-1][1] >= 0.2
    assert until - bench.motor.pulses[-1][1] < 0.4


def test_between_the_pulses_of_a_pattern_it_still_shakes():
    bench = Bench()
    bench.haptics.play(wire.MOTOR_ALERT)
    bench.run(375)
    assert not bench.haptics.is_on
    assert bench.haptics.is_shaking


def test_board_without_a_motor_says_no():
    clock = SimClock()
    none = Haptics(None, clock)
    assert not none.play(wire.MOTOR_ALERT)
    assert none.step(clock.ticks_ms()) > 0
    none.stop()
