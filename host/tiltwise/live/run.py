"""The event loop round a session: awaits the source, hands frames in, sends commands back, shows notices.

Stops cleanly at the end of the source, on Ctrl-C and on SIGTERM: what was received is stored before it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

from tiltwise.errors import AppError
from tiltwise.link.source import Source
from tiltwise.live.desktop import Desktop
from tiltwise.live.live_session import LiveSession, LiveUpdate

OnUpdate = Callable[[float, LiveUpdate], None]


async def run_live(
    source: Source, session: LiveSession, on_update: OnUpdate, *, desktop: Desktop | None = None
) -> None:
    """Run a session until its source ends or the task is cancelled; `on_update` gets the received time."""
    received_s = 0.0
    shown: set[asyncio.Task[bool]] = set()
    try:
        async with source:
            async for chunk in source.chunks():
                received_s = chunk.received_s
                live = session.receive(received_s, chunk.data)
                for command in live.commands:
                    await source.send(command)
                if desktop is not None:
                    _notify(desktop, live, shown)
                on_update(received_s, live)
    finally:
        on_update(received_s, session.finish())
        for task in shown:
            task.cancel()


def run_until_stopped(
    source: Source, session: LiveSession, on_update: OnUpdate, *, desktop: Desktop | None = None
) -> None:
    """Run a session to its end in an event loop of its own; SIGTERM counts as Ctrl-C.

    AppError when the disk refused to the end and something could not be kept.
    """

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in its loop
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await run_live(source, session, on_update, desktop=desktop)

    try:
        asyncio.run(main())
    except (asyncio.CancelledError, KeyboardInterrupt):
        if not session.unsaved:
            raise KeyboardInterrupt from None
    if session.unsaved:
        raise AppError(session.unsaved)


def _notify(desktop: Desktop, live: LiveUpdate, shown: set[asyncio.Task[bool]]) -> None:
    """Show notices without making the stream wait."""
    for notice in live.notices:
        task = asyncio.get_running_loop().create_task(desktop.show(notice.title, notice.text))
        shown.add(task)
        task.add_done_callback(shown.discard)
