"""Episodes that an outage cut: what was seen live before and after it, and what came late between, is one posture.

The rows stay as they were stored, each as somebody saw it at the time; only who reads a day gets them joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tiltwise.types import EpisodeEnded, PostureKind

# The longest hole that an episode survives (common/rule.py): no correction can hide in it.
_MOST_HOLE_S = 3.0
_BY_WEARERS_RULE = (PostureKind.FORWARD_FLEXION, PostureKind.UPPER_BACK_FORWARD_TILT)


@dataclass(frozen=True, slots=True)
class EpisodePart:
    """A stored episode.

    Parameters
    ----------
    event
        With UTC times.
    start_of
        Device and boot: a board that was off in between is not watched through.
    is_late
        It came with a backfill.
    alert_after_s
        The time of the simple rule that was in force, s; None: by dose, or not known.
    """

    event: EpisodeEnded
    start_of: tuple[object, object]
    is_late: bool
    alert_after_s: float | None


def join_episodes(parts: Iterable[EpisodePart]) -> list[EpisodeEnded]:
    """Return the episodes in order of their beginning; parts that a backfill makes whole are one."""
    found: list[EpisodePart] = []
    newest: dict[tuple[object, PostureKind], int] = {}
    for part in sorted(parts, key=lambda part: part.event.start_s):
        key = part.start_of, part.event.kind
        before = newest.get(key)
        if before is not None and _goes_on(found[before], part):
            found[before] = _joined(found[before], part)
        else:
            newest[key] = len(found)
            found.append(part)
    return [part.event for part in found]


def _goes_on(before: EpisodePart, part: EpisodePart) -> bool:
    is_near = part.event.start_s - before.event.end_s <= _MOST_HOLE_S
    return is_near and not before.event.is_corrected and (before.is_late or part.is_late)


def _joined(before: EpisodePart, part: EpisodePart) -> EpisodePart:
    first, last = before.event, part.event
    alert_s = last.alert_s if first.alert_s is None else first.alert_s
    after_s = part.alert_after_s if first.kind in _BY_WEARERS_RULE else None
    if after_s is not None and last.end_s - first.start_s >= after_s:
        due_s = first.start_s + after_s  # in one piece it would have been due then
        alert_s = due_s if alert_s is None else min(alert_s, due_s)
    event = replace(last, start_s=first.start_s, peak_deg=max(first.peak_deg, last.peak_deg), alert_s=alert_s)
    return replace(part, event=event, is_late=True)
