"""What the firmware loses before it is compiled: names of numbers, and what nobody uses; never what it does."""

import ast

from tiltwise.firmware_build.fold_constants import fold
from tiltwise.firmware_build.locate import board_files


def test_constants_become_numbers_across_files_and_lines_keep_their_numbers():
    sources = {
        "tiltwise/common/wire.py": "OP = 7\nBIG = OP << 8\nRATE = 1.5\n",
        "firmware/device/led.py": "from micropython import const\nDARK, LIT = range(2)\n_MS = const(20)\n",
        "firmware/device/housekeeping.py": (
            "from tiltwise.common import wire\nfrom . import led\nfrom .led import LIT\n"
            "print(wire.OP,\n      wire.BIG, wire.RATE, led.DARK, LIT)\n"
        ),
    }
    folded = fold(sources)
    assert folded["firmware/device/housekeeping.py"].splitlines()[2:] == [
        "pass",
        "print(7,",
        "      1792, 1.5, 0, 1)",
    ]
    assert "OP" not in folded["tiltwise/common/wire.py"]
    assert folded["firmware/device/led.py"].strip() == "from micropython import const"


def test_names_that_change_or_that_a_profile_holds_stay():
    sources = {
        "firmware/state.py": "COUNT = 1\nCOUNT = 2\nprint(COUNT)\n",
        "firmware/shadow.py": "SIZE = 3\ndef size(SIZE):\n    return SIZE\nprint(size(4), SIZE)\n",
        "firmware/boards/pico.py": "LED = 25\nMOTOR = 7\n",
    }
    assert fold(sources) == sources


def test_what_nobody_mentions_goes_and_what_is_only_named_in_a_text_stays():
    source = (
        "TABLE = ('Driver',)\nclass Driver:\n    def self_test(self):\n        return helper()\n"
        "def helper():\n    return 1\ndef alone():\n    return alone()\nprint(TABLE)\n"
    )
    folded = fold({"firmware/one.py": source})["firmware/one.py"]
    assert "helper" in folded
    assert "self_test" in folded
    assert "alone" not in folded
    ast.parse(folded)


def test_property_that_nobody_reads_goes_with_its_decorator_and_what_follows_is_none():
    source = (
        "class One:\n    @property\n    def is_odd(self):\n        return 1\n"
        "    def pack(self, a):\n        return a\nprint(One().pack(1))\n"
    )
    folded = fold({"firmware/one.py": source})["firmware/one.py"]
    assert "property" not in folded
    assert "is_odd" not in folded
    assert "def pack" in folded


def test_constants_side_by_side_become_numbers():
    source = "_A, _B = const(0x180F), const(0x2A19)\n_C, _D = 1, len('x')\nprint(_A, _B, _C, _D)\n"
    folded = fold({"firmware/one.py": source})["firmware/one.py"]
    assert folded.split("\n")[1:] == ["_C, _D = 1, len('x')", "print(6159, 10777, _C, _D)", ""]


def test_board_keeps_its_half_of_the_handshake_only():
    folded = fold({place: path.read_text(encoding="utf-8") for place, path in board_files().items()})
    assert set(folded) == set(board_files())
    assert "class BoardHandshake" in folded["tiltwise/common/auth.py"]
    assert "class HostHandshake" not in folded["tiltwise/common/auth.py"]
    for text in folded.values():
        ast.parse(text)
