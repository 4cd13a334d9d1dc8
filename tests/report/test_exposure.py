"""Exposure: known angle traces give known minutes, and how the data was cut changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.types import ACTIVITIES, Activity, ActivityChanged, FloatArray, Mount

STILL, MOVING, WALKING, LYING, NOT_WORN = (ACTIVITIES.index(a) for a in Activity)
HOUR_S = 1_772_000_000.0 - 1_772_000_000.0 % 60


def collect(
    t_s: FloatArray,
    flexion: FloatArray,
    code: object = STILL,
    *,
    cuts: tuple[int, ...] = (),
    **options: object,
) -> list[Aggregate]:
    accumulator = ExposureAccumulator(ExposureSettings(**options))
    codes = np.broadcast_to(np.asarray(code, dtype=np.int8), t_s.shape)
    rows = []
    for part in np.split(np.arange(len(t_s)), sorted(cuts)):
        rows += accumulator.process(
            t_s[part],
            flexion[part],
            codes[part],
            lateral_deg=flexion[part] / 4,
            rate_deg_s=np.abs(flexion[part]),
        )
    return rows + accumulator.finish()


def same(a: list[Aggregate], b: list[Aggregate]) -> bool:
    return len(a) == len(b) and all(
        x.start_s == y.start_s
        and np.array_equal(x.activity_s, y.activity_s)
        and np.array_equal(x.flexion_s, y.flexion_s)
        and np.array_equal(x.rate_s, y.rate_s)
        and np.array_equal(x.eva_s, y.eva_s)
        and np.array_equal(x.lateral_deg, y.lateral_deg, equal_nan=True)
        and abs(x.limit_use - y.limit_use) < 1e-9
        and x.bout_s == y.bout_s
        for x, y in zip(a, b, strict=True)
    )


def test_a_constant_angle_fills_one_bin() -> None:
    rows = collect(HOUR_S + np.arange(6001) / 50, np.full(6001, 33.4))
    assert [row.start_s for row in rows] == [HOUR_S, HOUR_S + 60]
    for row in rows:
        assert row.covered_s == pytest.approx(60, abs=1e-6)
        assert row.flexion_s[agg.HELD, (33 + 90) * 10 + 4] == row.posture_s
        assert row.lateral_deg == (33.4 / 4, 33.4 / 4)


def test_activities_are_kept_apart_and_only_upright_time_has_angles() -> None:
    code = np.repeat([STILL, MOVING, WALKING, LYING, NOT_WORN, STILL], 100)
    (row,) = collect(HOUR_S + np.arange(600) / 50, np.full(600, 5.0), code)
    assert row.activity_s == pytest.approx([3.98, 2.0, 2.0, 2.0, 2.0])  # the newest sample has no duration
    assert row.posture_s == pytest.approx(5.98)
    assert row.worn_s == pytest.approx(9.98)
    assert row.seconds(Activity.MOVING) + row.seconds(Activity.WALKING) == pytest.approx(4.0, abs=0.03)


def test_a_gap_counts_for_nothing_and_a_slow_stretch_for_what_it_lasted() -> None:
    t = np.concatenate((np.arange(500) / 50, 20 + np.arange(100) / 10, 45 + np.arange(50) / 50))
    (row,) = collect(HOUR_S + t, np.full(650, 10.0))
    assert row.covered_s == pytest.approx(499 / 50 + 99 / 10 + 49 / 50)


def test_time_without_an_angle_is_worn_time_and_enters_no_figure_of_angles() -> None:
    flexion = np.full(500, 10.0)
    flexion[100:200] = np.nan
    (row,) = collect(HOUR_S + np.arange(500) / 50, flexion)
    assert row.covered_s == row.worn_s == pytest.approx(499 / 50)
    assert row.posture_s == pytest.approx((499 - 100) / 50)


def test_time_is_weighted_by_what_passed_not_by_samples() -> None:
    t = np.concatenate((np.arange(0, 30, 0.01), np.arange(30, 60, 0.1)))
    (row,) = collect(HOUR_S + t, np.where(t < 30, 10.0, 40.0))
    assert row.flexion_s[0, (40 + 90) * 10] == pytest.approx(29.9)
    assert row.flexion_s[0, (10 + 90) * 10] == pytest.approx(30.0)


def test_angles_beyond_the_histogram_stay_in_its_end_bins() -> None:
    (row,) = collect(HOUR_S + np.arange(4) / 50, np.array([-170.0, 170.0, -0.5, 0.0]))
    assert row.flexion_s[0, 0] == row.flexion_s[0, -1] == row.flexion_s[0, 895] == pytest.approx(0.02)


def test_runs_are_counted_by_angle_class_and_duration_where_they_end() -> None:
    angle = np.repeat([5.0, 25.0, 5.0, 50.0], 50 * np.array([40, 20, 5, 100]))
    rows = collect(HOUR_S + np.arange(len(angle)) / 50, angle)
    total = agg.merge(rows).eva_s
    expected = np.zeros(agg.EVA_SHAPE)
    expected[1, 4] = 40  # 0-10 deg, 31-63 s
    expected[3, 3] = 20  # 20-30 deg, 15-31 s
    expected[1, 1] = 5  # 0-10 deg, 3-7 s
    expected[5, 5] = 100  # 45-60 deg, 63-127 s
    assert np.array_equal(total, expected)
    assert rows[0].eva_s.sum() == 60
    assert rows[2].eva_s.sum() == 100


@pytest.mark.parametrize(
    ("mount", "angle", "minutes"),
    [
        (Mount.HEAD, a, m)
        for a, m in ((25, 8), (35, 41 / 6), (45, 17 / 3), (55, 4.5), (65, 10 / 3), (75, 13 / 6), (85, 1))
    ]
    + [(Mount.COLLAR, a, m) for a, m in ((20, 4), (30, 3.25), (40, 2.5), (50, 1.75), (60, 1))],
)
def test_holding_times_are_those_of_the_standard(mount: Mount, angle: float, minutes: float) -> None:
    assert agg.iso_11226_limit_min(np.array([float(angle)]), mount)[0] == pytest.approx(minutes)


def test_holding_a_posture_uses_its_time_limit_and_a_pause_starts_anew() -> None:
    angle = np.repeat([45.0, 5.0, 45.0], 50 * np.array([170, 30, 100]))
    rows = collect(HOUR_S + np.arange(len(angle)) / 50, angle, mount=Mount.HEAD)
    total = agg.merge(rows)
    assert total.limit_use == pytest.approx(170 / 340, abs=0.01)  # 45 deg may be held 340 s
    assert total.bout_s == 170
    assert collect(HOUR_S + np.arange(1501) / 50, np.full(1501, 24.0))[0].limit_use == 0


@pytest.mark.parametrize("mount", list(Mount))
def test_the_longest_spell_is_at_the_limit_that_its_words_name(mount: Mount) -> None:
    angle = np.repeat([20.8, 5.0, 24.0, 5.0, 20.8], 50 * np.array([200, 10, 3, 10, 90]))
    total = agg.merge(collect(HOUR_S + np.arange(len(angle)) / 50, angle, mount=mount))
    assert total.bout_s == pytest.approx(200, abs=1)
    short = np.repeat([5.0, 40.0, 5.0], 50 * np.array([10, 4, 10]))
    assert agg.merge(collect(HOUR_S + np.arange(len(short)) / 50, short)).bout_s == 4


def test_a_spell_ends_with_its_day() -> None:
    midnight_s = HOUR_S + 600.0
    t = HOUR_S + np.arange(50 * 1500) / 50
    rows = collect(t, np.full(len(t), 40.0), next_day_s=lambda s: midnight_s + 86400 * (s >= midnight_s))
    before, after = (
        agg.merge([r for r in rows if (r.start_s < midnight_s) == is_before]) for is_before in (True, False)
    )
    assert (before.bout_s, after.bout_s) == (600, pytest.approx(900, abs=1))
    assert after.limit_use == pytest.approx(1.5 * before.limit_use, rel=0.01)


def test_the_seconds_before_it_was_known_to_be_off_are_no_posture() -> None:
    t = HOUR_S + np.arange(50 * 120) / 50
    known_s = HOUR_S + 67.0
    code = np.where(t >= known_s, ACTIVITIES.index(Activity.NOT_WORN), STILL).astype(np.int8)
    accumulator = ExposureAccumulator()
    angle = np.where(t < HOUR_S + 50.0, 5.0, 55.0)  # on a table since 50 s
    rows = accumulator.process(
        t, angle, code, changes=[ActivityChanged(known_s, Activity.NOT_WORN, HOUR_S + 50.0)]
    )
    total = agg.merge(rows + accumulator.finish())
    assert total.worn_s == pytest.approx(50.0, abs=0.05)
    assert (total.bout_s, total.limit_use) == (0, 0)


def test_a_glance_down_is_not_a_static_posture() -> None:
    angle = np.repeat([5.0, 45.0, 5.0], 50 * np.array([10, 4, 10]))
    assert collect(HOUR_S + np.arange(len(angle)) / 50, angle)[0].limit_use == 0


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9000), max_size=30), st.integers(0, 2**16))
def test_any_cut_gives_the_same_minutes(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    step = rng.choice([0.02, 0.021, 0.1, 0.3, 3.0], 9000, p=[0.6, 0.38, 0.01, 0.005, 0.005])
    flexion = 15 + 15 * np.sin(np.arange(9000) / 700) + rng.normal(size=9000)
    flexion[rng.integers(0, 9000, 20)] = np.nan
    code = np.repeat(rng.integers(0, 5, 90), 100)
    t = HOUR_S + np.cumsum(step)
    assert same(collect(t, flexion, code), collect(t, flexion, code, cuts=tuple(cuts)))


def test_a_snapshot_shows_the_open_minute_and_ends_nothing() -> None:
    t, flexion = HOUR_S + np.arange(4000) / 50, np.full(4000, 20.0)
    code = np.zeros(4000, dtype=np.int8)
    accumulator = ExposureAccumulator()
    assert accumulator.process(t[:1500], flexion[:1500], code[:1500]) == []
    (open_row,) = accumulator.snapshot()
    assert open_row.covered_s == pytest.approx(1499 / 50)
    rows = accumulator.process(t[1500:], flexion[1500:], code[1500:]) + accumulator.finish()
    assert same(rows, at_once(t, flexion, code))


def at_once(t: FloatArray, flexion: FloatArray, code: FloatArray) -> list[Aggregate]:
    accumulator = ExposureAccumulator()
    return accumulator.process(t, flexion, code) + accumulator.finish()


def test_time_running_backwards_and_unknown_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="backwards"):
        collect(np.array([2.0, 1.0]), np.zeros(2))
    with pytest.raises(ValueError, match="activity codes"):
        collect(np.array([1.0, 2.0]), np.zeros(2), 7)


def test_merging_adds_times_and_keeps_extremes() -> None:
    t = np.arange(6001) / 50
    whole = agg.merge(collect(t, np.linspace(0, 40, 6001)))
    rows = collect(t[:3000], np.linspace(0, 40, 6001)[:3000]) + collect(
        t[2999:], np.linspace(0, 40, 6001)[2999:]
    )
    merged = agg.merge_by_minute(rows)
    assert [row.start_s for row in merged] == [0, 60]
    assert agg.merge(merged).flexion_s == pytest.approx(whole.flexion_s)
    assert agg.merge(merged).lateral_deg == whole.lateral_deg
    with pytest.raises(ValueError, match="at least one"):
        agg.merge([])


def test_histogram_percentiles_match_those_of_the_samples() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(20, 8, 100_000)
    weights = np.histogram(values, agg.FLEXION_EDGES_DEG)[0].astype(float)
    found = agg.histogram_percentiles(weights, agg.FLEXION_EDGES_DEG, (0, 10, 50, 90, 100))
    assert found[1:4] == pytest.approx(np.percentile(values, (10, 50, 90)), abs=0.005)  # deg
    assert values.min() - 1 <= found[0] <= values.min()
    assert values.max() <= found[4] <= values.max() + 1
    assert np.isnan(agg.histogram_percentiles(np.zeros(3), np.arange(4.0), (50,))).all()


def test_an_eight_hour_day_has_a_row_for_each_of_its_minutes() -> None:
    n = 1_440_000
    t, flexion = np.arange(n) / 50, 15 + 10 * np.sin(np.arange(n) / 3000)
    rows = collect(t, flexion)
    assert len(rows) == 480
    assert sum(float(row.activity_s.sum()) for row in rows) == pytest.approx(8 * 3600, abs=0.05)
