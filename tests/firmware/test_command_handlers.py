"""A command whose payload is a byte too long or too short does nothing and is answered as a bad argument."""

import struct

import pytest

from radio_bench import Board
from tiltwise.common import wire

LENGTHS = {
    wire.OP_PING: 8,
    wire.OP_START: 2,
    wire.OP_STOP: 0,
    wire.OP_ACK: 8,
    wire.OP_GET: 10,
    wire.OP_BOOTS: 0,
    wire.OP_GETCFG: 1,
    wire.OP_MOTOR: 2,
    wire.OP_TARE: 0,
    wire.OP_SILENCE: 12,
}


@pytest.mark.parametrize(("opcode", "length"), LENGTHS.items())
def test_another_length_is_a_bad_argument(opcode, length):
    host = Board().host()
    assert host.prove()[0] == wire.STATUS_OK
    for wrong in {length + 1, max(length - 1, 0)} - {length}:
        assert host.ask(opcode, bytes(wrong))[0] == wire.STATUS_BAD_ARGUMENT


@pytest.mark.parametrize("more", [-1, 1])
def test_a_proof_of_another_length_proves_nothing(more):
    board = Board()
    host = board.host()
    request = bytes(struct.calcsize(wire.AUTH1_BODY) + more)
    assert host.ask(wire.OP_AUTH1, request)[0] == wire.STATUS_BAD_ARGUMENT
    assert (
        host.ask(wire.OP_AUTH2, bytes(struct.calcsize(wire.AUTH2_BODY) + more))[0] == wire.STATUS_BAD_ARGUMENT
    )
    assert host.ask(wire.OP_STOP)[0] == wire.STATUS_LOCKED
    assert host.prove()[0] == wire.STATUS_OK, "and the right one is taken afterwards"
