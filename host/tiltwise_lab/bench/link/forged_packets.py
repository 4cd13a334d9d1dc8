"""`tiltwise bench link`, second part: packets that no board or host of ours sent, and how many are accepted."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tiltwise.common import wire
from tiltwise.common.auth import Handshake
from tiltwise.common.channel import Channel
from tiltwise_lab.bench.parallel import run_in_processes

FORGED = 1_000_000
_SESSION = (b"simboard", 0)  # device id, wishes
_KEY, _OTHER_KEY = bytes(range(1, 33)), bytes(range(2, 34))
_N = 64  # genuine packets of each kind
_MOTOR = b"\1\2"


@dataclass(frozen=True, slots=True)
class ForgedRow:
    """Packets of one kind that must not pass, how many there were, and how many passed."""

    kind: str
    tried: int
    accepted: int


def forged_rows(
    seed: int = 1,
    n: int = FORGED,
    show: Callable[[float], None] = lambda _share: None,
    *,
    processes: int | None = None,
) -> list[ForgedRow]:
    """Return a row for each way of forging; n packets together."""
    kinds = list(_forgeries(random.Random(seed)))
    jobs = [(kind, seed, n // len(kinds) + (k < n % len(kinds))) for k, kind in enumerate(kinds)]
    return run_in_processes(_forge, jobs, show, weights=[1.0] * len(jobs), processes=processes)


def _forge(job: tuple[str, int, int], show: Callable[[float], None]) -> ForgedRow:
    kind, seed, n = job
    attempt = _forgeries(random.Random(seed))[kind]
    accepted = 0
    for k in range(n):
        accepted += attempt()
        if k % 1000 == 0:
            show(k / n)
    return ForgedRow(kind, n, accepted)


def _forgeries(rng: random.Random) -> dict[str, Callable[[], bool]]:
    """Return attempts by name; each returns whether the packet was accepted."""
    board, host = _channels(_KEY, _KEY, b"n" * 16)
    return {
        name: partial(_is_accepted, opens, make)
        for name, (opens, make) in {
            **_forged_frames(rng, board, host),
            **_forged_commands(rng, board, host),
        }.items()
    }


_Forgeries = dict[str, tuple[Callable[[bytes], object], Callable[[], bytes]]]


def _forged_frames(rng: random.Random, board: Channel, host: Channel) -> _Forgeries:
    old_board, _ = _channels(_KEY, _KEY, b"o" * 16)
    other_board, _ = _channels(_OTHER_KEY, _OTHER_KEY, b"n" * 16)
    frames = [_sealed(board, k) for k in range(_N)]
    old_frames = [_sealed(old_board, k) for k in range(_N)]
    opens = host.open_frame
    return {
        "frame, changed or cut": (opens, lambda: _changed(rng, rng.choice(frames))),
        "frame, of an earlier session": (opens, lambda: rng.choice(old_frames)),
        "frame, of another key": (opens, lambda: _sealed(other_board, rng.getrandbits(32))),
        "frame, with a checksum for a tag": (opens, lambda: _checksummed(rng.getrandbits(32))),
        "frame, any bytes": (opens, lambda: _random_bytes(rng)),
    }


def _forged_commands(rng: random.Random, board: Channel, host: Channel) -> _Forgeries:
    _, other_host = _channels(_OTHER_KEY, _OTHER_KEY, b"n" * 16)
    commands = [host.pack(0x20 + k, wire.OP_MOTOR, _MOTOR) for k in range(_N)]
    for command in commands:
        board.open(command)
    replies = [board.pack(0x20 + k, wire.OP_MOTOR | wire.REPLY, b"\0") for k in range(_N)]
    for reply in replies:
        host.open(reply)
    return {
        "command, changed or cut": (board.open, lambda: _changed(rng, rng.choice(commands))),
        "command, replayed": (board.open, lambda: rng.choice(commands)),
        "command, of another key": (board.open, lambda: other_host.pack(0x40, wire.OP_MOTOR, _MOTOR)),
        "command, any bytes": (board.open, lambda: _random_bytes(rng)),
        "reply, changed or cut": (host.open, lambda: _changed(rng, rng.choice(replies))),
        "reply, replayed": (host.open, lambda: rng.choice(replies)),
        "reply, a command of ours sent back": (host.open, lambda: host.pack(0x41, wire.OP_MOTOR, b"\1")),
    }


def _channels(key: bytes, host_key: bytes, nonce: bytes) -> tuple[Channel, Channel]:
    """Return the board's and the host's end of a session; with one key they belong together."""
    board, host = (
        Handshake(key, *_SESSION, nonce, bytes(16)),
        Handshake(host_key, *_SESSION, nonce, bytes(16)),
    )
    return Channel(board, is_host=False), Channel(host, is_host=True)


def _unsealed(seq: int) -> bytearray:
    frame = bytearray(wire.frame_size(wire.ORIENT, 10))
    wire.pack_header_into(frame, wire.ORIENT, 0, 7, seq, 10 * seq, 2000 * seq, 10, 0, 5)
    return frame


def _sealed(channel: Channel, seq: int) -> bytes:
    frame = _unsealed(seq)
    sealed = bytearray(len(frame) + wire.SEALED_GROWS)
    channel.seal(frame, len(frame), sealed)
    return bytes(sealed)


def _checksummed(seq: int) -> bytes:
    frame = _unsealed(seq)
    wire.seal(frame, len(frame))
    return bytes(frame)


def _changed(rng: random.Random, data: bytes) -> bytes:
    """Flip one bit, and cut one packet in five."""
    out = bytearray(data)
    out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out) if rng.random() < 0.8 else bytes(out[: rng.randrange(len(out))])


def _random_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(1, wire.MAX_COMMAND))


def _is_accepted(opens: Callable[[bytes], object], make: Callable[[], bytes]) -> bool:
    try:
        opens(make())
    except wire.WireError:
        return False
    return True
