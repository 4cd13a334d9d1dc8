"""Whether a stored day adds up: each second is measured, or a gap with its cause, and none is counted twice.

Times in s on one axis.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tiltwise.report.aggregate import MINUTE_S
from tiltwise.report.day_summary import Gap

# Of a minute: a clock that is still being learnt, and the last sample before a gap, which stands for no time.
TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of a minute with samples, or by the board's own summary only (is_coarse: it stands in a gap)."""

    start_s: float
    seconds: float
    is_coarse: bool = False


@dataclass(frozen=True, slots=True)
class TimeCheck:
    """Seconds that are in no minute and no gap, and seconds that are in two; those of the worst minute first."""

    unexplained_s: float
    double_s: float
    minutes: tuple[tuple[float, float], ...] = ()  # (start_s, seconds: + unexplained, - counted twice)

    @property
    def is_ok(self) -> bool:
        """Whether every second is somewhere, once."""
        return not self.minutes


def check_time(measured: Iterable[Measured], gaps: Sequence[Gap]) -> TimeCheck:
    """Compare the minutes of one device with its gaps, between its first and its last measured minute."""
    exact: dict[float, float] = defaultdict(float)
    coarse: dict[float, float] = defaultdict(float)
    for row in measured:
        (coarse if row.is_coarse else exact)[row.start_s] += row.seconds
    starts = sorted({*exact, *coarse})
    if not starts:
        return TimeCheck(0.0, 0.0)
    missing = _gap_seconds(gaps, starts[0], starts[-1] + MINUTE_S)
    wrong = []
    for k in range(round((starts[-1] - starts[0]) / MINUTE_S) + 1):
        start_s = starts[0] + k * MINUTE_S
        known_s = exact[start_s] + max(missing[start_s], coarse[start_s])
        is_edge = start_s in (starts[0], starts[-1])
        if (known_s < MINUTE_S - TOLERANCE_S and not is_edge) or known_s > MINUTE_S + TOLERANCE_S:
            wrong.append((start_s, MINUTE_S - known_s))
    return TimeCheck(
        sum(seconds for _, seconds in wrong if seconds > 0),
        -sum(seconds for _, seconds in wrong if seconds < 0),
        tuple(sorted(wrong, key=lambda pair: -abs(pair[1]))),
    )


def _gap_seconds(gaps: Sequence[Gap], start_s: float, end_s: float) -> dict[float, float]:
    """Return by minute how many of its seconds lie in gaps; where two overlap they count once."""
    found: dict[float, float] = defaultdict(float)
    at_s = start_s
    for gap in sorted(gaps, key=lambda gap: gap.start_s):
        first_s, last_s = max(gap.start_s, at_s), min(gap.end_s, end_s)
        while first_s < last_s:
            minute_s = first_s // MINUTE_S * MINUTE_S
            until_s = min(last_s, minute_s + MINUTE_S)
            found[minute_s] += until_s - first_s
            first_s = until_s
        at_s = max(at_s, gap.end_s)
    return found
