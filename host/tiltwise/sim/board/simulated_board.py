"""A board made of numbers: the unmodified firmware on a virtual clock, an I2C bus with faults, a link that can stall.

Everything is integer microseconds and seeded, so the same input gives the same bytes, however the time is cut.
"""

from __future__ import annotations

import importlib
import math
import random
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.sim.board.peripherals import Power, Restart, SimFiles, SimFlash, SimMotor, SimPins
from tiltwise.sim.imu.imu_model import ImuModel

ADDRESSES = (0x6A, 0x6B)
_TICKS = 1 << 30  # MicroPython's ticks wrap here on 32-bit boards
_US_PER_BYTE = 22.5  # nine bits at 400 kHz
_OVERHEAD_BYTES = 3  # address, register, address again
_ENODEV, _ETIMEDOUT = 19, 116  # what machine.I2C raises on an ESP32
# The firmware may run this far past a step while it talks to the sensor; the truth has to reach that far too.
_MARGIN_US = 30_000
_ACK_EVERY, _CREDITS = 16, 64  # frames
POWER_ON, WATCHDOG, WOKE, SOFT = 1, 3, 4, 5  # as firmware/device/health.py numbers the causes


class SimClock:
    """Stands in for MicroPython's `time`: ticks that wrap, moved on by the simulator only."""

    def __init__(self, start_us: int = 0, ticks_offset: int = 0) -> None:
        self.us = float(start_us)
        self._offset = ticks_offset

    def ticks_us(self) -> int:
        return (int(self.us) + self._offset) % _TICKS

    def ticks_ms(self) -> int:
        return (int(self.us) // 1000 + self._offset) % _TICKS

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) % _TICKS

    def ticks_diff(self, a: int, b: int) -> int:
        return (a - b + _TICKS // 2) % _TICKS - _TICKS // 2

    def sleep_ms(self, ms: int) -> None:
        self.us += 1000 * ms


class SimBus:
    """An I2C bus as machine.I2C shows it. Faults: `is_stuck` (a line held low: time-outs), `fail_next`, `unplug`."""

    def __init__(self, clock: SimClock, devices: dict[int, ImuModel]) -> None:
        self._clock = clock
        self._devices = devices
        self._unplugged: set[int] = set()
        self.is_stuck = False
        self.fail_next = 0  # this many transfers are not acknowledged
        self.transfers = 0

    def unplug(self, address: int) -> None:
        """Take a sensor off the bus and off its power."""
        self._unplugged.add(address)

    def plug(self, address: int) -> None:
        """Put it back; it starts as after power-on."""
        self._unplugged.discard(address)
        self._devices[address].run_to(self._clock.us / 1e6)
        self._devices[address].power_cycle()

    def readfrom_mem_into(self, address: int, register: int, buffer: bytearray | memoryview) -> None:
        device = self._transfer(address, len(buffer))
        buffer[:] = device.read(register, len(buffer))

    def readfrom_mem(self, address: int, register: int, n: int) -> bytes:
        return self._transfer(address, n).read(register, n)

    def writeto_mem(self, address: int, register: int, data: bytes | bytearray | memoryview) -> None:
        self._transfer(address, len(data)).write(register, bytes(data))

    def scan(self) -> list[int]:
        return [] if self.is_stuck else sorted(set(self._devices) - self._unplugged)

    def _transfer(self, address: int, n: int) -> ImuModel:
        """Let the time pass that n bytes take, and return who answers."""
        self.transfers += 1
        self._clock.us += _US_PER_BYTE * (n + _OVERHEAD_BYTES)
        if self.is_stuck:
            raise OSError(_ETIMEDOUT, "bus stuck")
        if self.fail_next:
            self.fail_next -= 1
            raise OSError(_ENODEV, "not acknowledged")
        device = self._devices.get(address)
        if device is None or address in self._unplugged:
            raise OSError(_ENODEV, f"nothing at 0x{address:02x}")
        device.run_to(self._clock.us / 1e6)
        return device


class SimLink:
    """The firmware's way out. `takes` may refuse a frame: that is back-pressure, and the frame stays in the ring."""

    peer = "usb"  # as a cable: a board without a key serves it
    connections = 1
    address: bytes | None = None
    mtu_payload = 244
    window = 0  # it refuses what it cannot take
    damaged = 0  # frames of the host that were no frames

    def __init__(self) -> None:
        self.is_connected = True
        self.takes: Callable[[bytes], bool] = lambda _: True
        self.frames: list[bytes] = []
        self.sent = 0
        self.newest_seq = 0
        self.replies: list[bytes] = []
        self.info = b""
        self._commands: deque[bytes] = deque()

    def deliver(self, command: bytes) -> None:
        self._commands.append(command)

    def poll(self) -> None:
        """Nothing to do by itself."""

    def receive(self) -> bytes | None:
        return self._commands.popleft() if self._commands else None

    def send(self, buffer: bytearray | memoryview, n: int) -> bool:
        frame = bytes(memoryview(buffer)[:n])
        if not self.takes(frame):
            return False
        self.frames.append(frame)
        self.sent += 1
        self.newest_seq = unpack_header(frame)[3]
        return True

    def reply(self, data: bytes) -> bool:
        self.replies.append(data)
        return True

    def waited_us(self) -> int:
        return 0

    def is_idle(self) -> bool:
        return True

    def disconnect(self) -> None:
        self.is_connected = False

    def drop(self) -> None:
        """The board restarts: what was on its way is gone, and the host has to begin anew."""
        self._commands.clear()
        self.connections += 1

    def publish(self, info: bytes) -> None:
        self.info = info


load_firmware()
BoardInterface = importlib.import_module(f"{PACKAGE}.device.board_interface").BoardInterface


class SimBoard(BoardInterface):  # type: ignore[misc,valid-type]  # the firmware's own, loaded above
    """Runs the firmware's App with one or two sensors, and everything else a board may have.

    Parameters
    ----------
    sensors : one or two register models
    addresses : where the firmware looks for sensors, in this order; the models sit at the first of them
    boot_id : boot counter, u16
    stream : frame type that is asked for at boot (wire.ORIENT or wire.RAW); None waits for a START command
    auto_ack : act as a host that stores each frame at once; False when a real host sends ACK
    ring_frames : size of the ring
    start_s : virtual time of the boot; frames count their time from here
    ticks_offset : where MicroPython's wrapping ticks stand at time 0
    is_bare : only sensors and link: no motor, button, LED, battery, flash log
    seed : of the board's own randomness
    """

    model = b"simulated"
    device_id = b"simboard"

    def __init__(
        self,
        sensors: Sequence[ImuModel],
        *,
        addresses: Sequence[int] = ADDRESSES,
        boot_id: int = 1,
        stream: int | None = wire.ORIENT,
        auto_ack: bool = True,
        ring_frames: int = 300,
        minute_frames: int = 480,
        start_s: float = 0.0,
        ticks_offset: int = 0,
        is_bare: bool = False,
        seed: int = 0,
    ) -> None:
        if not 1 <= len(sensors) <= len(addresses):
            raise ValueError(f"{len(sensors)} sensors, expected 1 to {len(addresses)}, one an address")
        self.clock = SimClock(round(start_s * 1e6), ticks_offset)
        self.sensors = tuple(sensors)
        self.bus = SimBus(self.clock, dict(zip(addresses, sensors, strict=False)))
        self.link = SimLink()
        self.links: list[Any] = [self.link]
        self.addresses = tuple(addresses)
        self.ring_frames = ring_frames
        self.minute_frames = minute_frames
        self.chip_cause = POWER_ON
        self.is_asleep = False
        self.is_moved = False  # what the motion interrupt latched
        self.fed_s: list[float] = []  # when the watchdog was fed
        self._fit_parts(is_bare)
        self._rng = random.Random(seed)
        self._auto_ack = auto_ack
        self._request = 0
        self._acked = 0
        self._number_boots_from(boot_id)
        self._boot()
        if stream is not None:
            self.start(stream)

    def _fit_parts(self, is_bare: bool) -> None:
        """Fit what is on the board; what a bare one lacks stays None, as in firmware/device/board_interface.py."""
        self.power = Power()
        self.files = SimFiles(self.power)
        self.pins = pins = SimPins()
        self.sim_motor = SimMotor(self.clock)
        self.sim_flash = SimFlash(power=self.power)
        self.watchdog: Callable[[], None] = lambda: self.fed_s.append(self.clock.us / 1e6)
        if is_bare:
            return
        self.flash = self.sim_flash
        self.motor = self.sim_motor
        self.led = pins.set_led
        self.button = lambda: pins.is_pressed
        self.battery_mv = lambda: pins.battery_mv
        self.is_charging = lambda: pins.is_charging
        self.has_moved = self._take_moved

    def _number_boots_from(self, boot_id: int) -> None:
        """Leave the file behind that an earlier boot would have left; without one it begins anywhere."""
        health = importlib.import_module(f"{PACKAGE}.device.health")
        data = struct.pack("<HBB", boot_id - 1, 0, health.RUNNING if boot_id == 1 else health.REBOOTING)
        self.files.files[health.FILE] = importlib.import_module(f"{PACKAGE}.storage.atomic_files").with_crc(
            data
        )

    def _boot(self) -> None:
        self.is_asleep = False
        self.app = importlib.import_module(f"{PACKAGE}.app").App(self)
        self._due_us = self.clock.us

    # ---- what the firmware asks for ----

    def random(self, n: int) -> bytes:
        """Bytes that are the same in every run with this seed."""
        return self._rng.randbytes(n)

    def reset(self) -> None:
        """Start anew; does not come back, as on a board."""
        raise Restart(is_sleep=False)

    def deepsleep(self) -> None:
        """Sleep until `move` or `press`; does not come back, as on a board."""
        raise Restart(is_sleep=True)

    def _take_moved(self) -> bool:
        was_moved, self.is_moved = self.is_moved, False
        return was_moved

    @property
    def boot_id(self) -> int:
        """Number of this boot."""
        return int(self.app.health.boot_id)

    def restart(self, chip_cause: int = POWER_ON) -> None:
        """Let the chip start: after a power cut, a bite of the watchdog, or sleep. Only what is in flash survives."""
        self.power.left = None
        self.chip_cause = chip_cause
        self.sim_motor.set(0)  # the pin falls back with its pull-down
        self.link.drop()
        self._acked = self.link.sent
        self._boot()

    def move(self) -> None:
        """Raise the IMU's motion interrupt."""
        self.is_moved = True
        if self.is_asleep:
            self.restart(WOKE)

    def start(self, frame_type: int = wire.ORIENT, samples_per_frame: int = 10) -> None:
        """Ask for a stream, as a host does."""
        self.command(wire.OP_START, bytes((frame_type, samples_per_frame)))

    def command(self, opcode: int, payload: bytes = b"") -> None:
        """Send a command with a request id of its own."""
        self._request = self._request % 255 + 1
        self.deliver(wire.pack_command(self._request, opcode, self._request, payload))

    def deliver(self, command: bytes) -> None:
        """Hand over the bytes of a command; the firmware sees them in its next step."""
        self.link.deliver(command)

    @property
    def replies(self) -> list[bytes]:
        """Answers to commands so far."""
        return self.link.replies

    def step(self, to_s: float) -> list[bytes]:
        """Run until virtual time to_s and return the frames sent meanwhile.

        The sensors' truth must be told up to to_s. What is due in the last 30 ms runs in the next step, so that
        the cuts do not show in the frames.
        """
        end_us = math.floor(to_s * 1e6) - _MARGIN_US
        while self._due_us <= end_us and not self.is_asleep:
            self.clock.us = max(self.clock.us, self._due_us)
            self._step_once()
        if self.is_asleep:
            self.clock.us = max(self.clock.us, end_us)
        frames, self.link.frames = self.link.frames, []
        return frames

    def _step_once(self) -> None:
        try:
            wait_ms = self.app.step()
        except Restart as wanted:
            if wanted.is_sleep:
                self.is_asleep = True
                self.link.drop()
            else:
                self.restart(SOFT)
            return
        self._due_us = self.clock.us + 1000 * wait_ms
        self._ack_sometimes()

    def _ack_sometimes(self) -> None:
        """Acknowledge all that was sent, every few frames, so that the cuts of `step` do not show."""
        if not self._auto_ack or self.link.sent < self._acked + _ACK_EVERY:
            return
        self._acked = self.link.sent
        payload = struct.pack("<HIH", self.boot_id, self.link.newest_seq, _CREDITS)
        self.command(wire.OP_ACK, payload)
