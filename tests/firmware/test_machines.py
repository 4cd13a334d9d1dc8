"""Every transition of the small state machines around the sensor."""

import importlib
import itertools
import math

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimFiles, SimMotor
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()


def module(name):
    return importlib.import_module(f"tiltwise_firmware.{name}")


alone = module("wearer.standalone_coach")
battery = module("device.battery")
button = module("device.button")
haptics = module("wearer.haptics")
led = module("device.led")
neutral = module("wearer.neutral")
posture = module("wearer.neck_posture")
power = module("device.power")
taps = module("sensing.double_tap")
worn = module("wearer.wear_detection")
Settings = module("storage.board_settings").Settings


def tilted(deg, azimuth_deg=0.0):
    """ "Up" in sensor axes, this far from z."""
    a, z = math.radians(deg), math.radians(azimuth_deg)
    return [math.sin(a) * math.cos(z), math.sin(a) * math.sin(z), math.cos(a)]


# ---- button ----


def pressed(*parts_ms, bounce=False):
    """Results of a button that is down, up, down, ... for so long."""
    clock = SimClock(ticks_offset=2**30 - 700)
    follower = button.Button(clock)
    results, states, is_down = [], [follower.state], False
    for ms in (100, *parts_ms):
        for k in range(0, ms, 5):
            level = is_down if not (bounce and k < 15) else bool(k // 5 % 2)
            result = follower.step(clock.ticks_ms(), level)
            if follower.state != states[-1]:
                states.append(follower.state)
            if result != button.NOTHING:
                results.append(result)
            clock.sleep_ms(5)
        is_down = not is_down
    return results, states


@pytest.mark.parametrize("bounce", [False, True], ids=["clean", "bouncing"])
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((100, 1000), [button.SHORT]),
        ((100, 150, 100, 1000), [button.DOUBLE]),
        ((2500, 1000), [button.LONG]),
        ((100, 150, 2500, 500), [button.LONG]),
        ((100, 800, 100, 800), [button.SHORT, button.SHORT]),
        ((1800, 800), [button.SHORT]),
        ((60_000, 800), [button.LONG]),
    ],
)
def test_presses_are_told_apart(parts, expected, bounce):
    assert pressed(*parts, bounce=bounce)[0] == expected


def test_spikes_shorter_than_the_debounce_time_are_no_press():
    assert pressed(10, 300, 10, 300, 15, 500)[0] == []


def test_every_transition_of_the_button_happens():
    seen = set()
    for parts in ((100, 1000), (100, 150, 100, 1000), (2500, 1000), (100, 150, 2500, 500)):
        states = pressed(*parts)[1]
        seen |= set(itertools.pairwise(states))
    assert seen == {(state, after) for (state, _), (after, _) in button.TRANSITIONS.items()}


def test_button_held_at_boot_counts_from_its_release():
    clock = SimClock()
    follower = button.Button(clock, True)
    results = []
    for k in range(1000):
        clock.sleep_ms(5)
        results.append(follower.step(clock.ticks_ms(), k < 800))
    assert set(results) == {button.NOTHING}


# ---- LED ----


def test_led_shows_each_code_as_written_and_stays_dark_most_of_the_time():
    for code, parts in led.CODES.items():
        clock, levels = SimClock(), []
        light = led.Led(levels.append, clock)
        on_ms = 0
        for _ in range(20_000):
            clock.sleep_ms(1)
            light.step(clock.ticks_ms(), code)
            on_ms += levels[-1]
        expected = 20_000 * sum(parts[::2]) / sum(parts)
        assert on_ms == pytest.approx(expected, abs=sum(parts[::2]) + 50), code
    assert all(
        sum(led.CODES[c][::2]) / sum(led.CODES[c]) < 0.01 for c in (led.CONNECTED, led.ALONE, led.DARK)
    )


# ---- battery ----


def test_curve_falls_from_100_to_0_without_a_jump():
    percents = [battery.percent_of(mv) for mv in range(4300, 2999, -1)]
    assert percents[0] == 100
    assert percents[-1] == 0
    assert all(0 <= a - b <= 1 for a, b in itertools.pairwise(percents))


