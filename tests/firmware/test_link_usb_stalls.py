"""A host on the cable that talks and does not read: ports that wait as MicroPython's do; sampling goes on."""

import importlib

import pytest

from sim.imu_parts import KINDS, put_config, steady
from tiltwise.common import cobs, wire
from tiltwise.common.frame import open_frame, unpack_header
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimBoard
from wire_host import START, ack, stuffed

load_firmware()
link_usb = importlib.import_module("tiltwise_firmware.comms.link_usb")
LSM6DSOX, BMI270, ICM42688 = KINDS[0], KINDS[2], KINDS[3]
SECONDS = 60


class Port:
    """A USB port: `write` waits for room as MicroPython 1.29 does, and the clock shows it."""

    can_tell = False  # whether POLLOUT says anything

    def __init__(self, clock):
        self.clock = clock
        self.to_board = bytearray()
        self.to_host = bytearray()
        self.reads = True  # the host
        self.fifo = bytearray()
        self.waits_ms = []

    def readinto(self, buffer):
        buffer[0] = self.to_board.pop(0)
        return 1

    def can_write(self):
        self.take()
        return not self.can_tell or len(self.fifo) < self.room

    def take(self):
        if self.reads:
            self.to_host += self.fifo
            self.fifo.clear()

    def wait_for(self, n, timeout_ms):
        """Wait until n bytes fit; return how many do."""
        self.take()
        waited = 0
        while self.room - len(self.fifo) < n and waited < timeout_ms:
            self.clock.us += 1000
            waited += 1
            self.take()
        if waited:
            self.waits_ms.append(waited)
        return min(n, self.room - len(self.fifo))


class TinyUsb(Port):
    """shared/tinyusb/mp_usbd_cdc.c: 256 bytes of room, 0.5 s for each 64; tells how many it took."""

    room = 256

    def write(self, data):
        done = 0
        while done < len(data):
            n = self.wait_for(min(64, len(data) - done), 500)
            if not n:
                break
            self.fifo += bytes(data[done : done + n])
            done += n
        return done


class Pico(TinyUsb):
    """The same on a Pico, where POLLOUT says whether there is room for a byte."""

    can_tell = True


class SerialJtag(Port):
    """ports/esp32/usb_serial_jtag.c: 64 bytes, 0.2 s once, then what does not fit is dropped; says it took all."""

    room = 64
    is_there = True

    def write(self, data):
        for at in range(0, len(data), 64):
            piece = bytes(data[at : at + 64])
            if self.wait_for(len(piece), 200 if self.is_there else 0) < len(piece):
                self.is_there = False
                break
            self.is_there = True
            self.fifo += piece
        return len(data)


PORTS = [TinyUsb, Pico, SerialJtag]


class Bench:
    """The whole firmware with a sensor, and a host on this port."""

    def __init__(self, port, kind=LSM6DSOX):
        bench = self

        class Board(SimBoard):
            def _boot(self):
                bench.port = port(self.clock)
                link = link_usb.UsbLink(
                    bench.port,
                    bench.port,
                    self.clock,
                    lambda: bool(bench.port.to_board),
                    bench.port.can_write,
                )
                self.links = [link]
                super()._boot()

        part = kind.make(seed=2)
        steady(part, 2 * SECONDS + 10)
        self.board = Board([part], addresses=[kind.address, 0x6B], stream=None, auto_ack=False, is_bare=True)
        self.now_s = 0.0
        self.inbox = cobs.Unstuffer(1 << 20, 512)
        self.request = 32
        self.seqs = []
        self.torn = 0  # halves of packets that look like one

    def say(self, opcode, payload=b""):
        self.request += 1
        self.port.to_board += stuffed(wire.pack_command(self.request, opcode, self.request, payload))

    def run(self, seconds, say=lambda: None):
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            say()
            self.now_s += 1.0
            self.board.step(self.now_s)

    def heard(self):
        """Sequence numbers of the whole frames that came since the last call."""
        self.port.take()
        self.inbox.put(bytes(self.port.to_host))
        self.port.to_host.clear()
        seqs = []
        while (packet := self.inbox.take()) is not None:
            if wire.is_frame(packet):
                try:
                    open_frame(packet)
                except wire.WireError:
                    self.torn += 1
                    continue
                seqs.append(unpack_header(packet)[3])
        return seqs

    def keep(self):
        """What a host says every second: it has stored what it read, and more may come."""
        self.seqs += self.heard()
        self.say(wire.OP_ACK, ack(max(self.seqs, default=0), 60_000, self.board.boot_id))

    @property
    def sampler(self):
        return self.board.app.samplers[0]


def stalled(port, kind):
    bench = Bench(port, kind)
    bench.say(wire.OP_START, START)
    bench.run(5, bench.keep)
    assert bench.seqs
    bench.port.reads = False
    bench.port.waits_ms.clear()
    bench.run(SECONDS, bench.keep)
    return bench


@pytest.mark.parametrize("kind", [LSM6DSOX, BMI270, ICM42688], ids=lambda kind: kind.name)
@pytest.mark.parametrize("port", PORTS)
def test_host_that_does_not_read_costs_no_sample(port, kind, tmp_path, monkeypatch):
    put_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    bench = stalled(port, kind)
    sampler = bench.sampler
    assert (sampler.overflows, sampler.faults) == (0, 0)
    assert sampler.samples == pytest.approx((SECONDS + 5) * sampler.rate_hz(), rel=0.02)
    assert sum(bench.port.waits_ms) < 0.21 * SECONDS * 1000
    assert max(bench.port.waits_ms, default=0) <= 500


@pytest.mark.parametrize("port", PORTS)
def test_host_that_reads_again_gets_whole_frames_again(port):
    bench = stalled(port, LSM6DSOX)
    bench.port.reads = True
    bench.run(10, bench.keep)
    bench.seqs.clear()
    bench.run(10, bench.keep)
    assert len(bench.seqs) > 40
    assert bench.seqs == list(range(bench.seqs[0], bench.seqs[0] + len(bench.seqs)))


def test_without_the_pauses_the_same_host_takes_almost_all_the_time(monkeypatch):
    monkeypatch.setattr(link_usb, "_PAUSES", 0)
    assert sum(stalled(TinyUsb, LSM6DSOX).port.waits_ms) > 0.8 * SECONDS * 1000


def test_port_that_tells_is_waited_for_once_at_most():
    assert len(stalled(Pico, LSM6DSOX).port.waits_ms) <= 2


def test_packet_goes_out_in_pieces_and_nothing_in_between():
    class Slow(Pico):
        asked = 0

        def can_write(self):
            self.asked += 1
            return self.asked % 3 == 0 and super().can_write()

    bench = Bench(Slow)
    bench.say(wire.OP_START, START)
    bench.run(10, bench.keep)
    bench.heard()
    assert len(bench.seqs) > 40
    assert bench.seqs == list(range(len(bench.seqs)))
    assert (bench.inbox.bad, bench.torn) == (0, 0)


def test_half_a_packet_is_dropped_with_the_host_and_the_next_one_is_whole():
    bench = Bench(TinyUsb)
    bench.say(wire.OP_START, START)
    bench.run(3, bench.keep)
    bench.heard()
    bench.port.reads = False
    bench.run(20)  # a host counts as gone after 12 s of silence
    link = bench.board.links[0]
    assert not link.is_connected
    assert link.is_idle()
    bench.port.reads = True
    bench.say(wire.OP_START, START)
    bench.seqs.clear()
    bench.run(5, bench.keep)
    bench.keep()
    assert len(bench.seqs) > 15
