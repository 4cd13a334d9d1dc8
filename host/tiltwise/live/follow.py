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
from tiltwise.pair_tracker import COLLAR, HEAD, PairTracker
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ImuBlock, OrientationBlock, Update

__all__ = ["_sources", "follow", "open_source"]


class _TrackingSession:
    """Decoder and tracker of one sensor, or of both; what was decoded counts as received."""

    def __init__(self, profile: TrackerSettings, collar: TrackerSettings | None) -> None:
        self._tracker = Tracker(profile) if collar is None else PairTracker(profile, collar)
        self._sensors = (HEAD,) if collar is None else (HEAD, COLLAR)
        self._frames = DecodedCounts(Decoder())

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        if chunk and not wire.is_frame(chunk):
            return ()  # an answer of the board
        acks, items = self._frames.feed(received_s, chunk)
        return (*acks, *self._track(items))

    def finish(self) -> LiveEvents:
        updates = self._track(self._frames.decoder.flush())
        if isinstance(self._tracker, PairTracker):
            updates.append(self._tracker.finish_update())
        return tuple(updates)

    def _track(self, items: list[Item]) -> list[Update]:
        return [
            self._tracker.process(item)
            for item in items
            if isinstance(item, ImuBlock | OrientationBlock) and item.sensor in self._sensors
        ]


async def follow(
    source: Source, *, profile: TrackerSettings, collar: TrackerSettings | None = None
) -> AsyncIterator[Update]:
    """Yield an Update for each block that a source brings; the source is entered by the caller.

    Parameters
    ----------
    source
        `async with open_source("sim:desk?speed=20") as source`.
    profile
        How the sensor sits, and the rule.
    collar
        The same for a second sensor, on the collar. Each update is then a PairUpdate, whose `judged` are the neck's
        own angles, and `upper_back` those of the collar.

    Notes
    -----
    What was yielded counts as received: the board may forget it. A program that must lose nothing keeps a recording,
    as `tiltwise watch` does.
    """
    session = _TrackingSession(profile, collar)
    async for _, events in pump(source, session):
        for event in events:
            if isinstance(event, Update):
                yield event
    for event in session.finish():
        if isinstance(event, Update):
            yield event
