"""`tiltwise keys`: which computers a board lets in. Each has a key of its own, and any of them can let in another.

An invitation is the board's id, the new key and a checksum in base32: 72 letters and digits to carry to the other
computer, as one carries a password.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
import struct
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.console import Console

from tiltwise.common import wire
from tiltwise.config.address import Address
from tiltwise.config.sensor_keys import KEY_BYTES, key_store, known_boards
from tiltwise.errors import AppError
from tiltwise.link.board_connection import BoardConnection
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.key_care import HostList, ask_hosts, encoded
from tiltwise.link.one_session import with_board
from tiltwise.link.transport import LinkError
from tiltwise.live.sources import connector_of
from tiltwise.text import printable

_GROUP = 8
_INVITATION = "<8s32sI"
Answer = TypeVar("Answer")


class KeysError(AppError):
    """What was asked for cannot be done; one line says why and what to do."""


def show_own(console: Console) -> None:
    """Print the boards that this computer has a key of."""
    boards = known_boards()
    for board in boards:
        console.print(f"{board.name}   board-{board.device_id.hex()}", highlight=False)
    if not boards:
        console.print("no board yet: plug one in and run tiltwise setup, or accept an invitation")


def show_hosts(address: Address, console: Console, *, take_over: bool = False) -> None:
    """Print the computers that a board has a key of."""
    hosts = _ask(address, ask_hosts, take_over)
    for place, name in enumerate(hosts.names):
        own = "   (this one)" if place == hosts.own_place else ""
        console.print(f"{printable(name) or 'without a name'}{own}", highlight=False)


def invite(name: str, address: Address, console: Console, *, take_over: bool = False) -> None:
    """Give the board the key of another computer, and print what that one is to accept."""
    key = secrets.token_bytes(KEY_BYTES)

    async def talk(peer: BoardConnection) -> bytes:
        hosts = await ask_hosts(peer)
        if name in hosts.names:
            raise KeysError(
                f"the board has a computer {name} already: choose another name, or revoke it first"
            )
        reply = await peer.ask(wire.OP_ADD_KEY, key + encoded(name))
        if not reply.is_ok:
            names = ", ".join(hosts.names)
            raise KeysError(f"the board takes no more than four computers, and has {names}: revoke one first")
        return _known(peer).device_id

    device_id = _ask(address, talk, take_over)
    console.print(f"On {printable(name)}, within reach of the board or not, type:\n", highlight=False)
    console.print(f"  tiltwise keys accept {invitation(device_id, key)}\n", highlight=False, soft_wrap=True)
    console.print("Who reads this can use the board. tiltwise keys revoke takes it back.")


def accept(code: str, name: str, console: Console) -> None:
    """Keep the key of an invitation."""
    device_id, key = read_invitation(code)
    where = key_store().save(KeyedBoard(device_id, name, key))
    console.print(
        f"{printable(name)} is a board of this computer now; its key is in {where}", highlight=False
    )


def revoke(name: str, address: Address, console: Console, *, take_over: bool = False) -> None:
    """Take the key of another computer from the board."""

    async def talk(peer: BoardConnection) -> None:
        hosts = await ask_hosts(peer)
        place = _place_of(name, hosts)
        reply = await peer.ask(wire.OP_REVOKE, bytes([place]) + encoded(hosts.names[place]))
        if not reply.is_ok:
            raise KeysError(f"the board did not forget {printable(name)} (status {reply.status}): try again")

    _ask(address, talk, take_over)
    console.print(f"{printable(name)} cannot reach the board any more", highlight=False)


def _place_of(name: str, hosts: HostList) -> int:
    if name not in hosts.names:
        names = ", ".join(printable(each) or "''" for each in hosts.names)
        raise KeysError(f"the board has no computer {printable(name)}: it has {names}")
    place = hosts.names.index(name)
    if place == hosts.own_place:
        raise KeysError("that is this computer: let another one revoke it, or run tiltwise setup --new-key")
    return place


def invitation(device_id: bytes, key: bytes) -> str:
    """Return board and key in letters and digits, in groups that a person can read out."""
    data = device_id + key
    text = base64.b32encode(data + struct.pack("<I", binascii.crc32(data))).decode().rstrip("=")
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def read_invitation(code: str) -> tuple[bytes, bytes]:
    """Return device id and key; KeysError when a letter is wrong or missing."""
    text = "".join(code.split()).replace("-", "").upper()
    try:
        device_id, key, crc = struct.unpack(_INVITATION, base64.b32decode(text + "=" * (-len(text) % 8)))
    except (ValueError, struct.error):
        device_id, key, crc = b"", b"", -1
    if crc != binascii.crc32(device_id + key) or invitation(device_id, key).replace("-", "") != text:
        raise KeysError(
            "this is no invitation, or a letter of it is wrong: copy the whole line that tiltwise keys invite printed"
        )
    return device_id, key


def _known(peer: BoardConnection) -> KeyedBoard:
    if peer.known is None:
        raise KeysError("this board has no key yet: run tiltwise setup")
    return peer.known


def _ask(address: Address, talk: Callable[[BoardConnection], Awaitable[Answer]], take_over: bool) -> Answer:
    connector, boards = connector_of(address)

    async def checked(peer: BoardConnection) -> Answer:
        _known(peer)
        return await talk(peer)

    try:
        return asyncio.run(with_board(connector, boards, checked, take_over=take_over))
    except LinkError as error:
        raise KeysError(str(error)) from error
