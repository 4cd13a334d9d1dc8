"""The whole firmware on the simulated board: alone, asleep, crashed, without power."""

import importlib
import struct

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.common.frame import open_frame, unpack_body, unpack_header
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import WATCHDOG, SimBoard
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

load_firmware()


def module(name):
    return importlib.import_module(f"tiltwise_firmware.{name}")


alone = module("wearer.standalone_coach")
haptics = module("wearer.haptics")
health = module("device.health")
led = module("device.led")
power = module("device.power")
settings = module("storage.board_settings")
worn = module("wearer.wear_detection")


class Life:
    """A board on a neck whose inclination (rotation about y) is told as it goes; it sways by breathing."""

    def __init__(self, *, sway_deg=0.4, **options):
        # A part without noise that does not move at all is taken for stuck.
        self.part = Lsm6dsox(seed=1, errors=ImuErrors.none() if sway_deg else ImuErrors.individual(1))
        self.board = SimBoard([self.part], **{"stream": None, **options})
        self.now_s = 0.0
        self.deg = 0.0
        self.sway_deg = sway_deg
        self._told_s = 0.0
        self.frames = []
        self._tell(1.0)

    def _tell(self, until_s, to_deg=None, shock=None):
        """Tell the truth up to a time, going smoothly to another inclination on the way."""
        t = np.arange(self._told_s, until_s, 0.005)
        if len(t) == 0:
            return
        end_deg = self.deg if to_deg is None else to_deg
        part = np.clip((t - t[0]) / 1.5, 0, 1)
        smooth = part * part * (3 - 2 * part)
        angle = np.radians(
            self.deg + (end_deg - self.deg) * smooth + self.sway_deg * np.sin(2 * np.pi * 0.25 * t)
        )
        rate = np.gradient(angle, t) if len(t) > 2 else np.zeros(len(t))
        zero = np.zeros(len(t))
        acc = G_M_S2 * np.stack((-np.sin(angle), zero, np.cos(angle)), axis=1)
        for at_s in shock or ():
            acc[:, 2] += 40.0 * np.exp(-(((t - at_s) / 0.006) ** 2))
        self.part.advance(t, np.stack((zero, rate, zero), axis=1), acc)
        self._told_s = float(t[-1]) + 0.005
        self.deg = end_deg

    def live(self, seconds, to_deg=None, shock=None):
        """Let time pass; returns the events of it."""
        end_s = self.now_s + seconds
        self._tell(end_s + 1.0, to_deg, shock)
        self.now_s = end_s
        frames = self.board.step(end_s)
        self.frames += frames
        return frames

    def held(self):
        """Frames in the board's memory, in order."""
        frames = self.board.app.frames
        found, seq = [], frames.oldest()
        while (ring := frames.find(seq)) is not None:
            k = ring.find(seq)
            seq = ring.seq_at(k) + 1
            frame = bytearray(ring.frame_at(k)[: ring.size_at(k)])
            wire.seal(frame, len(frame))
            found.append(bytes(frame))
        return found

    def events(self):
        """(code, value) of all events in memory."""
        return [
            (body[0], body[2])
            for frame in self.held()
            if unpack_header(frame)[0] == wire.EVENT
            for body in [unpack_body(frame, wire.EVENT)]
        ]

    def take_neutral(self):
        self.board.command(wire.OP_TARE)
        self.live(4)

    def set(self, **values):
        self.board.app.settings.update(
            {"by_dose": 0, "first_quiet_s": 0, **values}.items()
        )  # a dose fills slowly

    def press(self, ms):
        self.board.pins.is_pressed = True
        self.live(ms / 1000)
        self.board.pins.is_pressed = False


# ---- alone ----


def test_slump_without_a_host_buzzes_and_sitting_up_gives_a_tick():
    life = Life(ring_frames=3000)
    life.set(rule_deg=25, rule_s=60, alone_after_s=30)
    life.live(10)
    life.take_neutral()
    life.live(30)
    life.live(75, to_deg=40)
    motor = life.board.sim_motor
    assert [round(1000 * (b - a)) for a, b, _ in motor.pulses[-2:]] == pytest.approx([300, 300], abs=25)
    life.live(15, to_deg=2)
    assert round(1000 * (motor.pulses[-1][1] - motor.pulses[-1][0])) == pytest.approx(60, abs=25)
    codes = [code for code, _ in life.events()]
    assert codes == [
        wire.EVENT_BOOT,
        wire.EVENT_NEUTRAL,
        wire.EVENT_WORN,
        wire.EVENT_ALERT,
        wire.EVENT_CORRECTED,
    ]
    values = dict(life.events())
    assert values[wire.EVENT_ALERT] == pytest.approx(40, abs=2)
    assert values[wire.EVENT_CORRECTED] == pytest.approx(40, abs=2)