def test_discharging_percentage_only_falls_in_spite_of_noise():
    cell, shown = battery.Battery(), []
    for k in range(4000):
        cell.step(4150 - k // 5 + (30 if k % 2 else -30), False)
        shown.append(cell.percent)
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] < 5


def test_charging_percentage_rises():
    cell = battery.Battery()
    for mv in range(3500, 4200):
        cell.step(mv, True)
    assert cell.percent > 95
    assert not cell.is_low


def test_low_has_hysteresis_and_empty_comes_after():
    cell = battery.Battery()
    for _ in range(100):
        cell.step(3700, False)
    assert cell.percent <= battery.LOW_PERCENT
    assert cell.is_low
    assert not cell.is_empty
    for _ in range(100):
        cell.step(3720, False)  # 17 %: still low
    assert cell.is_low
    for _ in range(100):
        cell.step(3800, False)
    assert not cell.is_low
    for _ in range(100):
        cell.step(3340, False)
    assert cell.is_empty


@pytest.mark.parametrize(
    ("mv", "percent"),
    [
        (4500, 100), (4180, 100), (4179, 99), (4060, 90), (3980, 80), (3920, 70), (3870, 60), (3820, 50), (3790, 40),
        (3770, 30), (3740, 20), (3710, 15), (3680, 10), (3679, 9), (3565, 7), (3450, 5), (3375, 2), (3300, 0),
        (3299, 0), (2000, 0),
    ],
)  # fmt: skip
def test_the_curve_by_hand(mv, percent):
    assert battery.percent_of(mv) == percent
    cell = battery.Battery()
    cell.step(mv, False)
    assert (cell.mv, cell.percent, cell.is_empty) == (mv, percent, mv < 3350)


def test_a_measurement_counts_an_eighth():
    cell, expected = battery.Battery(), 16 * 4000
    cell.step(4000, False)
    for _ in range(30):
        cell.step(3700, False)
        expected += (16 * 3700 - expected) // 8  # in sixteenths of a millivolt
        assert cell.mv == expected // 16


@pytest.mark.parametrize(
    ("mv", "is_charging", "shown"),
    [(3781, False, 30), (3783, False, 36), (3775, True, 32)],  # 35, 36 and 32 % as the smoothed voltage ends
)
def test_without_a_charger_the_percentage_rises_by_more_than_five_points_only(mv, is_charging, shown):
    cell = battery.Battery()
    cell.step(3770, False)
    for _ in range(99):
        cell.step(mv, is_charging)
    assert cell.percent == shown


@pytest.mark.parametrize(("percent_mv", "is_low"), [(3710, True), (3716, False)])
def test_fifteen_percent_are_low(percent_mv, is_low):
    cell = battery.Battery()
    cell.step(percent_mv, False)
    assert cell.is_low is is_low
    cell.step(percent_mv, True)
    assert not cell.is_low


@pytest.mark.parametrize("mv", [0, -5, 1999, 4501, 100000])
def test_impossible_voltage_is_left_out(mv):
    cell = battery.Battery()
    cell.step(mv, False)
    assert (cell.mv, cell.percent, cell.is_empty) == (0, battery.UNKNOWN, False)


# ---- worn ----


def wear(parts, neutral_up=None):
    """States of the estimate while "up" moves as told: [(seconds, amplitude of sway in deg, tilt)]."""
    clock = SimClock(ticks_offset=2**30 - 30_000)
    estimate = worn.WearDetector(clock)
    states, told, t = [estimate.state], [], 0.0
    for seconds, sway_deg, tilt_deg in parts:
        for _ in range(seconds * 10):
            t += 0.1
            up = tilted(tilt_deg + sway_deg * math.sin(2 * math.pi * 0.25 * t))
            if estimate.step(clock.ticks_ms(), up, neutral_up):
                told.append(estimate.is_worn)
            if estimate.state != states[-1]:
                states.append(estimate.state)
            clock.sleep_ms(100)
    return states, told


