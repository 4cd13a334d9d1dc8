"""The wearer as the board sees it: who is asked what, in which state, and what is felt and told."""

import importlib

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimFiles
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()
WearerState = importlib.import_module("tiltwise_firmware.wearer.wearer_state").WearerState
neutral = importlib.import_module("tiltwise_firmware.wearer.neutral")
worn = importlib.import_module("tiltwise_firmware.wearer.wear_detection")
Settings = importlib.import_module("tiltwise_firmware.storage.board_settings").Settings
UP = [0.6, 0.0, 0.8]


class Motor:
    """A motor that notes what it is asked for."""

    is_shaking, is_allowed, strength, alerts = False, None, None, 0

    def __init__(self):
        self.played = []

    def play(self, pattern):
        self.played.append(pattern)

    def stop(self):
        self.played.append("stop")


class Sampler:
    """A sensor with "up" at 37 deg."""

    is_lost = has_tapped = False

    def __init__(self):
        self.is_worn, self.alerts, self.forgotten, self.watched, self.up = "unset", 0, 0, [], UP

    def set_worn(self, is_worn):
        self.is_worn = is_worn

    def up_into(self, up):
        up[:] = self.up

    def swing(self):
        return 0.5

    def watch_taps(self, is_wanted):
        self.watched.append(is_wanted)
        return self.has_tapped

    def forget_taps(self):
        self.forgotten += 1

    def count_alert(self):
        self.alerts += 1


class Wearer:
    """A wearer with two sensors, and a coach and an estimate of being worn that note what they are told."""

    def __init__(self, sensors=2):
        self.clock, self.files = SimClock(), SimFiles()
        self.settings, self.motor = Settings(self.files), Motor()
        self.samplers, self.told = [Sampler() for _ in range(sensors)], []
        self.state = WearerState(
            self.clock, self.settings, self.motor, self.samplers, lambda *event: self.told.append(event)
        )
        self.coached = []
        self.state.coach.step = lambda *what: self.coached.append(what)

    def look(self, is_worn=True, has_changed=False, has_host=False, is_awake=True):
        state = {True: worn.WORN, False: worn.OFF, None: worn.UNKNOWN}[is_worn]

        def step(_now, up, _neutral):
            self.asked = list(up)
            self.state.worn.state = state
            return has_changed

        self.asked = None
        self.state.worn.step = step
        self.state.step(7, has_host, is_awake)
        return self.coached[-1]


@pytest.fixture
def wearer():
    return Wearer()


def test_the_coach_hears_up_neutral_host_forward_and_swing(wearer):
    wearer.settings.set("neutral_z", 32767)
    wearer.settings.set("forward_x", 32767)
    assert wearer.look(has_host=True) == (
        7, UP, pytest.approx([0, 0, 1.0]), True, pytest.approx([1.0, 0, 0]), 0.5,
    )  # fmt: skip
    assert wearer.state.has_neutral
    assert [sampler.is_worn for sampler in wearer.samplers] == [True, True]


@pytest.mark.parametrize(("is_worn", "is_charging", "coached", "allowed"), [
    (True, False, UP, True), (None, False, UP, True), (False, False, None, False), (True, True, None, False),
])  # fmt: skip
def test_nobody_is_coached_off_the_body_or_at_the_charger(wearer, is_worn, is_charging, coached, allowed):
    wearer.state.is_charging = is_charging
    assert wearer.look(is_worn)[1] == coached
    assert wearer.motor.is_allowed is allowed
    assert wearer.state.is_worn is is_worn


@pytest.mark.parametrize("why", ["asleep", "shaking", "lost", "none"])
def test_without_up_nothing_is_judged(why):
    wearer = Wearer(sensors=0 if why == "none" else 2)
    wearer.motor.is_shaking = why == "shaking"
    for sampler in wearer.samplers:
        sampler.is_lost = why == "lost"
    when, up, *_, swing = wearer.look(is_awake=why != "asleep")
    assert (when, up, swing, wearer.asked) == (7, None, 0.0, None)


def test_being_worn_is_told_when_it_changes_and_put_on_only_after_it_was_off(wearer):
    put_on = []
    wearer.state.coach.put_on = lambda: put_on.append(1)
    wearer.look(True, has_changed=True)
    assert (wearer.told, put_on) == ([(wire.EVENT_WORN, 1)], [])
    wearer.look(True)
    wearer.look(False, has_changed=True)
    assert (wearer.told[1:], put_on) == ([(wire.EVENT_WORN, 0)], [])
    wearer.look(True, has_changed=True)
    assert (wearer.told[2:], put_on) == ([(wire.EVENT_WORN, 1)], [1])


