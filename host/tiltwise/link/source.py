"""Where frames come from, chosen by an address: `replay:FILE?speed=8`, `sim:SCENARIO?minutes=5`, `ble:`, `serial:`.

Every source gives chunks of wire bytes, one frame each, so what comes after cannot tell them apart. Other rooms
bring their sources in with register().
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Chunk:
    """One frame as it arrived: received_s on the clock of the source (growing, any origin), data without framing."""

    received_s: float
    data: bytes


class Source(Protocol):
    """Gives frames and takes commands; use with `async with`. It ends when chunks() ends."""

    async def __aenter__(self) -> Source: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def chunks(self) -> AsyncIterator[Chunk]:
        """Give frames as they come."""
        ...

    async def send(self, command: bytes, /) -> None:
        """Send a packed command; sources that cannot answer ignore it."""
        ...
