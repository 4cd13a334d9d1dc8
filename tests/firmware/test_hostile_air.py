"""The whole firmware on the register model and a fake radio: hostile peers change nothing for the owner."""

import random

import numpy as np
import pytest

from flying import Flying
from tiltwise.common import wire
from tiltwise.common.frame import open_frame, unpack_body, unpack_header
from wire_host import KEY, START, ack, stuffed

SECONDS = 60


@pytest.fixture(scope="module")
def flight():
    """An owner that streams for a minute while a stranger writes what it can; what the owner got."""
    rng = random.Random(12)
    flying = Flying(SECONDS)
    owner = flying.host()
    assert owner.prove()[0] == wire.STATUS_OK
    assert owner.ask(wire.OP_START, START)[0] == wire.STATUS_OK
    heard = [stuffed(owner.channel.pack(200, wire.OP_PING, bytes(8)))]
    stranger, strangers, frames = None, 0, []
    while flying.now_s < SECONDS - 1:
        if stranger not in flying.air.peers:
            stranger = flying.connect(b"strang")
            strangers += 1
        for _ in range(8):
            if stranger in flying.air.peers:
                way = rng.random()
                data = rng.randbytes(int(rng.random() * 60))
                if way < 0.2:
                    data = stuffed(wire.pack_command(1, 1 + int(rng.random() * 17), 1, data))
                elif way < 0.3:
                    data = heard[0]
                elif way < 0.31:
                    data = stuffed(wire.pack_command(1, wire.OP_AUTH1, 1, rng.randbytes(17)))
                    data += stuffed(wire.pack_command(1, wire.OP_AUTH2, 1, rng.randbytes(17)))
                flying.air.write(stranger, flying.ctrl, data)
        flying.run(0.2)
        owner.hear()
        frames += owner.frames
        owner.frames = []
        if frames:
            owner.send(wire.OP_ACK, ack(unpack_header(frames[-1])[3], boot=flying.board.boot_id))
    return flying, frames, strangers


def test_owner_gets_every_sample(flight):
    _, frames, strangers = flight
    assert strangers > 3
    headers = [open_frame(frame) for frame in frames]
    seqs = [header[3] for header in headers]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    orient = [header for header in headers if header[0] == wire.ORIENT]
    index = [header[4] for header in orient]
    assert np.all(
        np.diff(index) == [header[6] for header in orient[:-1]]
    )  # no sample is missing between frames
    assert sum(header[6] for header in orient) == pytest.approx(52 * SECONDS, rel=0.05)  # up to now


def test_board_says_what_it_saw_and_not_too_often(flight):
    flying, frames, _ = flight
    events = [unpack_body(frame, wire.EVENT) for frame in frames if unpack_header(frame)[0] == wire.EVENT]
    told = [body[2] for body in events if body[0] == wire.EVENT_HOSTILE]
    assert told == sorted(told)
    assert 0 < told[-1] <= flying.board.app.sessions.hostile
    proofs = [body[2] for body in events if body[0] == wire.EVENT_AUTH_FAILED]
    assert proofs
    assert len(told) + len(proofs) <= 2 * SECONDS / 5 + 2


def test_stranger_changed_nothing(flight):
    flying, _, _ = flight
    assert flying.board.app.sessions.keys == [(bytes(12), KEY)]
    assert flying.board.app.sessions.dropped > 0
    assert flying.board.sim_motor.pulses == []
    assert not flying.board.sim_motor.duty
    assert flying.board.app.samplers[0].path.framer.frame_type == wire.ORIENT
