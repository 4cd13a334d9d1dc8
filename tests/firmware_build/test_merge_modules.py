"""Modules that become one on a board say the same as before, or the build stops and names what is in the way."""

import ast
import sys
from types import ModuleType

import pytest

from tiltwise.firmware_build.locate import board_files, board_sources
from tiltwise.firmware_build.merge_modules import GROUPS, MergeError, merge

BUTTON = (
    "import struct\nSTATES = (1, 2)\nclass Button:\n    states = STATES\n"
    "def press():\n    return struct.calcsize('<H')\n"
)
POWER = "from .button import press\nSTATES = (3,)\ndef twice():\n    return 2 * press(), STATES\n"
HOUSE = (
    "import struct\nfrom . import button, power\nfrom .power import twice\n"
    "def ask():\n    return twice(), power.STATES, button.STATES, button.Button().states, struct.calcsize('<I')\n"
)
GROUP = {"pkg/house.py": ("button", "power")}


def sources(**more):
    files = {"button": BUTTON, "power": POWER, "house": HOUSE} | more
    return {f"pkg/{name}.py": text for name, text in files.items()}


def load(texts, name, monkeypatch):
    """Import a package of these texts and return one of its modules."""
    package = ModuleType("pkg")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "pkg", package)
    for place in texts:
        module = f"pkg.{place[4:-3]}"
        monkeypatch.delitem(sys.modules, module, raising=False)

    class Finder:
        @staticmethod
        def find_spec(full, _path=None, _target=None):
            from importlib.util import spec_from_loader

            place = full.replace(".", "/") + ".py"
            return spec_from_loader(full, Loader(texts[place])) if place in texts else None

    class Loader:
        def __init__(self, text):
            self.text = text

        def create_module(self, _spec):
            return None

        def exec_module(self, module):
            exec(compile(self.text, "pkg", "exec"), module.__dict__)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    module = __import__(f"pkg.{name}", fromlist=["x"])
    for place in texts:
        sys.modules.pop(f"pkg.{place[4:-3]}", None)
    return module


def test_merged_modules_answer_as_the_single_ones_did(monkeypatch):
    before = load(sources(), "house", monkeypatch).ask()
    merged = merge(sources(), GROUP)
    assert list(merged) == ["pkg/house.py"]
    assert load(merged, "house", monkeypatch).ask() == before == ((4, (3,)), (3,), (1, 2), (1, 2), 4)


def test_others_ask_the_leader(monkeypatch):
    others = {
        "led": "from . import button\nfrom .power import twice\ndef ask():\n    return button.press(), twice()\n"
    }
    texts = sources(**others)
    texts["pkg/power.py"] = POWER.replace("STATES", "KINDS")
    texts["pkg/house.py"] = HOUSE.replace("power.STATES", "power.KINDS")
    merged = merge(texts, GROUP)
    assert set(merged) == {"pkg/house.py", "pkg/led.py"}
    assert load(merged, "led", monkeypatch).ask() == load(texts, "led", monkeypatch).ask() == (2, (4, (3,)))


@pytest.mark.parametrize(
    ("place", "text", "name"),
    [
        ("house", "from . import power\ndef f(press):\n    return power.press(press)\n", "press"),
        ("house", "from . import power\ndef f():\n    return power\n", "power"),
        ("house", "from machine import press\n", "press"),
        ("power", "from os import struct\n", "struct"),
        ("led", "from . import power\nprint(power.STATES)\n", "STATES"),
    ],
)
def test_name_that_would_mean_something_else_stops_the_build(place, text, name):
    with pytest.raises(MergeError, match=name):
        merge(sources(**{place: text}), GROUP)


def test_local_name_like_a_module_is_no_module(monkeypatch):
    house = "from . import power\ndef ask():\n    power = [1]\n    return power.count(1)\n"
    assert load(merge(sources(house=house), GROUP), "house", monkeypatch).ask() == 1


def test_every_group_is_in_the_firmware_and_leaves_one_file():
    left, right = set(board_files()), set(board_sources())
    gone = {f"{leader.rpartition('/')[0]}/{name}.py" for leader, names in GROUPS.items() for name in names}
    assert gone <= left
    assert right == left - gone
    for text in board_sources().values():
        ast.parse(text)
