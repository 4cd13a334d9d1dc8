"""The wearer's time zone by its IANA name, because offsets change and days are local."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal


def local_zone_name() -> str:
    """Return the zone of this computer, UTC when it cannot be told."""
    try:
        name = tzlocal.get_localzone_name()
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, LookupError):  # an odd TZ variable or /etc/localtime
        return "UTC"
    return name


def is_zone(name: str) -> bool:
    """Tell whether this computer knows a zone by this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False  # also a folder of zones, a path out of it, a name too long
    return True
