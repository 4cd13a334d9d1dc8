"""The cable: packets beside printed text, silent hosts, ports that do not take, and both links at once."""

import importlib
import random
from collections import deque

from fake_bluetooth import Air
from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimClock
from wire_host import DEVICE, KEY, START, Host, Keys, ack, get, stuffed

load_firmware()
link_usb = importlib.import_module("tiltwise_firmware.comms.link_usb")
radio_module = importlib.import_module("tiltwise_firmware.comms.ble_radio")
session_manager = importlib.import_module("tiltwise_firmware.comms.session_manager")
frame_store = importlib.import_module("tiltwise_firmware.comms.frame_store")
cobs = importlib.import_module("tiltwise.common.cobs")


class Cable:
    """The two ends of a USB serial port, as MicroPython's sys.stdin.buffer and sys.stdout.buffer show one."""

    def __init__(self):
        self.to_board = deque()
        self.to_host = bytearray()
        self.takes = None  # bytes that a write takes, None: all
        self.is_broken = False
        self.short = 0  # writes that it took a part of, or nothing

    def readinto(self, buffer):
        for k in range(len(buffer)):
            assert self.to_board, "a real port would block here"
            buffer[k] = self.to_board.popleft()
        return len(buffer)

    def write(self, data):
        if self.is_broken:
            raise OSError(5)
        taken = bytes(data) if self.takes is None else bytes(data)[: self.takes]
        self.short += len(taken) < len(data)
        self.to_host += taken
        return len(taken)


