"""Walks say whether the sensor still sits as it did: neutral, slip, drift, and that it reads right again."""

import math

import pytest

from tiltwise.common import walk_check
from tiltwise.common.walk_check import DRIFT, NEUTRAL, RIGHT, SLIP, WalkCheck


def tilted(deg: float) -> list[float]:
    return [-math.sin(math.radians(deg)), 0.0, math.cos(math.radians(deg))]


def walk(
    check: WalkCheck, leans_deg: list[float], seconds: int = 30, begin_ms: int = 0
) -> list[tuple[int, int]]:
    """Walk so often with a minute's rest after each; return (walk, what was found)."""
    found, t_ms = [], begin_ms
    for k, lean in enumerate(leans_deg):
        for n in range(10 * (seconds + 60)):
            bob = 3 * math.sin(2 * math.pi * 0.19 * n)
            result = check.step(t_ms, tilted(lean + bob), n < 10 * seconds)
            found += [(k, result)] if result else []
            t_ms += 100
    return found


@pytest.mark.parametrize(
    ("leans", "found"),
    [
        ([2, 4, 3, 17, 18, 16], [(4, SLIP)]),
        ([2, 4, 3, -9, -10, -9], [(4, SLIP)]),
        ([1, 2, 4, 5, 7, 8, 11, 11, 11], [(8, DRIFT)]),
        ([32, 31, 30, 5, 5, 5], [(1, NEUTRAL)]),
        ([-18, -18, -18, -18], [(1, NEUTRAL)]),
        ([24, 24, 23], []),
        ([-8, -9, -8], []),
        ([2, 4, 30, 3, 4, 2], []),
        ([2, 20], []),
        ([], []),
    ],
)
def test_what_walks_say(leans: list[float], found: list[tuple[int, int]]) -> None:
    assert walk(WalkCheck(), leans) == found


def test_the_way_back_is_right_again_and_a_further_slip_is_not() -> None:
    assert walk(WalkCheck(), [2, 3, 2, 16, 17, 1, 2, 16, 17]) == [(4, SLIP), (6, RIGHT), (8, SLIP)]
    assert walk(WalkCheck(), [2, 3, 2, 16, 17, 32, 33]) == [(4, SLIP), (6, SLIP)]


def test_a_doubt_of_an_earlier_run_ends_with_two_walks_near_the_neutral() -> None:
    assert walk(WalkCheck(True), [3, 4]) == [(1, RIGHT)]
    assert walk(WalkCheck(True), [-18, -17]) == [(1, NEUTRAL)]


def test_the_change_is_what_walking_reads_differently() -> None:
    check = WalkCheck()
    walk(check, [2, 4, 17, 19])
    assert check.change_deg == pytest.approx(15, abs=0.2)


def test_a_few_steps_a_hole_and_unknown_angles_are_no_walk() -> None:
    assert walk(WalkCheck(), [2, 3, 2, 30, 30, 30], seconds=6) == []
    check = WalkCheck()
    for n in range(300):  # a hole of 2 s each 4 s
        assert not check.step(100 * n + 2000 * (n // 40), tilted(40), True)
    assert not check.step(100_000, tilted(0), False)
    for n in range(400):
        assert not check.step(200_000 + 100 * n, None, n < 300)
    assert check._walks == []


def test_a_long_walk_counts_as_several_and_memory_is_bounded() -> None:
    check = WalkCheck()
    found = [check.step(100 * n, tilted(2 if n < 4500 else 18), True) for n in range(9000)]
    assert [f for f in found if f] == [SLIP]
    for n in range(9000, 40_000):
        check.step(100 * n, tilted(18), True)
    assert len(check._walks) == walk_check.MOST_WALKS


@pytest.mark.parametrize("deg", [0.0, 0.01, 9.0, 90.0, 179.9])
def test_the_angle_between_two_directions(deg: float) -> None:
    assert walk_check.angle_deg(tilted(deg), tilted(0)) == pytest.approx(deg, abs=1e-9)
