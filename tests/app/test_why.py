"""`tiltwise why`: what was told, what was held back, and why nothing was said, from the store alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from command import Command, assert_one_line
from tiltwise.app.workday.why import explain
from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.live.wearer.notices import AGAIN
from tiltwise.report.exposure import ExposureAccumulator
from tiltwise.store.writer import Store
from tiltwise.types import (
    ACTIVITIES,
    Activity,
    AlertHeldBack,
    AlertsAlone,
    EpisodeAlert,
    EpisodeEnded,
    MovementDone,
    MovementDue,
    MovementKind,
    NoticeGiven,
    PostureKind,
)

NINE_S = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
DOWN = PostureKind.FORWARD_FLEXION


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine to half past: told at 9:10, held back at 9:20, a movement due and done; bent from 9:27 on, too short."""
    with Store(tmp_path / "data", min_free_bytes=0) as store:
        session = store.begin_session("board", 1, zone="UTC", mount="neck", started_s=NINE_S)  # type: ignore[arg-type]
        t_s = NINE_S + np.arange(0, 1800.0, 0.2)
        minutes = ExposureAccumulator()
        rows = minutes.process(t_s, np.full(len(t_s), 12.0), np.zeros(len(t_s), np.int8))
        store.put_aggregates(session, [*rows, *minutes.finish()], 0)
        store.put_events(
            session,
            [
                EpisodeAlert(600.0, DOWN, 500.0, 31.0, 420.0),
                NoticeGiven(600.0, "alert", "Looking down at 31 deg for 7 min 0 s."),
                NoticeGiven(630.0, f"alert{AGAIN}", "Looking down at 31 deg for 7 min 0 s."),
                EpisodeEnded(640.0, DOWN, 500.0, 640.0, 33.0, 600.0),
                NoticeGiven(640.0, "thanks", "Back up again. Thank you."),
                MovementDue(900.0, MovementKind.SHIFT, 0.0),
                AlertHeldBack(900.0, 0.0, "the microphone is in use"),
                MovementDone(930.0, MovementKind.SHIFT, 900.0),
                EpisodeAlert(1200.0, DOWN, 1100.0, 28.0, 450.0),
                AlertHeldBack(1200.0, 1100.0, "quiet hours, 09:15 to 09:25"),
                EpisodeEnded(1300.0, DOWN, 1100.0, 1300.0, 30.0, 1200.0),
                EpisodeEnded(1700.0, DOWN, 1620.0, 1700.0, 30.0, None),
            ],
            NINE_S,
        )
        store.commit()
    return tmp_path / "data"


def lines(folder: Path, clock: str | None) -> list[str]:
    return [line for _, line in explain(folder, clock, None)]


def test_the_whole_day_is_told_with_its_reasons(folder: Path) -> None:
    assert lines(folder, None) == [
        "2026-03-02 (UTC): what you were told, and what was held back",
        "  09:10  Looking down at 31 deg for 7 min 0 s.",
        "  09:10  told again, as the posture went on",
        "  09:10  Back up again. Thank you.",
        "  09:15  held back (the microphone is in use): shift due, 15 min 0 s since the last",
        "  09:15  you moved, 30 s after it was due",
        "  09:20  held back (quiet hours, 09:15 to 09:25): looking down at 28 deg for 7 min 30 s",
    ]


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        ("09:05", "silence  nothing had lasted too long"),
        ("09:19", "silence  looking down since 09:18: it had not lasted too long yet"),
        ("09:27", "silence  looking down since 09:27: it ended before it had lasted too long"),
        ("12:00", "silence  without samples nothing is judged"),
    ],
)
def test_a_silence_is_explained(folder: Path, clock: str, said: str) -> None:
    assert any(said in line for line in lines(folder, clock)), lines(folder, clock)


