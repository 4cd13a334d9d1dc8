"""Radio, frames and sessions of the firmware on a fake `bluetooth` module, and hosts that connect to them."""

import importlib
import random

from fake_bluetooth import Air, SimClock
from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from wire_host import DEVICE, KEY, Host, Keys

load_firmware()
radio_module = importlib.import_module("tiltwise_firmware.comms.ble_radio")
session_manager = importlib.import_module("tiltwise_firmware.comms.session_manager")
frame_store = importlib.import_module("tiltwise_firmware.comms.frame_store")

BOOT = 77
CTRL, DATA, INFO = (wire.uuid128(short) for short in (wire.UUID_CTRL, wire.UUID_DATA, wire.UUID_INFO))


class Board:
    """Radio, frames and sessions on a virtual clock."""

    def __init__(self, key=KEY, frames=400, places=None, is_started=True, **air):
        self.air = Air(**air)
        self.air.fails_to_start = 0 if is_started else 4
        self.clock = SimClock(0, ticks_offset=2**30 - 3_000)  # ticks wrap soon
        self.radio = radio_module.Radio(
            self.air, self.clock, **({} if places is None else {"places": places})
        )
        self.frames = frame_store.FrameStore(BOOT, frames, 10, 10)
        self.events = []
        self.started = []
        context = session_manager.CommandContext(
            keystore=Keys(key),
            on_start=lambda *stream: self.started.append(stream),
            now=lambda: int(self.clock.us) // 100,
            random=random.Random(3).randbytes,
            log=lambda *event: self.events.append(event),
            device_id=DEVICE,
        )
        self.sessions = session_manager.SessionManager(self.radio.links, self.frames, self.clock, context)
        self._buffer = self.frames.main.lend_buffer()
        self.drains = None  # notifications that the radio gets rid of in 10 ms
        self.run()

    def make(self, n, fill=0):
        for _ in range(n):
            for k in range(140):
                self._buffer[18 + k] = (k + fill) & 255
            self._buffer = self.frames.put(self._buffer, wire.ORIENT, 0, 5, 6, 10, 0, 6)

    def run(self, ms=10):
        for _ in range(max(1, ms // 10)):
            self.clock.sleep_ms(10)
            if self.drains is not None:
                self.air.drain(self.drains)
            self.sessions.step()

    def host(self, mtu=247, address=b"\1\2\3\4\5\6", **kwargs):
        """A host connects and can write and listen."""
        for _ in range(100):
            if self.air.advertised is not None:
                break
            self.run()
        connection = self.air.come(address, mtu)
        ctrl, data = self.air.handle_of(CTRL), self.air.handle_of(DATA)

        def write(command):
            size = mtu - 3
            for at in range(0, len(command), size):
                self.air.write(connection, ctrl, command[at : at + size])

        def listen():
            peer = self.air.peers.get(connection)
            if peer is None:
                return b"", []
            heard, peer.heard = peer.heard, []
            assert all(len(packet) <= mtu - 3 for _, packet in heard)
            return (
                b"".join(packet for handle, packet in heard if handle == ctrl),
                [packet for handle, packet in heard if handle == data],
            )

        host = Host(write, listen, self.run, **kwargs)
        host.connection = connection
        self.run()
        return host

    def is_there(self, host):
        return host.connection in self.air.peers
