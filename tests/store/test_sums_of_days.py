"""Sums of quarters of an hour, local days, and what an episode adds to a day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from store.test_writer import minute
from tiltwise.store.events import decode_event, encode_event, within_day
from tiltwise.store.files.schema import StoreError
from tiltwise.store.local_days import day_bounds_us, zone_info
from tiltwise.store.quarter_hours import quarter_totals
from tiltwise.store.writer import Store
from tiltwise.types import (
    Activity,
    ActivityChanged,
    AlertHeldBack,
    EpisodeAlert,
    EpisodeEnded,
    Mount,
    MovementDue,
    MovementKind,
    PostureKind,
)

NOON_S = 1_772_366_400.0  # 2026-03-01 12:00 UTC


def put(folder: Path, device: str, starts_s: list[float], angle_deg: int = 20) -> None:
    with Store(folder, min_free_bytes=0) as store:
        session = store.begin_session(device, 1, zone="UTC", mount=Mount.NECK, started_s=NOON_S)
        store.put_aggregates(session, [minute(NOON_S + s, angle_deg) for s in starts_s])
        store.commit()


def test_minutes_are_summed_by_the_quarter_they_begin_in(tmp_path: Path) -> None:
    put(tmp_path, "one", [-60.0, 0.0, 840.0, 900.0, 1740.0, 3600.0])
    found = quarter_totals(tmp_path, NOON_S, NOON_S + 3600.0)
    assert [start_s - NOON_S for start_s, _ in found] == [0.0, 900.0]
    assert [(sums.covered_s, sums.worn_s, sums.posture_s, sums.mean_deg) for _, sums in found] == [
        pytest.approx((120.0, 120.0, 120.0, 20.5))  # the middle of 20 to 21 deg
    ] * 2
    assert found[0][1].above_s == pytest.approx(
        (120.0, 120.0, 0.0, 0.0, 0.0)
    )  # at or beyond 15, 20, 30, 45, 60


def test_of_two_boards_in_a_minute_one_counts(tmp_path: Path) -> None:
    put(tmp_path, "one", [0.0, 60.0, 900.0])
    put(tmp_path, "other", [0.0, 960.0], angle_deg=50)
    found = quarter_totals(tmp_path, NOON_S, NOON_S + 3600.0)
    assert [start_s - NOON_S for start_s, _ in found] == [0.0, 900.0]
    assert [sums.covered_s for _, sums in found] == [120.0, 120.0]
    assert found[0][1].above_s == pytest.approx((120.0, 120.0, 0.0, 0.0, 0.0))  # of the one worn most
    assert found[1][1].above_s == pytest.approx((120.0, 120.0, 60.0, 60.0, 0.0))
    assert found[1][1].mean_deg == pytest.approx(35.5)


def test_a_local_day_begins_at_local_midnight() -> None:
    start_us, end_us = day_bounds_us(date(2026, 6, 1), "Asia/Kolkata")
    assert datetime.fromtimestamp(start_us / 1e6, UTC) == datetime(2026, 5, 31, 18, 30, tzinfo=UTC)
    assert end_us - start_us == 86_400_000_000


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "a\0b"])
def test_an_unknown_zone_is_told(name: str) -> None:
    with pytest.raises(StoreError, match="is not known: expected an IANA name"):
        zone_info(name)


def test_an_episode_counts_with_its_part_of_the_day() -> None:
    episode = EpisodeEnded(160.0, PostureKind.FORWARD_FLEXION, 40.0, 150.0, 31.0, 60.0)
    inside = within_day(episode, 0.0, 200.0)
    assert inside == episode
    parts = [within_day(episode, a, b) for a, b in ((0.0, 100.0), (100.0, 200.0))]
    assert [(part.start_s, part.end_s, part.t_s, part.alert_s) for part in parts] == [
        (40.0, 100.0, 160.0, 60.0),
        (100.0, 150.0, 160.0, 60.0),
    ]


@pytest.mark.parametrize(
    ("event", "row", "moved"),
    [
        (
            EpisodeAlert(118.0, PostureKind.FORWARD_FLEXION, 58.0, 27.25, 90.0),
            '{"angle_deg": 27.25, "kind": "forward_flexion", "loaded_s": 90.0, "start_s": 58.0, "t_s": 118.0}',
            EpisodeAlert(1118.0, PostureKind.FORWARD_FLEXION, 1058.0, 27.25, 90.0),
        ),
        (
            ActivityChanged(13.5, Activity.LYING, 3.5),
            '{"activity": "lying", "since_s": 3.5, "t_s": 13.5}',
            ActivityChanged(1013.5, Activity.LYING, 1003.5),
        ),
        (
            AlertHeldBack(13.5, 3.5, "call"),
            '{"reason": "call", "start_s": 3.5, "t_s": 13.5}',
            AlertHeldBack(1013.5, 1003.5, "call"),
        ),
        (AlertHeldBack(13.5, 3.5), '{"start_s": 3.5, "t_s": 13.5}', AlertHeldBack(1013.5, 1003.5)),
        (
            MovementDue(13.5, MovementKind.BREAK, 3.5),
            '{"kind": "break", "since_s": 3.5, "t_s": 13.5}',
            MovementDue(1013.5, MovementKind.BREAK, 1003.5),
        ),
    ],
)
def test_later_fields_are_kept_where_they_say_something(event, row: str, moved) -> None:
    assert encode_event(event) == (type(event).__name__, row)
    assert decode_event(type(event).__name__, row, event.t_s + 1000.0) == moved