def test_a_board_laid_down_bent_buzzes_on_no_table_and_what_is_due_waits_for_a_movement():
    life = Life(sway_deg=0.0, ring_frames=3000)  # a part with noise, which is not stuck when it lies
    life.sway_deg = 0.4
    life.set(rule_deg=25, rule_s=60, alone_after_s=30)
    life.live(10)
    life.take_neutral()
    life.live(30)
    before = len(life.board.sim_motor.pulses)
    life.sway_deg = 0.0
    life.live(100, to_deg=40)
    assert life.board.app.wearer.worn.state == worn.MAYBE
    assert len(life.board.sim_motor.pulses) == before
    life.sway_deg = 0.4
    life.live(25)
    assert life.board.app.wearer.worn.state == worn.WORN
    assert len(life.board.sim_motor.pulses) == before + 2, "it was somebody who kept very still"


def test_minute_tells_of_the_alert_and_of_the_worn_seconds():
    life = Life(ring_frames=3000)
    life.set(rule_s=60)
    life.live(10)
    life.take_neutral()
    life.live(200, to_deg=40)
    minutes = [
        unpack_body(frame, wire.MINUTE) for frame in life.held() if unpack_header(frame)[0] == wire.MINUTE
    ]
    under_way = life.board.app.samplers[0].path.minute.alerts
    assert sum(body[3] for body in minutes) + under_way == life.board.app.wearer.coach.alerts == 1
    assert minutes[1][2] == pytest.approx(60, abs=1)


def test_streaming_host_is_left_to_decide():
    life = Life(stream=wire.ORIENT)
    life.set(rule_s=60)
    life.live(10)
    life.take_neutral()
    before = len(life.board.sim_motor.pulses)
    life.live(200, to_deg=40)
    assert len(life.board.sim_motor.pulses) == before
    assert life.board.app.wearer.coach.state == alone.HOST_PRESENT


@pytest.mark.parametrize("how", ["command", "button", "double tap"])
def test_neutral_is_taken_in_three_ways_and_kept(how):
    life = Life()
    life.live(10, to_deg=15)
    if how == "command":
        life.board.command(wire.OP_TARE)
    elif how == "button":
        life.press(150)
    else:
        life.live(3, shock=(life.now_s + 1.5, life.now_s + 1.75))
    life.live(6)
    assert (wire.EVENT_NEUTRAL, 1) in life.events()
    up = life.board.app.wearer.neutral.up
    assert np.degrees(np.arctan2(-up[0], up[2])) == pytest.approx(15, abs=0.6)  # sway of 0.4
    life.board.restart()
    assert life.board.app.wearer.neutral.up == pytest.approx(up)


def test_neutral_of_a_moving_neck_is_refused_and_felt():
    life = Life(sway_deg=15)
    life.live(10)
    life.take_neutral()
    assert (wire.EVENT_NEUTRAL, 0) in life.events()
    assert len(life.board.sim_motor.pulses) == 4  # the error pattern


def test_double_press_silences_for_half_an_hour():
    life = Life(ring_frames=3000)
    life.set(rule_s=60)
    life.live(10)
    life.take_neutral()
    life.press(100)
    life.live(0.15)
    life.press(100)
    life.live(2)
    pulses = len(life.board.sim_motor.pulses)
    life.live(150, to_deg=40)
    assert (wire.EVENT_BUTTON, 2) in life.events()
    assert wire.EVENT_ALERT not in [code for code, _ in life.events()], "none was given"
    assert len(life.board.sim_motor.pulses) == pulses


# ---- motor and samples ----


