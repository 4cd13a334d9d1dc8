"""An open session: both ends, replay, forgery, encryption; the stream against its definition."""

import hashlib
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from golden import frames
from tiltwise.common import auth, cipher, wire
from tiltwise.common.channel import Channel, ReplayError
from tiltwise.common.frame import open_frame

KEY, DEVICE = bytes(range(32)), b"12345678"
SHARED = auth.Handshake(KEY, DEVICE, 0, b"h" * 16, b"b" * 16)


def ends():
    return Channel(SHARED, True), Channel(SHARED, False)


def sealed(board, frame):
    out = bytearray(len(frame) + wire.SEALED_GROWS)
    assert board.seal(frame, len(frame), out) == len(out)
    return bytes(out)


def test_commands_and_replies_come_through_both_ways():
    host, board = ends()
    for k in range(3):
        assert board.open(host.pack(k, wire.OP_GET, b"from host")) == (k, wire.OP_GET, b"from host")
        assert host.open(board.pack(k, wire.OP_GET | wire.REPLY, b"")) == (k, wire.OP_GET | wire.REPLY, b"")


def test_a_reply_says_which_command_it_answers():
    host, board = ends()
    for k in range(3):
        host.pack(1, wire.OP_PING)  # lost on the way
        board.open(host.pack(1, wire.OP_PING))
        host.open(board.pack(1, wire.OP_PING | wire.REPLY))
        assert host.about == host.sent == 2 * k + 2


def test_nothing_of_a_command_can_be_read_but_its_counter():
    host, _ = ends()
    first, second = host.pack(0x41, wire.OP_MOTOR, b"from host"), host.pack(0x41, wire.OP_MOTOR, b"from host")
    assert b"from host" not in first
    assert first[:5] == struct.pack("<BI", wire.SEALED_COMMAND, 1)
    assert second[:5] == struct.pack("<BI", wire.SEALED_COMMAND, 2)
    assert sum(a == b for a, b in zip(first[5:-8], second[5:-8], strict=True)) < 4


def test_heard_commands_are_refused_in_any_order():
    host, board = ends()
    commands = [host.pack(1, wire.OP_STOP) for _ in range(3)]
    board.open(commands[1])
    for heard in (commands[1], commands[0]):
        with pytest.raises(ReplayError, match="heard before"):
            board.open(heard)
    board.open(commands[2])


def test_forged_command_does_not_move_the_counter():
    host, board = ends()
    forged = bytearray(host.pack(1, wire.OP_STOP))
    forged[1:5] = b"\xff\xff\xff\xff"
    with pytest.raises(wire.WireError):
        board.open(bytes(forged))
    assert board.open(host.pack(2, wire.OP_STOP))[0] == 2


