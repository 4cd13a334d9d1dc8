"""Summaries of minutes whose samples are gone: the angles, seconds and places that they stand for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.live.backfill.minute_summaries import MinuteSummaries, within
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.report import aggregate as agg
from tiltwise.tracker import TrackerSettings
from tiltwise.types import Activity, Mount

PROFILE = TrackerSettings(mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.HEAD))
BOOT = 7


def minute(
    seq: int, start_s: float, leans_deg: list[float], *, moving_s: int = 0, worn_s: int = 60, sensor: int = 0
) -> bytes:
    """A summary of six leans; NaN for ten seconds without samples."""
    up = [
        (0, 0, 0)
        if np.isnan(d)
        else (round(127 * np.sin(np.radians(d))), 0, round(127 * np.cos(np.radians(d))))
        for d in leans_deg
    ]
    frame = bytearray(wire.frame_size(wire.MINUTE))
    ticks = round(start_s / wire.TICK_S)
    wire.pack_header_into(frame, wire.MINUTE, 0, BOOT, seq, 0, ticks, 0, sensor, 5)
    wire.pack_body_into(frame, wire.MINUTE, 3000, moving_s, worn_s, 0, *(v for u in up for v in u))
    wire.seal(frame, len(frame))
    return bytes(frame)


def rows_of(*frames: bytes, gone: range = range(10_000)) -> list[agg.Aggregate]:
    summaries = MinuteSummaries()
    for frame in frames:
        summaries.note(read_frame(frame))
    return summaries.take(BOOT, lambda seq: seq in gone, PROFILE, lambda frame: frame.device_s).get(0, [])


def by_degree(rows: list[agg.Aggregate]) -> dict[int, float]:
    histogram = sum((row.flexion_s.sum(axis=0) for row in rows), np.zeros(agg.N_FLEXION))
    whole = histogram.reshape(-1, agg.BINS_PER_DEG).sum(axis=1)
    return {int(k) + agg.FLEXION_MIN_DEG: float(whole[k]) for k in np.flatnonzero(whole)}


def test_each_ten_seconds_count_at_their_angle() -> None:
    (row,) = rows_of(minute(400, 120.0, [0, 10, 20, 30, 40, 50]))
    assert row.start_s == 120.0
    assert row.covered_s == row.posture_s == pytest.approx(60)
    found = by_degree([row])
    assert sum(found.values()) == pytest.approx(60)
    for degree, (at, seconds) in zip([0, 10, 20, 30, 40, 50], found.items(), strict=True):
        assert abs(at - degree) <= 1  # int8 of the board
        assert seconds == pytest.approx(10)


def test_only_what_is_gone_counts() -> None:
    (row,) = rows_of(minute(400, 0.0, [5] * 6), gone=range(88, 244))  # the first half of its 312 numbers
    assert row.covered_s == pytest.approx(30)
    assert rows_of(minute(400, 0.0, [5] * 6), gone=range(0)) == []


def test_numbers_are_counted_from_the_summary_before() -> None:
    two = minute(400, 0.0, [5] * 6), minute(1000, 60.0, [25] * 6)  # RAW frames: twice as many
    rows = rows_of(*two, gone=range(401, 700))
    assert sum(row.covered_s for row in rows) == pytest.approx(30, abs=0.2)
    assert set(by_degree(rows)) <= {24, 25}


def test_a_minute_lies_in_two_of_the_day() -> None:
    rows = rows_of(minute(400, 90.0, [5] * 6))
    assert [(row.start_s, round(row.covered_s)) for row in rows] == [(60.0, 30), (120.0, 30)]


def test_what_was_not_worn_or_moved_is_said_and_seconds_without_samples_are_not() -> None:
    (row,) = rows_of(minute(400, 0.0, [5, 5, 5, np.nan, np.nan, np.nan], moving_s=15, worn_s=30))
    assert row.covered_s == pytest.approx(30)
    assert row.seconds(Activity.NOT_WORN) == pytest.approx(15)
    assert row.seconds(Activity.MOVING) == pytest.approx(7.5)
    assert row.posture_s == pytest.approx(15)
    (unknown,) = rows_of(minute(400, 0.0, [5] * 6, worn_s=255))
    assert unknown.seconds(Activity.NOT_WORN) == 0


def test_lying_is_no_posture() -> None:
    (row,) = rows_of(minute(400, 0.0, [5, 5, 5, 95, 95, 95]))
    assert row.seconds(Activity.LYING) == pytest.approx(30)
    assert row.posture_s == pytest.approx(30)


def test_a_second_sensor_and_other_frames_are_left_alone() -> None:
    assert rows_of(minute(400, 0.0, [5] * 6, sensor=1)) == []
    summaries = MinuteSummaries()
    frame = bytearray(minute(400, 0.0, [5] * 6))
    frame[0] = wire.VERSION << 4 | wire.STATUS
    summaries.note(read_frame(bytes(frame)))
    assert summaries.take(BOOT, lambda _: True, PROFILE, lambda _: 0.0) == {}


def test_with_two_sensors_it_is_the_necks_own_angle_and_the_upper_backs_beside_it() -> None:
    summaries = MinuteSummaries()
    for frame in (minute(400, 60.0, [40] * 6), minute(401, 60.2, [30] * 6, sensor=1)):
        summaries.note(read_frame(frame))
    rows = summaries.take(BOOT, lambda _: True, PROFILE, lambda frame: frame.device_s, PROFILE)
    ((neck,), (back,)) = rows[0], rows[1]
    assert by_degree([neck]).keys() <= {9, 10, 11}
    assert by_degree([back]).keys() <= {29, 30}
    assert neck.covered_s == back.covered_s == pytest.approx(60)


def test_summaries_take_no_more_seconds_than_the_gap_has() -> None:
    """15 of 52 numbers of a minute read 17.3 s where the samples say 16.8 s; the loss is told in two parts."""

    def coarse(start_s: float, seconds: float) -> agg.Aggregate:
        (row,) = rows_of(minute(312, 0.0, [20.0] * 6), gone=range(52))[:1]
        share = seconds / row.covered_s
        return replace(
            row, start_s=start_s, activity_s=row.activity_s * share, flexion_s=row.flexion_s * share
        )

    rows = [coarse(180.0, 8.077), coarse(240.0, 9.231), coarse(300.0, 2.0)]
    gap = (233.245, 250.059)
    found = within(rows, [gap, gap, (240.0, 245.0)])
    assert [(row.start_s, round(row.covered_s, 3)) for row in found] == [(180.0, 6.755), (240.0, 9.231)]
    assert found[0].flexion_s.sum() == pytest.approx(6.755)
    assert within(rows, []) == rows