def test_frames_that_the_motor_shakes_are_flagged_and_no_others():
    life = Life(stream=wire.ORIENT, auto_ack=True)
    life.live(10)
    life.board.command(wire.OP_MOTOR, bytes((wire.MOTOR_ALERT, 3)))
    life.live(10)
    begin, end = life.board.sim_motor.pulses[0][0], life.board.sim_motor.pulses[-1][1]
    flagged, clean = [], []
    for frame in life.frames:
        header = unpack_header(frame)
        if header[0] == wire.ORIENT:
            first_s = header[5] * wire.TICK_S
            span = (first_s, first_s + (header[6] - 1) / 52)
            (flagged if header[1] & wire.FLAG_MOTOR_ON else clean).append(span)
    assert flagged
    for first_s, last_s in clean:
        assert last_s < begin or first_s > end + 0.2
    assert min(first for first, _ in flagged) > begin - 0.3
    assert max(last for _, last in flagged) < end + 0.25 + 0.4


def test_motor_stays_below_two_seconds_whatever_a_host_asks():
    life = Life(stream=wire.ORIENT)
    life.live(5)
    for k in range(600):
        life.board.command(wire.OP_MOTOR, bytes((k % 7, k % 6)))
        life.live(0.1)
    pulses = life.board.sim_motor.pulses
    assert max(end - begin for begin, end, _ in pulses) <= 2.0
    # 2 s of budget and a tenth of the 60 s; a step of 20 ms lengthens each pulse by as much.
    assert life.board.sim_motor.on_s() <= 2 + 6 + 0.02 * len(pulses)


@pytest.mark.parametrize("why", ["charging", "not worn"])
def test_motor_is_off_while_charging_or_not_worn(why):
    life = Life(auto_ack=False, sway_deg=0.0 if why == "not worn" else 0.4)
    life.board.pins.is_charging = why == "charging"
    life.live(230 if why == "not worn" else 30)
    life.board.command(wire.OP_MOTOR, bytes((wire.MOTOR_ALERT, 5)))
    life.live(2)
    assert life.board.sim_motor.pulses == []
    assert wire.open_command(life.board.replies[-1])[3][0] == wire.STATUS_FAILED


# ---- power ----


def test_board_on_a_table_dozes_and_motion_wakes_it_with_an_honest_index():
    life = Life(sway_deg=0.0)
    life.set(sleep_after_s=60)
    life.live(330)
    assert life.board.app.housekeeping.power.state == power.DOZING
    samples = life.board.app.samplers[0].samples
    life.live(100)
    assert life.board.app.samplers[0].samples == samples
    life.board.move()
    life.live(20)
    assert life.board.app.housekeeping.power.state == power.AWAKE
    # The index is a clock of the part's own rate, to within a few samples.
    expected = life.now_s * 104.17 * (1 + life.part.errors.rate_error)
    assert life.board.app.samplers[0].samples == pytest.approx(expected, abs=25)
    states = [value for code, value in life.events() if code == wire.EVENT_POWER]
    assert states == [power.DOZING, power.AWAKE]
    assert wire.EVENT_BUS_FAULT not in [code for code, _ in life.events()]


@pytest.mark.parametrize("how", ["button", "sensor"])
def test_dozing_board_wakes_by_the_button_and_without_the_interrupt_wire(how):
    life = Life(sway_deg=0.0)
    life.board.has_moved = None
    life.set(sleep_after_s=60)
    life.live(280)
    assert life.board.app.housekeeping.power.state == power.DOZING
    if how == "button":
        life.press(150)
        life.live(2)
        assert life.board.app.housekeeping.power.state == power.AWAKE
    else:
        life.live(6, to_deg=60, shock=(life.now_s + 2,))  # taken up from the table
        assert [value for code, value in life.events() if code == wire.EVENT_POWER] == [
            power.DOZING,
            power.AWAKE,
        ]


def test_second_sensor_that_should_be_there_is_reported_and_used_when_it_comes():
    parts = [Lsm6dsox(seed=1), Lsm6dsox(seed=2)]
    board = SimBoard(parts)
    t = np.arange(0, 40, 0.005)
    for part in parts:
        acc = np.tile([0.0, 0.0, G_M_S2], (len(t), 1))
        part.advance(t, np.zeros((len(t), 3)), acc)
    board.app.settings.set("imus", 2)
    board.bus.unplug(0x6B)
    board.restart()
    board.start()
    headers = [open_frame(frame) for frame in board.step(10)]
    assert {header[7] for header in headers if header[0] == wire.ORIENT} == {0}
    faults = [header for header in headers if header[0] == wire.STATUS and header[1] & wire.FLAG_SENSOR_FAULT]
    assert {header[7] for header in faults} == {1}
    board.bus.plug(0x6B)
    headers = [open_frame(frame) for frame in board.step(25)]
    assert {header[7] for header in headers if header[0] == wire.ORIENT} == {0, 1}


