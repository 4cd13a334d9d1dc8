"""Events become JSON text with their device times, and back with UTC times."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tiltwise import types
from tiltwise.types import Event

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
    )
}
_ENUMS: dict[str, type[Any]] = {"kind": types.PostureKind, "activity": types.Activity, "side": types.Side}


def encode_event(event: Event) -> tuple[str, str]:
    """Return (kind, JSON) of an event; its times stay device times."""
    fields = {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}
    return type(event).__name__, json.dumps(fields, sort_keys=True)


def decode_event(kind: str, data: str, utc_s: float) -> Event | None:
    """Return the event with every time moved to UTC, None for a kind that this version does not know."""
    cls = _KINDS.get(kind)
    if cls is None:
        return None
    fields = json.loads(data)
    shift = utc_s - fields["t_s"]
    known = {f.name for f in dataclasses.fields(cls)}
    values = {name: _decoded(name, value, shift) for name, value in fields.items() if name in known}
    event: Event = cls(**values)
    return event


def _decoded(name: str, value: Any, shift_s: float) -> Any:
    if value is None:
        return None
    if name in _ENUMS:
        return _ENUMS[name](value)
    if name.endswith("_s") and name != "hold_s":  # hold_s is a duration
        return float(value) + shift_s
    return value
