"""Keeps the secret keys of the sensors that this computer may talk to: in the system's keyring, or in a private file.

The list of sensors (id, name) is always in the file, which only its owner can read; the keys are there too when
the package `keyring` is not installed or no keyring is open.
"""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tiltwise.config.paths import data_folder
from tiltwise.link.board_connection import Known
from tiltwise.text import printable

KEY_BYTES = 32
SERVICE = "tiltwise"


class KeyStoreError(ValueError):
    """The keys cannot be read or kept."""


class Ring(Protocol):
    """What is used of the package keyring."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return a secret."""

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep a secret."""


@dataclass(frozen=True, slots=True)
class SensorKey:
    """One sensor of this computer; the key is never shown."""

    device_id: str
    name: str
    key: bytes

    def __repr__(self) -> str:
        """Leave the key out of logs and tracebacks."""
        return f"SensorKey({self.device_id!r}, {self.name!r})"


def system_keyring() -> Ring | None:
    """Return the system's keyring, None when there is none that keeps secrets."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    # A backend of priority below 1 is the one that fails, or one that keeps plain text.
    return keyring if getattr(keyring.get_keyring(), "priority", 0) >= 1 else None


class KeyStore:
    """The keys of this computer, in `file` and perhaps a keyring."""

    def __init__(self, file: Path, ring: Ring | None = None) -> None:
        self._file = file
        self._ring = ring

    def load(self, device_id: str) -> SensorKey | None:
        """Return the key of a sensor, None when this computer has none."""
        return next((known for known in self if known.device_id == device_id), None)

    def __iter__(self) -> Iterator[SensorKey]:
        """Yield all sensors; one whose key the keyring lost is left out."""
        for device_id, row in self._read().items():
            text = row.get("key") or self._from_ring(device_id)
            if text:
                yield SensorKey(device_id, row.get("name", ""), self._parse(text, device_id))

    def save(self, device_id: str, name: str, key: bytes) -> str:
        """Keep a key and return where; the file is replaced as a whole or not at all."""
        if len(key) != KEY_BYTES:
            raise KeyStoreError(f"key of {len(key)} bytes, expected {KEY_BYTES}")
        rows = self._read()
        in_ring = self._into_ring(device_id, key)
        rows[device_id] = {"name": name} if in_ring else {"name": name, "key": key.hex()}
        self._write(rows)
        return "the system's keyring" if in_ring else str(self._file)

    def _parse(self, text: str, device_id: str) -> bytes:
        with suppress(ValueError):
            if len(key := bytes.fromhex(text)) == KEY_BYTES:
                return key
        raise KeyStoreError(
            f"{self._file}: the key of {device_id} is damaged: run tiltwise setup for that sensor again"
        )

    def _from_ring(self, device_id: str) -> str | None:
        return None if self._ring is None else self._ring.get_password(SERVICE, device_id)

    def _into_ring(self, device_id: str, key: bytes) -> bool:
        """Keep the key in the keyring if it lets us; a locked one raises errors of its backend's own kind."""
        if self._ring is None:
            return False
        try:
            self._ring.set_password(SERVICE, device_id, key.hex())
            return self._ring.get_password(SERVICE, device_id) == key.hex()
        except Exception:  # noqa: BLE001  every backend has its own errors; the private file serves as well
            return False

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise KeyStoreError(
                f"{self._file} is damaged ({error}): move it away and set the sensors up again"
            ) from None
        if not isinstance(data, dict) or not all(isinstance(row, dict) for row in data.values()):
            raise KeyStoreError(
                f"{self._file} is not a list of keys: move it away and set the sensors up again"
            )
        return data

    def _write(self, rows: dict[str, dict[str, str]]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".keys-", dir=self._file.parent)  # mkstemp: mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(rows, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def known_boards() -> list[Known]:
    """Return the boards that this computer has the keys of."""
    store = KeyStore(data_folder() / "keys.json", system_keyring())
    return [
        Known(bytes.fromhex(row.device_id), printable(row.name or row.device_id, 40), row.key)
        for row in store
    ]
