"""An open session: both ends, replay, forgery, encryption; the cipher against a library."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from golden import frames
from tiltwise.common import auth, cipher, wire
from tiltwise.common.channel import Channel, ReplayError
from tiltwise.common.frame import open_frame
from tiltwise.link.aes import load_aes

Aes = load_aes()
KEY, DEVICE = bytes(range(32)), b"12345678"
SHARED = auth.Handshake(KEY, DEVICE, 7, 0, 0, b"h" * 16, b"b" * 16)


def ends(aes=None):
    return Channel(SHARED, True, aes), Channel(SHARED, False, aes)


@pytest.mark.parametrize("aes", [None, Aes])
def test_commands_and_replies_come_through_both_ways(aes):
    host, board = ends(aes)
    for k in range(3):
        assert board.open(host.pack(k, wire.OP_GET, b"from host")) == (k, wire.OP_GET, b"from host")
        assert host.open(board.pack(k, wire.OP_GET | wire.REPLY, b"")) == (k, wire.OP_GET | wire.REPLY, b"")


def test_payload_is_secret_with_encryption_only():
    assert b"from host" in ends()[0].pack(1, 1, b"from host")
    host, _ = ends(Aes)
    first, second = host.pack(1, 1, b"from host"), host.pack(1, 1, b"from host")
    assert b"from host" not in first
    assert first[6:-8] != second[6:-8]


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
    forged[2:6] = b"\xff\xff\xff\xff"
    with pytest.raises(wire.WireError):
        board.open(bytes(forged))
    assert board.open(host.pack(2, wire.OP_STOP))[0] == 2


def test_each_purpose_has_its_own_key():
    host, board = ends()
    command = host.pack(1, wire.OP_STOP)
    with pytest.raises(wire.WireError):
        host.open(command)  # sent back to where it came from
    with pytest.raises(wire.WireError):
        board.open(board.pack(1, wire.OP_STOP))
    assert (
        len({SHARED.session_key(name) for name in (b"frames", b"replies", b"commands", b"encryption")}) == 4
    )


@pytest.mark.parametrize("size", [0, 13, wire.MAX_COMMAND + 1, 5000])
def test_commands_of_impossible_length_are_refused_before_hashing(size):
    with pytest.raises(wire.WireError, match=f"command of {size} bytes"):
        ends()[1].open(bytes(size))


@pytest.mark.parametrize("aes", [None, Aes])
def test_frames_come_through_and_the_ring_keeps_them_in_clear(aes):
    host, board = ends(aes)
    scratch = bytearray(244)
    for frame in frames.unsealed().values():
        before = bytes(frame)
        sent = bytes(board.seal(frame, len(frame), scratch)[: len(frame)])
        assert frame[18:-8] == before[18:-8]
        back = host.open_frame(sent)
        assert open_frame(back)
        assert back[:-8] == before[:-8]
        assert (sent[18:-8] != before[18:-8]) == (aes is not None)


def test_encryption_cannot_be_left_out_on_the_way():
    host, _ = ends(Aes)
    frame = frames.orient(10)
    wire.seal(frame, len(frame), auth.Tagger(SHARED.session_key(b"frames")))
    with pytest.raises(wire.WireError, match="in clear"):
        host.open_frame(bytes(frame))
    plain, _ = ends()
    wire.set_flags(frame, wire.FLAG_ENCRYPTED)
    wire.seal(frame, len(frame), auth.Tagger(SHARED.session_key(b"frames")))
    with pytest.raises(wire.WireError, match="without encryption"):
        plain.open_frame(bytes(frame))


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=226),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
)
def test_counter_mode_is_the_standard_one(key, data, boot, number):
    counter = bytes([cipher.FRAME]) + boot.to_bytes(2, "little") + number.to_bytes(4, "little") + bytes(9)
    wanted = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(data)
    buffer = bytearray(b"head" + data + b"tail")
    cipher.CounterMode(Aes, key).crypt(buffer, 4, 4 + len(data), cipher.FRAME, boot, number)
    assert buffer == b"head" + wanted + b"tail"


def test_nothing_stays_in_the_counter_blocks_from_longer_messages():
    mode = cipher.CounterMode(Aes, b"k" * 16)
    mode.crypt(bytearray(200), 0, 200, cipher.COMMAND, 9, 9)
    first = bytearray(40)
    mode.crypt(first, 0, 40, cipher.FRAME, 1, 1)
    second = bytearray(40)
    cipher.CounterMode(Aes, b"k" * 16).crypt(second, 0, 40, cipher.FRAME, 1, 1)
    assert first == second
