"""Sums, sentences and the words of published methods have the values that a person works out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from report.days import DAY_S, synthetic_day
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.history import norms
from tiltwise.report.history.figure_rows import figure_rows
from tiltwise.report.history.sentences import Before, opening
from tiltwise.report.history.totals import Totals, spread, sum_by, totals_of
from tiltwise.report.history.velocity import velocities
from tiltwise.types import Mount


def minute(index: int, angle_deg: int, seconds: float = 60.0) -> Aggregate:
    flexion = np.zeros((2, agg.N_FLEXION))
    flexion[agg.HELD, slice(*agg.flexion_bin(np.array([angle_deg, angle_deg + 1])))] = seconds / 10
    times = np.array([seconds, 0.0, 0.0, 0.0, 60.0 - seconds])
    return Aggregate(DAY_S + 60 * index, times, flexion, np.zeros(agg.N_RATE), np.zeros(agg.EVA_SHAPE))


def sums(down_min: float, upright_min: float) -> Totals:
    down_s = down_min * 60
    return Totals(upright_min * 60, upright_min * 60, upright_min * 60, 0, 0, (down_s, down_s, 0, 0, 0))


def test_hours_add_up_to_the_day() -> None:
    rows = [minute(k, 25 if k % 3 else 5) for k in range(150)]
    hours = sum_by(rows, lambda t_s: str(int((t_s - DAY_S) // 3600)))
    assert list(hours) == ["0", "1", "2"]
    assert [h.posture_s for h in hours.values()] == [3600, 3600, 1800]
    whole = totals_of(agg.merge(rows))
    assert sum(h.down_s for h in hours.values()) == whole.down_s == 100 * 60
    assert whole.percent() == pytest.approx(100 / 1.5)
    assert whole.mean_deg == pytest.approx((100 * 25.5 + 50 * 5.5) / 150)


def test_the_sentence_says_how_long_when_the_longest_and_against_before() -> None:
    hours = {"between 9 and 10": sums(30, 60), "between 10 and 11": sums(88, 110)}
    said = opening(
        sums(118, 170), Mount.HEAD, parts=hours, longest_s=360, before=Before("yesterday", sums(130, 175))
    )
    assert said == (
        "You looked down (20 deg or more) for 1 h 58 min, most of it between 10 and 11; longest 6 min; "
        "12 min less than yesterday."
    )


def test_a_short_day_is_compared_by_share_and_not_by_minutes() -> None:
    said = opening(
        sums(10, 60), Mount.NECK, parts={}, longest_s=None, before=Before("the day before", sums(100, 400))
    )
    assert "min less" not in said
    assert said.endswith("less than the day before by share (17 % of the time upright, 25 % the day before).")
    assert said.startswith("Your neck was bent forward")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (Totals(), "Nothing was recorded."),
        (Totals(covered_s=60, worn_s=60), "There is too little upright time to say anything."),
        (sums(0, 90), "Your upper back leaned forward by 20 deg or more at no time in 1 h 30 min upright."),
    ],
)
def test_a_day_with_nothing_to_say_says_that(what: Totals, said: str) -> None:
    assert opening(what, Mount.COLLAR, parts={}, longest_s=0) == said


def test_a_sentence_without_before_ends_as_one() -> None:
    assert opening(sums(5, 90), Mount.HEAD, parts={}, longest_s=61).endswith("5 min; longest 1 min.")
    never = opening(sums(0, 90), Mount.HEAD, parts={}, longest_s=0, before=Before("yesterday", sums(5, 90)))
    assert never.endswith("at no time in 1 h 30 min upright; 5 min less than yesterday.")


def test_neck_sub_scores_are_shares_of_the_time_in_their_classes() -> None:
    rows = [minute(0, -5), minute(1, 5), minute(2, 15), minute(3, 19), minute(4, 20)]
    histogram = agg.merge(rows).flexion_s.sum(axis=0)
    assert norms.rula_percent(histogram) == {1: 20, 2: 40, 3: 20, 4: 20}
    assert norms.reba_percent(histogram) == {1: 60, 2: 40}
    assert all(np.isnan(v) for v in norms.rula_percent(np.zeros(agg.N_FLEXION)).values())


def test_the_moment_of_a_head_held_at_30_deg_is_what_the_lever_says() -> None:
    mean, p90 = norms.moment_n_m(minute(0, 30).flexion_s[0], norms.MomentModel())
    assert mean == pytest.approx(4.5 * 9.80665 * 0.13 * np.sin(np.radians(30.5)), rel=1e-4)
    assert p90 == pytest.approx(4.5 * 9.80665 * 0.13 * np.sin(np.radians(30.9)))
    assert norms.moment_n_m(minute(0, -30).flexion_s[0], norms.MomentModel())[0] == 0


def test_a_short_day_is_projected_to_eight_hours_and_a_long_one_is_not() -> None:
    assert norms.projected_s(600, 3000, 3600) == 4800
    assert np.isnan(norms.projected_s(600, 3000, 9 * 3600))
    assert np.isnan(norms.projected_s(0, 0, 0))


def test_both_published_velocities_of_known_movements() -> None:
    t = np.arange(0, 20, 0.02)
    nod = 10 * np.sin(2 * np.pi * 0.5 * t)
    zero = np.zeros_like(t)
    found = velocities(t, np.abs(nod), nod, zero)
    assert found.generalized_deg_s[1] == pytest.approx(
        10 * np.pi * np.sqrt(0.5), rel=0.01
    )  # of |cos|: 45 deg
    assert found.inclination_deg_s[1] == pytest.approx(found.generalized_deg_s[1], rel=0.01)
    # Around a cone gravity turns and the inclination stays: the two definitions part.
    turn = 2 * np.pi * 0.25 * t
    up = np.stack((-np.sin(0.5) * np.cos(turn), np.sin(0.5) * np.sin(turn), np.full_like(t, np.cos(0.5))))
    cone = velocities(
        t,
        np.full_like(t, np.degrees(0.5)),
        np.degrees(np.arctan2(-up[0], up[2])),
        np.degrees(np.arcsin(up[1])),
    )
    assert cone.generalized_deg_s[1] == pytest.approx(90 * np.sin(0.5), rel=1e-3)  # deg/s
    assert cone.inclination_deg_s[1] == pytest.approx(0, abs=1e-6)


def test_a_gap_and_samples_left_out_have_no_velocity() -> None:
    t = np.concatenate((np.arange(0, 5, 0.02), np.arange(100, 105, 0.02)))
    angle = np.where(t < 50, 0.0, 60.0)
    found = velocities(t, angle, angle, np.zeros_like(t))
    assert found.inclination_deg_s == (0, 0, 0)
    assert np.isnan(
        velocities(t, angle, angle, np.zeros_like(t), np.zeros(len(t), bool)).inclination_deg_s
    ).all()


def test_the_rows_of_a_day_name_every_source() -> None:
    rows = {row.name: row for row in figure_rows(synthetic_day(), norms.MomentModel())}
    assert "10.1016/0003-6870(93)90080-S" in rows["RULA neck sub-score"].source
    assert "ISO 11226" in rows["holding time of one posture"].source
    assert "assumed: 4.5 kg, 0.13 m" in rows["gravitational moment mean / P90"].source
    assert "20 deg or more, in 8 h worn" not in rows  # 8 h 40 min were worn
    short = {row.name: row for row in figure_rows(synthetic_day(1.0))}
    assert "projected" in short["20 deg or more, in 8 h worn"].source
    assert "read with care" in short["angle P10 / P50 / P90"].source
    assert "gravitational moment mean / P90" not in short
    collar = {row.name: row for row in figure_rows(synthetic_day(1.0, Mount.COLLAR))}
    assert "trunk" in collar["holding time of one posture"].source


def test_a_day_without_data_has_only_what_was_worn() -> None:
    empty = replace(synthetic_day(0.1), minutes=(), total=None)
    assert [row.name for row in figure_rows(empty)] == ["worn", "upright / walking / lying"]


def test_spread_is_of_what_is_known() -> None:
    assert spread([10, 20, float("nan")]) == (15, pytest.approx(7.0710678))
    assert np.isnan(spread([5.0])[1])
    assert np.isnan(spread([])).all()