class Board:
    """A cable and a radio of one board."""

    def __init__(self, key=KEY):
        self.clock = SimClock()
        self.cable = Cable()
        self.link = link_usb.UsbLink(self.cable, self.cable, self.clock, lambda: bool(self.cable.to_board))
        self.air = Air()
        self.radio = radio_module.Radio(self.air, self.clock)
        self.frames = frame_store.FrameStore(77, 200, 10, 10)
        context = session_manager.CommandContext(
            keystore=Keys(key),
            random=random.Random(4).randbytes,
            device_id=DEVICE,
            now=lambda: int(self.clock.us) // 100,
        )
        links = (self.link, *self.radio.links)
        self.sessions = session_manager.SessionManager(links, self.frames, self.clock, context)
        self._buffer = self.frames.main.lend_buffer()
        self.run()

    def run(self, ms=10):
        for _ in range(ms // 10):
            self.clock.sleep_ms(10)
            self.sessions.step()

    def make(self, n):
        for _ in range(n):
            self._buffer[18:158] = bytes(range(140))
            self._buffer = self.frames.put(self._buffer, wire.ORIENT, 0, 5, 6, 10, 0, 6)

    def host(self, **kwargs):
        """A host on the cable: frames and answers come in the same stream, told apart by their first byte."""
        inbox = cobs.Unstuffer(1 << 16, 300)
        self.host_inbox = inbox

        def listen():
            inbox.put(bytes(self.cable.to_host))
            self.cable.to_host.clear()
            answers, frames = b"", []
            packet = inbox.take()
            while packet is not None:
                if wire.is_frame(packet):
                    frames.append(packet)
                else:
                    answers += stuffed(packet)
                packet = inbox.take()
            return answers, frames

        return Host(self.cable.to_board.extend, listen, self.run, **kwargs)


def test_host_on_the_cable_streams_with_a_session():
    board = Board()
    host = board.host()
    assert host.prove()[0] == wire.STATUS_OK
    assert host.ask(wire.OP_START, START)[0] == wire.STATUS_OK
    board.make(20)
    board.run(200)
    host.hear()
    assert host.seqs() == list(range(20))
    assert host.ask(wire.OP_ACK, ack(19))[0] == wire.STATUS_OK
    assert board.frames.oldest() == 20


def test_new_board_serves_the_cable_with_checksums_and_the_radio_not_at_all():
    board = Board(key=None)
    host = board.host()
    assert host.ask(wire.OP_START, START)[0] == wire.STATUS_OK
    board.make(3)
    board.run(100)
    host.hear()
    assert host.seqs() == [0, 1, 2]
    assert host.raw_frames[0][0] == wire.VERSION << 4 | wire.ORIENT


def test_nothing_is_written_before_a_host_talks():
    board = Board(key=None)
    board.make(5)
    board.run(1000)
    assert board.cable.to_host == b""


def test_text_in_between_costs_nothing():
    board = Board()
    host = board.host()
    host.prove()
    host.ask(wire.OP_START, START)
    for _ in range(10):
        board.cable.to_host += b'Traceback (most recent call last):\r\n  File "x.py"\r\n'
        board.make(1)
        board.run(50)
        board.cable.to_board.extend(b"print('hello')\r\n")
        assert host.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK
    assert host.seqs() == list(range(10))
    assert board.host_inbox.bad + board.link.damaged >= 10  # the text, counted


def test_host_that_falls_silent_is_gone_and_may_come_back():
    board = Board()
    host = board.host()
    host.prove()
    host.ask(wire.OP_START, START)
    board.run(11_000)
    assert board.sessions.is_streaming
    board.run(2_000)
    assert not board.sessions.is_streaming
    assert board.sessions.active_session is None
    board.cable.to_host.clear()
    board.make(4)
    board.run(500)
    assert board.cable.to_host == b""
    host.channel = None
    assert host.prove()[0] == wire.STATUS_OK
    host.ask(wire.OP_GET, get(0, 3))
    board.run(100)
    host.hear()
    assert host.seqs() == [0, 1, 2, 3]


def test_port_that_takes_part_of_a_packet_or_none_loses_no_frame():
    rng = random.Random(8)
    board = Board()
    host = board.host()
    host.prove()
    host.ask(wire.OP_START, START)
    board.make(40)
    for _ in range(200):
        board.cable.takes = rng.choice((0, 1, 7, 50, None, None))
        board.cable.is_broken = rng.random() < 0.1
        board.run(10)
        host.hear()
    assert host.seqs() == list(range(40))
    assert board.cable.short > 10


def test_port_that_cannot_write_now_is_not_written_to():
    cable = Cable()
    can_write = []
    link = link_usb.UsbLink(cable, cable, SimClock(), lambda: bool(cable.to_board), lambda: can_write)
    cable.to_board.extend(stuffed(b"hello"))
    link.poll()
    assert link.receive() == b"hello"
    assert not link.send(b"12345", 5)
    can_write.append(True)
    assert link.send(b"12345", 5)


def test_cable_and_radio_share_one_seat():
    board = Board()
    host = board.host()
    assert host.prove()[0] == wire.STATUS_OK
    host.ask(wire.OP_START, START)
    connection = board.air.come()
    board.air.peers[connection].mtu = 247
    ctrl = board.air.handle_of(wire.uuid128(wire.UUID_CTRL))

    def listen():
        heard, board.air.peers[connection].heard = board.air.peers[connection].heard, []
        return b"".join(data for handle, data in heard if handle == ctrl), []

    other = Host(lambda data: board.air.write(connection, ctrl, data), listen, board.run, nonce=b"o" * 16)
    assert other.prove()[0] == wire.STATUS_BUSY
    assert other.prove(wire.WISH_TAKE_OVER)[0] == wire.STATUS_OK
    assert not board.sessions.is_streaming
    host.channel = None
    assert host.ask(wire.OP_START, START)[0] == wire.STATUS_LOCKED


def test_nothing_of_a_frame_can_be_read_on_the_way():
    board = Board()
    host = board.host()
    assert host.prove()[0] == wire.STATUS_OK
    host.ask(wire.OP_START, START)
    board.make(5)
    board.run(100)
    host.ask(wire.OP_GET, get(0, 4))
    board.run(100)
    host.hear()
    assert host.seqs() == [0, 1, 2, 3, 4] * 2
    for frame in host.raw_frames:
        assert frame[0] == wire.SEALED_FRAME
        assert bytes(range(20, 60)) not in frame
    bodies = {frame[5:-8] for frame in host.raw_frames}
    assert len(bodies) == 10, "a frame that is sent again looks like another one"
    # Of two frames whose headers are nearly the same, as many bytes are alike as of any two texts of chance.
    first, second = host.raw_frames[0][5:23], host.raw_frames[1][5:23]
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 4
    assert host.ask(wire.OP_HELLO)[1].endswith(DEVICE)
