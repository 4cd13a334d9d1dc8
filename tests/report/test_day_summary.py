"""The day's summary adds up, names what is missing, and does not make much of little."""

import numpy as np
import pytest

from report.days import DAY_S, synthetic_day
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.day_summary import NOT_RECORDED, Gap, summarise_day
from tiltwise.types import ACTIVITIES, Activity, Mount


def minute(index: int, angle_deg: int = 10, activity: Activity = Activity.STILL) -> Aggregate:
    flexion = np.zeros((2, agg.N_FLEXION))
    if activity in (Activity.STILL, Activity.MOVING):
        flexion[
            int(activity is Activity.MOVING), slice(*agg.flexion_bin(np.array([angle_deg, angle_deg + 1])))
        ] = 6
    times = np.array([60.0 if a is activity else 0.0 for a in ACTIVITIES])
    return Aggregate(DAY_S + 60 * index, times, flexion, np.zeros(agg.N_RATE), np.zeros(agg.EVA_SHAPE))


def summary_of(rows: list[Aggregate], **options: object):
    return summarise_day(rows, start_s=DAY_S, end_s=DAY_S + 86400, mount=Mount.NECK, **options)


def test_shares_are_of_upright_time() -> None:
    rows = [minute(k, 10) for k in range(6)] + [minute(6, 35), minute(7, 50, Activity.MOVING)]
    rows += [minute(8, activity=Activity.WALKING), minute(9, activity=Activity.LYING)]
    day = summary_of([*rows, minute(10, activity=Activity.NOT_WORN)])
    assert day.percent_above_deg == {15: 25.0, 20: 25.0, 30: 25.0, 45: 12.5, 60: 0.0}
    assert (day.worn_s, day.posture_s) == (600, 480)
    assert day.seconds(Activity.LYING) == 60
    assert day.mean_deg == pytest.approx((6 * 10.5 + 35.5 + 50.5) / 8)


def test_little_wear_is_said_to_be_short() -> None:
    assert summary_of([minute(k) for k in range(239)]).is_short
    assert not summary_of([minute(k) for k in range(240)]).is_short


def test_missing_minutes_become_gaps_with_their_reason_or_none() -> None:
    rows = [minute(k) for k in (0, 1, 5, 6, 20)]
    day = summary_of(rows, gaps=[Gap(DAY_S + 120, DAY_S + 300, "disconnected")])
    assert [(g.start_s - DAY_S, g.end_s - DAY_S, g.reason) for g in day.gaps] == [
        (120, 300, "disconnected"),
        (420, 1200, NOT_RECORDED),
    ]


def test_breaks_are_time_away_from_the_working_posture() -> None:
    walk = [minute(k, activity=Activity.WALKING) for k in range(10, 16)]
    rows = [minute(k) for k in range(10)] + walk + [minute(k) for k in (16, 17, 19, 40)]
    found = [(b.start_s - DAY_S, b.end_s - DAY_S, b.is_active) for b in summary_of(rows).breaks]
    assert found == [(600, 960, True), (1200, 2400, False)]


def test_rows_of_other_days_are_left_out_and_an_empty_day_has_no_figures() -> None:
    assert summary_of([minute(-1), minute(1440)]).total is None
    empty = summary_of([])
    assert (empty.worn_s, empty.episodes, empty.minutes) == (0.0, (), ())
    assert np.isnan(empty.percentiles_deg).all()
    assert np.isnan(list(empty.percent_above_deg.values())).all()


def test_a_realistic_day_adds_up() -> None:
    day = synthetic_day()
    assert day.total is not None
    assert sum(day.seconds(a) for a in Activity) == pytest.approx(day.total.covered_s)
    assert day.total.covered_s + 0.055 * 9.5 * 3600 == pytest.approx(9.5 * 3600, abs=5)  # s; the lost stretch
    assert day.eva_percent.sum() == pytest.approx(100)
    p10, p50, p90 = day.percentiles_deg
    assert p10 < p50 < p90
    assert max(e.end_s - e.start_s for e in day.episodes) > 300
