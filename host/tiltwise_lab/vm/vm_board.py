"""The firmware's App in the MicroPython VM, with the simulator's sensors, bus and link around it."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from tiltwise.common import wire
from tiltwise.sim.board.simulated_board import ADDRESSES, SimBus, SimClock, SimLink
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise_lab.vm.process import Vm, VmError, firmware_on_board

I2C_READ, I2C_WRITE = 1, 2
_SEND, _REPLY, _RECEIVE = 18, 19, 20
_EAGAIN = 11
_MARGIN_US = 30_000  # as in sim/board/simulated_board.py
_ACK_EVERY, _CREDITS = 16, 64
# What SimBoard leaves behind for firmware/device/health.py too: boots count from 1.
_BOOT_0 = bytes(4) + struct.pack("<I", zlib.crc32(bytes(4)))


class VmBus:
    """The I2C bus of a VM: each transfer moves the VM's clock and reaches the register models."""

    def __init__(self, sensors: Sequence[ImuModel], now_us: float = 0.0) -> None:
        self.clock = SimClock(round(now_us))
        self.bus = SimBus(self.clock, dict(zip(ADDRESSES, sensors, strict=False)))
        self._vm: Vm | None = None

    def attach(self, vm: Vm) -> None:
        """Answer this VM's transfers from now on."""
        self._vm = vm
        vm.devices[I2C_READ] = self._read
        vm.devices[I2C_WRITE] = self._write

    def _read(self, address: int, register: int, data: bytes) -> tuple[int, bytes]:
        buffer = bytearray(len(data))
        errno = self._transfer(lambda: self.bus.readfrom_mem_into(address, register, buffer))
        return errno, b"" if errno else bytes(buffer)

    def _write(self, address: int, register: int, data: bytes) -> tuple[int, bytes]:
        return self._transfer(lambda: self.bus.writeto_mem(address, register, data)), b""

    def _transfer(self, act: Any) -> int:
        assert self._vm is not None
        self.clock.us = self._vm.now_us
        errno = 0
        try:
            act()
        except OSError as problem:
            errno = problem.errno or 5
        self._vm.now_us = self.clock.us
        return errno


class VmBoard:
    """Runs App in the VM as a bare SimBoard does under CPython; same parameters, same frames.

    Parameters
    ----------
    sensors, stream, auto_ack, ring_frames, minute_frames, start_s, ticks_offset : as SimBoard
    files : what lies on the board; the firmware as source text when absent
    rom : image of a ROM partition, as Vm
    """

    def __init__(
        self,
        sensors: Sequence[ImuModel],
        *,
        stream: int | None = wire.ORIENT,
        auto_ack: bool = True,
        ring_frames: int = 300,
        minute_frames: int = 480,
        start_s: float = 0.0,
        ticks_offset: int = 0,
        files: Mapping[str, bytes] | None = None,
        rom: bytes = b"",
    ) -> None:
        self.about = {
            "model": "simulated",
            "device_id": "simboard",
            "ring_frames": ring_frames,
            "minute_frames": minute_frames,
            "addresses": list(ADDRESSES),
        }
        self.link = SimLink()
        self._auto_ack = auto_ack
        self._request = 0
        self._acked = 0
        self._bus = VmBus(sensors, start_s * 1e6)
        self.bus = self._bus.bus
        self.vm = Vm(
            {"/boot": _BOOT_0, **(firmware_on_board() if files is None else files)},
            rom=rom,
            now_us=start_s * 1e6,
            ticks_offset=ticks_offset,
        )
        self._bus.attach(self.vm)
        self._boot()
        if stream is not None:
            self.start(stream)

    def _boot(self) -> None:
        self.vm.devices |= {_SEND: self._send, _REPLY: self._reply, _RECEIVE: self._receive}
        self.vm.ask = self._ask
        try:
            self.vm.run("import bench_board\nboard = bench_board.Board()\nimport firmware.app")
            self.vm.run("app = firmware.app.App(board)")
        except VmError:
            self.vm.close()
            raise

    def close(self) -> None:
        """End the VM."""
        self.vm.close()

    def start(self, frame_type: int = wire.ORIENT, samples_per_frame: int = 10) -> None:
        """Ask for a stream, as a host does."""
        self.command(wire.OP_START, bytes((frame_type, samples_per_frame)))

    def command(self, opcode: int, payload: bytes = b"") -> None:
        """Send a command with a request id of its own."""
        self._request = self._request % 255 + 1
        self.link.deliver(wire.pack_command(self._request, opcode, self._request, payload))

    def leave(self) -> None:
        """The host goes."""
        self.link.drop()
        self.vm.run("board.link.is_connected = False")

    def reconnect(self) -> None:
        """Another host comes and asks for a stream."""
        self.link.drop()
        self.vm.run("board.link.connections += 1\nboard.link.is_connected = True")
        self.start()

    def run_firmware(self) -> None:
        """Start the firmware's own loop: from now on `step` lets it run."""
        self.vm.run("import asyncio\nasyncio.run(firmware.app._run(app))")

    def step(self, to_s: float) -> list[bytes]:
        """Run until virtual time to_s, less 30 ms, and return the frames sent meanwhile; raise VmError on a crash."""
        end_us = math.floor(to_s * 1e6) - _MARGIN_US
        while self.vm.due_us <= end_us:
            self.vm.resume(self.vm.due_us)
            if self.vm.crash:
                raise VmError(self.vm.crash)
            self._ack_sometimes()
        self._bus.clock.us = self.vm.now_us  # for who plugs a sensor between two steps
        frames, self.link.frames = self.link.frames, []
        return frames

    # ---- what the VM asks ----

    def _ask(self, question: Any) -> Any:
        if question.get("board") == "about":
            return self.about
        raise VmError(f"the firmware asked for {question}, which this board does not have")

    def _send(self, _a: int, _b: int, frame: bytes) -> tuple[int, bytes]:
        return (0 if self.link.send(bytearray(frame), len(frame)) else _EAGAIN), b""

    def _reply(self, _a: int, _b: int, data: bytes) -> tuple[int, bytes]:
        self.link.reply(data)
        return 0, b""

    def _receive(self, _a: int, _b: int, _data: bytes) -> tuple[int, bytes]:
        command = self.link.receive()
        return (0, b"") if command is None else (len(command), command)

    def _ack_sometimes(self) -> None:
        if not self._auto_ack or self.link.sent < self._acked + _ACK_EVERY:
            return
        self._acked = self.link.sent
        payload = struct.pack("<HIH", 1, self.link.newest_seq, _CREDITS)
        self.command(wire.OP_ACK, payload)
