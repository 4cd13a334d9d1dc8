"""Zips of Sensor Logger: which way its accelerations point, and which of its tables lack gravity.

On an iPhone gravity and acceleration have a table each and both point the other way than on Android, unless
"Standardise Units & Frames" was on (its CROSSPLATFORM.md); a table called Metadata says which it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import PurePosixPath

GRAVITY = "gravity"  # the table's name
NO_GRAVITY = "accelerometer"  # and that of the acceleration without it
_COLUMN = "seconds_elapsed"  # of every table of Sensor Logger, and of no other program's


def points_down(tables: Sequence[tuple[str, bytes]]) -> bool | None:
    """Return whether an acceleration at rest points down in these tables (name, text); None when they do not say."""
    for name, text in tables:
        if PurePosixPath(name).stem.lower() != "metadata":
            continue
        rows = csv.DictReader(io.StringIO(text.decode("utf-8-sig", "replace")))
        said = {str(key).strip().lower(): str(value).strip().lower() for key, value in next(rows, {}).items()}
        if "platform" in said:
            return said["platform"] == "ios" and said.get("standardisation") != "true"
    return None


def is_sensor_logger(names: Sequence[str]) -> bool:
    """Whether columns of these names were written by Sensor Logger."""
    return _COLUMN in names
