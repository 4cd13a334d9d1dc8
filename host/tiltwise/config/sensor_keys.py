"""Keeps the secret keys of the boards that this computer may talk to: in the system's keyring, or in a private file.

The list of boards (id, name) is always in the file, which only its owner can read; the keys are there too when the
package `keyring` is not installed or no keyring is open.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from tiltwise.config.atomic_file import one_at_a_time, private_folder, whole_file
from tiltwise.config.paths import data_folder
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.stored_values import convert
from tiltwise.text import printable

KEY_BYTES = 32
SERVICE = "tiltwise"
UNNAMED = "tiltwise"  # what a board is called until somebody names it


class KeyStoreError(ValueError):
    """The keys cannot be read or kept."""


class Ring(Protocol):
    """The part of the keyring API used here."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return a secret."""

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep a secret."""


def system_keyring() -> Ring | None:
    """Return the system's keyring, None when there is none that keeps secrets."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    # A backend of priority below 1 is the one that fails, or one that keeps plain text.
    return keyring if getattr(keyring.get_keyring(), "priority", 0) >= 1 else None


@dataclass(frozen=True, slots=True)
class _Row:
    """What the file holds of a board; the key is empty when the keyring has it."""

    name: str = ""
    key: str = ""
    changes: int | None = None


class KeyStore:
    """The keys of this computer, in `file` and perhaps a keyring."""

    def __init__(self, file: Path, ring: Ring | None = None) -> None:
        self._file = file
        self._ring = ring

    def load(self, device_id: bytes) -> KeyedBoard | None:
        """Return a board with its key, None when this computer has none."""
        return next((board for board in self if board.device_id == device_id), None)

    def __iter__(self) -> Iterator[KeyedBoard]:
        """Yield all boards; one whose key the keyring lost is left out."""
        for device_id, row in self._read().items():
            text = row.key or self._from_ring(device_id)
            if text:
                key = self._key(text, device_id)
                yield KeyedBoard(self._bytes(device_id), row.name, key, row.changes)

    def save(self, board: KeyedBoard) -> str:
        """Keep a board's key and return where; the file is replaced as a whole or not at all.

        Two programs may save at once: the second one waits, or one of the keys would be lost.
        """
        if len(board.key) != KEY_BYTES:
            raise KeyStoreError(f"key of {len(board.key)} bytes, expected {KEY_BYTES}")
        private_folder(self._file.parent)
        with one_at_a_time(self._file):
            rows, device_id = self._read(), board.device_id.hex()
            in_ring = self._into_ring(device_id, board.key)
            rows[device_id] = _Row(board.name, "" if in_ring else board.key.hex(), board.changes)
            with whole_file(self._file, is_private=True) as file:
                file.write(json.dumps({k: _stored(row) for k, row in rows.items()}, indent=1).encode())
        return "the system's keyring" if in_ring else str(self._file)

    def _bytes(self, device_id: str) -> bytes:
        try:
            return bytes.fromhex(device_id)
        except ValueError:
            raise KeyStoreError(
                f"{self._file}: {device_id!r} is not the id of a board: move it away and set the boards up again"
            ) from None

    def _key(self, text: str, device_id: str) -> bytes:
        with suppress(ValueError):
            if len(key := bytes.fromhex(text)) == KEY_BYTES:
                return key
        raise KeyStoreError(
            f"{self._file}: the key of {device_id} is damaged: run tiltwise setup for that board again"
        )

    def _from_ring(self, device_id: str) -> str | None:
        if self._ring is None:
            return None
        try:
            return self._ring.get_password(SERVICE, device_id)
        except Exception as error:  # every backend has its own errors
            raise KeyStoreError(
                f"the system's keyring keeps the key of {device_id} back ({error}): unlock it and try again"
            ) from error

    def _into_ring(self, device_id: str, key: bytes) -> bool:
        """Keep the key in the keyring if it lets us; a locked one raises errors of its backend's own kind."""
        if self._ring is None:
            return False
        try:
            self._ring.set_password(SERVICE, device_id, key.hex())
            return self._ring.get_password(SERVICE, device_id) == key.hex()
        except Exception:  # noqa: BLE001  every backend has its own errors; the private file serves as well
            return False

    def _read(self) -> dict[str, _Row]:
        try:
            return convert(json.loads(self._file.read_text(encoding="utf-8")), dict[str, _Row])
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            raise KeyStoreError(
                f"{self._file} is damaged ({error}): move it away and set the boards up again"
            ) from None


def _stored(row: _Row) -> dict[str, str | int]:
    return {name: value for name, value in asdict(row).items() if name == "name" or value not in ("", None)}


def key_store() -> KeyStore:
    """Return the keys of this computer's user."""
    return KeyStore(data_folder() / "keys.json", system_keyring())


def keep(board: KeyedBoard) -> None:
    """Keep a board's new key under the name that this computer knows it by."""
    keys = key_store()
    before = keys.load(board.device_id)
    keys.save(board if before is None else replace(board, name=before.name))


def known_boards() -> list[KeyedBoard]:
    """Return the boards that this computer has the keys of, with names that are fit to print."""
    return [replace(board, name=printable(board.name or board.device_id.hex(), 40)) for board in key_store()]


def rename_board(device: str, name: str) -> str | None:
    """Call a board by this name from now on (empty: as before) and return the name before; None without its key.

    `device` is the name of its data: `board-` and its id.
    """
    device_id = device.removeprefix("board-")
    known = next((board for board in key_store() if board.device_id.hex() == device_id), None)
    if known is None:
        return None
    if name and name != known.name:
        key_store().save(replace(known, name=name))
    return known.name
