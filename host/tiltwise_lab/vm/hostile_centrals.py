"""Hostile centrals on the radio of a board in the VM: they connect, write anything, and never prove a key.

Replaces shims/bluetooth.py's radio where a million writes are wanted: without a radio stack in between, each write
reaches the firmware's interrupt directly.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from tiltwise.common import auth, cobs, wire

PEERS = 4  # one more than the firmware has places for
LONGEST_WRITE = 244
NOISY = 1  # this one writes nothing but noise, and so is sent away only when its 5 s are over
DEAF_SHARE, DEAF_CALLS = 1 / 2000, 150  # now and then nobody takes what the board sends, for 3 s
_CONNECTED, _DISCONNECTED, _WRITTEN, _MTU = 1, 2, 3, 21
_ENOMEM, _ENOTCONN = 12, 107
_ROOM = 12  # notifications that fit before ENOMEM
_UNKNOWN = 0xFFF0  # a handle that no table has


def stuffed(data: bytes) -> bytes:
    """Return a packet as it goes over CTRL."""
    out = bytearray(cobs.stuffed_size(len(data)))
    return bytes(out[: cobs.stuff_into(data, len(data), out)])


class HostileCentrals:
    """The `bluetooth` module's other half, and all who call. `wake` is called when an event waits."""

    def __init__(self, seed: int = 1) -> None:
        self.events: deque[tuple[int, list[Any]]] = deque()
        self.wake: Callable[[], None] = lambda: None
        self.connections = 0
        self.writes = 0
        self.answers = 0  # notifications that the board sent to them
        self.advertised = 0
        self._rng = random.Random(seed)
        self._connected: set[int] = set()
        self._held = 0
        self._deaf = 0  # calls of `write` for which nobody takes a notification
        self._table: list[list[int]] = []
        self._earlier = [stuffed(wire.pack_command(0x20, wire.OP_HELLO, 1))]  # what is said again later

    async def close(self) -> None:
        """Nothing runs here."""

    # ---- what the firmware asks ----

    def answer(self, question: dict[str, Any]) -> Any:
        """Answer a question of shims/bluetooth.py."""
        match question["ble"]:
            case "services":
                handles = iter(range(12, 200, 3))
                self._table = [[next(handles) for _ in rows] for _, rows in question["table"]]
                return self._table
            case "advertise":
                self.advertised += question["data"] is not None
            case "active" if not question["on"]:
                self._connected.clear()  # the radio starts anew: nobody is told
            case "disconnect":
                return self._end(question["connection"])
            case "get_config":
                return 0
        return None

    def send(self, connection: int, _handle: int, _data: bytes) -> tuple[int, bytes]:
        """Take a notification, as long as there is room."""
        if connection not in self._connected:
            return _ENOTCONN, b""
        if self._held >= _ROOM:
            return _ENOMEM, b""
        self._held += 1
        self.answers += 1
        return 0, b""

    def _end(self, connection: int) -> bool:
        if connection not in self._connected:
            return False
        self._connected.discard(connection)
        self.events.append((_DISCONNECTED, [connection, 1, f"{connection:012x}"]))
        self.wake()
        return True

    # ---- what strangers do ----

    @property
    def ctrl(self) -> int:
        """Return the handle of CTRL, the only value that may be written."""
        return self._table[0][1]

    def others(self) -> list[int]:
        """Return the descriptors that subscribe (a value's handle + 1), and handles that nobody has."""
        return [handle + 1 for row in self._table for handle in row] + [0, 0xFFFF, _UNKNOWN]

    def write(self, n: int) -> None:
        """Let n writes arrive, from whoever is there; who was sent away is back before."""
        rng = self._rng
        if self._deaf:
            self._deaf -= 1
        elif rng.random() < DEAF_SHARE:
            self._deaf, self._held = DEAF_CALLS, _ROOM
        else:
            self._held = 0
        for connection in range(PEERS):
            if connection not in self._connected and rng.random() < 0.5:
                self._connect(connection)
        for _ in range(n):
            if not self._connected:
                self._connect(0)
            connection = rng.choice(sorted(self._connected))
            handle = self.ctrl if rng.random() < 0.9 else rng.choice(self.others())
            data = (self._noise() if connection == NOISY else self._hostile_write())[:LONGEST_WRITE]
            self.events.append((_WRITTEN, [connection, handle, data.hex()]))
            self.writes += 1
        self.wake()

    def leave(self) -> None:
        """All go."""
        for connection in sorted(self._connected):
            self._end(connection)

    def _connect(self, connection: int) -> None:
        self._connected.add(connection)
        self.connections += 1
        address = self._rng.randbytes(6)
        self.events.append((_CONNECTED, [connection, 1, address.hex()]))
        if self._rng.random() < 0.7:
            self.events.append((_MTU, [connection, self._rng.choice((23, 185, 247, 517))]))

    def _noise(self) -> bytes:
        return self._rng.randbytes(self._rng.randrange(LONGEST_WRITE + 1))

    def _hostile_write(self) -> bytes:
        """Return one write: noise, or something that looks the more like a command the further it gets."""
        rng = self._rng
        way = rng.random()
        if way < 0.35:
            return self._noise()
        command = self._command()
        if way < 0.5:  # half of one; the rest never comes
            return command[: rng.randrange(len(command))] + b"\0" * rng.randrange(2)
        if way < 0.6:  # damaged
            damaged = bytearray(command)
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            return bytes(damaged)
        if way < 0.7:  # said before
            return rng.choice(self._earlier)
        if way < 0.75:
            return command + command
        self._earlier = [*self._earlier[-15:], command]
        return command

    def _command(self) -> bytes:
        """Return a whole command: any opcode with any payload and a checksum, or a tag of another key."""
        rng = self._rng
        opcode = rng.randrange(24)
        sizes = {
            wire.OP_AUTH1: 17,
            wire.OP_AUTH2: 17,
            wire.OP_PROVISION: 32,
            wire.OP_MOTOR: 2,
            wire.OP_ACK: 8,
        }
        n = sizes[opcode] if opcode in sizes and rng.random() < 0.8 else rng.randrange(64)
        tagger = auth.Tagger(bytes(32)) if rng.random() < 0.1 else None
        payload = rng.randbytes(n)
        return stuffed(wire.pack_command(rng.randrange(256), opcode, rng.getrandbits(32), payload, tagger))
