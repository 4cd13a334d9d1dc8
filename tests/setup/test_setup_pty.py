"""The whole of `tiltwise setup` with the real mpremote, on the prompt of the real MicroPython at a pty."""

import hashlib
import shutil
from pathlib import Path

import pytest

from setup.setup_bench import Bench, CachingTools
from tiltwise.firmware_build.locate import board_files
from tiltwise.link.serial import Port
from tiltwise.setup import compile, steps, wizard
from tiltwise.setup.compile import stage
from tiltwise.setup.plan import Do
from tiltwise.setup.wizard import Options

repl = pytest.importorskip("tiltwise_lab.vm.repl", reason="needs pseudo-terminals, which this system has not")
from tiltwise.sim.imu.bmi270_model import STAND_IN_CONFIG  # noqa: E402
from tiltwise_lab.vm.vm_install import VmUnavailableError  # noqa: E402

STAND_IN_SHA256 = hashlib.sha256(STAND_IN_CONFIG).hexdigest()

# On its bus is a BMI270 that accepts what was loaded when its pieces came one after the other and hash to this.
MACHINE = f"""
import hashlib, time
def reset():
 pass
def unique_id():
 return b'12345678'
class Pin:
 def __init__(self, number):
  pass
class I2C:
 def __init__(self, number, *, scl, sda, freq):
  self.registers = bytearray(128)
  self.registers[0] = 0x24
  self.digest = hashlib.sha256()
  self.taken = 0
 def readfrom_mem_into(self, address, register, buffer):
  if address != 0x68:
   raise OSError(19)
  for k in range(len(buffer)):
   buffer[k] = self.registers[register + k]
 def writeto_mem(self, address, register, data):
  if register == 0x5E:
   at = 2 * (self.registers[0x5B] & 15 | self.registers[0x5C] << 4)
   if at == self.taken:
    self.digest.update(data)
    self.taken += len(data)
   return
  for k in range(len(data)):
   self.registers[register + k] = data[k]
  if register == 0x59 and data[0] == 1:
   good = self.taken == 8192 and self.digest.digest() == bytes.fromhex("{STAND_IN_SHA256}")
   self.registers[0x21] = 1 if good else 2
"""
# The browser's MicroPython has no hardware modules; loading the firmware needs their names.
MODULES = {
    "machine.py": MACHINE,
    "bluetooth.py": "",
    "esp32.py": "",
}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 40)
    kept = {}  # so that an edit meanwhile cannot show in the hashes
    for place, path in board_files().items():
        kept[place] = tmp_path / "kept" / place.replace("../", "")
        kept[place].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept[place])
    monkeypatch.setattr(compile, "board_files", lambda: kept)
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
        object.__setattr__(bench.computer, "tools", CachingTools())
        yield bench


def test_whole_setup_with_real_mpremote(bench, tmp_path):
    options = Options(name="pty", board="xiao_esp32s3", imu_file=tmp_path / "stand_in.bin")
    options.imu_file.write_bytes(STAND_IN_CONFIG)
    said = {step.do: step.said for step in wizard.run(options, bench.computer) if step.is_done}
    assert said[Do.IMU] == "BMI270 at 0x68; it starts with stand_in.bin"
    assert "MicroPython 1.29.0" in said[Do.BOARD]
    assert "main_before_tiltwise.py" in said[Do.STOP]
    staged = {f"/{file.target}": file.sha256 for file in stage(tmp_path / "again", "", CachingTools())}
    there = {path: hashlib.sha256(data).hexdigest() for path, data in bench.tree().items()}
    own = {f"/lib/{name}" for name in MODULES} | {"/boot.py", "/main_before_tiltwise.py", "/profile"}
    own.add("/bmi270_config.bin")
    assert there["/bmi270_config.bin"] == STAND_IN_SHA256
    assert {path: digest for path, digest in there.items() if path not in own} == staged
    assert set(there) - set(staged) == own
    assert not (bench.flash / "lib" / "firmware" / "old").exists()
    tools = bench.computer.tools
    removed = tools.run(
        [*tools.mpremote, "connect", str(bench.port), "rm", ":lib/firmware/comms/frame_store.mpy"], 60
    )
    assert removed.code == 0, removed.text
    again = {step.do: step.said for step in wizard.run(options, bench.computer) if step.is_done}
    assert again[Do.COMPARE].startswith("1 of ")
    assert {path: hashlib.sha256(data).hexdigest() for path, data in bench.tree().items()} == there