def test_breathing_alone_is_life():
    states, told = wear([(3600, 0.3, 5)])  # 0.6 deg from end to end
    assert states == [worn.UNKNOWN, worn.WORN]
    assert told == [True]


def test_table_is_found_in_minutes_and_taking_it_up_at_once():
    states, told = wear([(60, 2, 0), (300, 0.01, 0), (30, 2, 0)])
    assert states == [worn.UNKNOWN, worn.WORN, worn.MAYBE, worn.OFF, worn.WORN]
    assert told == [True, False, True]


def test_still_minute_of_a_wearer_does_not_count():
    states, told = wear([(60, 2, 0), (60, 0.01, 0), (60, 2, 0)])
    assert states == [worn.UNKNOWN, worn.WORN, worn.MAYBE, worn.WORN]
    assert told == [True]


def test_lying_flat_against_neutral_is_found_sooner():
    def seconds_to_off(tilt):
        for seconds in range(60, 300, 10):
            if wear([(60, 2, tilt), (seconds, 0.01, tilt)], tilted(0))[0][-1] == worn.OFF:
                return seconds
        return None

    assert seconds_to_off(90) <= 80
    assert seconds_to_off(20) >= 180


def test_board_that_was_never_touched_is_not_worn_after_minutes():
    states, told = wear([(300, 0.01, 0)])
    assert states == [worn.UNKNOWN, worn.OFF]
    assert told == [False]


def test_every_transition_of_worn_is_in_the_table_and_every_state_is_reached():
    seen = set()
    for parts in (
        [(60, 2, 0), (300, 0.01, 0), (30, 2, 0)],
        [(60, 2, 0), (60, 0.01, 0), (60, 2, 0)],
        [(300, 0.01, 0)],
    ):
        seen |= set(itertools.pairwise(wear(parts)[0]))
    table = {(state, after) for (state, _), after in worn.TRANSITIONS.items()}
    # Still for a long time at once happens only to what had no still window before.
    assert seen == table - {(worn.WORN, worn.OFF)}


# ---- power ----


def powered(steps, **options):
    """State after steps of (seconds, worn, streaming, connected, charging, empty, moved)."""
    clock = SimClock(ticks_offset=2**30 - 5000)
    follower = power.Power(clock, **options)
    states = [follower.state]
    for seconds, *seen in steps:
        for _ in range(seconds):
            clock.sleep_ms(1000)
            state = follower.step(clock.ticks_ms(), *seen)
            if state != states[-1]:
                states.append(state)
    return states


IDLE = (False, False, False, False, False, False)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(599, *IDLE)], [power.AWAKE]),
        ([(601, *IDLE)], [power.AWAKE, power.DOZING]),
        (
            [(601, *IDLE), (1, False, False, False, False, False, True)],
            [power.AWAKE, power.DOZING, power.AWAKE],
        ),
        (
            [(601, *IDLE), (1, False, True, True, False, False, False)],
            [power.AWAKE, power.DOZING, power.AWAKE],
        ),
        ([(601 + 3601, *IDLE)], [power.AWAKE, power.DOZING, power.ASLEEP]),
        ([(5, True, True, True, False, True, False)], [power.AWAKE, power.ASLEEP]),
        (
            [(601, *IDLE), (5, False, False, False, False, True, False)],
            [power.AWAKE, power.DOZING, power.ASLEEP],
        ),
        ([(5000, True, False, False, False, False, False)], [power.AWAKE]),  # worn
        ([(5000, None, False, False, False, False, False)], [power.AWAKE]),  # not known
        ([(5000, False, True, True, False, False, False)], [power.AWAKE]),  # a host wants frames
        ([(601 + 9000, False, False, True, False, False, False)], [power.AWAKE, power.DOZING]),  # connected
        ([(601 + 9000, False, False, False, True, False, False)], [power.AWAKE, power.DOZING]),  # charging
        ([(5, False, False, False, True, True, False)], [power.AWAKE]),  # empty, but on the charger
    ],
)
def test_power_goes_where_the_table_says(steps, expected):
    assert powered(steps) == expected