def test_what_may_lie_on_a_table_is_held(wearer):
    wearer.look()
    assert wearer.state.coach.is_held is False
    wearer.look()
    wearer.state.worn.state = worn.MAYBE
    wearer.state.worn.step = lambda *_: False
    wearer.state.step(7, False, True)
    assert wearer.state.coach.is_held is True


def test_a_double_tap_takes_neutral_where_it_is_wanted_and_the_board_is_on_a_body(wearer):
    wearer.look(False)
    wearer.samplers[0].has_tapped = True
    wearer.look(False)
    assert wearer.state.neutral.state == neutral.IDLE
    wearer.look(True)
    wearer.look(True)
    assert wearer.state.neutral.state != neutral.IDLE
    assert wearer.samplers[0].watched[0] == wearer.settings.get("double_tap")


def test_the_motors_own_shaking_is_no_tap(wearer):
    wearer.look()
    assert wearer.samplers[0].forgotten == 0
    wearer.motor.is_shaking = True
    wearer.look()
    assert [sampler.forgotten for sampler in wearer.samplers] == [1, 0]


def test_a_neutral_is_felt_and_told_and_nobody_is_coached_meanwhile(wearer):
    assert wearer.state.tare()
    heard = [wearer.look()[1] for _ in range(30)]
    assert heard[0] is None
    assert heard[-1] == UP
    assert wearer.motor.played == [wire.MOTOR_DONE]
    assert wearer.told == [(wire.EVENT_NEUTRAL, 1)]
    assert wearer.state.has_neutral
    wearer.files.is_full = True
    wearer.samplers[0].up = [0.0, 0.6, 0.8]
    wearer.state.tare()
    for _ in range(30):
        wearer.look()
    assert wearer.motor.played == [wire.MOTOR_DONE, wire.MOTOR_ERROR]
    assert wearer.told[1:] == [(wire.EVENT_NEUTRAL, 0)]


@pytest.mark.parametrize("why", ["lost", "none"])
def test_without_a_sensor_there_is_no_neutral_to_take(why):
    wearer = Wearer(sensors=0 if why == "none" else 1)
    for sampler in wearer.samplers:
        sampler.is_lost = True
    assert wearer.state.tare() is False
    assert wearer.state.neutral.state == neutral.IDLE


def test_settings_that_change_are_taken_over_once(wearer):
    restarts = []
    wearer.state.coach.restart = lambda: restarts.append(1)
    wearer.look()
    before = len(restarts)
    wearer.settings.set("motor_strength", 2)
    wearer.look()
    wearer.look()
    assert (len(restarts), wearer.motor.strength) == (before + 1, 2)


def test_a_snooze_is_felt_and_a_host_may_set_it_or_leave_it(wearer):
    wearer.state.snooze(90_000)
    assert wearer.motor.played == [wire.MOTOR_STEP]
    assert wearer.state.silence(wire.SNOOZE_STAYS, 0, 0) == 90
    assert wearer.state.silence(30, 0, 0) == 30
    quiet = []
    wearer.state.coach.set_quiet = lambda *ms: quiet.append(ms)
    wearer.state.silence(0, 5, 7)
    assert quiet == [(5000, 7000)]
    wearer.state.stop_motor()
    assert wearer.motor.played[-1] == "stop"


def test_after_sleep_nobody_knows_whether_it_is_worn(wearer):
    wearer.look(True)
    wearer.state.woke()
    assert wearer.state.is_worn is None


def test_alerts_of_the_board_are_told_and_counted_in_the_minute(wearer):
    wearer.state._log_posture(True, 41)
    wearer.state._log_posture(False, 12)
    assert wearer.told == [(wire.EVENT_ALERT, 41), (wire.EVENT_CORRECTED, 12)]
    assert [sampler.alerts for sampler in wearer.samplers] == [1, 0]


def test_a_doubt_of_the_neutral_is_kept_and_told_and_a_full_flash_is_told_instead(wearer):
    for is_doubted in (True, False):
        wearer.state._note_doubt(is_doubted)
        assert wearer.settings.get("neutral_doubted") == is_doubted
    assert wearer.told == [(wire.EVENT_NEUTRAL, 2), (wire.EVENT_NEUTRAL, 3)]
    wearer.files.is_full = True
    wearer.state._note_doubt(True)
    assert wearer.told[2:] == [(wire.EVENT_FLASH_FAULT, 0)]
