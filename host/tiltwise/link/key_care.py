"""The keys that a board holds: which hosts there are, and a new key in the old one's place now and then.

A host that looks ahead (auth.HostHandshake) finds a board whose answer to RATCHET was lost. So the board may be one
key ahead of what is kept here, never behind: nothing is asked for unless the keys can be kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from tiltwise.common import wire
from tiltwise.common.auth import key_check, next_key
from tiltwise.errors import os_error_line
from tiltwise.link.board_connection import BoardConnection
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.transport import LinkError, Trouble

RATCHET_S = 3600.0  # a key serves so long in one run of the program
_HEAD = "<HB"

Keep = Callable[[KeyedBoard], object]  # raises OSError or ValueError when the keys cannot be kept


@dataclass(frozen=True, slots=True)
class HostList:
    """The hosts that a board has a key of: how often that changed, our own place, and their names by place."""

    changes: int
    own_place: int
    names: tuple[str, ...]


def encoded(name: str) -> bytes:
    """Return a host's name as the board keeps it: UTF-8, cut between characters, with zeros behind it."""
    data = name.encode()[: wire.KEY_NAME_SIZE].decode(errors="ignore").encode()
    return data + bytes(wire.KEY_NAME_SIZE - len(data))


async def ask_hosts(peer: BoardConnection) -> HostList:
    """Ask the board in session whose keys it holds."""
    reply = await peer.ask(wire.OP_KEYS)
    head = struct.calcsize(_HEAD)
    if not reply.is_ok or len(reply.body) < head:
        raise LinkError(Trouble.LOST, f"the board does not list its keys (status {reply.status})")
    names = reply.body[head:]
    texts = [
        names[at : at + wire.KEY_NAME_SIZE].rstrip(b"\0").decode(errors="replace")
        for at in range(0, len(names), wire.KEY_NAME_SIZE)
    ]
    changes, own_place = struct.unpack_from(_HEAD, reply.body)
    return HostList(changes, own_place, tuple(texts))


class KeyCare:
    """Keeps the keys of one computer in step with a board's, over all its connections.

    Parameters
    ----------
    keep
        Keeps a board with its key, replacing the one before.
    clock
        Seconds.
    """

    def __init__(self, keep: Keep, clock: Callable[[], float]) -> None:
        self._keep, self._clock = keep, clock
        self._due_s: float | None = None

    async def tend(self, peer: BoardConnection) -> str:
        """Look after the keys of a board in session; return what the wearer should know, or nothing."""
        if peer.known is None:
            return ""
        hosts = await ask_hosts(peer)
        line = ""
        if peer.known.changes not in (None, hosts.changes):
            names = ", ".join(name or "without a name" for name in hosts.names)
            line = (
                f"the keys of {peer.known.name} were changed since this computer last met it; it has: {names}"
            )
        peer.known = replace(peer.known, changes=hosts.changes)
        try:
            self._keep(peer.known)
            if self._due_s is None or self._clock() >= self._due_s:
                await self._ratchet(peer, peer.known)
                self._due_s = self._clock() + RATCHET_S
        except (OSError, ValueError) as error:
            return f"the key of {peer.known.name} stays as it is: {os_error_line(error)}"
        return line

    async def _ratchet(self, peer: BoardConnection, known: KeyedBoard) -> None:
        following = next_key(known.key)
        reply = await peer.ask(wire.OP_RATCHET, key_check(following))
        if reply.is_ok:
            peer.known = replace(known, key=following)
            self._keep(peer.known)
