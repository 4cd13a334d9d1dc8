"""What a board finds out about its own parts, part by part."""

import importlib
import struct
from types import SimpleNamespace

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimFiles

load_firmware()
self_test = importlib.import_module("tiltwise_firmware.device.self_test")


class Bus:
    """A bus with parts that say who they are."""

    def __init__(self, **says):
        self.says = {int(name[1:], 16): who for name, who in says.items()}

    def scan(self):
        return list(self.says)

    def readfrom_mem_into(self, address, _register, buffer):
        buffer[:] = bytes([self.says[address]] * len(buffer))


def asked(part, samplers=(), **board):
    parts = {"bus": Bus(), "files": SimFiles(), "radio": None, "button": None}
    return self_test.run(SimpleNamespace(**(parts | board)), list(samplers), part)


def test_the_bus_is_the_addresses_that_answer():
    assert asked(wire.SELFTEST_BUS, bus=Bus(x3c=0, x6a=0x6C)) == bytes([0x3C, 0x6A])


def test_a_part_that_nobody_knows_is_described_where_a_sensor_would_be():
    assert asked(wire.SELFTEST_IDENTITY, bus=Bus(x3c=0x33, x6a=0x33)).startswith(
        b"part at 0x6a says WHO_AM_I 0x33"
    )
    assert asked(wire.SELFTEST_IDENTITY, bus=Bus(x6a=0x6C)) == b""


@pytest.mark.parametrize(
    ("result", "answer"), [((True, False), b"\1\0"), ((False, True), b"\0\1"), ((None, None), b"\2\2")]
)
def test_the_first_sensor_tests_itself(result, answer):
    first = SimpleNamespace(self_test=lambda: result)
    assert asked(wire.SELFTEST_IMU, [first, SimpleNamespace(self_test=lambda: (None, None))]) == answer


@pytest.mark.parametrize("samplers", [[], [SimpleNamespace(self_test=lambda: None)]])
def test_without_a_sensor_there_is_nothing_to_test(samplers):
    with pytest.raises(OSError, match="no sensor"):
        asked(wire.SELFTEST_IMU, samplers)


class Flash:
    """Files that may forget, and may not know how much is free."""

    def __init__(self, free_kb=None, keeps=True):
        self.kept, self.removed, self._free_kb, self._keeps = {}, [], free_kb, keeps

    def replace(self, name, data):
        self.kept[name] = data if self._keeps else data[:-1]

    def read(self, name):
        return self.kept[name]

    def remove(self, name):
        self.removed.append(self.kept.pop(name, None))

    def free_kb(self):
        return self._free_kb


@pytest.mark.parametrize(("free_kb", "told"), [(1234, 1234), (0, 0), (None, 0xFFFFFFFF)])
def test_flash_keeps_a_file_of_64_bytes_for_a_moment_and_says_what_is_free(free_kb, told):
    flash = Flash(free_kb)
    assert struct.unpack("<I", asked(wire.SELFTEST_FLASH, files=flash)) == (told,)
    assert (flash.removed, flash.kept) == ([bytes(range(64))], {})


def test_flash_that_forgets_is_an_error_and_leaves_nothing():
    flash = Flash(keeps=False)
    with pytest.raises(OSError, match="does not keep"):
        asked(wire.SELFTEST_FLASH, files=flash)
    assert flash.kept == {}


@pytest.mark.parametrize(("is_up", "answer"), [(True, b"\1\5\0"), (False, b"\0\5\0")])
def test_the_radio_says_whether_it_is_up_and_how_often_it_was_restarted(is_up, answer):
    assert asked(wire.SELFTEST_RADIO, radio=SimpleNamespace(is_up=is_up, restarts=5)) == answer
    assert asked(wire.SELFTEST_RADIO) is None


@pytest.mark.parametrize("is_down", [True, False])
def test_the_button_says_whether_it_is_down(is_down):
    assert asked(wire.SELFTEST_BUTTON, button=lambda: is_down) == bytes([is_down])
    assert asked(wire.SELFTEST_BUTTON) is None


def test_a_part_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="99"):
        asked(99)
