"""`tiltwise.follow`: the live stream for other programs, without store, alerts or terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tiltwise.common import wire
from tiltwise.config.address import open_source
from tiltwise.decode.decoder import Decoder, Item
from tiltwise.link.source import Source
from tiltwise.live import sources as _sources  # registers sim:, ble: and serial:
from tiltwise.live.acknowledgements import DecodedCounts
from tiltwise.live.run import pump
from tiltwise.live.wearer.live_events import LiveEvents
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ImuBlock, OrientationBlock, Update

__all__ = ["_sources", "follow", "open_source"]


class _TrackingSession:
    """Decoder and tracker of the first sensor; what was decoded counts as received."""

    def __init__(self, profile: TrackerSettings) -> None:
        self._tracker = Tracker(profile)
        self._frames = DecodedCounts(Decoder())

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        if chunk and not wire.is_frame(chunk):
            return ()  # an answer of the board
        acks, items = self._frames.feed(received_s, chunk)
        return (*acks, *self._track(items))

    def finish(self) -> LiveEvents:
        return tuple(self._track(self._frames.decoder.flush()))

    def _track(self, items: list[Item]) -> list[Update]:
        return [
            self._tracker.process(item)
            for item in items
            if isinstance(item, ImuBlock | OrientationBlock) and item.sensor == 0
        ]


async def follow(source: Source, *, profile: TrackerSettings) -> AsyncIterator[Update]:
    """Yield an Update for each block that a source brings; the source is entered by the caller.

    Parameters
    ----------
    source
        `async with open_source("sim:desk?speed=20") as source`.
    profile
        How the sensor sits, and the rule.

    Notes
    -----
    What was yielded counts as received: the board may forget it. A program that must lose nothing keeps a recording,
    as `tiltwise watch` does.
    """
    session = _TrackingSession(profile)
    async for _, events in pump(source, session):
        for event in events:
            if isinstance(event, Update):
                yield event
    for event in session.finish():
        if isinstance(event, Update):
            yield event