def test_board_that_nothing_can_wake_never_sleeps_deeply():
    assert powered([(601 + 9000, *IDLE)], can_sleep=False) == [power.AWAKE, power.DOZING]


def test_idle_time_begins_anew_after_a_movement():
    steps = [(500, *IDLE), (1, True, False, False, False, False, False), (500, *IDLE)]
    assert powered(steps) == [power.AWAKE]


# ---- neutral ----


def take(neutral_taker, ups):
    return [result for result in map(neutral_taker.step, ups) if result != neutral.NOTHING]


def test_neutral_is_the_mean_of_a_second_and_survives_a_reboot():
    disk = SimFiles()
    taker = neutral.Neutral(Settings(disk))
    assert taker.up is None
    taker.start()
    results = take(taker, [tilted(40)] * 10 + [tilted(20 + (k % 2)) for k in range(20)])
    assert results == [neutral.TAKEN]
    again = neutral.Neutral(Settings(disk))
    assert posture.angle_deg(again.up, tilted(20.5)) < 0.05
    assert again.up == taker.up


def test_moving_neck_is_refused_and_keeps_the_old_neutral():
    taker = neutral.Neutral(Settings(SimFiles()))
    taker.start()
    assert take(taker, [tilted(2 * k) for k in range(40)]) == [neutral.REFUSED]
    assert taker.up is None


def test_no_sensor_is_refused_after_seconds():
    taker = neutral.Neutral(Settings(SimFiles()))
    taker.start()
    assert take(taker, [None] * 100) == [neutral.REFUSED]


def test_full_flash_is_refused():
    disk = SimFiles()
    taker = neutral.Neutral(Settings(disk))
    disk.is_full = True
    taker.start()
    assert take(taker, [tilted(10)] * 40) == [neutral.REFUSED]


# ---- alone ----


class Coach:
    """A neck, ten times a second, with a motor that is felt."""

    def __init__(self, **values):
        self.clock = SimClock(ticks_offset=2**30 - 50_000)
        self.settings = Settings(SimFiles())
        self.settings.update({"by_dose": 0, "first_quiet_s": 0, **values}.items())
        self.motor = SimMotor(self.clock)
        self.haptics = haptics.Haptics(self.motor, self.clock)
        self.log = []
        self.alone = alone.StandaloneCoach(
            self.clock, self.settings, self.haptics, lambda *what: self.log.append(what), self._keep_doubt
        )
        self.states = [self.alone.state]

    def _keep_doubt(self, is_doubted):
        self.settings.set("neutral_doubted", int(is_doubted))

    def hold(
        self,
        seconds,
        deg,
        has_host=False,
        neutral_up=(0.0, 0.0, 1.0),
        azimuth_deg=0.0,
        forward=None,
        swing=0.0,
    ):
        for _ in range(round(seconds * 10)):
            for _ in range(5):
                self.clock.sleep_ms(20)
                self.haptics.step(self.clock.ticks_ms())
            up = None if self.haptics.is_shaking or deg is None else tilted(deg, azimuth_deg)
            self.alone.step(self.clock.ticks_ms(), up, neutral_up, has_host, forward, swing)
            if self.alone.state != self.states[-1]:
                self.states.append(self.alone.state)


def test_without_a_host_the_board_waits_and_then_coaches():
    coach = Coach(alone_after_s=30, rule_s=60, rule_deg=25)
    coach.hold(25, 40)
    assert coach.states == [alone.GRACE]
    coach.hold(34, 40)
    assert coach.states == [alone.GRACE, alone.STANDALONE]
    assert coach.log == []
    coach.hold(2, 40)
    assert coach.log == [(True, 39)] or coach.log == [(True, 40)]
    coach.hold(2, 40)
    assert coach.motor.on_s() == pytest.approx(0.6, abs=0.05)
    coach.hold(10, 2)
    assert [is_alert for is_alert, _ in coach.log] == [True, False]
    assert coach.motor.pulses[-1][1] - coach.motor.pulses[-1][0] == pytest.approx(0.06, abs=0.03)  # a tick


