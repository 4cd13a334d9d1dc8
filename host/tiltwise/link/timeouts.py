"""Run Bluetooth calls with a deadline; late results are cleaned up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from tiltwise.errors import reason_of
from tiltwise.link.transport import Connection, Connector, LinkError, Trouble

T = TypeVar("T")


class CallLimits:
    """Runs calls with a time limit; those that outlive it end by themselves, or with `cancel`."""

    def __init__(self) -> None:
        self._leftovers: set[asyncio.Task[Any]] = set()

    async def limited_call(self, what: Coroutine[Any, Any, T], seconds: float, line: str) -> T:
        """Await a call for so long at most, even one that ignores being cancelled; LinkError says `line`."""
        task = asyncio.get_running_loop().create_task(what)
        try:
            done, _ = await asyncio.wait([task], timeout=seconds)
        except asyncio.CancelledError:
            task.cancel()
            self.adopt(task)
            raise
        if not done:
            task.cancel()
            self.adopt(task)
            raise LinkError(Trouble.LOST, f"{line} ({seconds:g} s)")
        return result_of(task)

    async def connect(self, connector: Connector, address: str, seconds: float) -> Connection:
        """Connect; a connection that comes after its time is closed again, or it would hold the board."""
        task = asyncio.get_running_loop().create_task(connector.connect(address))
        try:
            done, _ = await asyncio.wait([task], timeout=seconds)
        except asyncio.CancelledError:
            self.adopt(task)
            task.cancel()
            raise
        if not done:
            self.adopt(task)
            task.cancel()
            task.add_done_callback(self._close_late)
            raise LinkError(Trouble.LOST, f"connecting took more than {seconds:g} s")
        return result_of(task)

    async def close(self, connection: Connection, seconds: float) -> None:
        """Close within so long; a close that hangs goes on by itself."""
        task = asyncio.get_running_loop().create_task(connection.close())
        self.adopt(task)
        await asyncio.wait([task], timeout=seconds)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Let a task end by itself, and read its error so that asyncio does not report it."""
        self._leftovers.add(task)
        task.add_done_callback(self._forget)

    def cancel(self) -> None:
        """End what still runs."""
        for task in self._leftovers:
            task.cancel()

    def _close_late(self, task: asyncio.Task[Connection]) -> None:
        if not task.cancelled() and task.exception() is None:
            self.adopt(asyncio.get_running_loop().create_task(task.result().close()))

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._leftovers.discard(task)
        if not task.cancelled():
            task.exception()


def result_of(task: asyncio.Task[T]) -> T:
    """Return what a task brought; what a system's Bluetooth raises counts as a lost connection."""
    try:
        return task.result()
    except LinkError:
        raise
    except (OSError, EOFError, TimeoutError) as error:
        raise LinkError(
            Trouble.LOST, f"the connection failed ({type(error).__name__}: {reason_of(error)})"
        ) from error
    except asyncio.CancelledError:
        raise LinkError(Trouble.LOST, "the connection was given up") from None


def steady_s() -> float:
    """Return seconds of a clock that also runs while the computer sleeps, and that nobody sets."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # Linux; macOS, where time.monotonic() stops in sleep
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.monotonic()
