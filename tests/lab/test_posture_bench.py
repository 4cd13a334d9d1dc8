"""The judges of `tiltwise bench posture`, on days whose doses anybody can work out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.types import Mount, OrientationBlock
from tiltwise_lab.bench.posture.alert_quality import OURS_DUE, day_row, judged, total
from tiltwise_lab.bench.posture.board_and_host import agreement
from tiltwise_lab.bench.posture.generated_day import OFF, RATE_HZ, SIT, WALK, Day, generate_day
from tiltwise_lab.bench.posture.joined_recordings import Piece, joined_day
from tiltwise_lab.bench.posture.products import their_day
from tiltwise_lab.bench.posture.true_dose import true_dose


def made(*stretches: tuple[float, float, int]) -> Day:
    """Return a day of (seconds, flexion, body) after each other, seen by a perfect sensor."""
    n = [round(seconds * RATE_HZ) for seconds, _, _ in stretches]
    flexion = np.repeat([deg for _, deg, _ in stretches], n).astype(float)
    body = np.repeat([code for _, _, code in stretches], n).astype(np.int8)
    t_s, none = np.arange(len(flexion)) / RATE_HZ, np.zeros(len(flexion))
    return Day(Mount.HEAD, t_s, flexion, body, flexion, none, none, none, ())


@pytest.mark.parametrize(("deg", "seconds"), [(25.0, 480), (45.0, 340), (85.0, 60)])
def test_the_true_dose_is_full_after_the_standard_s_time(deg: float, seconds: int) -> None:
    truth = true_dose(made((seconds + 30, deg, SIT)))
    assert [full_s for _, full_s, _ in truth.full_s] == [seconds]


def test_what_was_held_is_given_back_in_as_long() -> None:
    day = made((240, 25.0, SIT), (120, 0.0, SIT), (100, 25.0, SIT), (260, 0.0, WALK))
    dose = true_dose(day).dose
    assert dose[239] == pytest.approx(0.5)
    assert dose[359] == pytest.approx(0.25)
    assert dose[459] == pytest.approx(0.25 + 100 / 480)
    assert dose[-1] == 0
    assert true_dose(made((600, 40.0, OFF))).full_s == ()


def test_a_product_alerts_once_for_each_time_its_angle_is_held() -> None:
    day = made((5, 0.0, SIT), (4, 20.0, SIT), (5, 0.0, SIT), (60, 20.0, SIT))
    assert their_day(day, 18.0, 5.0).tolist() == [19.0]
    assert their_day(day, 12.0, 3.0).tolist() == [8.0, 17.0]


def test_a_day_is_the_same_for_its_seed_and_another_for_another() -> None:
    a, b, c = (generate_day(seed, 0, Mount.NECK, hours=0.5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.flexion_deg, b.flexion_deg)
    assert not np.array_equal(a.flexion_deg, c.flexion_deg)
    assert len(a.t_s) == 1800 * RATE_HZ


def test_a_row_counts_what_is_there() -> None:
    row = day_row(0, 0, Mount.HEAD, hours=1.0)
    ours = total([row, row], OURS_DUE)
    assert ours.full == 2 * next(each.full for each in row.products if each.product == OURS_DUE)
    assert 0 <= ours.found <= ours.full
    assert row.right_minutes <= row.minutes <= 60


def test_board_and_host_agree_on_a_deep_bend() -> None:
    """After the first ten minutes 75 deg for 130 s: one alert of both."""
    day = made((700, 2.0, SIT), (160, 75.0, SIT), (60, 0.0, SIT))
    rng = np.random.default_rng(1)
    alive = day.flexion_deg + rng.normal(
        0, 0.3, len(day.t_s)
    )  # a neck that is still to the hundredth is a table
    found = agreement(replace(day, flexion_deg=alive, rate_deg_s=np.full(len(alive), 3.0)))
    assert (found.both, found.host_only, found.board_only) == (1, 0, 0)


def test_a_dose_that_the_sensor_did_not_see_is_told_apart_from_one_that_nobody_told() -> None:
    """Two bends of 360 s at 45 deg: in the second the sensor has slipped by 25; only the first can be seen."""
    day = made((60, 0.0, SIT), (360, 45.0, SIT), (600, 0.0, SIT), (360, 45.0, SIT), (600, 0.0, SIT))
    seen = np.where(day.t_s > 700, day.flexion_deg - 25, day.flexion_deg)
    nothing_found = np.zeros(len(seen), dtype=np.int8)
    row = judged(replace(day, flexion_deg=seen), 0, {"told": np.array([400.5])}, nothing_found)
    told, silent = row.products[0], total([row], "8 deg / 2 s")
    assert (told.full, told.found, told.seen, told.seen_found) == (2, 1, 1, 1)
    assert told.delays_s == (0.5,)
    assert (silent.found, silent.seen_found) == (0, 0)


def test_a_joined_day_has_its_seams_as_holes_and_its_doses_found() -> None:
    """One recording at 60 deg and one upright, over and over: whatever becomes full is told, on time."""
    rate_hz, n, neutral = 25.0, 1500, mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.HEAD)
    rng = np.random.default_rng(3)

    def piece(deg: float) -> Piece:
        angle = deg + 0.3 * np.cumsum(rng.normal(0, 0.05, n))
        half = np.radians(angle) / 2
        q = np.column_stack((np.cos(half), np.zeros(n), np.sin(half), np.zeros(n)))
        up = np.column_stack((-np.sin(2 * half), np.zeros(n), np.cos(2 * half)))
        return Piece(OrientationBlock(np.arange(n) / rate_hz, q, 9.81 * up), angle, SIT, neutral)

    found = joined_day([piece(60.0), piece(0.0)], 1, 1.0)
    ours = total([found.row], OURS_DUE)
    assert found.seams > 50
    assert ours.full >= 2
    assert (ours.found, ours.false) == (ours.full, 0)
    assert max(map(abs, ours.delays_s)) < 3
    assert ours.hours < 1.0  # the seams are nobody's time
