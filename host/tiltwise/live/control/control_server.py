"""Answers other programs while a session runs, in its event loop: one question a line, one line for each answer."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from types import TracebackType

from tiltwise.live.control.control_messages import LONGEST_LINE, Answer, Question
from tiltwise.live.control.control_place import ControlPlace, PlaceTakenError
from tiltwise.stored_values import convert

Reply = Callable[[Question], Awaitable[Answer]]


class ControlServer:
    """Use with `async with`; `trouble` says in one line why nobody can ask, or is empty.

    Parameters
    ----------
    place
        Where it is asked.
    reply
        Does what is asked for.
    """

    def __init__(self, place: ControlPlace, reply: Reply) -> None:
        self._place, self._reply = place, reply
        self._secret = ""
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.trouble = ""

    async def __aenter__(self) -> ControlServer:
        try:
            listening, self._secret = self._place.listen()
        except PlaceTakenError as error:
            self.trouble = f"status, snooze and recalibrate do not reach this one: {error}"
            return self
        except OSError as error:
            self.trouble = f"status, snooze and recalibrate do not reach this one ({error.strerror or error})"
            return self
        start = asyncio.start_unix_server if self._place.is_socket else asyncio.start_server
        self._server = await start(self._talk, sock=listening, limit=LONGEST_LINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._place.leave()
        self._server.close()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(OSError, ValueError):  # it went away, or sends a line without an end
                while line := await reader.readline():
                    answer = await self._answer(line)
                    writer.write(json.dumps(asdict(answer)).encode() + b"\n")
                    await writer.drain()
        finally:
            self._talks.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            question = convert(json.loads(line), Question)
        except (ValueError, RecursionError) as error:
            return Answer(error=f"not a question that this version knows ({error})")
        if not hmac.compare_digest(question.secret.encode(), self._secret.encode()):
            return Answer(error="the secret is wrong")
        return await self._reply(question)