def test_what_is_due_while_the_board_may_lie_on_a_table_waits():
    coach = Coach(rule_s=60)
    coach.hold(30, 0)
    coach.alone.is_held = True
    coach.hold(100, 40)
    assert (coach.log, coach.motor.pulses) == ([], [])
    coach.alone.is_held = False
    coach.hold(2, 40)
    assert [is_alert for is_alert, _ in coach.log] == [True]


def test_correction_before_the_alert_is_not_rewarded():
    coach = Coach(rule_s=60)
    coach.hold(30, 0)
    coach.hold(50, 40)
    coach.hold(20, 0)
    assert coach.log == []
    assert coach.motor.pulses == []


def test_alert_comes_again_stronger_and_then_gives_up():
    coach = Coach(rule_s=60, motor_strength=2)
    coach.hold(30 + 62 + 8 * 60, 40)
    assert len(coach.log) == 1, "a repetition is no new alert"
    assert len(coach.motor.pulses) == 2 * (1 + alone.MOST_REPEATS)
    duties = [duty for _, _, duty in coach.motor.pulses[::2]]
    assert duties == [haptics.DUTY[s] for s in (2, 3, 4, 5, 5)]


def test_host_takes_over_at_once_and_hands_back_after_the_wait():
    coach = Coach(rule_s=600, alone_after_s=30)
    for seconds, has_host in ((60, False), (300, True), (29, False), (50, False)):
        coach.hold(seconds, 0, has_host)
    assert coach.states == [alone.GRACE, alone.STANDALONE, alone.HOST_PRESENT, alone.GRACE, alone.STANDALONE]


@pytest.mark.parametrize("how", [wire.MOTOR_ALERT, wire.MOTOR_NOTED, None])
def test_a_host_that_falls_silent_in_an_episode_leaves_no_second_alert(how):
    coach = Coach(rule_s=60, alone_after_s=30)
    coach.hold(10, 0, has_host=True)
    coach.hold(62, 40, has_host=True)
    if how is not None:
        coach.haptics.play(how)
    coach.hold(20, 40, has_host=True)
    coach.hold(29, 40)
    pulses = len(coach.motor.pulses)
    assert pulses == (2 if how == wire.MOTOR_ALERT else 0)
    coach.hold(600, 40)
    if how is None:
        assert len(coach.log) == 1, "a host that alerted nobody leaves it to the board, once it decides"
        return
    assert coach.log == [], "the wearer knows, and the host's alert is not repeated"
    assert len(coach.motor.pulses) == pulses
    coach.hold(10, 0)
    assert [is_alert for is_alert, _ in coach.log] == [False]
    assert len(coach.motor.pulses) == pulses + 1, "corrected: a tick"


def test_the_least_gap_between_alerts_is_kept_and_counts_from_the_host_s():
    coach = Coach(rule_s=30, min_gap_s=120)
    coach.hold(35, 0)
    for _ in range(4):  # an alert would be due every 45 s
        coach.hold(35, 40)
        coach.hold(10, 0)
    assert [is_alert for is_alert, _ in coach.log] == [True, False, True, False]


def test_what_outlasts_the_least_gap_is_told_when_it_ends():
    coach = Coach(rule_s=30, min_gap_s=120)
    coach.hold(35, 0)
    coach.hold(32, 40)
    coach.hold(10, 0)
    coach.hold(105, 40)  # due after 30 s, two minutes after the first one not yet over
    assert [is_alert for is_alert, _ in coach.log] == [True, False]
    coach.hold(10, 40)
    assert [is_alert for is_alert, _ in coach.log] == [True, False, True]


FORWARD = (1.0, 0.0, 0.0)


def walks(coach, *leans_deg):
    for lean in leans_deg:
        coach.hold(20, lean, azimuth_deg=180, forward=FORWARD, swing=1.0)
        coach.hold(10, lean, azimuth_deg=180, forward=FORWARD)


