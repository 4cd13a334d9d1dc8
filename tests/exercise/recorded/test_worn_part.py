"""A sensor is put on before a set and taken off after it: what it did in the hand counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from movement_samples import bumps, count, head, times, whole
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.recorded.movement_counter import worn
from tiltwise.exercise.recorded.movement_signal import Movements
from tiltwise.exercise.recorded.worn_part import _longest
from tiltwise.types import FloatArray

PUT_ON_S, TAKEN_OFF_S, END_S = 6.0, 40.0, 46.0
POSES_DEG = [[120.0, 0.0, 0.0], [80.0, 70.0, 0.0], [-60.0, 20.0, 90.0], [0.0, 0.0, 0.0]]


def in_hand(t_s: FloatArray, poses_deg: list[list[float]], first_s: float, last_s: float) -> FloatArray:
    """Rotation vectors (n, 3), deg, from pose to pose; the first before, the last after."""
    at = np.linspace(first_s, last_s, len(poses_deg))
    return np.column_stack([np.interp(t_s, at, column) for column in np.array(poses_deg).T])


def handled(worn_movements: Movements) -> Movements:
    t_s = worn_movements.t_s
    turn = in_hand(t_s, POSES_DEG, 0.0, PUT_ON_S) + in_hand(t_s, POSES_DEG[::-1], TAKEN_OFF_S, END_S)
    up = Rotation.from_rotvec(turn, degrees=True).apply(worn_movements.up_sensor)
    return Movements(t_s, up, worn_movements.right_turn_deg)


def tilts(peak_deg: float = 25.0) -> Movements:
    t = times(END_S)
    return head(
        t, tilt=bumps(t, [peak_deg, -peak_deg] * 5, 8.0, 3.0, 2.0), mount=Rotation.from_rotvec([1, 2, 0])
    )


def found(movements: Movements, exercise: str = "side_tilt") -> slice:
    signal = EXERCISES[exercise].signal
    assert signal is not None
    return worn(signal, movements)


def test_putting_on_and_taking_off_is_left_out() -> None:
    movements = handled(tilts())
    part = found(movements)
    assert PUT_ON_S - 1.0 < movements.t_s[part.start] < 8.2
    assert 37.0 < movements.t_s[part.stop - 1] < TAKEN_OFF_S + 1.5
    assert len(whole(count("side_tilt", movements.part(part)))) == 10


def test_a_set_that_nobody_handled_is_taken_whole() -> None:
    movements = tilts(peak_deg=44.0)  # beyond the first limit
    assert found(movements) == slice(0, len(movements.t_s))


def test_bends_of_ninety_degrees_are_no_handling() -> None:
    t = times(END_S)
    movements = head(t, flexion=bumps(t, [85.0] * 8, 3.0, 5.0, 4.0))
    assert found(movements, "clasped_nod") == slice(0, len(t))


def test_one_large_movement_at_the_end_of_a_set_belongs_to_it() -> None:
    t = times(34.0)
    movements = head(t, flexion=bumps(t, [30.0] * 9 + [43.0], 3.0, 3.0, 2.0))
    assert found(movements, "clasped_nod") == slice(0, len(t))
    assert len(whole(count("clasped_nod", movements))) == 10


@pytest.mark.parametrize("table_s", [5.0, 60.0])
def test_a_sensor_that_lies_on_a_table_before_is_not_worn_there(table_s: float) -> None:
    set_, n = handled(tilts()), round(table_s * 50)
    lies = np.tile(set_.up_sensor[0], (n, 1))
    t_s = np.arange(n + len(set_.t_s)) / 50.0
    movements = Movements(t_s, np.vstack((lies, set_.up_sensor)), np.zeros(len(t_s)))
    part = found(movements)
    assert table_s + PUT_ON_S - 1.0 < t_s[part.start] < table_s + 8.2
    assert len(whole(count("side_tilt", movements.part(part)))) == 10


def test_no_samples_are_all_worn() -> None:
    assert found(Movements(np.empty(0), np.empty((0, 3)), np.empty(0))) == slice(0, 0)


@pytest.mark.parametrize(
    ("away_deg", "part"),
    [
        ([50, 10, 5, 20, 50, 5, 5], (1, 3)),  # the longer one, from where it is on to where it is off
        ([50, 5, 5, 50, 5, 5, 5], (4, 7)),
        ([20, 5, 20, 50], (0, 2)),  # on from the first sample
        ([50, 20, 5, 20], (2, 4)),  # and to the last
        ([50, 20, 20, 50], (1, 3)),  # never quite there
        ([40, 14.9, 15, 40], (1, 2)),  # at a limit is beyond it
        ([50, 50], (0, 1)),
    ],
)
def test_the_worn_part_is_the_longest_within_the_limit(away_deg: list[float], part: tuple[int, int]) -> None:
    assert _longest(np.arange(len(away_deg), dtype=float), np.array(away_deg, float), 40.0) == part


def test_the_longest_is_so_in_time_and_not_in_samples() -> None:
    t_s = np.array([0.0, 0.1, 0.2, 0.3, 1.0, 5.0])
    assert _longest(t_s, np.array([5.0, 5.0, 5.0, 50.0, 5.0, 5.0]), 40.0) == (4, 6)
