"""`tiltwise keys`: a second computer is let in, uses the board, and is locked out, by the firmware itself."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from link.linked_board import OURS, BoardConnector, Faults, living
from radio_bench import Board
from tiltwise.app import keys
from tiltwise.config.address import parse_address
from tiltwise.config.sensor_keys import KeyStore
from tiltwise_lab.radio.virtual_time import run_virtually

BLE = parse_address("ble:")


class Room:
    """One board, and two computers near it, of which one is in use."""

    def __init__(self, folder):
        self.board = Board()
        self.stores = {name: KeyStore(folder / name / "keys.json") for name in ("desk", "laptop")}
        self.stores["desk"].save(OURS)
        self.at = "desk"

    @property
    def store(self):
        return self.stores[self.at]

    def run(self, talk):
        async def main():
            async with living(self.connector):
                return await talk

        return run_virtually(main())

    def connector_of(self, _):
        self.connector = BoardConnector(self.board, Faults())
        return self.connector, list(self.store)

    def says(self, call, *arguments):
        """Return what a command prints, in one line."""
        console = Console(width=200, file=io.StringIO())
        call(*arguments, console)
        return " ".join(console.file.getvalue().split())


@pytest.fixture
def room(monkeypatch, tmp_path):
    room = Room(tmp_path)
    monkeypatch.setattr(keys, "connector_of", room.connector_of)
    monkeypatch.setattr(keys.asyncio, "run", room.run)
    monkeypatch.setattr(keys, "key_store", lambda: room.store)
    monkeypatch.setattr(keys, "known_boards", lambda: list(room.store))
    return room


def test_a_second_computer_is_let_in_uses_the_board_and_is_locked_out(room):
    assert room.says(keys.show_hosts, BLE) == "without a name (this one)"
    said = room.says(keys.invite, "laptop", BLE)
    code = said.split("keys accept ")[1].split()[0]
    assert room.says(keys.show_hosts, BLE) == "without a name (this one) laptop"
    room.at = "laptop"
    assert room.says(keys.show_own).startswith("no board yet")
    assert "is a board of this computer now" in room.says(keys.accept, code, "neck")
    assert room.says(keys.show_own) == f"neck board-{OURS.device_id.hex()}"
    assert room.says(keys.show_hosts, BLE) == "without a name laptop (this one)"
    room.at = "desk"
    assert room.says(keys.revoke, "laptop", BLE) == "laptop cannot reach the board any more"
    assert room.says(keys.show_hosts, BLE) == "without a name (this one)"
    room.at = "laptop"
    with pytest.raises(keys.KeysError, match="does not prove any key that was looked for"):
        keys.show_hosts(BLE, Console())


def test_what_cannot_be_is_said_with_what_to_do(room):
    for name in ("one", "two", "three"):
        room.says(keys.invite, name, BLE)
    with pytest.raises(
        keys.KeysError, match="no more than four computers, and has , one, two, three: revoke one first"
    ):
        keys.invite("four", BLE, Console())
    with pytest.raises(keys.KeysError, match="has a computer two already"):
        keys.invite("two", BLE, Console())
    with pytest.raises(keys.KeysError, match="no computer five: it has '', one, two, three"):
        keys.revoke("five", BLE, Console())
    with pytest.raises(keys.KeysError, match="that is this computer"):
        keys.revoke("", BLE, Console())


def test_an_invitation_survives_paper_and_not_a_wrong_letter():
    device_id, key = b"board-01", bytes(range(100, 132))
    code = keys.invitation(device_id, key)
    assert keys.read_invitation(f" {code.lower().replace('-', ' ')}\n") == (device_id, key)
    for at, letter in enumerate(code):
        if letter != "-":
            wrong = code[:at] + ("A" if letter != "A" else "B") + code[at + 1 :]
            with pytest.raises(keys.KeysError, match="a letter of it is wrong"):
                keys.read_invitation(wrong)
    for wrong in ("", code[:-1], code + "A", "\u00e4" * 71, "1890" * 18):
        with pytest.raises(keys.KeysError, match="this is no invitation"):
            keys.read_invitation(wrong)
