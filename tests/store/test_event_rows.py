"""Event rows as version 0.1 wrote them: read with UTC times, and written the same, or a row would be stored twice."""

import pytest

from tiltwise.store.events import decode_event, encode_event
from tiltwise.store.files.schema import StoreError
from tiltwise.types import (
    Activity,
    ActivityChanged,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    Event,
    PostureKind,
    RepCompleted,
    Side,
    SignalGap,
    StepPrompt,
)

FORWARD, BACK = PostureKind.FORWARD_FLEXION, PostureKind.UPPER_BACK_FORWARD_TILT
# (event with device times, its row, event moved by 1000 s); never edit the texts.
ROWS: list[tuple[Event, str, Event]] = [
    (
        EpisodeStarted(60.5, FORWARD, 58.0, 24.5),
        '{"angle_deg": 24.5, "kind": "forward_flexion", "start_s": 58.0, "t_s": 60.5}',
        EpisodeStarted(1060.5, FORWARD, 1058.0, 24.5),
    ),
    (
        EpisodeAlert(118.0, FORWARD, 58.0, 27.25),
        '{"angle_deg": 27.25, "kind": "forward_flexion", "start_s": 58.0, "t_s": 118.0}',
        EpisodeAlert(1118.0, FORWARD, 1058.0, 27.25),
    ),
    (
        EpisodeEnded(150.0, FORWARD, 58.0, 147.0, 31.5, 118.0, True),
        '{"alert_s": 118.0, "end_s": 147.0, "is_corrected": true, "kind": "forward_flexion", "peak_deg": 31.5, '
        '"start_s": 58.0, "t_s": 150.0}',
        EpisodeEnded(1150.0, FORWARD, 1058.0, 1147.0, 31.5, 1118.0, True),
    ),
    (
        EpisodeEnded(151.0, BACK, 140.0, 150.0, 22.0, None, False),
        '{"alert_s": null, "end_s": 150.0, "is_corrected": false, "kind": "upper_back_forward_tilt", '
        '"peak_deg": 22.0, "start_s": 140.0, "t_s": 151.0}',
        EpisodeEnded(1151.0, BACK, 1140.0, 1150.0, 22.0, None, False),
    ),
    (
        ActivityChanged(3.5, Activity.MOVING),
        '{"activity": "moving", "t_s": 3.5}',
        ActivityChanged(1003.5, Activity.MOVING),
    ),
    (
        RepCompleted(20.0, "chin_tuck", Side.LEFT, 16.0, 18.0, 19.5, 12.5, 1.25, True),
        '{"end_s": 19.5, "exercise": "chin_tuck", "hold_s": 1.25, "is_partial": true, "peak_deg": 12.5, '
        '"peak_s": 18.0, "side": "left", "start_s": 16.0, "t_s": 20.0}',
        RepCompleted(1020.0, "chin_tuck", Side.LEFT, 1016.0, 1018.0, 1019.5, 12.5, 1.25, True),
    ),
    (
        StepPrompt(4.0, "chin_tuck", "hold", "Hold – für 5 s"),
        '{"exercise": "chin_tuck", "step": "hold", "t_s": 4.0, "text": "Hold \\u2013 f\\u00fcr 5 s"}',
        StepPrompt(1004.0, "chin_tuck", "hold", "Hold – für 5 s"),
    ),
    (
        SignalGap(30.0, 12.0, 30.0, "link", 1),
        '{"end_s": 30.0, "reason": "link", "sensor": 1, "start_s": 12.0, "t_s": 30.0}',
        SignalGap(1030.0, 1012.0, 1030.0, "link", 1),
    ),
]
KINDS = [f"{type(event).__name__}-{k}" for k, (event, _, _) in enumerate(ROWS)]


@pytest.mark.parametrize(("event", "row", "moved"), ROWS, ids=KINDS)
def test_a_row_is_written_and_read_as_before(event: Event, row: str, moved: Event) -> None:
    kind = type(event).__name__
    assert encode_event(event) == (kind, row)
    assert decode_event(kind, row, event.t_s + 1000.0) == moved


def test_a_kind_of_a_later_version_is_left_out() -> None:
    assert decode_event("EarsWiggled", '{"t_s": 1.0}', 5.0) is None


def test_what_a_later_version_added_to_a_row_is_left_out() -> None:
    row = '{"activity": "moving", "mood": "good", "t_s": 3.5}'
    assert decode_event("ActivityChanged", row, 3.5) == ActivityChanged(3.5, Activity.MOVING)


def test_a_row_of_a_version_that_knew_less_takes_the_defaults() -> None:
    row = '{"end_s": 30.0, "reason": "link", "start_s": 12.0, "t_s": 30.0}'
    assert decode_event("SignalGap", row, 30.0) == SignalGap(30.0, 12.0, 30.0, "link", 0)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("{", "Expecting property name"),
        ("[]", "expected a table of values"),
        ('{"t_s": 1.0}', "activity: missing"),
        ('{"t_s": "now", "activity": "moving"}', "t_s: expected a number, came 'now'"),
    ],
)
def test_a_damaged_row_is_told_with_its_kind_and_key(row: str, line: str) -> None:
    with pytest.raises(StoreError, match=f"damaged ActivityChanged .*{line}"):
        decode_event("ActivityChanged", row, 5.0)
