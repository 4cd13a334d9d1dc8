"""One session with a board, for a question or two: find it, prove the key, speak, and leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from tiltwise.link.board_connection import BoardConnection
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.timeouts import CallLimits
from tiltwise.link.transport import Connection, Connector, LinkError, Trouble

FIND_S, CONNECT_S, SUBSCRIBE_S, CLOSE_S = 30.0, 20.0, 20.0, 5.0
MOST_BOARDS = 8  # that are tried; the likeliest come first

Answer = TypeVar("Answer")


async def with_board(
    connector: Connector,
    keys: Sequence[KeyedBoard],
    talk: Callable[[BoardConnection], Awaitable[Answer]],
    *,
    take_over: bool = False,
) -> Answer:
    """Let `talk` speak with the first board that proves one of the keys, and return what it returns.

    Raises
    ------
    LinkError : no board is there, none of them is ours, or another program holds it
    """
    calls = CallLimits()
    try:
        found = await calls.limited_call(connector.find(), FIND_S, "looking for boards takes too long")
        trouble = LinkError(Trouble.ABSENT, "no board is there: switch it on and bring it near")
        for candidate in found[:MOST_BOARDS]:
            try:
                connection = await calls.connect(connector, candidate.address, CONNECT_S)
                async with _opened(calls, connection, keys, take_over) as peer:
                    return await talk(peer)
            except LinkError as error:
                if error.trouble is Trouble.BUSY:
                    raise
                trouble = error
        raise trouble
    finally:
        calls.cancel()


@contextlib.asynccontextmanager
async def _opened(
    calls: CallLimits, connection: Connection, keys: Sequence[KeyedBoard], take_over: bool
) -> AsyncIterator[BoardConnection]:
    peer = BoardConnection(
        connection.write_ctrl, keys, is_cable=connection.is_cable, may_take_over=lambda _open_s: take_over
    )
    listening: asyncio.Task[None] | None = None
    try:
        stream = await calls.limited_call(
            connection.notifications(), SUBSCRIBE_S, "subscribing takes too long"
        )
        listening = asyncio.get_running_loop().create_task(_listen(stream, peer))
        await peer.open(b"" if connection.is_cable else await connection.read_info())
        yield peer
    finally:
        if listening is not None:
            listening.cancel()
            calls.adopt(listening)
        await calls.close(connection, CLOSE_S)


async def _listen(stream: AsyncIterator[tuple[str, bytes]], peer: BoardConnection) -> None:
    async for where, data in stream:
        peer.feed(where, data)
