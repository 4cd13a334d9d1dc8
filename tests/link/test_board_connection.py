"""One connection as the host speaks it: the proof, what a spoofed board gets, tags, replays, time limits."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest

from link.linked_board import OTHERS, OURS, BoardConnector, Faults, living
from radio_bench import Board
from tiltwise.common import auth, cobs, wire
from tiltwise.common.channel import Channel
from tiltwise.common.frame import Frame, open_frame
from tiltwise.link.board_connection import BoardConnection, read_ping
from tiltwise.link.board_identity import KeyedBoard, read_hello
from tiltwise.link.commands import Reply
from tiltwise.link.packet_codec import Codec
from tiltwise.link.transport import CABLE, CTRL, DATA, BusyError, LinkError, Trouble
from tiltwise_lab.radio.virtual_time import run_virtually

NONCE, BOARD_NONCE = b"h" * 16, b"b" * 16


def stuffed(data: bytes) -> bytes:
    out = bytearray(cobs.stuffed_size(len(data)))
    return bytes(out[: cobs.stuff_into(data, len(data), out)])


def hello(state: int = wire.STATE_LOCKED, major: int = wire.PROTOCOL, least_host_minor: int = 0) -> bytes:
    return struct.pack(wire.HELLO_BODY, major, 0, least_host_minor, state, 0, 1, 2, 3, 1, 77, 0, 9, b"test")


def channels(key: bytes = OURS.key) -> tuple[Channel, Channel]:
    """Return host's and board's ends of one session."""
    shared = auth.Handshake(key, OURS.device_id, 0, NONCE, BOARD_NONCE)
    return Channel(shared, is_host=True), Channel(shared, is_host=False)


def orient(seq: int, *, n: int = 10) -> bytearray:
    frame = bytearray(wire.frame_size(wire.ORIENT, n))
    wire.pack_header_into(frame, wire.ORIENT, 0, 77, seq, 10 * seq, 2000 * seq, n, 0, 5)
    for k in range(n):
        wire.pack_orient_into(frame, k, 32767, 0, 0, 0, 0, 0, 8192)
    return frame


def sealed(board: Channel, seq: int) -> bytes:
    frame = orient(seq)
    out = bytearray(len(frame) + wire.SEALED_GROWS)
    board.seal(frame, len(frame), out)
    return bytes(out)


class Impostor:
    """A board with our name and without our key, that answers what it likes."""

    def __init__(self, proof: bytes | None = None) -> None:
        self.peer = BoardConnection(self.write, (OURS,))
        self.heard: list[tuple[int, bytes]] = []
        self._proof = proof

    async def write(self, data: bytes) -> None:
        box = cobs.Unstuffer(1024, 300)
        box.put(data)
        request_id, opcode, _, payload = wire.open_command(box.take())
        self.heard.append((opcode, payload))
        body = b""
        if opcode == wire.OP_AUTH1:
            body = struct.pack(wire.AUTH1_REPLY_BODY, BOARD_NONCE, self._proof or bytes(32))
        answer = wire.pack_command(request_id, opcode | wire.REPLY, 1, bytes([wire.STATUS_OK]) + body)
        self.peer.feed(CTRL, stuffed(answer))


@pytest.mark.parametrize("proof", [bytes(16), b"\xff" * 16, b"mirrored"])
def test_a_spoofed_board_gets_no_secret(proof: bytes) -> None:
    impostor = Impostor(proof)
    with pytest.raises(LinkError) as caught:
        run_virtually(impostor.peer.open(hello()))
    assert caught.value.trouble is Trouble.UNKNOWN_BOARD
    assert "back" in str(caught.value)
    assert [opcode for opcode, _ in impostor.heard] == [wire.OP_AUTH1], "nothing after its proof failed"
    said = b"".join(payload for _, payload in impostor.heard)
    assert OURS.key not in said
    assert len(said) == struct.calcsize(wire.AUTH1_BODY)


def test_a_board_that_asks_over_the_radio_to_be_set_up_gets_nothing() -> None:
    impostor = Impostor()
    with pytest.raises(LinkError, match="tiltwise setup") as caught:
        run_virtually(impostor.peer.open(hello(wire.STATE_NEEDS_SETUP)))
    assert caught.value.trouble is Trouble.UNKNOWN_BOARD
    assert impostor.heard == []


def test_frames_before_the_proof_are_dropped() -> None:
    codec, (_, board) = Codec(), channels()
    plain = orient(1)
    wire.seal(plain, len(plain))
    assert codec.feed(DATA, bytes(plain)) == []
    assert codec.feed(DATA, sealed(board, 2)) == []
    assert sum(codec.bad.values()) == 2


def test_a_cable_without_a_key_gives_frames_with_checksums_only() -> None:
    codec, (_, board) = Codec(), channels()
    codec.is_free = True
    plain = orient(1)
    wire.seal(plain, len(plain))
    (frame,) = codec.feed(CABLE, stuffed(bytes(plain)) + stuffed(sealed(board, 2)))
    assert frame.data == bytes(plain)


def test_forged_stale_and_replayed_bytes_are_counted_and_never_pass() -> None:
    codec, (host, board) = Codec(), channels()
    codec.channel = host
    _, stale = channels(OTHERS.key)
    plain = orient(1)
    wire.seal(plain, len(plain))
    rng = random.Random(5)
    good = sealed(board, 3)
    for forged in [bytes(plain), sealed(stale, 1), good[:-1], good + b"x", b"", bytes(300)]:
        assert codec.feed(DATA, forged) == []
    for _ in range(2000):
        at = rng.randrange(len(good))
        assert codec.feed(DATA, good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :]) == []
    answer = stuffed(board.pack(0x21, wire.OP_STOP | wire.REPLY, b"\0"))
    assert codec.feed(CTRL, answer) == [Reply(0x21, wire.OP_STOP, 0, b"")]
    assert codec.feed(CABLE, answer) == [], "heard before"
    assert codec.feed(CTRL, stuffed(stale.pack(0x21, wire.OP_STOP | wire.REPLY, b"\0"))) == []
    (frame,) = codec.feed(DATA, good)
    assert isinstance(frame, Frame)
    assert frame.seq == 3
    open_frame(frame.data)


def test_packets_cut_anywhere_and_doubled_come_out_once() -> None:
    rng = random.Random(2)
    codec, (host, board) = Codec(), channels()
    codec.channel = host
    for k in range(200):
        data = stuffed(board.pack(0x20 + k % 200, wire.OP_PING | wire.REPLY, b"\0" + rng.randbytes(16)))
        found, at = [], 0
        while at < len(data):
            n = rng.randrange(1, 21)
            for _ in range(2):
                found += codec.feed(CTRL, data[at : at + n])
            at += n
        assert len(found) == 1 or len(set(data)) < len(data), "lost a reply"


def test_text_on_the_cable_costs_nothing() -> None:
    codec, (host, board) = Codec(), channels()
    codec.channel = host
    reply = stuffed(board.pack(0x20, wire.OP_STOP | wire.REPLY, b"\0"))
    found = codec.feed(CABLE, b"Traceback (most recent call last):\r\n" + stuffed(sealed(board, 1)) + reply)
    assert [type(item) for item in found] == [Frame, Reply]


def test_an_answer_is_waited_for_three_times_a_second_each() -> None:
    written: list[bytes] = []

    async def write(data: bytes) -> None:
        written.append(data)

    async def main() -> float:
        peer = BoardConnection(write, (OURS,))
        with pytest.raises(LinkError, match="did not answer") as caught:
            await peer.ask(wire.OP_PING, bytes(8))
        assert caught.value.trouble is Trouble.LOST
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(3.0, abs=0.01)
    assert len(written) == 3
    assert len(set(written)) == 3, "each with a new counter"


def test_commands_that_are_asked_at_once_are_written_one_by_one_in_their_order() -> None:
    counters: list[int] = []
    is_busy = False

    async def write(data: bytes) -> None:
        nonlocal is_busy
        while is_busy:  # as bleak on BlueZ: refused as "in progress", tried again a little later
            await asyncio.sleep(0.01 if len(counters) % 2 else 0.03)
        is_busy = True
        await asyncio.sleep(0.05)
        is_busy = False
        box = cobs.Unstuffer(1024, 300)
        box.put(data)
        request_id, opcode, counter, _ = wire.open_command(box.take())
        counters.append(counter)
        answer = wire.pack_command(request_id, opcode | wire.REPLY, 1, bytes([wire.STATUS_OK]))
        peer.feed(CTRL, stuffed(answer))

    peer = BoardConnection(write, (OURS,))

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            for k in range(8):
                await asyncio.sleep(0.012 * (k % 3))
                group.create_task(peer.ask(wire.OP_PING))

    run_virtually(story())
    assert counters == sorted(counters)
    assert len(counters) == 8


@pytest.mark.parametrize(("major", "size"), [(3, 40), (2, 39), (1, 39), (0, 40), (2, 0)])
def test_another_version_is_refused_with_what_to_do(major: int, size: int) -> None:
    with pytest.raises(LinkError) as caught:
        read_hello(hello(major=major)[:size])
    assert caught.value.trouble is Trouble.VERSION


def test_recordings_of_protocol_1_are_read_and_boards_of_it_are_not_spoken_with() -> None:
    assert read_hello(hello(major=1) + b"deviceid").name == "board-6465766963656964"
    with pytest.raises(LinkError, match="speaks protocol 1, this tiltwise 2: update the older one"):
        run_virtually(Impostor().peer.open(hello(major=1)))


def test_a_stranger_reads_the_state_and_nothing_else() -> None:
    found = read_hello(hello()[:4])
    assert (found.state, found.model, found.boot, found.name) == (wire.STATE_LOCKED, "", 0, "")


def test_a_reply_to_another_question_with_the_same_number_is_no_answer() -> None:
    """Request ids come round after 224 questions; what was held back until then must answer none of them."""
    (host, board), told = channels(), []

    async def write(_: bytes) -> None:
        return None

    peer = BoardConnection(write, (OURS,))
    peer.codec.channel = host
    board.open(host.pack(0x40, wire.OP_GETCFG))
    held_back = stuffed(board.pack(0x40, wire.OP_GETCFG | wire.REPLY, b"\0old"))

    async def story() -> None:
        peer.codec._request_id = 0x3F
        asking = asyncio.get_running_loop().create_task(peer.ask(wire.OP_GETCFG))
        await asyncio.sleep(0.1)
        told.extend(peer.feed(CTRL, held_back))
        await asyncio.sleep(0.1)
        assert not asking.done()
        asking.cancel()

    run_virtually(story())
    assert [reply.body for reply in told] == [b"old"]


def test_a_board_that_asks_for_a_newer_host_is_told_so() -> None:
    assert read_hello(hello(least_host_minor=wire.MINOR)).model == "test"
    with pytest.raises(LinkError, match=r"this tiltwise speaks .*: update tiltwise") as caught:
        read_hello(hello(least_host_minor=wire.MINOR + 1))
    assert caught.value.trouble is Trouble.VERSION
    assert "\n" not in str(caught.value)


def test_a_ping_tells_both_clocks() -> None:
    board = Board()

    async def main() -> tuple[tuple[float, int, int], float, float]:
        connector = BoardConnector(board, Faults())
        async with living(connector):
            connection = await connector.connect("ours")
            loop = asyncio.get_running_loop()
            peer = BoardConnection(connection.write_ctrl, (OURS,), now_s=loop.time)

            async def listen() -> None:
                async for where, data in await connection.notifications():
                    peer.feed(where, data)

            task = loop.create_task(listen())
            await peer.open(await connection.read_info())
            assert peer.known == OURS
            asked_s = loop.time()
            reply = await peer.ping()
            task.cancel()
            told = read_ping(reply.body)
            assert told is not None
            return told, asked_s, loop.time()

    (sent_s, came, left), asked_s, answered_s = run_virtually(main())
    assert sent_s == pytest.approx(asked_s, abs=1e-6)
    assert 0 <= (left - came) * wire.TICK_S <= 0.01
    assert 0.003 < answered_s - sent_s < 0.06  # 15 ms there, up to 10 ms back, by the steps of the bench
    assert read_ping(b"short") is None


def test_busy_tells_how_long() -> None:
    error = BusyError("x", 5, 1)
    assert (error.trouble, error.open_s, error.heard_s) == (Trouble.BUSY, 5, 1)


def test_keys_do_not_show() -> None:
    assert OURS.key.hex() not in repr(OURS)
    assert repr(KeyedBoard(b"12345678", "a", bytes(32))) == "KeyedBoard(3132333435363738, 'a')"


def test_kinds_of_bad_packets_are_few_however_many_come() -> None:
    """Each replay names its counter: as keys they filled the memory."""
    codec = Codec()
    codec.channel, board = channels()
    packets = [stuffed(board.pack(0x20, wire.OP_PING | wire.REPLY, bytes(9))) for _ in range(600)]
    for packet in packets * 2:
        codec.feed(CTRL, packet)
    for k in range(2, 200):
        codec.feed(CTRL, stuffed(bytes(k)))
        codec.feed(DATA, struct.pack("<BI", wire.SEALED_FRAME, k) + bytes(k))  # short ones, and forged
    assert sum(codec.bad.values()) > 500
    assert len(codec.bad) < 12
