"""A computer's clock that is set while recording is told once each time; small corrections are nothing."""

from io import StringIO
from itertools import count, pairwise

import pytest
from rich.console import Console

from live.feed import session
from tiltwise.app.watch_view import WatchView
from tiltwise.live.clock_watch import REPORT_FROM_S, WallClock

STARTED_S = 1_772_000_000.0
HOUR_S = 3600.0


def lines(offsets_s: list[float]) -> list[str]:
    """Return what is said when the clock is off by so much, one second after the other."""
    steady, now = (
        count(77.0),
        iter([STARTED_S, *(STARTED_S + 1 + k + off_s for k, off_s in enumerate(offsets_s))]),
    )
    wall = WallClock(lambda: next(now), lambda: float(next(steady)))
    return [line for _ in offsets_s if (line := wall.check())]


@pytest.mark.parametrize(("step_s", "way"), [(HOUR_S, "1:00:00 ahead of"), (-HOUR_S, "1:00:00 behind")])
def test_a_clock_that_is_set_is_told_once(step_s: float, way: str) -> None:
    (line,) = lines([0.0] * 10 + [step_s] * 100)
    assert way in line
    assert "stop and start watch" in line
    assert "\n" not in line


def test_a_clock_that_is_set_back_again_is_told_too() -> None:
    said = lines([0.0] * 10 + [HOUR_S] * 100 + [0.2] * 100)
    assert len(said) == 2
    assert "agrees with this recording again" in said[1]


def test_slow_correction_over_a_day_is_told_when_it_is_seen_in_the_minutes() -> None:
    slew = 500e-6  # the fastest that NTP corrects
    hours = [slew * HOUR_S * k for k in range(25)]
    assert max(b - a for a, b in pairwise(hours)) < REPORT_FROM_S
    assert lines([off for off in hours if off < REPORT_FROM_S]) == []
    assert len(lines(hours)) == 1  # 43 s at the end of the day


def test_jitter_of_half_a_second_is_nothing() -> None:
    assert lines([0.5 * (-1) ** k for k in range(1000)]) == []


def test_watch_shows_the_line_among_what_happens() -> None:
    said = StringIO()
    now = iter([STARTED_S, STARTED_S + HOUR_S])
    wall = WallClock(lambda: next(now), lambda: 0.0)
    view = WatchView(Console(file=said, width=80), session(), wall)
    view.show(75.0, ())
    assert said.getvalue().split()[:5] == ["1:15", "the", "computer's", "clock", "was"]
