"""The upkeep of the board: which LED code matters most, what a press does, sleep, battery, flash, radio, restart."""

import importlib
from types import SimpleNamespace

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()


def module(name):
    return importlib.import_module(f"tiltwise_firmware.{name}")


button, health, led, power = (module(f"device.{name}") for name in ("button", "health", "led", "power"))
housekeeping = module("device.housekeeping")


class Calls:
    """Notes what is called on it, in order."""

    def __init__(self, done, name):
        self._done, self._name = done, name

    def __getattr__(self, call):
        return lambda *what: self._done.append((f"{self._name}.{call}", *what))


class Sampler(Calls):
    """A sensor that may be lost, or have been moved."""

    is_lost = moved = False

    def has_moved(self):
        self._done.append(("sensor.has_moved",))
        return self.moved


class Radio:
    """A radio that remembers how quiet it shall be."""

    wants_reset = False

    def set_quiet(self, is_quiet):
        self.is_quiet = is_quiet


class House:
    """Housekeeping with everything about it a stand-in."""

    def __init__(self, **board):
        self.done, self.told, self.moved = [], [], False
        self.clock = SimClock(ticks_offset=2**30 - 30_000)
        parts = {
            "clock": self.clock,
            "led": lambda level: self.done.append(("led", level)),
            "button": None,
            "is_charging": lambda: self.charging,
            "battery_mv": None,
            "has_moved": lambda: self.moved,
            "radio": None,
            "deepsleep": lambda: self.done.append(("deepsleep",)),
            "reset": lambda: self.done.append(("reset",)),
        }
        self.charging = False
        self.board = SimpleNamespace(**(parts | board))
        self.values = {"sleep_after_s": 60, "power": 0, "led": 1}
        self.health = Calls(self.done, "health")
        self.health.is_safe_mode = False
        self.frames = Calls(self.done, "frames")
        self.frames.flash_faults = 0
        self.sensor = Sampler(self.done, "sensor")
        self.wearer = Calls(self.done, "wearer")
        self.wearer.is_worn, self.wearer.has_neutral = True, True
        self.sessions = SimpleNamespace(is_streaming=False, is_connected=False, keys=[1])
        self.keeping = housekeeping.Housekeeping(
            self.board,
            SimpleNamespace(get=self.values.__getitem__),
            self.health,
            self.frames,
            [self.sensor],
            self.wearer,
            lambda *event: self.told.append(event),
        )
        self.done.clear()

    def run(self, ms, step_ms=50):
        for _ in range(ms // step_ms):
            self.clock.sleep_ms(step_ms)
            self.keeping.step(self.clock.ticks_ms(), self.sessions)

    def press(self, kind):
        self.keeping._press(kind)

    def names(self):
        return [name for name, *_ in self.done]

    def code(self):
        return self.keeping._code(self.sessions)


@pytest.fixture
def house():
    return House()


def test_the_led_shows_what_matters_most(house):
    house.sessions.is_streaming = True
    changes = [
        (lambda: None, led.CONNECTED),
        (lambda: setattr(house.sessions, "is_streaming", False), led.ALONE),
        (lambda: setattr(house.wearer, "has_neutral", False), led.NO_NEUTRAL),
        (lambda: setattr(house.keeping, "is_charging", True), led.CHARGING),
        (lambda: house.values.update(led=0), led.DARK),
        (lambda: house.sessions.keys.clear(), led.NO_KEY),
        (lambda: setattr(house.keeping, "battery", SimpleNamespace(is_low=True)), led.LOW_BATTERY),
        (lambda: setattr(house.sensor, "is_lost", True), led.NO_SENSOR),
        (lambda: setattr(house.health, "is_safe_mode", True), led.SAFE_MODE),
    ]
    shown = []
    for change, _ in changes:
        change()
        shown.append(house.code())
    assert shown == [code for _, code in changes]


def test_a_dozing_board_is_dark_and_misses_no_sensor(house):
    house.keeping.power.state = power.DOZING
    assert not house.keeping.is_awake
    house.sensor.is_lost = True
    assert house.code() == led.DARK


def test_a_restart_on_purpose_waits_for_its_answer_to_go_out(house):
    house.keeping.reboot_soon()
    house.run(250)
    assert "reset" not in house.names()
    house.run(50)
    assert [what for what in house.done if what[0] != "frames.step"][-4:] == [
        ("frames.flush",), ("led", 0), ("health.leaving", health.REBOOTING), ("reset",),
    ]  # fmt: skip
    assert "wearer.stop_motor" in house.names()
    house.run(2000)
    assert house.names().count("reset") == 1


def test_going_to_sleep_arms_the_sensors_first_and_asks_them_to_release_the_interrupt(house):
    before_us = house.clock.us
    house.press(button.LONG)
    assert house.clock.us - before_us == 300_000
    assert house.told == [(wire.EVENT_BUTTON, button.LONG), (wire.EVENT_POWER, power.ASLEEP)]
    assert house.done == [
        ("wearer.stop_motor",), ("sensor.sleep",), ("sensor.has_moved",), ("frames.flush",), ("led", 0),
        ("health.leaving", health.SLEEPING), ("deepsleep",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("press", "does"),
    [(button.SHORT, ("wearer.tare",)), (button.DOUBLE, ("wearer.snooze", 1_800_000))],
)
def test_a_press_takes_neutral_or_gives_half_an_hour_of_silence(house, press, does):
    house.press(press)
    assert house.told == [(wire.EVENT_BUTTON, press)]
    assert house.done == [does]
    house.press(button.NOTHING)
    assert house.done == [does]


def dozing(house):
    """Let it lie off the body until it dozes."""
    house.wearer.is_worn = False
    house.run(59_000)
    assert house.keeping.is_awake
    while house.keeping.is_awake:
        house.run(50)
    assert house.clock.us < 62e6
    assert house.told == [(wire.EVENT_POWER, power.DOZING)]
    assert ("sensor.sleep",) in house.done
    house.done.clear()
    house.told.clear()


def test_off_the_body_it_dozes_and_a_movement_wakes_it(house):
    dozing(house)
    house.moved = True
    house.run(1000)
    assert house.keeping.power.state == power.DOZING, "just after arming it fires on gravity alone"
    house.run(1000)
    assert house.told == [(wire.EVENT_POWER, power.AWAKE)]
    assert ("sensor.wake",) in house.done
    assert ("wearer.woke",) in house.done


def test_the_sensor_tells_of_a_movement_where_no_wire_does():
    house = House(has_moved=None, button=lambda: False)
    dozing(house)
    house.sensor.moved = True
    house.run(3000)
    assert house.keeping.power.state == power.AWAKE


def test_a_press_wakes_a_dozing_board_and_does_what_it_does(house):
    dozing(house)
    house.press(button.SHORT)
    assert house.told == [(wire.EVENT_BUTTON, button.SHORT), (wire.EVENT_POWER, power.AWAKE)]
    assert house.names() == ["sensor.wake", "wearer.woke", "wearer.tare"]


def test_a_charger_is_told_when_it_comes_and_goes(house):
    house.run(2000)
    house.charging = True
    house.run(2000)
    assert house.wearer.is_charging is True
    house.charging = False
    house.run(2000)
    assert house.told == [(wire.EVENT_CHARGING, 1), (wire.EVENT_CHARGING, 0)]
    assert (house.keeping.is_charging, house.wearer.is_charging) == (False, False)


def test_a_low_battery_is_told_once():
    house = House(battery_mv=lambda: 3300)
    house.run(30_000)
    lows = [value for code, value in house.told if code == wire.EVENT_BATTERY_LOW]
    assert lows == [house.keeping.battery.percent]


def test_faults_of_the_flash_are_told_when_there_are_new_ones(house):
    house.run(2000)
    for faults in (2, 2, 5):
        house.frames.flash_faults = faults
        house.run(1000)
    assert house.told == [(wire.EVENT_FLASH_FAULT, 2), (wire.EVENT_FLASH_FAULT, 5)]


def test_what_is_slow_is_done_once_a_second(house):
    house.run(10_000)
    assert house.names().count("frames.step") == 10


def test_safe_mode_does_not_sleep(house):
    house.health.is_safe_mode = True
    house.wearer.is_worn = False
    house.run(100_000)
    assert house.keeping.power.state == power.AWAKE


@pytest.mark.parametrize(("setting", "is_quiet"), [("log", True), ("stream", False)])
def test_to_save_power_the_radio_is_quiet_two_minutes_after_the_start_and_a_press(setting, is_quiet):
    radio = Radio()
    house = House(radio=radio)
    house.values["power"] = setting
    house.run(118_000)
    assert radio.is_quiet is False
    house.run(4000)
    assert radio.is_quiet is is_quiet
    house.press(button.SHORT)
    house.run(118_000)
    assert radio.is_quiet is False
    house.run(4000)
    assert radio.is_quiet is is_quiet
    for name, owner in (("is_connected", house.sessions), ("charging", house)):
        setattr(owner, name, True)
        house.run(2000)
        assert radio.is_quiet is False
        setattr(owner, name, False)


def test_a_radio_that_is_stuck_for_good_restarts_the_board():
    radio = Radio()
    house = House(radio=radio)
    house.run(3000)
    assert "reset" not in house.names()
    radio.wants_reset = True
    house.run(1000)
    assert house.names().count("reset") == 1
    assert ("health.leaving", health.REBOOTING) in house.done
