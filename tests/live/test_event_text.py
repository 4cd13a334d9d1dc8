"""Events in words: one short printable line each."""

from __future__ import annotations

import pytest

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.live.event_text import ACTIVITIES, KINDS, SILENT, clock, lasting, lines_of
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import LiveWarning
from tiltwise.live.wearer.notices import Urgency
from tiltwise.types import (
    Activity,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    PostureKind,
    ShouldersRaised,
    SignalGap,
)

DOWN = PostureKind.FORWARD_FLEXION


@pytest.mark.parametrize(
    ("t_s", "text"), [(0, "0:00"), (59.99, "0:59"), (61, "1:01"), (3600, "1:00:00"), (86399, "23:59:59")]
)
def test_clock(t_s: float, text: str) -> None:
    assert clock(t_s) == text


def test_everything_that_can_happen_has_words() -> None:
    assert set(KINDS) == set(PostureKind)
    assert set(ACTIVITIES) == set(Activity)


def test_raised_shoulders_are_told_as_an_estimate() -> None:
    said = [("faint", "shoulders raised and not dropped: up by 3 cm (estimated)")]
    assert lines_of((ShouldersRaised(80.0, 49.0, 0.031),)) == said


def test_an_alert_held_back_is_not_called_an_alert() -> None:
    event = EpisodeAlert(80.0, DOWN, 20.0, 31.2, 60.0)
    told = (event, Notice(80.0, NoticeLevel.ALERT, "Time to move", "x"))
    assert lines_of(told) == [("alert", "ALERT after 1 min 0 s of looking down (31 deg)")]
    ((_, text),) = lines_of((event,))
    assert text.startswith("alert held back after 1 min 0 s")


@pytest.mark.parametrize(
    ("urgency", "text"), [(Urgency.PATTERN, "by two long buzzes"), (Urgency.DESKTOP, "stronger")]
)
def test_a_step_is_told_by_what_comes_with_or_without_a_desktop(urgency: Urgency, text: str) -> None:
    notice = Notice(110.0, NoticeLevel.ALERT, "Time to move", "x", urgency)
    assert lines_of((notice,)) == [("alert", f"still held: told again, {text}")]


def test_what_begins_also_ends_with_a_line() -> None:
    start = EpisodeStarted(20.0, DOWN, 20.0, 25.0)
    assert lines_of((start,)) == [("begin", "looking down begins (25 deg)")]
    ended = EpisodeEnded(30.0, DOWN, 20.0, 30.0, 31.0, None)
    assert lines_of((ended,)) == [("faint", "looking down ends, before an alert (10 s, up to 31 deg)")]


def test_gaps_and_warnings_are_told_without_control_characters() -> None:
    gap = SignalGap(9.0, 2.0, 9.0, "disconnected")
    lines = lines_of((gap, LiveWarning("\x1b[31mred: disk full")))
    assert lines == [("warn", "no samples for 7.0 s (disconnected)"), ("warn", "?[31mred: disk full")]


WIRE_EVENTS = {
    name: value for name, value in vars(wire).items() if name.startswith("EVENT_") and isinstance(value, int)
}


@pytest.mark.parametrize("name", WIRE_EVENTS)
@pytest.mark.parametrize("value", [0, 1, 2, 42])
def test_every_event_of_a_board_has_words_or_is_silent_on_purpose(name: str, value: int) -> None:
    code = WIRE_EVENTS[name]
    lines = lines_of([BoardEvent(1.0, code, value)])
    if code in SILENT or (code, value) == (wire.EVENT_HOST_CLOSED, wire.CLOSED_LOST):
        assert lines == []
        return
    ((style, line),) = lines
    assert style in {"alert", "good", "faint", "warn"}
    assert "reports event" not in line
    assert str(code) != line


def test_an_event_of_newer_firmware_is_still_told() -> None:
    ((_, line),) = lines_of([BoardEvent(1.0, 200, 7)])
    assert line == "the board reports event 200 (7): newer than this program"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min 0 s"), (1558, "25 min 58 s"), (3600, "1 h 0 min"), (86399, "23 h 59 min")],
)
def test_how_long_something_lasted_is_not_a_clock(seconds: float, text: str) -> None:
    assert lasting(seconds) == text
