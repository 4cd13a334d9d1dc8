"""The whole of `tiltwise setup` with the real mpremote, on the prompt of the real MicroPython at a pty."""

import hashlib
import shutil
from pathlib import Path

import pytest

from app.setup_bench import Bench, CachingTools
from tiltwise.app import setup, setup_firmware, setup_work
from tiltwise.app.setup import Options
from tiltwise.app.setup_firmware import stage
from tiltwise.app.setup_plan import Do
from tiltwise.firmware_files import board_files
from tiltwise.link.serial import Port

repl = pytest.importorskip("tiltwise.sim.vm.repl", reason="needs pseudo-terminals, which this system has not")
from tiltwise.sim.vm.install import VmUnavailableError  # noqa: E402

# The browser's MicroPython has no hardware modules; loading the firmware needs their names.
MODULES = {
    "machine.py": "def reset():\n pass\n\ndef unique_id():\n return b'12345678'\n",
    "bluetooth.py": "",
    "esp32.py": "",
}
OPTIONS = Options(name="pty", board="xiao_esp32s3")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(setup_work, "FILES_AT_ONCE", 40)
    kept = {}  # so that an edit meanwhile cannot show in the hashes
    for place, path in board_files().items():
        kept[place] = tmp_path / "kept" / place.replace("../", "")
        kept[place].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept[place])
    monkeypatch.setattr(setup_firmware, "board_files", lambda: kept)
    bench = Bench(tmp_path / "board")
    (bench.flash / "main.py").write_text("print('blink')\n")
    (bench.flash / "lib" / "firmware" / "old").mkdir(parents=True)
    (bench.flash / "lib" / "firmware" / "old" / "app.py").write_text("x = 1\n")
    for name, text in MODULES.items():
        (bench.flash / "lib" / name).write_text(text)
    try:
        board = repl.ReplBoard(bench.flash)
    except VmUnavailableError as reason:
        pytest.skip(str(reason))
    with board:
        bench.port = Path(board.port)
        bench.ports = [Port(board.port, "pseudo-terminal", "MicroPython")]
        object.__setattr__(bench.around, "tools", CachingTools())
        yield bench


def test_whole_setup_with_real_mpremote(bench, tmp_path):
    said = {step.do: step.said for step in setup.run(OPTIONS, bench.around) if step.is_done}
    assert "MicroPython 1.29.0" in said[Do.BOARD]
    assert "main_before_tiltwise.py" in said[Do.STOP]
    staged = {f"/{file.target}": file.sha256 for file in stage(tmp_path / "again", "", CachingTools())}
    there = {path: hashlib.sha256(data).hexdigest() for path, data in bench.tree().items()}
    own = {f"/lib/{name}" for name in MODULES} | {"/boot.py", "/main_before_tiltwise.py", "/profile"}
    assert {path: digest for path, digest in there.items() if path not in own} == staged
    assert set(there) - set(staged) == own
    assert not (bench.flash / "lib" / "firmware" / "old").exists()
    tools = bench.around.tools
    removed = tools.run([*tools.mpremote, "connect", str(bench.port), "rm", ":lib/firmware/ring.mpy"], 60)
    assert removed.code == 0, removed.text
    again = {step.do: step.said for step in setup.run(OPTIONS, bench.around) if step.is_done}
    assert again[Do.COMPARE].startswith("1 of ")
    assert {path: hashlib.sha256(data).hexdigest() for path, data in bench.tree().items()} == there