def held_long(coach):
    coach.hold(70, 40, azimuth_deg=180, forward=FORWARD)
    coach.hold(10, 0, azimuth_deg=180, forward=FORWARD)
    return [is_alert for is_alert, _ in coach.log]


def test_alone_walks_that_contradict_neutral_are_felt_once_and_silence_alerts_until_they_agree():
    coach = Coach(rule_s=60)
    coach.hold(40, 0, azimuth_deg=180, forward=FORWARD)
    walks(coach, 2, 3, 17)
    assert (coach.settings.get("neutral_doubted"), coach.motor.pulses) == (0, [])
    walks(coach, 18)
    assert coach.settings.get("neutral_doubted") == 1
    assert len(coach.motor.pulses) == 4, "four very short ones"
    assert held_long(coach) == []
    walks(coach, 2, 3)
    assert coach.settings.get("neutral_doubted") == 0
    assert held_long(coach) == [True, False]


def test_a_doubt_outlives_a_boot_and_ends_with_two_walks_near_neutral_or_a_new_one():
    coach = Coach(rule_s=60, neutral_doubted=1)
    coach.hold(40, 0, azimuth_deg=180, forward=FORWARD)
    assert held_long(coach) == []
    walks(coach, 2, 3)
    assert coach.settings.get("neutral_doubted") == 0
    settings = Coach(neutral_doubted=1).settings
    taken = neutral.Neutral(settings)
    taken.start()
    assert neutral.TAKEN in [taken.step([0.0, 0.0, 1.0]) for _ in range(30)]
    assert settings.get("neutral_doubted") == 0


def test_put_on_and_not_upright_within_a_minute_is_a_doubt_until_the_wearer_sits_up():
    coach = Coach(rule_s=60)
    coach.hold(40, 18, azimuth_deg=180, forward=FORWARD)
    assert coach.settings.get("neutral_doubted") == 0, "nobody has put it on"
    coach.alone.put_on()
    coach.hold(65, 18, azimuth_deg=180, forward=FORWARD)
    assert (coach.settings.get("neutral_doubted"), len(coach.motor.pulses)) == (1, 4)
    coach.hold(10, 3, azimuth_deg=180, forward=FORWARD)
    assert coach.settings.get("neutral_doubted") == 0


def test_with_a_host_a_doubt_is_not_felt_and_a_forward_that_nobody_knows_gives_none():
    with_host, unknown = Coach(), Coach()
    for _ in range(4):
        with_host.hold(20, 30, True, azimuth_deg=180, forward=FORWARD, swing=1.0)
        with_host.hold(5, 30, True, azimuth_deg=180, forward=FORWARD)
        unknown.hold(20, 30, azimuth_deg=180, swing=1.0)
        unknown.hold(5, 30, azimuth_deg=180)
    assert (with_host.settings.get("neutral_doubted"), with_host.motor.pulses) == (1, [])
    assert (unknown.settings.get("neutral_doubted"), unknown.motor.pulses) == (0, [])


@pytest.mark.parametrize(
    ("what", "deg", "azimuth_deg", "swing", "alerts"),
    [
        ("bent forward", 40, 180, 0.0, 1),
        ("leaning back", 40, 0, 0.0, 0),
        ("tilted to the side", 40, 90, 0.0, 0),
        ("lying on the back", 70, 0, 0.0, 0),
        ("lying on a side", 80, 90, 0.0, 0),
        (
            "bent to the floor",
            88,
            180,
            0.0,
            1,
        ),  # lying face down looks the same; after two minutes it is that
        ("walking, head down", 40, 180, 0.6, 0),
        ("hanging from a chair", 101, 180, 0.0, 0),
    ],
)
def test_alone_it_judges_the_forward_bend_of_who_sits(what, deg, azimuth_deg, swing, alerts):
    coach = Coach(rule_s=60)
    coach.hold(35, 0)
    coach.hold(150, deg, azimuth_deg=azimuth_deg, forward=FORWARD, swing=swing)
    assert sum(is_alert for is_alert, _ in coach.log) == alerts, what


