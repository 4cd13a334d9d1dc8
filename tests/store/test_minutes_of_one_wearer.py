"""Of several sensors in one minute the one worn most that day counts, while it is worn."""

from __future__ import annotations

import pytest

from store.test_writer import minute
from tiltwise.store.day_rows import day_minutes
from tiltwise.store.files.codec import pack_aggregate
from tiltwise.store.one_wearer import DeviceMinute, OneWearer, one_wearer

MINUTE_US = 60_000_000


def minutes(
    device: str, numbers: range, worn_s: float = 60.0, covered_s: float = 60.0
) -> list[DeviceMinute[str]]:
    return [DeviceMinute(MINUTE_US * k, device, covered_s, worn_s, f"{device}{k}") for k in numbers]


def rows(*some: list[DeviceMinute[str]]) -> OneWearer[str]:
    return one_wearer(minute for of_device in some for minute in of_device)


def test_the_sensor_worn_most_that_day_counts_and_the_other_is_said() -> None:
    found = rows(minutes("usual", range(10)), minutes("spare", range(7, 13)))
    assert found.rows == [f"usual{k}" for k in range(10)] + [f"spare{k}" for k in range(10, 13)]
    assert found.device_of == {MINUTE_US * k: "usual" for k in (7, 8, 9)}
    assert found.left_out_s == {"spare": 180.0}


def test_while_it_was_off_the_other_counts() -> None:
    found = rows(
        minutes("usual", range(10)), minutes("usual", range(10, 12), 0.0), minutes("spare", range(10, 12))
    )
    assert found.rows[-2:] == ["spare10", "spare11"]
    assert found.left_out_s == {}, "no second of wear was left out"


def test_of_two_worn_as_long_it_is_always_the_same() -> None:
    found = rows(minutes("a", range(3)), minutes("b", range(3)))
    assert found.rows == ["b0", "b1", "b2"]
    assert found.left_out_s == {"a": 180.0}


@pytest.mark.parametrize(("covered_s", "doubled"), [(30.0, False), (30.5, False), (31.0, True)])
def test_one_after_the_other_may_share_a_minute_and_clocks_may_be_a_second_off(
    covered_s: float, doubled: bool
) -> None:
    found = rows(minutes("a", range(1), covered_s, covered_s), minutes("b", range(1), covered_s, covered_s))
    assert (len(found.rows) == 1) is doubled


def test_the_minutes_in_which_both_begin_and_end_go_with_those_between() -> None:
    halves = [minutes(name, range(k, k + 1), 20.0, 20.0) for name in ("a", "b") for k in (0, 4)]
    whole = [minutes("a", range(1, 4)), minutes("b", range(1, 4), 50.0)]
    found = rows(*halves, *whole)
    assert sorted(found.rows) == ["a0", "a1", "a2", "a3", "a4"]
    assert found.left_out_s == {"b": 3 * 50.0 + 2 * 20.0}
    apart = rows(
        minutes("a", range(2)), minutes("b", range(1, 2), 20.0, 20.0), minutes("c", range(5, 6), 9.0, 9.0)
    )
    assert apart.rows == ["a0", "a1", "c5"]


def test_second_sensor_of_a_board_adds_no_seconds() -> None:
    """Half a minute each is no doubled minute, and a whole one each is; of that the board left out wore 60 s."""
    blob = pack_aggregate(minute(0.0))

    def row(sensor: int, number: int, name: str, seconds: float) -> tuple[object, ...]:
        return sensor, MINUTE_US * number, blob, name, seconds, seconds

    some = [
        *(row(0, 0, "two", 30.0), row(1, 0, "two", 60.0), row(0, 0, "one", 30.0)),
        *(row(0, 5, "two", 60.0), row(1, 5, "two", 60.0), row(0, 5, "one", 60.0), row(0, 9, "one", 60.0)),
    ]
    found = day_minutes(lambda _sql, _between: some, 0, 10 * MINUTE_US)
    assert found.device_of == {5 * MINUTE_US: "one"}
    assert found.left_out_s == {"two": 60.0}
    assert [(sensor, part.start_s) for sensor, part in found.rows] == [
        *((0, 0.0), (1, 0.0), (0, 0.0)),
        *((0, 300.0), (0, 540.0)),
    ]
