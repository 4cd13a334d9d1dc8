"""What opening a session costs: bytes on the link, and blocks of SHA-256 on the board, counted as they are hashed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tiltwise.common import auth, wire
from tiltwise.common.channel import Channel

_BLOCK = 64
_LENGTH = 9  # bytes of padding and length that end each hash
_DEVICE = b"board-01"


@dataclass(frozen=True, slots=True)
class HandshakeRow:
    """For a board that knows so many hosts, of which the last one comes; bytes without stuffing and radio headers."""

    keys: int
    link_bytes: int
    board_blocks: int


class _Counting:
    """hashlib, counting the blocks that go through it."""

    def __init__(self) -> None:
        self.blocks = 0

    def sha256(self, data: bytes = b"") -> Any:
        return _Hash(self, bytes(data))


class _Hash:
    def __init__(self, owner: _Counting, data: bytes) -> None:
        self._owner, self._data = owner, data

    def update(self, data: bytes) -> None:
        self._data += bytes(data)

    def digest(self) -> bytes:
        self._owner.blocks += -(-(len(self._data) + _LENGTH) // _BLOCK)
        return hashlib.sha256(self._data).digest()


def handshake_row(n_keys: int) -> HandshakeRow:
    """Open a session with both sides of the protocol, and count."""
    keys = [bytes([k + 1] * auth.KEY_SIZE) for k in range(n_keys)]
    counting = _Counting()
    host = auth.HostHandshake(keys[-1], _DEVICE, bytes(auth.NONCE_SIZE))
    request = host.request()
    real, auth.hashlib = auth.hashlib, counting  # type: ignore[assignment, attr-defined]
    try:
        board = auth.BoardHandshake(keys, _DEVICE)
        reply = board.answer(request, bytes(auth.NONCE_SIZE), bytes(auth.MOST_KEYS * auth.BOARD_PROOF_SIZE))
        auth.hashlib = real  # type: ignore[attr-defined]
        proof = host.prove(reply)
        auth.hashlib = counting  # type: ignore[assignment, attr-defined]
        assert board.accepts(proof)
        Channel(board.shared, is_host=False)
    finally:
        auth.hashlib = real  # type: ignore[attr-defined]
    packets = (
        wire.pack_command(0x20, wire.OP_AUTH1, 1, request),
        wire.pack_command(0x20, wire.OP_AUTH1 | wire.REPLY, 1, b"\0" + reply),
        wire.pack_command(0x21, wire.OP_AUTH2, 2, proof),
        wire.pack_command(0x21, wire.OP_AUTH2 | wire.REPLY, 2, b"\0"),
    )
    return HandshakeRow(n_keys, sum(map(len, packets)), counting.blocks)
