"""Ranges of frame numbers hold what a set of the same numbers holds, whatever is added and removed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltwise.decode.sequence_ranges import SequenceRanges

span = st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1]))
steps = st.lists(st.tuples(st.booleans(), span), max_size=30)


def runs(numbers: set[int]) -> list[tuple[int, int]]:
    """Return the runs of neighbouring numbers."""
    firsts = sorted(n for n in numbers if n - 1 not in numbers)
    lasts = sorted(n for n in numbers if n + 1 not in numbers)
    return list(zip(firsts, lasts, strict=True))


@given(steps, span)
def test_ranges_are_a_set(changes: list[tuple[bool, tuple[int, int]]], window: tuple[int, int]) -> None:
    ranges, numbers = SequenceRanges(), set[int]()
    for is_added, (first, last) in changes:
        part = set(range(first, last + 1))
        if is_added:
            ranges.add(first, last)
            numbers |= part
        else:
            assert ranges.remove(first, last) == len(part & numbers)
            numbers -= part
        assert ranges.pairs == runs(numbers)
    assert SequenceRanges(ranges.pack()).pairs == ranges.copy().pairs == ranges.pairs
    assert [n for n in range(60) if n in ranges] == sorted(numbers)
    assert (bool(ranges), ranges.count) == (bool(numbers), len(numbers))
    assert ranges.first == min(numbers, default=None)
    assert ranges.settled == (runs(numbers)[0][1] if numbers else None)
    inside = set(range(window[0], window[1] + 1))
    assert ranges.within(*window) == runs(numbers & inside)
    assert ranges.holes(*window) == runs(inside - numbers)


def test_an_added_range_takes_the_place_of_those_it_touches() -> None:
    ranges = SequenceRanges()
    for first in (0, 10, 20, 30):
        ranges.add(first, first + 4)
    assert ranges.add(15, 19) == slice(1, 3)
    assert ranges[1] == (10, 24)


def test_only_the_newest_ranges_are_kept() -> None:
    ranges = SequenceRanges()
    for first in range(0, 100, 10):
        ranges.add(first, first)
    ranges.keep_newest(3)
    assert ranges.pairs == [(70, 70), (80, 80), (90, 90)]
    ranges.keep_newest(3)
    assert len(ranges.pairs) == 3


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="first <= last"):
        SequenceRanges().add(3, 2)
