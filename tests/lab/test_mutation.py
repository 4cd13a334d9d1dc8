"""tiltwise_lab/mutation: which changes are made, and that a change which a test notices counts as noticed."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from random import Random

import pytest

from tiltwise.errors import AppError
from tiltwise_lab.mutation.mutant_runner import Workshop, drawn_modules, sampled_modules
from tiltwise_lab.mutation.mutation_points import make_mutant, points


def changes(source: str) -> set[tuple[str, str]]:
    return {(m.before, m.after) for m in (make_mutant(source, point) for point in points(source))}


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("a = b < c", "b < c", "b <= c"),
        ("a = b is not None", "b is not None", "b is None"),
        ("a = b + c", "b + c", "b - c"),
        ("a = -b", "-b", "b"),
        ("a = not b", "not b", "not not b"),
        ("a = b and c", "b and c", "b or c"),
        ("a = 3", "3", "4"),
        ("a = 2.0", "2.0", "3.0"),
        ("a = True", "True", "False"),
        ("a += b", "a += b", "a -= b"),
        ("a += b", "a += b", "pass"),
        ("run(b)", "run(b)", "pass"),
        ("a = b if c else d", "b if c else d", "d if c else b"),
        ("if a: b()", "if a:", "if not a:"),
        ("def f(a):\n    return a", "return a", "return None"),
    ],
)
def test_each_kind_of_change_is_made(source: str, before: str, after: str) -> None:
    assert (before, after) in changes(source)


def test_texts_annotations_and_imports_are_left_alone() -> None:
    source = (
        '"""A head."""\nfrom __future__ import annotations\nfrom a import b\n__all__ = ["c", "d" + "e"]\n'
        'x: dict[1, 2]\nraise ValueError("expected 3, got %d" % 4)\nprint(f"{1:2d}")'
    )
    assert changes(source) == {("print(f'{1:2d}')", "pass")}


def test_each_mutant_is_one_change_of_the_module_and_can_be_compiled() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    plain = ast.unparse(ast.parse(source))
    for point in points(source)[::7]:
        mutant = make_mutant(source, point)
        compile(mutant.text, "mutant", "exec")
        assert mutant.text != plain
        assert mutant.before != mutant.after


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one module, half of which is tested."""
    project = tmp_path / "project"
    for folder in ("host/tiltwise", "firmware", "tests", "docs", "examples"):
        (project / folder).mkdir(parents=True)
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"):
        (project / name).touch()
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (project / "host/tiltwise/__init__.py").touch()
    (project / "host/tiltwise/sums.py").write_text(
        "def add(a, b):\n    return a + b\n\n\ndef wait(n):\n    while n:\n        n -= 1\n\n\n"
        "def double(a):\n    return 2 * a\n"
    )
    (project / "host/tiltwise/alone.py").write_text("A = 1\n")
    (project / "tests/test_sums.py").write_text(
        "from tiltwise.sums import add, wait\n\n\ndef test_add():\n    assert add(2, 3) == 5\n    wait(2)\n"
    )
    return project


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_test_holds_is_noticed_and_what_none_holds_survives(project: Path, tmp_path: Path) -> None:
    workshop = Workshop(project, tmp_path / "copy", least_cpu_s=1)
    module = Path("host/tiltwise/sums.py")
    source = (tmp_path / "copy" / module).read_text(encoding="utf-8")
    result = workshop.run(module, 100, Random(1))
    assert result.tried == result.possible == len(points(source))
    survivors = {(mutant.before, mutant.after) for mutant in result.survivors}
    assert ("return a + b", "return None") not in survivors
    assert ("a + b", "a - b") not in survivors
    assert {("2 * a", "2 / a"), ("2", "3"), ("return 2 * a", "return None")} <= survivors
    assert ("n -= 1", "pass") not in survivors  # it never ends, and is ended
    assert (tmp_path / "copy" / module).read_text(encoding="utf-8") == source
    assert not workshop.run(Path("host/tiltwise/alone.py"), 5, Random(1)).has_tests


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_tests_that_fail_unchanged_are_told(project: Path, tmp_path: Path) -> None:
    (project / "tests/test_sums.py").write_text("import tiltwise.sums\n\ndef test_it():\n    assert False\n")
    with pytest.raises(AppError, match="its tests fail unchanged, put them right first: 1 failed"):
        Workshop(project, tmp_path / "copy").run(Path("host/tiltwise/sums.py"), 5, Random(1))


def test_a_module_that_no_test_imports_has_the_tests_of_those_that_use_it(
    project: Path, tmp_path: Path
) -> None:
    (project / "host/tiltwise/sums.py").write_text(
        "from tiltwise.alone import A\n\n\ndef add(a, b):\n    return a + b + A - 1\n\n\ndef wait(n):\n    pass\n"
    )
    workshop = Workshop(project, tmp_path / "copy")
    assert workshop.tests_of(Path("host/tiltwise/alone.py")) == ["tests/test_sums.py"]
    (project / "firmware/used.py").write_text("A = 1\n")
    (project / "firmware/user.py").write_text("from .used import A\n")
    (project / "tests/test_user.py").write_text(
        'import importlib\nimportlib.import_module("tiltwise_firmware.user")\n'
    )
    workshop = Workshop(project, tmp_path / "again")
    assert workshop.tests_of(Path("firmware/used.py")) == ["tests/test_user.py"]


def test_firmware_that_is_loaded_by_a_name_put_together_has_the_tests_that_say_it(
    project: Path, tmp_path: Path
) -> None:
    for name in ("device/power.py", "device/unsaid.py", "drivers/one_part.py", "main.py"):
        (project / "firmware" / name).parent.mkdir(exist_ok=True)
        (project / "firmware" / name).write_text("A = 1\n")
    by_name = "import importlib\nmodule = lambda name: importlib.import_module(f'tiltwise_firmware.{name}')\n"
    (project / "tests/test_power.py").write_text(f"{by_name}module('device.power')\n")
    (project / "tests/test_parts.py").write_text(
        f"{by_name}[module(f'drivers.{{k}}') for k in ['one_part']]\n"
    )
    workshop = Workshop(project, tmp_path / "copy")
    assert workshop.tests_of(Path("firmware/device/power.py")) == ["tests/test_power.py"]
    assert workshop.tests_of(Path("firmware/drivers/one_part.py")) == ["tests/test_parts.py"]
    assert workshop.tests_of(Path("firmware/device/unsaid.py")) == []


def test_modules_are_drawn_by_the_seed_and_stay_in_order() -> None:
    modules = [Path(f"{k:02}.py") for k in range(20)]
    assert drawn_modules(modules, None, 1) == drawn_modules(modules, 20, 1) == modules
    drawn = drawn_modules(modules, 5, 1)
    assert drawn == sorted(drawn) == drawn_modules(modules, 5, 1) != drawn_modules(modules, 5, 2)
    assert len(set(drawn)) == 5


def test_a_folder_that_is_not_there_is_told(project: Path) -> None:
    assert sampled_modules(project, ["sums.py"]) == [Path("host/tiltwise/sums.py")]
    with pytest.raises(AppError, match=r"decode: expected a folder of host/tiltwise"):
        sampled_modules(project, ["decode"])