def test_long_press_switches_off_and_motion_starts_it_again():
    life = Life()
    life.board.link.is_connected = False
    life.live(70)
    boot = life.board.boot_id
    life.press(2300)
    assert life.board.is_asleep
    assert life.board.sim_motor.duty == 0
    assert life.board.pins.led == 0
    life.live(30)
    life.board.move()
    assert not life.board.is_asleep
    assert life.board.boot_id == boot + 1
    assert life.board.app.health.reset_cause == health.WOKE
    life.live(5)
    assert life.board.app.archive.boots()[0][0] == boot  # the first minute was saved on the way out


def test_empty_battery_sends_it_to_sleep_before_the_voltage_breaks_down():
    life = Life(stream=wire.ORIENT)
    life.board.pins.battery_mv = 3680
    life.live(60)
    last = [frame for frame in life.frames if unpack_header(frame)[0] == wire.STATUS][-1]
    body = unpack_body(last, wire.STATUS)
    assert (body[1], body[2]) == (3680, 10)
    assert unpack_header(last)[1] & wire.FLAG_LOW_BATTERY
    assert unpack_header(life.frames[-1])[1] & wire.FLAG_LOW_BATTERY
    life.board.pins.battery_mv = 3300
    life.live(60)
    assert life.board.is_asleep


def test_led_tells_what_hands_can_change():
    life = Life()
    seen = {}
    life.live(2)
    seen["no key"] = life.board.app.housekeeping._code(life.board.app.sessions)
    life.board.app.keystore.save([(bytes(12), bytes(range(32)))])
    life.board.restart()
    life.live(2)
    seen["no neutral"] = life.board.app.housekeeping._code(life.board.app.sessions)
    life.board.pins.is_charging = True
    life.live(2)
    seen["charging"] = life.board.app.housekeeping._code(life.board.app.sessions)
    life.board.bus.unplug(0x6A)
    life.live(2)
    seen["no sensor"] = life.board.app.housekeeping._code(life.board.app.sessions)
    assert seen == {
        "no key": led.NO_KEY,
        "no neutral": led.NO_NEUTRAL,
        "charging": led.CHARGING,
        "no sensor": led.NO_SENSOR,
    }


# ---- flash ----


def backfill(life, boot):
    """Ask for a boot as a host does, and return what comes."""
    life.frames.clear()
    life.board.command(wire.OP_GET, struct.pack("<HII", boot, 0, 2**32 - 1))
    life.live(10)
    return [
        (frame, header)
        for frame in life.frames
        for header in [open_frame(frame)]
        if header[2] == boot and header[1] & wire.FLAG_BACKFILL
    ]


