"""The one sentence that a day or a longer time begins with: how long, mostly when, the longest, and against before.

Times in s. Words of the mount: only a sensor on the head sees looking down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiltwise.report.history.totals import LOOKING_DOWN_DEG, Totals
from tiltwise.report.style import duration_text
from tiltwise.types import Mount

_DID = {
    Mount.HEAD: "You looked down",
    Mount.NECK: "Your neck was bent forward",
    Mount.COLLAR: "Your upper back leaned forward",
}
_OWN_DID = "Your neck was bent forward"  # with a second sensor on the collar
_LEAST_S = 60.0  # of upright time; with less there is nothing to say
_LIKE_LENGTHS = 0.8  # of upright time: times of less like length are compared by share, not by minutes
_SAME_S = 60.0
_SAME_POINTS = 1.0
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Before:
    """What is compared with: its name ("yesterday", "the week before") and sums."""

    name: str
    totals: Totals


def opening(
    totals: Totals,
    mount: Mount,
    *,
    parts: Mapping[str, Totals],
    longest_s: float | None,
    before: Before | None = None,
    is_pair: bool = False,
) -> str:
    """Return the sentence.

    Parameters
    ----------
    totals, mount, is_pair
        What was seen, from where; is_pair with a second sensor on the collar.
    parts
        Hours, days or months of it by a name that fits into "most of it ...": "between 10 and 11", "on Tuesday".
    longest_s
        Longest spell, None where that is not known.
    before
        The time before; None for the first.
    """
    did = _OWN_DID if is_pair else _DID[mount]
    if totals.posture_s < _LEAST_S:
        return (
            "There is too little upright time to say anything."
            if totals.covered_s > 0
            else "Nothing was recorded."
        )
    beyond = f"{LOOKING_DOWN_DEG} deg or more"
    if totals.down_s < 1:
        return f"{did} by {beyond} at no time in {duration_text(totals.posture_s)} upright{_than(totals, before)}."
    text = f"{did} ({beyond}) for {duration_text(totals.down_s)}{_mostly(totals, parts)}"
    if longest_s:
        text += f"; longest {duration_text(longest_s)}"
    return f"{text}{_than(totals, before)}."


def _mostly(totals: Totals, parts: Mapping[str, Totals]) -> str:
    """Return in which part most of it was, or the largest share of it."""
    if len(parts) < 2:
        return ""
    name, part = max(parts.items(), key=lambda item: item[1].down_s)
    share = part.down_s / totals.down_s
    words = "most of it" if share > _MOST else f"the most ({duration_text(part.down_s)})"
    return f", {words} {name}"


def _than(totals: Totals, before: Before | None) -> str:
    """Return how it compares: in minutes for times of like length, otherwise by share."""
    if before is None or before.totals.posture_s < _LEAST_S:
        return ""
    lengths = sorted((totals.posture_s, before.totals.posture_s))
    if lengths[0] >= _LIKE_LENGTHS * lengths[1]:
        more = totals.down_s - before.totals.down_s
        if abs(more) < _SAME_S:
            return f"; about as long as {before.name}"
        return f"; {duration_text(abs(more))} {'more' if more > 0 else 'less'} than {before.name}"
    points = totals.percent() - before.totals.percent()
    if abs(points) < _SAME_POINTS:
        return f"; about the same share of the time as {before.name}"
    how = "more" if points > 0 else "less"
    shares = f"{totals.percent():.0f} % of the time upright, {before.totals.percent():.0f} % {before.name}"
    return f"; {how} than {before.name} by share ({shares})"