@pytest.mark.parametrize("swing", [0.0, 0.6])
def test_a_bent_head_that_nods_as_it_writes_is_alerted_on_time(swing):
    coach = Coach(rule_s=60)
    coach.hold(35, 0)
    for k in range(620):  # to and fro at 50 deg/s: it swings the neck as far as steps would
        coach.hold(0.1, 40 + 5 * (k % 2), azimuth_deg=180, forward=FORWARD, swing=swing)
    assert len(coach.log) == 1


def test_every_transition_of_alone_is_used_or_the_same_as_one_that_is():
    pairs = {(state, after) for (state, _, _), after in alone.TRANSITIONS.items()}
    coach = Coach(alone_after_s=30)
    for seconds, has_host in ((5, True), (5, False), (5, True), (60, False), (5, True)):
        coach.hold(seconds, 0, has_host)
    assert set(itertools.pairwise(coach.states)) == pairs


@pytest.mark.parametrize("why", ["off", "no neutral", "silent", "snooze"])
def test_reasons_to_stay_silent(why):
    coach = Coach(rule_s=60, alone=0 if why == "off" else 1, motor_strength=0 if why == "silent" else 3)
    if why == "snooze":
        coach.alone.snooze(600_000)
    coach.hold(200, 40, neutral_up=None if why == "no neutral" else (0.0, 0.0, 1.0))
    assert coach.motor.pulses == []
    assert coach.log == [], "what was not given is not reported as given"


LATE = ("snooze", "quiet hours", "doubt", "first minutes")


def silenced(why):
    """Return a coach that is silent for 90 s, or as long as neutral is in doubt."""
    coach = Coach(rule_s=60, alone_after_s=5, first_quiet_s=90 if why == "first minutes" else 0)
    if why == "snooze":
        coach.alone.snooze(90_000)
    if why == "quiet hours":
        coach.alone.set_quiet(0, 90_000)
    coach._keep_doubt(why == "doubt")
    return coach


@pytest.mark.parametrize("why", LATE)
def test_what_was_held_back_is_told_once_when_nothing_stands_against_it(why):
    coach = silenced(why)
    coach.hold(89, 40)
    assert coach.motor.pulses == []
    coach._keep_doubt(False)
    coach.hold(3, 40)
    assert [is_alert for is_alert, _ in coach.log] == [True]
    coach.hold(20, 40)
    assert len(coach.log) == 1


@pytest.mark.parametrize("why", LATE)
def test_what_ended_in_a_silence_is_not_told(why):
    coach = silenced(why)
    coach.hold(75, 40)
    coach.hold(14, 0)
    coach._keep_doubt(False)
    coach.hold(20, 0)
    assert coach.log == []


def test_a_full_day_tells_what_lasts_into_the_next_one():
    coach = Coach(rule_s=60, most_a_day=1, min_gap_s=0)
    coach.hold(70, 40)
    coach.hold(20, 0)
    coach.hold(70, 40)
    assert [is_alert for is_alert, _ in coach.log] == [True, False]
    coach.alone._day_ms -= 86_400_000
    coach.hold(1, 40)
    assert [is_alert for is_alert, _ in coach.log] == [True, False, True]


def test_what_the_schedule_leaves_out_is_not_told_later():
    coach = Coach(rule_s=60, percent=50, min_gap_s=0)
    for _ in range(2):
        coach.hold(70, 40)
        coach.hold(20, 0)
    coach.hold(300, 40)
    assert [is_alert for is_alert, _ in coach.log] == [True, False, True], (
        "the second one of three is left out"
    )


def test_snooze_ends():
    coach = Coach(rule_s=60)
    coach.alone.snooze(300_000)
    coach.hold(240, 40)
    coach.hold(70, 0)
    assert coach.motor.pulses == []
    coach.hold(70, 40)
    assert coach.motor.pulses != []