def test_every_bit_of_a_packet_counts():
    host, board = ends()
    command = host.pack(1, wire.OP_STOP, b"x")
    frame = sealed(board, frames.orient(1))
    for opens, packet in ((board.open, command), (host.open_frame, frame)):
        for k in range(8 * len(packet)):
            changed = bytearray(packet)
            changed[k // 8] ^= 1 << k % 8
            with pytest.raises(wire.WireError):
                opens(bytes(changed))
        assert opens(packet)


def test_each_purpose_has_its_own_key():
    host, board = ends()
    command = host.pack(1, wire.OP_STOP)
    with pytest.raises(wire.WireError):
        host.open(command)  # sent back to where it came from
    with pytest.raises(wire.WireError):
        board.open(board.pack(1, wire.OP_STOP))
    names = (b"frames", b"replies", b"commands", b"encryption")
    assert len({SHARED.session_key(name) for name in names}) == 4


def test_commands_replies_and_frames_are_signed_with_the_keys_of_their_names():
    host, board = ends()
    frame = bytearray(wire.frame_size(wire.ORIENT, 2))
    signed = {
        b"commands": host.pack(1, wire.OP_STOP),
        b"replies": board.pack(1, wire.OP_STOP),
        b"frames": sealed(board, frame),
    }
    for name, data in signed.items():
        assert auth.Tagger(SHARED.session_key(name)).tag(data[:-8]) == data[-8:]


def test_a_command_is_about_no_other():
    host, board = ends()
    host.open(board.pack(1, wire.OP_STOP))
    board.open(host.pack(1, wire.OP_STOP))
    assert board.about == 0


def test_directions_do_not_share_a_stream():
    host, board = ends()
    texts = [host.pack(1, 1, bytes(40))[5:-8], board.pack(1, 1, bytes(40))[5:-8]]
    frame = bytearray(wire.frame_size(wire.ORIENT, 2))
    texts.append(sealed(board, frame)[5:-8])
    for k, one in enumerate(texts):
        for other in texts[k + 1 :]:
            assert sum(a == b for a, b in zip(one, other, strict=False)) < 6


@pytest.mark.parametrize("size", [0, 13, 18, wire.MAX_COMMAND + 1, 5000])
def test_commands_of_impossible_length_are_refused_before_hashing(size):
    with pytest.raises(wire.WireError, match=f"command of {size} bytes"):
        ends()[1].open(bytes(size))


def test_what_comes_in_clear_in_a_session_is_refused():
    host, board = ends()
    frame = frames.orient(10)
    wire.seal(frame, len(frame))
    with pytest.raises(wire.WireError, match="frame in clear"):
        host.open_frame(bytes(frame))
    with pytest.raises(wire.WireError, match="command in clear"):
        board.open(wire.pack_command(0x20, wire.OP_STOP, 9, bytes(8)))
    with pytest.raises(wire.WireError, match="frame of 30 bytes"):
        host.open_frame(bytes(30))


def test_frames_come_through_and_the_ring_keeps_them_in_clear():
    host, board = ends()
    for frame in frames.unsealed().values():
        before = bytes(frame)
        sent = sealed(board, frame)
        assert frame == before
        assert len(sent) <= 244, "one notification carries it"
        back = host.open_frame(sent)
        assert open_frame(back)
        assert back[:-8] == before[:-8]
        again = sealed(board, frame)  # a frame that is sent again
        assert sum(a == b for a, b in zip(again[5:-8], sent[5:-8], strict=True)) < 8
        assert host.open_frame(again) == back


def test_frames_that_come_in_another_order_are_all_read():
    host, board = ends()
    sent = [sealed(board, frames.orient(1, seq=k)) for k in range(5)]
    assert [open_frame(host.open_frame(packet))[3] for packet in reversed(sent)] == [4, 3, 2, 1, 0]


@given(
    st.binary(min_size=32, max_size=32), st.binary(max_size=239), st.integers(0, 2), st.integers(0, 2**32 - 1)
)
@example(bytes(32), bytes(range(239)), cipher.COMMAND, 2**32 - 1)
@example(bytes(range(32)), bytes(64), cipher.REPLY, 1)
@example(bytes(range(32)), bytes(33), cipher.FRAME, 256)
def test_stream_is_the_documented_one(key, data, direction, number):
    blocks = [
        hashlib.sha256(key + struct.pack("<BIB", direction, number, k)).digest()
        for k in range(len(data) // 32 + 1)
    ]
    wanted = bytes(a ^ b for a, b in zip(data, b"".join(blocks), strict=False))
    buffer = bytearray(b"head" + data + b"tail")
    stream = cipher.Stream(key)
    stream.crypt(bytearray(100), 0, 100, 1, 77)  # nothing stays of what was before
    stream.crypt(buffer, 4, 4 + len(data), direction, number)
    assert buffer == b"head" + wanted + b"tail"


def test_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match="key of 16 bytes, expected 32"):
        cipher.Stream(bytes(16))


def test_packets_of_one_end_are_numbered_one_by_one():
    """What a host did not get it sees by a hole in the numbers."""
    _, board = ends()
    numbers = [struct.unpack_from("<BI", sealed(board, frames.orient(1)))[1] for _ in range(4)]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
