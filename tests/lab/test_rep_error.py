"""`bench reps`: its sets are what they say, and an ordinary one is counted with the sides right."""

from dataclasses import replace

import numpy as np
import pytest

from tiltwise.types import Side
from tiltwise_lab.bench.counting.generated_sets import SIZES_DEG, SetKind, generate_set
from tiltwise_lab.bench.counting.rep_error import BEND_KINDS, HANDLED_KINDS, KINDS, set_row, workday_rows
from tiltwise_lab.bench.posture.generated_day import Day, generate_day


def test_every_kind_is_there_once() -> None:
    assert len(KINDS) == len(set(KINDS)) == 3 * 3 * 3 * 2 * 2
    assert len({*KINDS, *BEND_KINDS, *HANDLED_KINDS}) == len(KINDS) + 4 + 8


@pytest.mark.parametrize("plane", ["tilt", "nod", "turn"])
def test_a_set_is_made_as_asked_and_again_the_same(plane: str) -> None:
    kind = SetKind(plane, "usual", "half", False, False)
    made, again = generate_set(kind, 3), generate_set(kind, 3)
    np.testing.assert_array_equal(made.block.gyr_rad_s, again.block.gyr_rad_s)
    assert 5 <= len(made.sides) == len(made.peaks_s) <= 12
    assert (Side.NONE in made.sides) == (plane == "nod")
    assert list(made.peaks_s) == sorted(made.peaks_s)
    assert made.block.t_s[-1] > made.peaks_s[-1]
    assert np.all(np.diff(made.block.t_s) > 0)


def test_the_samples_hold_movements_of_that_size() -> None:
    """Turns about the sensor's own axes, summed up, without gravity or filter."""
    for size in ("half", "large"):
        made = generate_set(SetKind("tilt", "usual", size, False, False), 2)
        rate = np.degrees(np.sqrt(np.sum(made.block.gyr_rad_s**2, axis=1)))
        way_deg = float(np.sum(rate * np.median(np.diff(made.block.t_s))))
        assert way_deg > 2 * len(made.sides) * 0.7 * SIZES_DEG[size][0]


@pytest.mark.parametrize("plane", ["tilt", "nod", "turn"])
def test_an_ordinary_set_is_counted_with_the_sides_right(plane: str) -> None:
    rows = [set_row(SetKind(plane, "usual", "large", False, True), seed) for seed in (3, 4, 5)]
    assert [row.error for row in rows] == [0, 0, 0]
    assert [row.wrong_sides for row in rows] == [0, 0, 0]


def test_a_generated_day_is_counted_and_a_set_in_it_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for _, row in workday_rows(1, 0.2)]
    assert [row.label for row in rows] == ["day, head", "day, neck"]
    assert [row.minutes for row in rows] == pytest.approx([12.0, 12.0])
    assert [row.false_counts for row in rows] == [0, 0]

    def with_a_set(*day: object) -> Day:
        made = generate_day(*day)  # type: ignore[arg-type]
        tilts = 30.0 * np.sin(2 * np.pi * made.t_s / 8.0) ** 3 * (made.t_s < 64.0)
        flat, speed = np.zeros_like(tilts), np.abs(np.gradient(tilts, made.t_s))
        return replace(made, lateral_deg=tilts, flexion_deg=flat, rate_deg_s=speed, up_acc_m_s2=flat)

    monkeypatch.setattr("tiltwise_lab.bench.counting.rep_error.generate_day", with_a_set)
    assert all(row.false_counts >= 6 for _, row in workday_rows(1, 0.2))


def test_bends_of_the_trunk_are_larger_than_any_of_the_head() -> None:
    made = generate_set(SetKind("bend", "slow", "bend", False, False), 2)
    acc = made.block.acc_m_s2 / np.linalg.norm(made.block.acc_m_s2, axis=1)[:, None]
    away_deg = np.degrees(np.arccos(np.clip(acc @ acc[0], -1.0, 1.0)))
    assert 30.0 < np.percentile(away_deg, 98) < 105.0
    assert set_row(made.kind, 2).error == 0


def test_a_sensor_in_the_hand_turns_before_and_after_but_not_within_the_set() -> None:
    made = generate_set(SetKind("tilt", "usual", "half", False, False, is_handled=True), 2)
    acc, t_s = made.block.acc_m_s2, made.block.t_s
    within = acc[(t_s > made.peaks_s[0]) & (t_s < made.peaks_s[-1])]
    middle = np.median(within, axis=0) / np.linalg.norm(np.median(within, axis=0))
    away_deg = np.degrees(np.arccos(np.clip(acc @ middle / np.linalg.norm(acc, axis=1), -1.0, 1.0)))
    far_s = t_s[away_deg > 60.0]
    assert len(far_s)
    assert not np.any((far_s > made.peaks_s[0] - 1.0) & (far_s < made.peaks_s[-1] + 1.0))
