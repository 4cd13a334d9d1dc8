"""Attributes as MicroPython's `bluetooth` keeps them: UUIDs, and values that are cut at the size of their buffer."""

from __future__ import annotations

from dataclasses import dataclass

_DEFAULT_BUFFER = 20


class Uuid:
    """A 16-bit number or a 128-bit text."""

    def __init__(self, value: int | str) -> None:
        self.text = f"{value:04x}" if isinstance(value, int) else value.lower()

    def __bytes__(self) -> bytes:
        return bytes.fromhex(self.text.replace("-", ""))[::-1]


@dataclass(slots=True)
class Value:
    """One attribute: what a peer writes overwrites, or is appended to what was not read yet."""

    data: bytes = b""
    room: int = _DEFAULT_BUFFER
    appends: bool = False

    def read(self) -> bytes:
        """Return it; one that is appended to is empty afterwards."""
        data = self.data
        if self.appends:
            self.data = b""
        return data

    def write(self, data: bytes) -> None:
        """Take what a peer wrote, as far as there is room."""
        self.data = ((self.data if self.appends else b"") + data)[: self.room]
