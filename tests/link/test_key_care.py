"""The keys of a host and a board stay in step: over lost answers, full disks, other hosts, and hours."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from link.linked_board import OURS, BoardConnector
from link.test_supervisor import Host, linked, play
from tiltwise.common import wire
from tiltwise.common.auth import next_key
from tiltwise.link import key_care
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.key_care import encoded


class Disk:
    """What this computer keeps of the board."""

    def __init__(self) -> None:
        self.kept: list[KeyedBoard] = []
        self.is_full = False

    def keep(self, board: KeyedBoard) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device", "keys.json")
        self.kept.append(board)


def board_key(connector: BoardConnector) -> bytes:
    return bytes(connector.board.sessions.keys[0][1])


def test_the_first_session_of_a_program_brings_the_next_key_and_so_does_each_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert key_care.RATCHET_S == 3600
    monkeypatch.setattr(key_care, "RATCHET_S", 60.0)
    disk, seen = Disk(), []

    async def story(_: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(10)
        seen.append(board_key(connector))
        for wait_s in (20, 40):
            connector.in_range = False
            connector.cut()
            await asyncio.sleep(wait_s)
            connector.in_range = True
            await asyncio.sleep(10)
            seen.append(board_key(connector))

    play(lambda: linked(keep=disk.keep), story)
    first = next_key(OURS.key)
    assert seen == [first, first, next_key(first)]
    assert disk.kept[-1].key == next_key(first)


def test_a_host_that_keeps_no_keys_changes_none() -> None:
    async def story(_: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(10)
        assert board_key(connector) == OURS.key

    play(linked, story)


def test_keys_that_cannot_be_kept_stay_and_the_stream_goes_on() -> None:
    disk = Disk()
    disk.is_full = True

    async def story(_: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(10)
        assert board_key(connector) == OURS.key

    host, _ = play(lambda: linked(keep=disk.keep), story)
    assert len(host.live_at_s) > 40
    assert host.notices == [
        "connected to back",
        "the key of back stays as it is: keys.json: No space left on device; free some space and run it again",
    ]


def test_a_board_that_is_a_key_ahead_is_found_and_its_key_is_kept() -> None:
    disk = Disk()

    def ahead() -> tuple[Host, BoardConnector]:
        host, connector = linked(keep=disk.keep)
        connector.board.sessions.keys = [(bytes(wire.KEY_NAME_SIZE), next_key(OURS.key))]
        return host, connector

    async def story(_: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(10)
        assert board_key(connector) == disk.kept[-1].key == next_key(next_key(OURS.key))

    play(ahead, story)
    assert disk.kept[0].key == next_key(OURS.key)


def test_a_change_of_the_list_is_told_once() -> None:
    disk = Disk()
    known = replace(OURS, changes=0)

    def changed() -> tuple[Host, BoardConnector]:
        host, connector = linked(keys=(known,), keep=disk.keep)
        connector.board.sessions.add_key(encoded("Zoës Laptop"), bytes(range(1, 33))[::-1])
        return host, connector

    async def story(_: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(10)
        connector.cut()
        await asyncio.sleep(20)

    host, _ = play(changed, story)
    assert (
        host.notices.count(
            "the keys of back were changed since this computer last met it; it has: without a name, Zoës Laptop"
        )
        == 1
    )
    assert disk.kept[-1].changes == 1


def test_names_are_cut_between_characters() -> None:
    assert encoded("laptop") == b"laptop" + bytes(6)
    assert encoded("x" * 11 + "\u00e4") == b"x" * 11 + bytes(1)
    assert len(encoded("a very long name")) == wire.KEY_NAME_SIZE
