"""Nothing is lost inside the ring, and what is lost beyond it is told exactly, over links that come and go."""

import random
import struct

import pytest

from radio_bench import Board
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from wire_host import START, ack, get

GONE_HEAD = struct.calcsize(wire.GET_DONE_BODY)


class Books:
    """A host's store: what it has, what the board said is gone, what it still misses."""

    def __init__(self):
        self.stored = {}
        self.gone = set()

    def take(self, frames):
        for frame in frames:
            seq = unpack_header(frame)[3]
            payload = frame[18:-8]
            assert self.stored.setdefault(seq, payload) == payload
            self.gone.discard(seq)

    def missing(self, newest):
        """Return the first range that is neither stored nor gone, up to a number; None when there is none."""
        known = self.stored.keys() | self.gone
        first = next((seq for seq in range(newest + 1) if seq not in known), None)
        if first is None:
            return None
        last = first
        while last < newest and last + 1 not in known:
            last += 1
        return first, last

    def acknowledged(self):
        """Return the number up to which all is known."""
        known = self.stored.keys() | self.gone
        seq = -1
        while seq + 1 in known:
            seq += 1
        return seq


class Keeper:
    """One connection of the host: streams, acknowledges, asks for what is missing."""

    def __init__(self, board, books, mtu, nonce):
        self.board, self.books = board, books
        self.host = board.host(mtu=mtu, nonce=nonce)
        self.asked = None
        self.is_open = False

    def open(self):
        if self.host.prove()[0] != wire.STATUS_OK or self.host.ask(wire.OP_START, START) is None:
            return False
        self.is_open = True
        return True

    def work(self):
        for _, opcode, answer in self.host.told + self.host.hear():
            if opcode == wire.OP_GET_DONE | wire.REPLY:
                self._done(answer[1:])
        self.host.told.clear()
        self.books.take(self.host.frames)
        self.host.frames.clear()
        known = self.books.acknowledged()
        if known >= 0:
            self.host.send(wire.OP_ACK, ack(known, 64))
        if self.asked is None:
            seen = max(self.books.stored, default=-1)
            self.asked = self.books.missing(seen)
            if self.asked is not None:
                self.host.send(wire.OP_GET, get(*self.asked))

    def _done(self, body):
        _, _, _, n = struct.unpack(wire.GET_DONE_BODY, body[:GONE_HEAD])
        assert len(body) == GONE_HEAD + 8 * n
        for first, last in struct.iter_unpack("<II", body[GONE_HEAD:]):
            self.books.gone.update(set(range(first, last + 1)) - self.books.stored.keys())
        self.asked = None


def produce(board, n, dropped):
    """Make frames, and note which the ring drops for them."""
    ring = board.frames.main
    for _ in range(n):
        if ring.used == ring.capacity:
            dropped.add(ring.seq_at(0))
        board.make(1, fill=board.frames.next_seq)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ring", [40, 400])
def test_every_frame_is_stored_or_told_as_gone(seed, ring):
    rng = random.Random(100 * ring + seed)
    board, books, dropped = Board(frames=ring), Books(), set()
    board.air.room = 12
    disconnects = 0
    for k in range(25):
        keeper = Keeper(board, books, rng.choice((23, 60, 185, 247)), bytes([k]) * 16)
        board.drains = 12
        if keeper.open():
            for _ in range(rng.randrange(60)):
                board.drains = rng.choice((0, 1, 3, 12))
                produce(board, rng.choice((0, 0, 1, 2)), dropped)
                board.run(50)
                if not board.is_there(keeper.host):
                    break
                keeper.work()
        if board.is_there(keeper.host):
            disconnects += 1
            board.air.leave(keeper.host.connection, tells=rng.random() < 0.8)
        board.air.queued = 0  # what was in the radio is lost with the connection
        produce(board, rng.randrange(60 if ring == 40 else 12), dropped)
        board.run(3_000)
    keeper = Keeper(board, books, 185, b"last" * 4)
    board.drains = 12
    assert keeper.open()
    produce(board, 1, dropped)
    for _ in range(200):
        board.run(50)
        keeper.work()
    made = board.frames.next_seq
    assert disconnects > 10
    assert books.missing(made - 1) is None
    assert books.gone == dropped - books.stored.keys()
    assert len(books.stored) + len(books.gone) == made
    assert board.frames.main.used == 0  # all acknowledged
    assert bool(books.gone) == (ring == 40)  # inside the ring nothing is lost
    print(
        f"{made} frames, {disconnects} disconnects, {board.radio.refusals} refusals, {len(books.gone)} told as gone"
    )
