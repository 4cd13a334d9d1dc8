"""Commands, credits and sending again: what the firmware promises to a host."""

import importlib
import random
import struct

import pytest

from tiltwise.common import auth, wire
from tiltwise.firmware_files import load_firmware
from tiltwise.sim.board import SimLink

load_firmware()
Session = importlib.import_module("tiltwise_firmware.session").Session
Outbox = importlib.import_module("tiltwise_firmware.outbox").Outbox
Link = importlib.import_module("tiltwise_firmware.link").Link

BOOT = 77
START = (wire.OP_START, bytes([wire.ORIENT, 10]))


class Bench:
    """A session on an outbox, and a host that looks at what comes out."""

    def __init__(self, frames=100, tagger=None):
        self.tagger = tagger
        self.outbox = Outbox(BOOT, frames, 10, 10)
        self.link = SimLink()
        self.started = []
        self.session = Session(self.link, self.outbox, lambda *stream: self.started.append(stream), tagger)
        self._buffer = self.outbox.main.spare()
        self._request = 0

    def make(self, n):
        for _ in range(n):
            self._buffer = self.outbox.put(self._buffer, wire.ORIENT, 0, 0, 0, 10, 0, 6)

    def ask(self, opcode, payload=b""):
        """Send a command, run one step, return (status, rest of the answer)."""
        self._request += 1
        self.link.deliver(wire.pack_command(self._request, opcode, self._request, payload, self.tagger))
        self.session.step()
        request, answered, _, answer = wire.open_command(self.link.replies.pop(), self.tagger)
        assert (request, answered) == (self._request, opcode | wire.REPLY)
        return answer[0], answer[1:]

    def run(self, steps=100):
        """Step, and return the sequence numbers that arrived."""
        for _ in range(steps):
            self.session.step()
        frames, self.link.frames = self.link.frames, []
        self.headers = [wire.open_frame(frame, self.tagger) for frame in frames]
        return [header[3] for header in self.headers]


def ack(seq, credits=64, boot=BOOT):
    return wire.OP_ACK, struct.pack("<HIH", boot, seq, credits)


def get(first, last, boot=BOOT):
    return wire.OP_GET, struct.pack("<HII", boot, first, last)


def test_nothing_is_sent_before_start_and_nothing_is_lost_by_that():
    bench = Bench()
    bench.make(20)
    assert bench.run() == []
    assert bench.ask(*START) == (wire.STATUS_OK, b"")
    assert bench.started == [(wire.ORIENT, 10)]
    bench.make(3)
    assert bench.run() == [20, 21, 22]  # live first
    assert bench.ask(*get(0, 19)) == (wire.STATUS_OK, struct.pack("<II", 0, 22))
    assert bench.run() == list(range(20))
    assert all(header[1] & wire.FLAG_BACKFILL for header in bench.headers)


def test_without_acknowledgement_sending_stops_at_the_credits_and_goes_on_after():
    bench = Bench()
    bench.ask(*START)
    bench.make(90)
    assert bench.run() == list(range(64))
    assert bench.ask(*ack(63))[0] == wire.STATUS_OK
    assert bench.outbox.oldest() == 64
    assert bench.run() == list(range(64, 90))


def test_zero_credits_stop_the_stream():
    bench = Bench()
    bench.ask(*START)
    bench.make(10)
    assert bench.run() == list(range(10))
    bench.ask(*ack(9, credits=0))
    bench.make(10)
    assert bench.run() == []


def test_refused_frames_are_tried_again_in_order():
    bench = Bench()
    bench.ask(*START)
    bench.make(30)
    rng = random.Random(5)
    bench.link.takes = lambda _: rng.random() < 0.3
    assert bench.run(400) == list(range(30))
    assert bench.session.retries > 0


