"""Setup's programs and the compiled firmware in the real MicroPython: the whole setup with the VM as the board."""

from pathlib import Path

import numpy as np
import pytest

from setup.setup_bench import Bench, CachingTools
from tiltwise.firmware_build.locate import board_sources
from tiltwise.setup import board_scripts, steps, wizard
from tiltwise.setup.plan import Do
from tiltwise.setup.tools import Result
from tiltwise.setup.wizard import Options
from tiltwise.sim.board.simulated_board import SimBus
from tiltwise.sim.imu.bmi270_model import STAND_IN_CONFIG, Bmi270
from tiltwise.sim.imu.imu_errors import G_M_S2
from tiltwise_lab.vm.process import Vm, VmError
from tiltwise_lab.vm.vm_board import VmBus
from tiltwise_lab.vm.vm_install import VmUnavailableError

OLD = {
    "/main.py": b"print('blink')\n",
    "/lib/firmware/app.py": b"raise ValueError('would be imported before app.mpy')\n",
    "/lib/mine.py": b"1\n",
}


class VmTools(CachingTools):
    """mpremote whose board is the VM; what mpremote does to copy a file is done with open() in the VM."""

    def run(self, command, timeout_s, folder=None):
        words = list(command)
        if "connect" not in words:
            return super().run(command, timeout_s, folder)
        rest = words[words.index("connect") + 2 :]
        VmTools.calls.append(rest[0])
        try:
            return Result(0, "\r\n".join(self._do(rest)))
        except VmError as error:
            return Result(1, str(error))

    def _do(self, rest):
        if rest[0] == "run":
            return VmTools.vm.run(Path(rest[1]).read_text(encoding="utf-8"))
        for k, word in enumerate(rest):
            if word == "cp":
                self._copy(rest[k + 1], rest[k + 2].removeprefix(":"))
        return []

    def _copy(self, source, place):
        data = Path(source).read_bytes()
        VmTools.vm.run(f"with open({place!r}, 'wb') as f:\n f.write({data!r})\n")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 40)
    try:
        vm = Vm(OLD)
    except VmUnavailableError as reason:
        pytest.skip(str(reason))
    with vm:
        VmTools.vm, VmTools.calls = vm, []
        part = Bmi270(seed=1)
        part.advance(np.arange(0, 60, 0.005), np.zeros((12000, 3)), np.tile([0.0, 0.0, G_M_S2], (12000, 1)))
        bus = VmBus([part])
        bus.bus = SimBus(bus.clock, {0x68: part})
        bus.attach(vm)
        board = Bench(tmp_path / "board")
        (board.flash / "main.py").write_text("the cable of the simulated board asks for it\n")
        object.__setattr__(board.computer, "tools", VmTools())
        yield board


def test_whole_setup_on_real_micropython(bench):
    options = Options(name="vm", board="xiao_esp32s3", imu_file=bench.folder / "stand_in.bin")
    options.imu_file.write_bytes(STAND_IN_CONFIG)
    said = {step.do: step.said for step in wizard.run(options, bench.computer) if step.is_done}
    assert "MicroPython 1.29.0" in said[Do.BOARD]
    assert "main_before_tiltwise.py" in said[Do.STOP]
    files = VmTools.vm.files()
    assert said[Do.IMU] == "BMI270 at 0x68; it starts with stand_in.bin"  # by the part's own status
    assert files["/bmi270_config.bin"] == STAND_IN_CONFIG
    ours = {path for path in files if path.startswith(("/lib/", "/main", "/profile"))}
    expected = {
        "/main.py" if place == "../main.py" else f"/lib/{place[:-3]}.mpy" for place in board_sources()
    }
    assert ours == expected | {"/lib/mine.py", "/main_before_tiltwise.py", "/profile"}
    assert files["/profile"] == b"xiao_esp32s3"
    copies = VmTools.calls.count("fs")
    again = {step.do: step.said for step in wizard.run(options, bench.computer) if step.is_done}
    assert again[Do.COPY] == "nothing to copy"
    assert VmTools.calls.count("fs") == copies + 1  # main.py
    assert VmTools.vm.files() == files


def test_program_that_fails_tells_its_error(bench):
    with pytest.raises(VmError, match="OSError"):
        VmTools.vm.run(
            board_scripts.program(board_scripts.PREPARE, remove=["/nothing"], folders=[], roots=[])
        )