@pytest.mark.parametrize(
    ("upright_s", "said"),
    [
        (
            150.0,
            "looking down since 09:12: the alert due at 09:08 still stood, half of its time was not yet recovered",
        ),
        (153.0, "looking down since 09:12: it ended before it had lasted too long"),
    ],
)
def test_who_bends_again_too_soon_after_an_alert_learns_why_there_is_none(
    tmp_path: Path, upright_s: float, said: str
) -> None:
    """50 deg may be held for 305 s: 152.5 s upright recover half of it, and the next alert is due after that."""
    begins_s = 600.0 + upright_s
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("board", 1, zone="UTC", mount="neck", started_s=NINE_S)  # type: ignore[arg-type]
        minutes = ExposureAccumulator()
        t_s = NINE_S + np.arange(0, 1500.0, 0.2)
        rows = minutes.process(t_s, np.full(len(t_s), 50.0), np.zeros(len(t_s), np.int8))
        store.put_aggregates(session, [*rows, *minutes.finish()], 0)
        events = [
            EpisodeAlert(505.0, DOWN, 200.0, 50.0, 305.0),
            EpisodeEnded(600.0, DOWN, 200.0, 600.0, 51.0, 505.0),
            EpisodeEnded(begins_s + 420.0, DOWN, begins_s, begins_s + 420.0, 50.0, None),
        ]
        store.put_events(session, events, NINE_S)
        store.commit()
    assert f"  silence  {said}" in lines(tmp_path, "09:15")


@pytest.mark.parametrize(
    ("activity", "said"),
    [
        (Activity.NOT_WORN, "the sensor was not worn, and nothing is judged then"),
        (Activity.WALKING, "who walks holds no posture"),
        (Activity.LYING, "nothing had lasted too long"),
    ],
)
def test_who_walks_or_has_it_off_is_told_that(tmp_path: Path, activity: Activity, said: str) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("board", 1, zone="UTC", mount="neck", started_s=NINE_S)  # type: ignore[arg-type]
        minutes = ExposureAccumulator()
        t_s = NINE_S + np.arange(0, 300.0, 0.2)
        codes = np.full(len(t_s), ACTIVITIES.index(activity), np.int8)
        rows = minutes.process(t_s, np.full(len(t_s), 50.0), codes)
        store.put_aggregates(session, [*rows, *minutes.finish()], 0)
        store.commit()
    assert f"  silence  {said}" in lines(tmp_path, "09:02")


def test_each_alert_of_the_sensor_alone_is_told_once(tmp_path: Path) -> None:
    """Its minute counts three, two of them came as events too."""
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("board", 1, zone="UTC", mount="neck", started_s=NINE_S)  # type: ignore[arg-type]
        minutes = ExposureAccumulator()
        rows = minutes.process(NINE_S + np.arange(0, 9.0, 0.2), np.zeros(45), np.zeros(45, np.int8))
        store.put_aggregates(session, [*rows, *minutes.finish()], 0)
        alone = [BoardEvent(t_s, wire.EVENT_ALERT, 41) for t_s in (610.0, 640.0)]
        store.put_events(session, [AlertsAlone(600.0, 3), *alone], NINE_S)
        store.commit()
    assert lines(tmp_path, None)[1:] == [
        "  09:10  The sensor alone alerted 1 time in this minute.",
        "  09:10  The sensor alone alerted, at 41 deg: no computer was there.",
        "  09:10  The sensor alone alerted, at 41 deg: no computer was there.",
    ]


def test_a_moment_with_an_alert_is_no_silence(folder: Path) -> None:
    told = lines(folder, "09:10")
    assert "sitting or standing for 60 of 60 s, median angle 12 deg" in told[1]
    assert not any("silence" in line for line in told)


def test_what_cannot_be_meant_is_one_line(tiltwise: Command, folder: Path) -> None:
    assert_one_line(tiltwise("why", "25:00", "--data", folder), 2, "expected HH:MM")
    assert_one_line(tiltwise("why", "--day", "2020-01-01", "--data", folder), 1, "nothing was recorded on")
    assert "held back (quiet hours" in tiltwise("why", "9:20", "--data", folder).out