def test_what_the_ring_dropped_is_skipped_and_the_answer_tells_it():
    bench = Bench(frames=40)
    bench.ask(*START)
    bench.make(100)
    status, answer = bench.ask(*get(0, 200))
    assert status == wire.STATUS_OK
    assert struct.unpack("<II", answer) == (60, 99)
    seqs = bench.run()
    assert sorted(set(seqs)) == list(range(60, 100))
    first = bench.headers[seqs.index(60)]
    assert first[1] & wire.FLAG_LOSS_BEFORE


def test_backfill_takes_at_most_half_of_the_turns_while_live_frames_wait():
    bench = Bench(frames=200)
    bench.make(50)
    bench.ask(*START)
    bench.make(50)
    bench.ask(*get(0, 49))
    seqs = bench.run()
    half = seqs[:60]
    assert sum(seq < 50 for seq in half) == pytest.approx(30, abs=4)
    assert sorted(seqs) == list(range(100))


def test_commands_may_be_repeated():
    bench = Bench()
    bench.ask(*START)
    bench.make(5)
    assert bench.run() == [0, 1, 2, 3, 4]
    bench.ask(*START)
    bench.make(2)
    assert bench.run() == [5, 6]
    assert bench.started == [(wire.ORIENT, 10)]
    for _ in range(2):
        assert bench.ask(*ack(6))[0] == wire.STATUS_OK
        assert bench.ask(wire.OP_STOP)[0] == wire.STATUS_OK
    bench.make(2)
    assert bench.run() == []


def test_lost_connection_ends_the_stream_and_keeps_the_frames():
    bench = Bench()
    bench.ask(*START)
    bench.make(5)
    bench.link.is_connected = False
    assert bench.run() == []
    bench.link.is_connected = True
    assert bench.run() == []
    assert not bench.session.is_streaming
    bench.ask(*START)
    bench.ask(*get(0, 4))
    assert bench.run() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("opcode", "payload"),
    [
        (wire.OP_START, b""),
        (wire.OP_START, bytes([wire.STATUS, 10])),
        (wire.OP_START, bytes([wire.ORIENT, 0])),
        (wire.OP_START, bytes([wire.ORIENT, 11])),
        (wire.OP_STOP, b"x"),
        (wire.OP_ACK, b"\0" * 7),
        ack(5),  # never sent
        ack(0, boot=BOOT + 1),
        get(5, 4),
        get(0, 4, boot=BOOT - 1),
        (wire.OP_GET, b"\0" * 9),
    ],
)
def test_wrong_arguments_are_answered_and_change_nothing(opcode, payload):
    bench = Bench()
    bench.make(5)
    assert bench.ask(opcode, payload)[0] == wire.STATUS_BAD_ARGUMENT
    assert bench.outbox.oldest() == 0
    assert not bench.session.is_streaming


def test_unknown_command_is_answered_as_unsupported():
    assert Bench().ask(0x33)[0] == wire.STATUS_UNSUPPORTED


def test_random_bytes_do_nothing():
    bench = Bench()
    bench.make(5)
    rng = random.Random(11)
    for _ in range(5000):
        bench.link.deliver(rng.randbytes(rng.randrange(40)))
    bench.session.step()
    assert bench.session.bad_commands == 5000
    assert bench.link.replies == []
    assert bench.outbox.oldest() == 0


def test_with_a_key_frames_are_authenticated_and_others_commands_ignored():
    bench = Bench(tagger=auth.Tagger(b"k" * 32))
    bench.ask(*START)
    bench.make(3)
    assert bench.run() == [0, 1, 2]
    assert all(header[1] & wire.FLAG_AUTHENTICATED for header in bench.headers)
    bench.link.deliver(wire.pack_command(1, wire.OP_STOP, 1))  # without a tag
    bench.session.step()
    assert bench.session.is_streaming
    assert bench.session.bad_commands == 1


def test_link_that_is_not_there_keeps_everything_in_the_ring():
    outbox = Outbox(BOOT, 10, 10, 10)
    outbox.put(outbox.main.spare(), wire.ORIENT, 0, 0, 0, 10, 0, 6)
    session = Session(Link(), outbox, print)
    assert session.step() is False
    assert outbox.main.used == 1
