"""What was recorded comes back as the same day: exposure, store, summary in one line."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from report.days import DAY_S, synthetic_day
from tiltwise.report import aggregate as agg
from tiltwise.report.exposure import ExposureAccumulator
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, EpisodeEnded, Mount, PostureKind


def test_a_day_comes_back_from_the_store_as_it_went_in(tmp_path: Path) -> None:
    day = synthetic_day(2.0)
    brief = EpisodeEnded(DAY_S + 9, PostureKind.FORWARD_FLEXION, DAY_S + 1, DAY_S + 9, 31.0, None)
    with Store(tmp_path) as store:
        session = store.begin_session("b", 1, zone="Europe/Berlin", mount=Mount.NECK, started_s=DAY_S)
        store.put_aggregates(session, day.minutes)
        alerts = [EpisodeAlert(t, PostureKind.FORWARD_FLEXION, t - 30, 40.0) for t in day.alerts_s]
        store.put_events(session, [*alerts, *day.episodes, *day.reps, brief], 0.0)
        for gap in day.gaps:
            store.put_gap(session, gap.start_s, gap.end_s, gap.reason)
    with Store.open_readonly(tmp_path) as reader:
        again = reader.day(date(2026, 2, 24)).summary()
    assert again.episodes == day.episodes
    assert again.alerts_s == day.alerts_s
    assert again.reps == day.reps
    assert again.gaps == day.gaps
    assert again.percentiles_deg == pytest.approx(
        day.percentiles_deg, abs=0.01
    )  # deg; durations stored in ms
    assert list(again.percent_above_deg.values()) == pytest.approx(
        list(day.percent_above_deg.values()), abs=0.01
    )
    assert np.abs(again.eva_percent - day.eva_percent).max() < 1e-9
    assert (again.limit_use, again.longest_bout_s) == pytest.approx((day.limit_use, day.longest_bout_s))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia", "UTC"])
def test_the_days_of_a_store_are_those_of_its_minutes_in_any_zone(tmp_path: Path, zone: str) -> None:
    hours = np.concatenate(
        (np.arange(0, 400, 7), np.arange(5000, 5100, 3))
    )  # over the clock change in March too
    (minute,) = minutes_at(10.0, 1)
    rows = [replace(minute, start_s=DAY_S + 3600.0 * hour) for hour in hours.tolist()]
    with Store(tmp_path) as store:
        put(store, "b", rows)
    wanted = sorted({datetime.fromtimestamp(row.start_s, ZoneInfo(zone)).date() for row in rows})
    with Store.open_readonly(tmp_path) as reader:
        assert reader.days(zone) == wanted


def minutes_at(angle_deg: float, n: int, first: int = 0) -> list[agg.Aggregate]:
    t = DAY_S + 60 * first + np.arange(n * 60 * 10 + 1) / 10
    accumulator = ExposureAccumulator()
    codes = np.zeros(len(t), np.int8)
    rows = accumulator.process(t, np.full(len(t), angle_deg), codes) + accumulator.finish()
    return rows[:n]


def put(store: Store, device: str, rows: list[agg.Aggregate]) -> int:
    session = store.begin_session(
        device, 1, zone="Europe/Berlin", mount=Mount.NECK, started_s=rows[0].start_s
    )
    store.put_aggregates(session, rows)
    return session


def test_two_sensors_in_the_same_minutes_are_one_wearer(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        put(store, "usual", minutes_at(30.0, 10))
        spare = put(store, "spare", minutes_at(5.0, 6, first=7))  # three of its minutes doubled
        store.put_gap(spare, DAY_S + 8 * 60, DAY_S + 8 * 60 + 20, "device")
    with Store.open_readonly(tmp_path) as reader:
        stored = reader.day(date(2026, 2, 24))
        (totals,) = reader.totals(date(2026, 2, 24), date(2026, 2, 24))
    day = stored.summary()
    assert day.worn_s == pytest.approx(13 * 60, abs=0.1)
    assert day.percent_above_deg[20] == pytest.approx(100 * 10 / 13, abs=0.1)
    assert stored.left_out_s == {"spare": pytest.approx(180, abs=0.1)}
    assert day.gaps == ()  # of the sensor that was set aside
    assert (totals.worn_s, totals.percent_above_deg[20]) == pytest.approx((13 * 60, 100 * 10 / 13), abs=0.1)


def test_what_a_sensor_set_aside_had_held_is_not_the_days_longest(tmp_path: Path) -> None:
    """Both begin and end within a minute, in which there is too little of both to tell that they are doubled."""
    bent, upright = minutes_at(30.0, 10), minutes_at(5.0, 11)
    last = minutes_at(5.0, 1, first=10)[0]
    last = replace(last, activity_s=last.activity_s / 4, flexion_s=last.flexion_s / 4)
    held = replace(last, bout_s=600.0, limit_use=1.3)
    episode = EpisodeEnded(
        DAY_S + 600, PostureKind.FORWARD_FLEXION, DAY_S + 60, DAY_S + 600, 31.0, DAY_S + 90
    )
    with Store(tmp_path) as store:
        aside = put(store, "spare", [*bent, held])
        store.put_events(aside, [episode], 0.0)
        put(store, "usual", [*upright[:10], last, minutes_at(5.0, 1, first=11)[0]])
    with Store.open_readonly(tmp_path) as reader:
        day = reader.day(date(2026, 2, 24)).summary()
    assert (day.longest_bout_s, day.limit_use, day.percent_above_deg[20]) == (0.0, 0.0, 0.0)
    assert day.episodes == ()
    assert day.worn_s == pytest.approx(11.25 * 60, abs=0.1)


def test_a_board_that_proves_its_name_within_a_minute_is_not_two(tmp_path: Path) -> None:
    whole = minutes_at(10.0, 1)[0]
    half = replace(whole, activity_s=whole.activity_s / 2, flexion_s=whole.flexion_s / 2)
    with Store(tmp_path) as store:
        put(store, "ble_AA", [half])
        put(store, "tiltwise-1", [half])
    with Store.open_readonly(tmp_path) as reader:
        assert reader.day(date(2026, 2, 24)).summary().worn_s == pytest.approx(60, abs=0.1)


def test_an_episode_over_midnight_is_in_both_days_as_far_as_it_lies_in_them(tmp_path: Path) -> None:
    day = synthetic_day(2.0)
    midnight_s = DAY_S + 86400 - 3600  # DAY_S is midnight of UTC
    over = EpisodeEnded(
        midnight_s + 900,
        PostureKind.FORWARD_FLEXION,
        midnight_s - 600,
        midnight_s + 900,
        40.0,
        midnight_s - 540,
    )
    with Store(tmp_path) as store:
        session = put(store, "b", day.minutes)
        store.put_events(session, [over], 0.0)
    with Store.open_readonly(tmp_path) as reader:
        before, after = (reader.day(date(2026, 2, d)).summary().episodes for d in (24, 25))
    assert [(e.start_s, e.end_s) for e in before] == [(midnight_s - 600, midnight_s)]
    assert [(e.start_s, e.end_s) for e in after] == [(midnight_s, midnight_s + 900)]
