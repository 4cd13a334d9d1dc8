"""Local days as UTC times: 23, 24 or 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tiltwise.store.files.schema import StoreError

_US = 1_000_000


def zone_info(name: str) -> ZoneInfo:
    """Return a time zone by IANA name; StoreError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise StoreError(
            f"time zone {name!r} is not known: expected an IANA name such as Europe/Berlin"
        ) from error


def day_bounds_us(day: date, zone: str) -> tuple[int, int]:
    """Return [start, end) of a local day in UTC us: 23, 24 or 25 hours."""
    tz = zone_info(zone)
    bounds = (
        datetime(d.year, d.month, d.day, tzinfo=tz).astimezone(UTC) for d in (day, day + timedelta(days=1))
    )
    start, end = (round(t.timestamp()) * _US for t in bounds)
    return start, end
