"""Angles of a hand that takes the sensor off are not angles of a neck."""

from __future__ import annotations

import numpy as np

from tiltwise.report.taking_off import is_on_a_neck

T_S = np.arange(0, 120, 0.1)


def test_angles_beyond_anatomy_before_it_is_known_to_be_off_are_taken_back() -> None:
    angle = np.where((T_S > 50) & (T_S < 80), 127.0, 20.0)  # taken off at 50 s
    is_worn = is_on_a_neck(T_S, angle, T_S > 62)  # known at 62 s
    np.testing.assert_array_equal(is_worn, T_S <= 50)


def test_what_lies_between_the_first_such_angle_and_knowing_goes_too() -> None:
    angle = np.where((T_S > 50) & (T_S < 51), 127.0, 20.0)
    np.testing.assert_array_equal(is_on_a_neck(T_S, angle, T_S > 60), T_S <= 50)


def test_putting_it_on_is_taken_back_until_the_last_such_angle() -> None:
    angle = np.where(T_S < 35, 100.0, 10.0)
    np.testing.assert_array_equal(is_on_a_neck(T_S, angle, T_S < 30), T_S >= 35)


def test_a_deep_bend_of_a_wearer_stays() -> None:
    """Picking something up from the floor inclines a head by 130 deg; nobody took the sensor off."""
    angle = np.where((T_S > 20) & (T_S < 23), 130.0, 10.0)
    assert is_on_a_neck(T_S, angle, np.zeros(len(T_S), dtype=bool)).all()
    away = T_S > 100
    np.testing.assert_array_equal(is_on_a_neck(T_S, angle, away), ~away)