def test_quiet_hours_come_again_every_day():
    coach = Coach(rule_s=60)
    coach.alone.set_quiet(-3600_000, 7200_000)  # begun an hour ago, over in an hour
    assert coach.alone.is_silent
    coach.alone._t_ms += 3601_000
    assert not coach.alone.is_silent
    coach.alone._t_ms += 22 * 3600_000
    assert coach.alone.is_silent
    coach.alone.set_quiet(0, 0)
    assert not coach.alone.is_silent


def test_nods_are_no_slump():
    coach = Coach(rule_s=10)
    for _ in range(40):
        coach.hold(2, 40)
        coach.hold(6, 0)
    assert coach.log == []


def test_on_its_way_to_a_table_a_sensor_interrupts_the_episode():
    coach = Coach(rule_s=60)
    coach.hold(50, 40)
    coach.hold(5, 101)
    coach.hold(15, 40)
    assert coach.log == []


def test_sensor_that_goes_away_interrupts_the_episode():
    coach = Coach(rule_s=60)
    coach.hold(50, 40)
    coach.hold(30, None)
    coach.hold(55, 40)
    assert coach.log == []


def test_angle_between_directions():
    for deg in (0, 0.5, 45, 90, 135, 180):
        assert posture.angle_deg(tilted(0), tilted(deg, 30)) == pytest.approx(deg, abs=1e-6)


# ---- double tap ----

G = 8192  # counts of 1 g in a range of 4 g


def tapped(parts):
    """Whether a double tap is seen in (samples of rest, height of the jump in g, ...)."""
    detector = taps.DoubleTap(9.80665 / G)
    for rest, height in parts:
        for _ in range(rest):
            detector.sample(0, 0, G)
        if height:
            for k in range(3):  # a tap rings for a few samples
                detector.sample(0, 0, G + int(height * G * (1, -0.6, 0.3)[k]))
    return detector.has_double


@pytest.mark.parametrize("gap", [10, 20, 40])
def test_double_tap_is_seen(gap):
    assert tapped([(100, 2.5), (gap, 2.5), (100, 0)])


@pytest.mark.parametrize(
    "parts",
    [
        [(100, 2.5), (100, 0)],  # once
        [(100, 2.5), (80, 2.5), (100, 0)],  # too slow
        [(100, 2.5), (20, 2.5), (20, 2.5), (100, 0)],  # three: something else
        [(100, 0.8), (20, 0.8), (100, 0)],  # a step, not a finger
        [(20, 1.5)] * 50 + [(100, 0)],  # running
    ],
)
def test_other_knocks_are_not(parts):
    assert not tapped(parts)


@pytest.mark.parametrize(
    ("before", "between", "after", "is_double"),
    [
        (30, 20, 40, True),
        (29, 20, 40, False),  # 0.3 s of stillness before
        (100, 7, 100, False),  # the ringing of the first one
        (100, 8, 40, True),
        (100, 45, 40, True),
        (100, 46, 40, False),  # too late
        (100, 20, 29, False),  # 0.3 s of stillness after
        (100, 20, 30, True),
    ],
)
@pytest.mark.parametrize(("jump_g", "is_felt"), [(1.49, False), (1.51, True)])
def test_the_borders_of_a_double_tap(before, between, after, is_double, jump_g, is_felt):
    """Each tap as one step of the acceleration, which then stays."""
    detector = taps.DoubleTap(9.80665 / G)
    for level, samples in enumerate((before, between + 1, after + 1)):
        for _ in range(samples):
            detector.sample(0, 0, G + int(level * jump_g * G))
    assert detector.has_double is (is_double and is_felt)


def test_what_was_felt_can_be_forgotten():
    detector = taps.DoubleTap(9.80665 / G)
    for rest in (100, 20, 100):
        for _ in range(rest):
            detector.sample(0, 0, G)
        detector.sample(0, 0, 3 * G)
    assert detector.has_double
    detector.forget()
    assert (detector.has_double, detector.state) == (False, taps.IDLE)
