"""mpremote copies the firmware to a MicroPython prompt, and what lies there is what was sent."""

import subprocess
import sys

import pytest

from tiltwise.firmware_build.locate import board_sources
from tiltwise_lab.vm.compiled import compiled_firmware
from tiltwise_lab.vm.repl import ReplBoard


def mpremote(port, *arguments):
    command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def tree(tmp_path):
    """The firmware laid out as on a board, compiled as `tiltwise setup` compiles it."""
    root = tmp_path / "tree"
    for name, data in compiled_firmware().items():
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return root


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_flashed_tree_equals_the_firmware_file_by_file(tree, tmp_path):
    with ReplBoard(tmp_path / "flash") as board:
        mpremote(board.port, "cp", "-r", str(tree / "lib"), str(tree / "main.py"), ":")
        told = mpremote(board.port, "exec", "import sys; print(sys.implementation.name, sys.path[-1])")
        assert told.split() == ["micropython", "/flash/lib"]
        run = mpremote(board.port, "exec", "from tiltwise.common import wire; print(wire.frame_size(2, 1))")
        assert run.strip() == "38"  # header 18, one RAW sample 12, tag 8
    flashed = contents(tmp_path / "flash")
    sent = contents(tree)
    modules = {name.removesuffix(".py") for name in board_sources()} - {"../main"}
    assert set(flashed) == {f"lib/{name}.mpy" for name in modules} | {"main.py"}
    for name, data in sent.items():
        assert flashed[name] == data, name


def test_a_second_copy_finds_everything_up_to_date(tree, tmp_path):
    with ReplBoard(tmp_path / "flash") as board:
        one = tree / "lib" / "firmware" / "boards"
        mpremote(board.port, "cp", "-r", str(one), ":")
        again = mpremote(board.port, "cp", "-r", str(one), ":")
    assert again.count("Up to date") == len(list(one.rglob("*.mpy")))
