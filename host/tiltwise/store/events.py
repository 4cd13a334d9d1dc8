"""Events become JSON text with their device times, and back with UTC times."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import Any

from tiltwise import types
from tiltwise.decode.messages import BoardEvent
from tiltwise.store.files.schema import StoreError
from tiltwise.stored_values import convert
from tiltwise.types import AlertHeldBack, AlertsAlone, Event, NoticeGiven

StoredEvent = Event | BoardEvent | AlertHeldBack | AlertsAlone | NoticeGiven

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        types.EpisodeStarted,
        types.EpisodeAlert,
        types.EpisodeEnded,
        types.ActivityChanged,
        types.RepCompleted,
        types.StepPrompt,
        types.SignalGap,
        types.AlertHeldBack,
        types.NoticeGiven,
        types.MovementDue,
        types.MovementDone,
        types.ShouldersRaised,
        types.AlertsAlone,
        BoardEvent,
    )
}
# Fields that came after version 0.1: rows without them stay as they were.
_LATER = {"loaded_s": 0.0, "reason": "", "since_s": None}
_DURATIONS = ("hold_s", "loaded_s")  # every other field in s is a time


def encode_event(event: StoredEvent) -> tuple[str, str]:
    """Return (kind, JSON) of an event; its times stay device times.

    The text is part of what makes a row unique: another order or spacing would store an event twice.
    """
    values = asdict(event)
    for name, default in _LATER.items():
        if name in values and values[name] == default:
            del values[name]
    return type(event).__name__, json.dumps(values, sort_keys=True)


def decode_event(kind: str, data: str, utc_s: float) -> StoredEvent | None:
    """Return the event with every time moved to UTC, None for a kind that this version does not know.

    Raises
    ------
    StoreError
        When the row is damaged.
    """
    cls = _KINDS.get(kind)
    if cls is None:
        return None
    try:
        event: StoredEvent = convert(json.loads(data), cls)
    except ValueError as error:
        raise StoreError(
            f"the store holds a damaged {kind} ({error}): erase that day with `tiltwise data --erase`"
        ) from error
    shift_s = utc_s - event.t_s
    times = [f.name for f in fields(cls) if f.name.endswith("_s") and f.name not in _DURATIONS]
    moved = {name: value + shift_s for name in times if (value := getattr(event, name)) is not None}
    return replace(event, **moved)


def within_day(event: types.EpisodeEnded, start_s: float, end_s: float) -> types.EpisodeEnded:
    """Return an episode's part of the day [start_s, end_s), UTC s."""
    return replace(event, start_s=max(event.start_s, start_s), end_s=min(event.end_s, end_s))
