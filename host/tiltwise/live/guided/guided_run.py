"""The event loop round a guided session: ends when it is over, and looks at keys and the screen while no chunk comes.

Ctrl-C, SIGTERM and SIGHUP end it as in `watch`: what was done is stored before it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from tiltwise.errors import AppError, StoppedError
from tiltwise.link.source import Source
from tiltwise.live.guided.guided_session import GuidedSession
from tiltwise.live.run import pump, run_stoppable, undisturbed
from tiltwise.live.wearer.live_events import LiveEvents

TICK_S = 0.1


async def run_guided(
    source: Source,
    session: GuidedSession,
    on_update: Callable[[float, LiveEvents], None],
    on_tick: Callable[[], None],
) -> None:
    """Run until the session is over, its source ends or the task is cancelled."""
    received_s = 0.0
    over = asyncio.Event()

    async def watch_keys() -> None:
        while not session.is_over:
            on_tick()
            await asyncio.sleep(TICK_S)
        over.set()

    async def follow() -> None:
        nonlocal received_s
        async with contextlib.aclosing(pump(source, session)) as updates:
            async for received_s, events in updates:
                on_update(received_s, events)
                if session.is_over:
                    return

    try:
        async with source:
            tasks = [asyncio.create_task(follow()), asyncio.create_task(watch_keys())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                    raise result
    finally:
        with undisturbed():
            on_update(received_s, session.finish())


def run_guided_until_stopped(
    source: Source,
    session: GuidedSession,
    on_update: Callable[[float, LiveEvents], None],
    on_tick: Callable[[], None],
) -> None:
    """Run a guided session in an event loop of its own.

    Raises
    ------
    StoppedError
        Somebody stopped it; says what was kept.
    AppError
        The disk refused to the end, and something could not be kept.
    """

    is_stopped = run_stoppable(run_guided(source, session, on_update, on_tick))
    if session.unsaved:
        raise AppError(session.unsaved)
    if is_stopped:
        raise StoppedError(f"stopped; kept {session.kept}" if session.kept else "stopped")
