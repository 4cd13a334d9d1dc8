"""Every board names every pin; on a fake chip the real board.py builds a board that the unmodified App runs on."""

import ast
import importlib
import sys
import types
from itertools import pairwise

import pytest

from tiltwise.firmware_build.locate import firmware_dir, load_firmware

load_firmware()
NAMES = [
    *("MODEL", "I2C", "SDA", "SCL", "ADDRESSES", "MOTION", "MOTOR", "BUTTON", "BATTERY", "CHARGING"),
    *("CHARGING_LEVEL", "LED", "LED_OFF", "TIMER", "HAS_RADIO", "RADIO_RESTARTS", "PLACES", "WATCHDOG"),
    *("MOST_FRAMES", "MINUTES", "FLASH_BLOCKS", "deepsleep", "read_mv", "ADC_RANGE"),
]
OPTIONAL = {"open_bus", "open_adc", "motor_pwm", "device_id"}  # where the port does not do as the others
CHIP_MODULES = ("tiltwise_firmware.device.board", "tiltwise_firmware.boards.")  # they import the fake chip
BOARDS = ["xiao_esp32s3", "xiao_esp32c3", "pico_w", "pico2_w"]


class Asleep(Exception):  # noqa: N818
    """The chip sleeps or restarts."""


class Pin:
    IN, OUT, PULL_UP, PULL_DOWN = range(4)
    levels: dict = {}

    def __init__(self, number, *_mode, value=None):
        self.number = number
        if value is not None:
            self.levels[number] = value

    def __call__(self, value=None):
        if value is None:
            return self.levels.get(self.number, 0)
        self.levels[self.number] = value
        return None


class Pwm:
    made: list = []

    def __init__(self, _pin, freq, duty_u16):
        assert freq >= 20000  # unheard
        self.duty = duty_u16
        self.made.append(self)

    def duty_u16(self, duty):
        self.duty = duty


class Timer:
    ONE_SHOT = 0
    made: list = []

    def __init__(self, _number):
        self.callback = None
        self.made.append(self)

    def init(self, mode, period, callback):
        assert (mode, period) == (self.ONE_SHOT, 2000)
        self.callback = callback

    def deinit(self):
        self.callback = None


class Poll:
    def __init__(self, chip):
        self.chip = chip

    def register(self, stream, event):
        self.asked = (stream, event)

    def ipoll(self, timeout_ms):
        assert timeout_ms == 0
        yield from [self.asked] if self.asked in self.chip.ready else []


class I2C:
    def __init__(self, _number, scl, sda, freq):
        assert freq == 400000
        self.pins = (scl.number, sda.number)

    def readfrom_mem_into(self, *_args):
        raise OSError(19, "nobody")

    writeto_mem = readfrom_mem_into


class Adc:
    ATTN_11DB = 3

    def __init__(self, _pin, atten):
        assert atten == self.ATTN_11DB  # at 0 dB a full cell looks empty

    def read_uv(self):
        return 1_950_000


def raiser(*_args):
    raise Asleep


