"""The memory part of `make hardware`: boards and their ways as firmware/README.md has them, figures as measured."""

import re
from pathlib import Path

from hardware import board_memory

ROOT = Path(__file__).parents[2]


def test_each_board_gets_its_code_the_way_that_the_firmware_page_says():
    page = (ROOT / "firmware/README.md").read_text(encoding="utf-8")
    section = page.partition("## Which way for which board")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| ([XP][^|]+?) \| ([^|]+?) \|", section, re.MULTILINE))
    assert {board: way.partition(",")[0] for board, way in rows.items()} == board_memory.WAYS


def test_every_figure_stands_behind_its_own_board():
    heaps = {
        "MicroPython alone": 7488,
        "  the firmware in it": 138784,
        "  the firmware in it, ROM": 81296,
        "  the firmware in it, frozen into the image": 57872,
    }
    allocated = {
        ("all in operation, with checksums", "sample"): 123.6,
        ("all in operation, with checksums", "frame"): 2383.2,
        ("all in operation, sealed", "sample"): 191.6,
        ("all in operation, sealed", "frame"): 3613.8,
    }
    lines = [" ".join(line.split()) for line in board_memory.table(heaps, allocated).splitlines()]
    assert lines[0].endswith(
        "a ring of 64 frames (MicroPython VM, 32 bit), beside 7 kB that MicroPython takes:"
    )
    assert lines[1:] == [
        "XIAO nRF52840 Sense frozen 58 kB (goal: under 60)",
        "XIAO ESP32-C3 into a ROM partition 81 kB",
        "XIAO ESP32-S3 from files 139 kB",
        "Pico W, Pico 2 W from files 139 kB",
        "allocated while it streams:",
        "with checksums 124 bytes a sample, 2383 bytes a frame",
        "sealed 192 bytes a sample, 3614 bytes a frame",
    ]
