"""`tiltwise.follow`: the live stream for other programs, without store, alerts or terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tiltwise.common import wire
from tiltwise.config.address import open_source
from tiltwise.decode.decoder import Decoder
from tiltwise.link.commands import Acknowledger
from tiltwise.link.source import Chunk, Source
from tiltwise.live import sources as _sources  # registers sim:
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ImuBlock, OrientationBlock, Update

__all__ = ["follow", "open_source"]

_ACK_EVERY = 16  # frames; the board sends 64 without one

assert _sources  # imported for its registration


async def follow(source: Source, *, profile: TrackerSettings) -> AsyncIterator[Update]:
    """Yield an Update for each block that a source brings; the source is entered by the caller.

    Parameters
    ----------
    source : `async with open_source("sim:desk?speed=20") as source`.
    profile : how the sensor sits, and the rule.

    Notes
    -----
    What was yielded counts as received: the board may forget it. A program that must lose nothing keeps a recording,
    as `tiltwise watch` does.
    """
    decoder, tracker, acks = Decoder(), Tracker(profile), Acknowledger()
    async for k, chunk in _numbered(source.chunks()):
        if k % _ACK_EVERY == 0 and (seen := decoder.acknowledgeable()) is not None:
            await source.send(acks.ack(*seen))
        if chunk.data and not wire.is_frame(chunk.data):
            continue  # an answer of the board
        for item in decoder.feed(chunk.data):
            if isinstance(item, (ImuBlock, OrientationBlock)) and item.sensor == 0:
                yield tracker.process(item)
    for item in decoder.flush():
        if isinstance(item, (ImuBlock, OrientationBlock)) and item.sensor == 0:
            yield tracker.process(item)


async def _numbered(chunks: AsyncIterator[Chunk]) -> AsyncIterator[tuple[int, Chunk]]:
    k = 0
    async for chunk in chunks:
        k += 1
        yield k, chunk
