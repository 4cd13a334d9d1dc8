"""The tail: the newest frames in core.db as received, until a minute of them becomes chunks in a month file.

Times are UTC epoch us.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from tiltwise.store import schema
from tiltwise.store.codec import StoredFrame, pack_tail

_MOST_US = 60_000_000  # the tail becomes chunks when it spans a minute,
_MOST_FRAMES = 3000  # or in a backfill burst ten minutes of frames


class Tail:
    """The writer's side of the table `tail`, and how much it holds."""

    def __init__(self, core: sqlite3.Connection) -> None:
        self._core = core
        self._note()

    def _note(self) -> None:
        """Learn how much the tail holds, so that it becomes chunks in time."""
        self._frames, self._span_us = 0, [2**62, -(2**62)]
        for (times,) in self._core.execute("SELECT utc_us FROM tail"):
            self.extend(np.frombuffer(times, dtype="<i8").tolist())

    def extend(self, times_us: Sequence[int]) -> None:
        """Count frames that are in the table now."""
        self._frames += len(times_us)
        self._span_us = [min(self._span_us[0], *times_us), max(self._span_us[1], *times_us)]

    @property
    def is_due(self) -> bool:
        """Tell whether the tail should become chunks."""
        return self._frames >= _MOST_FRAMES or self._span_us[1] - self._span_us[0] >= _MOST_US

    def insert(self, key: tuple[int, int], frames: Sequence[StoredFrame]) -> None:
        """Write frames of a (device, boot) within the caller's transaction; `extend` when that is through."""
        self._core.execute(
            "INSERT INTO tail (device_id, boot, utc_us, frames) VALUES (?, ?, ?, ?)",
            (*key, *pack_tail(frames)),
        )

    def rows(self) -> list[tuple[int, str, bytes, bytes]]:
        """Return all rows (id, device, times, frames), oldest first."""
        sql = "SELECT tail.id, name, utc_us, frames FROM tail JOIN device ON device.id = device_id ORDER BY 1"
        return self._core.execute(sql).fetchall()

    def drop(self, rows: Sequence[tuple[int, str, bytes, bytes]]) -> None:
        """Forget rows whose frames are durable elsewhere."""
        if rows:
            with schema.transaction(self._core):
                self._core.execute("DELETE FROM tail WHERE id <= ?", (rows[-1][0],))
        self._note()
