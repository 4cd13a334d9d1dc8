"""Minutes of several sensors -> those of one wearer: no minute of a day is counted twice.

Two boards of one person that record at once (a spare beside the usual one, recordings put together later) must not
make a day of twice its length, nor an angle that is half of each. In each minute one of them counts: the one worn
most on that day, or the other while that one was off. Times in us, durations in s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


MINUTE_S = 60.0
_MINUTE_US = round(MINUTE_S * 1e6)
_TOLERANCE_S = 1.0  # of clocks that are still being learnt


@dataclass(frozen=True, slots=True)
class DeviceMinute(Generic[T]):
    """A row of a device in the minute from start_us; seconds covered and worn are 0 beside its first sensor."""

    start_us: int
    device: str
    covered_s: float
    worn_s: float
    row: T


@dataclass(frozen=True, slots=True)
class OneWearer(Generic[T]):
    """The rows that count, the device that counts in each doubled minute, and the seconds worn of the others."""

    rows: list[T]
    device_of: dict[int, str]
    left_out_s: dict[str, float]


def one_wearer(minutes: Iterable[DeviceMinute[T]]) -> OneWearer[T]:
    """Choose the device that counts in each minute that several filled; one after the other they may share it."""
    minutes = list(minutes)
    worn_s: dict[str, float] = {}
    in_minute: dict[int, dict[str, float]] = {}
    covered_s: dict[int, float] = {}
    for minute in minutes:
        worn_s[minute.device] = worn_s.get(minute.device, 0.0) + minute.worn_s
        there = in_minute.setdefault(minute.start_us, {})
        there[minute.device] = there.get(minute.device, 0.0) + minute.worn_s
        covered_s[minute.start_us] = covered_s.get(minute.start_us, 0.0) + minute.covered_s
    shared = {start for start, there in in_minute.items() if len(there) > 1}
    doubled = {start for start in shared if covered_s[start] > MINUTE_S + _TOLERANCE_S}
    # In the minutes in which they begin or end together there is too little of both to tell by itself.
    doubled |= {start for start in shared if {start - _MINUTE_US, start + _MINUTE_US} & doubled}
    device_of = {
        start: max(there, key=lambda name: (there[name] > 0, worn_s[name], name))
        for start, there in in_minute.items()
        if start in doubled
    }
    left_out: dict[str, float] = {}
    rows = []
    for minute in minutes:
        if device_of.get(minute.start_us, minute.device) == minute.device:
            rows.append(minute.row)
        else:
            left_out[minute.device] = left_out.get(minute.device, 0.0) + minute.worn_s
    return OneWearer(rows, device_of, {name: seconds for name, seconds in left_out.items() if seconds > 0})
