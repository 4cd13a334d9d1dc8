"""Frames and sources for the tests of a live session: the demo's own frames, handed over as a radio would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from types import TracebackType, UnionType
from typing import TypeVar

from tiltwise.app.demo import demo_settings
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.config.settings import Settings
from tiltwise.link.source import Chunk
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import Command, LiveEvents, LiveWarning
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.store.writer import Store
from tiltwise.types import Mount

STARTED_S = 1_772_000_000.0  # 2026-02-25 06:13:20 UTC
E = TypeVar("E")
Frames = list[tuple[float, bytes]]


def demo_frames(folder: Path) -> Frames:
    """Return (received_s, frame) of the demo, some of which wait for no acknowledgement."""
    recording = read_frames(folder / "demo.tw")
    return list(zip(recording.received_s.tolist(), recording.frames, strict=True))


SHORT = demo_settings(Settings())  # alerts within a story of a few minutes


def session(
    folder: Path | None = None,
    *,
    settings: Settings | None = None,
    recorder: RecordingWriter | None = None,
    store: Store | None = None,
) -> LiveSession:
    """Return a session at the neck that begins with the ritual and stores into `folder`."""
    if folder is not None and store is None:
        store = Store(folder, min_free_bytes=0)
    return open_session(
        Worn(mount=Mount.NECK),
        settings=settings or SHORT,
        started_utc_s=STARTED_S,
        device="test",
        store=store,
        recorder=recorder,
    )


def play(to: LiveSession, frames: Frames) -> list[LiveEvents]:
    """Hand all frames over and finish; return all updates."""
    return [*(to.receive(t_s, frame) for t_s, frame in frames), to.finish()]


def of(kind: type[E] | UnionType, updates: Iterable[LiveEvents]) -> list[E]:
    """Return the events of one kind, in order."""
    return [event for events in updates for event in events if isinstance(event, kind)]


def commands(*updates: LiveEvents) -> list[bytes]:
    """Return what was to be sent to the board."""
    return [command.data for command in of(Command, updates)]


def warnings(*updates: LiveEvents) -> list[str]:
    """Return the texts of warnings."""
    return [warning.text for warning in of(LiveWarning, updates)]


def levels(*updates: LiveEvents) -> list[NoticeLevel]:
    """Return the levels of the notices given."""
    return [notice.level for notice in of(Notice, updates)]


def acknowledged(commands: Sequence[bytes]) -> list[tuple[int, int, int]]:
    """Return (boot, seq, credits) of acknowledgements; fails on commands that are neither these nor for the motor."""
    found = []
    for command in commands:
        _, opcode, _, payload = wire.open_command(command)
        if opcode == wire.OP_MOTOR:
            continue
        assert opcode == wire.OP_ACK
        found.append(
            tuple(int.from_bytes(payload[a:b], "little") for a, b in ((0, 2), (2, 6), (6, 8))),
        )
    return found  # type: ignore[return-value]


def stored_seqs(folder: Path) -> set[int]:
    """Return the sequence numbers of all frames in a store."""
    with Store.open_readonly(folder) as reader:
        return {unpack_header(frame.data)[3] for frame in reader.frames(0, 4e9)}


class ListSource:
    """A source that gives prepared frames and remembers what was sent to it."""

    def __init__(self, frames: Frames, *, stop_after: int | None = None) -> None:
        self._frames, self._stop_after = frames, stop_after
        self.sent: list[bytes] = []
        self.is_open = False

    async def __aenter__(self) -> ListSource:
        self.is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_open = False

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Give the frames; cancel the task that listens after `stop_after` of them, as Ctrl-C does."""
        for k, (t_s, frame) in enumerate(self._frames):
            if k == self._stop_after:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            await asyncio.sleep(0)
            yield Chunk(t_s, frame)

    async def send(self, command: bytes, /) -> None:
        """Remember a command."""
        self.sent.append(command)
