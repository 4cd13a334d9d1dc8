"""In the place of a StoreSink when no store is kept: only the recording, if there is one, makes frames durable."""

from __future__ import annotations

from tiltwise.decode.decoder import Decoder
from tiltwise.live.backfill.store_sink import Kept
from tiltwise.live.session_recording import NoRecording


class NoStore:
    """Takes what a StoreSink takes and stores nothing."""

    def __init__(self, recording: NoRecording, decoder: Decoder) -> None:
        self._recording, self._decoder = recording, decoder

    def ignore(self, *_: object) -> None:
        """Store nothing."""

    add_frame = add_gap = update = add_clock_fit = ignore

    def commit(self) -> Kept:
        """Force the recording to the disk; what it has without a hole is durable."""
        if not self._recording.sync():
            return Kept()
        seen = self._decoder.acknowledgeable()
        return Kept() if seen is None else Kept((seen,))

    def close(self) -> str:
        """Nothing can go wrong."""
        return ""
