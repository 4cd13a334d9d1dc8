"""Which names get short on a board: those that only the firmware itself reads; never two alike in one object."""

import ast

from tiltwise.firmware_build.locate import board_sources
from tiltwise.firmware_build.shorten_names import shorten


def one(source):
    return shorten({"firmware/one.py": source})["firmware/one.py"]


def run(source):
    space = {}
    exec(compile(source, "one", "exec"), space)
    return space


def test_parameters_get_letters_in_their_order_and_what_else_is_named_so_is_left_alone():
    source = "b = 5\ndef add(first, second, third):\n    return first + second * b + third\n"
    assert one(source) == "b = 5\ndef add(a, c, d):\n    return a + c * b + d\n"


def test_parameter_passed_by_keyword_anywhere_keeps_its_name():
    sources = {
        "firmware/one.py": "def play(pattern, strength=3):\n    return pattern * strength\n",
        "firmware/two.py": "from .one import play\nx = play(2, strength=4)\n",
    }
    assert shorten(sources)["firmware/one.py"] == "def play(a, strength=3):\n    return a * strength\n"


def test_functions_around_functions_and_names_of_comprehensions_stay():
    source = (
        "def outer(value):\n    return lambda x: x + value\n"
        "def square(row, k):\n    return [k * k for k in row]\n"
    )
    assert one(source) == source.replace("row", "a")
    assert run(one(source))["outer"](2)(3) == 5
    assert run(one(source))["square"]([1, 2], 0) == [1, 4]


def test_private_attributes_of_all_classes_share_names_but_those_of_a_base_and_its_child_do_not():
    source = (
        "class Base:\n    def __init__(self):\n        self._low = 1\n"
        "class Child(Base):\n    def __init__(self):\n        super().__init__()\n        self._high = 2\n"
        "    def both(self):\n        return self._low, self._high\n"
        "class Other:\n    def __init__(self):\n        self._mean = 3\n"
    )
    short = one(source)
    assert run(short)["Child"]().both() == (1, 2)
    assert "self._a = 3" in short
    assert "self._b = 1" in short
    assert "self._a = 2" in short


def test_private_names_that_others_reach_or_that_are_methods_or_texts_stay():
    source = (
        "class One:\n    _kind = 4\n    def __init__(self):\n        self._seen = 1\n        self._named = 2\n"
        "    def _step(self):\n        return self._kind + self._seen + getattr(self, '_named')\n"
        "    def step(self):\n        return self._step()\n"
        "def look(one):\n    return one._seen\n"
    )
    short = one(source)
    assert short == source.replace("look(one)", "look(a)").replace("return one.", "return a.")
    assert run(short)["One"]().step() == 7


def test_letters_pass_by_what_a_class_has_already():
    source = "class One:\n    def _a(self):\n        return self._rate\n    def set(self):\n        self._rate = 2\n"
    assert "self._b = 2" in one(source)
    assert "def _a(self):\n        return self._b" in one(source)


def test_texts_in_umlauts_and_files_that_are_no_python_are_left_alone():
    source = "def f(value):\n    return 'Größe', value\n"
    assert one(source) == "def f(a):\n    return 'Größe', a\n"
    assert one("def f(:\n") == "def f(:\n"


def test_firmware_keeps_the_names_of_functions_and_classes():
    for text in board_sources().values():
        ast.parse(text)
    sampler = board_sources()["firmware/sensing/sampler.py"]
    for name in ("class Sampler", "def poll", "def _bring_up", "self.faults"):
        assert name in sampler
    assert "self._is_asleep" not in sampler
