"""Hints name commands and packages that are there, and can be typed as they stand, also from a checkout."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from command import environment
from tiltwise import text
from tiltwise.app.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
HINT = re.compile(r"`tiltwise ([^`]+)`|(?:run|see|try) tiltwise ((?:--?)?[a-z]+(?: --[a-z-]+)*)")


def shown_texts() -> list[tuple[str, str]]:
    """Return (module, text) of every string in the product that is not a docstring."""
    found = []
    for path in sorted((ROOT / "host" / "tiltwise").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            (path.stem, node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        ]
    return found


def hints() -> set[str]:
    """Return what follows "tiltwise" in every hint."""
    said = {first or second for _, shown in shown_texts() for first, second in HINT.findall(shown)}
    way_in = [
        shown
        for _, shown in shown_texts()
        if shown.lstrip().startswith("tiltwise demo") or "  tiltwise " in shown
    ]
    said |= {
        line.split("  ")[0] for shown in way_in for line in re.findall(r"tiltwise (\S+(?: \S+)*)", shown)
    }
    return {hint for hint in said if not hint.split()[0].endswith(":")}


@pytest.mark.parametrize("hint", sorted(hints()))
def test_every_command_that_a_hint_names_is_there_with_its_options(hint: str) -> None:
    words = hint.split()
    if words[0] == "--help":
        return
    command = COMMANDS.get(words[0])
    assert command is not None, f"`tiltwise {hint}`: no such command"
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_there_are_hints_to_look_at() -> None:
    assert {"calibrate", "exercises"} <= {hint.split()[0] for hint in hints()}


def test_no_hint_installs_an_extra_by_a_name_that_a_checkout_cannot_resolve() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = {
        re.split(r"[>=<\[]", need)[0]
        for needs in (extras["dependencies"], *extras["optional-dependencies"].values())
        for need in needs
    }
    for module, shown in shown_texts():
        assert "tiltwise[" not in shown, module
        for packages in re.findall(r"(?<!m)pip install ([a-z](?:[a-z0-9-]+ ?)+)", shown):
            named = [word for word in packages.split() if word not in ("or", "and")]
            assert named[0] in known, f"{module}: {packages}"


def from_a_shell(home: Path, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tiltwise` with this PATH and nothing else on it."""
    return subprocess.run(
        [sys.executable, "-m", "tiltwise", *arguments],
        env=environment(home, {"PATH": path, "PYTHONPATH": str(ROOT / "host")}),
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_hint_can_be_typed_where_tiltwise_is_not_on_the_path(home: Path) -> None:
    """As after `make demo`: the command in the message runs as it is printed."""
    said = from_a_shell(home, "/nowhere", "day")
    assert said.returncode == 1
    (typed,) = re.findall(r"`(\S*(?: -m )?tiltwise) demo`", said.stderr)
    done = subprocess.run(
        [*typed.split(), "demo", "--help"],
        env=environment(home, {"PATH": "/nowhere", "PYTHONPATH": str(ROOT / "host")}),
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "without hardware" in " ".join(done.stdout.split()) or "No hardware" in done.stdout


def test_a_hint_is_short_where_tiltwise_is_on_the_path(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "tiltwise"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert "`tiltwise demo`" in from_a_shell(home, str(tmp_path), "day").stderr


def test_no_message_names_a_board_as_a_command_is_named() -> None:
    """`tiltwise board` is a command: in prose it would be shown with the path of the program."""
    for path in (ROOT / "host").rglob("*.py"):
        assert not re.search(r"(?<!`)tiltwise board\b", path.read_text(encoding="utf-8")), path


def test_only_commands_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_commands", {"day", "setup"})
    monkeypatch.setattr(text.shutil, "which", lambda _: None)
    monkeypatch.setattr(text.sys, "executable", "/opt/python")
    assert text.as_typed("run `tiltwise day`") == "run `/opt/python -m tiltwise day`"
    for kept in (
        "a tiltwise board",
        "tiltwise: no",
        "~/tiltwise setup.txt",
        "my-tiltwise day",
        "tiltwise days",
    ):
        assert text.as_typed(kept) == kept
    assert text.as_typed("missing: pip install numpy") == "missing: /opt/python -m pip install numpy"