@pytest.fixture
def chip(monkeypatch, tmp_path):
    """Modules as on a chip, and the firmware's board module loaded on them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Pin, "levels", {})
    monkeypatch.setattr(Pwm, "made", [])
    monkeypatch.setattr(Timer, "made", [])
    time = types.ModuleType("time")
    time.us = 0
    time.ticks_us = lambda: time.us % 2**30
    time.ticks_ms = lambda: time.us // 1000 % 2**30
    time.sleep_ms = lambda ms: setattr(time, "us", time.us + 1000 * ms)
    time.ticks_add = lambda a, b: (a + b) % 2**30
    time.ticks_diff = lambda a, b: (a - b + 2**29) % 2**30 - 2**29
    machine = types.ModuleType("machine")
    for name, value in {
        "Pin": Pin, "PWM": Pwm, "Timer": Timer, "I2C": I2C, "ADC": Adc,
        "PWRON_RESET": 1, "HARD_RESET": 2, "WDT_RESET": 3, "DEEPSLEEP_RESET": 4, "SOFT_RESET": 5,
        "reset_cause": lambda: 3, "unique_id": lambda: b"\1\2\3\4\5\6", "reset": raiser, "deepsleep": raiser,
        "lightsleep": lambda _ms: None, "WDT": lambda **_kw: types.SimpleNamespace(feed=lambda: None),
    }.items():  # fmt: skip
        setattr(machine, name, value)
    chip = types.SimpleNamespace(machine=machine, time=time, woken_by=[], interrupts=[], ready=set())
    esp32 = types.ModuleType("esp32")
    esp32.WAKEUP_ANY_HIGH, esp32.WAKEUP_ALL_LOW = True, False
    esp32.wake_on_ext1 = lambda pins, level: chip.woken_by.append((pins[0].number, level))
    esp32.wake_on_ext0 = lambda pin, level: chip.woken_by.append((pin.number, level))
    esp32.Partition = types.SimpleNamespace(TYPE_DATA=1, find=lambda *_args, **_kw: [])
    select = types.ModuleType("select")
    select.POLLIN, select.POLLOUT = 1, 4
    select.poll = lambda: Poll(chip)
    micropython = types.ModuleType("micropython")
    micropython.const = lambda value: value
    micropython.kbd_intr = chip.interrupts.append
    modules = (machine, time, esp32, select, micropython)
    for name, module in [(module.__name__, module) for module in modules]:
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("gc.mem_free", lambda: 100_000, raising=False)
    for name in [name for name in sys.modules if name.startswith(CHIP_MODULES)]:
        monkeypatch.delitem(sys.modules, name)
    yield chip
    for name in [name for name in sys.modules if name.startswith(CHIP_MODULES)]:
        del sys.modules[name]


def made(chip, tmp_path, name):
    (tmp_path / "profile").write_text(f"{name}\n")
    return importlib.import_module("tiltwise_firmware.device.board").Board()


@pytest.mark.parametrize("name", [*BOARDS, "xiao_nrf52840"])
def test_pins_name_everything_that_board_py_asks_for(chip, name):
    module = importlib.import_module(f"tiltwise_firmware.boards.{name}")
    assert [key for key in NAMES if not hasattr(module, key)] == []
    assert len(module.MODEL) <= 16
    pins = [getattr(module, key) for key in ("SDA", "SCL", "MOTION", "MOTOR", "BUTTON", "BATTERY", "LED")]
    used = [pin for pin in pins if pin is not None]
    assert len(set(used)) == len(used)
    assert module.MOST_FRAMES >= 64


def test_board_forgets_what_only_its_start_needs(chip, tmp_path):
    made(chip, tmp_path, "xiao_esp32s3")
    assert "tiltwise_firmware.device.board_pins" not in sys.modules
    assert not hasattr(sys.modules["tiltwise_firmware.device"], "board_pins")


def test_board_asks_for_no_name_that_this_test_does_not_know():
    trees = [
        ast.parse((firmware_dir() / "device" / f"{name}.py").read_text()) for name in ("board", "board_pins")
    ]
    asked = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "p"
    }
    assert asked <= set(NAMES) | OPTIONAL
    assert asked >= OPTIONAL


@pytest.mark.parametrize("name", BOARDS)
def test_app_runs_on_the_real_board_py_without_a_sensor_and_without_bluetooth(chip, tmp_path, name, capsys):
    board = made(chip, tmp_path, name)
    assert "no Bluetooth" in capsys.readouterr().out
    app = importlib.import_module("tiltwise_firmware.app").App(board)
    assert app.health.reset_cause == 3
    assert [link.peer for link in board.links] == ["usb"]
    for _ in range(100):
        chip.time.us += 1000 * app.step()
    assert app.samplers[0].is_lost
    assert app.samplers[0].faults > 0


def test_radio_is_not_even_touched_after_three_crashes(chip, tmp_path, capsys):
    health = importlib.import_module("tiltwise_firmware.device.health")
    files = importlib.import_module("tiltwise_firmware.storage.atomic_files").Files()
    for _ in range(3):
        health.Health(files, chip.time, health.WATCHDOG, None, bytes)
    board = made(chip, tmp_path, "xiao_esp32s3")  # the fake chip says: watchdog
    assert "Bluetooth" not in capsys.readouterr().out
    assert board.radio is None
    assert importlib.import_module("tiltwise_firmware.app").App(board).health.is_safe_mode


def test_psram_counts_for_the_ring(chip, tmp_path, monkeypatch):
    assert made(chip, tmp_path, "xiao_esp32c3").ring_frames == pytest.approx(160, abs=5)
    monkeypatch.setattr("gc.mem_free", lambda: 7_000_000)
    assert made(chip, tmp_path, "xiao_esp32s3").ring_frames > 8000
    frame_store = importlib.import_module("tiltwise_firmware.comms.frame_store")
    # The rest of the firmware has its 45 kB first.
    assert frame_store.frames_that_fit(100_000, 10, 20000) == pytest.approx(55_000 * 0.6 / 208, rel=0.05)
    assert frame_store.frames_that_fit(45_000, 10, 20000) == frame_store.LEAST_FRAMES
    assert frame_store.frames_that_fit(0, 10, 20000) == frame_store.LEAST_FRAMES
    assert frame_store.frames_that_fit(10**9, 10, 300) == 300


def test_free_heap_is_counted_after_a_collection(chip, tmp_path, monkeypatch):
    """Garbage that nobody has collected yet is no shortage: counted with it, health tends to 0."""
    board, left = made(chip, tmp_path, "pico_w"), [600]
    monkeypatch.setattr("gc.collect", lambda: left.append(71_500))
    monkeypatch.setattr("gc.mem_free", lambda: left[-1])
    assert board.mem_free() == 71_500


def test_memory_in_pieces_gives_a_smaller_ring(monkeypatch):
    frame_store = importlib.import_module("tiltwise_firmware.comms.frame_store")
    real, asked = frame_store.FrameRing, []

    def ring(count, size):
        asked.append(count)
        if count > 100:
            raise MemoryError
        return real(count, size)

    monkeypatch.setattr(frame_store, "FrameRing", ring)
    assert frame_store.make(1, 1000, 10, 10).main.capacity == 62
    assert asked[:5] == [1000, 500, 250, 125, 62]
    monkeypatch.setattr(frame_store, "FrameRing", lambda *_a, **_k: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        frame_store.make(1, 1000, 10, 10)


def test_motor_has_a_timer_of_its_own(chip, tmp_path):
    board = made(chip, tmp_path, "xiao_esp32s3")
    board.motor.set(30000)
    assert Pwm.made[-1].duty == 30000
    Timer.made[-1].callback(None)
    assert Pwm.made[-1].duty == 0
    board.motor.set(30000)
    board.motor.set(0)
    assert Timer.made[-1].callback is None


def test_pins_are_read_the_right_way_round(chip, tmp_path):
    board = made(chip, tmp_path, "xiao_esp32s3")
    board.led(1)
    assert Pin.levels[21] == 0  # lights when low
    Pin.levels[2] = 0
    assert board.button()
    Pin.levels[2] = 1
    assert not board.button()
    assert board.battery_mv() == 3900
    assert board.device_id == b"\1\2\3\4\5\6\0\0"


def test_deep_sleep_is_woken_by_motion_and_button_with_the_motor_off(chip, tmp_path):
    board = made(chip, tmp_path, "xiao_esp32s3")
    Pin.levels[2] = 1  # the button is up
    board.motor.set(30000)
    with pytest.raises(Asleep):
        board.deepsleep()
    assert chip.woken_by == [(4, True), (2, False)]
    assert Pwm.made[-1].duty == 0


def test_pico_naps_until_a_pin_says_so(chip, tmp_path):
    board = made(chip, tmp_path, "pico_w")
    naps = []

    def nap(_ms):
        naps.append(1)
        if len(naps) == 5:
            Pin.levels[6] = 1

    Pin.levels[8] = 1  # the button is up
    chip.machine.lightsleep = nap
    with pytest.raises(Asleep):
        board.deepsleep()
    assert len(naps) == 5
    assert chip.time.us >= 5 * 200_000  # a nap that returns at once, as on a Pico W since 1.24, is waited out


@pytest.mark.parametrize("name", ["xiao_esp32s3", "pico_w"])
def test_the_finger_that_switches_off_does_not_wake_it(chip, tmp_path, name):
    """Held 4 s, the button counts at 2 s: asleep at once, a Pico restarted 2.4 s after the press."""
    board = made(chip, tmp_path, name)
    pin = board.pins.BUTTON
    Pin.levels[pin] = 0
    left = []
    wait = chip.time.sleep_ms

    def sleep(ms):
        wait(ms)
        if chip.time.us > 2_000_000 and not left:
            left.append(chip.time.us)
            Pin.levels[pin] = 1
        if chip.time.us > 3_000_000:
            Pin.levels[board.pins.MOTION] = 1

    chip.time.sleep_ms = sleep
    with pytest.raises(Asleep):
        board.deepsleep()
    assert left == [pytest.approx(2_000_000, abs=50_000)]
    if name == "pico_w":
        assert chip.time.us > 3_000_000  # it slept on, though lightsleep returned at once


def test_a_button_that_is_stuck_keeps_it_awake_for_half_a_minute_only(chip, tmp_path):
    board = made(chip, tmp_path, "xiao_esp32s3")
    Pin.levels[board.pins.BUTTON] = 0
    fed_us = [0]
    board.watchdog = lambda: fed_us.append(chip.time.us)
    with pytest.raises(Asleep):
        board.deepsleep()
    assert chip.time.us == pytest.approx(30e6, rel=0.01)
    pauses_us = [b - a for a, b in pairwise([*fed_us, chip.time.us])]
    assert max(pauses_us) < 8_000_000  # or the watchdog starts it anew under the finger


def test_a_chip_that_no_pin_can_wake_looks_once_an_hour(chip, tmp_path):
    """A C3 before mid-2025 would sleep for ever."""
    board = made(chip, tmp_path, "xiao_esp32c3")
    Pin.levels[board.pins.BUTTON] = 1
    esp32 = sys.modules["esp32"]
    del esp32.wake_on_ext1, esp32.wake_on_ext0
    slept = []

    def deepsleep(*ms):
        slept.append(ms)
        raise Asleep

    chip.machine.deepsleep = deepsleep
    with pytest.raises(Asleep):
        board.deepsleep()
    assert slept == [(3_600_000,)]


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("Seeed Studio XIAO ESP32S3 with ESP32S3", "xiao_esp32s3"),
        ("ESP32C3 module with ESP32C3", "xiao_esp32c3"),
        ("Raspberry Pi Pico W with RP2040", "pico_w"),
        ("Raspberry Pi Pico 2 W with RP2350", "pico2_w"),
        ("zephyr-xiao_ble/nrf52840/sense with nrf52840", "xiao_nrf52840"),
    ],
)
def test_board_knows_itself(chip, machine, expected, monkeypatch):
    board = importlib.import_module("tiltwise_firmware.device.board_pins")
    monkeypatch.setattr(board, "machine_name", lambda: machine)
    assert board.pins().__name__.endswith(expected)


def test_unknown_board_is_told_what_to_do(chip, monkeypatch):
    board = importlib.import_module("tiltwise_firmware.device.board_pins")
    monkeypatch.setattr(board, "machine_name", lambda: "Toaster")
    with pytest.raises(RuntimeError, match="Toaster: write the name of a board into the file profile"):
        board.pins()


def test_cable_is_asked_before_it_is_read_and_written(chip, tmp_path):
    link = made(chip, tmp_path, "pico_w").links[0]
    assert (link._can_read(), link._can_write()) == (False, False)
    chip.ready.add((sys.stdin, 1))
    assert (link._can_read(), link._can_write()) == (True, False)
    chip.ready.add((sys.stdout, 4))
    assert link._can_write()


def test_mpremote_gets_in_between_hosts_and_a_host_may_send_any_byte(chip, tmp_path, monkeypatch):
    board = made(chip, tmp_path, "xiao_esp32s3")
    assert chip.interrupts == [-1]
    module = importlib.import_module("tiltwise_firmware.device.board")
    keyboard = module._Keyboard()
    keyboard.link = types.SimpleNamespace(is_connected=False, is_prompt_open=True)
    waiting = bytearray()

    def read(buffer):
        buffer[0] = waiting.pop(0)
        return 1

    monkeypatch.setattr(
        module.sys, "stdin", types.SimpleNamespace(buffer=types.SimpleNamespace(readinto=read))
    )

    def send(data):
        chip.time.us += 200_000
        waiting[:] = data
        while waiting:
            assert keyboard.readinto(bytearray(1)) == 1  # as many as came: the link takes so many

    send(b"\x05\x0d\x03\x03")  # not at the beginning
    keyboard.link.is_connected = True
    send(b"\r\x03")
    keyboard.link.is_connected = False
    keyboard.link.is_prompt_open = False  # a key is set, and the button was not held at boot
    send(b"\r\x03")
    keyboard.link.is_prompt_open = True
    with pytest.raises(KeyboardInterrupt):
        send(b"\r\x03")
    assert board.links[0].peer == "usb"
