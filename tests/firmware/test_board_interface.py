"""What a board has not got by default, and memory that is given back."""

import importlib
import sys
import types

import pytest

from tiltwise.firmware_build.locate import load_firmware

load_firmware()
board_interface = importlib.import_module("tiltwise_firmware.device.board_interface")


def test_a_board_without_parts_has_none_and_keeps_frames_and_an_hour_of_minutes():
    board = board_interface.BoardInterface()
    parts = (
        "clock", "bus", "radio", "files", "flash", "motor", "led", "button", "battery_mv", "is_charging", "has_moved",
        "watchdog",
    )  # fmt: skip
    assert {getattr(board, part) for part in parts} == {None}
    assert (board.addresses, board.links, board.chip_cause, board.idles) == ((0x6A, 0x6B), (), 0, False)
    assert (board.ring_frames, board.minute_frames) == (64, 60)
    assert (board.model, board.device_id, board.mem_free()) == (b"unknown", bytes(8), 0)
    assert (board.reset(), board.deepsleep()) == (None, None)
    with pytest.raises(NotImplementedError, match="no source of randomness"):
        board.random(4)


def test_a_forgotten_module_is_neither_loaded_nor_part_of_its_package(monkeypatch):
    package, module = types.ModuleType("some_package"), types.ModuleType("some_package.part")
    package.part = module
    monkeypatch.setitem(sys.modules, "some_package", package)
    monkeypatch.setitem(sys.modules, "some_package.part", module)
    board_interface.forget(module)
    assert "some_package.part" not in sys.modules
    assert not hasattr(package, "part")
