"""Walks say whether the sensor still sits as it did: neutral, slip, drift, and that it reads right again."""

import math

import pytest

from tiltwise.common import placement_check
from tiltwise.common.placement_check import DRIFT, NEUTRAL, PUT_ON, RIGHT, SLIP, PlacementCheck


def tilted(deg: float) -> list[float]:
    return [-math.sin(math.radians(deg)), 0.0, math.cos(math.radians(deg))]


def walk(
    check: PlacementCheck, leans_deg: list[float], seconds: int = 30, begin_ms: int = 0
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
    assert walk(PlacementCheck(), leans) == found


def test_the_way_back_is_right_again_and_a_further_slip_is_not() -> None:
    assert walk(PlacementCheck(), [2, 3, 2, 16, 17, 1, 2, 16, 17]) == [(4, SLIP), (6, RIGHT), (8, SLIP)]
    assert walk(PlacementCheck(), [2, 3, 2, 16, 17, 32, 33]) == [(4, SLIP), (6, SLIP)]


def test_a_doubt_of_an_earlier_run_ends_with_two_walks_near_the_neutral() -> None:
    assert walk(PlacementCheck(True), [3, 4]) == [(1, RIGHT)]
    assert walk(PlacementCheck(True), [-18, -17]) == [(1, NEUTRAL)]


def test_the_change_is_what_walking_reads_differently() -> None:
    check = PlacementCheck()
    walk(check, [2, 4, 17, 19])
    assert check.change_deg == pytest.approx(15, abs=0.2)


def test_a_few_steps_a_hole_and_unknown_angles_are_no_walk() -> None:
    assert walk(PlacementCheck(), [2, 3, 2, 30, 30, 30], seconds=6) == []
    check = PlacementCheck()
    for n in range(300):  # a hole of 2 s each 4 s
        assert not check.step(100 * n + 2000 * (n // 40), tilted(40), True)
    assert not check.step(100_000, tilted(0), False)
    for n in range(400):
        assert not check.step(200_000 + 100 * n, None, n < 300)
    assert check._walks == []


def test_a_long_walk_counts_as_several_and_memory_is_bounded() -> None:
    check = PlacementCheck()
    found = [check.step(100 * n, tilted(2 if n < 4500 else 18), True) for n in range(9000)]
    assert [f for f in found if f] == [SLIP]
    for n in range(9000, 40_000):
        check.step(100 * n, tilted(18), True)
    assert len(check._walks) == placement_check.MOST_WALKS


@pytest.mark.parametrize("deg", [0.0, 0.01, 9.0, 90.0, 179.9])
def test_the_angle_between_two_directions(deg: float) -> None:
    assert placement_check.angle_deg(tilted(deg), tilted(0)) == pytest.approx(deg, abs=1e-9)


def sit(check: PlacementCheck, leans_deg: list[float], begin_ms: int = 0) -> list[tuple[int, int]]:
    """Sit for ten seconds at each angle; return (second, what was found)."""
    found = []
    for n in range(100 * len(leans_deg)):
        result = check.step(begin_ms + 100 * n, tilted(leans_deg[n // 100]), False)
        found += [(n // 10, result)] if result else []
    return found


def test_who_does_not_sit_up_within_a_minute_of_putting_on_is_told_and_believed_later() -> None:
    check = PlacementCheck()
    assert sit(check, [40] * 10) == [], "nobody has put it on"
    check.put_on()
    assert sit(check, [40, 22, 30] * 3 + [8, 40], 100_000) == [(59, PUT_ON), (92, RIGHT)]
    assert sit(check, [40] * 10, 300_000) == []
    check.put_on()
    assert sit(check, [40, 40, 9, 40, 40, 40, 40, 40], 500_000) == []


def test_a_moment_near_the_neutral_is_no_sitting_up() -> None:
    check = PlacementCheck()
    check.put_on()
    found = [check.step(100 * n, tilted(0 if n % 40 < 20 else 30), False) for n in range(700)]
    assert [f for f in found if f] == [PUT_ON]
    assert check.change_deg == pytest.approx(30)


def test_an_upright_moment_after_putting_on_ends_a_doubt_of_an_earlier_run() -> None:
    check = PlacementCheck(True)
    assert sit(check, [2, 2]) == []
    check.put_on()
    assert sit(check, [2, 2], 100_000) == [(3, RIGHT)]


def walks_of(*walking_ms: int) -> int:
    """How many walks count of steps at these times, 0.5 s of standing after the last."""
    check = PlacementCheck()
    for t_ms in walking_ms:
        check.step(t_ms, tilted(2), True)
    check.step(walking_ms[-1] + 500, tilted(2), False)
    return len(check._walks)


def test_a_walk_counts_from_ten_seconds_on_without_a_second_between_looks() -> None:
    seconds = range(0, 10_000, 1000)
    assert [walks_of(*seconds, last) for last in (9_999, 10_000)] == [0, 1]
    assert walks_of(*range(0, 12 * 1001, 1001)) == 0


@pytest.mark.parametrize(("last_ms", "n"), [(59_999, 0), (60_000, 1)])
def test_a_walk_is_judged_after_a_minute_though_it_goes_on(last_ms: int, n: int) -> None:
    check = PlacementCheck()
    for t_ms in (*range(0, 60_000, 1000), last_ms):
        check.step(t_ms, tilted(2), True)
    assert len(check._walks) == n


@pytest.mark.parametrize(("step_ms", "told_ms"), [(1000, 60_000), (999, 64 * 999), (1001, None)])
def test_after_a_minute_without_an_upright_moment_it_is_told_in_windows_of_three_seconds(
    step_ms: int, told_ms: int | None
) -> None:
    check = PlacementCheck()
    check.put_on()
    found = [k * step_ms for k in range(1, 71) if check.step(k * step_ms, tilted(40), False) == PUT_ON]
    assert found == ([] if told_ms is None else [told_ms])


@pytest.mark.parametrize(("lean_deg", "is_upright"), [(14.9, True), (15.1, False)])
def test_upright_is_within_15_deg_for_three_seconds(lean_deg: float, is_upright: bool) -> None:
    check = PlacementCheck()
    check.put_on()
    for k in range(1, 4):
        check.step(1000 * k, tilted(lean_deg), False)
    assert check.is_busy is not is_upright
