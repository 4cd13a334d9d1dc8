"""The parts around the sensor in the real MicroPython: what CPython forgives, the VM does not."""

import pytest

from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.vm.vm_board import VmBoard

FLASH = """
class Flash:
    def __init__(self):
        self.data = [bytearray(b"\\xff" * 4096) for _ in range(4)]
    def readblocks(self, block, buffer, offset=0):
        buffer[:] = self.data[block][offset : offset + len(buffer)]
    def writeblocks(self, block, buffer, offset=0):
        self.data[block][offset : offset + len(buffer)] = bytes(buffer)
    def ioctl(self, what, block):
        if what == 6:
            self.data[block] = bytearray(b"\\xff" * 4096)
        return {4: 4, 5: 4096}.get(what, 0)
"""

SCRIPTS = {
    "flash log": FLASH
    + """
import time, struct
from firmware.storage.flash_log import FlashLog
from firmware.storage.minute_archive import MinuteLog
from firmware.comms.frame_store import FrameStore
from tiltwise.common import wire
flash = Flash()
out = FrameStore(7, 20, 8, 10, MinuteLog(FlashLog(flash), time))
buffer = out.minutes.lend_buffer()
for k in range(300):
    buffer = out.put(buffer, wire.MINUTE, 0, 0, 0, 0, 0, 6)
    out.archive._tokens_ms = 3600000
    out.archive.flush(out.minutes)
again = MinuteLog(FlashLog(flash), time)
print(again.boots())
view = FrameStore(8, 20, 8, 10, again).earlier_boot(7)
print(view.find(290), view.used, view.seq_at(0), view.size_at(0))
again.free_to(7, 295)
print(MinuteLog(FlashLog(flash), time).boots())
""",
    "files": """
from firmware.storage.file_block_device import FileBlocks
from firmware.storage.flash_log import FlashLog
log = FlashLog(FileBlocks("m", 3))
print([log.append(1, bytes([k] * 42)) for k in range(3)])
log = FlashLog(FileBlocks("m", 3))
buffer = bytearray(42)
print([log.read(k, buffer) for k in range(log.start(), log.end())], buffer[0])
""",
    "settings": """
from firmware.storage.atomic_files import Files
from firmware.storage.board_settings import Settings
from firmware.storage.keystore import KeyStore
s = Settings(Files()); s.set("rule_deg", 31); s.set("name", "a=b")
s = Settings(Files()); print(s.get("rule_deg"), s.get("name"), s.problem)
try:
    s.set("rule_deg", 1000)
except ValueError as problem:
    print(problem)
keys = [(bytes(12), bytes(range(32)))]
KeyStore(Files()).save(keys); print(KeyStore(Files()).load() == keys)
Files().replace("settings", b"rubbish"); print(Settings(Files()).problem)
""",
    "health": """
import time
from firmware.device import health
from firmware.storage.atomic_files import Files
Files().remove("boot")
def start(files): return health.Health(files, time, 3, None, lambda n: b"\x07\x01")
print([(h.boot_id, h.crashes, h.is_safe_mode) for h in [start(Files()) for _ in range(4)]])
print(health.note_end(Files(), False), health.note_end(Files(), True), health.note_end(Files(), True))
class Full(Files):
    def replace(self, name, data): raise OSError(28)
full = start(Full())
print(full.boot_id, full.problem)
""",
    "coach": """
import math, time
from firmware.device import battery, button, led, power
from firmware.sensing import double_tap as taps
from firmware.wearer import haptics, neutral, standalone_coach as alone, wear_detection as worn
from firmware.storage.atomic_files import Files
from firmware.storage.board_settings import Settings
class Clock:
    ms = 0
    def ticks_ms(self): return self.ms
    def ticks_diff(self, a, b): return a - b
    def ticks_add(self, a, b): return a + b
class Motor:
    n = 0
    def set(self, duty): self.n += duty > 0
clock, motor, log = Clock(), Motor(), []
settings = Settings(Files()); settings.update((("rule_s", 60), ("alone_after_s", 30)))
settings.update((("by_dose", 0), ("first_quiet_s", 0)))
buzz = haptics.Haptics(motor, clock)
coach = alone.StandaloneCoach(clock, settings, buzz, lambda *what: log.append(what), log.append)
off, sit = worn.WearDetector(clock), neutral.Neutral(settings)
for k in range(1300):
    clock.ms += 100
    buzz.step(clock.ms)
    deg = math.radians(40 if k < 1100 else 2)
    up = [math.sin(deg), 0.0, math.cos(deg)]
    coach.step(clock.ms, up, (0.0, 0.0, 1.0), False)
    off.step(clock.ms, up, None)
print(log, motor.n)
sit.start()
print([r for r in [sit.step(up) for _ in range(30)] if r], sit.up is not None)
tap = taps.DoubleTap(9.80665 / 8192)
for k in range(200):
    tap.sample(0, 0, 8192 + (20000 if k in (100, 120) else 0))
print(tap.has_double, battery.percent_of(3820), power.Power(clock).step(1, False, False, False, False, True, False))
print(button.Button(clock).step(clock.ms, True))
levels = []; led.Led(levels.append, clock).step(clock.ms, led.NO_KEY); print(levels)
""",
    "cable": """
import time
from firmware.comms.link_usb import UsbLink
from tiltwise.common import cobs
class Port:
    waited_ms, takes, came = 0, False, b""
    def __init__(self, come): self.come = come
    def readinto(self, buffer):
        buffer[0], self.come = self.come[0], self.come[1:]
        return 1
    def write(self, data):
        if self.takes:
            self.came += bytes(data)
            return len(data)
        time.sleep_ms(500)
        self.waited_ms += 500
        return 0
packet = bytearray(cobs.stuffed_size(5))
n = cobs.stuff_into(b"hello", 5, packet)
port = Port(bytes(packet[:n]))
link = UsbLink(port, port, time, lambda: len(port.come) > 0)
link.poll(); print(link.receive())
began, frame = time.ticks_ms(), bytes(range(166))
while time.ticks_diff(time.ticks_ms(), began) < 9000:
    link.poll(); link.send(frame, 166); time.sleep_ms(10)
print(port.waited_ms, link.is_idle())
port.takes = True
time.sleep_ms(2000); link.poll()
got = cobs.Unstuffer(512, 200); got.put(port.came); print(got.take() == frame, link.is_idle())
""",
}

EXPECTED = {
    "cable": ["b'hello'", "2000 False", "True True"],
    "flash log": ["[(7, 0, 299)]", "0 1 290 50", "[(7, 296, 299)]"],
    "files": ["[True, True, True]", "[1, 1, 1] 2"],
    "settings": [
        "31 a=b None",
        "rule_deg is 1000, expected 1 to 90",
        "True",
        "settings file is damaged: defaults are used",
    ],
    "health": [
        "[(33031, 0, False), (33032, 1, False), (33033, 2, False), (33034, 3, True)]",
        "3 0 0",
        "263 28",
    ],
    "coach": ["[(True, 40), (False, 40)] 3", "[1] True", "True 50 2", "0", "[0, 1]"],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_parts_do_in_micropython_what_they_do_in_cpython(name):
    board = VmBoard([Lsm6dsox(seed=1)], stream=None)
    try:
        assert [line for line in board.vm.run(SCRIPTS[name]) if line] == EXPECTED[name]
    finally:
        board.close()
