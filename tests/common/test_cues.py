"""The budget of cues: none at first, a gap between two, so many a day, and fewer where they are faded."""

from itertools import pairwise

import pytest

from tiltwise.common.cues import DAY_FULL, FADED, FIRST_MINUTES, GIVE, TOO_SOON, CueBudget

MINUTE_MS = 60_000


def test_the_first_minutes_of_wearing_are_quiet():
    budget = CueBudget(10 * MINUTE_MS, 0, 5)
    budget.begin(1000)
    budget.begin(5 * MINUTE_MS)  # only the first call counts
    assert budget.ask(1000 + 10 * MINUTE_MS - 1) == FIRST_MINUTES
    assert budget.ask(1000 + 10 * MINUTE_MS) == GIVE
    unbegun = CueBudget(MINUTE_MS, 0, 5)
    assert [unbegun.ask(t) for t in (7, 7 + MINUTE_MS)] == [FIRST_MINUTES, GIVE]


def test_a_gap_follows_each_interruption_and_one_without_a_posture_does_not_count():
    budget = CueBudget(0, 2 * MINUTE_MS, 1)
    assert not budget.is_too_soon(0)
    budget.note(0, counts=False)
    assert budget.ask(2 * MINUTE_MS - 1) == TOO_SOON
    assert budget.given == 0
    assert budget.ask(2 * MINUTE_MS) == GIVE
    assert budget.given == 1
    assert budget.ask(4 * MINUTE_MS - 1) == TOO_SOON


@pytest.mark.parametrize("most", [0, 1, 3])
def test_so_many_a_day_and_then_none_until_the_next(most):
    budget = CueBudget(0, 1, most)
    assert [budget.ask(t) for t in range(0, 2 * most + 4, 2)] == [GIVE] * most + [DAY_FULL] * 2
    budget.new_day()
    assert budget.ask(1000) == (GIVE if most else DAY_FULL)


@pytest.mark.parametrize(("percent", "given"), [(100, 100), (50, 50), (25, 25), (33, 33), (0, 0)])
def test_faded_cues_are_that_share_of_all_spread_evenly(percent, given):
    budget = CueBudget(0, 0, 1000, percent)
    answers = [budget.ask(t) for t in range(1, 101)]
    assert answers.count(GIVE) == budget.given == given
    assert answers.count(FADED) == 100 - given
    if given:
        assert answers[0] == GIVE, "the first one always"
        told = [k for k, answer in enumerate(answers) if answer == GIVE]
        apart = {later - earlier for earlier, later in pairwise(told)}
        assert max(apart) - min(apart) <= 1
    assert CueBudget(0, 0, 5).percent == 100
