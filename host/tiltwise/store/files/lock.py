"""One writer per store: a lock that the operating system drops when its holder dies, with a note of who holds it.

A text file beside the locked one carries the holder's process id and since when, for the message to the second one.
"""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from tiltwise.config.atomic_file import exclusive_lock
from tiltwise.store.files.schema import StoreError, explain, make_private

LOCK_NAME = "writer.lock"
_HOLDER_NAME = "writer.json"


class WriterLock:
    """Held from construction to release; raises StoreError when another process holds it."""

    def __init__(self, folder: Path, now_s: float) -> None:
        self._holder = folder / _HOLDER_NAME
        for path in (folder / LOCK_NAME, self._holder):
            make_private(path)
        try:
            self._db = exclusive_lock(folder / LOCK_NAME)
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise StoreError(
                    f"{folder} is being written by {self._who()}: stop that one, or keep a second wearer's days "
                    "apart with --person NAME and a board of their own"
                ) from error
            raise explain(error, folder) from error
        try:
            self._holder.write_text(json.dumps({"pid": os.getpid(), "since_s": now_s}), encoding="utf-8")
        except OSError as error:
            self._db.close()
            raise explain(error, folder) from error

    def _who(self) -> str:
        """Describe the holder as far as its note says."""
        try:
            note = json.loads(self._holder.read_text(encoding="utf-8"))
            since = datetime.fromtimestamp(float(note["since_s"]), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            return f"another tiltwise (process {int(note['pid'])}, since {since})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another tiltwise"  # it is just starting, or its note is damaged

    def release(self) -> None:
        """Let another writer in."""
        self._holder.unlink(missing_ok=True)
        self._db.close()
