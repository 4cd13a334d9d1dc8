"""In the place of a StoreSink when no store is kept."""

from __future__ import annotations

from tiltwise.live.backfill.store_sink import Kept


class NoStore:
    """Takes what a StoreSink takes and stores nothing."""

    kept = ""

    def ignore(self, *_: object, **__: object) -> None:
        """Store nothing."""

    add_frame = add_gap = update = add_clock_fit = add_told = add_cut = add_exercise = wear_at = ignore

    def commit(self) -> Kept:
        """Nothing is durable."""
        return Kept()

    def close(self) -> str:
        """Nothing can go wrong."""
        return ""