def test_minutes_of_an_absence_come_after_a_reboot():
    life = Life(ring_frames=50)
    life.board.link.is_connected = False
    life.live(60 * 3 + 30)
    boot = life.board.boot_id
    life.board.restart(WATCHDOG)
    life.board.link.is_connected = True
    life.live(2)
    life.board.command(wire.OP_BOOTS)
    life.live(1)
    boots = wire.open_command(life.board.replies[-1])[3]
    assert boots[0] == wire.STATUS_OK
    listed = [struct.unpack_from("<HII", boots, 1 + 10 * k)[0] for k in range((len(boots) - 1) // 10)]
    assert listed == [boot + 1, boot]
    got = backfill(life, boot)
    assert len(got) == 3
    assert all(header[0] == wire.MINUTE for _, header in got)
    starts_s = [header[5] * wire.TICK_S for _, header in got]
    assert np.diff(starts_s) == pytest.approx(np.full(2, 60), abs=0.2)
    newest = got[-1][1][3]
    life.board.command(wire.OP_ACK, struct.pack("<HIH", boot, newest, 64))
    life.live(1)
    life.board.restart()
    life.live(1)
    assert life.board.app.archive.boots() == []


def test_broken_flash_is_reported_and_the_board_goes_on():
    life = Life(ring_frames=3000)
    life.board.sim_flash.is_broken = True
    life.live(150)
    assert wire.EVENT_FLASH_FAULT in [code for code, _ in life.events()]
    assert life.board.app.frames.minutes.used == 2


def test_damaged_settings_are_reported_and_replaced_by_defaults():
    life = Life()
    life.set(rule_deg=40)
    data = life.board.files.files[settings.FILE]
    life.board.files.files[settings.FILE] = data[:10] + b"?" + data[11:]
    life.board.restart()
    life.live(1)
    assert (wire.EVENT_SETTINGS_BAD, 1) in life.events()
    assert life.board.app.settings.get("rule_deg") == 20


# ---- crashes ----


def test_three_crashes_in_a_row_leave_the_cable_only_and_a_restart_on_purpose_ends_that():
    life = Life()
    for _ in range(3):
        life.live(5)
        life.board.restart(WATCHDOG)
    app = life.board.app
    assert app.health.is_safe_mode
    assert app.samplers == []
    life.board.start()
    life.live(12)
    life.board.command(wire.OP_HELLO)
    life.board.command(wire.OP_MOTOR, bytes((1, 5)))
    life.live(2)
    answers = [wire.open_command(reply) for reply in life.board.replies[-2:]]
    assert [answer[3][0] for answer in answers] == [wire.STATUS_OK, wire.STATUS_FAILED]
    assert life.board.sim_motor.pulses == []
    kinds = {open_frame(frame)[0] for frame in life.frames}
    assert wire.STATUS in kinds
    assert (wire.EVENT_SAFE_MODE, 3) in life.events()
    assert life.board.fed_s[-1] > life.now_s - 2
    life.board.command(wire.OP_REBOOT)
    life.live(3)
    assert not life.board.app.health.is_safe_mode
    assert life.board.app.health.reset_cause == health.REQUESTED
    assert life.board.app.samplers != []


def test_safe_mode_takes_no_radio():
    life = Life()

    class Radio(type(life.board.link)):
        peer = "ble"

    life.board.links.append(Radio())
    for _ in range(3):
        life.live(2)
        life.board.restart(WATCHDOG)
    assert [session.link.peer for session in life.board.app.sessions.by_link] == ["usb"]


@pytest.mark.parametrize("stalled", ["sampling", "link"])
def test_watchdog_starves_when_a_loop_stalls(stalled):
    life = Life(stream=wire.ORIENT)
    life.live(10)
    assert life.board.fed_s[-1] > 8.5
    if stalled == "sampling":
        life.board.app._poll_at = life.board.clock.ticks_add(life.board.app._poll_at, 3_600_000)
    else:
        life.board.app.health.kick_link = lambda: None  # the step of the links does not come back
    fed_s = life.board.fed_s[-1]
    life.live(20)
    assert life.board.fed_s[-1] <= fed_s + 1.1


def test_watchdog_is_fed_while_the_sensor_is_away():
    life = Life()
    life.live(5)
    life.board.bus.is_stuck = True
    life.live(30)
    assert life.board.fed_s[-1] > 33


def test_two_hosts_on_two_links_do_not_disturb_the_board():
    life = Life(stream=wire.ORIENT)
    second = type(life.board.link)()
    life.board.links.append(second)
    life.board.restart()
    life.board.start()
    life.live(5)
    second.deliver(wire.pack_command(1, wire.OP_HELLO, 1))
    life.live(5)
    assert len(second.replies) == 1
    assert len(life.frames) > 20


def test_bare_board_without_anything_but_a_sensor_works():
    life = Life(is_bare=True, stream=wire.ORIENT)
    life.live(130)
    life.board.command(wire.OP_MOTOR, bytes((1, 3)))
    life.board.command(wire.OP_REBOOT)
    life.live(2)
    kinds = [open_frame(frame)[0] for frame in life.frames]
    assert kinds.count(wire.MINUTE) == 2
    info = next(frame for frame in life.frames if open_frame(frame)[0] == wire.INFO)
    assert unpack_body(info, wire.INFO)[4] & (wire.FEATURE_MOTOR | wire.FEATURE_BATTERY) == 0
